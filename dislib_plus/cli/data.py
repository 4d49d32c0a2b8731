"""dislib_data: which data sets there are, and what is in one."""

from dislib_plus.cli import command, environment, gin_setup

_SUMMARY = """shows the data sets.

  dislib_data list                  every data set, its files, whether they are here, size, licence
  dislib_data show cars3d           loads one and shows its images, factors and splits"""


def _define(flags):
    flags.string("data_dir", None, "Folder of the data files; without it $DISENTANGLEMENT_LIB_DATA, else the working "
                 "directory.")
    flags.strings("gin_bindings", "Gin bindings, such as toy_cars3d.num_objects=20, or 'import my_module' for data "
                  "sets of your own.")


def _list(data_dir):
    from rich.table import Table

    from dislib_plus.console import Console
    from dislib_plus.data import Source, data_root, names
    from dislib_plus.data.registry import find_source
    from dislib_plus.data.sources import state
    root = data_root(data_dir)
    table = Table(title=f"Data sets (data folder: {root})", title_justify="left")
    for heading in ("dataset.name", "here", "files", "size", "licence", "described at"):
        table.add_column(heading, overflow="fold")
    for name in names():
        source = find_source(name) or Source(note="none needed")
        files = "\n".join(pattern.partition(" or ")[0] for pattern in source.patterns)
        row = (name, state(source, root), files or source.note, source.size, source.licence, source.home)
        table.add_row(*row)
    Console(columns=160).print(table)


def _labels(labels):
    """Words for the labels of a data set: one class an image, or several attributes."""
    if labels is None:
        return None
    return f"{len(set(labels.tolist()))} classes" if labels.ndim == 1 else f"{labels.shape[1]} attributes"


def _show(name, data_dir):
    from dislib_plus.cli import tables
    from dislib_plus.data import Source, get_named_ground_truth_data
    from dislib_plus.data.registry import find_source
    data = get_named_ground_truth_data(name, data_dir)
    factors = ", ".join(f"{factor} {size}" for factor, size in zip(data.factor_names, data.factors_num_values))
    source = find_source(name.partition(":")[0]) or Source()
    tables.show(name, {"images": data.num_observations, "shape": "x".join(map(str, data.observation_shape)),
                       "factors": factors or "none", "labels": _labels(data.labels), "splits": ", ".join(data.splits),
                       "deterministic": "yes" if data.deterministic else "no, pixels carry fresh noise",
                       "licence": source.licence or None, "described at": source.home or None,
                       "to cite": source.citation or None})


def _act(flags):
    environment.prepare()
    environment.put_off_tensorflow()
    listing = flags.operands == ["list"]
    if not listing and (len(flags.operands) != 2 or flags.operands[0] != "show"):
        raise command.UsageError(f"say `list` or `show NAME`; received {' '.join(flags.operands) or 'nothing'}.")
    with gin_setup.bound(flags.gin_bindings):
        if listing:
            _list(flags.data_dir)
        else:
            _show(flags.operands[1], flags.data_dir)


def main(argv=None):
    """Runs the command; returns its exit code."""
    return command.run("dislib_data", _SUMMARY, _define, _act, argv, operands=True)
