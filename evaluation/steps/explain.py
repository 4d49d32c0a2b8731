"""What the numbers of metrics mean, as a table."""

from rich.table import Table

from dislib_plus import configuration

from ..metrics import meanings
from . import bound_metric
from .metric_files import preset_file
from .table import console


def explained(names):
    """[metric, key or pattern, meaning] of every number of the shipped metrics of these names, as texts."""
    rows = []
    for name in names:
        with configuration.configured([preset_file(name)]):
            reference = bound_metric.configured_name()
        rows += [[name, key, str(meaning)] for key, meaning in meanings.OF_METRIC[reference].items()]
    return rows


def show(names, stream=None):
    """Prints what the numbers of the shipped metrics of these names mean, and what they have in common."""
    table = Table(title="What the numbers mean ({...} stands for any text)", title_justify="left")
    for heading in ("metric", "key", "meaning"):
        table.add_column(heading, overflow="fold")
    last = None
    for name, key, text in [*explained(names), *(["many", key, str(each)] for key, each in meanings.COMMON.items())]:
        if name != last:
            table.add_section()
        table.add_row(name if name != last else "", key, text)
        last = name
    console(stream).print(table)
