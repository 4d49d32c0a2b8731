"""Scores of a run as the report shows them: read from the result files of training and evaluation."""

import functools
import pathlib

from dislib_plus import results
from dislib_plus.evaluation.metrics import meanings
from dislib_plus.evaluation.steps import metric_files
from dislib_plus.training import meanings as training_meanings

# "num_active_dims": a number of disentanglement_lib that is not what its name says.
_HIDDEN = ("uuid", "elapsed_time", "postprocess_time", "num_active_dims")


def score_groups(model_dir, model):
    """All scores below a run's folder.

    Args:
      model_dir: folder with `results/`; evaluations may lie in folders below it.
      model: the trained model, which says what its terms are.

    Returns:
      list of (title, [(key, text, meaning), ...]): "training" first, then one group an evaluation; meaning is one line,
      "" where nothing says it.
    """
    metric_files.import_metrics()
    model_dir = pathlib.Path(model_dir)
    groups = []
    training = model_dir / "results" / "json" / "train_results.json"
    if training.is_file():
        groups.append(("training", _rows(results.load_dict(training),
                                         functools.partial(training_meanings.of, model))))
    for path in sorted(model_dir.rglob("evaluation_results.json")):
        if path.parent.name == "json":
            config = _config(path)
            metric = str(config.get("evaluation.evaluation_fn", "")).lstrip("@").rpartition("/")[2].rpartition(".")[2]
            meaning = functools.partial(meanings.of, metric)
            groups.append((_title(config, path, model_dir), _rows(results.load_dict(path), meaning)))
    return groups


def _config(path):
    """The configuration that an evaluation recorded beside its results, {} where it recorded none."""
    config = path.with_name("evaluation_config.json")
    return results.load_dict(config) if config.is_file() else {}


def _title(config, path, model_dir):
    """Name of an evaluation: what it was configured with, else its folder."""
    name = str(config.get("evaluation.name") or "").strip("'\"")
    return name or path.parents[2].relative_to(model_dir).name or "evaluation"


def _rows(scores, meaning):
    return [(key, format_value(value), str(meaning(key) or "")) for key, value in scores.items()
            if key not in _HIDDEN and not key.startswith("environment.") and not isinstance(value, (list, dict))]


def format_value(value):
    """A number with four digits that count, anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, float):
        return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.1f}"
