"""What the numbers of metrics mean, as a table."""

from rich.table import Table

from dislib_plus import configuration

from ..metrics import meanings
from . import bound_metric
from .metric_files import own_names, preset_file
from .table import console


def explained(names):
    """[metric, key or pattern, meaning] of every number of the shipped metrics of these names, as texts."""
    rows = []
    for name in own_names(names):
        with configuration.configured([preset_file(name)]):
            reference = bound_metric.configured_name()
        rows += [[name, key, str(meaning)] for key, meaning in meanings.OF_METRIC[reference].items()]
    return rows


def shared():
    """The same of the numbers that many metrics have."""
    return [["many", key, str(meaning)] for key, meaning in meanings.COMMON.items()]


def show(rows, what, stream=None):
    """Prints rows of [what has the number, key or pattern, meaning]; `what` is the heading of the first."""
    table = Table(title="What the numbers mean ({...} stands for any text)", title_justify="left")
    for heading in (what, "key", "meaning"):
        table.add_column(heading, overflow="fold")
    last = None
    for name, key, text in rows:
        if name != last:
            table.add_section()
        table.add_row(name if name != last else "", key, text)
        last = name
    console(stream).print(table)
