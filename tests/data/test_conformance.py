"""What holds for every registered data set; a new one is found by its name."""

import gin
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.cli import data as show
from dislib_plus.cli import evaluate
from dislib_plus.configuration import ConfigurationError
from dislib_plus.data import batches, get_named_ground_truth_data, names, registry
from dislib_plus.data.fingerprints import fingerprint
from dislib_plus.training.train import train_with_gin

# Rendered once in half a minute; everything else about them is tested on their small versions.
SLOW = {"toy_shapes3d", "toy_smallnorb"}
# Pixels may lie slightly outside [0, 1], as in disentanglement_lib; `smallnorb.clip` cuts them.
OVERSHOOTING = {"smallnorb"}
# One of each kind trains and is scored by default, all of them with -m slow: in memory without and with factors,
# bits with a hidden factor, a mapped grid, a view of a generated set.
TRAINED = {"mnist", "cars3d", "dsprites_noshape", "shapes3d", "held_out"}


@pytest.fixture(scope="module")
def files(small_files, request):
    """A function (data set) that makes its small files the real ones, and returns its dataset.name and bindings."""
    root, asked, smaller = small_files
    patch = pytest.MonkeyPatch()

    def use(name):
        patch.undo()
        if not name.startswith(("toy_", "pendulum")):  # small files come and go, generated sets stay the same
            patch.setenv("DISLIB_PLUS_CACHE", str(root / "cache"))
        if name in smaller:
            patch.setitem(registry._FACTORIES, name, smaller[name])
        if name == "tfds":
            _prepare_tfds(request.getfixturevalue("prepare_tfds"), root)
            return "tfds:small_grid", []
        return asked.get(name, (name, []))

    yield use, str(root)
    patch.undo()


def _prepare_tfds(prepare, root):
    if not (root / "tensorflow_datasets").exists():
        import tensorflow_datasets as tfds
        random = np.random.RandomState(0)
        cells = [{"image": random.randint(0, 256, [8, 8, 3]).astype(np.uint8), "label_a": a, "label_b": b}
                 for a in range(2) for b in range(5)]
        prepare(root, "small_grid", {"image": tfds.features.Image(shape=(8, 8, 3)),
                                     "label_a": tfds.features.ClassLabel(num_classes=2),
                                     "label_b": tfds.features.ClassLabel(num_classes=5)}, {"train": cells})


def _load(full_name, bindings, root):
    try:
        gin.parse_config(bindings)
        return get_named_ground_truth_data(full_name, root)
    finally:
        gin.clear_config()


def _parametrize(slow):
    return [pytest.param(name, marks=[pytest.mark.slow] * (name in slow)) for name in names()]


@pytest.fixture(scope="module", params=_parametrize(SLOW))
def data(request, files):
    use, root = files
    return _load(*use(request.param), root)


@pytest.fixture
def grid(data):
    if not data.num_factors:
        pytest.skip(f"{data.name} has no ground-truth factors")
    return data


@pytest.mark.parametrize("name", _parametrize(SLOW))
def test_dislib_data_shows_it(name, files, capsys):
    use, root = files
    full_name, bindings = use(name)
    assert show.main(["show", full_name, f"--data_dir={root}", *(f"--gin_bindings={text}" for text in bindings)]) == 0
    shown, made = capsys.readouterr().out, _load(full_name, bindings, root)
    assert str(made.num_observations) in shown and "x".join(map(str, made.observation_shape)) in shown
    assert "2 attributes" in shown if name == "celeba" else (made.labels is None) == ("classes" not in shown)


def _indices(data, count=6):
    spread = np.random.RandomState(0).randint(data.num_observations, size=count - 2, dtype=np.int64)
    return tf.constant(np.append(spread, [0, data.num_observations - 1]))


def _check_pixels(data, pixels, count):
    assert pixels.shape == (count, *data.observation_shape)
    if pixels.dtype != np.uint8:
        assert pixels.dtype in (np.float32, np.float64) and np.isfinite(pixels).all()
        if len(data.observation_shape) == 3:  # other shapes are series of measurements
            slack = 0.5 if data.name in OVERSHOOTING else 0
            assert pixels.min() >= -slack and pixels.max() <= 1 + slack
    assert pixels.min() < pixels.max()


