"""Stands for dislib_train and dislib_evaluate: leaves the files that the studies read, and a line about each call."""

import json
import pathlib
import sys

COMMAND = pathlib.Path(sys.argv[0])
KEYS = ("discrete_mig", "mig_sup", "disentanglement", "eval_accuracy", "kl", "num_active_variables",
        "bernoulli_sample", "l2_sum_sample")


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


flags = dict(flag.lstrip("-").split("=", 1) for flag in sys.argv[1:])
folder = pathlib.Path(flags["model_dir"])
with open(COMMAND.with_name("calls"), "a", encoding="utf-8") as calls:
    calls.write(json.dumps([COMMAND.name, str(folder), sys.argv[1:]]) + "\n")
if "broken" in str(folder):
    sys.exit("no such recipe")
if "metrics" not in flags:
    write(folder / "model.keras", "")
    write(folder / "run.json", {"environment": {"tensorflow": "2.0"}})
    write(folder / "results" / "json" / "train_results.json", {})
    write(folder / "results" / "aggregate" / "train.json", {})
for metric in flags.get("metrics", "").split(",") if "metrics" in flags else ():
    results = folder / "evaluation" / metric / "results" / "json"
    seed = int(folder.name[-1])
    write(results / "evaluation_results.json", {key: 0.25 * seed + number for number, key in enumerate(KEYS)})
    write(results / "evaluation_info.json", {"scipy": "1.0", "scikit_learn": "1.1"})
