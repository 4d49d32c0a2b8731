"""Codes with blocks: their names, what the pictures show, and what is known of each block."""

import contextlib
import json

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from PIL import Image

from dislib_plus.data import ResidentGrid
from dislib_plus.latents import Block, LatentSpec, NormalGroup, NormalPrior, Part, Unit
from dislib_plus.visualize import block_codes, block_pictures, charts, information_flow, latent_statistics
from dislib_plus.visualize.visualize_model import visualize_model

SMALL = {"num_animations": 1, "num_frames": 2, "num_traversals": 1, "num_samples": 3}
STEP, MARGIN = 8 * 9 + 2, 8  # 8 pixels are drawn as 72, with gaps of 2


def sigmoid(value):
    return 1 / (1 + np.exp(-value))


@pytest.fixture
def ladder(painter):
    """Block "low" is columns 0 and 1 of the images, which are the factors, block z2 is column 2, which says nothing."""
    spec = LatentSpec([NormalGroup(2, NormalPrior([3.0, 0.0], [0.01, 1.0]), name="low"), NormalGroup(1)])
    painter.code_spec = spec.code_spec
    painter.parts = lambda: [Part("z", spec, painter.represent, painter.posterior, lambda x: {},
                                  lambda code, anchor: [("X", painter.decode(code))])]
    return painter


@pytest.fixture
def part(ladder):
    return ladder.parts()[0]


@pytest.fixture
def x(grid):
    return np.asarray(grid.observations(tf.constant([7, 2])))


@pytest.fixture
def drawings(monkeypatch):
    """Every figure drawn, by the name of its file."""
    drawn, real = {}, charts.figure

    @contextlib.contextmanager
    def remembering(path, *size):
        with real(path, *size) as drawing:
            drawn[path.name] = drawing
            yield drawing
    monkeypatch.setattr(charts, "figure", remembering)
    return drawn


def test_blocks_and_units_are_named_by_their_group(part):
    assert part.blocks == [Block("low", "normal", (0, 1), 0, 2), Block("z2", "normal", (2,), 2, 3)]
    assert part.units == [Unit("low_0", "normal", 0, 1, 3.0, np.sqrt(np.float32(0.01))),
                          Unit("low_1", "normal", 1, 2), Unit("z2_0", "normal", 2, 3)]


def test_blocks_of_a_mixed_code():
    part = Part("z", LatentSpec([("normal", 2), ("categorical", 3), ("normal", 1)]), None, None, None, None)
    assert part.blocks == [Block("z1", "normal", (0, 1), 0, 2), Block("d0", "categorical", (2,), 2, 5),
                           Block("z2", "normal", (3,), 5, 6)]
    assert Part("z", LatentSpec([("normal", 2), ("categorical", 3)]), None, None, None, None).blocks == []


def test_drawing_a_block_changes_its_columns_alone(part, x):
    drawn = block_codes.sampled_blocks(part, x, part.blocks, 50)
    assert drawn.shape == (2, 2, 50, 8, 8, 1)
    for number, (own, others) in enumerate([([0, 1], [2]), ([2], [0, 1])]):
        np.testing.assert_allclose(drawn[:, number][:, :, :, others],
                                   np.broadcast_to(x[:, None][:, :, :, others], (2, 50, 8, len(others), 1)), atol=1e-6)
        assert (np.ptp(drawn[:, number][:, :, :, own], axis=1) > 0.01).all()
    np.testing.assert_array_equal(drawn[0, 0, :, :, :2], drawn[1, 0, :, :, :2])  # the same draws for all images
    np.testing.assert_allclose(drawn[0, 0, :, 0, 0, 0], sigmoid(3.0), atol=0.03)  # its own prior, N(3, 0.01)
    codes = np.log(1 / drawn[0, 1, :, 0, 2, 0] - 1)  # N(0, 1)
    assert abs(codes.mean()) < 0.5 and 0.6 < codes.std() < 1.4
    np.testing.assert_array_equal(drawn, block_codes.sampled_blocks(part, x, part.blocks, 50))


