"""Scores as one readable table."""

import sys

from rich.console import Console
from rich.table import Table

# A metric with more numbers than this shows the first ones and says how many more are in its files.
_SHOWN = 12
_HIDDEN = ("elapsed_time", "uuid", "num_images", "num_samples")


def console(stream=None):
    """Where tables are printed: standard output or the stream; 140 columns where it is no terminal."""
    stream = stream or sys.stdout
    return Console(file=stream, width=None if stream.isatty() else 140)


def show_scores(title, scores, stream=None):
    """Prints the scores of several metrics.

    Args:
      title: heading.
      scores: {metric: {key: value}}; lists and texts other than single words are left to the files.
      stream: where to; None: standard output.
    """
    table = Table(title=f"Scores of {title}", title_justify="left")
    table.add_column("metric")
    table.add_column("score")
    table.add_column("value", justify="right")
    table.add_column("seconds", justify="right")
    for metric, values in scores.items():
        rows = [(key, value) for key, value in values.items()
                if key not in _HIDDEN and isinstance(value, (int, float, str))]
        for number, (key, value) in enumerate(rows[:_SHOWN]):
            first = number == 0
            table.add_row(metric if first else "", key, _text(value), f"{values['elapsed_time']:.1f}" if first else "")
        if len(rows) > _SHOWN:
            table.add_row("", f"... {len(rows) - _SHOWN} more in evaluation_results.json", "", "")
        table.add_section()
    console(stream).print(table)


def _text(value):
    return f"{value:.5g}" if isinstance(value, float) else str(value)
