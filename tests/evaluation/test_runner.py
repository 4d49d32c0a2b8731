"""The runner, end to end: a saved model of the library on a user's own data set."""

import json
import shutil
import warnings

import gin
import keras
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus import configuration, files, results
from dislib_plus.configuration import ConfigurationError
from dislib_plus.data import ResidentGrid
from dislib_plus.evaluation import evaluate, runner
from dislib_plus.evaluation.metrics import mig
from dislib_plus.evaluation.sources import source as sources
from dislib_plus.evaluation.steps import bound_metric, metric_files, metric_inputs, result_folder

pytestmark = pytest.mark.usefixtures("own_module")

SMALL = ["mig.num_train = 100", "mig_sup.num_train = 100", "elbo_decomposition.num_samples = 20",
         "factor_vae_score.num_train = 50", "factor_vae_score.num_eval = 20", "factor_vae_score.batch_size = 8",
         "factor_vae_score.num_variance_estimate = 60"]


def read(path):
    return json.loads(path.read_text())


def test_default_metrics_of_a_run_write_dlibs_files(trained, tmp_path):
    source = sources.from_directory(trained)
    scores = runner.run(source, output_dir=tmp_path, gin_bindings=SMALL)
    assert tuple(scores) == runner.DEFAULT_METRICS
    for name, values in scores.items():
        folder = tmp_path / name / "results"
        stored = read(folder / "json/evaluation_results.json")
        assert {key: stored[key] for key in values} == values and len(stored["uuid"]) == 36
        aggregate = read(folder / "aggregate/evaluation.json")
        assert aggregate["train_results.elbo"] == -3.0
        assert aggregate["evaluation_config.dataset.name"] == "'runner_grid'"
        assert aggregate["evaluation_config.evaluation.name"] == repr(name)
        assert aggregate["evaluation_config.evaluation.random_seed"] == "0"
        assert aggregate["evaluation_info.observations_encoded"] >= 0
        assert aggregate["evaluation_info.onednn"] in ("on", "off", "TensorFlow's default")
        assert {"evaluation_info.seconds", "evaluation_info.tensorflow",
                "evaluation_info.scikit_learn"} <= aggregate.keys()
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".")]


def test_scores_are_those_of_the_array_function(trained, tmp_path, own_module):
    source = sources.from_directory(trained)
    scores = runner.run(source, ["mig"], tmp_path, gin_bindings=["mig.num_train = 200"])
    own = own_module
    grid, model = own.grid("."), keras.models.load_model(trained / "model.keras")
    random_state = np.random.RandomState(0)
    parts = [grid.sample(min(16, 200 - start), random_state) for start in range(0, 200, 16)]
    factors = np.concatenate([part[0] for part in parts])
    codes = model.represent(tf.constant(np.concatenate([part[1] for part in parts]))).numpy()
    assert scores["mig"]["discrete_mig"] == pytest.approx(mig.mig(codes, factors)["discrete_mig"], abs=1e-9)


def test_codes_are_made_once_and_kept(trained, tmp_path):
    source = sources.from_directory(trained)
    (trained / "evaluation/.codes.npz").unlink(missing_ok=True)
    for folder in ("a", "b"):
        runner.run(source, ["mig", "mig_sup"], tmp_path / folder, gin_bindings=SMALL)
    encoded = [read(tmp_path / folder / name / "results/json/evaluation_info.json")["observations_encoded"]
               for folder in "ab" for name in ("mig", "mig_sup")]
    (trained / "evaluation/.codes.npz").unlink()
    assert 0 < encoded[0] <= 60 and encoded[1:] == [0, 0, 0]


def test_kept_codes_of_another_model_or_damaged_ones_are_not_used(trained, tmp_path):
    source = sources.from_directory(trained)
    first = runner.run(source, ["mig"], tmp_path / "a", gin_bindings=SMALL)
    kept = trained / "evaluation/.codes.npz"
    other = sources.Source("other", lambda x: 0.0 * source.function(tf.constant(x)).numpy(), source.model,
                                  key="other", folder=trained, results=source.results)
    assert runner.run(other, ["mig"], tmp_path / "b", gin_bindings=SMALL)["mig"]["discrete_mig"] == 0.0
    kept.write_bytes(b"PK damaged")
    with pytest.warns(UserWarning, match="damaged"):
        again = runner.run(source, ["mig"], tmp_path / "c", gin_bindings=SMALL)
    assert again["mig"]["discrete_mig"] == first["mig"]["discrete_mig"] > 0
    kept.unlink()


