import gzip
import io
import stat
import tarfile
import zipfile

import pytest

from dislib_plus.data import archives
from dislib_plus.data.archives import ArchiveError, gunzip, unpack

FILES = {"data/cars/a.mat": b"first", "data/cars/sub/b.mat": b"second" * 1000, "data/other.txt": b"unwanted"}


def member(name, content=b"x", **attributes):
    info = tarfile.TarInfo(name)
    info.size = len(content) if attributes.get("type", tarfile.REGTYPE) == tarfile.REGTYPE else 0
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    return info, content


def write_tar(path, members, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return path


def write_zip(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


@pytest.fixture
def target(tmp_path):
    """A folder inside another one, so that whatever climbs out is seen."""
    folder = tmp_path / "outer" / "target"
    folder.mkdir(parents=True)
    return folder


def seen(target):
    return sorted(str(path.relative_to(target.parent)) for path in target.parent.rglob("*"))


@pytest.mark.parametrize("kind", ["w", "w:gz", "w:bz2", "w:xz", "zip"])
def test_wanted_files_are_unpacked(tmp_path, target, kind):
    path = tmp_path / "archive"
    if kind == "zip":
        write_zip(path, FILES.items())
    else:
        write_tar(path, [member(name, content) for name, content in FILES.items()], kind)
    assert unpack(path, target, {"data/cars": "cars"}) == [target / "cars"]
    assert (target / "cars" / "a.mat").read_bytes() == b"first"
    assert (target / "cars" / "sub" / "b.mat").read_bytes() == b"second" * 1000
    assert seen(target) == ["target", "target/cars", "target/cars/a.mat", "target/cars/sub", "target/cars/sub/b.mat"]


BAD = {
    "climbing": [member("data/cars/../../../evil")],
    "climbing elsewhere": [member("../evil")],
    "absolute": [member("/tmp/dislib_plus_evil")],
    "drive": [member("C:\\evil")],
    "backslashes": [member("data\\cars\\..\\..\\..\\evil")],
    "symbolic link": [member("data/cars/link", type=tarfile.SYMTYPE, linkname="/etc"), member("data/cars/link/evil")],
    "hard link": [member("data/cars/link", type=tarfile.LNKTYPE, linkname="../../evil")],
    "device": [member("data/cars/null", type=tarfile.CHRTYPE)],
    "pipe": [member("data/cars/pipe", type=tarfile.FIFOTYPE)],
    "twice": [member("data/cars/a.mat", b"again")],
    "file as folder": [member("data/cars/a.mat/b", b"again")],
}


@pytest.mark.parametrize("name", BAD)
def test_unsafe_tar_members_stop_everything(tmp_path, target, name):
    path = write_tar(tmp_path / "archive", [member("data/cars/a.mat", b"first")] + BAD[name])
    with pytest.raises(ArchiveError, match="it was not unpacked"):
        unpack(path, target, {"data/cars": "cars"})
    assert seen(target) == ["target"]


def zip_link(target):
    info = zipfile.ZipInfo("data/cars/link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info, target


@pytest.mark.parametrize("evil", [("../evil", b"x"), ("/evil", b"x"), ("data/cars/../../../evil", b"x"),
                                  zip_link("/etc")])
def test_unsafe_zip_members_stop_everything(tmp_path, target, evil):
    path = write_zip(tmp_path / "archive", [("data/cars/a.mat", b"first"), evil])
    with pytest.raises(ArchiveError, match="it was not unpacked"):
        unpack(path, target, {"data/cars": "cars"})
    assert seen(target) == ["target"]


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_too_many_members_stop_everything(tmp_path, target, kind, monkeypatch):
    monkeypatch.setattr(archives, "MOST_MEMBERS", 100)
    names = [f"data/cars/{number}" for number in range(101)]
    if kind == "tar":
        path = write_tar(tmp_path / "archive", [member(name, b"") for name in names])
    else:
        path = write_zip(tmp_path / "archive", [(name, b"") for name in names])
    with pytest.raises(ArchiveError, match="more than 100 members"):
        unpack(path, target, {"data/cars": "cars"})
    assert seen(target) == ["target"]


@pytest.mark.slow
def test_ten_million_tiny_entries_stop_everything(tmp_path, target):
    """5 GB of headers in some MB: it stops at the first half million and keeps none of them in memory."""
    path, block = tmp_path / "archive", b"".join(
        tarfile.TarInfo(f"elsewhere/{number}").tobuf() for number in range(1000))
    packed = gzip.compress(block)
    with open(path, "wb") as stream:
        for _ in range(10_000):
            stream.write(packed)
        stream.write(gzip.compress(bytes(1024)))
    with pytest.raises(ArchiveError, match="more than 500000 members"):
        unpack(path, target, {"data/cars": "cars"})
    assert seen(target) == ["target"]


def test_members_do_not_pile_up(tmp_path, monkeypatch):
    path, most = write_tar(tmp_path / "archive", [member(f"a/{number}", b"x") for number in range(300)]), []
    next_member = tarfile.TarFile.next
    monkeypatch.setattr(tarfile.TarFile, "next", lambda self: most.append(len(self.members)) or next_member(self))
    assert len(list(archives._tar_members(path))) == 300 and max(most) <= 1


def test_a_huge_zip_directory_is_refused_before_it_is_read(tmp_path, target, monkeypatch):
    path = write_zip(tmp_path / "archive", [(f"data/cars/{number}", b"") for number in range(50)])
    monkeypatch.setattr(archives, "LARGEST_ZIP_DIRECTORY", 1000)
    monkeypatch.setattr(zipfile, "ZipFile", lambda path: pytest.fail("read"))
    with pytest.raises(ArchiveError, match="members, which no known data set has"):
        unpack(path, target, {"data/cars": "cars"})


@pytest.mark.parametrize("wanted", ["data/cars", "data/other"])
def test_a_bomb_stops_everything(tmp_path, target, monkeypatch, wanted):
    monkeypatch.setattr(archives, "FREE_BYTES", 1000)
    zeros = bytes(5_000_000)
    for path in (write_tar(tmp_path / "tar", [member("data/cars/zeros", zeros)]),
                 write_zip(tmp_path / "zip", [("data/cars/zeros", zeros)])):
        with pytest.raises(ArchiveError, match="more than 200 times its size"):
            unpack(path, target, {wanted: "cars"})
    assert seen(target) == ["target"]


@pytest.mark.parametrize("kind", ["w:gz", "w:xz", "w:bz2", "zip"])
def test_truncated_and_damaged_archives_leave_nothing(tmp_path, target, kind):
    path = tmp_path / "archive"
    content = b"".join(bytes([(i * i * 7919 >> 5) % 256]) for i in range(50_000))
    if kind == "zip":
        write_zip(path, [("data/cars/a", content), ("data/cars/b", content)])
    else:
        write_tar(path, [member("data/cars/a", content), member("data/cars/b", content)], kind)
    whole = path.read_bytes()
    for damaged in (whole[:len(whole) // 2], whole[:-4], whole[:100] + bytes(200) + whole[300:], whole[:3], b"no"):
        path.write_bytes(damaged)
        with pytest.raises(ArchiveError, match="truncated or damaged"):
            unpack(path, target, {"data/cars": "cars"})
        assert seen(target) == ["target"]


@pytest.mark.parametrize("damage", ["before a head", "in a head", "a changed head"])
def test_a_plain_tar_must_have_its_end(tmp_path, target, damage):
    """Nothing but the blocks of zeros at its end says that an uncompressed archive is whole."""
    path = write_tar(tmp_path / "archive", [member("data/cars/a.mat"), member("data/cars/b.mat")], "w")
    whole = path.read_bytes()
    path.write_bytes({"before a head": whole[:1024], "in a head": whole[:1300],
                      "a changed head": whole[:1024] + b"!" * 99 + whole[1123:]}[damage])
    with pytest.raises(ArchiveError, match="truncated or damaged.*head of a member is missing or damaged"):
        unpack(path, target, {"data/cars": "cars"})
    assert seen(target) == ["target"]


@pytest.mark.parametrize("name", ["data/cars/" + "x" * 4000, "data/cars/" + 200 * "deep/" + "a.mat"])
def test_over_long_names_are_refused(tmp_path, target, name):
    for path in (write_tar(tmp_path / "a", [member(name)]), write_zip(tmp_path / "b", [(name, b"x")])):
        with pytest.raises(ArchiveError, match="has a member with a name of more than 255 bytes") as caught:
            unpack(path, target, {"data/cars": "cars"})
        assert len(str(caught.value)) < 300


def test_an_archive_without_the_folder_is_refused(tmp_path, target):
    path = write_tar(tmp_path / "archive", [member("elsewhere/a")])
    with pytest.raises(ArchiveError, match="has nothing to put into"):
        unpack(path, target, {"data/cars": "cars"})
    assert seen(target) == ["target"]


def test_an_existing_folder_is_never_overwritten(tmp_path, target):
    (target / "cars").mkdir()
    (target / "cars" / "mine").write_text("mine")
    path = write_tar(tmp_path / "archive", [member("data/cars/a.mat")])
    with pytest.raises(FileExistsError, match="move it away"):
        unpack(path, target, {"data/cars": "cars"})
    assert (target / "cars" / "mine").read_text() == "mine"


def test_gunzip(tmp_path, monkeypatch):
    packed, plain = tmp_path / "a.gz", tmp_path / "a"
    packed.write_bytes(gzip.compress(b"content" * 100))
    gunzip(packed, plain)
    assert plain.read_bytes() == b"content" * 100
    plain.unlink()
    packed.write_bytes(packed.read_bytes()[:-6])
    with pytest.raises(ArchiveError, match="truncated or damaged"):
        gunzip(packed, plain)
    packed.write_bytes(gzip.compress(bytes(1_000_000)))
    monkeypatch.setattr(archives, "FREE_BYTES", 0)
    with pytest.raises(ArchiveError, match="more than 200 times"):
        gunzip(packed, plain)
    assert [path.name for path in tmp_path.iterdir()] == ["a.gz"]


@pytest.mark.parametrize("content", [b"", gzip.compress(b"", mtime=0)], ids=["no bytes", "nothing packed"])
def test_an_empty_file_is_not_unpacked(tmp_path, content):
    (tmp_path / "a.gz").write_bytes(content)
    with pytest.raises(ArchiveError, match="a.gz is truncated or damaged .*no content"):
        gunzip(tmp_path / "a.gz", tmp_path / "a")
    assert not (tmp_path / "a").exists()
