"""The runner, end to end: a saved model of the library on a user's own data set, and every kind of source."""

import json
import subprocess
import sys
import textwrap

import gin
import keras
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus import methods, results
from dislib_plus.cli import evaluate as command
from dislib_plus.configuration import ConfigurationError
from dislib_plus.evaluation import representation, runner
from dislib_plus.evaluation.metrics import mig

MODULE = """
    import numpy as np
    from dislib_plus.data import ResidentGrid, ResidentImages, register

    @register("runner_grid")
    def grid(root):
        images = np.random.RandomState(1).randint(0, 256, (60, 4, 4, 1)).astype(np.uint8)
        return ResidentGrid("runner_grid", ["shape", "size", "angle"], [3, 4, 5], images)

    @register("runner_images")
    def images(root):
        return ResidentImages("runner_images", np.random.RandomState(1).randint(0, 256, (50, 4, 4, 1)).astype(np.uint8))

    def pixels(x):
        return np.asarray(x).reshape(len(x), -1)[:, :3]

    def metric_of_one_argument(representation_function, ground_truth_data, random_state):
        return {"two": 2.0 * ground_truth_data.num_factors}
"""
SMALL = ["mig.num_train = 100", "mig_sup.num_train = 100", "elbo_decomposition.num_samples = 20",
         "factor_vae_score.num_train = 50", "factor_vae_score.num_eval = 20", "factor_vae_score.batch_size = 8",
         "factor_vae_score.num_variance_estimate = 60"]


@pytest.fixture(scope="module")
def module_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    (folder / "runner_own.py").write_text(textwrap.dedent(MODULE))
    return folder


@pytest.fixture(scope="module")
def trained(module_folder, tmp_path_factory):
    """A run directory: model.keras, run.json and train.gin, of the user's own data set."""
    folder = tmp_path_factory.mktemp("run")
    keras.utils.set_random_seed(0)
    image = keras.Input((4, 4, 1))
    flat = keras.layers.Flatten()(image)
    encoder = keras.Model(image, [keras.layers.Dense(3)(flat), keras.layers.Dense(3)(flat)])
    code = keras.Input((3,))
    decoder = keras.Model(code, keras.layers.Reshape((4, 4, 1))(keras.layers.Dense(16)(code)))
    model = methods.BetaVAE(beta=1.0, latents=3, encoder=encoder, decoder=decoder)
    model.build((None, 4, 4, 1))
    model.save(folder / "model.keras")
    (folder / "results/gin").mkdir(parents=True)
    (folder / "results/json").mkdir()
    (folder / "results/gin/train.gin").write_text("dataset.name = 'runner_grid'\ndataset.data_dir = None\nvae.beta = 1.0\n")
    (folder / "results/json/train_results.json").write_text('{"elbo": -3.0}')
    (folder / "run.json").write_text(json.dumps({"imports": ["runner_own"], "python_path": [str(module_folder)]}))
    return folder


@pytest.fixture(autouse=True)
def unconfigured(module_folder, monkeypatch):
    """The user's module can be imported; gin is left clear."""
    monkeypatch.syspath_prepend(module_folder)
    yield
    assert gin.config_str().strip() == "", "gin must be left clear"


def read(path):
    return json.loads(path.read_text())


def test_default_metrics_of_a_run_write_dlibs_files(trained, tmp_path):
    source = representation.from_directory(trained)
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
        assert {"evaluation_info.seconds", "evaluation_info.tensorflow", "evaluation_info.scikit_learn"} <= aggregate.keys()
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".")]


def test_scores_are_those_of_the_array_function(trained, tmp_path):
    source = representation.from_directory(trained)
    scores = runner.run(source, ["mig"], tmp_path, gin_bindings=["mig.num_train = 200"])
    own = runner_own()
    grid, model = own.grid("."), keras.models.load_model(trained / "model.keras")
    random_state = np.random.RandomState(0)
    parts = [grid.sample(min(16, 200 - start), random_state) for start in range(0, 200, 16)]
    factors = np.concatenate([part[0] for part in parts])
    codes = model.represent(tf.constant(np.concatenate([part[1] for part in parts]))).numpy()
    assert scores["mig"]["discrete_mig"] == pytest.approx(mig.mig(codes, factors)["discrete_mig"], abs=1e-9)


