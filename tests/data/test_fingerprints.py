import os

import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.data import fingerprints
from dislib_plus.data.base import GroundTruthData, Images, ResidentGrid, ResidentImages
from dislib_plus.data.factor_table import FactorTable
from dislib_plus.data.fingerprints import fingerprint
from dislib_plus.data.memory_mapped import MappedImages
from dislib_plus.data.table_files import named_columns
from dislib_plus.data.training_views import TrainingView

IMAGES = np.random.RandomState(0).randint(0, 256, [12, 5, 4, 3]).astype(np.uint8)
# A change that a look at a few images misses: one pixel of one image.
OTHER = IMAGES.copy()
OTHER[7, 2, 1, 0] ^= 1


def test_equal_data_have_equal_fingerprints_whatever_they_are_called():
    first = fingerprint(ResidentImages("a", IMAGES, np.arange(12)))
    assert first == fingerprint(ResidentImages("b", IMAGES.copy(), np.arange(12).tolist()))
    assert len(first) == 32 and int(first, 16)


def test_every_part_counts():
    shown = [ResidentImages("a", IMAGES), ResidentImages("a", OTHER), ResidentImages("a", IMAGES[:11]),
             ResidentImages("a", IMAGES, np.zeros(12, int)), ResidentImages("a", IMAGES, np.arange(12)),
             ResidentGrid("a", ["row", "column"], [3, 4], IMAGES), ResidentGrid("a", ["row", "column"], [4, 3], IMAGES),
             ResidentGrid("a", ["row", "height"], [3, 4], IMAGES),
             ResidentGrid("a", ["row", "column"], [3, 4], IMAGES, visible=[0]),
             ResidentImages("a", IMAGES.reshape(12, 4, 5, 3))]
    rows = np.array(list(np.ndindex(3, 4)))
    shown += [FactorTable(shown[0], named_columns(table, ["row", "column"]))
              for table in (rows, np.roll(rows, 1, axis=0))]
    assert len({fingerprint(data) for data in shown}) == len(shown)


def test_a_view_shows_the_data_of_its_set():
    grid = ResidentGrid("a", ["row", "column"], [3, 4], IMAGES)
    assert fingerprint(TrainingView("view", grid, np.arange(12))) == fingerprint(grid)


def mapped(path, images=IMAGES):
    path.write_bytes(images.tobytes())
    return MappedImages("a", path, images.shape)


def test_a_mapped_file_is_read_once_and_again_when_it_has_changed(tmp_path, monkeypatch):
    first = fingerprint(mapped(tmp_path / "a.u8"))
    (tmp_path / "elsewhere").mkdir()
    assert fingerprint(mapped(tmp_path / "elsewhere" / "b.u8")) == first
    data = MappedImages("a", tmp_path / "a.u8", IMAGES.shape)
    monkeypatch.setattr(fingerprints.hashlib, "sha256", lambda *start: Refusing(*start))
    assert fingerprints.contents(data)
    monkeypatch.undo()
    data = mapped(tmp_path / "a.u8", OTHER)
    os.utime(tmp_path / "a.u8", ns=(1, 1))
    assert fingerprint(data) != first
    (tmp_path / "a.u8.sha256").write_bytes(b"\xff damaged")
    assert fingerprint(mapped(tmp_path / "a.u8")) == first


class Refusing:
    def __init__(self, *start):
        pytest.fail("the file is read again")


def test_a_folder_without_permission_to_write_costs_time_only(tmp_path, monkeypatch):
    data = mapped(tmp_path / "a.u8")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert fingerprint(data) == fingerprint(data)
    assert not (tmp_path / "a.u8.sha256").exists()


class Drawn(GroundTruthData, Images):
    """Images that are made anew each time."""

    observation_shape = [2, 2, 1]

    def __init__(self, count, wrong=None):
        super().__init__("drawn", ["number"], [count])
        self.wrong = wrong

    def images(self, indices, seed=None):
        indices = tf.cast(indices, tf.int64)
        values = tf.where(indices == (-1 if self.wrong is None else self.wrong), 255, indices % 7)
        return tf.cast(tf.tile(values[:, None, None, None], [1, 2, 2, 1]), tf.uint8)


def test_images_made_anew_are_read_in_full_where_that_is_cheap(monkeypatch):
    assert fingerprint(Drawn(5000)) == fingerprint(Drawn(5000)) != fingerprint(Drawn(5000, wrong=2501))
    monkeypatch.setattr(fingerprints, "WHOLE", 5000)
    assert fingerprint(Drawn(5000)) == fingerprint(Drawn(5000)) != fingerprint(Drawn(5000, wrong=4999))
