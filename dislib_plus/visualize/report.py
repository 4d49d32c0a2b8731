"""The report: one HTML file with scores, pictures and configuration, that needs no other file."""

import base64
import dataclasses
import pathlib

import jinja2

from dislib_plus import __version__, files


@dataclasses.dataclass(frozen=True)
class Picture:
    """A picture of the report.

    Attributes:
      file: its name in the output folder.
      title: a few words.
      caption: one or two sentences: what is seen.
      section: heading under which it stands.
    """

    file: str
    title: str
    caption: str
    section: str


def write_report(path, title, facts, scores, pictures, remarks, configuration):
    """Writes the report.

    Args:
      path: file name; the pictures lie in the same folder and are copied into the file.
      title: heading.
      facts: list of (name, text), shown below the heading.
      scores: list of (title, [(key, text, meaning), ...]).
      pictures: list of Picture.
      remarks: list of sentences: what was not drawn, and why.
      configuration: dict {gin key: value}.
    """
    path = pathlib.Path(path)
    sections = {}
    for picture in pictures:
        sections.setdefault(picture.section, []).append((picture, _inlined(path.parent / picture.file)))
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(pathlib.Path(__file__).parent), autoescape=True,
                                     undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    page = environment.get_template("report.html").render(
        title=title, facts=facts, scores=scores, sections=sections, remarks=remarks,
        configuration=sorted(configuration.items()), version=__version__)
    with files.atomic_write(path) as stream:
        stream.write(page)


def _inlined(path):
    """A data: address with the content of a .png or .gif file."""
    kind = {".png": "image/png", ".gif": "image/gif"}[path.suffix]
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"
