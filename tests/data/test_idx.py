import gzip
import struct

import numpy as np
import pytest

from dislib_plus.data.idx import read_idx

IMAGES = np.random.RandomState(0).randint(0, 256, [3, 4, 5]).astype(np.uint8)
CONTENT = struct.pack(">HBB3I", 0, 8, 3, 3, 4, 5) + IMAGES.tobytes()


@pytest.fixture
def write(tmp_path):
    def write(content, packed=False):
        path = tmp_path / "images"
        path.write_bytes(gzip.compress(content) if packed else content)
        return path
    return write


@pytest.mark.parametrize("packed", [False, True])
def test_images_come_back(write, packed):
    np.testing.assert_array_equal(read_idx(write(CONTENT, packed), 3), IMAGES)


def test_labels_come_back(write):
    np.testing.assert_array_equal(read_idx(write(struct.pack(">HBBI", 0, 8, 1, 2) + b"\x07\x02"), 1), [7, 2])


@pytest.mark.parametrize("content, sentence", [
    (b"", "starts with the bytes b''"),
    (b"PNG image", "not with those of an idx file"),
    (b"\0\0\x0d\x03" + CONTENT[4:], "idx file of unsigned bytes"),
    (CONTENT[:10], "ends within its header"),
    (CONTENT[:-1], "announces 60 elements and it has 59"),
    (CONTENT + b"x", "announces 60 elements and it has more"),
    (struct.pack(">HBB3I", 0, 8, 3, 2 ** 31, 2 ** 31, 9), "announces 41505174165846491136 elements"),
    (struct.pack(">HBB3I", 0, 8, 3, 0, 4, 5), "announces 0 elements"),
    (struct.pack(">HBBI", 0, 8, 1, 60) + IMAGES.tobytes(), "1 axes where 3 are expected"),
])
@pytest.mark.parametrize("packed", [False, True])
def test_damaged_files_are_refused(write, content, sentence, packed):
    path = write(content, packed)
    with pytest.raises(ValueError, match="download it again") as caught:
        read_idx(path, 3)
    assert sentence in str(caught.value) and str(path) in str(caught.value)


def test_a_truncated_gzip_file_is_refused(write):
    path = write(CONTENT, packed=True)
    whole = path.read_bytes()
    for length in (5, 20, len(whole) - 12):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="is damaged"):
            read_idx(path, 3)


def test_a_gzip_file_with_wrong_bytes_is_refused(write):
    path = write(CONTENT, packed=True)
    whole = bytearray(path.read_bytes())
    whole[30] ^= 0xFF
    path.write_bytes(whole)
    with pytest.raises(ValueError, match="is damaged"):
        read_idx(path, 3)
