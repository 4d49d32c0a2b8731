"""Files: atomic writes, damage told from errors of the file system, and the place of the shipped gin recipes."""

import contextlib
import errno
import hashlib
import lzma
import os
import pathlib
import re
import shutil
import stat
import struct
import sys
import tarfile
import tempfile
import tokenize
import zipfile
import zlib

from dislib_plus.sentences import brief

_UNFINISHED = re.compile(r"\.(.+)\.\w{8}\.part(?:\.\w+)?")
_PLAIN_NAME, _LONGEST_NAME = re.compile(r"\w(?:[\w.+ -]*[\w+-])?"), 100
_FULL = (errno.ENOSPC, errno.EDQUOT)
# A network file system's hiccups, and too many open files or too little memory of the moment.
_PASSING = (errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM)
_REMEDIES = {
    **dict.fromkeys(_PASSING, "run the same command again"),
    **dict.fromkeys(_FULL, "make room and run the same command again"),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "get permission there or choose another folder"),
    **dict.fromkeys((errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENOTEMPTY),
                    "a file or folder is in the way: move it or choose another name"),
    errno.ENAMETOOLONG: "choose a shorter name",
}
# What reading changed or missing bytes raises in the readers of zip, tar, gzip, NumPy, HDF5, JSON and pictures. An
# OSError belongs to it only where it comes from the reader, as gzip.BadGzipFile does, and not from the system.
_DAMAGE = (ValueError, TypeError, LookupError, AttributeError, RuntimeError, ArithmeticError, SyntaxError, EOFError,
           OSError, zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, struct.error, tokenize.TokenError)
_READ_REMEDIES = {
    **dict.fromkeys((errno.EACCES, errno.EPERM), "get permission to read it"),
    **dict.fromkeys((errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG), "give the name of a file"),
}


class DamagedFile(ValueError):
    """The bytes of a file are proven wrong. `reason` says how, without the file's name."""

    def __init__(self, path, reason, remedy="put back a copy of it"):
        super().__init__(f"{path} is damaged ({reason}); {remedy}.")
        self.reason = reason


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
        if error.filename in (temporary, str(path)) or error.filename is None and error.errno is not None:
            raise write_error(path, error) from error
        raise
    finally:
        with contextlib.suppress(OSError):  # the error before is the one to tell
            os.remove(temporary)


def _temporary(path, suffix):
    try:
        make_folder(path.parent)
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


@contextlib.contextmanager
def reading(path, remedy="put back a copy of it"):
    """Tells a damaged file from one that cannot be read now: whatever a reader raises in the block becomes one of two.

    Args:
      path: the file that the block reads.
      remedy: what to do about damage, the end of the sentence.

    Raises:
      DamagedFile: the bytes are wrong, or `path` is a pipe, a device or a folder, so that nothing was opened.
      OSError: the system refused (no such file, no permission, a passing error of a network file system, no memory);
        of the same type, a sentence; nothing is known about the bytes.
    """
    mode = _mode(path)
    if mode and not stat.S_ISREG(mode):
        raise DamagedFile(path, "it is a folder, a pipe or a device and must be a file", remedy)
    before = sys.exc_info()[1]
    try:
        yield
    except DamagedFile:
        raise
    except MemoryError as error:
        raise OSError(f"{path} could not be read (there is not enough memory for it); run the command where there "
                      "is more.") from error
    except _DAMAGE as error:
        refused = _refusal_of_system(error, before)
        if refused is None:
            raise DamagedFile(path, _reason(error), remedy) from error
        if refused.errno is None:
            raise
        raise read_error(path, refused) from error


def _refusal_of_system(error, before):
    """The OSError by which the system refused to read, among the causes of an error; None: the bytes are to blame."""
    while error is not None and error is not before:
        # zipfile, for one, turns an input/output error into "not a zip file".
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):  # invalid: an offset in the file
            return error
        if isinstance(error, (FileNotFoundError, PermissionError)) or isinstance(error.__cause__, MemoryError):
            return error  # said already
        error = error.__cause__ or error.__context__
    return None


def _reason(error):
    text = brief(str(error)).rstrip(".")
    if text and not isinstance(error, LookupError):
        return text
    return f"{type(error).__name__}: {text or 'no more is known'}"


def is_file(path):
    """Whether a path is a file; an error of the system, which `os.path.isfile` takes for a no, is raised."""
    return stat.S_ISREG(_mode(path))


def is_folder(path):
    """Whether a path is a folder; see `is_file`."""
    return stat.S_ISDIR(_mode(path))


def make_folder(path):
    """Makes a folder and those above it, unless they are there; see `is_file` of what the system refuses."""
    try:
        os.makedirs(path, exist_ok=True)
    except FileExistsError:  # perhaps only because whether it is a folder could not be seen
        if not is_folder(path):
            raise


def below(folder):
    """Every file and link below a folder, as paths relative to it in the order of the system; links are not followed.

    Raises:
      OSError: a folder cannot be listed, which `os.walk` and `glob` take for an empty one.
    """
    found = []
    for parent, folders, names in os.walk(folder, onerror=_refused):
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        found += [pathlib.Path(os.path.relpath(os.path.join(parent, name), folder)) for name in names + links]
    return found


def _refused(error):
    if not isinstance(error, (FileNotFoundError, NotADirectoryError)):
        raise read_error(error.filename, error) from error


def _mode(path):
    try:
        return os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):  # the last: no path can be so
        return 0
    except OSError as error:
        raise read_error(path, error) from error


def check_zip(path):
    """Reads a zip archive whole; raises zipfile.BadZipFile unless its bytes are as they were written."""
    with zipfile.ZipFile(path) as archive:
        changed = archive.testzip()
    if changed is not None:
        raise zipfile.BadZipFile(f"bytes of {changed} are changed")


def read_error(path, error):
    """An OSError of the same type whose message says that `path` could not be read, why, and what to do."""
    remedy = _READ_REMEDIES.get(error.errno, "run the same command again")
    return type(error)(f"{path} could not be read ({os.strerror(error.errno)}); {remedy}.")


def remove(path):
    """Removes a file, a link or a folder with all below it; where nothing is there, nothing happens."""
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


def file_name(text):
    """The name of a file or folder that is called after any text: it never leads out of the folder that it is put in.

    Letters, digits and "_-+. " in a text of at most 100 bytes stay as they are, where the first is a letter, a digit or
    "_". In any other text everything else becomes "_", and a digest tells it from the texts that look alike then.
    """
    if _PLAIN_NAME.fullmatch(text) and len(text.encode()) <= _LONGEST_NAME:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{re.sub('[^A-Za-z0-9_-]', '_', text)[:_LONGEST_NAME - 20]}-{digest}".lstrip("-")


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
