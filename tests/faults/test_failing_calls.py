"""Any call of the file system may fail: the command says so in a sentence, and the same command then ends as if not."""

import errno
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pytest

HERE = pathlib.Path(__file__).parent
CODES = (errno.EIO, errno.ENOSPC, errno.EMFILE, errno.ENOMEM, errno.ESTALE)
SIZES = ("model.training_steps = 5", "model.checkpoint_steps = 2", "model.log_steps = 2", "model.eval_steps = 1",
         "dataset.name = 'toy_dsprites_small'", "analyses.every_steps = 3", "analyses.num_images = 20",
         "analyses.which = ['kl_per_dimension', 'traversals']")
PICTURES = ("num_frames = 2", "num_images = 20", "num_animations = 1", "num_traversals = 1", "num_samples = 4")


def commands(folder, user_folder):
    """Arguments of each command; all write below `folder`, and each needs what those before it have left."""
    return {
        "train": [f"--model_dir={folder}", f"--gin_config={user_folder / 'ridge.gin'}",
                  *(f"--gin_bindings={binding}" for binding in SIZES)],
        "evaluate": [f"--model_dir={folder}", "--metrics=active_variables,modularity_explicitness", "--overwrite",
                     "--preset=fast", f"--output_dir={folder}/evaluation"],
        "visualize": [f"--model_dir={folder}", *(f"--gin_bindings=visualize.{binding}" for binding in PICTURES)],
    }


class Worker:
    """A process in which calls of the file system can be made to fail; see commands.py."""

    def __init__(self, library, user_folder):
        path = os.pathsep.join((str(HERE.parents[1]), str(user_folder)))
        environment = {**os.environ, "LD_PRELOAD": str(library), "PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "3"}
        self.process = subprocess.Popen([sys.executable, str(HERE / "commands.py")], env=environment, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def __call__(self, command, arguments, prefix, **fault):
        job = {"command": command, "arguments": arguments, "prefix": str(prefix), **fault}
        print(json.dumps(job), file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def worker(tmp_path_factory, user_folder):
    """A Worker; skips where there is no C compiler, or no LD_PRELOAD."""
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("needs Linux and a C compiler, cc")
    library = tmp_path_factory.mktemp("faults") / "failing_calls.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, HERE / "failing_calls.c", "-ldl"], check=True)
    made = Worker(library, user_folder)
    yield made
    made.close()


@pytest.fixture(scope="module")
def unbroken(worker, tmp_path_factory, user_folder):
    """{command: (folder before it, what it leaves, the calls that it makes)}, and the place where all of it ran."""
    place = tmp_path_factory.mktemp("run") / "run"
    found = {}
    for command, arguments in commands(place, user_folder).items():
        before = tmp_path_factory.mktemp(command) / "before"
        if place.exists():
            shutil.copytree(place, before)
        answer = worker(command, arguments, place)
        assert answer["code"] == 0, answer
        found[command] = before, content(place), answer["calls"]
    return place, found


def content(folder):
    """What a folder holds, without times and what Keras draws anew in every process.

    Hidden files are what a command could not remove while removing failed.
    """
    paths = {path.relative_to(folder): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {str(name): _content(path) for name, path in paths.items()
            if name.parts[0] != "events" and not any(part.startswith(".") for part in name.parts)}


def _content(path):
    if path.suffix == ".json":
        return {key: value for key, value in json.loads(path.read_text()).items()
                if not key.endswith(("uuid", "elapsed_time", "seconds", "observations_encoded"))
                and "environment." not in key}
    if path.name == "report.html":
        return re.sub(r"data:[^\"]+", "", path.read_text())
    if path.suffix in (".npz", ".keras"):
        with zipfile.ZipFile(path) as archive:
            members = {name: re.sub(rb'"shared_object_id": \d+', b"", archive.read(name)) for name in archive.namelist()
                       if name != "metadata.json"}
        if "about.npy" in members:
            with np.load(path) as arrays:
                members["about.npy"] = {**json.loads(str(arrays["about"])), "elapsed_time": None}
        return members
    return path.read_bytes()


def points(calls):
    """Numbers of calls (from 1): the first and the last of each kind and file."""
    found = {}
    for number, call in enumerate(calls, 1):
        kind = re.sub(r"\.\w{8}(?=\.part|/|$)|out\.tfevents.*", "", call)
        found[kind] = (found.get(kind, (number,))[0], number)
    return sorted({number for pair in found.values() for number in pair})


def fail(worker, unbroken, user_folder, command, number):
    """Fails call `number` of a command and runs it again; returns what is wrong with that, or "".

    The error is one of five by turns; every other one lasts until the command has ended.
    """
    place, known = unbroken
    before, expected, calls = known[command]
    shutil.rmtree(place, ignore_errors=True)
    if before.exists():
        shutil.copytree(before, place)
    arguments = commands(place, user_folder)[command]
    code = CODES[number % len(CODES)]
    answer = worker(command, arguments, place, at=number, code=code, lasting=number % 2 == 1)
    what = f"{errno.errorcode[code]}{' from' if number % 2 else ' at'} {number} ({calls[number - 1]}): "
    said = [line for line in answer["said"].splitlines() if line.startswith(f"dislib_{command}: ")]
    if answer["trace"]:
        return f"{what}{answer['trace'].strip().splitlines()[-1]}"
    if answer["code"] and os.strerror(code) not in " ".join(said):
        return f"{what}it failed without a sentence that names the error: {answer['said']}"
    again = worker(command, arguments, place) if answer["code"] else answer
    if again["code"]:
        return f"{what}{said}; then {again['said'][-500:]} {again['trace']}"
    found = content(place)
    wrong = sorted(name for name in {*found, *expected} if found.get(name) != expected.get(name))
    return f"{what}{said}; then other files: {wrong}" if wrong else ""


@pytest.mark.parametrize("command, kind", [
    ("train", "fsync /.run.json"), ("train", "list /checkpoints"), ("train", "write /checkpoints"),
    ("train", "write /analyses/train/kl"), ("train", "write /events"), ("train", "read /results"),
    ("evaluate", "stat"), ("evaluate", "read /model.keras"),
    ("evaluate", "rename /evaluation"), ("visualize", "open /run.json"), ("visualize", "rename /pictures")])
def test_a_failing_call(worker, unbroken, user_folder, command, kind):
    calls = unbroken[1][command][2]
    numbers = [number for number, call in enumerate(calls, 1) if call.startswith(kind)]
    assert not fail(worker, unbroken, user_folder, command, numbers[len(numbers) // 2])


@pytest.mark.slow
@pytest.mark.parametrize("command", ["train", "evaluate", "visualize"])
def test_every_failing_call(worker, unbroken, user_folder, command):
    found = [fail(worker, unbroken, user_folder, command, number) for number in points(unbroken[1][command][2])]
    assert not list(filter(None, found))