def test_kept_codes_of_data_that_have_changed_are_made_again(trained, tmp_path):
    """One pixel of an image far from any sample of a few; the data set's name and size stay."""
    source = sources.from_directory(trained)
    images = np.random.RandomState(2).randint(0, 256, (400, 4, 4, 1)).astype(np.uint8)
    encoded = []
    for pixel in (0, 0, 255):
        images = images.copy()
        images[201, 0, 0, 0] = pixel
        data = ResidentGrid("changing", ["row", "column"], [20, 20], images)
        inputs = metric_inputs.MetricInputs(source, data, cache_dir=tmp_path)
        _, lookup = inputs.data_and_representation()
        before = inputs.num_encoded
        lookup(np.arange(400))
        encoded.append(inputs.num_encoded - before)
        inputs.save_codes()
    assert encoded == [400, 0, 400]


def test_results_are_kept_unless_overwritten(trained, tmp_path):
    source = sources.from_directory(trained)
    runner.run(source, ["mig"], tmp_path, gin_bindings=SMALL)
    (tmp_path / "mig/notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="--overwrite"):
        runner.run(source, ["mig"], tmp_path, gin_bindings=SMALL)
    runner.run(source, ["mig"], tmp_path, gin_bindings=SMALL + ["evaluation.random_seed = 5"], overwrite=True)
    assert read(tmp_path / "mig/results/json/evaluation_info.json")["random_seed"] == 5
    assert (tmp_path / "mig/notes.txt").read_text() == "mine"


def test_a_failing_metric_leaves_nothing_and_the_others_are_computed(trained, tmp_path):
    source = sources.from_directory(trained)
    bad, reported = SMALL + ["reconstruction.num_images = 0"], []
    with pytest.raises(ValueError, match="^reconstruction failed: num_images must be an integer >= 1; received 0.$"):
        runner.run(source, ["mig", "reconstruction", "mig_sup"], tmp_path, gin_bindings=bad,
                   report=lambda name, scores: reported.append(name))
    assert reported == ["mig", "mig_sup"] and (tmp_path / "mig_sup/results").is_dir()
    assert not (tmp_path / "reconstruction").exists()


def test_any_error_of_one_metric_leaves_the_others(trained, tmp_path, monkeypatch):
    def broken(*args, **kwargs):
        raise KeyError("lost")
    monkeypatch.setattr(mig, "_compute_mig", broken)
    with pytest.raises(ValueError, match="^mig failed: KeyError: 'lost'$"):
        runner.run(sources.from_directory(trained), ["mig", "mig_sup"], tmp_path, gin_bindings=SMALL)
    assert (tmp_path / "mig_sup/results").is_dir() and not (tmp_path / "mig").exists()


@pytest.mark.parametrize("metric, binding, message", [
    ("mig", "discretizer.num_bins = 2.5", "discretizer.num_bins must be an integer >= 1; received 2.5"),
    ("mig", "discretizer.num_bins = 0", "discretizer.num_bins must be an integer >= 1; received 0"),
    ("mig", "discretizer.discretizer_fn = 3", "discretizer.discretizer_fn must be a function.*received 3"),
    ("mig", "evaluation.random_seed = 'x'", "evaluation.random_seed must be an integer >= 0.*'x'"),
    ("mig", "evaluation.random_seed = -1", "evaluation.random_seed must be an integer >= 0.*-1"),
    ("mig", "evaluation.random_seed = 4294967296", "evaluation.random_seed must be a number <= 4294967295"),
    ("mig", "mig.num_train = 0", "num_train must be an integer >= 1; received 0"),
    ("irs", "irs.diff_quantile = 'a'", "irs.diff_quantile must be a number in .0, 1.; received 'a'"),
    ("dci", "dci.num_threads = 'a'", "num_threads must be an integer >= 1; received 'a'"),
    ("dci", "dci.num_threads = 0", "num_threads must be an integer >= 1; received 0"),
    ("dci", "dci.global_seed = -5", "global_seed must be an integer >= 0; received -5"),
    ("factor_vae_metric", "prune_dims.threshold = 'a'", "prune_dims.threshold must be a finite number; received 'a'"),
    ("mig_sup", "mig_sup.active_variance = 'a'", "mig_sup.active_variance must be a finite number; received 'a'"),
    ("downstream_task_logistic_regression", "predictor.predictor_fn = None",
     "predictor.predictor_fn must be a function"),
    ("unified_scores", "unified_scores.matrix_fns = @mutual_information_matrix", "matrix_fns must be a list"),
    ("unified_scores", "unified_scores.matrix_fns = []", "matrix_fns must be a list of at least one function"),
    ("unified_scores", "unified_scores.matrix_fns = [1]", "matrix_fns must be a function.*received 1"),
])
def test_settings_that_mean_nothing_are_named(tmp_path, metric, binding, message):
    factors = np.indices((3, 4)).reshape(2, -1).T
    np.savez(tmp_path / "codes.npz", codes=factors * 1.0, factors=factors)
    with pytest.raises((ConfigurationError, ValueError), match=message):
        runner.run(sources.from_codes(tmp_path / "codes.npz"), [metric], tmp_path / "o", preset="fast",
                   gin_bindings=[binding])
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("step, binding, message", [
    ("evaluation", "@mig_validation", "needs observations, labels, and a metric is given ground_truth_data"),
    ("evaluation", "@mutual_information_matrix", "needs mus_train, ys_train, mus_test, ys_test"),
    ("validation", "@mig", "validation.validation_fn must be a function of observations, labels"),
    ("validation", "3", "must be a metric such as @mig; received 3")])
def test_functions_that_the_step_cannot_call(trained, tmp_path, step, binding, message):
    with pytest.raises(ConfigurationError, match=message):
        runner.run(sources.from_directory(trained), None, tmp_path / "o",
                   gin_bindings=[f"{step}.{step}_fn = {binding}"])
    assert not (tmp_path / "o").exists()


def test_bindings_that_no_metric_uses_are_named_once(trained, tmp_path):
    source = sources.from_directory(trained)
    bindings = ["mig.num_train = 90", "mig_sup.num_train = 80", "sap_score.num_train = 3", "evaluation.name = 'n'"]
    with pytest.warns(configuration.Notice) as caught:
        runner.run(source, ["mig", "mig_sup"], tmp_path / "a", gin_bindings=bindings)
    assert [str(notice.message) for notice in caught if notice.category is configuration.Notice] == [
        "gin: these metrics do not use sap_score.num_train."]
    with warnings.catch_warnings():
        warnings.simplefilter("error", configuration.Notice)
        runner.run(source, ["mig", "mig_sup"], tmp_path / "b",
                   gin_bindings=[*bindings[:2], "dataset.name = 'runner_grid'"])


def test_the_users_configuration_wins_over_the_recorded_data(trained, tmp_path, module_folder):
    source = sources.from_directory(trained)
    scores = runner.run(source, output_dir=tmp_path, gin_bindings=["dataset.name = 'runner_images'", *SMALL])
    assert tuple(scores) == runner.DEFAULT_IMAGE_METRICS and scores["reconstruction"]["num_images"] == 50
    with pytest.raises(ConfigurationError, match="no ground-truth factors"):
        runner.run(source, ["reconstruction", "mig"], tmp_path / "x", gin_bindings=["dataset.name = 'runner_images'"])
    assert not (tmp_path / "x").exists()


def test_presets_take_at_most_the_images_that_there_are(trained, tmp_path):
    """50 images without factors; the preset asks for 2,000 and the results say 50."""
    bindings = ["dataset.name = 'runner_images'", "elbo_decomposition.num_samples = 20"]
    scores = runner.run(sources.from_directory(trained), None, tmp_path, gin_bindings=bindings, preset="fast")
    assert {name: values["num_images"] for name, values in scores.items()} == {
        "reconstruction": 50, "elbo_decomposition": 50}


def test_one_metric_of_ones_own_in_disentanglement_libs_way(trained, tmp_path, module_folder, own_module):
    own = own_module
    gin.external_configurable(own.metric_of_one_argument, "metric_of_one_argument")
    config = tmp_path / "own.gin"
    config.write_text("evaluation.evaluation_fn = @metric_of_one_argument\nevaluation.random_seed = 3\n"
                      "evaluation.name = 'own'\ndataset.name = 'auto'\n")
    evaluate.evaluate_with_gin(str(trained), str(tmp_path / "out"), gin_config_files=[str(config)])
    stored = read(tmp_path / "out/results/aggregate/evaluation.json")
    assert stored["evaluation_results.two"] == 6.0
    assert stored["evaluation_config.evaluation.evaluation_fn"] == "@metric_of_one_argument"
    assert stored["evaluation_config.evaluation.name"] == "'own'"
    with pytest.raises(ConfigurationError, match="one of the two"):
        runner.run(sources.from_directory(trained), ["mig"], tmp_path / "y", [str(config)])


def test_a_name_cannot_lead_out_of_the_folder(trained, tmp_path, module_folder):
    run = tmp_path / "deep/er/run"
    shutil.copytree(trained, run, ignore=shutil.ignore_patterns("evaluation"))
    runner.run(sources.from_directory(run), gin_bindings=[
        "evaluation.evaluation_fn = @mig", "evaluation.random_seed = 0", "evaluation.name = '../../../x'",
        "mig.num_train = 50", "discretizer.discretizer_fn = @histogram_discretizer", "discretizer.num_bins = 20"])
    found = [path.relative_to(tmp_path).parts for path in tmp_path.rglob("evaluation_results.json")]
    assert len(found) == 1 and found[0][:4] == ("deep", "er", "run", "evaluation") and len(found[0]) == 8


def test_sampled_representations_are_encoded_afresh(trained, tmp_path):
    draws = np.random.RandomState(0)
    source = sources.Source("noise", lambda x: draws.normal(size=(len(x), 2)), folder=tmp_path,
                                   results=trained / "results")
    assert not sources.is_repeatable(source.function, np.zeros((3, 4, 4, 1)))
    runner.run(source, ["mig"], tmp_path / "a", gin_bindings=["mig.num_train = 150"])
    assert read(tmp_path / "a/mig/results/json/evaluation_info.json")["observations_encoded"] == 150


def test_observations_drawn_by_a_metric_itself_are_counted(trained, tmp_path):
    wanted = {"mig_reencoded": ["mig_reencoded.num_train = 70"],
              "information_tracking": ["information_tracking.num_points = 80"]}
    runner.run(sources.from_directory(trained), list(wanted), tmp_path, gin_bindings=sum(wanted.values(), []))
    encoded = [read(tmp_path / name / "results/json/evaluation_info.json")["observations_encoded"] for name in wanted]
    assert encoded == [70, 80]


def test_all_means_whatever_the_model_and_data_allow(trained, tmp_path):
    source = sources.from_directory(trained)
    metric_files.import_metrics()
    session, jobs, _ = runner._prepared(source, ["all"], tmp_path, (), (), "fast", None)
    names = [job.name for job in jobs]
    assert {"mig", "fid", "reconstruction", "dci"} <= set(names) and "mi_conditioning" not in names
    by_file = runner._prepared(source, None, tmp_path, ["metrics/all.gin"], (), "fast", None)[1]
    assert [job.name for job in by_file] == names


@pytest.mark.parametrize("preset", metric_files.PRESETS)
def test_every_preset_is_read_and_binds_its_metric(preset):
    metric_files.import_metrics()
    for name in metric_files.metric_names(preset):
        with configuration.configured([metric_files.preset_file(name, preset)]):
            assert callable(bound_metric.configured_metric())
            assert configuration.bindings()["dataset.name"] == "'auto'"
    assert metric_files.metric_names("full") == metric_files.metric_names("fast")
    for path in (files.config_root() / "metrics/on_request").glob("*.gin"):
        assert metric_files.preset_file(path.stem, preset) == str(path)


def test_model_of_another_image_shape(trained, tmp_path, module_folder):
    source = sources.from_directory(trained)
    assert source.observation_shape == (4, 4, 1)
    with pytest.raises(ConfigurationError, match=r"takes observations of shape \(4, 4, 1\).*\(64, 64, 1\)"):
        runner.run(source, ["reconstruction"], tmp_path / "x", gin_bindings=["dataset.name = 'dummy_data'"])
    assert not (tmp_path / "x").exists()


def test_a_full_disk_leaves_nothing(trained, tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(results, "update_result_directory", full)
    with pytest.raises(OSError, match="No space left"):
        runner.run(sources.from_directory(trained), ["mig"], tmp_path / "o", gin_bindings=SMALL)
    assert not (tmp_path / "o/mig").exists()


def test_merged_gin_keeps_every_section_once():
    first = "import a.b\n\n# Parameters for dataset:\n# ====\ndataset.name = 'x'\n"
    second = "# Parameters for mig:\n# ====\nmig.num_train = 3\n\n" + first.partition("\n\n")[2]
    merged = result_folder.merged_gin(first, second, "")
    assert merged.count("dataset.name") == 1 and merged.startswith("import a.b")
    assert results.parse_gin_text(merged) == {"dataset.name": "'x'", "mig.num_train": "3"}
