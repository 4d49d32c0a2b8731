"""dislib_download: fetches the public files of data sets."""

from dislib_plus import sentences
from dislib_plus.cli import command, environment, gin_setup

_SUMMARY = """fetches the public files of data sets into the data folder.

  dislib_download cars3d shapes3d --data_dir=data

What is there already is not fetched again; what was interrupted goes on. `dislib_data list` shows the names."""


def _define(flags):
    flags.string("data_dir", None, "Folder of the data files; without it $DISENTANGLEMENT_LIB_DATA, else the working "
                 "directory.")
    flags.integer("attempts", 4, "Tries of each address.")
    flags.strings("gin_bindings", "'import my_module' for data sets of your own.")


def _chosen(names, known):
    """The names of data sets, each once, in the order given."""
    if not names:
        raise command.UsageError("name at least one data set; `dislib_data list` shows them.")
    chosen = []
    for name in names:
        if name not in known:
            near = sentences.nearest(name, known) or sorted(known)
            raise command.UsageError(f"{sentences.quoted(name)} is not a data set with public files; the nearest are "
                                     f"{', '.join(near)}.")
        if name not in chosen:
            chosen.append(name)
    return chosen


def _act(flags):
    if flags.attempts < 1:
        raise command.UsageError(f"--attempts must be at least 1; received {flags.attempts}.")
    environment.prepare()
    environment.put_off_tensorflow()
    from dislib_plus.data import archives, data_root, download, registry
    with gin_setup.bound(flags.gin_bindings):
        sources = {name: registry.find_source(name) for name in registry.names()}
    known = [name for name, source in sources.items() if source and source.files]
    failures = []
    for name in _chosen(flags.operands, known):
        try:
            download.download(name, sources[name], data_root(flags.data_dir), attempts=flags.attempts)
        except (OSError, archives.ArchiveError) as error:  # the other sets may be had all the same
            failures.append(str(error))
        else:
            print(f"{name}: ready in {data_root(flags.data_dir)} (licence: {sources[name].licence}).")
    if failures:
        raise download.DownloadError(" ".join(failures))


def main(argv=None):
    """Runs the command; returns its exit code."""
    return command.run("dislib_download", _SUMMARY, _define, _act, argv, operands=True)
