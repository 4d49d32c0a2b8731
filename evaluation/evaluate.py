"""Computes one metric and writes its result files, in disentanglement_lib's layout."""

import contextlib
import os
import pathlib
import re
import shutil
import tempfile
import time

import gin
import numpy as np

from dislib_plus import results
from dislib_plus.configuration import ConfigurationError

from . import provenance


@gin.configurable("evaluation", denylist=["session", "artifact_dir"])
def evaluate_representation(session, artifact_dir, evaluation_fn=gin.REQUIRED, random_seed=gin.REQUIRED, name=""):
    """The scores of one metric.

    Args:
      session: Session with the source and its data.
      artifact_dir: folder for what the metric leaves beside its scores.
      evaluation_fn: the metric (gin: @mig, ...), any function that declares some of ground_truth_data,
        representation_function, random_state, artifact_dir, dataset, model, and returns a dict.
      random_seed: of the RandomState that the metric draws from.
      name: recorded only.

    Returns:
      The metric's dict.

    Raises:
      ValueError: the metric returned something else.
    """
    del name  # Part of the recorded configuration.
    random_state = np.random.RandomState(random_seed)
    scores = evaluation_fn(**session.arguments(evaluation_fn, random_state, artifact_dir))
    if not isinstance(scores, dict):
        raise ValueError(f"A metric must return a dict; {evaluation_fn.__name__} returned a {type(scores).__name__}.")
    return scores


def configured_metric():
    """The metric function that the present gin configuration binds to `evaluation.evaluation_fn`.

    Raises:
      ConfigurationError: nothing, or something that is no function, is bound.
    """
    try:
        reference = gin.query_parameter("evaluation.evaluation_fn")
    except ValueError as error:
        raise ConfigurationError("The gin configuration does not bind evaluation.evaluation_fn; bind a metric, as in "
                                 "--gin_bindings='evaluation.evaluation_fn = @mig', or use --metrics.") from error
    function = getattr(getattr(reference, "configurable", None), "wrapper", reference)
    if not callable(function):
        raise ConfigurationError(f"evaluation.evaluation_fn must be a metric such as @mig; received {reference!r}.")
    return function


def default_seed():
    """Binds `evaluation.random_seed` to 0 where nothing is bound."""
    try:
        gin.query_parameter("evaluation.random_seed")
    except ValueError:
        with gin.unlock_config():
            gin.bind_parameter("evaluation.random_seed", 0)


def evaluate_to(session, folder):
    """Evaluates the configured metric and writes `folder/results`, complete or not at all.

    Args:
      session: Session; folder: what it holds already is replaced.

    Returns:
      dict: the scores, with `elapsed_time` in seconds.
    """
    default_seed()
    before = session.num_encoded
    with published(folder) as temporary:
        start = time.time()
        scores = evaluate_representation(session, str(temporary / "artifacts"))
        scores = {**scores, "elapsed_time": time.time() - start}
        info = {"source": session.source.name, "data_set": session.dataset.name,
                "random_seed": gin.query_parameter("evaluation.random_seed"), "seconds": scores["elapsed_time"],
                "observations_encoded": session.num_encoded - before, **provenance.environment()}
        results.save_dict(temporary / "results" / "json" / "evaluation_info.json", info)
        text = merged_gin(session.dataset_gin, gin.operative_config_str())
        results.update_result_directory(temporary / "results", "evaluation", scores, session.source.results, text)
    return scores


def merged_gin(*texts):
    """One operative gin text of several: their sections, each once, in sorted order."""
    sections = {}
    for text in texts:
        for block in re.split(r"\n\n+", text.strip()):
            if block:
                sections.setdefault(block.splitlines()[0], block)
    # Import lines have no header and come first.
    ordered = sorted(sections, key=lambda header: (header.startswith("#"), header.lower()))
    return "\n\n".join(sections[header] for header in ordered) + "\n"


def check_free(folder, overwrite):
    """Raises FileExistsError where `folder` holds results that may not be replaced."""
    if (pathlib.Path(folder) / "results").exists() and not overwrite:
        raise FileExistsError(f"{folder} holds results already; use --overwrite to replace them, or another "
                              "--output_dir.")


@contextlib.contextmanager
def published(folder, replaced=("artifacts", "results")):
    """A temporary folder in `folder` whose content replaces what is there when the block ends well.

    Args:
      folder: made if needed.
      replaced: names that go from `folder` also where the temporary folder lacks them.
    """
    folder = pathlib.Path(folder)
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    temporary = pathlib.Path(tempfile.mkdtemp(dir=folder, prefix=".evaluation."))
    try:
        yield temporary
        for name in {*replaced, *os.listdir(temporary)}:
            _remove(folder / name)
            if (temporary / name).exists():
                (temporary / name).rename(folder / name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        # Folders that were made for nothing go again; one that holds anything stays.
        with contextlib.suppress(OSError):
            for path in made:
                path.rmdir()


def _remove(path):
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
