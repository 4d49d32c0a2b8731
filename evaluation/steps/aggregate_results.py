"""Collects the result files of many runs into one table (disentanglement_lib's aggregate_results)."""

import glob
import importlib.util
import pathlib
import warnings

import pandas as pd
from rich.table import Table
from tqdm import tqdm

from dislib_plus import files, results
from dislib_plus.configuration import ConfigurationError, Notice

from .table import DETAIL, HIDDEN, console

# Trees of this library, and of disentanglement_lib at both depths that its tools write.
DEFAULT_PATTERNS = (
    "runs/**/evaluation/*/results/aggregate/evaluation.json",
    "output/*/metrics/*/*/results/aggregate/evaluation.json",
    "output/*/*/metrics/*/*/results/aggregate/evaluation.json",
)
DEFAULT_GROUPS = ("evaluation_config.dataset.name", "train_config.model.model", "postprocess_config.postprocess.name")
_STEPS = ("evaluation", "validation")
_SCORES = tuple(f"{step}_results." for step in _STEPS)


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
      pandas.DataFrame; its `attrs["not_numbers"]` lists the [path, column] of scores that are NaN in their file.

    Raises:
      ValueError: a file holds no JSON object.
    """
    rows = [{**results.load_dict(path), "path": str(path)}
            for path in tqdm(paths, desc="reading", unit="file", disable=None, leave=False)]
    frame = pd.DataFrame(rows)
    frame.attrs["not_numbers"] = [[row["path"], name] for row in rows for name, value in row.items()
                                  if name.startswith(_SCORES) and _is_not_a_number(value)]
    return frame


def _is_not_a_number(value):
    """Whether a score is NaN, as a number, as null, or as text."""
    return value is None or (isinstance(value, (str, float)) and str(value).strip().lower() == "nan")


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
    """Mean, standard deviation (n - 1) and number of runs of every score of every metric in every group.

    Results of one metric of one run, as with several seeds, count as their mean.

    Args:
      frame: see `load_results`.
      group_by: columns whose equal values make a group; columns that the table lacks are left out.

    Returns:
      pandas.DataFrame with the group's columns, `score` ("<metric>.<key>"), `mean`, `std` (NaN for one run), `n`: the
      number of runs that have the score as a number, 0 where it is NaN in all of them.

    Raises:
      ValueError: the table holds no score.
    """
    columns = [name for name in group_by if name in frame]
    scores = {name: _numbers(frame, name) for name in frame if name.startswith(_SCORES)
              and name.partition(".")[2] not in HIDDEN and _holds_numbers(frame[name])}
    if not scores:
        raise ValueError("The files hold no numbers under evaluation_results; give aggregate files of evaluations.")
    metrics, runs, parts = frame.apply(_metric, axis=1), frame.apply(_run, axis=1), []
    for name, values in scores.items():
        of_nan = [path for path, column in frame.attrs.get("not_numbers", ()) if column == name]
        present = values.notna() | (frame["path"].isin(of_nan) if "path" in frame else False)
        labels = (metrics[present] + "." + name.partition(".")[2]).str.removeprefix(".")
        parts.append(frame.loc[present, columns].assign(score=labels, run=runs[present], value=values[present]))
    long = pd.concat(parts, ignore_index=True)
    if long.empty:
        return pd.DataFrame(columns=[*columns, "score", "mean", "std", "n"])
    of_run = long.groupby([*columns, "score", "run"], dropna=False, sort=True)["value"].mean().reset_index()
    grouped = of_run.groupby([*columns, "score"], dropna=False, sort=True)["value"]
    return grouped.agg(mean="mean", std="std", n="count").reset_index()


def _metric(row):
    """The metric that a row is of: its name, else its function; an empty text where the file says neither."""
    for step in _STEPS:
        for key in ("name", f"{step}_fn"):
            text = str(row.get(f"{step}_config.{step}.{key}", "") or "").strip("'\"@")
            if text and text != "nan":
                return text
    return ""


def _run(row):
    """What tells the run of a row from others: the mark of its training, else the file itself."""
    mark = row.get("train_results.uuid")
    return mark if isinstance(mark, str) else row.get("path", row.name)


def _holds_numbers(column):
    """Whether a column is of numbers; one of text, such as the name of a setting, holds at least one true number."""
    return pd.api.types.is_numeric_dtype(column) or any(isinstance(value, (int, float)) and not pd.isna(value)
                                                       for value in column if not isinstance(value, bool))


def _numbers(frame, name):
    """A column of scores as floats, NaN for anything else; one warning names the first file that holds other text."""
    column = frame[name]
    plain = column.map(lambda value: None if isinstance(value, (list, dict)) else value)
    values = pd.to_numeric(plain, errors="coerce")
    lost = frame[values.isna() & column.map(lambda value: isinstance(value, (str, list, dict)))]
    if len(lost):
        where = lost["path"].iloc[0] if "path" in lost else f"row {lost.index[0]}"
        warnings.warn(f"{where}: {name} is {lost[name].iloc[0]!r}, not a number; it is left out of mean and n"
                      + (f", as in {len(lost) - 1} other files." if len(lost) > 1 else "."), Notice, stacklevel=2)
    return values.astype(float)


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
        mean = "" if pd.isna(values["mean"]) else f"{values['mean']:.4g}"
        table.add_row(*texts, values["score"], mean, spread, str(values["n"]))
    console(stream).print(table)