def test_names_and_sizes(data):
    assert data.name.partition(":")[0] in names()
    assert len(data.observation_shape) in (1, 3) and data.num_observations > 0
    assert all(isinstance(side, int) for side in data.observation_shape)
    assert data.num_factors == len(data.factors_num_values) == len(data.factor_names) == len(set(data.factor_names))
    assert data.labels is None or len(data.labels) == data.num_observations


def _stored(data):
    """The function that gives images as they are stored; of other observations the only one."""
    return getattr(data, "images", data.observations)


def test_observations_are_equal_in_and_out_of_a_graph(data):
    seed = tf.constant([1, 2])
    eager = _stored(data)(_indices(data), seed).numpy()
    _check_pixels(data, eager, 6)
    traced = tf.function(_stored(data), input_signature=[tf.TensorSpec([None], tf.int64), tf.TensorSpec([2], tf.int32)])
    in_graph = traced(_indices(data), seed).numpy()
    assert eager.dtype in (np.uint8, np.float32) and eager.dtype == in_graph.dtype
    np.testing.assert_allclose(eager, in_graph, atol=1e-6, rtol=0)
    assert traced.get_concrete_function().output_shapes[1:] == data.observation_shape


def test_only_noisy_sets_depend_on_the_seed(data):
    first, second = (data.observations(_indices(data), tf.constant([1, value])).numpy() for value in (2, 3))
    assert data.deterministic == np.array_equal(first, second)
    np.testing.assert_array_equal(first, data.observations(_indices(data), tf.constant([1, 2])).numpy())


def test_observations_are_floats(data):
    observations = data.observations(_indices(data), tf.constant([1, 2])).numpy()
    _check_pixels(data, observations, 6)
    assert observations.dtype == np.float32


def test_training_batches_depend_on_seed_and_step_only(data):
    def run(seed, first, last):
        return [batch["x"].numpy() for batch in batches.training_batches(data, ("x",), 4, seed, first, last)]

    whole = run(0, 0, 3)
    assert len(whole) == 3 and not np.array_equal(whole[0], whole[1])
    for batch in whole:
        _check_pixels(data, batch, 4)
        assert batch.dtype == np.float32
    for batch, again in zip(whole[1:], run(0, 1, 3)):
        np.testing.assert_array_equal(batch, again)
    assert not np.array_equal(whole[0], run(1, 0, 1)[0])
    made = batches.training_batches(data, (*data.parts, "second_x"), 4, 0, 0, 1)
    assert made.element_spec == batches.spec(data, (*data.parts, "second_x"), 4)
    assert made.element_spec["x"].shape == [4, *data.observation_shape]


def test_labels_are_those_of_the_images(data):
    if data.labels is None:
        with pytest.raises(ValueError, match="has no 'labels'; it has 'x'"):
            data.part("labels", tf.constant([0]))
        return
    indices = batches.training_indices(data, 3, 1, 4)
    found = batches.batch(data, ("x", "labels"), 3, 1, 4)["labels"].numpy()
    known = found >= 0 if data.name.startswith("partly_labelled") else slice(None)
    np.testing.assert_array_equal(found[known], np.asarray(data.labels)[indices.numpy()][known])


def test_the_fingerprint_is_that_of_the_set_loaded_again(data, files, request):
    use, root = files
    again = _load(*use(request.node.callspec.params["data"]), root)
    assert fingerprint(data) == fingerprint(again) and len(fingerprint(data)) == 32


def test_sampling_repeats_under_a_seed(grid):
    factors, observations = grid.sample(5, np.random.RandomState(3))
    again, observed_again = grid.sample(5, np.random.RandomState(3))
    np.testing.assert_array_equal(factors, again)
    np.testing.assert_array_equal(observations, observed_again)
    _check_pixels(grid, observations, 5)
    assert factors.shape == (5, grid.num_factors) and factors.dtype == np.int64
    np.testing.assert_array_equal(grid.sample_observations(5, np.random.RandomState(3)), observations)


