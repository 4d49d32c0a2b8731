"""python -m dislib_plus.cli.manpages: texts of installed manual pages."""

import gzip

import pytest

from dislib_plus.cli import manpages

PAGE = r"""'\" t
.\" A comment about copyright.
.TH sail 3 2023 "A manual"
.SH NAME
sail, mast \- move a boat
.PP
.BI "int sail(const char *" wind ");"
The \fBsail\fR is \(lqset\(rq\&; see
.BR mast (3).
"""


@pytest.fixture
def pages(tmp_path):
    for section, name, text in ((2, "keel.2", ".SH NAME\nkeel\n"), (3, "sail.3", PAGE),
                                (3, "mast.3", ".so man3/sail.3\n")):
        folder = tmp_path / f"man{section}"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.gz").write_bytes(gzip.compress(text.encode()))
    return tmp_path


def test_words_of_a_page():
    assert manpages.text_of(PAGE).split() == (
        "NAME sail, mast - move a boat int sail(const char * wind ); The sail is set; see mast (3).").split()


def test_a_folder_with_a_sub_folder_a_section(pages, capsys):
    """Pages that name another one are left out."""
    arguments = [f"--output_dir={pages / 'texts'}", f"--man_dir={pages}"]
    assert manpages.main(arguments) == 0 and "2 pages" in capsys.readouterr().out
    assert sorted(path.relative_to(pages / "texts").as_posix() for path in (pages / "texts").rglob("*")) == [
        "section2", "section2/keel.2.txt", "section3", "section3/sail.3.txt"]
    assert (pages / "texts/section2/keel.2.txt").read_text() == "NAME\nkeel\n"
    assert manpages.main(arguments) == 1 and "exists; choose another folder" in capsys.readouterr().err


def test_no_pages(pages, capsys):
    assert manpages.main([f"--output_dir={pages / 'texts'}", f"--man_dir={pages}", "--sections=2,7"]) == 1
    assert "There are no pages" in capsys.readouterr().err and not (pages / "texts").exists()


def test_a_damaged_page(pages, capsys):
    (pages / "man2" / "keel.2.gz").write_bytes(b"not gzip")
    assert manpages.main([f"--output_dir={pages / 'texts'}", f"--man_dir={pages}"]) == 1
    assert "keel.2.gz" in capsys.readouterr().err and not (pages / "texts").exists()
