"""dislib_download: fetches the public files of data sets."""

import difflib

from dislib_plus.cli import command, environment

_SUMMARY = """fetches the public files of data sets into the data folder.

  dislib_download cars3d shapes3d --data_dir=data

What is there already is not fetched again; what was interrupted goes on. `dislib_data list` shows the names."""


def _define(flags):
    flags.string("data_dir", None, "Folder of the data files; without it $DISENTANGLEMENT_LIB_DATA, else the working "
                 "directory.")
    flags.integer("attempts", 4, "Tries of each address.")


def _chosen(names, known):
    """The sources of the named data sets, each once, in the order given."""
    if not names:
        raise command.UsageError("name at least one data set; `dislib_data list` shows them.")
    chosen = []
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known) or sorted(known)
            raise command.UsageError(f"{name!r} is no data set with public files; the nearest are {', '.join(near)}.")
        if known[name] not in chosen:
            chosen.append(known[name])
    return chosen


def _act(flags):
    if flags.attempts < 1:
        raise command.UsageError(f"--attempts must be at least 1; received {flags.attempts}.")
    environment.prepare()
    with environment.quiet_imports():
        from dislib_plus.data import archives, data_root, download, sources
    chosen = _chosen(flags.operands, {name: source for source in sources.SOURCES for name in source.name.split()})
    failures = []
    for source in chosen:
        try:
            download.download(source, data_root(flags.data_dir), attempts=flags.attempts)
        except (OSError, archives.ArchiveError) as error:  # the other sets may be had all the same
            failures.append(str(error))
        else:
            names = source.name.replace(" ", ", ")
            print(f"{names}: ready in {data_root(flags.data_dir)} (licence: {source.licence}).")
    if failures:
        raise download.DownloadError(" ".join(failures))


def main(argv=None):
    """Runs the command; returns its exit code."""
    return command.run("dislib_download", _SUMMARY, _define, _act, argv, operands=True)