def runner_own():
    import runner_own as module
    return module


def test_codes_are_made_once_and_kept(trained, tmp_path):
    source = representation.from_directory(trained)
    (trained / "evaluation/codes.npz").unlink(missing_ok=True)
    for folder in ("a", "b"):
        runner.run(source, ["mig", "mig_sup"], tmp_path / folder, gin_bindings=SMALL)
    encoded = [read(tmp_path / folder / name / "results/json/evaluation_info.json")["observations_encoded"]
               for folder in "ab" for name in ("mig", "mig_sup")]
    (trained / "evaluation/codes.npz").unlink()
    assert 0 < encoded[0] <= 60 and encoded[1:] == [0, 0, 0]


def test_kept_codes_of_another_model_or_damaged_ones_are_not_used(trained, tmp_path):
    source = representation.from_directory(trained)
    first = runner.run(source, ["mig"], tmp_path / "a", gin_bindings=SMALL)
    kept = trained / "evaluation/codes.npz"
    other = representation.Source("other", lambda x: 0.0 * source.function(tf.constant(x)).numpy(), source.model,
                                  key="other", folder=trained, results=source.results)
    assert runner.run(other, ["mig"], tmp_path / "b", gin_bindings=SMALL)["mig"]["discrete_mig"] == 0.0
    kept.write_bytes(b"PK damaged")
    with pytest.warns(UserWarning, match="damaged"):
        again = runner.run(source, ["mig"], tmp_path / "c", gin_bindings=SMALL)
    assert again["mig"]["discrete_mig"] == first["mig"]["discrete_mig"] > 0
    kept.unlink()


def test_results_are_kept_unless_overwritten(trained, tmp_path):
    source = representation.from_directory(trained)
    runner.run(source, ["mig"], tmp_path, gin_bindings=SMALL)
    (tmp_path / "mig/notes.txt").write_text("mine")
    with pytest.raises(ConfigurationError, match="--overwrite"):
        runner.run(source, ["mig"], tmp_path, gin_bindings=SMALL)
    runner.run(source, ["mig"], tmp_path, gin_bindings=SMALL + ["evaluation.random_seed = 5"], overwrite=True)
    assert read(tmp_path / "mig/results/json/evaluation_info.json")["random_seed"] == 5
    assert (tmp_path / "mig/notes.txt").read_text() == "mine"


def test_a_failing_metric_leaves_nothing_and_the_others_are_computed(trained, tmp_path):
    source = representation.from_directory(trained)
    bad, reported = SMALL + ["reconstruction.num_images = 1000"], []
    with pytest.raises(ValueError, match="^reconstruction failed: [^\n]*1..60[^\n]*$"):
        runner.run(source, ["mig", "reconstruction", "mig_sup"], tmp_path, gin_bindings=bad,
                   report=lambda name, scores: reported.append(name))
    assert reported == ["mig", "mig_sup"] and (tmp_path / "mig_sup/results").is_dir()
    assert not (tmp_path / "reconstruction").exists()


def test_the_users_configuration_wins_over_the_recorded_data(trained, tmp_path, module_folder):
    source = representation.from_directory(trained)
    scores = runner.run(source, output_dir=tmp_path, gin_bindings=["dataset.name = 'runner_images'", *SMALL])
    assert tuple(scores) == runner.DEFAULT_IMAGE_METRICS and scores["reconstruction"]["num_images"] == 50
    with pytest.raises(ConfigurationError, match="no ground-truth factors"):
        runner.run(source, ["reconstruction", "mig"], tmp_path / "x", gin_bindings=["dataset.name = 'runner_images'"])
    assert not (tmp_path / "x").exists()


