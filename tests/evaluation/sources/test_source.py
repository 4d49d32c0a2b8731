"""Every kind of source: runs, Keras files, codes in a file, functions; and what is wrong with them."""

import importlib
import json
import sys
import zipfile

import gin
import keras
import numpy as np
import pytest

from dislib_plus import configuration, import_path
from dislib_plus.configuration import ConfigurationError
from dislib_plus.evaluation import runner
from dislib_plus.evaluation.sources import source as sources

pytestmark = pytest.mark.usefixtures("own_module")

SMALL = ["mig.num_train = 100", "mig_sup.num_train = 100", "elbo_decomposition.num_samples = 20",
         "factor_vae_score.num_train = 50", "factor_vae_score.num_eval = 20", "factor_vae_score.batch_size = 8",
         "factor_vae_score.num_variance_estimate = 60"]


def test_codes_of_the_whole_grid_give_the_models_scores(trained, tmp_path, own_module):
    source = sources.from_directory(trained)
    grid = own_module.grid(".")
    order = np.random.RandomState(0).permutation(60)
    codes = source.function(grid.observations(order)).numpy()
    np.savez(tmp_path / "codes.npz", codes=codes, factors=grid.index_to_factors(order))
    wanted = ["mig", "factor_vae_metric"]
    from_model = runner.run(source, wanted, tmp_path / "a", gin_bindings=SMALL)
    from_codes = runner.run(sources.from_codes(tmp_path / "codes.npz"), wanted, tmp_path / "b", gin_bindings=SMALL)
    for name in wanted:
        del from_model[name]["elapsed_time"], from_codes[name]["elapsed_time"]
        assert from_model[name] == pytest.approx(from_codes[name], abs=1e-9)


def test_incomplete_codes(tmp_path):
    random_state = np.random.RandomState(0)
    factors = random_state.randint(4, size=(200, 3))
    np.savez(tmp_path / "some.npz", codes=factors + 0.01 * random_state.normal(size=(200, 3)), factors=factors,
             factor_names=np.array(["a", "b", "c"]))
    source = sources.from_codes(tmp_path / "some.npz")
    assert source.data.factor_names == ["a", "b", "c"]
    scores = runner.run(source, ["mig"], tmp_path, gin_bindings=["mig.num_train = 2000"])
    assert scores["mig"]["discrete_mig"] > 0.9
    factors[factors[:, 0] == 1, 1] = 0
    np.savez(tmp_path / "few.npz", codes=factors[:30] * 1.0, factors=factors[:30])
    few = sources.from_codes(tmp_path / "few.npz")
    small = [*SMALL, "beta_vae_sklearn.num_train = 50", "beta_vae_sklearn.num_eval = 20"]
    scores = runner.run(few, ["factor_vae_metric", "beta_vae_sklearn"], tmp_path / "f", gin_bindings=small)
    assert scores["factor_vae_metric"]["eval_accuracy"] > .5
    info = json.loads((tmp_path / "f/factor_vae_metric/results/json/evaluation_info.json").read_text())
    assert info["drawn_from"] == "the rows given, which are not the whole grid" and info["factor_bins"] == 20
    with pytest.raises(ValueError, match="whole grid"):
        runner.run(few, ["fairness"], tmp_path / "g", preset="fast")


def test_factors_of_a_file_may_be_negative_or_continuous(tmp_path):
    factors = np.random.RandomState(0).uniform(-1, 1, size=(500, 2))
    np.savez(tmp_path / "codes.npz", codes=factors, factors=factors)
    with configuration.configured(gin_bindings=["array_data.factor_bins = 4"]):
        source = sources.from_codes(tmp_path / "codes.npz")
    assert source.data.factors_num_values == [4, 4]
    scores = runner.run(source, ["mig", "irs"], tmp_path, preset="fast")
    assert scores["mig"]["discrete_mig"] > .9 and scores["irs"]["IRS"] > .8
    with configuration.configured(gin_bindings=["array_data.factor_bins = 0"]):
        with pytest.raises(ConfigurationError, match="array_data.factor_bins must be an integer >= 1"):
            sources.from_codes(tmp_path / "codes.npz")


def test_function_as_representation(trained, tmp_path, module_folder, monkeypatch):
    monkeypatch.chdir(module_folder)
    source = sources.from_function("runner_own:pixels")
    bindings = ["dataset.name = 'runner_grid'", *SMALL]
    scores = runner.run(source, output_dir=tmp_path, gin_bindings=bindings)
    assert tuple(scores) == ("mig", "mig_sup", "factor_vae_metric")
    with pytest.raises(ConfigurationError, match="needs a trained model"):
        runner.run(source, ["reconstruction"], tmp_path / "x", gin_bindings=bindings)
    with pytest.raises(ConfigurationError, match="does not record its data set"):
        runner.run(source, ["mig"], tmp_path / "x")


