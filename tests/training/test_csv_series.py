"""Curves of a run in a CSV file: what is kept when a run goes on."""

import errno
import pathlib

import pytest

from dislib_plus.training import csv_series


def filled(path, steps=(0, 10, 20)):
    made = csv_series.Series(path, -1)
    for step in steps:
        made.append(step, {"a": step / 3, "b, c": -1e-300})
    return made


def test_rows_are_read_back_to_the_last_bit(tmp_path):
    rows = filled(tmp_path / "s.csv").rows
    assert csv_series.read(tmp_path / "s.csv") == rows == [
        (step, {"a": step / 3, "b, c": -1e-300}) for step in (0, 10, 20)]


@pytest.mark.parametrize("last_step, kept", [(25, [0, 10, 20]), (20, [0, 10, 20]), (19, [0, 10]), (0, [0]), (-1, [])])
def test_rows_after_the_checkpoint_are_dropped(tmp_path, last_step, kept):
    filled(tmp_path / "s.csv")
    again = csv_series.Series(tmp_path / "s.csv", last_step)
    assert [step for step, _ in again.rows] == [step for step, _ in csv_series.read(tmp_path / "s.csv")] == kept
    again.append(30, {"a": 1.0, "b, c": 2.0})
    assert [step for step, _ in csv_series.read(tmp_path / "s.csv")] == [*kept, 30]


def test_line_that_a_crash_cut_short_is_dropped(tmp_path):
    """Also where the part that was written looks like a whole line."""
    whole = (filled(tmp_path / "s.csv"), (tmp_path / "s.csv").read_text())[1]
    for cut in ("30,1", "30,1,5"):
        (tmp_path / "s.csv").write_text(whole + cut)
        assert [step for step, _ in csv_series.Series(tmp_path / "s.csv", 40).rows] == [0, 10, 20]
        assert (tmp_path / "s.csv").read_text() == whole


def test_other_columns_and_other_files_are_refused(tmp_path):
    with pytest.raises(ValueError, match="s.csv has the columns a, b, c; received a: move the file away"):
        filled(tmp_path / "s.csv").append(30, {"a": 1.0})
    for text in ("name,a\n1,2\n", "step,a\n1,2,3\n", "step,a\n1,x\n"):
        (tmp_path / "s.csv").write_text(text)
        with pytest.raises(ValueError, match="s.csv is damaged"):
            csv_series.Series(tmp_path / "s.csv", 0)


def test_a_file_that_cannot_be_read_now_is_not_damaged(tmp_path, monkeypatch):
    filled(tmp_path / "s.csv")

    def refuse(path, **kwargs):
        raise OSError(errno.EIO, "Input/output error", str(path))
    with monkeypatch.context() as patch:
        patch.setattr(pathlib.Path, "read_text", refuse)
        with pytest.raises(OSError, match="s.csv could not be read .Input/output error.; run the same command again"):
            csv_series.Series(tmp_path / "s.csv", 0)
    assert len(csv_series.read(tmp_path / "s.csv")) == 3
