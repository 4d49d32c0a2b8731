"""The header of every recipe says only what is so.

A header is the comment at the top of a gin file (those in gin/metrics have one line, and are tested elsewhere):

    # What is trained, and on what.
    # Paper:     authors and year, "title".
    # Values:    where the bindings come from. Every number here is bound in the file.
    # Differs:   what a source has and this file has not, or what no source states.
    # Data:      files that must be there.
    #
    # Run:       the command that trains this file.
    # Evaluate:  the command that computes the scores under Expect.
    # Pictures:  the command that draws the run.
    # Expect:    scores, and whose.

All but the first sentence and Run may be missing; long fields go on in indented lines, long commands after a
backslash. A place in a source is cited as "SOURCE's table 2" and is listed in published_sources.json. A score is a
row of published_scores.csv and reads

    SCORE VALUE, VALUE UNIT +- STD (OF) (best BEST)

with the parts that the row has. "One seed" and "N seeds" say how many runs a mean is over. Lengths are given in
iterations: batches are drawn with replacement, so that a run has no epochs.
"""

import csv
import importlib
import json
import math
import pathlib
import re
import shlex

import numpy as np
import pytest

from dislib_plus import configuration, files
from dislib_plus.evaluation import runner
from dislib_plus.evaluation.metrics import meanings
from dislib_plus.evaluation.steps import bound_metric, metric_files
from dislib_plus.latents import LatentSpec
from dislib_plus.networks import decoders, encoders, residual

HERE = pathlib.Path(__file__).parent
ROOT = files.config_root()
PATHS = {str(path.relative_to(ROOT).with_suffix("")): path for path in sorted(ROOT.rglob("*.gin"))
         if "metrics" not in path.relative_to(ROOT).parts}
FIELDS = ("Paper", "Values", "Differs", "Data", "Run", "Evaluate", "Pictures", "Expect")
COMMANDS = ("Run", "Evaluate", "Pictures")
SOURCES = json.loads((HERE / "published_sources.json").read_text(encoding="utf-8"))
with open(HERE / "published_scores.csv", encoding="utf-8", newline="") as table:
    SCORES = list(csv.DictReader(table))

_NUMBER = r"(?<!\w)-?(?:\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?(?:e-?\d+)?)"
_PLACE = r"(?:table|fig\.|sec\.|app\.|supplement|alg\.|eqs?\.) [\w.]*\w"
# What may hold digits that are not values: years of papers, names of files and repositories, image sizes.
_NAMES = r"(?:al\.|Song|Mnih|Welling|Dupont|of) 20[012]\d|\S*/\S*|\S+\.gin|\d+x\d+"

every_recipe = pytest.mark.parametrize("name", PATHS)


def header(name):
    """The fields of a recipe's header; "title" is what stands before the first."""
    lines = []
    for line in PATHS[name].read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        lines.append(line[1:])
    found = {"title": ""}
    field = "title"
    for line in filter(str.strip, lines):
        start = re.match(r" (\w+):  +(\S.*)", line)
        if start:
            field = start[1]
            assert field not in found, f"{field} stands twice"
            found[field] = start[2]
        else:
            assert field == "title" or line.startswith("   "), f"neither a field nor indented: {line!r}"
            found[field] = f"{found[field].removesuffix(chr(92)).rstrip()} {line.strip()}".strip()
    return found


def bound(path):
    """{key: text} of the bindings of a gin file, includes and all."""
    keys, key = {}, None
    for line in path.read_text(encoding="utf-8").splitlines():
        line = line.partition("#")[0].rstrip()
        include = re.fullmatch(r"include ['\"](.+)['\"]", line)
        binding = re.match(r"([\w./@]+) = (.+)", line)
        if include:
            beside = path.parent / include[1]
            keys.update(bound(beside if beside.is_file() else ROOT / include[1]))
        elif binding:
            key = binding[1]
            keys[key] = binding[2]
        elif line.startswith(" "):
            keys[key] += line
    return keys


def numbers(text):
    return [abs(float(number.replace(",", ""))) for number in re.findall(_NUMBER, text)]


def bound_numbers(name):
    return {abs(float(number)) for text in bound(PATHS[name]).values()
            for number in re.findall(r"\d+(?:\.\d+)?(?:e-?\d+)?", text)}


def flags_of(command, monkeypatch):
    """The flags of a command line, read by the command itself, which then does nothing."""
    words = shlex.split(command)
    name = words.pop(0)
    if name == "python":
        assert words.pop(0) == "-m"
        name = words.pop(0)
    name = name.removeprefix("dislib_plus.cli.").removeprefix("dislib_")
    module, seen = importlib.import_module(f"dislib_plus.cli.{name}"), []
    monkeypatch.setattr(module, "_act", seen.append)
    assert module.main(words) == 0, command
    return name, seen[0]


@every_recipe
def test_fields(name):
    found = header(name)
    title = found.pop("title")
    assert title.endswith("."), "the first sentence says what is trained"
    assert list(found) == [field for field in FIELDS if field in found], "fields in their order"
    assert "Run" in found
    if "Paper" in found:
        assert found["Paper"] in [source.get("paper") for source in SOURCES.values()]
    assert "epoch" not in " ".join(found.values()).lower()


@every_recipe
def test_values_are_bound(name):
    text = re.sub(f"{_NAMES}|{_PLACE}", " ", header(name).get("Values", ""))
    wrong = [number for number in numbers(text) if number not in bound_numbers(name)]
    assert not wrong, f"no binding has {wrong}"


