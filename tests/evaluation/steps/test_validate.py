"""Scores on a fixed labelled sample: what is drawn, the labellers, the files, the command."""

import json

import gin
import numpy as np
import pytest

from dislib_plus.cli import evaluate as command
from dislib_plus.configuration import ConfigurationError
from dislib_plus.evaluation import runner
from dislib_plus.evaluation.arithmetic import discrete_information
from dislib_plus.evaluation.metrics import mig
from dislib_plus.evaluation.sources import source as sources
from dislib_plus.evaluation.steps import labellers, validate

BINDINGS = ["validation.validation_fn = @mig_validation", "validation.random_seed = 3",
            "validation.num_labelled_samples = 50", "dataset.name = 'auto'", "discretizer.num_bins = 20",
            "discretizer.discretizer_fn = @histogram_discretizer"]


@pytest.mark.usefixtures("own_module")
def test_a_run_is_scored_on_the_sample_of_its_seed(trained, tmp_path, own_module):
    validate.validate_with_gin(str(trained), str(tmp_path / "out"), gin_bindings=BINDINGS)

    def read(name):
        return json.loads((tmp_path / f"out/results/{name}").read_text())

    grid, state = own_module.grid("."), np.random.RandomState(3)
    factors = grid.sample_factors(50, state)
    observations = grid.sample_observations_from_factors(factors, state)
    codes = sources.from_directory(trained).function(observations).numpy()
    expected = mig._scores(discrete_information.histogram_discretize(codes.T, 20), factors.T)["discrete_mig"]
    assert read("json/validation_results.json")["discrete_mig"] == pytest.approx(expected, abs=1e-9)
    aggregate = read("aggregate/validation.json")
    assert aggregate["validation_config.validation.num_labelled_samples"] == "50"
    assert aggregate["validation_config.dataset.name"] == "'runner_grid'" and aggregate["train_results.elbo"] == -3.0
    assert read("json/validation_info.json")["random_seed"] == 3
    with pytest.raises(FileExistsError, match="--overwrite"):
        validate.validate_with_gin(str(trained), str(tmp_path / "out"), gin_bindings=BINDINGS)
    validate.validate_with_gin(str(trained), str(tmp_path / "out"), True, gin_bindings=BINDINGS)


@pytest.mark.usefixtures("own_module")
def test_the_command_gives_the_same(trained, tmp_path, capsys):
    validate.validate_with_gin(str(trained), str(tmp_path / "a"), gin_bindings=BINDINGS)
    (tmp_path / "mig.gin").write_text("\n".join(BINDINGS))
    flags = [f"--model_dir={trained}", f"--output_dir={tmp_path / 'b'}"]
    assert command.main(flags + [f"--gin_config={tmp_path}/mig.gin"]) == 0, capsys.readouterr().err
    assert command.main(flags + [f"--gin_evaluation_config_glob={tmp_path}/*.gin"]) == 0, capsys.readouterr().err
    stored = [json.loads((tmp_path / folder / "results/json/validation_results.json").read_text())["discrete_mig"]
              for folder in ("a", "b", "b/mig")]
    assert len(set(stored)) == 1
    assert command.main(flags + [f"--gin_config={tmp_path}/mig.gin", "--metrics=mig"]) == 2
    both = ["--gin_bindings=evaluation.evaluation_fn = @mig", f"--gin_config={tmp_path}/mig.gin", "--overwrite"]
    assert command.main(flags + both) == 2 and "both bound" in capsys.readouterr().err


@pytest.mark.usefixtures("own_module")
@pytest.mark.parametrize("binding, message", [
    ("validation.num_labelled_samples = 2.5", "validation.num_labelled_samples must be an integer >= 2; received 2.5"),
    ("validation.random_seed = -1", "validation.random_seed must be an integer >= 0"),
    ("labeller.labeller_fn = 3", "labeller.labeller_fn must be a function"),
    ("validation.validation_fn = @mig", "must be a function of observations, labels"),
])
def test_mistakes_are_sentences(trained, tmp_path, binding, message):
    with pytest.raises(ConfigurationError, match=message):
        validate.validate_with_gin(str(trained), str(tmp_path / "out"), gin_bindings=[*BINDINGS, binding])
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("own_module")
def test_the_shipped_recipe(trained, tmp_path):
    scores = validate.validate_with_gin(str(trained), str(tmp_path / "out"), gin_config_files=["validation/mig.gin"],
                                        gin_bindings=["validation.num_labelled_samples = 20"])
    assert 0 <= scores["discrete_mig"] <= 1


def test_codes_of_a_file(tmp_path):
    factors = np.indices((3, 4)).reshape(2, -1).T
    np.savez(tmp_path / "codes.npz", codes=factors * 1.0, factors=factors)
    bindings = [binding for binding in BINDINGS if not binding.startswith("dataset")]
    scores = runner.run(sources.from_codes(tmp_path / "codes.npz"), None, tmp_path / "o", gin_bindings=bindings)
    assert scores["mig_on_fixed_data"]["discrete_mig"] > .9


def test_labellers(grid):
    factors = np.array([[2, 3, 4], [0, 1, 2], [1, 2, 0]])
    labels, sizes = labellers.perfect_labeller(factors, grid, None)
    assert labels.dtype == np.float32 and (labels == factors).all() and sizes == [3, 4, 5]
    labels, sizes = labellers.bin_labeller(factors, grid, None, num_bins=2)
    assert labels.tolist() == [[1, 1, 1], [0, 0, 0], [0, 1, 0]] and sizes == [2, 2, 2]
    assert (labellers.noisy_labeller(factors, grid, np.random.RandomState(0), 0.0)[0] == factors).all()
    many = np.zeros((500, 3), int)
    noisy = labellers.noisy_labeller(many, grid, np.random.RandomState(0), 0.5)[0]
    assert (many == 0).all() and .3 < np.mean(noisy[:, 2] != 0) < .5 and noisy.max(axis=0).tolist() == [2, 3, 4]
    permuted, _ = labellers.permuted_labeller(factors, grid, np.random.RandomState(0))
    twin = np.random.RandomState(0)
    assert permuted.T.tolist() == [twin.permutation(range(n))[column].tolist()
                                   for n, column in zip((3, 4, 5), factors.T)]
    labels, sizes = labellers.partial_labeller(factors, grid, np.random.RandomState(0), 2)
    kept = np.random.RandomState(0).choice(3, size=2, replace=False)
    assert (labels == factors[:, kept]).all() and sizes == [(3, 4, 5)[k] for k in kept]
    with pytest.raises(ConfigurationError, match="num_observed_factors"):
        labellers.partial_labeller(factors, grid, np.random.RandomState(0), 4)


def test_the_default_labeller_is_perfect(grid):
    with gin.unlock_config():
        gin.clear_config()
    assert (labellers.make_labeller(np.ones((2, 3), int), grid, None)[0] == 1).all()
