"""All pictures of a model, and the report."""

import base64
import html.parser
import json
import re

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from dislib_plus.data import ResidentGrid, get_named_ground_truth_data
from dislib_plus.visualize import reconstructions, samples
from dislib_plus.visualize.visualize_model import Gallery, visualize_model

MARK = ".made_by_dislib_visualize"
COMMON = {"reconstructions.png", "kl.png", "samples.png", "latents.json", "report.html", MARK}
SMALL = {"num_animations": 2, "num_frames": 3, "num_images": 12, "num_traversals": 1, "num_samples": 5}


class Reader(html.parser.HTMLParser):
    """Collects the tags that are open, all addresses, and the text."""

    def __init__(self, page):
        super().__init__()
        self.open, self.addresses, self.text = [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.addresses += [value for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read_report(folder):
    page = Reader((folder / "report.html").read_text(encoding="utf-8"))
    assert not page.open
    return page


def run_directory(tmp_path):
    """A run as training and evaluation leave it, without the model."""
    run = tmp_path / "run"
    for folder in ("results/gin", "results/json", "evaluation/mig/results/json"):
        (run / folder).mkdir(parents=True)
    (run / "results/gin/train.gin").write_text(
        "model.training_steps = 70\nvae.beta = 4.0\nmodel.name = '<b>bold</b>'\n")
    (run / "results/json/train_results.json").write_text(json.dumps(
        {"elbo": -1234.5678, "global_step": 70000, "uuid": "secret", "environment.python": "3"}))
    (run / "evaluation/mig/results/json/evaluation_results.json").write_text(json.dumps(
        {"discrete_mig": 0.123456, "elapsed_time": 5.0, "comparable": False, "matrix": [[1.0]]}))
    return run


def test_single_stage_model_with_factors(painter, grid, tmp_path):
    pictures = visualize_model(painter, grid, tmp_path / "pictures", **SMALL)
    written = {path.name for path in (tmp_path / "pictures").iterdir()}
    assert written == COMMON | {"mutual_information.png", "traversals_z.gif", "traversals_z_0.png"}
    assert {picture.file for picture in pictures} == {name for name in written if name.endswith((".png", ".gif"))}
    numbers = json.loads((tmp_path / "pictures/latents.json").read_text())
    np.testing.assert_allclose(numbers["z"]["mutual_information"], [[np.log(3), 0], [0, np.log(4)], [0, 0]], atol=1e-12)


def test_two_stage_model_has_both_parts(two_stages, grid, tmp_path):
    visualize_model(two_stages, grid, tmp_path / "pictures", **SMALL)
    written = {path.name for path in (tmp_path / "pictures").iterdir()}
    assert written == COMMON | {"mutual_information.png", "traversals_c.gif", "traversals_c_0.png", "traversals_z.gif",
                                "traversals_z_0.png"}
    assert set(json.loads((tmp_path / "pictures/latents.json").read_text())) == {"c", "z"}


def test_set_without_factors_says_what_is_not_drawn(painter, plain_images, tmp_path):
    visualize_model(painter, plain_images, tmp_path / "pictures", **SMALL)
    assert not (tmp_path / "pictures/mutual_information.png").exists()
    text = " ".join(read_report(tmp_path / "pictures").text)
    assert "Not drawn" in text and "the data set has no ground-truth factors" in text


def test_report_is_complete_and_needs_no_other_file(painter, grid, tmp_path):
    run = run_directory(tmp_path)
    folder = run / "pictures"
    pictures = visualize_model(painter, grid, folder, model_dir=run, **SMALL)
    page = read_report(folder)
    assert len(page.addresses) == len(pictures)
    contents = [base64.b64decode(re.fullmatch(r"data:image/(?:png|gif);base64,(.+)", address).group(1))
                for address in page.addresses]
    assert sorted(contents) == sorted((folder / picture.file).read_bytes() for picture in pictures)
    text = " ".join(" ".join(page.text).split())
    for expected in ("Painter on tiny_grid", "shape 3, angle 4", "steps 70", "higher is better -1,234.6",
                     "at least 0 70,000", "discrete_mig 0.1235", "comparable False", "vae.beta 4.0",
                     "'<b>bold</b>'", "mig"):
        assert expected in text, expected
    for hidden in ("secret", "elapsed_time", "matrix", "environment.python"):
        assert hidden not in text


def test_two_calls_give_equal_files(two_stages, grid, tmp_path):
    for name in ("first", "second"):
        visualize_model(two_stages, grid, tmp_path / name, **SMALL)
    for path in (tmp_path / "first").iterdir():
        assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes(), path.name


def test_nothing_is_written_when_a_picture_fails(painter, grid, tmp_path, monkeypatch):
    visualize_model(painter, grid, tmp_path / "pictures", **SMALL)
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "pictures").iterdir()}
    monkeypatch.setattr(painter, "sample", lambda count, seed: np.full((count, 8, 8, 1), np.nan), raising=False)
    with pytest.raises(ValueError, match="images must be finite"):
        visualize_model(painter, grid, tmp_path / "pictures", overwrite=True, **SMALL)
    with pytest.raises(ValueError, match="images must be finite"):
        visualize_model(painter, grid, tmp_path / "other", **SMALL)
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "pictures").iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["pictures"]


