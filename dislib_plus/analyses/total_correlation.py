"""The total correlation experiment as files: table.csv, table.md, table.json and total_correlation.png."""

import csv
import json
import pathlib

from dislib_plus import files
from dislib_plus.visualize import total_correlation as picture

_HEADINGS = ("D", "rho", "exact (nats)", "discriminator (nats)", "relative error", "paper (nats)")


def write(folder, rows):
    """Writes the four files.

    Args:
      folder: made if needed.
      rows: what `evaluation.total_correlation_experiment` returns.
    """
    folder = pathlib.Path(folder)
    with files.atomic_write(folder / "table.csv") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    with files.atomic_write(folder / "table.json") as stream:
        json.dump(rows, stream, indent=2)
    with files.atomic_write(folder / "table.md") as stream:
        stream.write(markdown(rows))
    picture.chart(rows, folder / "total_correlation.png")


def cells(row):
    """One row of the table as texts."""
    spread = f" ± {row['standard_deviation']:.2f}" if row["num_repeats"] > 1 else ""
    published = "" if row["published"] is None else f"{row['published']:.2f}"
    return (str(row["dimensions"]), f"{row['correlation']:g}", f"{row['exact']:.2f}", f"{row['estimated']:.2f}{spread}",
            f"{row['relative_error']:.2f}", published)


def markdown(rows):
    """The table as Markdown."""
    lines = [_HEADINGS, ("---:",) * len(_HEADINGS), *map(cells, rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
