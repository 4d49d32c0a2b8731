"""A folder that is being written. Its process holds a lock in it, by which what a killed process left is known."""

import contextlib
import fcntl
import glob
import pathlib
import shutil
import tempfile

_LOCK = ".being_written_by_dislib_plus"


class UnfinishedFolder:
    """A new folder `<parent>/<prefix>...`, which is removed with all in it when the with statement ends.

    Those of processes that have died are removed first.
    """

    def __init__(self, parent, prefix):
        """Args: parent: existing folder; prefix: beginning of the name."""
        remove_abandoned(parent, prefix)
        self.path, self._lock = _locked(parent, prefix)

    def finish(self):
        """Says that the folder is whole: nothing but what was written is in it, and it may be renamed."""
        (self.path / _LOCK).unlink()
        self._lock.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._lock.close()
        shutil.rmtree(self.path, ignore_errors=True)


def remove_abandoned(parent, prefix):
    """Removes the unfinished folders of processes that have died; on a file system without locks they stay."""
    for mark in pathlib.Path(parent).glob(f"{glob.escape(prefix)}*/{_LOCK}"):
        with contextlib.suppress(OSError), open(mark, "r+b") as stream:  # it is in use, somebody else's, or gone
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(mark.parent, ignore_errors=True)


def _locked(parent, prefix):
    """A new folder, and the open file of its lock."""
    while True:
        path = pathlib.Path(tempfile.mkdtemp(dir=parent, prefix=prefix))
        lock = open(path / _LOCK, "wb")  # pylint: disable=consider-using-with
        # Between these two lines another process may take the folder for abandoned.
        with contextlib.suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if (path / _LOCK).exists():
            return path, lock
        lock.close()