@pytest.mark.parametrize("make, error, message", [
    (lambda folder: sources.from_directory(folder / "nowhere"), FileNotFoundError, "nowhere' does not exist"),
    (lambda folder: sources.from_directory(folder), FileNotFoundError, "neither model.keras nor"),
    (lambda folder: sources.from_keras(folder / "x.keras"), FileNotFoundError, "model file .* does not exist"),
    (lambda folder: sources.from_keras(write(folder / "y.keras")), ValueError, "is damaged .*save the model again"),
    (lambda folder: sources.from_codes(folder / "x.npz"), FileNotFoundError, "file of codes .* does not exist"),
    (lambda folder: sources.from_codes(write(folder / "y.npz")), ValueError, "damaged .*give an .npz file"),
    (lambda folder: sources.from_codes(arrays(folder, codes=np.zeros((3, 2)))), ValueError, "missing: factors"),
    (lambda folder: sources.from_codes(arrays(folder, codes=np.zeros((3, 2)), factors=np.zeros((4, 1)))),
     ValueError, "rows"),
    (lambda folder: sources.from_codes(arrays(folder, codes=np.full((3, 2), np.nan), factors=np.zeros((3, 1)))),
     ValueError, "finite"),
    (lambda folder: sources.from_codes(write(folder / "e.npz", b"")), ValueError, "damaged .*give an .npz file"),
    (lambda folder: sources.from_codes(cut(folder)), ValueError, "damaged .*give an .npz file"),
    (lambda folder: sources.from_codes(flipped(folder)), ValueError, "damaged .*give an .npz file"),
    (lambda folder: sources.from_codes(one_array(folder)), ValueError, "damaged .*give an .npz file"),
    (lambda folder: sources.from_codes(arrays(folder, codes=np.zeros((3, 2)), factors=np.zeros((3, 1)),
                                              factor_names="x")),
     ValueError, "factor_names must be a list of 1 names; received array"),
    (lambda folder: sources.from_codes(boasting(folder)), OSError, "not enough memory"),
    (lambda folder: sources.from_function("sys:nothing"), ConfigurationError, "'sys' has no function 'nothing'"),
    (lambda folder: sources.from_function(module(folder, "no_syntax", "def f(:") + ":f"), ConfigurationError,
     "cannot be imported .SyntaxError"),
    (lambda folder: sources.from_function(module(folder, "no_key", "{}['a']") + ":f"), ConfigurationError,
     "cannot be imported .KeyError"),
    (lambda folder: sources.from_function(module(folder, "leaves", "import sys; sys.exit(3)") + ":f"),
     ConfigurationError, "cannot be imported .SystemExit"),
    (lambda folder: sources.from_function("no_such_module_here:f"), ConfigurationError, "cannot be imported"),
    (lambda folder: sources.from_function("json:nothing"), ConfigurationError, "no function 'nothing'"),
    (lambda folder: sources.from_function("json"), ConfigurationError, "package.module:function"),
])
def test_bad_sources_are_one_sentence(tmp_path, monkeypatch, make, error, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message) as caught:
        make(tmp_path)
    assert "\n" not in str(caught.value)


def test_modules_of_a_run_may_register_names_when_the_configuration_is_read(tmp_path):
    (tmp_path / "late_names.py").write_text("import gin\n\n\n@gin.configurable\ndef late_name():\n    pass\n")
    with configuration.configured(gin_bindings=["mig.num_train = 3"]), \
            import_path.python_path([tmp_path], named_by_user=True):
        import_path.import_recorded(["late_names"], "run.json")
        assert gin.config_is_locked() and "late_name" in configuration.registered_names()


@pytest.mark.parametrize("body, reason", [
    ("return None", "must return numbers.*NoneType"), ("return ['a'] * len(x)", "must return numbers"),
    ("return x[:, 0]", "must return codes of shape"), ("raise KeyError('k')", "own_f:f failed.*KeyError: 'k'"),
    ("raise RuntimeError('no\\nweights')", "own_f:f failed.*RuntimeError: no weights")])
def test_functions_that_return_no_codes_are_named(tmp_path, monkeypatch, body, reason):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "own_f", raising=False)
    importlib.invalidate_caches()
    source = sources.from_function(module(tmp_path, "own_f", f"def f(x):\n    {body}\n") + ":f")
    with pytest.raises(ValueError, match=reason):
        runner.run(source, ["mig"], tmp_path / "out", gin_bindings=["dataset.name = 'runner_grid'"])
    assert not (tmp_path / "out").exists()


def write(path, content=b"nothing useful"):
    path.write_bytes(content)
    return path


def module(folder, name, text):
    (folder / f"{name}.py").write_text(text)
    return name


def cut(folder):
    path = arrays(folder, codes=np.zeros((30, 2)), factors=np.zeros((30, 1)))
    return write(path, path.read_bytes()[:300])


def flipped(folder):
    """One bit of the codes is wrong, so that the checksum does not hold."""
    path = arrays(folder, codes=np.zeros((300, 2)), factors=np.zeros((300, 1)))
    content = bytearray(path.read_bytes())
    content[500] ^= 1
    return write(path, bytes(content))


def boasting(folder):
    """An archive whose header claims 10^12 rows."""
    with zipfile.ZipFile(folder / "boasting.npz", "w") as archive:
        for name in ("codes", "factors"):
            with archive.open(f"{name}.npy", "w") as stream:
                np.lib.format.write_array_header_1_0(stream, {"descr": "<f8", "fortran_order": False,
                                                              "shape": (10 ** 12, 2)})
                stream.write(b"few bytes")
    return folder / "boasting.npz"


def one_array(folder):
    np.save(folder / "one.npy", np.zeros((3, 2)))
    return (folder / "one.npy").rename(folder / "one.npz")


def arrays(folder, **content):
    np.savez(folder / "arrays.npz", **content)
    return folder / "arrays.npz"


def test_plain_keras_model_is_its_own_encoder(tmp_path, module_folder):
    image = keras.Input((4, 4, 1))
    keras.Model(image, keras.layers.Dense(2)(keras.layers.Flatten()(image))).save(tmp_path / "plain.keras")
    source = sources.from_keras(tmp_path / "plain.keras")
    bindings = ["dataset.name = 'runner_grid'", *SMALL]
    assert runner.run(source, ["mig"], tmp_path / "o", gin_bindings=bindings)["mig"]["discrete_mig"] >= 0
    with pytest.raises(ConfigurationError, match="needs a model that has reconstruct"):
        runner.run(source, ["reconstruction"], tmp_path / "o", gin_bindings=bindings)
