"""dislib_evaluate: flags, exit codes, sentences, the time of --help."""

import json
import subprocess
import sys

import pytest

from dislib_plus.cli import evaluate as command

pytestmark = pytest.mark.usefixtures("own_module")

SMALL = ["mig.num_train = 100", "mig_sup.num_train = 100", "elbo_decomposition.num_samples = 20",
         "factor_vae_score.num_train = 50", "factor_vae_score.num_eval = 20", "factor_vae_score.batch_size = 8",
         "factor_vae_score.num_variance_estimate = 60"]


@pytest.mark.filterwarnings("default::dislib_plus.configuration.Notice")
def test_command_end_to_end(trained, tmp_path, capsys):
    flags = [f"--gin_bindings={binding}" for binding in SMALL]
    assert command.main([f"--model_dir={trained}", f"--output_dir={tmp_path}", "--metrics=mig,reconstruction",
                         *flags]) == 0
    printed, errors = capsys.readouterr()
    assert errors.count("warning: gin: these metrics do not use elbo_decomposition.num_samples, ") == 1
    assert "discrete_mig" in printed and "l2_mean" in printed
    assert (tmp_path / "mig/results/aggregate/evaluation.json").is_file()


def test_disentanglement_libs_flags(trained, tmp_path, capsys):
    for name, size in (("first", 50), ("second", 60)):
        (tmp_path / f"{name}.gin").write_text("evaluation.evaluation_fn = @mig\nevaluation.random_seed = 0\n"
                                              "dataset.name = 'auto'\ndiscretizer.num_bins = 20\n"
                                              "discretizer.discretizer_fn = @histogram_discretizer\n"
                                              f"mig.num_train = {size}\n")
    flags = [f"--input_dir={trained}", f"--output_dir={tmp_path / 'out'}"]
    assert command.main(flags + [f"--gin_evaluation_config_glob={tmp_path}/*.gin"]) == 0
    for name, size in (("first", "50"), ("second", "60")):
        stored = json.loads((tmp_path / f"out/{name}/results/json/evaluation_config.json").read_text())
        assert stored["evaluation.name"] == repr(name) and stored["mig.num_train"] == size
    assert command.main(flags + [f"--gin_evaluation_config_glob={tmp_path}/*.nothing"]) == 2
    assert "matches no file" in capsys.readouterr().err


@pytest.mark.parametrize("flags, code, message", [
    ([], 2, "exactly one of"),
    (["--codes=a.npz", "--model=b.keras"], 2, "exactly one of"),
    (["--codes={missing}"], 1, "x.npz' does not exist"),
    (["--model_dir={run}", "--metrics=mgi"], 2, "did you mean mig or rmig?"),
    (["--model_dir={run}", "--metrics="], 2, "--metrics must be names of metrics with one comma between"),
    (["--model_dir={run}", "--metrics=mig,,"], 2, "--metrics must be names of metrics with one comma between"),
    (["--model_dir={run}", "--metrics=fast/mig"], 2, "'fast/mig' is not the name of a metric"),
    (["--model_dir={run}", "--metrics=MIG"], 2, "'MIG' is not the name of a metric (preset full); did you mean mig"),
    (["--model_dir={run}", "--metrics=mig,all"], 2, "'all' is not the name of a metric"),
    (["--model_dir={run}", "--gin_bindings=metrics.names = 5"], 2,
     "names of metrics, such as ['mig', 'dci'], or ['all']"),
    (["--model_dir={run}", "--gin_bindings=metrics.names = [['mig'], 3]"], 2, "received [['mig'], 3]"),
    (["--model_dir={run}", "--gin_bindings=metrics.names = ['mgi']"], 2, "did you mean mig"),
    (["--model_dir={run}", "--metrics=" + "m" * 100000], 2, "is not the name of a metric"),
    (["--representation=sys:exit", "--gin_bindings=dataset.name = 'runner_grid'"], 1,
     "sys:exit failed on observations"),
    (["--representation=sys:" + "e" * 100000], 2, "has no function"),
    (["--model_dir={run}", "--metrics=mig", "--gin_bindings=discretizer.num_bins = 0"], 2,
     "discretizer.num_bins must be"),
    (["--model_dir={run}", "--gin_bindings=evaluation.evaluation_fn = @mig_validation"], 2,
     "needs observations, labels"),
    (["--model_dir={run}", "--preset=slow"], 2, "--preset must be"),
    (["--model_dir={run}", "--gin_bindings=mig.num_trian = 3"], 2, "num_train"),
    (["--model_dir={run}", "--gin_bindings=migg.num_train = 3"], 2, "nothing is called 'migg'"),
    (["--model_dir={run}", "--metrics=fid", "--gin_bindings=fid.weights = '/nowhere'"], 1,
     "neither a file nor a folder"),
    (["--model_dir={run}", "--gin_bindings=dataset.name = 'runner_imagez'"], 2, "runner_images"),
    (["--model_dir={run}", "--metrics=mi_conditioning"], 2, "needs a model that has first_stage"),
])
def test_command_errors_are_one_sentence(trained, tmp_path, capsys, flags, code, message):
    places = {"run": str(trained), "missing": str(tmp_path / "x.npz")}
    output = [] if not flags else [f"--output_dir={tmp_path / 'out'}"]
    assert command.main([flag.format(**places) for flag in flags] + output) == code
    errors = capsys.readouterr().err
    assert message in errors and "Traceback" not in errors and len(errors.splitlines()[-1]) < 1000
    assert not list((tmp_path / "out").rglob("*")) if (tmp_path / "out").exists() else True


@pytest.mark.parametrize("flag, expected", [
    ("--metrics=mgi", 2), ("--metrics=mig,,", 2), ("--preset=slow", 2), ("--metrics=mig", 1)])
def test_typing_errors_are_told_before_tensorflow_is_imported(flag, expected):
    """The folder of the run is a typing error too."""
    code = (f"import sys; from dislib_plus.cli.evaluate import main; code = main(['--model_dir=x', '{flag}']); "
            "sys.exit(code + 10 * ('tensorflow' in sys.modules))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == expected, done.stderr


def test_help_needs_no_tensorflow():
    code = ("import sys; from dislib_plus.cli.evaluate import main; code = main(['--help']); "
            "sys.exit(code or ('tensorflow' in sys.modules) * 7)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "--metrics=" in done.stdout
