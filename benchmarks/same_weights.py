"""Whether two versions of the library train the same: weights, logged terms and scores of every small recipe.

    python benchmarks/same_weights.py --before_python=old/bin/python --after_python=new/bin/python [--recipes=vae,deft]
                                      [--steps=30] [--folder=FOLDER]

Each interpreter has its version installed. Each run is a process of the command dislib_train with that version's own
recipe, whose batch sizes and networks stay; every stage has --steps iterations, and schedules are cut so that they
move within them. The files of the runs are compared: checkpoint, model.keras, events and scores. Arrays
and numbers are paired by name, and arrays whose names differ by their order among those of one shape. Exit code 1
where something differs.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import zipfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import h5py
import numpy as np
import tensorflow as tf

tf.get_logger().setLevel("ERROR")
# Bindings of a recipe that are numbers of iterations.
LENGTHS = r"^([\w./@]+_(?:steps|every|burst|interval|threshold))\s*=\s*\d"
# Of these, those of a stage other than the last.
STAGE = r"\.stage_\w+_steps$"
# Scores that differ between any two runs.
VOLATILE = ("elapsed_time", "uuid", "environment.")
SIDES = ("before", "after")


def recipes_of(python):
    """{name: path} of the small recipes and the quickstart of the version that an interpreter has."""
    code = "import dislib_plus.files; print(dislib_plus.files.config_root())"
    root = pathlib.Path(subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip())
    return {path.stem: path for path in [*sorted((root / "small").glob("*.gin")), root / "quickstart.gin"]}


def bindings(recipe, steps):
    """Gin bindings that cut a recipe to `steps` iterations a stage and its schedules to a quarter of them."""
    keys = [key for key in re.findall(LENGTHS, recipe.read_text(encoding="utf-8"), re.MULTILINE)
            if not key.startswith("model.")]
    cut = {key: steps if re.search(STAGE, key) else max(1, steps // 4) for key in keys}
    cut.update({"model.training_steps": steps, "model.log_steps": 1, "model.eval_steps": 3})
    return [f"{key} = {value}" for key, value in cut.items()]


def train(python, recipe, steps, folder):
    """Runs a recipe by the command beside an interpreter; returns None, or the last line it wrote when it failed."""
    command = [str(pathlib.Path(python).with_name("dislib_train")), f"--gin_config={recipe}", f"--model_dir={folder}",
               "--overwrite", *(f"--gin_bindings={binding}" for binding in bindings(recipe, steps))]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(command, cwd=folder.parent, env=environment, capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else (done.stderr.strip().splitlines() or ["no message"])[-1]


def checkpoint(folder):
    """{path: array} of the last checkpoint: weights of all stages, controllers and the last optimizers."""
    newest = sorted((folder / "checkpoints").glob("*.npz"))[-1]
    with np.load(newest) as archive:
        paths = [entry["path"] for entry in json.loads(str(archive["about"]))["variables"]]
        # A path that occurs again, as in the optimizers of several stages, gets its number.
        return {f"{path} {paths[:i].count(path)}": archive[str(i)] for i, path in enumerate(paths)}


def saved_model(folder):
    """{path: array} of the weights in model.keras."""
    found = {}
    with zipfile.ZipFile(folder / "model.keras") as archive, archive.open("model.weights.h5") as stream:
        with h5py.File(stream, "r") as weights:
            weights.visititems(found.__setitem__)
            return {name: item[()] for name, item in found.items()
                    if isinstance(item, h5py.Dataset) and item.dtype.kind in "fiub"}


def logged(folder):
    """{"stage/tag at step": value} of the scalars in the event files."""
    found = {}
    for path in sorted((folder / "events").glob("*/events.*")):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                if value.metadata.plugin_data.plugin_name == "scalars":
                    found[f"{path.parent.name}/{value.tag} at {event.step}"] = tf.make_ndarray(value.tensor)
    return found


def scores(folder):
    """{name: value} of the scores."""
    stored = json.loads((folder / "results/json/train_results.json").read_text(encoding="utf-8"))
    return {name: np.array(value) for name, value in stored.items()
            if isinstance(value, (int, float)) and not name.startswith(VOLATILE)}


def paired(before, after):
    """Pairs of names: equal ones, then arrays by their order among those of one shape; and the names left over."""
    pairs = [(name, name) for name in before if name in after and before[name].shape == after[name].shape]
    left, free = ([name for name in side if (name, name) not in pairs] for side in (before, after))
    # A number says nothing without its name.
    for name in [name for name in left if before[name].ndim]:
        other = next((other for other in free if after[other].shape == before[name].shape), None)
        if other is not None:
            pairs.append((name, other))
            left.remove(name)
            free.remove(other)
    return pairs, left, free


def difference(first, second):
    """Largest absolute difference of two arrays, 0.0 where they have equal bits; infinite where only one has NaN."""
    if first.dtype == second.dtype and first.tobytes() == second.tobytes():
        return 0.0
    first, second = np.float64(first), np.float64(second)
    gap = np.where((first == second) | (np.isnan(first) & np.isnan(second)), 0.0, np.abs(first - second))
    return float(np.nan_to_num(gap, nan=np.inf).max(initial=0.0))


def compare(what, before, after):
    """Prints one line about two dicts of arrays; returns whether all of before is in after with equal bits."""
    pairs, lost, new = paired(before, after)
    gaps = {pair: difference(before[pair[0]], after[pair[1]]) for pair in pairs}
    text = [f"{sum(gap == 0 for gap in gaps.values())} of {len(pairs)} equal"]
    renamed = [pair for pair in pairs if pair[0] != pair[1]]
    text += [f"{len(renamed)} paired by order, as {renamed[0][0]} with {renamed[0][1]}"] if renamed else []
    worst = max(gaps, key=gaps.get, default=None)
    text += [f"largest difference {gaps[worst]:.3g} in {worst[0]}"] if any(gaps.values()) else []
    text += [f"only {side}: {', '.join(names[:4])}{' ...' if len(names) > 4 else ''}"
             for side, names in zip(SIDES, (lost, new)) if names]
    print(f"  {what:12s} {'; '.join(text)}", flush=True)
    return bool(pairs) and not lost and not any(gaps.values())


def same(name, pythons, recipes, steps, folders):
    """Trains a recipe with both versions and compares the runs; returns whether they are equal."""
    print(name, flush=True)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        messages = list(pool.map(lambda side: train(pythons[side], recipes[side][name], steps, folders[side]), SIDES))
    for side, message in zip(SIDES, messages):
        if message:
            print(f"  {side} failed: {message}", flush=True)
    if any(messages):
        return False
    return all([compare(read.__name__, *(read(folders[side]) for side in SIDES))
                for read in (checkpoint, saved_model, logged, scores)])


def main():
    """Prints what is equal; exit code 1 where something differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for side in SIDES:
        parser.add_argument(f"--{side}_python", required=True, help=f"interpreter of the version {side}")
    parser.add_argument("--recipes", help="names, separated by commas; default: all of both versions")
    parser.add_argument("--steps", type=int, default=30, help="iterations of each stage")
    parser.add_argument("--folder", help="where the runs are kept; default: a temporary folder")
    options = parser.parse_args()
    pythons = {side: os.path.abspath(getattr(options, f"{side}_python")) for side in SIDES}
    recipes = {side: recipes_of(python) for side, python in pythons.items()}
    names = options.recipes.split(",") if options.recipes else sorted({*recipes["before"], *recipes["after"]})
    with tempfile.TemporaryDirectory() as temporary:
        different = []
        for name in names:
            missing = [side for side in SIDES if name not in recipes[side]]
            folders = {side: pathlib.Path(options.folder or temporary).resolve() / name / side for side in SIDES}
            folders["before"].parent.mkdir(parents=True, exist_ok=True)
            if missing:
                print(f"{name}\n  there is no such recipe {' and '.join(missing)}", flush=True)
            if missing or not same(name, pythons, recipes, options.steps, folders):
                different.append(name)
    print(f"{len(names) - len(different)} of {len(names)} recipes train the same"
          + (f"; not: {', '.join(different)}" if different else ""))
    sys.exit(bool(different))


if __name__ == "__main__":
    main()