def test_factors_cover_their_values_evenly(grid):
    factors = grid.sample_factors(20000, np.random.RandomState(0))
    for column, size in zip(factors.T, grid.factors_num_values):
        counts = np.bincount(column, minlength=size)
        assert len(counts) == size
        assert ((counts - 20000 / size) ** 2).sum() * size / 20000 < size + 5 * np.sqrt(2 * size) + 5, "chi-squared"


def test_a_batch_with_fixed_factors(grid):
    factors = np.tile(grid.sample_factors(1, np.random.RandomState(1)), (4, 1))
    observations = grid.sample_observations_from_factors(factors, np.random.RandomState(2))
    _check_pixels(grid, observations, 4)
    same = all(np.array_equal(observations[0], other) for other in observations[1:])
    copies = grid.name.startswith("single_factor:")  # its hidden factor has no effect
    assert same == (grid.deterministic and (copies or not getattr(grid, "hidden", [])))


def test_indices_and_factors_are_a_round_trip(grid):
    indices = _indices(grid, 50).numpy()
    factors = grid.index_to_factors(indices)
    np.testing.assert_array_equal(grid.factors_to_index(factors), indices)
    if grid.deterministic and not getattr(grid, "hidden", []):
        by_factors = grid.sample_observations_from_factors(factors[:5], np.random.RandomState(0))
        np.testing.assert_allclose(by_factors, grid.observations(tf.constant(indices[:5])).numpy(), atol=1e-6)


def test_wrong_factors_are_one_sentence(grid):
    good = grid.index_to_factors(np.array([0]))
    for bad in (0 * good - 1, good + 10 ** 6, good[0], good[:, 1:]):
        with pytest.raises(ValueError, match="factors must"):
            grid.factors_to_index(bad)
    with pytest.raises(ValueError, match="indices must lie in"):
        grid.index_to_factors(np.array([grid.num_observations]))


def test_sets_without_factors_refuse(data):
    if data.num_factors:
        pytest.skip(f"{data.name} has ground-truth factors")
    for ask, about in ((data.sample_factors, 3), (data.sample, 3), (data.sample_observations, 3),
                       (data.sample_observations_from_factors, np.zeros((3, 2), int))):
        of_view = data.name.removeprefix("partly_labelled:")  # the set that is seen
        with pytest.raises(ValueError, match=f"{of_view}.*has no ground-truth factors"):
            ask(about, np.random.RandomState(0))


TINY_RUN = ["model.model = @vae()", "model.training_steps = 2", "model.batch_size = 4", "model.random_seed = 0",
            "model.eval_steps = 1", "vae.beta = 1.0", "encoder.encoder_fn = @fc_encoder", "encoder.num_latent = 3",
            "fc_encoder.units = (4,)", "decoder.decoder_fn = @fc_decoder", "fc_decoder.units = (4,)",
            "reconstruction_loss.loss_fn = @l2_loss", "vae_optimizer.optimizer_fn = @AdamOptimizer",
            "AdamOptimizer.learning_rate = 0.001"]
# What sets need whose observations are not images.
LIKELIHOODS = {"pendulum": ["reconstruction_loss.loss_fn = @gaussian_loss",
                            "reconstruction_loss.activation = 'identity'"],
               "20newsgroups": ["reconstruction_loss.loss_fn = @multinomial_loss"]}


@pytest.mark.parametrize("name", _parametrize(set(names()) - TRAINED))
def test_two_steps_of_training_and_a_score(name, files, tmp_path, capsys):
    use, root = files
    full_name, bindings = use(name)
    run = tmp_path / "run"
    losses = train_with_gin(str(run), gin_bindings=[*TINY_RUN, *LIKELIHOODS.get(name, []),
                                                    f"dataset.name = {full_name!r}", f"dataset.data_dir = {root!r}",
                                                    *bindings])
    assert np.isfinite(losses["loss"])
    scored = evaluate.main([f"--model_dir={run}", "--metrics=mig", "--gin_bindings=mig.num_train = 40"])
    if _load(full_name, bindings, root).num_factors:
        assert scored == 0
        assert (run / "evaluation" / "mig" / "results" / "json" / "evaluation_results.json").is_file()
    else:
        assert scored == 2 and "has no ground-truth factors" in capsys.readouterr().err
        assert not (run / "evaluation").exists()