def test_one_metric_of_ones_own_in_disentanglement_libs_way(trained, tmp_path, module_folder):
    own = runner_own()
    gin.external_configurable(own.metric_of_one_argument, "metric_of_one_argument")
    config = tmp_path / "own.gin"
    config.write_text("evaluation.evaluation_fn = @metric_of_one_argument\nevaluation.random_seed = 3\n"
                      "evaluation.name = 'own'\ndataset.name = 'auto'\n")
    runner.evaluate_with_gin(str(trained), str(tmp_path / "out"), gin_config_files=[str(config)])
    stored = read(tmp_path / "out/results/aggregate/evaluation.json")
    assert stored["evaluation_results.two"] == 6.0
    assert stored["evaluation_config.evaluation.evaluation_fn"] == "@metric_of_one_argument"
    assert stored["evaluation_config.evaluation.name"] == "'own'"
    with pytest.raises(ConfigurationError, match="one of the two"):
        runner.run(representation.from_directory(trained), ["mig"], tmp_path / "y", [str(config)])


def test_codes_of_the_whole_grid_give_the_models_scores(trained, tmp_path):
    source = representation.from_directory(trained)
    grid = runner_own().grid(".")
    order = np.random.RandomState(0).permutation(60)
    codes = source.function(grid.observations(order)).numpy()
    np.savez(tmp_path / "codes.npz", codes=codes, factors=grid.index_to_factors(order))
    wanted = ["mig", "factor_vae_metric"]
    from_model = runner.run(source, wanted, tmp_path / "a", gin_bindings=SMALL)
    from_codes = runner.run(representation.from_codes(tmp_path / "codes.npz"), wanted, tmp_path / "b", gin_bindings=SMALL)
    for name in wanted:
        del from_model[name]["elapsed_time"], from_codes[name]["elapsed_time"]
        assert from_model[name] == pytest.approx(from_codes[name], abs=1e-9)


def test_incomplete_codes(tmp_path):
    random_state = np.random.RandomState(0)
    factors = random_state.randint(4, size=(200, 3))
    np.savez(tmp_path / "some.npz", codes=factors + 0.01 * random_state.normal(size=(200, 3)), factors=factors,
             factor_names=np.array(["a", "b", "c"]))
    source = representation.from_codes(tmp_path / "some.npz")
    assert source.data.factor_names == ["a", "b", "c"]
    scores = runner.run(source, ["mig"], tmp_path, gin_bindings=["mig.num_train = 2000"])
    assert scores["mig"]["discrete_mig"] > 0.9
    factors[factors[:, 0] == 1, 1] = 0
    np.savez(tmp_path / "few.npz", codes=factors[:30] * 1.0, factors=factors[:30])
    with pytest.raises(ValueError, match="whole grid"):
        runner.run(representation.from_codes(tmp_path / "few.npz"), ["factor_vae_metric"], tmp_path / "f", gin_bindings=SMALL)


def test_function_as_representation(trained, tmp_path, module_folder, monkeypatch):
    monkeypatch.chdir(module_folder)
    source = representation.from_function("runner_own:pixels")
    bindings = ["dataset.name = 'runner_grid'", *SMALL]
    scores = runner.run(source, output_dir=tmp_path, gin_bindings=bindings)
    assert tuple(scores) == ("mig", "mig_sup", "factor_vae_metric")
    with pytest.raises(ConfigurationError, match="needs a trained model"):
        runner.run(source, ["reconstruction"], tmp_path / "x", gin_bindings=bindings)
    with pytest.raises(ConfigurationError, match="does not record its data set"):
        runner.run(source, ["mig"], tmp_path / "x")


