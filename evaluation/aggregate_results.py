"""Collects the result files of many runs into one table (disentanglement_lib's aggregate_results)."""

import glob
import importlib.util
import pathlib

import pandas as pd
from rich.table import Table
from tqdm import tqdm

from dislib_plus import files, results
from dislib_plus.configuration import ConfigurationError

from .table import DETAIL, console

# Trees of this library, and of disentanglement_lib at both depths that its tools write.
DEFAULT_PATTERNS = (
    "runs/**/evaluation/*/results/aggregate/evaluation.json",
    "output/*/metrics/*/*/results/aggregate/evaluation.json",
    "output/*/*/metrics/*/*/results/aggregate/evaluation.json",
)
DEFAULT_GROUPS = ("evaluation_config.dataset.name", "train_config.model.model", "evaluation_config.evaluation.name")
_SCORES = "evaluation_results."
_NOT_SCORES = ("elapsed_time", "uuid", "num_images", "num_samples")


def find_results(patterns):
    """Paths of the aggregate JSON files that match any of the glob patterns (`**` crosses folders), sorted.

    Raises:
      FileNotFoundError: none does.
    """
    patterns = [patterns] if isinstance(patterns, str) else list(patterns)
    paths = sorted({path for pattern in patterns for path in glob.glob(pattern, recursive=True)})
    if not paths:
        raise FileNotFoundError(f"No result file matches {', '.join(map(repr, patterns))}.")
    return paths


def load_results(paths):
    """One row a file: its flat dictionary, and `path`.

    Args:
      paths: aggregate JSON files.

    Returns:
      pandas.DataFrame.

    Raises:
      ValueError: a file holds no JSON object.
    """
    rows = [{**results.load_dict(path), "path": str(path)}
            for path in tqdm(paths, desc="reading", unit="file", disable=None, leave=False)]
    return pd.DataFrame(rows)


def aggregate_results_to_json(result_file_pattern, output_path):
    """Collects all matching files into one JSON file, column-oriented as pandas and disentanglement_lib write it.

    Args:
      result_file_pattern: glob pattern, or a list of patterns.
      output_path: the file to write.

    Returns:
      The table, pandas.DataFrame.
    """
    frame = load_results(find_results(result_file_pattern))
    save(frame, output_path)
    return frame


def load_aggregated_json_results(source_path):
    """The table that `aggregate_results_to_json` wrote."""
    return pd.read_json(source_path, orient="columns")


def check_ending(path):
    """Raises ConfigurationError unless tables can be written under the ending of `path`."""
    if pathlib.Path(path).suffix not in (".json", ".csv", ".parquet"):
        raise ConfigurationError(f"Tables are written as .json, .csv or .parquet; received {str(path)!r}.")


def save(frame, path):
    """Writes the table as .json (disentanglement_lib's format), .csv or .parquet, by the ending of `path`.

    Raises:
      ValueError: another ending, or pyarrow is not installed.
    """
    check_ending(path)
    suffix = pathlib.Path(path).suffix
    if suffix == ".parquet" and importlib.util.find_spec("pyarrow") is None:
        raise ValueError("Writing .parquet needs pyarrow: pip install pyarrow; or choose .csv or .json.")
    with files.atomic_path(path, suffix=suffix) as temporary:
        if suffix == ".json":
            frame.to_json(temporary)
        elif suffix == ".csv":
            frame.to_csv(temporary, index=False)
        else:
            _of_one_type(frame).to_parquet(temporary, index=False)


def _of_one_type(frame):
    """Columns that mix types as text, which parquet needs."""
    mixed = [name for name, column in frame.items() if column.dropna().map(type).nunique() > 1]
    return frame.astype({name: str for name in mixed})


def summarize(frame, group_by=DEFAULT_GROUPS):
    """Mean, standard deviation (n - 1) and number of every score in every group of runs.

    Args:
      frame: see `load_results`.
      group_by: columns whose equal values make a group; columns that the table lacks are left out.

    Returns:
      pandas.DataFrame with the group's columns, `score`, `mean`, `std` (NaN for one run), `n`.

    Raises:
      ValueError: there is no score in the table.
    """
    columns = [name for name in group_by if name in frame]
    scores = [name for name in frame if name.startswith(_SCORES) and name.removeprefix(_SCORES) not in _NOT_SCORES
              and pd.api.types.is_numeric_dtype(frame[name])]
    if not scores:
        raise ValueError("The files hold no numbers under evaluation_results; give aggregate files of evaluations.")
    long = frame.melt(id_vars=columns, value_vars=scores, var_name="score", value_name="value").dropna(subset=["value"])
    long["score"] = long["score"].str.removeprefix(_SCORES)
    long["value"] = long["value"].astype(float)
    grouped = long.groupby(columns + ["score"], dropna=False, sort=True)["value"]
    return grouped.agg(mean="mean", std="std", n="count").reset_index()


def show(summary, stream=None):
    """Prints the table of `summarize` without the scores of single factors, codes or groups.

    Args:
      summary: see `summarize`.
      stream: where to; None: standard output.
    """
    detail = summary["score"].map(lambda score: bool(DETAIL.search(score)))
    summary, hidden = summary[~detail], int(detail.sum())
    caption = f"{hidden} rows of single factors, codes or groups are left out." if hidden else None
    table = Table(title="Scores: mean, standard deviation and number of runs", title_justify="left", caption=caption)
    groups = [name for name in summary if name not in ("score", "mean", "std", "n")]
    for name in groups + ["score"]:
        table.add_column(name.rpartition("_config.")[2], overflow="fold", no_wrap=name == "score")
    for name in ("mean", "std", "n"):
        table.add_column(name, justify="right")
    for row in summary.itertuples(index=False):
        values = dict(zip(summary.columns, row))
        texts = ["" if pd.isna(values[name]) else str(values[name]).strip("'\"") for name in groups]
        spread = "" if pd.isna(values["std"]) else f"{values['std']:.4g}"
        table.add_row(*texts, values["score"], f"{values['mean']:.4g}", spread, str(values["n"]))
    console(stream).print(table)
