"""Training runs of small recipes with several seeds, their scores, and the tables made of them."""

import concurrent.futures
import dataclasses
import itertools
import multiprocessing
import os
import pathlib
import shlex
import sys

import command_process
import pandas as pd
from tqdm import tqdm

from dislib_plus import files, results
from dislib_plus.evaluation.steps import aggregate_results
from dislib_plus.training.run_directory import RunDirectory

BIN = pathlib.Path(__file__).resolve().parents[1] / "bin"
# What scores depend on beside the libraries of the training.
SCORED_WITH = ("scipy", "scikit_learn")
# After so many commands a process is replaced, as TensorFlow keeps some memory of every model.
COMMANDS_OF_A_PROCESS = 16


@dataclasses.dataclass(frozen=True)
class Score:
    """One number of a metric's results.

    Attributes:
      name: in tables.
      metric, key: where it is found.
      decimals: shown in tables.
      better: 1, -1 or 0: larger values are better, smaller ones are, or neither.
    """

    name: str
    metric: str
    key: str
    decimals: int = 2
    better: int = 1


SCORES = (
    Score("MIG", "mig", "discrete_mig"),
    Score("MIG-sup", "mig_sup", "mig_sup"),
    Score("DCI", "dci", "disentanglement"),
    Score("FactorVAE score", "factor_vae_metric", "eval_accuracy"),
    Score("reconstruction", "reconstruction", "bernoulli_sample", 1, -1),
    Score("squared error", "reconstruction", "l2_sum_sample", 1, -1),
    Score("KL", "elbo_decomposition", "kl", 1, 0),
)


