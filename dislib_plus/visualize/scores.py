"""Scores of a run as the report shows them: read from the result files of training and evaluation."""

import pathlib

from dislib_plus import results

_HIDDEN = ("uuid", "elapsed_time", "postprocess_time")


def score_groups(model_dir):
    """All scores below a run's folder.

    Args:
      model_dir: folder with `results/`; evaluations may lie in folders below it.

    Returns:
      list of (title, [(key, text), ...]): "training" first, then one group an evaluation.
    """
    model_dir = pathlib.Path(model_dir)
    groups = []
    training = model_dir / "results" / "json" / "train_results.json"
    if training.is_file():
        groups.append(("training", _rows(results.load_dict(training))))
    for path in sorted(model_dir.rglob("evaluation_results.json")):
        if path.parent.name == "json":
            groups.append((_title(path, model_dir), _rows(results.load_dict(path))))
    return groups


def _title(path, model_dir):
    """Name of an evaluation: what it was configured with, else its folder."""
    config = path.with_name("evaluation_config.json")
    name = results.load_dict(config).get("evaluation.name") if config.is_file() else None
    return str(name or "").strip("'\"") or path.parents[2].relative_to(model_dir).name or "evaluation"


def _rows(scores):
    return [(key, format_value(value)) for key, value in scores.items()
            if key not in _HIDDEN and not key.startswith("environment.") and not isinstance(value, (list, dict))]


def format_value(value):
    """A number with four digits that count, anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, float):
        return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.1f}"