def test_overwrite_replaces_only_what_was_made_here(painter, grid, tmp_path):
    folder = tmp_path / "pictures"
    visualize_model(painter, grid, folder, **SMALL)
    with pytest.raises(ValueError, match="is not empty; choose another folder or pass --overwrite"):
        visualize_model(painter, grid, folder, **SMALL)
    visualize_model(painter, grid, folder, overwrite=True, **{**SMALL, "num_traversals": 0})
    assert not (folder / "traversals_z_0.png").exists() and (folder / "report.html").exists()
    (folder / "mine.png").touch()
    with pytest.raises(ValueError, match="pictures holds mine.png, which dislib_visualize did not write and"):
        visualize_model(painter, grid, folder, overwrite=True, **SMALL)
    (folder / "mine.png").unlink()
    (folder / MARK).unlink()
    with pytest.raises(ValueError, match="holds kl.png and 6 more, which dislib_visualize did not write"):
        visualize_model(painter, grid, folder, overwrite=True, **SMALL)
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="must be a folder"):
        visualize_model(painter, grid, tmp_path / "file", **SMALL)


def test_the_names_of_pictures_cannot_lead_out_of_the_folder(tmp_path):
    gallery = Gallery(tmp_path)
    assert gallery.add("a", "kl.png", "a", "b") == tmp_path / "kl.png"
    assert gallery.add("a", "traversals_../../x.gif", "a", "b").parent == tmp_path
    assert gallery.pictures[1].file == gallery.add("a", "traversals_../../x.gif", "a", "b").name


def test_what_a_killed_process_left_is_removed(painter, grid, tmp_path, abandoned):
    abandoned(tmp_path, ".pictures.")
    (tmp_path / ".pictures.12345678").mkdir()
    visualize_model(painter, grid, tmp_path / "pictures", **SMALL)
    assert {path.name for path in tmp_path.iterdir()} == {"pictures", ".pictures.12345678"}


def test_reconstruction_errors(two_stages, grid, tmp_path):
    x = np.array(grid.observations(np.arange(4)))
    x[:, :, -1] = 0.5
    errors = reconstructions.reconstructions(two_stages, x, tmp_path / "r.png", columns=2)
    assert errors["X"] < 1e-4
    np.testing.assert_allclose(errors["Y"] - errors["X"], 0.25 / 8, rtol=1e-4)
    picture = np.asarray(Image.open(tmp_path / "r.png"))
    assert picture.shape[0] == 8 + 6 * 72 + 5 * 2 + 10 + 8  # two groups of input, Y and X


def test_contact_sheet_leaves_the_rest_white(tmp_path):
    samples.contact_sheet(np.zeros((5, 72, 72, 3)), tmp_path / "s.png", num_rows=2)
    picture = np.asarray(Image.open(tmp_path / "s.png"))
    assert (picture == 0).all(axis=-1).sum() == 5 * 72 * 72
    assert (picture[-80:, -80:] == 255).all()


def test_what_cannot_be_drawn_is_refused(painter, grid, tmp_path):
    with pytest.raises(ValueError, match="object has none of levels, parts, sample"):
        visualize_model(object(), grid, tmp_path / "pictures", **SMALL)
    painter.observation_shape = (16, 16, 3)
    with pytest.raises(ValueError, match=r"images \(16, 16, 3\), and data set 'tiny_grid' has \(8, 8, 1\)"):
        visualize_model(painter, grid, tmp_path / "pictures", **SMALL)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("channels", [2, 4])
def test_a_model_of_other_channels_shows_them_side_by_side(painter, grid, tmp_path, channels):
    images = np.asarray(grid.observations(np.arange(12)) * 255).round().astype(np.uint8)
    deep = ResidentGrid("deep", ["shape", "angle"], [3, 4], np.repeat(images, channels, axis=-1))
    decode, painter.observation_shape = painter.decode, (8, 8, channels)
    painter.decode = lambda z: tf.repeat(decode(z), channels, axis=-1)
    visualize_model(painter, deep, tmp_path / "pictures", **SMALL)
    drawn = {path.name for path in (tmp_path / "pictures").iterdir()}
    assert COMMON | {"traversals_z_0.png", "traversals_z.gif"} <= drawn
    assert "side by side, in grey" in " ".join(read_report(tmp_path / "pictures").text)
    visualize_model(type(painter)(), grid, tmp_path / "plain", **SMALL)
    wide, plain = (Image.open(tmp_path / name / "samples.png").size for name in ("pictures", "plain"))
    assert wide[1] == plain[1] and wide[0] - plain[0] == 5 * 72 * (channels - 1)


@pytest.mark.parametrize("size, value, rule", [
    ("num_animations", 100000, "a number <= 24"), ("num_frames", 0, "an integer >= 1"), ("fps", 101, "a number <= 100"),
    ("num_traversals", 25, "a number <= 24"), ("num_samples", 10 ** 9, "a number <= 10000"),
    ("num_images", "all", "an integer >= 1"), ("span", 0, "a number > 0")])
def test_sizes_out_of_bounds_write_nothing(painter, grid, tmp_path, size, value, rule):
    with pytest.raises(ValueError, match=rf"visualize.{size} must be {rule}; received {value!r}"):
        visualize_model(painter, grid, tmp_path / "pictures", **{**SMALL, size: value})
    assert not list(tmp_path.iterdir())


def test_fewer_images_than_traversals(painter, grid, tmp_path):
    visualize_model(painter, grid, tmp_path / "pictures", **{**SMALL, "num_traversals": 20})
    assert len(list((tmp_path / "pictures").glob("traversals_z_*.png"))) == 12


def test_data_without_images_are_refused(painter, tmp_path):
    with pytest.raises(ValueError, match=r"'pendulum' cannot be drawn: .*, its observations \[100\]"):
        visualize_model(painter, get_named_ground_truth_data("pendulum"), tmp_path / "pictures", **SMALL)
