import gzip
import hashlib
import http.server
import io
import re
import tarfile
import threading

import pytest

from dislib_plus.data import names
from dislib_plus.data.archives import ArchiveError
from dislib_plus.data.download import DownloadError, download, fetch
from dislib_plus.data.registry import find_source
from dislib_plus.data.sources import Remote, Source, missing_files

CONTENT = bytes(range(256)) * 4000
MD5 = "md5:" + hashlib.md5(CONTENT).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """Serves CONTENT, with ranges; `faults` says what goes wrong in each of the first requests."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.faults, self.requests, self.content, self.ranges, self.tag = [], [], CONTENT, True, '"v1"'
        self.length, self.kind = True, "application/octet-stream"

    def url(self, name="file"):
        return f"http://127.0.0.1:{self.server_port}/{name}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server, wanted = self.server, self.headers.get("Range")
        server.requests.append((self.path, wanted))
        fault = server.faults.pop(0) if server.faults else None
        if isinstance(fault, int):
            return self.send_error(fault)
        start = 0
        if wanted and server.ranges and self.headers.get("If-Range") == server.tag:
            start = int(wanted[len("bytes="):-1])
        body = server.content[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(server.content) - 1}/{len(server.content)}")
        if server.length:
            self.send_header("Content-Length", server.length if isinstance(server.length, str) else str(len(body)))
        self.send_header("Content-Type", server.kind)
        if server.tag:
            self.send_header("ETag", server.tag)
        self.end_headers()
        self.wfile.write(body[:len(body) // 2] if fault == "cut" else body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.02,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def get(server, path, **options):
    fetch([server.url()], path, **({"pause": 0.01, "progress": False, "timeout": 5} | options))


def test_a_file_comes_whole_and_is_not_fetched_twice(server, tmp_path):
    path = tmp_path / "deep" / "file"
    get(server, path, checksum=MD5)
    get(server, path, checksum=MD5)
    assert path.read_bytes() == CONTENT and len(server.requests) == 1
    assert [entry.name for entry in path.parent.iterdir()] == ["file"]


def test_an_attempt_goes_on_where_the_last_one_stopped(server, tmp_path):
    server.faults = ["cut", "cut"]
    get(server, tmp_path / "file", checksum=MD5)
    half, quarter = len(CONTENT) // 2, 3 * len(CONTENT) // 4
    assert [wanted for _, wanted in server.requests] == [None, f"bytes={half}-", f"bytes={quarter}-"]
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_later_run_resumes_too_and_half_a_file_never_gets_the_name(server, tmp_path):
    server.faults = ["cut"]
    with pytest.raises(DownloadError, match=r"ended after \d+ of \d+ bytes|IncompleteRead"):
        get(server, tmp_path / "file", attempts=1)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file.part", "file.part.from"]
    get(server, tmp_path / "file")
    assert server.requests[1][1] == f"bytes={len(CONTENT) // 2}-"
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_changed_file_starts_again(server, tmp_path):
    server.faults = ["cut"]
    with pytest.raises(DownloadError):
        get(server, tmp_path / "file", attempts=1)
    server.content, server.tag = CONTENT[::-1], '"v2"'
    get(server, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize("tag, ranges", [(None, True), ('"v1"', False), ('W/"weak"', True)])
def test_a_server_that_cannot_resume_sends_all_again(server, tmp_path, tag, ranges):
    server.faults, server.tag, server.ranges = ["cut"], tag, ranges
    get(server, tmp_path / "file", checksum=MD5)
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_errors_of_the_server_are_tried_again_but_missing_files_are_not(server, tmp_path):
    server.faults = [503, 500]
    get(server, tmp_path / "file")
    assert len(server.requests) == 3
    server.faults = [404]
    with pytest.raises(DownloadError, match="Not Found"):
        get(server, tmp_path / "other")
    assert len(server.requests) == 4


def test_the_next_mirror_is_asked(server, tmp_path):
    server.faults = [404]
    fetch([server.url("dead"), server.url("alive")], tmp_path / "file", MD5, progress=False)
    assert [path for path, _ in server.requests] == ["/dead", "/alive"]
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_wrong_bytes_are_refused(server, tmp_path):
    with pytest.raises(DownloadError, match="its md5 checksum is .*, not 0000"):
        get(server, tmp_path / "file", checksum="md5:0000")
    assert not list(tmp_path.iterdir()) and len(server.requests) == 1
    server.content = b"another file"
    with pytest.raises(DownloadError, match="sha256"):
        get(server, tmp_path / "file", checksum="sha256:" + hashlib.sha256(CONTENT).hexdigest())


def test_without_a_checksum_only_what_can_be_whole_is_taken(server, tmp_path):
    """A reply that ends anywhere, an empty one, a web page, and bytes of another kind than the file's name says."""
    for ending, content, sentence in [(".tar", CONTENT, "not a .tar file"), (".npz", CONTENT, "it is not a .npz file"),
                                      (".jpg", b"\x89PNG", "it is not a .jpg file"), (".npz", b"", "it is empty")]:
        server.content = content
        with pytest.raises(DownloadError, match=sentence):
            get(server, tmp_path / f"file{ending}")
    server.content, server.length = b"PK and more", False
    with pytest.raises(DownloadError, match="does not say how long"):
        get(server, tmp_path / "file.npz")
    server.length, server.kind = True, "text/html; charset=utf-8"
    with pytest.raises(DownloadError, match="sent a web page"):
        get(server, tmp_path / "file.npz")
    assert not list(tmp_path.iterdir())
    server.kind = "application/octet-stream"
    get(server, tmp_path / "file.npz")
    server.content = archive([("a", b"b")])
    get(server, tmp_path / "file.tar")
    assert len(list(tmp_path.iterdir())) == 2