@every_recipe
def test_commands_can_be_run(name, monkeypatch):
    found = {field: flags_of(command, monkeypatch) for field, command in header(name).items() if field in COMMANDS}
    _, run = found["Run"]
    assert [ROOT / config.removeprefix("gin/") for config in run.gin_config] == [PATHS[name]]
    for field, command in (("Evaluate", "evaluate"), ("Pictures", "visualize")):
        if field in found:
            assert found[field][0] == command
            assert found[field][1].model_dir == run.model_dir
    if "Evaluate" in found:
        known = {path.stem for path in (ROOT / "metrics").rglob("*.gin")} - {"all"}
        assert set(found["Evaluate"][1].metrics.split(",")) <= known


def phrase(row):
    """A row of published_scores.csv as a header has it."""
    text = f"{row['score']} {row['values'].replace(' / ', ', ')} {row['unit']}".rstrip()
    text += f" +- {row['std']}" if row["std"] else ""
    text += f" ({row['of']})" if row["of"] else ""
    return text + (f" (best {row['best']})" if row["best"] else "")


def seeds(row):
    return {"": "", "1": "one seed"}.get(row["seeds"], f"{row['seeds']} seeds")


@every_recipe
def test_expected_scores_are_data(name):
    rest = header(name).get("Expect", "")
    rows = [row for row in SCORES if row["recipe"] == name]
    for row in rows:
        assert seeds(row) in rest
        assert row["source"] == "this recipe" or f"{row['source']}'s {row['place']}" in rest
    for row in rows:
        assert phrase(row) in rest, phrase(row)
        rest = rest.replace(phrase(row), "", 1)
    for text in re.findall(r"rho = ([\d., ]+)", rest):
        assert set(numbers(text)) <= bound_numbers(name)
    known = [seeds(row) for row in rows if row["seeds"]]
    rest = re.sub("|".join([*known, _NAMES, _PLACE, r"rho = [\d., ]+", r'--gin_bindings=".+?"']), " ", rest)
    assert not numbers(rest), f"numbers that are not in published_scores.csv: {rest}"


@every_recipe
def test_evaluate_computes_the_expected_scores(name):
    found = header(name)
    lists = re.findall(r"--metrics=(\S+)", found.get("Evaluate", ""))
    lists += re.findall(r"-m dislib_plus\.cli\.(\w+)", found["Run"])
    computed = {metric for names in lists for metric in names.split(",")}
    assert {row["metric"] for row in SCORES if row["recipe"] == name} - {""} <= computed


def test_places_in_sources():
    """Every cited place is listed, and every listed place is cited."""
    cited = set()
    for name in PATHS:
        text = " ".join(value for field, value in header(name).items() if field not in COMMANDS)
        for place in re.finditer(_PLACE, text):
            source = re.search(r"([\w-]+)'s $", text[:place.start()])
            assert source, f"{name}: whose {place[0]}?"
            cited.add((source[1], place[0]))
    listed = {(source, place) for source, about in SOURCES.items() for place in about.get("places", ())}
    own = {(row["source"], row["place"]) for row in SCORES if row["source"] != "this recipe"}
    assert cited | own == listed


def test_scores_are_numbers_that_their_metric_writes():
    """By what the metrics say of their numbers; the units too. The rows without a key are of other commands."""
    runner.import_metrics()
    for row in SCORES:
        if row["key"]:
            with configuration.configured([metric_files.preset_file(row["metric"])]):
                meaning = meanings.of(bound_metric.configured_name(), row["key"])
            assert meaning is not None and (meaning.unit == "nats") == (row["unit"] == "nats"), row
        else:
            assert row["metric"] in ("annealing_test", "total_correlation", "")


def test_scores_belong_to_recipes():
    assert {row["recipe"] for row in SCORES} <= set(PATHS)


def test_means_over_seeds_are_those_of_the_study():
    with open(ROOT.parent / "benchmarks/results/toy_dsprites_small.csv", encoding="utf-8", newline="") as runs:
        runs = list(csv.DictReader(runs))
    rows = [row for row in SCORES if row["source"] == "this repository"]
    for row in rows:
        values = [float(run[row["score"]]) for run in runs if run["method"] == row["row"]]
        assert len(values) == int(row["seeds"])
        decimals = len(row["values"].partition(".")[2])
        assert f"{np.mean(values):.{decimals}f}" == row["values"], row
    assert len(rows) == 7 * 4


def test_exact_total_correlations():
    """DeVAE's eq. 9: -(D / 4) log(1 - rho^2)."""
    rows = [row for row in SCORES if row["score"] == "exact"]
    for row in rows:
        size = int(row["of"].removeprefix("D = "))
        assert row["values"] == " / ".join(f"{-size / 4 * math.log(1 - rho ** 2):.2f}" for rho in (0.3, 0.6, 0.9))
    assert len(rows) == 4


def test_weights_of_the_big_baselines():
    """beta_tc_vae_big_cars3d.gin and both stages of msvae_cars3d.gin, in millions."""
    shape = (64, 64, 3)

    def millions(*networks):
        return f"{sum(network.count_params() for network in networks) / 1e6:.2f} million"
    big = millions(encoders.conv_encoder(shape, LatentSpec(15), width=11), decoders.deconv_decoder(15, shape, width=11))
    both = millions(encoders.conv_encoder(shape, LatentSpec(10)), decoders.deconv_decoder(10, shape),
                    residual.residual_encoder(shape, LatentSpec(5)), residual.film_generator(shape, 5))
    assert re.findall(r"[\d.]+ million", header("beta_tc_vae_big_cars3d")["Differs"]) == [big, both]
    assert re.findall(r"[\d.]+ million", header("msvae_cars3d")["title"]) == [both]