def test_grid_of_a_block_varies_it_in_order_and_draws_the_others(part, x):
    values = np.linspace(-2, 2, 5)
    cells = block_codes.gridded_block(part, x[0], part.blocks[0], values)
    assert cells.shape == (5, 5, 8, 8, 1)
    down = sigmoid(3.0 + 0.1 * values)  # in deviations of its prior
    np.testing.assert_allclose(cells[:, :, 3, 0, 0], np.repeat(down[:, None], 5, axis=1), rtol=1e-5)
    np.testing.assert_allclose(cells[:, :, 3, 1, 0], np.repeat(sigmoid(values)[None], 5, axis=0), rtol=1e-5)
    assert len(np.unique(cells[:, :, 3, 2, 0])) == 25


def test_information_of_each_block(part, grid):
    """Posteriors of deviation 0.1 and 1 around few values: twin by numerical sums over a fine grid of codes."""
    found = latent_statistics.latent_statistics(part, grid, 12, np.random.RandomState(0)).information
    means = np.asarray(part.encode(grid.observations(range(12))), np.float64)
    z = np.linspace(-6, 6, 301)
    one, two = (np.exp(-0.5 * ((z - means[:, [j]]) / s) ** 2) / s for j, s in enumerate([0.1, 1.0]))
    joint = one[:, :, None] * two[:, None, :]
    joint /= joint.sum(axis=(1, 2), keepdims=True)
    mixture = joint.mean(axis=0)
    safe = np.where(joint > 1e-300, joint / np.maximum(mixture, 1e-300), 1.0)
    exact = np.sum(joint * np.log(safe)) / 12
    assert 0.5 < exact < np.log(12)
    assert found["mutual_information.low"] == pytest.approx(exact, abs=0.05)
    assert found["mutual_information.z2"] == pytest.approx(0.0, abs=1e-9)
    assert found["mutual_information"] == pytest.approx(exact, abs=0.05)
    assert found["overlapping_information"] == pytest.approx(0.0, abs=1e-9)


def test_report_shows_the_blocks(ladder, grid, tmp_path, drawings):
    pictures = visualize_model(ladder, grid, tmp_path / "p", num_images=12, **SMALL)
    own = {picture.file: picture for picture in pictures if picture.section == "Blocks of Z"}
    assert list(own) == [f"blocks_z_{name}.png" for name in ("information", "sampled", "units", "grid_low")]
    assert all((tmp_path / "p" / file).exists() for file in own)
    assert "low_0" in own["blocks_z_grid_low.png"].caption and "12 images" in own["blocks_z_information.png"].caption
    numbers = json.loads((tmp_path / "p" / "latents.json").read_text())["z"]["information"]
    bars, *rows = drawings["blocks_z_information.png"].axes
    np.testing.assert_allclose([bar.get_width() for bar in bars.patches],
                               [numbers["mutual_information.z2"], numbers["mutual_information.low"]])
    assert [label.get_text() for label in bars.get_yticklabels()] == ["z2", "low"]
    assert bars.get_xlabel() == "I(x;z_l) (nats)" and bars.lines[0].get_xdata()[0] == pytest.approx(np.log(12))
    assert drawings["blocks_z_information.png"].get_suptitle() == (
        f"I(x;z) = {numbers['mutual_information']:.2f} nats")
    assert [row.get_title("left") for row in rows] == [
        f"{name} drawn from its prior, the others fixed" for name in ("z2", "low")]
    assert len(rows) == 2 and not np.array_equal(rows[0].images[0].get_array(), rows[1].images[0].get_array())


def test_panel_shows_the_draws_of_its_rows(part, x, drawings, tmp_path):
    information = {"mutual_information.low": 1.0, "mutual_information.z2": 0.5, "mutual_information": 1.25}
    information_flow.panel(part, information, x[0], 12, tmp_path / "p.png", "after 7 iterations: ", count=3)
    drawing = drawings["p.png"]
    assert drawing.get_suptitle() == "after 7 iterations: I(x;z) = 1.25 nats"
    expected = block_codes.sampled_blocks(part, x[:1], part.blocks[::-1], 3)[0]
    for row, cell in enumerate(drawing.axes[1:]):
        shown = cell.images[0].get_array()[MARGIN + 30, MARGIN + 4:][:3 * STEP].astype(float)
        for column in range(3):
            np.testing.assert_allclose(shown[column * STEP:][:27:9, 0], 255 * expected[row, column, 3, :3, 0], atol=1)


