"""Unpacking archives from elsewhere: nothing lands outside the target, and nothing half-unpacked stays.

Refused are absolute names, names that climb out with "..", links, devices,
encrypted members, and archives that unpack to too many files or bytes.
"""

import bz2
import contextlib
import gzip
import lzma
import os
import pathlib
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib

from dislib_plus.files import atomic_path

MOST_MEMBERS = 500_000
MOST_GROWTH = 200
FREE_BYTES = 2 ** 30
LARGEST_ZIP_DIRECTORY = 2 ** 26
_CHUNK, _ZIP_TAIL, _LONGEST_NAME = 1 << 20, 1 << 17, 255
_DAMAGE = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, gzip.BadGzipFile, EOFError,
           NotImplementedError)


class ArchiveError(ValueError):
    """The archive is damaged, or unpacking it would not be safe."""


class _Budget:
    """Counts members and bytes of one archive against what an honest archive of its size can hold."""

    def __init__(self, archive):
        self.archive, self.members = archive, 0
        self.left = MOST_GROWTH * archive.stat().st_size + FREE_BYTES

    def member(self):
        """Counts one member."""
        self.members += 1
        if self.members > MOST_MEMBERS:
            raise ArchiveError(f"The archive {self.archive} has more than {MOST_MEMBERS} members, which no known data "
                               "set has; it was not unpacked.")

    def spend(self, size):
        """Counts unpacked bytes."""
        self.left -= size
        if self.left < 0:
            raise ArchiveError(f"The archive {self.archive} unpacks to more than {MOST_GROWTH} times its size; "
                               "it was not unpacked.")

    def copy(self, source, target):
        """Copies a stream to a new file, chunk by chunk."""
        with open(target, "xb") as stream:
            while chunk := source.read(_CHUNK):
                self.spend(len(chunk))
                stream.write(chunk)


def _checked_name(archive, name):
    """The member's name as path parts; refuses names that could leave the target on any system."""
    windows = pathlib.PureWindowsPath(name)
    if windows.drive or windows.root or ".." in windows.parts or "\0" in name:
        raise ArchiveError(f"The archive {archive} has a member {name!r} that would land outside the target folder; "
                           "it was not unpacked.")
    if len(name.encode(errors="replace")) > _LONGEST_NAME:
        raise ArchiveError(f"The archive {archive} has a member with a name of more than {_LONGEST_NAME} bytes, "
                           f"{name[:40]!r}...; it was not unpacked.")
    return pathlib.PurePosixPath(name)


def _decompressed(archive):
    """The tar stream inside, by modules that check their checksums (tarfile's own streams do not)."""
    with open(archive, "rb") as stream:
        magic = stream.read(6)
    for beginning, opener in ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ\0", lzma.open)):
        if magic.startswith(beginning):
            return opener(archive)
    return open(archive, "rb")


def _tar_members(archive):
    with _decompressed(archive) as stream:
        yield from _tar_stream_members(archive, stream)
        while stream.read(_CHUNK):  # to the end, where the checksum is
            pass


class _Header(tarfile.TarInfo):
    """The head of a member; a missing or damaged one is an error where tarfile takes all but the first for the end."""

    @classmethod
    def fromtarfile(cls, tar):
        try:
            return super().fromtarfile(tar)
        except tarfile.EOFHeaderError:  # the block of zeros at the end
            raise
        except tarfile.HeaderError as error:
            raise EOFError(f"the head of a member is missing or damaged: {error}") from error


def _tar_stream_members(archive, stream):
    with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Header) as content:
        for member in content:
            content.members.clear()  # tarfile keeps every member, which makes millions of them fill the memory
            if member.isdir():
                yield member.name, 0, None
            elif member.isreg():
                yield member.name, member.size, content.extractfile(member)
            else:
                raise ArchiveError(f"The archive {archive} has a link or device {member.name!r}; it was not unpacked.")