def test_a_checksum_is_enough(server, tmp_path):
    server.length, server.kind = "abc", "text/html"
    get(server, tmp_path / "file.npz", checksum=MD5)
    assert (tmp_path / "file.npz").read_bytes() == CONTENT


def test_a_damaged_file_that_is_there_is_refused(server, tmp_path):
    (tmp_path / "file").write_bytes(CONTENT[:-1])
    with pytest.raises(FileExistsError, match="file is there already, but its md5 checksum is .*; delete it and run"):
        get(server, tmp_path / "file", checksum=MD5)
    (tmp_path / "file.npz").write_bytes(b"<html>")
    with pytest.raises(FileExistsError, match="it is not a .npz file; delete it"):
        get(server, tmp_path / "file.npz")
    assert not server.requests


def test_a_damaged_note_beside_a_part_starts_again(server, tmp_path):
    (tmp_path / "file.part").write_bytes(b"x")
    (tmp_path / "file.part.from").write_bytes(b"\xff\xfe\x80\n\xff")
    get(server, tmp_path / "file", checksum=MD5)
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_nobody_there(tmp_path):
    with pytest.raises(DownloadError, match="http://127.0.0.1:9/file: .*refused"):
        fetch(["http://127.0.0.1:9/file"], tmp_path / "file", pause=0.01, progress=False)


def test_only_web_addresses(tmp_path):
    with pytest.raises(ValueError, match="must begin with http"):
        fetch(["file:///etc/passwd"], tmp_path / "file")


def test_too_little_room(server, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 10})())
    with pytest.raises(DownloadError, match="bytes free"):
        get(server, tmp_path / "file")