def pixels(path, row, column, rows, columns, gap=0):
    """Brightness of the first three pixel columns of a cell of a labelled grid; gap: more pixels between rows."""
    picture = np.asarray(Image.open(path)).astype(float)[..., 0]
    top = picture.shape[0] - MARGIN + 2 + gap - (rows - row) * (STEP + gap)
    left = picture.shape[1] - MARGIN + 2 - (columns - column) * STEP
    return picture[top + 30, left + 4:left + 31:9]


def test_selected_units_are_those_with_the_largest_kl(part, grid):
    statistics = latent_statistics.latent_statistics(part, grid, 12, np.random.RandomState(0))
    low = int(np.argmax(statistics.kl[:2]))
    assert block_pictures.selected(part, statistics) == [2, low]
    statistics.kl[:2] = statistics.kl[:2][::-1].copy()
    assert block_pictures.selected(part, statistics) == [2, 1 - low]


def test_pictures_hold_what_they_say(part, x, tmp_path):
    block_pictures.sampled(part, x[:1], tmp_path / "sampled.png", count=4)
    drawn = block_codes.sampled_blocks(part, x[:1], part.blocks[::-1], 4)[0]
    for row, column in np.ndindex(2, 6):
        expected = x[0, 3, :3, 0] if column < 2 else drawn[row, column - 2, 3, :3, 0]
        np.testing.assert_allclose(pixels(tmp_path / "sampled.png", row, column, 2, 6, gap=10), 255 * expected, atol=1)
    block_pictures.grid(part, part.blocks[0], x[0], tmp_path / "grid.png", 2.0, num_values=3)
    cells = block_codes.gridded_block(part, x[0], part.blocks[0], [-2, 0, 2])
    for row, column in np.ndindex(3, 3):
        np.testing.assert_allclose(pixels(tmp_path / "grid.png", row, column, 3, 3), 255 * cells[row, column, 3, :3, 0],
                                   atol=1)


def test_units_picture_varies_the_selected_unit(ladder, grid, tmp_path):
    visualize_model(ladder, grid, tmp_path / "p", num_images=12, span=2.5, **SMALL)
    statistics = latent_statistics.latent_statistics(ladder.parts()[0], grid, 12, np.random.RandomState(0))
    for row, unit in enumerate(block_pictures.selected(ladder.parts()[0], statistics)):
        shown = np.stack([pixels(tmp_path / "p" / "blocks_z_units.png", row, column, 2, 9) for column in range(9)])
        values = ladder.parts()[0].units[unit].at(np.linspace(-2.5, 2.5, 9))
        np.testing.assert_allclose(shown[:, unit], 255 * sigmoid(values), atol=1)
        assert np.ptp(np.delete(shown, unit, axis=1), axis=0).max() == 0


def test_one_group_has_no_pictures_of_blocks(painter, two_stages, grid, tmp_path):
    for name, model in (("one", painter), ("two", two_stages)):
        pictures = visualize_model(model, grid, tmp_path / name, num_images=12, **SMALL)
        assert not [picture for picture in pictures if "block" in (picture.file + picture.section).lower()]
        assert "information" not in json.loads((tmp_path / name / "latents.json").read_text())["z"]


def test_blocks_without_a_posterior_are_a_remark(painter, grid, tmp_path):
    painter.code_spec, painter.posterior = [("normal", 2), ("normal", 1)], None
    pictures = visualize_model(painter, grid, tmp_path / "p", num_images=12, **SMALL)
    assert "blocks of Z: the model has no posterior" in (
        tmp_path / "p" / "report.html").read_text()
    assert not [picture for picture in pictures if picture.section.startswith("Blocks")]


