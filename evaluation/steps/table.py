"""Scores as one readable table."""

import re

from rich.table import Table

from dislib_plus.console import Console

# A metric with more numbers than this shows the first ones and says how many more are in its files.
_SHOWN = 12
# Scores of single factors, codes and groups stay in the files.
DETAIL = re.compile(r"(?:factor|code|pred|sens|group|merge|latent)_?\d")
# Bookkeeping, and a number of disentanglement_lib that is not what its name says; they stay in the files too.
HIDDEN = ("elapsed_time", "uuid", "num_images", "num_samples", "num_active_dims")


def console(stream=None):
    """Where tables of scores are printed: standard output or the stream; 140 columns where it is not a terminal."""
    return Console(stream, 140)


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
        all_rows = [(key, value) for key, value in values.items()
                    if key not in HIDDEN and isinstance(value, (int, float, str))]
        rows = [row for row in all_rows if not DETAIL.search(row[0])] or all_rows
        for number, (key, value) in enumerate(rows[:_SHOWN]):
            first = number == 0
            seconds = f"{values['elapsed_time']:.1f}" if first else ""
            table.add_row(metric if first else "", key, _text(value), seconds)
        hidden = len(all_rows) - min(len(rows), _SHOWN)
        if hidden:
            table.add_row("", f"... {hidden} more in evaluation_results.json", "", "")
        table.add_section()
    console(stream).print(table)


def _text(value):
    return f"{value:.5g}" if isinstance(value, float) else str(value)
