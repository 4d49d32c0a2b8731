"""Exit codes, help, and errors as one sentence."""

import errno
import logging
import os
import pathlib
import signal
import subprocess
import sys
import time
import warnings

import gin
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus import configuration, signals
from dislib_plus.cli import command, environment, tables

BIN = pathlib.Path(__file__).parents[2] / "bin"


def define(flags):
    flags.string("model_dir", None, "Folder of the run.", required=True)
    flags.strings("gin_config", "Gin file.")
    flags.boolean("overwrite", False, "Start anew.")
    flags.integer("count", 3, "How many.")


@pytest.fixture
def run(capsys):
    """Function (arguments, act) -> (exit code, stdout, stderr)."""
    def call(arguments, act=lambda flags: None):
        code = command.run("dislib_probe", "Probes.", define, act, arguments)
        return (code, *capsys.readouterr())
    return call


def test_flags_reach_the_action(run):
    seen = {}

    def act(flags):
        seen.update(model_dir=flags.model_dir, configs=flags.gin_config, overwrite=flags.overwrite, count=flags.count)
    assert run(["--model_dir=a", "--gin_config=b", "--gin_config", "c", "--overwrite", "--count=4"], act) == (0, "", "")
    assert seen == {"model_dir": "a", "configs": ["b", "c"], "overwrite": True, "count": 4}


def test_help_shows_own_flags_only(run):
    code, output, _ = run(["--help"])
    assert code == 0 and "Probes." in output and "(required)" in output and "(default: 3)" in output
    shown = [line.split("=")[0].strip() for line in output.splitlines() if line.strip().startswith("--")]
    assert shown == ["--model_dir", "--gin_config", "--overwrite", "--count", "--traceback"]


@pytest.mark.parametrize("arguments, message", [
    ([], "the flag --model_dir is required"),
    (["--model_dir="], "the flag --model_dir is required"),
    (["--modeldir=a"], "Did you mean: model_dir"),
    (["--model_dir=a", "b"], "'b' is not a flag"),
    (["--model_dir=a", "--count=x"], "--count must be an integer; received --count=x"),
    (["--model_dir=a", "\udcff"], r"the argument must be UTF-8 text; received '\xff'; use another name"),
    (["--model_dir=r\udcc3"], r"--model_dir must be UTF-8 text; received 'r\xc3'"),
    (["--model_dir", "\udcff"], r"--model_dir must be UTF-8 text; received '\xff'"),
    (["--model_dir=a", "--" + "x" * 100_000], "unknown flag --xxx"),
    (["--model_dir=a", "x" * 100_000], "is not a flag"),
])
def test_wrong_flags_are_exit_code_2(run, arguments, message):
    code, output, errors = run(arguments)
    assert code == 2 and output == "" and message in errors and errors.count("\n") == 1 and "--help" in errors
    assert len(errors) < 400


def test_a_name_in_a_locale_without_it_is_shown_with_its_flag():
    ascii_only = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    call = [sys.executable, BIN / "dislib_data", b"list", "--data_dir=rün".encode()]
    done = subprocess.run(call, env=ascii_only, capture_output=True, check=False)
    assert done.returncode == 2 and done.stderr.decode("ascii") == (
        "dislib_data: --data_dir must be UTF-8 text; received 'r\\xfcn'; Python reads names as ascii here: set the "
        "variable PYTHONUTF8=1, or use another name. Try dislib_data --help.\n")


@pytest.mark.parametrize("error, code", [
    (ValueError("beta must be >= 0.\n  In call to configurable 'vae' (<class 'x'>)"), 1),
    (FileNotFoundError("no data."), 1),
    (FileExistsError("results are there."), 1),
    (configuration.ConfigurationError("gin: nothing is called 'x'."), 2),
    (command.UsageError("two flags."), 2),
    (RuntimeError("Required bindings for `model` not provided in config: ['batch_size']"), 2),
    (KeyboardInterrupt(), 1),
    (signals.Terminated(), 143),
])
def test_expected_errors_are_one_sentence(run, error, code):
    def act(flags):
        raise error
    found, output, errors = run(["--model_dir=a"], act)
    assert found == code and output == "" and errors.startswith("dislib_probe: ") and errors.count("\n") == 1
    assert "In call to" not in errors