@dataclasses.dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
      folder: the run's folder.
      recipe: stem of a file in gin/small.
      seed: of the training.
      bindings: further gin bindings of the training.
      columns: what the run is called in tables, {column: value}.
      may_diverge: whether a training that stops at a loss that is not finite is a result, not an error.
    """

    folder: pathlib.Path
    recipe: str
    seed: int
    bindings: tuple = ()
    columns: dict = dataclasses.field(default_factory=dict)
    may_diverge: bool = False

    @property
    def diverged(self):
        """Whether the training stopped at a loss that is not finite."""
        return self.log.is_file() and "Training stopped:" in self.log.read_text(encoding="utf-8")

    @property
    def log(self):
        """File of what the commands printed."""
        return self.folder.with_suffix(".log")

    def scores_file(self, metric):
        """Result file of a metric."""
        return self.folder / "evaluation" / metric / "results" / "json" / "evaluation_results.json"


def execute(runs, scores=SCORES, workers=2, preset="full"):
    """Trains and scores what is not finished yet, several runs at a time, in processes that import TensorFlow once.

    Args:
      runs: list of Run, in the order in which they are started.
      scores: list of Score.
      workers: runs at a time; the cores are shared among them.
      preset: of the metrics, "full" or "fast".

    Raises:
      RuntimeError: a command failed; the runs that were not started yet are not started.
    """
    metrics = list(dict.fromkeys(score.metric for score in scores))
    threads = max(1, os.cpu_count() // workers)
    processes = concurrent.futures.ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), command_process.share_cores, (threads,),
        max_tasks_per_child=COMMANDS_OF_A_PROCESS)
    pool = concurrent.futures.ThreadPoolExecutor(workers)
    try:
        jobs = [pool.submit(_execute, run, metrics, preset, processes) for run in runs]
        for job in tqdm(concurrent.futures.as_completed(jobs), total=len(jobs), unit="run"):
            job.result()
    finally:
        pool.shutdown(cancel_futures=True)
        processes.shutdown()


def _execute(run, metrics, preset, processes):
    if run.may_diverge and run.diverged:
        return
    if not RunDirectory(run.folder).finished:
        bindings = (f"model.random_seed = {run.seed}", *run.bindings)
        _command("dislib_train", run, processes, f"--gin_config=small/{run.recipe}.gin",
                 *(f"--gin_bindings={binding}" for binding in bindings))
    missing = [metric for metric in metrics if not run.scores_file(metric).is_file()]
    if missing:
        _command("dislib_evaluate", run, processes, f"--metrics={','.join(missing)}", f"--preset={preset}")


def _command(name, run, processes, *flags):
    run.log.parent.mkdir(parents=True, exist_ok=True)
    code = processes.submit(command_process.call, BIN / name, [f"--model_dir={run.folder}", *flags], run.log).result()
    if code and not (run.may_diverge and run.diverged):
        raise RuntimeError(f"{name} of {run.folder} ended with exit code {code}; see {run.log}.")


def table(runs, scores=SCORES):
    """One row a run: its columns, its seed, its scores. pandas.DataFrame."""
    rows = []
    for run in runs:
        found = {score.name: results.load_dict(run.scores_file(score.metric))[score.key] for score in scores}
        rows.append({**run.columns, "seed": run.seed, **found})
    return pd.DataFrame(rows)


def summary(frame, by, scores=SCORES):
    """Mean and standard deviation (n - 1) of each score over the seeds.

    Args:
      frame: see `table`.
      by: list of columns; their groups keep the order of the frame.
      scores: list of Score.

    Returns:
      pandas.DataFrame: one row a group; columns (score, "mean"), (score, "std"), and ("seeds", "").
    """
    groups = frame.groupby(by, sort=False)
    result = groups[[score.name for score in scores]].agg(["mean", "std"])
    result[("seeds", "")] = groups.size()
    return result


def markdown(summarized, scores=SCORES):
    """The table of `summary` as Markdown, "mean ± std"; arrows beside the names point to the better values."""
    keys = list(summarized.index.names)
    heads = [score.name + {1: " ↑", -1: " ↓", 0: ""}[score.better] for score in scores]
    lines = [_row(keys + heads + ["seeds"]), _row(["---"] * len(keys) + ["---:"] * (len(heads) + 1))]
    for index, row in summarized.iterrows():
        cells = [_cell(row[score.name], score.decimals) for score in scores]
        lines.append(_row([*(index if isinstance(index, tuple) else (index,)), *cells, int(row["seeds"].iloc[0])]))
    return "\n".join(lines)


def _cell(values, decimals):
    text = f"{values['mean']:.{decimals}f}"
    return text if pd.isna(values["std"]) else f"{text} ± {values['std']:.{decimals}f}"


def _row(cells):
    return f"| {' | '.join(map(str, cells))} |"


def versions(runs):
    """What the runs were made with, one line; several where they differ."""
    found = []
    for run in runs:
        made = RunDirectory(run.folder).read()["environment"]
        for scored in itertools.islice(run.folder.glob("evaluation/*/results/json/evaluation_info.json"), 1):
            made = {**made, **{name: results.load_dict(scored)[name] for name in SCORED_WITH}}
        found.append(", ".join(f"{key} {value}" for key, value in made.items()))
    return "\n".join(dict.fromkeys(found))


def write(name, frame, draw, text, folder):
    """Writes the table `frame` as <name>.csv, the picture of draw(frame, path) as .png, and `text` as .md."""
    aggregate_results.save(frame, folder / f"{name}.csv")
    draw(frame, folder / f"{name}.png")
    with files.atomic_write(folder / f"{name}.md") as stream:
        stream.write(text)


def read_flags(parser, argv=None):
    """Adds the flags that all studies have, and reads the command line; `command` is how the script was called."""
    parser.add_argument("--output_dir", type=pathlib.Path, required=True, help="folder of the runs")
    parser.add_argument("--results_dir", type=pathlib.Path, help="folder of the tables (default: output_dir)")
    parser.add_argument("--workers", type=int, default=2, help="runs at a time")
    parser.add_argument("--preset", default="full", help="sizes of the metrics: full or fast")
    parser.add_argument("--gin_bindings", action="append", default=[], help="for all trainings; may be repeated")
    argv = sys.argv[1:] if argv is None else argv
    options = parser.parse_args(argv)
    options.results_dir = options.results_dir or options.output_dir
    options.command = f"python benchmarks/{parser.prog} {shlex.join(argv)}"
    return options
