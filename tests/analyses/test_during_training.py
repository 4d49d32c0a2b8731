"""Analyses during training: right numbers, the same weights, the same rows after a crash."""

import logging
import os
import signal
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.analyses import during_training
from dislib_plus.configuration import ConfigurationError
from dislib_plus.data import get_named_ground_truth_data, registry
from dislib_plus.evaluation.metrics import information_tracking, med
from dislib_plus.evaluation.metrics.active_variables import active_variables
from dislib_plus.latents import LatentSpec, Part
from dislib_plus.training import csv_series
from support.analysed_runs import Interrupted, crash_at, events, pictures, same_analyses, tables, values

ON = ["dataset.name = 'tiny_grid'", "analyses.every_steps = 7", "analyses.num_samples = 40"]
SERIES = ("kl_per_dimension", "active_units", "information", "diffusion", "med", "kl_decomposition", "loss_weights")


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    return tmp_path_factory.mktemp("whole")


@pytest.fixture
def whole(train, shared):
    """Folder of an unbroken run with all analyses, trained once."""
    if not (shared / "model.keras").exists():
        train(shared, *ON)
    return shared


def test_weights_are_those_without_analyses(train, weights, tmp_path, whole):
    train(tmp_path / "off", ON[0])
    plain, analysed = weights(tmp_path / "off"), weights(whole)
    assert plain.keys() == analysed.keys() and not (tmp_path / "off" / "analyses").exists()
    for name in plain:
        np.testing.assert_array_equal(plain[name], analysed[name])


@pytest.mark.parametrize("parts", [None, [Part("z", LatentSpec(2), None, None, None, None)]])
def test_a_model_without_posteriors_is_refused(parts, tmp_path):
    model = type("Codes", (), {} if parts is None else {"parts": lambda self: parts, "posterior": None})()
    settings = during_training.AnalysisSettings(every_steps=5)
    with pytest.raises(ConfigurationError, match="needs a model with posteriors.*Codes does not have; received 5"):
        settings.watchers(0, 10, model, None, tmp_path, tmp_path)
    assert during_training.AnalysisSettings().watchers(0, 10, model, None, tmp_path, tmp_path) == []


def test_files_of_a_run(whole):
    steps = [0, 7, 14, 21, 28, 30]
    assert set(tables(whole)) == set(SERIES)
    for name in SERIES:
        assert [step for step, _ in csv_series.read(whole / "analyses" / "train" / f"{name}.csv")] == steps
    assert list(pictures(whole)) == [f"traversals_{step:09d}.png" for step in steps]
    drawn = {path.stem for path in (whole / "analyses" / "train").glob("*.png")} - {"traversals"}
    assert {"kl_per_dimension", "active_units", "diffusion", "med", "kl_decomposition", "loss_weights"} <= drawn
    tags = events(whole)
    assert len({(tag, step) for tag, step, _ in tags}) == len(tags)
    stored = {(tag, step): value for tag, step, value in tags if tag != "traversals"}
    for name in SERIES:
        for step, row in csv_series.read(whole / "analyses" / "train" / f"{name}.csv"):
            for column, value in row.items():
                assert stored.pop((f"{name}/{column}", step)) == np.float32(value)
    assert not stored and [step for tag, step, _ in tags if tag == "traversals"] == steps


def test_last_row_is_what_the_saved_model_gives(whole):
    """Closed forms and counts, from the posteriors of all 64 images."""
    model = keras.models.load_model(whole / "model.keras", compile=False)
    q = model.posterior(registry._FACTORIES["tiny_grid"](".").observations(tf.range(64)))
    mean, stddev = q.mean().numpy().astype(np.float64), q.stddev().numpy().astype(np.float64)
    kl = np.mean(0.5 * (mean ** 2 + stddev ** 2 - 1) - np.log(stddev), axis=0)
    found = values(whole, "kl_per_dimension")
    np.testing.assert_allclose([found[f"z{j}"] for j in range(3)], kl, rtol=1e-4)
    variances = np.var(mean, axis=0, ddof=1)
    assert values(whole, "active_units")["num_active_variables"] == (variances > 0.01).sum()
    parts = values(whole, "kl_decomposition")
    assert parts["kl"] == pytest.approx(kl.sum(), rel=1e-4)
    total = parts["mutual_information"] + parts["total_correlation"] + parts["dimension_wise_kl"]
    assert total == pytest.approx(parts["kl"], rel=1e-4)
    assert values(whole, "loss_weights") == {"ridge": 0.5}


