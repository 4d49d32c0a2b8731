"""Fetching public files: progress, resume, retries, mirrors, checksums, safe unpacking.

A file grows as `NAME.part` and gets its name only when it is whole and its
checksum is right, so a download that stopped half-way is never taken for whole.
"""

import hashlib
import http.client
import os
import pathlib
import shutil
import tarfile
import time
import urllib.error
import urllib.request

import tqdm

from dislib_plus.data import sources
from dislib_plus.data.archives import gunzip, unpack

_CHUNK = 1 << 18
_BROKEN = (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError)
_BEGINNINGS = {".npz": b"PK", ".zip": b"PK", ".gz": b"\x1f\x8b", ".jpg": b"\xff\xd8\xff", ".h5": b"\x89HDF\r\n\x1a\n"}


class DownloadError(OSError):
    """A file could not be had from any of its addresses."""


def checksum_of(path, algorithm):
    """Hexadecimal digest of a file; algorithm: a name hashlib knows."""
    digest = hashlib.new(algorithm)
    with open(path, "rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


class _WrongBytes(ConnectionError):
    """All bytes came in one go and are not those of the file, so another try is of no use."""


def _problem(path, name, checksum):
    """What is wrong with the bytes at `path` as the file called `name`, in words; None where nothing is known to be."""
    if checksum:
        algorithm, _, expected = checksum.partition(":")
        digest = checksum_of(path, algorithm)
        return None if digest == expected else f"its {algorithm} checksum is {digest}, not {expected}"
    if not path.stat().st_size:
        return "it is empty"
    ending = pathlib.Path(name).suffix
    with open(path, "rb") as stream:
        begins = stream.read(16).startswith(_BEGINNINGS.get(ending, b""))
    return None if begins and (ending != ".tar" or tarfile.is_tarfile(path)) else f"it is not a {ending} file"


class _Part:
    """The growing file, and beside it the address and version of the bytes that it holds."""

    def __init__(self, path):
        self.path = path.with_name(path.name + ".part")
        self.note = path.with_name(path.name + ".part.from")

    def size(self):
        return self.path.stat().st_size if self.path.exists() else 0

    def version(self, url):
        """The server's version of the bytes fetched from this address so far, or "" where it is not known."""
        lines = self.note.read_text(errors="replace").splitlines() if self.note.exists() else []
        return lines[1] if len(lines) == 2 and lines[0] == url else ""

    def begin(self, url, headers):
        self.path.unlink(missing_ok=True)
        version = headers.get("ETag") or headers.get("Last-Modified") or ""
        self.note.write_text(f"{url}\n{'' if version.startswith('W/') else version}")

    def remove(self):
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)


def _request(url, part):
    """The request for what is missing; all of it where the version of the part is not known."""
    headers = {"User-Agent": "dislib-plus", "Accept-Encoding": "identity"}
    if part.size() and part.version(url):
        headers |= {"Range": f"bytes={part.size()}-", "If-Range": part.version(url)}
    return urllib.request.Request(url, headers=headers)


def _length(answer, checksum):
    """Bytes that an answer announces, or None; raises where then nothing could tell a whole file from another."""
    length = answer.headers.get("Content-Length") or ""
    if not checksum:
        if answer.headers.get_content_type() == "text/html":
            raise _WrongBytes("the server sent a web page")
        if not length.isdigit() and not answer.chunked:
            raise _WrongBytes("the server does not say how long the file is")
    return int(length) if length.isdigit() else None


def _fetch(url, part, checksum, timeout, progress):
    """One attempt: makes the part whole, or raises and leaves what came. Returns where it started."""
    with urllib.request.urlopen(_request(url, part), timeout=timeout) as answer:
        start = part.size() if answer.status == 206 else 0
        if answer.status == 206 and not answer.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            part.remove()
            raise ConnectionError(f"the server answered with the range {answer.headers.get('Content-Range')!r}")
        length = _length(answer, checksum)
        if not start:
            part.begin(url, answer.headers)
        total = None if length is None else start + length
        if total and shutil.disk_usage(part.path.parent).free < total - start:
            raise DownloadError(f"{part.path.parent} has less than the {total - start} bytes free that {url} needs; "
                                "free some space or choose another --data_dir.")
        bar = tqdm.tqdm(total=total, initial=start, unit="B", unit_scale=True, desc=part.path.stem,
                        disable=not progress)
        with open(part.path, "ab") as stream, bar:
            while chunk := answer.read(_CHUNK):
                stream.write(chunk)
                bar.update(len(chunk))
    if total and part.size() != total:
        raise ConnectionError(f"the connection ended after {part.size()} of {total} bytes")
    return start