def test_disentanglement_lib_reads_ours(dlib):
    ours = get_named_ground_truth_data("toy_dsprites_small")
    stream = dlib.load("data.ground_truth.util").tf_data_set_from_ground_truth_data(ours, 3)
    random_state = np.random.RandomState(3)
    for image in stream.take(4):
        np.testing.assert_array_equal(image, ours.sample_observations(1, random_state)[0])


@pytest.mark.parametrize("name, sentence", [
    ("toy_dsprite", "nearest known names are .*toy_dsprites"), ("dummy_data:3", "'dummy_data' takes nothing after a c"),
    ("pendulum:3", "takes nothing"), ("toy_cars3d:3", "takes nothing"), ("smallnorb:True", "takes nothing"),
    (3, "dataset.name must be a text in quotation marks; received 3"), (None, "received None"), ("", "received ''"),
])
def test_a_wrong_name_is_one_sentence(name, sentence):
    with pytest.raises(ConfigurationError, match=sentence):
        get_named_ground_truth_data(name)
    with pytest.raises(ConfigurationError, match="dataset.data_dir must be a path in quotation marks; received 3"):
        get_named_ground_truth_data("dummy_data", 3)


def test_what_does_not_fit_into_memory_is_one_sentence(monkeypatch):
    def hungry(data_dir):
        raise MemoryError("Unable to allocate 1.05 PiB")

    monkeypatch.setitem(registry._FACTORIES, "hungry", hungry)
    with pytest.raises(ValueError, match="'hungry' does not fit into memory .Unable to allocate 1.05 PiB.; ask"):
        get_named_ground_truth_data("hungry")


@pytest.mark.parametrize("binding", ["image_folder.size", "chairs.size", "celeba.size", "mnist.size", "tfds.size"])
def test_sides_have_an_upper_bound(binding):
    try:
        gin.parse_config([f"{binding} = 9000", "image_folder.path = '.'", "image_folder.crop = 3"])
        with pytest.raises(ConfigurationError, match=f"{binding} must be a number <= 8192; received 9000"):
            get_named_ground_truth_data(binding.partition(".")[0] + ":x" * ("tfds" in binding))
    finally:
        gin.clear_config()


def test_what_a_sentence_repeats_is_cut():
    long = "x" * 100_000
    try:
        for name, binding in ((long, ""), ("held_out:" * 30 + "toy_dsprites", ""), (f"tfds:{long}", ""),
                              ("celeba", f"celeba.crop = {long!r}"),
                              ("held_out:toy_dsprites_small", f"held_out.combinations = {long!r}"),
                              ("held_out:toy_dsprites_small", f"held_out.combinations = [{{{long!r}: 3}}]"),
                              ("correlated:toy_dsprites_small", f"correlated.factors = {long!r}"),
                              ("arrays:a.npy", f"arrays.factor_names = {[long, long]}")):
            gin.parse_config(binding)
            with pytest.raises(ValueError) as caught:
                get_named_ground_truth_data(name)
            assert len(str(caught.value).partition("\n  In call")[0]) < 1000
            gin.clear_config()
    finally:
        gin.clear_config()


def test_every_set_that_takes_a_rest_is_told_by_which_argument():
    taking = {name: argument for name, argument in registry._REST.items() if argument}
    assert taking == {"mnist": "split", "fashion_mnist": "split", "celeba": "split", "20newsgroups": "split",
                      "image_folder": "path", "arrays": "path", "tfds": "name", "correlated": "name",
                      "held_out": "name", "labelled": "name", "partly_labelled": "name", "single_factor": "name",
                      "text_folder": "path"}
