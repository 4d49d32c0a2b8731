"""Files: atomic writes, errors of the file system as sentences, and the place of the shipped gin recipes."""

import contextlib
import errno
import os
import pathlib
import re
import shutil
import tempfile

_UNFINISHED = re.compile(r"\.(.+)\.\w{8}\.part(?:\.\w+)?")
_FULL = (errno.ENOSPC, errno.EDQUOT)
_REMEDIES = {
    **dict.fromkeys(_FULL, "make room and run the same command again"),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "get permission there or choose another folder"),
    **dict.fromkeys((errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENOTEMPTY),
                    "a file or folder is in the way: move it or choose another name"),
    errno.ENAMETOOLONG: "choose a shorter name",
}


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

    Raises:
      OSError: the file cannot be written; a sentence that names it and what to do.
    """
    path = pathlib.Path(path)
    temporary = _temporary(path, suffix)
    try:
        yield temporary
        _publish(temporary, path)
    except OSError as error:
        # Other files that the block uses are not ours to explain.
        if error.filename in (temporary, str(path)) or error.filename is None and error.errno in (*_FULL, errno.EIO):
            raise write_error(path, error) from error
        raise
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)


def _temporary(path, suffix):
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part" + suffix)
    except OSError as error:
        raise write_error(path, error) from error
    os.close(handle)
    return temporary


def _publish(temporary, path):
    with open(temporary, "rb") as written:
        os.fsync(written.fileno())
    umask = os.umask(0)
    os.umask(umask)
    os.chmod(temporary, 0o666 & ~umask)
    os.replace(temporary, path)


def unfinished(path):
    """Name of the file that a temporary file of `atomic_path` was to become; None for any other file."""
    match = _UNFINISHED.fullmatch(pathlib.Path(path).name)
    return match and match.group(1)


def write_error(path, error):
    """An OSError of the same type whose message says that `path` could not be written, why, and what to do."""
    remedy = _REMEDIES.get(error.errno, "choose another folder")
    return type(error)(f"{path} could not be written ({error.strerror or error}); {remedy}.")


def sentence(error):
    """The message of an OSError; where the system wrote it, as a sentence that names the file and what to do."""
    if isinstance(error, shutil.Error):
        _, path, reason = error.args[0][0]
        return f"{path} could not be written ({reason}); make room or choose another folder."
    if error.errno is None:
        return str(error)
    path = error.filename2 or error.filename or "a file"
    remedy = _REMEDIES.get(error.errno)
    return f"{path} could not be used ({error.strerror}){f'; {remedy}' if remedy else ''}."


def remove(path):
    """Removes a file, a link or a folder with all below it; nothing there is no error."""
    path = pathlib.Path(path)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


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
