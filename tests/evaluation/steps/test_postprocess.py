"""Representations on disk: what they compute, their noise, and that nothing is left of a failure."""

import resource

import gin
import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from dislib_plus import results
from dislib_plus.configuration import ConfigurationError
from dislib_plus.evaluation import runner
from dislib_plus.evaluation.sources import source as sources
from dislib_plus.evaluation.steps import hub_writer, postprocess

pytestmark = pytest.mark.usefixtures("own_module")


@pytest.fixture
def make(trained, tmp_path):
    """Function (kind, seed=0, name=kind, overwrite=False, gin_bindings=()) -> folder of the model's representation."""
    def call(kind, seed=0, name=None, overwrite=False, gin_bindings=()):
        folder = tmp_path / "post" / (name or kind)
        postprocess.postprocess_with_gin(trained, folder, overwrite, gin_bindings=[
            f"postprocess.postprocess_fn = @{kind}", f"postprocess.random_seed = {seed}", "dataset.name = 'auto'",
            *gin_bindings])
        return folder
    return call


@pytest.fixture
def images(own_module):
    return own_module.grid(".").observations(np.arange(60))


def moments(folder, images):
    """Posterior means and standard deviations of the model in a run's folder, as arrays."""
    posterior = keras.models.load_model(folder / "model.keras", compile=False).posterior(images)
    return posterior.mean().numpy(), posterior.stddev().numpy()


def test_mean_representation_is_the_posterior_mean(make, trained, images):
    source = sources.from_directory(make("mean_representation"))
    np.testing.assert_allclose(source.function(images), moments(trained, images)[0], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(source.function(images[:1]), moments(trained, images)[0][:1], rtol=1e-5, atol=1e-6)
    assert sources.is_repeatable(source.function, images)
    assert source.observation_shape == (4, 4, 1) and source.model is None


def test_result_files(make, trained):
    folder = make("sampled_representation", seed=2357136044)
    stored = results.load_dict(folder / "results/aggregate/postprocess.json")
    config = {"dataset.name": "'runner_grid'", "postprocess.name": "''", "postprocess.random_seed": "2357136044",
              "postprocess.postprocess_fn": "@sampled_representation"}
    assert {f"postprocess_config.{key}": value for key, value in config.items()}.items() <= stored.items()
    assert {"postprocess_results.elapsed_time", "postprocess_results.uuid"} <= stored.keys()
    assert stored["train_results.elbo"] == -3.0
    assert (folder / "results/gin/train.gin").read_text() == (trained / "results/gin/train.gin").read_text()
    assert (folder / "tfhub/tfhub_module.pb").read_bytes() == b"\x08\x03"
    assert {path.name for path in folder.iterdir()} == {"tfhub", "results"}


def test_samples_have_the_posteriors_moments(make, trained, images):
    """(z - mean) / stddev is standard normal, and independent from row to row and from call to call."""
    function = sources.from_directory(make("sampled_representation")).function
    mean, stddev = moments(trained, images)
    noise = np.stack([(function(images).numpy() - mean) / stddev for _ in range(100)])
    assert abs(noise.mean()) < 0.03 and abs(noise.std() - 1) < 0.03
    flat = noise.reshape(100, -1)
    assert abs(np.corrcoef(flat[:-1].ravel(), flat[1:].ravel())[0, 1]) < 0.03
    assert abs(np.corrcoef(noise[:, :-1].ravel(), noise[:, 1:].ravel())[0, 1]) < 0.03


def test_samples_are_decided_by_the_seed(make, images):
    first = make("sampled_representation", seed=3)
    function = sources.from_directory(first).function
    calls = [function(images[:size]).numpy() for size in (60, 7, 60)]
    assert not np.array_equal(calls[0], calls[2]) and not np.array_equal(calls[0][:7], calls[1])
    others = [function.restarted()] + [sources.from_directory(make("sampled_representation", seed, name)).function
                                       for seed, name in ((3, "again"), (4, "other"))]
    for other, same in zip(others, (True, True, False)):
        for size, codes in zip((60, 7, 60), calls):
            assert np.array_equal(other(images[:size]), codes) == same


def test_scores_of_samples_do_not_depend_on_the_metrics_before(make, tmp_path):
    source = sources.from_directory(make("sampled_representation"))
    small = ["mig.num_train = 150", "mig_sup.num_train = 150"]
    both = runner.run(source, ["mig", "mig_sup"], tmp_path / "both", gin_bindings=small)
    alone = runner.run(source, ["mig_sup"], tmp_path / "alone", gin_bindings=small)
    for values in (alone["mig_sup"], both["mig_sup"]):
        del values["elapsed_time"]
    assert alone["mig_sup"] == both["mig_sup"]
    info = results.load_dict(tmp_path / "both/mig/results/json/evaluation_info.json")
    assert info["observations_encoded"] == 150  # encoded afresh, not looked up


def test_a_moved_folder_is_evaluated(make, trained, tmp_path):
    moved = make("mean_representation").rename(tmp_path / "elsewhere")
    bindings = ["mig.num_train = 100"]
    scores = [runner.run(sources.from_directory(folder), ["mig"], tmp_path / name, gin_bindings=bindings)["mig"]
              for folder, name in ((moved, "a"), (trained, "b"))]
    assert scores[0]["discrete_mig"] == pytest.approx(scores[1]["discrete_mig"], abs=1e-9)
    stored = results.load_dict(tmp_path / "a/mig/results/aggregate/evaluation.json")
    assert stored["postprocess_config.postprocess.postprocess_fn"] == "@mean_representation"
    with pytest.raises(ConfigurationError, match="takes observations of shape"):
        runner.run(sources.from_directory(moved), ["mig"], tmp_path / "c",
                   gin_bindings=["dataset.name = 'dummy_data'"])


@gin.configurable("test_whitened")
def whitened(ground_truth_data, gaussian_encoder, random_state, save_path, keep=True):
    """Learned from data, as disentanglement_lib's interface allows: codes less their mean, in a variable."""
    sample = ground_truth_data.sample_observations(50, random_state)
    encoded = gaussian_encoder(sample)
    assert set(encoded) == {"mean", "logvar"} and encoded["logvar"].shape == (50, 3)
    checkpoint = f"{save_path}/whitened.ckpt"
    hub_writer.save_numpy_arrays_to_checkpoint(checkpoint, shift=encoded["mean"].mean(axis=0))
    return (lambda mean, logvar: mean - tf.compat.v1.get_variable("shift", [3]), checkpoint if keep else None)


def test_a_function_of_ones_own_with_variables(make, trained, images, own_module):
    folder = make("test_whitened", seed=5)
    function = sources.from_directory(folder).function
    sample = own_module.grid(".").sample_observations(50, np.random.RandomState(5))
    expected = moments(trained, images)[0] - moments(trained, sample.astype(np.float32))[0].mean(axis=0)
    np.testing.assert_allclose(function(images), expected, rtol=1e-5, atol=1e-6)
    # TensorFlow 1 refuses a graph with an attribute that it does not know.
    model = saved_model_pb2.SavedModel.FromString((folder / "tfhub/saved_model.pb").read_bytes())
    assert not [node.name for node in model.meta_graphs[0].graph_def.node if "debug_name" in node.attr]


def test_failure_leaves_nothing(make, tmp_path):
    with pytest.raises(ValueError, match="must return a checkpoint.* received None for shift"):
        make("test_whitened", gin_bindings=["test_whitened.keep = False"])
    assert not (tmp_path / "post").exists()


def test_overwrite_drops_the_scores_of_the_former_one(make, images):
    folder = make("mean_representation")
    (folder / "evaluation/mig").mkdir(parents=True)
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="not empty; .*--overwrite"):
        make("sampled_representation", name="mean_representation")
    assert (folder / "evaluation/mig").is_dir()
    make("sampled_representation", name="mean_representation", overwrite=True)
    assert not (folder / "evaluation").exists() and (folder / "notes.txt").read_text() == "mine"
    assert not sources.is_repeatable(sources.from_directory(folder).function, images)


