"""The README holds only what runs: its files are written, its commands executed with fewer steps."""

import pathlib
import re
import shlex
import subprocess
import sys

import pytest

from dislib_plus import files
from dislib_plus.cli import aggregate, data, evaluate, postprocess, train, udr, visualize
from support import recipes

ROOT = pathlib.Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = {"dislib_train": train, "dislib_evaluate": evaluate, "dislib_visualize": visualize, "dislib_data": data,
            "dislib_postprocess": postprocess, "dislib_aggregate": aggregate, "dislib_udr": udr}
SHORT = {"dislib_train": ["model.eval_steps = 1"],
         "dislib_evaluate": ["mig.num_train = 50", "reconstruction.num_images = 20", "code_range.num_points = 20"],
         "dislib_udr": ["udr_sklearn.num_data_points = 40"],
         "dislib_visualize": ["visualize.num_images = 20", "visualize.num_frames = 2", "visualize.num_traversals = 1",
                              "visualize.num_animations = 1", "visualize.num_samples = 4"]}


def blocks(language):
    found = re.findall(r"^```(\w*)\n(.+?)^```$", README, re.MULTILINE | re.DOTALL)
    return [content for name, content in found if name == language]


def lines_of_commands():
    lines = [line.split("  #")[0].strip() for block in blocks("bash") for line in block.splitlines()]
    return [shlex.split(line) for line in lines if line]


def test_files_it_points_to_exist():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = [words[1] for words in lines_of_commands() if words[0] == "make"]
    assert targets == ["demo", "test"] and all(f"\n{target}:" in makefile for target in targets)


def test_every_command_is_in_a_table():
    rows = re.findall(r"^\| (`dislib_.+?) \|", README, re.MULTILINE)
    shown = [name for row in rows for name in re.findall("`(.+?)`", row)]
    assert sorted(shown) == sorted(path.name for path in (ROOT / "bin").glob("dislib_*"))


def test_names_in_the_table_are_known():
    import dislib_plus.methods  # noqa: F401
    from dislib_plus import configuration
    from dislib_plus.data import names
    from dislib_plus.evaluation.steps import metric_files
    rows = dict(re.findall(r"^\| ([\w ]+) \| (.+) \|$", README, re.MULTILINE))
    assert len(rows) == 6
    for heading, text in rows.items():
        listed = set(re.findall(r"`(\w+)(?::NAME)?`", text))
        known = {"me": metric_files.metric_names(), "da": names(), "im": names()}.get(heading[:2])
        assert listed and listed <= set(configuration.registered_names() if heading == "methods" else known)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the README's files."""
    path = tmp_path_factory.mktemp("readme")
    for text in blocks("python") + blocks(""):
        name, content = re.match(r"# file: (\S+)\n(.+)", text, re.DOTALL).groups()
        (path / name).write_text(content)
    return path


def test_commands_run(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    ran = []
    for words in lines_of_commands():
        if words[0] == "python":
            subprocess.run([sys.executable, *words[1:]], check=True)
            continue
        if words[0] not in COMMANDS:
            assert words[0] == "make" or words[:2] == ["pip", "install"], words
            continue
        bindings = [f"--gin_bindings={binding}" for binding in small(words)]
        assert COMMANDS[words[0]].main(words[1:] + bindings) == 0, (words, capsys.readouterr().err)
        ran.append(words[0])
    assert set(ran) == set(COMMANDS)
    assert (folder / "runs/quick/pictures/report.html").exists()
    assert "discrete_mig" in (folder / "runs/scores.csv").read_text()
    assert (folder / "runs/udr/results/json/evaluation_results.json").exists()
    assert (folder / "runs/quick/range/results/json/evaluation_results.json").exists()
    assert (folder / "runs/squares/model.keras").exists() and (folder / "runs/variance/model.keras").exists()


def small(words):
    """Bindings that make a command of the README quick."""
    if "--dataset=toy_cars3d" in words or words[0] not in SHORT:
        return []
    bindings = list(SHORT[words[0]])
    if words[0] == "dislib_evaluate":
        asked = " ".join(words)
        return [binding for binding in bindings if binding.partition(".")[0] in asked]
    if words[0] == "dislib_train":
        [name] = re.findall(r"--gin_config=(\S+)", " ".join(words))
        recipe = pathlib.Path(name) if pathlib.Path(name).is_file() else files.config_root() / name
        bindings += recipes.short(recipe, steps=2, batch_size=4)
        bindings += [] if "my_squares" in " ".join(words) else ["toy_cars3d.num_objects = 2"]
    return bindings


def test_recipes_named_in_it_are_shipped():
    for name in set(re.findall(r"--gin_config=(\S+\.gin)", README)):
        assert (files.config_root() / name).is_file() or f"# file: {name}" in README