def _zip_directory_size(archive):
    """Bytes of a zip file's list of members, which the zipfile module reads at once."""
    with open(archive, "rb") as stream:
        stream.seek(max(0, archive.stat().st_size - _ZIP_TAIL))
        tail = stream.read()
    end, end64 = tail.rfind(b"PK\5\6"), tail.rfind(b"PK\6\6")
    if end < 0 or end + 16 > len(tail):
        raise zipfile.BadZipFile("its list of members is missing")
    size = int.from_bytes(tail[end + 12:end + 16], "little")
    return int.from_bytes(tail[end64 + 40:end64 + 48], "little") if size == 0xFFFFFFFF and end64 >= 0 else size


def _zip_members(archive):
    if _zip_directory_size(archive) > LARGEST_ZIP_DIRECTORY:
        raise ArchiveError(f"The archive {archive} has more than {MOST_MEMBERS} members, which no known data set has; "
                           "it was not unpacked.")
    with zipfile.ZipFile(archive) as content:
        for member in content.infolist():
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise ArchiveError(f"The archive {archive} has a link or device {member.filename!r}; "
                                   "it was not unpacked.")
            if member.flag_bits & 1:
                raise ArchiveError(f"The archive {archive} is encrypted; it was not unpacked.")
            if member.is_dir():
                yield member.filename, 0, None
            else:
                with content.open(member) as stream:
                    yield member.filename, member.file_size, stream


def _wanted(path, prefixes):
    for prefix, folder in prefixes.items():
        with contextlib.suppress(ValueError):
            return pathlib.PurePosixPath(folder) / path.relative_to(prefix)
    return None


def _unpack_into(archive, prefixes, folder):
    with open(archive, "rb") as stream:
        is_zip = stream.read(2) == b"PK"
    budget = _Budget(archive)
    for name, size, stream in (_zip_members if is_zip else _tar_members)(archive):
        budget.member()
        place = _wanted(_checked_name(archive, name), prefixes)
        if place is None or stream is None:
            budget.spend(size)
            continue
        target = folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        budget.copy(stream, target)


def unpack(archive, target, prefixes):
    """Unpacks parts of a tar (plain, gzip, bzip2, xz) or zip archive.

    Everything is written to a hidden folder first; the folders named in
    `prefixes` appear under the target only when all of the archive was read.

    Args:
      archive: file name.
      target: existing folder.
      prefixes: {folder inside the archive ("" for all of it): new folder below the target}.

    Returns:
      The new folders.

    Raises:
      ArchiveError: unsafe or damaged archive, or nothing of it is wanted.
      FileExistsError: one of the new folders exists already.
    """
    archive, target = pathlib.Path(archive), pathlib.Path(target)
    places = [target / folder for folder in prefixes.values()]
    for place in places:
        if place.exists():
            raise FileExistsError(f"{place} exists already; move it away to unpack {archive} again.")
    with tempfile.TemporaryDirectory(dir=target, prefix=".unpacking-") as hidden:
        hidden = pathlib.Path(hidden)
        try:
            _unpack_into(archive, prefixes, hidden)
        except _DAMAGE as error:
            raise ArchiveError(f"The archive {archive} is truncated or damaged ({error}); delete it and download it "
                               "again.") from error
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise ArchiveError(f"The archive {archive} names one file twice ({error.filename}); "
                               "it was not unpacked.") from error
        except OSError as error:
            if error.errno is not None:
                raise
            raise ArchiveError(f"The archive {archive} is truncated or damaged ({error}); delete it and download it "
                               "again.") from error  # how bz2 says so
        for folder in prefixes.values():
            if not (hidden / folder).is_dir():
                raise ArchiveError(f"The archive {archive} has nothing to put into {target / folder}; is it the right "
                                   "one?")
        for folder, place in zip(prefixes.values(), places):
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(hidden / folder, place)
    return places


def gunzip(archive, target):
    """Unpacks one gzip file into the file `target`, which appears when it is whole.

    Raises:
      ArchiveError: the file is damaged or unpacks to too much.
    """
    archive = pathlib.Path(archive)
    with atomic_path(target) as temporary:
        pathlib.Path(temporary).unlink()
        try:
            with gzip.open(archive) as stream:
                _Budget(archive).copy(stream, temporary)
            if not os.path.getsize(temporary):
                raise EOFError("it has no content")
        except _DAMAGE as error:
            raise ArchiveError(f"The file {archive} is truncated or damaged ({error}); delete it and download it "
                               "again.") from error