def archive(members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as stream:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            stream.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def source(server):
    return Source(files=(Remote("cars.tar.gz", (server.url(),), unpack={"data/cars": "cars"}),),
                  home="https://example.org/cars", here=("cars/*.mat",))


def test_an_archive_is_fetched_unpacked_and_removed(server, tmp_path):
    server.content = archive([("data/cars/a.mat", b"a")])
    download("cars3d", source(server), tmp_path, progress=False)
    download("cars3d", source(server), tmp_path, progress=False)
    assert [str(path.relative_to(tmp_path)) for path in sorted(tmp_path.rglob("*"))] == ["cars", "cars/a.mat"]
    assert len(server.requests) == 1


def test_a_folder_without_the_files_is_not_taken_for_them(server, tmp_path):
    server.content = archive([("data/cars/a.mat", b"a")])
    (tmp_path / "cars").mkdir()
    download("cars3d", source(server), tmp_path, progress=False)
    assert (tmp_path / "cars" / "a.mat").is_file()
    (tmp_path / "cars" / "a.mat").rename(tmp_path / "cars" / "a.txt")
    with pytest.raises(FileExistsError, match="cars is there but has not the files of cars3d; move it away"):
        download("cars3d", source(server), tmp_path, progress=False)
    assert len(server.requests) == 1


def test_an_empty_unpacked_file_is_fetched_again(server, tmp_path):
    server.content = gzip.compress(b"matrix")
    one = Source(files=(Remote("norb/a.mat", (server.url(),), None, "gunzip"),))
    (tmp_path / "norb").mkdir()
    (tmp_path / "norb" / "a.mat").touch()
    for _ in range(2):
        download("norb", one, tmp_path, progress=False)
    assert (tmp_path / "norb" / "a.mat").read_bytes() == b"matrix" and len(server.requests) == 1


@pytest.mark.parametrize("name, what, place, parts", [
    ("scream_dsprites", "scream.jpg", "root/scream/scream.jpg", ["The_Scream.jpg by hand and put it there"]),
    ("mnist", "t10k-labels-idx1-ubyte.gz", "root/mnist", ["t10k-labels-idx1-ubyte.gz or https", "put it there"]),
    ("smallnorb", "smallnorb-5x01235x9x18x6x2x96x96-testing-info.mat", "root/small_norb",
     ["testing-info.mat.gz by hand, unpack it with gunzip and put it there"]),
    ("cars3d", "the .mat files", "root/cars", ["nips2015-analogy-data.tar.gz by hand, put it into root as "
                                               "nips2015-analogy-data.tar.gz and run `dislib_download cars3d` again"]),
    ("celeba", "the pictures", "root/celeba/img_align_celeba", ["put it into root as celeba.zip"]),
    ("celeba", "list_attr_celeba.txt", "root/celeba", ["0B7EVK8r0v71pblRyaVFSWGxPY0U by hand and put it there"]),
    ("chairs", "the folders of chairs", "root/rendered_chairs", ["put it into root as rendered_chairs.tar"]),
])
def test_a_missing_file_is_asked_for_by_its_own_address(name, what, place, parts):
    message = str(missing_files(name, what, place))
    for part in [what, place, *parts]:
        assert part in message


def test_an_unsafe_or_truncated_archive_puts_nothing_into_place(server, tmp_path):
    for content, sentence in [(archive([("data/cars/a.mat", b"a"), ("../../evil", b"b")]), "outside the target"),
                              (archive([("data/cars/a.mat", CONTENT)])[:-20], "truncated or damaged")]:
        server.content = content
        with pytest.raises(ArchiveError, match=sentence):
            download("cars3d", source(server), tmp_path / "data", progress=False)
        assert not (tmp_path / "data" / "cars").exists() and not (tmp_path / "evil").exists()
        (tmp_path / "data" / "cars.tar.gz").unlink()


def test_offline_says_what_to_put_where(server, tmp_path):
    server.faults = [404]
    with pytest.raises(DownloadError) as caught:
        download("cars3d", source(server), tmp_path, progress=False)
    for part in ("cars.tar.gz", str(tmp_path), "https://example.org/cars", "Not Found"):
        assert part in str(caught.value)


def test_a_set_without_addresses_says_what_to_do_by_hand(tmp_path):
    with pytest.raises(DownloadError, match="faces cannot be downloaded by a program; follow https://example.org/faces "
                                            "and put faces/a.png into"):
        download("faces", Source(home="https://example.org/faces", here=("faces/a.png",)), tmp_path)


@pytest.mark.parametrize("name", [name for name in names() if find_source(name) and not find_source(name).note])
def test_every_source_is_complete(name):
    source = find_source(name)
    assert source.home.startswith("http") and source.licence and source.size and source.patterns and source.files
    assert re.search(r"\(\d{4}\)", source.citation)
    for file in source.files:
        assert not file.path.startswith("/") and ".." not in file.path
        assert file.urls and all(url.startswith("http") for url in file.urls)
        assert file.checksum is None or re.fullmatch("md5:[0-9a-f]{32}|sha256:[0-9a-f]{64}", file.checksum)