class Lookup:
    """Images of one pixel, whose value n has the posterior N(means[n], deviation)."""

    def __init__(self, means, spec, deviation=1e-3):
        self.means, self.deviation, self.code_spec = np.asarray(means, np.float32), deviation, spec
        self.data = ResidentGrid("numbers", ["n"], [len(means)],
                                 np.arange(len(means), dtype=np.uint8).reshape(-1, 1, 1, 1))

    def information(self):
        part = Part("z", LatentSpec(self.code_spec), lambda x: self.posterior(x).mean(), self.posterior, None, None)
        return latent_statistics.latent_statistics(part, self.data, 5000, np.random.RandomState(0)).information

    def posterior(self, x):
        rows = tf.gather(self.means, tf.cast(tf.round(x[:, 0, 0, 0] * 255.0), tf.int32))
        return tfp.distributions.MultivariateNormalDiag(rows, self.deviation * tf.ones_like(rows))


@pytest.mark.parametrize("means, expected", [
    (np.stack(np.divmod(np.arange(63), 9), axis=1), [np.log(7), np.log(9), np.log(63), 0.0]),
    (np.stack([np.arange(60)] * 2, axis=1), [np.log(60)] * 4),
    (np.ones((40, 2)), [0.0] * 4)], ids=["row and column", "duplicated block", "identical posteriors"])
def test_known_answers(means, expected):
    found = Lookup(means, [("normal", 1), ("normal", 1)]).information()
    assert list(found) == ["mutual_information.z1", "mutual_information.z2", "mutual_information",
                           "overlapping_information"]
    np.testing.assert_allclose(list(found.values()), expected, atol=1e-9)


def test_well_separated_posteriors_know_each_of_1024_images():
    means = np.stack([np.arange(1024), np.zeros(1024)], axis=1)
    two = Part("z", LatentSpec([("normal", 1), ("normal", 1)]), None, None, None, None)
    found = latent_statistics.information_by_block(two, means, np.full_like(means, 1e-3), [], seed=0)
    np.testing.assert_allclose(list(found.values()), [np.log(1024), 0.0, np.log(1024), 0.0], atol=1e-9)
    assert found["mutual_information"] == pytest.approx(6.9315, abs=1e-4)


def test_information_equals_its_numpy_twin_and_is_the_same_each_time():
    """log q(z_l|x) - log q(z_l) by loops, with the draws of the stream that the seed gives."""
    rng = np.random.RandomState(1)
    mean, stddev = rng.normal(size=(30, 3)), rng.uniform(0.2, 0.9, (30, 3))
    part = Part("z", LatentSpec([("normal", 2), ("categorical", 2), ("normal", 1)]), None, None, None, None)
    table = np.log(rng.dirichlet([1, 1], 30))
    found = latent_statistics.information_by_block(part, mean, stddev, [table], seed=3)
    assert found == latent_statistics.information_by_block(part, mean, stddev, [table], seed=3)
    copies = 34  # 1,020 samples
    stream = np.random.RandomState(3)
    rows = stream.permutation(30 * copies) % 30
    z = mean[rows] + stddev[rows] * stream.normal(size=(len(rows), 3))
    d = (stream.uniform(size=len(rows)) > np.exp(table[rows, 0])).astype(int)

    def information(units, classes):
        values = []
        for row, code, chosen in zip(rows, z, d):
            logs = sum((-0.5 * ((code[j] - mean[:, j]) / stddev[:, j]) ** 2 - np.log(stddev[:, j]) for j in units),
                       table[:, chosen] if classes else np.zeros(30))
            values.append(logs[row] - np.log(np.mean(np.exp(logs))))
        return np.mean(values)

    blocks = {"z1": information([0, 1], False), "d0": information([], True), "z2": information([2], False)}
    total = information([0, 1, 2], True)
    expected = {**{f"mutual_information.{name}": value for name, value in blocks.items()}, "mutual_information": total,
                "overlapping_information": sum(blocks.values()) - total}
    assert found == pytest.approx(expected, rel=1e-6)
