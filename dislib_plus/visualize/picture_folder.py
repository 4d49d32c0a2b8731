"""An output folder that appears whole: written under a temporary name, then renamed."""

import contextlib
import glob
import os
import pathlib
import shutil
import tempfile

MARK = ".made_by_dislib_visualize"


@contextlib.contextmanager
def folder(path, overwrite=False):
    """A temporary folder that becomes `path` when the block ends without an error.

    Args:
      path: the final folder; it must not exist, be empty, or (with `overwrite`) have been made here.
      overwrite: replace such a folder.

    Yields:
      pathlib.Path to write to.

    Raises:
      ValueError: a folder or file is in the way.
    """
    path = pathlib.Path(path)
    check_free(path, overwrite)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_unfinished(path)
    temporary = pathlib.Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        (temporary / MARK).touch()
        yield temporary
        os.chmod(temporary, 0o755)
        if path.exists():
            shutil.rmtree(path)
        os.replace(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _remove_unfinished(path):
    """Removes what a killed process was writing beside `path`."""
    for mark in path.parent.glob(f".{glob.escape(path.name)}.????????/{MARK}"):
        shutil.rmtree(mark.parent)


def check_free(path, overwrite):
    """Raises ValueError when `folder` may not write to `path`."""
    path = pathlib.Path(path)
    if not path.exists() or path.is_dir() and not any(path.iterdir()):
        return
    if not path.is_dir():
        raise ValueError(f"output_dir must be a folder; {path} is a file.")
    if not overwrite:
        raise ValueError(f"output_dir {path} is not empty; choose another folder or pass --overwrite.")
    if not (path / MARK).exists():
        raise ValueError(f"output_dir {path} holds files that dislib_visualize did not write, so --overwrite leaves it "
                         "alone; choose another folder.")
