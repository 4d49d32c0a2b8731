"""Pictures of data sets."""

import numpy as np
import pytest
from PIL import Image, ImageSequence

from dislib_plus.data import ResidentGrid, ResidentImages
from dislib_plus.data.factor_table import FactorTable
from dislib_plus.data.table_files import named_columns
from dislib_plus.visualize import visualize_dataset as subject

MARK = ".made_by_dislib_visualize"


def names(folder):
    return {path.name for path in folder.iterdir()} - {MARK}


def test_set_with_factors(grid, tmp_path):
    written = subject.visualize_dataset(grid, tmp_path / "out", num_frames=4)
    assert names(tmp_path / "out") == {"contact_sheet.png", "factors.png", "factors.gif"}
    assert written == [str(tmp_path / "out" / name) for name in sorted(names(tmp_path / "out"))]


def test_set_without_factors(plain_images, tmp_path):
    subject.visualize_dataset(plain_images, tmp_path / "out")
    assert names(tmp_path / "out") == {"contact_sheet.png"}


def test_combinations_without_an_image_stay_blank(tmp_path):
    cells = np.array([[0, 0], [0, 1], [1, 1], [2, 0]])
    pixels = np.tile(np.arange(40, 200, 40, dtype=np.uint8)[:, None, None, None], [1, 8, 8, 1])
    data = FactorTable(ResidentImages("part", pixels), named_columns(cells))
    subject.visualize_dataset(data, tmp_path / "out", num_frames=4)
    assert names(tmp_path / "out") == {"contact_sheet.png", "factors.png", "factors.gif"}
    shown = subject._varied(data, np.array([[0, 1]]), 0, np.arange(3), np.random.RandomState(0))
    np.testing.assert_allclose(shown[:, 0, 0, 0], [80 / 255, 120 / 255, 1.0])


def test_a_set_without_images_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"'pendulum' cannot be drawn: .*, its observations \[100\]"):
        subject.visualize_dataset("pendulum", tmp_path / "out")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("channels", [2, 4])
def test_channels_side_by_side(tmp_path, channels):
    pixels = np.random.RandomState(0).randint(0, 200, [6, 80, 72, channels]).astype(np.uint8)
    subject.visualize_dataset(ResidentGrid("deep", ["a"], [6], pixels), tmp_path / "out", num_frames=2)
    assert names(tmp_path / "out") == {"contact_sheet.png", "factors.png", "factors.gif"}
    picture = np.asarray(Image.open(tmp_path / "out" / "factors.png")).astype(int)
    row = np.concatenate([pixels[1, 40, :, channel] for channel in range(channels)])
    lines = [line for line in picture[:, :, 0] if row.tobytes() in line.astype(np.uint8).tobytes()]
    assert lines


@pytest.mark.parametrize("sizes", [{"num_animations": 100000}, {"num_frames": 201}, {"fps": 0}, {"num_frames": 2.5}])
def test_sizes_out_of_bounds(grid, tmp_path, sizes):
    with pytest.raises(ValueError, match=rf"{next(iter(sizes))} must be .*; received"):
        subject.visualize_dataset(grid, tmp_path / "out", **sizes)
    assert not list(tmp_path.iterdir())


def test_unknown_name_writes_nothing(tmp_path):
    with pytest.raises(ValueError, match="'toy_cars3' is unknown; the nearest known names are toy_cars3d"):
        subject.visualize_dataset("toy_cars3", tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_factor_table_varies_one_factor_a_row(grid, tmp_path):
    subject.factor_table(grid, tmp_path / "f.png", np.random.RandomState(3), columns=6)
    base, = grid.sample_factors(1, np.random.RandomState(3))
    picture = np.asarray(Image.open(tmp_path / "f.png"))
    left, above = picture.shape[1] - 6 * 74 - 6, picture.shape[0] - 2 * 74 - 6

    def pixel(row, column, image_column):
        return picture[above + row * 74 + 30, left + column * 74 + image_column * 9 + 4, 0]
    assert [pixel(0, value, 0) for value in range(3)] == [60, 120, 180]
    assert {pixel(0, value, 1) for value in range(3)} == {50 + 45 * base[1]}
    assert [pixel(1, value, 1) for value in range(4)] == [50, 95, 140, 185]
    assert {pixel(1, value, 0) for value in range(4)} == {60 + 60 * base[0]}
    assert pixel(0, 3, 0) == pixel(0, 5, 0) == pixel(1, 4, 0) == 255


def test_factor_animation_visits_every_value(grid, tmp_path):
    subject.factor_animation(grid, tmp_path / "f.gif", np.random.RandomState(0), num_observations=2, num_frames=12)
    with Image.open(tmp_path / "f.gif") as animation:
        frames = np.stack([np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(animation)]).astype(int)
    above = frames.shape[1] - 2 * 74 - 6
    first = frames[:, above + 30, 8 + 4, 0]
    second = frames[:, above + 30, 8 + 74 + 9 + 4, 0]
    assert {round((value - 60) / 60) for value in first} == {0, 1, 2}
    assert {round((value - 50) / 45) for value in second} == {0, 1, 2, 3}


def test_data_of_another_library(tmp_path):
    class Foreign:  # the four methods that disentanglement_lib's data sets have, and nothing more
        num_factors, factors_num_values, observation_shape = 2, [3, 2], [8, 8, 1]

        def sample_factors(self, num, random_state):
            return np.stack([random_state.randint(size, size=num) for size in (3, 2)], axis=1)

        def sample_observations_from_factors(self, factors, random_state):
            return np.ones((len(factors), 8, 8, 1)) * factors[:, :1, None, None] / 3

        def sample_observations(self, num, random_state):
            return self.sample_observations_from_factors(self.sample_factors(num, random_state), random_state)
    subject.visualize_dataset(Foreign(), tmp_path / "out", num_frames=3)
    assert names(tmp_path / "out") == {"contact_sheet.png", "factors.png", "factors.gif"}
    assert subject.factor_names(Foreign()) == ["factor 0", "factor 1"]