@pytest.mark.parametrize("bindings, error, message", [
    (["dataset.name = 'runner_imagez'"], ConfigurationError, "the nearest known names are runner_images"),
    (["dataset.name = 'dummy_data'"], ConfigurationError, r"takes observations of shape \(4, 4, 1\).*\(64, 64, 1\)"),
    (["postprocess.random_seed = -1"], ConfigurationError, "random_seed must be an integer >= 0; received -1"),
    (["postprocess.random_seed = 'a'"], ConfigurationError, "random_seed must be an integer"),
    (["postprocess.output_dir = 'a'"], ConfigurationError, "has no parameter 'output_dir'"),
    (["postprocess.postprocess_fn = @mean_representatoin"], ConfigurationError, "the nearest known names are"),
])
def test_wrong_configurations_leave_nothing(trained, tmp_path, bindings, error, message):
    good = ["postprocess.postprocess_fn = @mean_representation", "postprocess.random_seed = 0"]
    with pytest.raises(error, match=message):
        postprocess.postprocess_with_gin(trained, tmp_path / "new/out", gin_bindings=good + bindings)
    assert not (tmp_path / "new").exists() and not gin.config_str().strip()


def test_folders_that_will_not_do(trained, make, tmp_path):
    good = ["postprocess.postprocess_fn = @mean_representation", "postprocess.random_seed = 0"]
    for model_dir, output_dir, overwrite, error, message in (
            (trained, trained, True, ConfigurationError, "a folder outside model_dir"),
            (tmp_path / "nowhere", tmp_path / "out", False, FileNotFoundError, "nowhere' does not exist"),
            (make("mean_representation"), tmp_path / "out", False, ConfigurationError, "Gaussian posteriors")):
        with pytest.raises(error, match=message):
            postprocess.postprocess_with_gin(model_dir, output_dir, overwrite, gin_bindings=good)
    (tmp_path / "run").mkdir()
    (tmp_path / "run/model.keras").write_bytes(b"years of work")
    with pytest.raises(FileExistsError, match="holds model.keras, which this command did not write"):
        postprocess.postprocess_with_gin(trained, tmp_path / "run", True, gin_bindings=good)
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["model.keras"] and not (tmp_path / "out").exists()


@pytest.mark.parametrize("room", [100, 3000])
def test_a_disk_without_room_is_one_sentence_and_nothing_stays(make, tmp_path, room):
    """The system refuses files of more bytes; TensorFlow writes the first one or the second."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        with pytest.raises(OSError, match=r"tfhub could not be written \(File too large\); make room") as caught:
            make("mean_representation")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert len(str(caught.value).splitlines()[0]) < 400 and not (tmp_path / "post").exists()


def test_categorical_groups_are_refused():
    class Mixed:
        code_spec = [("normal", 2), ("categorical", 3)]
        posterior = None
    with pytest.raises(ConfigurationError, match="Gaussian posteriors, which mixed does not have"):
        postprocess.gaussian_encoder(sources.Source("mixed", None, Mixed()))
