"""An output folder that appears whole: written under a temporary name, then renamed."""

import contextlib
import os
import pathlib
import shutil

from dislib_plus import files, written_files
from dislib_plus.unfinished_folder import UnfinishedFolder


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
    files.make_folder(path.parent)
    with UnfinishedFolder(path.parent, f".{path.name}.") as unfinished:
        yield unfinished.path
        unfinished.finish()
        written_files.write_list(unfinished.path, "visualize")
        os.chmod(unfinished.path, 0o755)
        check_free(path, overwrite)
        if path.exists():
            shutil.rmtree(path)
        os.replace(unfinished.path, path)


def check_free(path, overwrite):
    """Raises ValueError when `folder` may not write to `path`."""
    path = pathlib.Path(path)
    if not path.exists() or path.is_dir() and not any(path.iterdir()):
        return
    if not path.is_dir():
        raise ValueError(f"output_dir must be a folder; {path} is a file.")
    if not overwrite:
        raise ValueError(f"output_dir {path} is not empty; choose another folder or pass --overwrite.")
    found = written_files.others(path, written_files.listed(path, "visualize"))
    if found:
        raise ValueError(f"output_dir {path} holds {written_files.told(found)}, which dislib_visualize did not write "
                         "and never removes; move it, or choose another folder.")