def factors_of_grid():
    return np.stack([np.arange(64) // 16, np.arange(64) % 16], axis=1)


def test_med_is_that_of_the_mean_codes(whole):
    model = keras.models.load_model(whole / "model.keras", compile=False)
    codes = model.represent(registry._FACTORIES["tiny_grid"](".").observations(tf.range(64))).numpy()
    assert values(whole, "med") == pytest.approx(med.med(codes, factors_of_grid()), rel=1e-6)


def test_every_layer_of_devae_is_scored(train, tmp_path):
    train(tmp_path, *ON, "analyses.which = ['active_units', 'med']", "model.model = @devae()", "devae.betas = (1., 8.)",
          "devae.scale = 1.", "model.training_steps = 9")
    model = keras.models.load_model(tmp_path / "model.keras", compile=False)
    x = registry._FACTORIES["tiny_grid"](".").observations(tf.range(64))
    layers = [model.represent(x, layer=layer).numpy() for layer in range(2)]
    assert not np.allclose(*layers)
    for name, score in (("med", lambda codes: med.med(codes, factors_of_grid())), ("active_units", active_variables)):
        expected = {f"{key}.layer{layer}" if layer else key: value for layer, codes in enumerate(layers)
                    for key, value in score(codes).items()}
        assert values(tmp_path, name, 9) == pytest.approx(expected, rel=1e-5)
        assert (tmp_path / "analyses" / "train" / f"{name}.png").exists()


def test_information_is_the_plug_in_value_of_sampled_codes(whole):
    """157 samples an image make 10,000 and more: twin by joint histograms, with noise of its own."""
    model = keras.models.load_model(whole / "model.keras", compile=False)
    q = model.posterior(registry._FACTORIES["tiny_grid"](".").observations(tf.range(64)))
    z = q.mean().numpy()[None] + q.stddev().numpy()[None] * np.random.RandomState(5).normal(size=(157, 64, 3))
    factors = np.tile(factors_of_grid(), (157, 1, 1))
    for j in range(3):
        for k, name in enumerate("ab"):
            joint = np.histogram2d(z[..., j].ravel(), factors[..., k].ravel(), [20, 16 if k else 4])[0] / z[..., j].size
            outer = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
            twin = np.sum(joint[joint > 0] * np.log(joint[joint > 0] / outer[joint > 0]))
            assert values(whole, "information")[f"z{j}.{name}"] == pytest.approx(twin, abs=0.02)


def test_diffusion_is_that_of_the_whole_history(whole):
    rows = csv_series.read(whole / "analyses" / "train" / "information.csv")
    history = np.array([[[row[f"z{j}.{name}"] for name in "ab"] for j in range(3)] for _, row in rows])
    expected = information_tracking.diffusion_indicators(history)
    for number, (step, _) in enumerate(rows):
        assert values(whole, "diffusion", step) == {
            f"{name}.{factor}": expected[name][number][k] for name in expected for k, factor in enumerate("ab")}


@pytest.mark.parametrize("step", [5, 18, 30])
def test_resumed_run_has_each_row_once(train, tmp_path, monkeypatch, whole, step):
    """Crashes before the first checkpoint (10), with rows after the last one, and before the last is saved."""
    mend = crash_at(monkeypatch, step)
    with pytest.raises(Interrupted):
        train(tmp_path, *ON)
    mend()
    assert len(csv_series.read(tmp_path / "analyses" / "train" / "information.csv")) == {5: 1, 18: 3, 30: 6}[step]
    train(tmp_path, *ON)
    same_analyses(whole, tmp_path)


def test_several_steps_an_execution(train, tmp_path, whole, monkeypatch):
    bindings = [*ON, "model.steps_per_execution = 3", "model.checkpoint_steps = 9",
                "analyses.which = ['kl_per_dimension']"]
    mend = crash_at(monkeypatch, 18)
    with pytest.raises(Interrupted):
        train(tmp_path, *bindings)
    mend()
    train(tmp_path, *bindings)
    rows = csv_series.read(tmp_path / "analyses" / "train" / "kl_per_dimension.csv")
    assert [step for step, _ in rows] == [0, 9, 15, 21, 30]
    assert list(tables(tmp_path)) == ["kl_per_dimension"] and dict(rows)[21] == pytest.approx(
        values(whole, "kl_per_dimension", 21), rel=1e-6)


def test_analyses_may_be_changed_when_a_run_is_resumed(train, tmp_path, monkeypatch, whole):
    mend = crash_at(monkeypatch, 18)
    with pytest.raises(Interrupted):
        train(tmp_path, ON[0])
    mend()
    train(tmp_path, *ON)
    rows = csv_series.read(tmp_path / "analyses" / "train" / "information.csv")
    assert [step for step, _ in rows] == [14, 21, 28, 30] and dict(rows)[30] == values(whole, "information")


def test_set_without_factors_and_overwriting(train, tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        train(tmp_path, *ON[1:], "model.training_steps = 3")
    assert "data set 'tiny' has no factors, so I(z;c) and MED are not tracked" in caplog.text
    assert set(tables(tmp_path)) == set(SERIES) - {"information", "diffusion", "med"} and len(pictures(tmp_path)) == 2
    train(tmp_path, "model.training_steps = 2", overwrite=True)
    assert not (tmp_path / "analyses").exists() and not (tmp_path / "events" / "train" / "analyses").exists()


def test_each_stage_of_ms_vae_shows_what_it_trains(train, tmp_path):
    train(tmp_path, "dataset.name = 'toy_dsprites_small'", "analyses.num_images = 40", *ON[1:],
          "model.model = @ms_vae()", "ms_vae.stage_one = @Ridge()", "ms_vae.z_size = 2", "ms_vae.stage_one_steps = 8",
          "model.training_steps = 7", "residual_encoder.width = 2", "film_generator.width = 2")
    assert set(values(tmp_path, "kl_per_dimension", 8, "stage_one")) == {"z0", "z1", "z2"}
    model = keras.models.load_model(tmp_path / "model.keras", compile=False)
    dataset = get_named_ground_truth_data("toy_dsprites_small")
    x = dataset.observations(np.sort(np.random.RandomState(0).choice(dataset.num_observations, 40, replace=False)))
    q = model.infer_z(x, model.first_stage(x))
    kl = np.mean(0.5 * (q.mean() ** 2 + q.stddev() ** 2 - 1) - np.log(q.stddev()), axis=0)
    found = values(tmp_path, "kl_per_dimension", 7, "stage_two")
    np.testing.assert_allclose(list(found.values()), kl, rtol=1e-4, atol=1e-6)
    assert list(found) == ["z0", "z1"] and set(values(tmp_path, "information", 7, "stage_two")) == {
        f"z{j}.{factor}" for j in range(2) for factor in dataset.factor_names}


@pytest.mark.parametrize("binding, message", [
    ("every_steps = 0", "analyses.every_steps must be an integer >= 1; received 0"),
    ("which = ['kl']", "analyses.which must list some of kl_per_dimension, .*received \\['kl'\\]"),
    ("which = []", "analyses.which must list some of"), ("which = 'traversals'", "analyses.which must list some of"),
    ("num_bins = 100000", "analyses.num_bins must be a number <= 10000"),
    ("num_samples = 10000000", "analyses.num_samples must be a number <= 1000000"),
    ("num_images = 1", "analyses.num_images must be an integer >= 2"),
    ("span = -1.", "analyses.span must be a number > 0")])
def test_bad_arguments_leave_nothing(train, tmp_path, binding, message):
    with pytest.raises(ValueError, match=message):
        train(tmp_path / "run", ON[0], f"analyses.{binding}")
    assert not (tmp_path / "run").exists()


def test_no_analyses_by_default():
    assert during_training.AnalysisSettings().watchers(0, 10, None, None, None, None) == []


@pytest.mark.slow
def test_kill_9_loses_and_doubles_no_row(command, tmp_path):
    """SIGKILL while rows are written; all runs are real processes, so that all have the settings of the command."""
    bindings = [f"--gin_bindings={binding}" for binding in (
        "dataset.name = 'toy_dsprites_small'", "analyses.every_steps = 3", "analyses.num_images = 50", ON[2],
        "model.checkpoint_steps = 10", "model.training_steps = 60")]
    process = command(tmp_path / "killed", *bindings)
    rows = tmp_path / "killed" / "analyses" / "train" / "information.csv"
    while not rows.is_file() or len(rows.read_text().splitlines()) < 7:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.001)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (tmp_path / "killed" / "model.keras").exists()
    for name in ("killed", "whole"):
        process = command(tmp_path / name, *bindings)
        assert process.communicate(timeout=500) and process.returncode == 0
    same_analyses(tmp_path / "whole", tmp_path / "killed")
    assert [step for step, _ in csv_series.read(rows)] == list(range(0, 61, 3))
