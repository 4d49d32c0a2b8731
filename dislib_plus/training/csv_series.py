"""Curves of a run: rows of numbers by iteration, in a CSV file that an interrupted run goes on with."""

import csv
import os
import pathlib

from dislib_plus import files


class Series:
    """Rows (step, named numbers) of one CSV file, in the order of their steps.

    Rows after `last_step` are dropped: a resumed run makes them again. A line that a
    crash has cut short is dropped too; it lies after the last checkpoint.

    Args:
      path: file name, with the ending .csv.
      last_step: iterations that were finished before this process.

    Attributes:
      rows: list of (step, dict of floats).

    Raises:
      files.DamagedFile: the file does not hold such rows. OSError: it cannot be read.
    """

    def __init__(self, path, last_step):
        self.path = pathlib.Path(path)
        whole = read(self.path) if self.path.is_file() else []
        self.rows = [(step, values) for step, values in whole if step <= last_step]
        if self.path.is_file():
            self._rewrite()

    def append(self, step, values):
        """Adds a row; it is on the disk when this returns.

        Args:
          step: iteration, after that of the row before.
          values: dict of floats with the keys of every row.

        Raises:
          ValueError: other keys than those of the rows before.
        """
        if self.rows and list(values) != list(self.rows[0][1]):
            raise ValueError(f"{self.path} has the columns {', '.join(self.rows[0][1])}; received "
                             f"{', '.join(values)}: move the file away to start a new one.")
        self.rows.append((step, values))
        if len(self.rows) == 1:
            self._rewrite()
            return
        with open(self.path, "a", encoding="utf-8", newline="") as stream:
            csv.writer(stream, lineterminator="\n").writerow([step, *values.values()])
            stream.flush()
            os.fsync(stream.fileno())

    def _rewrite(self):
        with files.atomic_write(self.path) as stream:
            writer = csv.writer(stream, lineterminator="\n")
            if self.rows:
                writer.writerow(["step", *self.rows[0][1]])
            writer.writerows([step, *values.values()] for step, values in self.rows)


def read(path):
    """Rows of a series: list of (step, dict of floats); a last line without its end is left out.

    Raises:
      files.DamagedFile: the file does not hold a series. OSError: it cannot be read.
    """
    with files.reading(path, "move it away"):
        text = pathlib.Path(path).read_text(encoding="utf-8")
        lines = list(csv.reader(text[:text.rfind("\n") + 1].splitlines()))
        if not lines:
            return []
        head, *body = lines
        if head[0] != "step" or any(len(line) != len(head) for line in body):
            raise ValueError("its lines differ in length, or its first column is not 'step'")
        return [(int(line[0]), dict(zip(head[1:], map(float, line[1:])))) for line in body]