@gin.configurable("command_part")
def part():
    raise ValueError("beta must be >= 0.")


@gin.configurable("command_whole")
def whole(made):
    """Is given a part that gin makes, or makes one itself."""
    made()


@pytest.mark.parametrize("bindings, code", [
    (["command_whole.made = @command_part()"], 2),
    (["command_whole.made = @command_part"], 1),
])
def test_values_that_an_object_of_the_configuration_refuses_are_exit_code_2(run, bindings, code):
    def act(flags):
        with configuration.configured(gin_bindings=bindings):
            whole()
    found, _, errors = run(["--model_dir=a"], act)
    assert found == code and errors == "dislib_probe: beta must be >= 0.\n"


@gin.configurable("command_needy")
def needy(part):
    return part


def test_an_object_that_needs_itself(run):
    def act(flags):
        with configuration.configured(gin_bindings=["command_needy.part = @command_needy()"]):
            needy()
    code, _, errors = run(["--model_dir=a"], act)
    assert code == 2 and errors == ("dislib_probe: gin: @command_needy() needs @command_needy() itself to be made; "
                                    "bind something else in it.\n")


@gin.configurable("command_broken")
def broken():
    raise LookupError("no such weights.")


@pytest.mark.parametrize("bindings, code", [(["command_whole.made = @command_broken()"], 2),
                                            (["command_whole.made = @command_broken"], 1)])
def test_unforeseen_errors_of_what_gin_has_bound(run, bindings, code):
    def act(flags):
        with configuration.configured(gin_bindings=bindings):
            whole()
    found, _, errors = run(["--model_dir=a"], act)
    assert found == code and errors == ("dislib_probe: LookupError: no such weights. (--traceback shows where.)\n")


@gin.configurable("command_full_disk")
def full_disk():
    raise OSError(errno.ENOSPC, "No space left on device")


def test_errors_of_the_file_system_are_sentences(run):
    """Also where gin has added its trail."""
    expected = ("dislib_probe: a file could not be used (No space left on device); make room and run the same command "
                "again.\n")
    for act in (lambda flags: full_disk(), lambda flags: full_disk.__wrapped__()):
        assert run(["--model_dir=a"], act)[::2] == (1, expected)


DUMP = """Model: in user code:

    File "/x/model.py", line 3, in call  *
        except KeyError: raise ValueError("x")

    ValueError: Exception encountered when calling Layer.call().

    in user code:

        File "/x/layer.py", line 5, in call  *
            return tf.matmul(y, z)

        ValueError: \x1b[1mDimensions must be equal, but are 5 and 7.\x1b[0m


    Arguments received by Layer.call():
      • x=tf.Tensor(shape=(2, 5))
      • training=True
"""


def test_errors_within_traced_code_are_one_sentence():
    expected = "Model: Exception encountered when calling Layer.call(). Dimensions must be equal, but are 5 and 7."
    assert command.sentence(ValueError(DUMP)) == expected
    traced = tf.function(lambda x: tf.matmul(x, tf.zeros((7, 3))), autograph=False)

    @tf.function
    def call(x):
        return traced(x)
    with pytest.raises(ValueError) as caught:
        call(tf.zeros((2, 5)))
    assert "in user code" in str(caught.value) and command.sentence(caught.value).startswith("Dimensions must be equal")