def test_sampled_representations_are_encoded_afresh(trained, tmp_path):
    draws = np.random.RandomState(0)
    source = representation.Source("noise", lambda x: draws.normal(size=(len(x), 2)), folder=tmp_path,
                                   results=trained / "results")
    assert not representation.is_repeatable(source.function, np.zeros((3, 4, 4, 1)))
    runner.run(source, ["mig"], tmp_path / "a", gin_bindings=["mig.num_train = 150"])
    assert read(tmp_path / "a/mig/results/json/evaluation_info.json")["observations_encoded"] == 150


def test_all_means_whatever_the_model_and_data_allow(trained, tmp_path):
    source = representation.from_directory(trained)
    runner.import_metrics()
    session, jobs = runner._prepared(source, ["all"], tmp_path, (), (), "fast", None)
    names = [job.name for job in jobs]
    assert {"mig", "fid", "reconstruction", "dci"} <= set(names) and "mi_conditioning" not in names
    by_file = runner._prepared(source, None, tmp_path, ["metrics/all.gin"], (), "fast", None)[1]
    assert [job.name for job in by_file] == names


@pytest.mark.parametrize("preset", runner.PRESETS)
def test_every_preset_is_read_and_binds_its_metric(preset):
    runner.import_metrics()
    from dislib_plus import configuration
    for name in runner.metric_names(preset):
        with configuration.configured([runner.preset_file(name, preset)]):
            assert callable(runner.evaluate.configured_metric())
            assert configuration.bindings()["dataset.name"] == "'auto'"
    assert runner.metric_names("full") == runner.metric_names("fast")
    for path in (runner.files.config_root() / "metrics/on_request").glob("*.gin"):
        assert runner.preset_file(path.stem, preset) == str(path)


@pytest.mark.parametrize("make, error, message", [
    (lambda folder: representation.from_directory(folder / "nowhere"), FileNotFoundError, "no folder"),
    (lambda folder: representation.from_directory(folder), FileNotFoundError, "neither model.keras nor"),
    (lambda folder: representation.from_keras(folder / "x.keras"), FileNotFoundError, "no model file"),
    (lambda folder: representation.from_keras(write(folder / "y.keras")), ValueError, "cannot be loaded"),
    (lambda folder: representation.from_codes(folder / "x.npz"), FileNotFoundError, "no file of codes"),
    (lambda folder: representation.from_codes(write(folder / "y.npz")), ValueError, "not an .npz file"),
    (lambda folder: representation.from_codes(arrays(folder, codes=np.zeros((3, 2)))), ValueError, "missing: factors"),
    (lambda folder: representation.from_codes(arrays(folder, codes=np.zeros((3, 2)), factors=np.zeros((4, 1)))),
     ValueError, "rows"),
    (lambda folder: representation.from_codes(arrays(folder, codes=np.full((3, 2), np.nan), factors=np.zeros((3, 1)))),
     ValueError, "finite"),
    (lambda folder: representation.from_codes(arrays(folder, codes=np.zeros((3, 2)), factors=np.full((3, 1), 0.5))),
     ValueError, "whole numbers"),
    (lambda folder: representation.from_function("no_such_module_here:f"), ConfigurationError, "cannot be imported"),
    (lambda folder: representation.from_function("json:nothing"), ConfigurationError, "no function 'nothing'"),
    (lambda folder: representation.from_function("json"), ConfigurationError, "package.module:function"),
])
def test_bad_sources_are_one_sentence(tmp_path, make, error, message):
    with pytest.raises(error, match=message) as caught:
        make(tmp_path)
    assert "\n" not in str(caught.value)


def write(path):
    path.write_bytes(b"nothing useful")
    return path


def arrays(folder, **content):
    np.savez(folder / "arrays.npz", **content)
    return folder / "arrays.npz"


def test_model_of_another_image_shape(trained, tmp_path, module_folder):
    source = representation.from_directory(trained)
    assert source.image_shape == (4, 4, 1)
    with pytest.raises(ConfigurationError, match=r"takes images of shape \(4, 4, 1\).*\(64, 64, 1\)"):
        runner.run(source, ["reconstruction"], tmp_path / "x", gin_bindings=["dataset.name = 'dummy_data'"])
    assert not (tmp_path / "x").exists()


