"""Where the files of a data set are, declared in its own file, and the sentences for missing and damaged ones."""

import contextlib
import dataclasses
import pathlib

from dislib_plus import files
from dislib_plus.data.registry import find_source


@dataclasses.dataclass(frozen=True)
class Remote:
    """One file to fetch.

    Attributes:
      path: where it belongs, relative to the data folder.
      urls: addresses of the same bytes, tried in order.
      checksum: "md5:..." or "sha256:..." of the bytes, or None where none is published.
      unpack: for an archive, {folder inside it: new folder below the data folder}; "gunzip" for one packed file,
        `path` then being the unpacked one. The archive itself is removed afterwards.
    """

    path: str
    urls: tuple
    checksum: str = None
    unpack: object = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """Where a data set comes from: `register(name, source=Source(...))`.

    Attributes:
      files: Remotes to fetch; empty where nothing can be fetched.
      size: of everything to fetch, for people.
      home: page that describes the data.
      licence: as its authors state it, or "not stated".
      citation: what to cite.
      here: file patterns below the data folder that exist once the data are here, where they are not the paths of
        `files`; " or " stands between places of one file.
      system: folder where a Linux distribution's package installs the files, or None.
      note: a few words in place of files, such as "your own".
    """

    files: tuple = ()
    size: str = ""
    home: str = ""
    licence: str = ""
    citation: str = ""
    here: tuple = ()
    system: str = None
    note: str = ""

    @property
    def patterns(self):
        """`here`, or the paths of the files."""
        return self.here or tuple(file.path for file in self.files)


def missing_files(name, what, place):
    """The FileNotFoundError for missing files, to be raised by a loader.

    Args:
      name: data set.
      what: the file name, or words for several.
      place: path where it is expected.
    """
    source = find_source(name)
    if source is None or not source.files:
        home = f" They are described at {source.home}." if source and source.home else ""
        return FileNotFoundError(f"Data set {name!r} needs {what} in {place}, which is not there.{home}")
    return FileNotFoundError(
        f"Data set {name!r} needs {what} in {place}, which is not there; run `dislib_download {name}` with the same "
        f"--data_dir, or fetch {_by_hand(source, name, what, pathlib.Path(place))} (described at {source.home}).")


def _by_hand(source, name, what, place):
    """Where the missing file is to be had and what to do with it: the file of that name, else the archive."""
    file = next((file for file in source.files if pathlib.Path(file.path).name == what), source.files[0])
    addresses = f"{' or '.join(file.urls)} by hand"
    if file.unpack == "gunzip":
        return f"{addresses}, unpack it with gunzip and put it there"
    if not file.unpack:
        return f"{addresses} and put it there"
    depth = len(pathlib.Path(next(iter(file.unpack.values()))).parts)
    return (f"{addresses}, put it into {place.parents[depth - 1]} as {file.path} and run `dislib_download {name}` "
            "again, which unpacks it")


@contextlib.contextmanager
def readable(name, path):
    """The block reads a file of a data set; yields its path.

    Raises:
      FileNotFoundError: see `missing_files`.
      files.DamagedFile, OSError: see `files.reading`.
    """
    path = pathlib.Path(path)
    if not path.exists():
        raise missing_files(name, path.name, path)
    with files.reading(path, remedy(name, path)):
        yield path


def broken_file(name, path, problem):
    """The ValueError for a file that is whole but not the one that a data set needs.

    Args:
      name: data set.
      path: the file.
      problem: what is wrong with it, the end of a sentence that begins "the file ... ".
    """
    return ValueError(f"Data set {name!r}: the file {path} {problem}; {remedy(name, path)}.")


def remedy(name, path):
    """What to do about a wrong file of a data set, the end of a sentence."""
    source = find_source(name)
    home = f" (described at {source.home})" if source and source.home else ""
    return f"put a fresh copy in {pathlib.Path(path).parent}{home}"


def found(pattern, data_dir):
    """Whether a file of a pattern of `Source.patterns` is below the data folder."""
    return any(path for part in pattern.split(" or ") for path in pathlib.Path(data_dir).glob(part))


def state(source, data_dir):
    """Words for which of a data set's files are below the data folder, or installed by the system."""
    here = [found(pattern, data_dir) for pattern in source.patterns]
    if not here:
        return ""
    if not all(here) and source.system and pathlib.Path(source.system).is_dir():
        return f"in {source.system}"
    return "here" if all(here) else "partly here" if any(here) else "not here"
