"""python -m dislib_plus.cli.manpages: a folder of texts of the manual pages that are installed."""

import gzip
import pathlib
import re
import sys

from dislib_plus.cli import command

_SUMMARY = """writes installed manual pages as text files, a sub-folder a section: documents for `text_folder`.

  python -m dislib_plus.cli.manpages --output_dir=manpages

Debian's package manpages-dev has the pages of the system calls and of the C library (sections 2 and 3). Pages that only
name another page are left out."""
# Requests of roff whose arguments are words of the page.
_TEXT = {"B", "I", "BR", "RB", "BI", "IB", "IR", "RI", "SH", "SS", "SM", "SB"}
_ESCAPES = re.compile(r"\\f(?:\[[^]]*\]|\(..|.)|\\\(..|\\\[[^]]*\]|\\s[-+]?\d|\\\*(?:\[[^]]*\]|\(..|.)|\\.")


def _define(flags):
    flags.string("output_dir", None, "Folder to write to; it must not exist.", required=True)
    flags.string("man_dir", "/usr/share/man", "Folder with the pages: man2/*.gz, man3/*.gz, ...")
    flags.string("sections", "2,3", "Sections, separated by commas.")


def text_of(source):
    """The words of a page: its roff source without comments, requests and escapes; "" where it names another page."""
    lines = []
    for line in source.splitlines():
        request = re.match(r"[.'](\S*)\s*(.*)", line)
        if request is None:
            lines.append(line)
        elif request[1] == "so":
            return ""
        elif request[1] in _TEXT:
            lines.append(request[2].replace('"', " "))
    return _ESCAPES.sub(lambda escape: "-" if escape[0] == r"\-" else "", "\n".join(lines)) + "\n"


def _act(flags):
    output, pages = pathlib.Path(flags.output_dir), pathlib.Path(flags.man_dir)
    if output.exists():
        raise ValueError(f"output_dir {output} exists; choose another folder, or remove it.")
    sections = [section.strip() for section in flags.sections.split(",")]
    sources = {section: sorted(pages.glob(f"man{section}/*.gz")) for section in sections}
    empty = [section for section, found in sources.items() if not found]
    if empty:
        raise FileNotFoundError(f"There are no pages {pages}/man{empty[0]}/*.gz; install them (Debian's manpages-dev), "
                                "or say --man_dir and --sections.")
    from dislib_plus import files
    from dislib_plus.unfinished_folder import UnfinishedFolder
    files.make_folder(output.parent)
    with UnfinishedFolder(output.parent, f".{output.name}.") as unfinished:
        written = sum(_write(unfinished.path / f"section{section}", found) for section, found in sources.items())
        unfinished.finish()
        unfinished.path.chmod(0o755)
        unfinished.path.rename(output)
    print(f"{written} pages: {output}")


def _write(folder, sources):
    """Writes the pages of one section; returns how many."""
    from dislib_plus.files import reading
    folder.mkdir()
    written = 0
    for source in sources:
        with reading(source, "install it again"):
            text = text_of(gzip.decompress(source.read_bytes()).decode("utf-8", errors="replace"))
        if text.strip():
            (folder / f"{source.stem}.txt").write_text(text, encoding="utf-8")
            written += 1
    return written


def main(argv=None):
    """Runs the command; returns its exit code."""
    return command.run("python -m dislib_plus.cli.manpages", _SUMMARY, _define, _act, argv)


if __name__ == "__main__":
    sys.exit(main())
