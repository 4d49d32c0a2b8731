"""The summary table that ends a command."""

import sys

from rich.console import Console
from rich.table import Table
from rich.text import Text


def show(title, rows, stream=None):
    """Prints a two-column table.

    Args:
      title: its heading.
      rows: dict of name -> number or text; None values are left out.
      stream: where to; None: stdout.
    """
    # Text, as strings would be read as rich's markup: "[x]" is not a style here.
    table = Table(title=Text(title, "table.title"), title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, value in rows.items():
        if value is not None:
            table.add_row(Text(str(name)), Text(f"{value:.5g}" if isinstance(value, float) else str(value)))
    Console(file=stream or sys.stdout).print(table)
