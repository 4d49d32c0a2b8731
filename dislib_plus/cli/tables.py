"""The summary table that ends a command."""

from rich.table import Table

from dislib_plus.console import Console


def show(title, rows, stream=None):
    """Prints a two-column table.

    Args:
      title: its heading.
      rows: dict of name -> number or text; None values are left out.
      stream: where to; None: stdout.
    """
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, value in rows.items():
        if value is not None:
            table.add_row(str(name), f"{value:.5g}" if isinstance(value, float) else str(value))
    Console(stream).print(table)