GRAPH_DUMP = """Graph execution error:

Detected at node absolute_difference/Cast defined at (most recent call last):
  File "/x/bin/dislib_train", line 8, in <module>

  File "/x/losses.py", line 102, in loss

Detected at node other defined at (most recent call last):
<stack traces unavailable>
Cast string to float is not supported
\t [[{{node absolute_difference/Cast}}]] [Op:__inference_multi_step_on_iterator_3216]
      In call to configurable 'relu' (<function relu at 0x7f6e9393ccd0>)
  In call to configurable 'model' (<function train at 0x7f6e9393ccc0>)"""


def test_errors_within_graphs_are_one_sentence():
    assert command.sentence(ValueError(GRAPH_DUMP)) == "Cast string to float is not supported"


def test_errors_of_tensorflow_are_one_sentence(run):
    def act(flags):
        tf.function(lambda x: tf.debugging.check_numerics(x, "the loss is not finite"))(tf.constant(float("nan")))
    code, _, errors = run(["--model_dir=a"], act)
    assert code == 1 and errors.count("\n") == 1 and "the loss is not finite" in errors
    assert ".py" not in errors and "node" not in errors and len(errors) < 200


@pytest.mark.parametrize("value", ["x" * 10 ** 6, "x " * 10 ** 6, list(range(1000)), {i: i for i in range(1000)}])
def test_what_is_repeated_of_the_input_is_cut(value):
    message = command.sentence(ValueError(f"The model's beta must be a number; received {value!r}; the user's model."))
    assert message.startswith("The model's beta must be a number; received ") and len(message) < 300
    assert message.endswith("; the user's model.")


def test_endless_messages_are_cut():
    assert len(command.sentence(ValueError("4, " * 10 ** 6))) == 3003


def test_sentences_with_apostrophes_are_whole():
    text = "The model's " + "many words " * 30 + "of the user's own (the run's)."
    assert command.sentence(ValueError(text)) == text


@gin.configurable("command_large")
def large():
    np.empty((10 ** 7, 10 ** 7))


def test_too_little_memory_is_one_sentence(run):
    for act in (lambda flags: large(), lambda flags: large.__wrapped__()):
        code, _, errors = run(["--model_dir=a"], act)
        assert code == 1 and errors.startswith("dislib_probe: there is not enough memory (Unable to allocate 728. TiB")
        assert errors.count("\n") == 1 and "choose smaller sizes" in errors


def test_bugs_are_not_hidden(run):
    for error in (TypeError("bug"), RuntimeError("bug"), KeyError("bug")):
        def act(flags, error=error):
            raise error
        with pytest.raises(type(error)):
            run(["--model_dir=a"], act)


def test_traceback_on_request(run):
    def act(flags):
        raise ValueError("beta must be >= 0.")
    assert "Traceback" in run(["--model_dir=a", "--traceback"], act)[2]


def test_notices_and_log_lines(run):
    def act(flags):
        logging.getLogger("dislib_plus.training").info("resuming")
        warnings.warn("gin: not used.", configuration.Notice)
    assert run(["--model_dir=a"], act) == (0, "", "dislib_probe: resuming\ndislib_probe: warning: gin: not used.\n")


def test_a_repeated_warning_of_other_code_is_shown_once(run):
    def act(flags):
        for text in ("did not converge", "did not converge", "too few classes"):
            with warnings.catch_warnings():
                warnings.simplefilter("always")
                warnings.warn(text, UserWarning)
    with pytest.warns(UserWarning) as shown:
        assert run(["--model_dir=a"], act)[0] == 0
    assert [str(warning.message) for warning in shown] == ["did not converge", "too few classes"]


PROBE = """
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
from dislib_plus.cli import command, tables
def act(flags):
    if flags.table:
        tables.show("a table", {"a row": "long " * 100_000})
    for line in range(100_000):
        print("a line", flush=flags.flush)
def define(flags):
    flags.boolean("flush", False, ".")
    flags.boolean("table", False, ".")
sys.exit(command.run("dislib_probe", "Probes. " * 50_000, define, act))
"""


