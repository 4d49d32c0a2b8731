"""I(x;z_l) of the blocks during training: at the ends of progressive steps by themselves, and every so many steps."""

import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from scipy import stats

from dislib_plus.analyses import during_training, latent_analyses
from dislib_plus.data import registry
from dislib_plus.methods import VAE, Method
from support.analysed_runs import Interrupted, crash_at, events, pictures, same_analyses, steps_of, tables, values

BLOCKS = ["dataset.name = 'tiny_grid'", "encoder.num_latent = [('normal', 2), ('normal', 1)]",
          "analyses.which = ['latent_information']", "model.model = @vae()", "vae.beta = 0.",
          "AdamOptimizer.learning_rate = 0.05"]
EVERY = "analyses.every_steps = 7"
FLOW = ["information_flow_000000009.png", "information_flow_000000021.png", "information_flow_000000030.png"]


@pytest.fixture
def progressive(monkeypatch):
    """All methods have progressive steps that end after 9 and 21 updates; the last goes on to the end."""
    monkeypatch.setattr(Method, "step_ends", [9, 21])


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    return tmp_path_factory.mktemp("whole")


@pytest.fixture
def whole(train, shared, progressive):
    """Folder of an unbroken run, trained once."""
    if not (shared / "model.keras").exists():
        train(shared, *BLOCKS, EVERY)
    return shared


def test_rows_every_so_many_steps_and_at_the_ends_of_progressive_steps(whole):
    assert steps_of(whole, "latent_information") == [0, 7, 9, 14, 21, 28, 30]
    assert list(pictures(whole, name="information_flow")) == FLOW
    assert list(tables(whole)) == ["latent_information"]
    found = events(whole)
    assert [step for tag, step, _ in found if tag == "information_flow"] == [9, 21, 30]
    scalars = {(tag, step): value for tag, step, value in found if tag != "information_flow"}
    for step in steps_of(whole, "latent_information"):
        for column, value in values(whole, "latent_information", step).items():
            assert scalars.pop((f"latent_information/{column}", step)) == np.float32(value)
    assert not scalars


def test_last_row_equals_a_twin_of_the_saved_model(whole):
    """Densities by SciPy and noise of its own: 16 samples of each of 64 images."""
    model = keras.models.load_model(whole / "model.keras", compile=False)
    q = model.posterior(registry._FACTORIES["tiny_grid"](".").observations(tf.range(64)))
    z = q.sample(16, seed=4).numpy()
    blocks = {name: [block.mean().numpy(), block.stddev().numpy()]
              for name, block in zip(("z1", "z2"), q.parameters["distributions"])}
    table = {name: stats.norm.logpdf(z[:, :, None, columns], *parts).sum(axis=-1)
             for (name, parts), columns in zip(blocks.items(), (slice(0, 2), slice(2, 3)))}

    def information(logs):
        own = np.diagonal(logs, axis1=1, axis2=2)
        return np.mean(own - np.log(np.mean(np.exp(logs), axis=2)))

    found = values(whole, "latent_information")
    expected = {**{f"mutual_information.{name}": information(logs) for name, logs in table.items()},
                "mutual_information": information(table["z1"] + table["z2"])}
    total = found.pop("overlapping_information")
    assert list(found) == list(expected) and found == pytest.approx(expected, abs=0.1)
    assert max(found.values()) > 0.5
    assert total == pytest.approx(found["mutual_information.z1"] + found["mutual_information.z2"]
                                  - found["mutual_information"], abs=1e-6)


def test_one_picture_a_run_shows_the_progressive_steps(whole):
    folder = whole / "analyses" / "train"
    whole_run = np.asarray(Image.open(folder / "information_flow.png"))
    panels = [np.asarray(Image.open(folder / name).convert("RGB")) for name in FLOW]
    np.testing.assert_array_equal(whole_run, np.concatenate(panels))
    assert len({panel.tobytes() for panel in panels}) == 3
    assert (folder / "latent_information.png").exists()


def test_analyses_at_the_ends_of_progressive_steps_need_no_settings(train, tmp_path, whole, monkeypatch):
    """Schedules are those of the last update of a step then."""
    seen, look = [], latent_analyses.LatentAnalyses.look
    monkeypatch.setattr(latent_analyses.LatentAnalyses, "look", lambda self: seen.append(int(self.model.step)) or look(
        self))
    train(tmp_path / "run", *BLOCKS)
    assert seen == [0, 8, 20, 30]
    assert steps_of(tmp_path / "run", "latent_information") == [0, 9, 21, 30]
    assert pictures(tmp_path / "run", name="information_flow") == pictures(whole, name="information_flow")
    assert values(tmp_path / "run", "latent_information") == values(whole, "latent_information")


def test_weights_are_those_without_analyses(train, tmp_path, whole, weights, monkeypatch):
    monkeypatch.setattr(Method, "step_ends", ())
    train(tmp_path, *BLOCKS)
    plain, analysed = weights(tmp_path), weights(whole)
    assert plain.keys() == analysed.keys() and not (tmp_path / "analyses").exists()
    for name in plain:
        np.testing.assert_array_equal(plain[name], analysed[name])


def test_one_group_is_left_alone(train, tmp_path, progressive):
    train(tmp_path, BLOCKS[0])
    assert not (tmp_path / "analyses").exists()


def test_blocks_without_progressive_steps(train, tmp_path):
    train(tmp_path, *BLOCKS, EVERY, "model.training_steps = 8")
    assert steps_of(tmp_path, "latent_information") == [0, 7, 8]
    assert not pictures(tmp_path, name="information_flow")


@pytest.mark.parametrize("step", [9, 30])
def test_resumed_run_has_each_row_and_picture_once(train, tmp_path, monkeypatch, whole, step):
    """Crashes at an end before the first checkpoint (10), and with two ends after the last one (20)."""
    mend = crash_at(monkeypatch, step)
    with pytest.raises(Interrupted):
        train(tmp_path, *BLOCKS, EVERY)
    mend()
    assert len(pictures(tmp_path, name="information_flow")) == {9: 1, 30: 3}[step]
    train(tmp_path, *BLOCKS, EVERY)
    same_analyses(whole, tmp_path)


def test_several_steps_an_execution(train, tmp_path, progressive):
    train(tmp_path, *BLOCKS, "model.steps_per_execution = 5", "model.checkpoint_steps = 10")
    assert steps_of(tmp_path, "latent_information") == [0, 10, 25, 30]
    assert len(pictures(tmp_path, name="information_flow")) == 3


def test_ends_count_the_updates_of_the_model(monkeypatch, progressive):
    """A model that was trained for 15 updates before this stage, of which 4 iterations are finished."""
    analyses = types.SimpleNamespace(part=types.SimpleNamespace(blocks=["a", "b"]))
    monkeypatch.setattr(during_training, "LatentAnalyses", lambda *args, **kwargs: analyses)
    model = VAE(latents=[("normal", 1), ("normal", 1)])
    model.build((None, 64, 64, 1))
    model.updates.assign(19)
    data = types.SimpleNamespace(num_factors=0, name="none")
    watcher = during_training.Analyses(4, 40, during_training.AnalysisSettings(), model, data, None, None)
    assert watcher.step_ends == [9 - 15, 21 - 15]
