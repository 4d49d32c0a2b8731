"""Files: atomic writes and the place of the shipped gin recipes."""

import contextlib
import os
import pathlib
import tempfile


@contextlib.contextmanager
def atomic_path(path, suffix=""):
    """A temporary path beside `path` that becomes `path` when the block ends without an error.

    A reader sees the old file or the new one, never a half-written one; on an
    error the temporary file is removed and `path` is untouched.

    Args:
      path: the final file name; its folder is made if needed.
      suffix: ending of the temporary name, for writers that look at it.

    Yields:
      The temporary file name (str).
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=suffix or ".part")
    os.close(handle)
    try:
        yield temporary
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)


@contextlib.contextmanager
def atomic_write(path, mode="w"):
    """Opens a file for writing that appears under `path` only when it is whole."""
    encoding = None if "b" in mode else "utf-8"
    with atomic_path(path) as temporary:
        with open(temporary, mode, encoding=encoding) as stream:
            yield stream


def config_root():
    """Folder of the gin recipes: inside an installed package, or beside the package in a checkout.

    Raises:
      FileNotFoundError: neither place has the recipes.
    """
    package = pathlib.Path(__file__).resolve().parent
    for folder in (package / "recipes", package.parent / "gin"):
        if (folder / "quickstart.gin").is_file():
            return folder
    raise FileNotFoundError(
        f"The gin recipes are neither in {package / 'recipes'} nor in {package.parent / 'gin'}; "
        "reinstall dislib-plus, or pass the full path of a gin file.")