@pytest.mark.parametrize("arguments", [["--help"], [], ["--flush"], ["--table"]])
def test_nobody_reads_on(arguments):
    process = subprocess.Popen([sys.executable, "-c", PROBE, *arguments], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr.read() == b"" and process.wait() == 141
    process.stderr.close()


def test_stopping_at_any_time_shows_no_traceback():
    """From the first line of the command on: before that, Python itself starts."""
    slow = ("import importlib.abc, os, signal, sys\n"
            "class Slow(importlib.abc.MetaPathFinder):\n"
            "    def find_spec(self, name, path=None, target=None):\n"
            "        if name == module: os.kill(os.getpid(), signal.SIGINT)\n"
            "module, path = sys.argv[1:]\n"
            "sys.meta_path.insert(0, Slow())\n"
            "import runpy; sys.argv = [path, '--model_dir=/nowhere/x', '--gin_bindings=a = 1']\n"
            "runpy.run_path(path, run_name='__main__')\n")
    for module, code in (("dislib_plus.cli", -signal.SIGINT), ("gin", -signal.SIGINT), ("tensorflow", 1)):
        done = subprocess.run([sys.executable, "-c", slow, module, str(BIN / "dislib_train")], capture_output=True,
                              text=True)
        assert done.returncode == code and "Traceback" not in done.stderr
    assert done.stderr == "dislib_train: stopped from the keyboard; the same command goes on from the last " \
                          "checkpoint, if any.\n"


def test_sigterm_ends_a_command_with_a_sentence(run):
    def act(flags):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(10)
    code, output, errors = run(["--model_dir=a"], act)
    assert (code, output) == (143, "")
    assert errors.startswith("dislib_probe: stopped by SIGTERM; the same command goes on")


def test_environment_defaults_and_the_users_own(monkeypatch):
    for name in ("TF_ENABLE_ONEDNN_OPTS", "TF_CPP_MIN_LOG_LEVEL", "KERAS_BACKEND"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "1")
    environment.prepare()
    assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == "1" and os.environ["TF_CPP_MIN_LOG_LEVEL"] == "1"
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    environment.prepare()
    assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == "0"
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    with pytest.raises(ValueError, match="KERAS_BACKEND must be 'tensorflow'; received 'torch'"):
        environment.prepare()


def test_quiet_imports_pass_everything_but_notes(capfd, monkeypatch):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "2")
    with environment.quiet_imports():
        os.write(2, b"I0000 00:00:1.1 2 port.cc:153] oneDNN custom operations are on.\nE0000 broken driver\n")
    assert capfd.readouterr().err == "E0000 broken driver\n"
    with pytest.raises(ImportError):
        with environment.quiet_imports():
            os.write(2, b"last words\n")
            raise ImportError
    assert capfd.readouterr().err == "last words\n"


def test_table(capsys):
    tables.show("Scores", {"loss": 1.23456789, "step": 3, "nothing": None, "device": "CPU"})
    output = capsys.readouterr().out
    assert "1.2346" in output and "CPU" in output and "nothing" not in output
    tables.show("x[/b]y[z]", {"[a]": "[/b]"})
    output = capsys.readouterr().out
    assert "x[/b]y[z]" in output and "[a]" in output and "[/b]" in output.replace("x[/b]y", "")


@pytest.mark.parametrize("name", sorted(path.name for path in BIN.glob("dislib_*")))
def test_help_is_quick_and_needs_no_tensorflow(name):
    code = ("import runpy, sys, time\nsys.argv[1:] = ['--help']\n"
            f"try:\n  runpy.run_path({str(BIN / name)!r}, run_name='__main__')\n"
            "except SystemExit as end:\n  assert not end.code\n"
            "assert not {'tensorflow', 'keras', 'scipy', 'matplotlib'} & set(sys.modules), 'heavy import'\n"
            "print(time.process_time())")
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.startswith(f"{name}: ") and float(done.stdout.split()[-1]) < 1.0
