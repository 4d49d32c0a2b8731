"""Fetching public files: progress, resume, retries, mirrors, checksums, safe unpacking.

A file grows as `NAME.part` and gets its name only when it is whole and its
checksum is right, so a download that stopped half-way is never taken for whole.
"""

import hashlib
import http.client
import os
import pathlib
import shutil
import time
import urllib.error
import urllib.request

import tqdm

from dislib_plus.data.archives import gunzip, unpack

_CHUNK = 1 << 18
_BROKEN = (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError)


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
    """All bytes came in one go and are not those of the checksum."""


class _Part:
    """The growing file, and beside it the address and version of the bytes that it holds."""

    def __init__(self, path):
        self.path = path.with_name(path.name + ".part")
        self.note = path.with_name(path.name + ".part.from")

    def size(self):
        return self.path.stat().st_size if self.path.exists() else 0

    def version(self, url):
        """The server's version of the bytes fetched from this address so far, or "" where it is not known."""
        lines = self.note.read_text().splitlines() if self.note.exists() else []
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


def _fetch(url, part, timeout, progress):
    """One attempt: makes the part whole, or raises and leaves what came. Returns where it started."""
    with urllib.request.urlopen(_request(url, part), timeout=timeout) as answer:
        start = part.size() if answer.status == 206 else 0
        if answer.status == 206 and not answer.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            part.remove()
            raise ConnectionError(f"the server answered with the range {answer.headers.get('Content-Range')!r}")
        if not start:
            part.begin(url, answer.headers)
        length = answer.headers.get("Content-Length")
        total = start + int(length) if length else None
        if total and shutil.disk_usage(part.path.parent).free < total - start:
            raise DownloadError(f"{part.path.parent} has less than the {total - start} bytes free that {url} needs; "
                                "free some space or choose another --data_dir.")
        bar = tqdm.tqdm(total=total, initial=start, unit="B", unit_scale=True, desc=part.path.stem, disable=not progress)
        with open(part.path, "ab") as stream, bar:
            while chunk := answer.read(_CHUNK):
                stream.write(chunk)
                bar.update(len(chunk))
    if total and part.size() != total:
        raise ConnectionError(f"the connection ended after {part.size()} of {total} bytes")
    return start


def _fetch_checked(url, part, checksum, timeout, progress):
    try:
        start = _fetch(url, part, timeout, progress)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # the part is longer than the file: it is not a part of it
            part.remove()
        raise
    if checksum:
        algorithm, _, expected = checksum.partition(":")
        found = checksum_of(part.path, algorithm)
        if found != expected:
            part.remove()
            kind = ConnectionError if start else _WrongBytes
            raise kind(f"its {algorithm} checksum is {found}, not {expected}")


def _hopeless(error):
    refused = isinstance(error, urllib.error.HTTPError) and error.code in (400, 401, 403, 404, 410)
    return refused or isinstance(error, _WrongBytes)


def fetch(urls, path, checksum=None, attempts=4, pause=1.0, timeout=60.0, progress=True):
    """Fetches one file from the first of its addresses that gives it.

    Args:
      urls: http or https addresses of the same bytes.
      path: file to write; nothing is done where it exists.
      checksum: "md5:..." or "sha256:...", or None.
      attempts: tries of each address; each goes on where the last one stopped.
      pause: seconds before the second try, doubled before each later one.
      timeout: seconds without a byte.
      progress: show a bar.

    Raises:
      DownloadError: no address gave the file; what was tried is named.
    """
    path = pathlib.Path(path)
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part, failures = _Part(path), []
    for url in urls:
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"urls must begin with http:// or https://; received {url!r}.")
        for attempt in range(attempts):
            try:
                _fetch_checked(url, part, checksum, timeout, progress)
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


def download(source, data_dir, progress=True, **options):
    """Fetches and unpacks every file of a data set that is not here yet.

    Args:
      source: sources.Source.
      data_dir: data folder.
      progress: show bars.
      **options: see `fetch`.

    Raises:
      DownloadError: a file could not be had; the sentence says where to put it by hand.
      ArchiveError: an archive is damaged or not safe.
    """
    data_dir = pathlib.Path(data_dir)
    if not source.files:
        raise DownloadError(f"{source.name} cannot be downloaded by a program; follow {source.home} and put "
                            f"{', '.join(source.here)} into {data_dir}.")
    for file in source.files:
        target = data_dir / file.path
        archive = target.with_name(target.name + ".gz") if file.unpack == "gunzip" else target
        if file.unpack and _unpacked(file, data_dir):
            continue
        try:
            fetch(file.urls, archive, file.checksum, progress=progress, **options)
        except DownloadError as error:
            raise DownloadError(f"{error} Put the file by hand into {archive.parent}; it is described at "
                                f"{source.home}.") from error
        if file.unpack == "gunzip":
            gunzip(archive, target)
        elif file.unpack:
            unpack(archive, data_dir, file.unpack)
        if file.unpack:
            archive.unlink()


def _unpacked(file, data_dir):
    if file.unpack == "gunzip":
        return (data_dir / file.path).exists()
    return all((data_dir / folder).is_dir() for folder in file.unpack.values())