def test_a_full_disk_leaves_nothing(trained, tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(results, "update_result_directory", full)
    with pytest.raises(OSError, match="No space left"):
        runner.run(representation.from_directory(trained), ["mig"], tmp_path / "o", gin_bindings=SMALL)
    assert not (tmp_path / "o/mig").exists()


def test_plain_keras_model_is_its_own_encoder(tmp_path, module_folder):
    image = keras.Input((4, 4, 1))
    keras.Model(image, keras.layers.Dense(2)(keras.layers.Flatten()(image))).save(tmp_path / "plain.keras")
    source = representation.from_keras(tmp_path / "plain.keras")
    bindings = ["dataset.name = 'runner_grid'", *SMALL]
    assert runner.run(source, ["mig"], tmp_path / "o", gin_bindings=bindings)["mig"]["discrete_mig"] >= 0
    with pytest.raises(ConfigurationError, match="needs a model with reconstruct"):
        runner.run(source, ["reconstruction"], tmp_path / "o", gin_bindings=bindings)


# The command


def test_command_end_to_end(trained, tmp_path, capsys):
    flags = [f"--gin_bindings={binding}" for binding in SMALL]
    assert command.main([f"--model_dir={trained}", f"--output_dir={tmp_path}", "--metrics=mig,reconstruction", *flags]) == 0
    printed = capsys.readouterr().out
    assert "discrete_mig" in printed and "l2_mean" in printed
    assert (tmp_path / "mig/results/aggregate/evaluation.json").is_file()


@pytest.mark.parametrize("flags, code, message", [
    ([], 2, "exactly one of"),
    (["--codes=a.npz", "--model=b.keras"], 2, "exactly one of"),
    (["--codes={missing}"], 1, "no file of codes"),
    (["--model_dir={run}", "--metrics=mgi"], 2, "nearest are mig"),
    (["--model_dir={run}", "--preset=slow"], 2, "--preset must be"),
    (["--model_dir={run}", "--gin_bindings=mig.num_trian = 3"], 2, "num_train"),
    (["--model_dir={run}", "--gin_bindings=migg.num_train = 3"], 2, "nothing is called 'migg'"),
    (["--model_dir={run}", "--metrics=fid", "--gin_bindings=fid.weights = '/nowhere'"], 1, "neither a file nor a folder"),
    (["--model_dir={run}", "--gin_bindings=dataset.name = 'runner_imagez'"], 1, "runner_images"),
    (["--model_dir={run}", "--metrics=mi_conditioning"], 2, "needs a model with first_stage"),
])
def test_command_errors_are_one_sentence(trained, tmp_path, capsys, flags, code, message):
    places = {"run": str(trained), "missing": str(tmp_path / "x.npz")}
    output = [] if not flags else [f"--output_dir={tmp_path / 'out'}"]
    assert command.main([flag.format(**places) for flag in flags] + output) == code
    errors = capsys.readouterr().err
    assert message in errors and "Traceback" not in errors
    assert not list((tmp_path / "out").rglob("*")) if (tmp_path / "out").exists() else True


def test_help_needs_no_tensorflow():
    code = ("import sys; from dislib_plus.cli.evaluate import main; code = main(['--help']); "
            "sys.exit(code or ('tensorflow' in sys.modules) * 7)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "--metrics=" in done.stdout


def test_merged_gin_keeps_every_section_once():
    first = "import a.b\n\n# Parameters for dataset:\n# ====\ndataset.name = 'x'\n"
    second = "# Parameters for mig:\n# ====\nmig.num_train = 3\n\n# Parameters for dataset:\n# ====\ndataset.name = 'x'\n"
    merged = runner.evaluate.merged_gin(first, second, "")
    assert merged.count("dataset.name") == 1 and merged.startswith("import a.b")
    assert results.parse_gin_text(merged) == {"dataset.name": "'x'", "mig.num_train": "3"}