def _fetch_checked(url, part, name, checksum, timeout, progress):
    try:
        start = _fetch(url, part, checksum, timeout, progress)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # the part is longer than the file: it is not a part of it
            part.remove()
        raise
    problem = _problem(part.path, name, checksum)
    if problem:
        part.remove()
        raise (ConnectionError if start else _WrongBytes)(problem)


def _hopeless(error):
    refused = isinstance(error, urllib.error.HTTPError) and error.code in (400, 401, 403, 404, 410)
    return refused or isinstance(error, _WrongBytes)


def fetch(urls, path, checksum=None, attempts=4, pause=1.0, timeout=60.0, progress=True):
    """Fetches one file from the first of its addresses that gives it.

    Args:
      urls: http or https addresses of the same bytes.
      path: file to write; where it exists it is checked only.
      checksum: "md5:..." or "sha256:...", or None.
      attempts: tries of each address; each goes on where the last one stopped.
      pause: seconds before the second try, doubled before each later one.
      timeout: seconds without a byte.
      progress: show a bar.

    Raises:
      DownloadError: no address gave the file; what was tried is named.
      FileExistsError: the file is there but is not the published one.
    """
    path = pathlib.Path(path)
    if path.exists():
        problem = _problem(path, path.name, checksum)
        if problem:
            raise FileExistsError(f"{path} is there already, but {problem}; delete it and run the same command again.")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part, failures = _Part(path), []
    for url in urls:
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"urls must begin with http:// or https://; received {url!r}.")
        for attempt in range(attempts):
            try:
                _fetch_checked(url, part, path.name, checksum, timeout, progress)
            except _BROKEN as error:
                failures.append(f"{url}: {getattr(error, 'reason', None) or error}")
                if _hopeless(error) or attempt + 1 == attempts:
                    break
                time.sleep(pause * 2 ** attempt)
            else:
                os.replace(part.path, path)
                part.note.unlink(missing_ok=True)
                return
    raise DownloadError(f"{path.name} could not be downloaded ({'; '.join(dict.fromkeys(failures))}).")


def download(name, source, data_dir, progress=True, **options):
    """Fetches and unpacks every file of a data set that is not here yet.

    Args:
      name: of the data set, for messages.
      source: sources.Source.
      data_dir: data folder.
      progress: show bars.
      **options: see `fetch`.

    Raises:
      DownloadError: a file could not be had; the sentence says where to put it by hand.
      ArchiveError: an archive is damaged or not safe.
      FileExistsError: what is there already is damaged or in the way.
    """
    data_dir = pathlib.Path(data_dir)
    if not source.files:
        raise DownloadError(f"{name} cannot be downloaded by a program; follow {source.home} and put "
                            f"{', '.join(source.patterns)} into {data_dir}.")
    for file in source.files:
        target = data_dir / file.path
        archive = target.with_name(target.name + ".gz") if file.unpack == "gunzip" else target
        if file.unpack and _unpacked(file, name, source, data_dir):
            continue
        try:
            fetch(file.urls, archive, file.checksum, progress=progress, **options)
        except DownloadError as error:
            raise DownloadError(f"{error} Put the file by hand into {archive.parent} (it is described at "
                                f"{source.home}), then run the same command again.") from error
        if file.unpack == "gunzip":
            gunzip(archive, target)
        elif file.unpack:
            unpack(archive, data_dir, file.unpack)
        if file.unpack:
            archive.unlink()


def _unpacked(file, name, source, data_dir):
    """Whether all that is in a packed file is here; empty folders in its place are removed, others are refused."""
    if file.unpack == "gunzip":
        target = data_dir / file.path
        return target.is_file() and target.stat().st_size > 0
    lacking = [folder for folder in file.unpack.values()
               if not any(sources.found(pattern, data_dir) for pattern in source.patterns
                          if pattern.startswith(folder))]
    for place in (data_dir / folder for folder in lacking):
        if place.is_dir() and not any(place.iterdir()):
            place.rmdir()
        elif place.exists():
            raise FileExistsError(f"{place} is there but has not the files of {name}; move it away and run the "
                                  "same command again.")
    return not lacking
