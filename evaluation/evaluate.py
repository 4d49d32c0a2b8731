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

from dislib_plus import checks, configuration, results
from dislib_plus.configuration import ConfigurationError

from .steps import provenance

# What can be made of a representation, each described by its own names in gin: `evaluation.evaluation_fn`, ...
STEPS = ("evaluation", "validation")
LARGEST_SEED = 2 ** 32 - 1


@gin.configurable("evaluation", denylist=["session", "artifact_dir"])
def evaluate_representation(session, artifact_dir, evaluation_fn=gin.REQUIRED, random_seed=gin.REQUIRED, name=""):
    """The scores of one metric.

    Args:
      session: Session with the source and its data.
      artifact_dir: folder for what the metric leaves beside its scores.
      evaluation_fn: the metric (gin: @mig, ...), any function that declares some of ground_truth_data,
        representation_function, random_state, artifact_dir, dataset, model, and returns a dict.
      random_seed: of the RandomState that the metric draws from, 0..2^32 - 1.
      name: recorded only.

    Returns:
      The metric's dict.

    Raises:
      ConfigurationError: the seed is none. ValueError: the metric returned something else.
    """
    del name  # Part of the recorded configuration.
    draws = random_state("evaluation.random_seed", random_seed)
    return checked_scores(evaluation_fn, evaluation_fn(**session.arguments(evaluation_fn, draws, artifact_dir)))


def random_state(name, seed):
    """The RandomState of a seed; raises ConfigurationError, which names it, unless it is an integer 0..2^32 - 1."""
    checks.whole(name, seed, 0)
    checks.at_most(name, seed, LARGEST_SEED)
    return np.random.RandomState(seed)


def checked_scores(function, scores):
    """The scores that a metric returned; raises ValueError unless they are a dict."""
    if not isinstance(scores, dict):
        raise ValueError(f"A metric must return a dict; {function.__name__} returned a {type(scores).__name__}.")
    return scores


def configured_step():
    """The step that the present gin configuration describes, one of STEPS.

    Raises:
      ConfigurationError: it binds the functions of both.
    """
    bound = [step for step in STEPS if f"{step}.{step}_fn" in configuration.bindings()]
    if len(bound) > 1:
        raise ConfigurationError("evaluation.evaluation_fn and validation.validation_fn are both bound; bind one of "
                                 "the two.")
    return bound[0] if bound else "evaluation"


def configured_metric(step="evaluation"):
    """The metric function that the present gin configuration binds to `evaluation.evaluation_fn` (or to the step's).

    Raises:
      ConfigurationError: nothing, or something that is no function, is bound.
    """
    key = f"{step}.{step}_fn"
    try:
        reference = gin.query_parameter(key)
    except ValueError as error:
        raise ConfigurationError(f"The gin configuration does not bind {key}; bind a metric, as in "
                                 f"--gin_bindings='{key} = @mig'.") from error
    function = getattr(getattr(reference, "configurable", None), "wrapper", reference)
    if not callable(function):
        raise ConfigurationError(f"{key} must be a metric such as @mig; received {reference!r}.")
    return function


def default_seed(step="evaluation"):
    """Binds `evaluation.random_seed` (or the step's) to 0 where nothing is bound."""
    try:
        gin.query_parameter(f"{step}.random_seed")
    except ValueError:
        with gin.unlock_config():
            gin.bind_parameter(f"{step}.random_seed", 0)


def evaluate_to(session, folder, score=evaluate_representation, step="evaluation"):
    """Evaluates the configured metric and writes `folder/results`, complete or not at all.

    Args:
      session: Session; folder: what it holds already is replaced.
      score: function (session, artifact folder) -> scores.
      step: one of STEPS, what the files are called.

    Returns:
      dict: the scores, with `elapsed_time` in seconds.
    """
    default_seed(step)
    before = session.num_encoded
    with published(folder) as temporary:
        start = time.time()
        scores = score(session, str(temporary / "artifacts"))
        scores = {**scores, "elapsed_time": time.time() - start}
        info = {"source": session.source.name, "data_set": session.dataset.name,
                "random_seed": gin.query_parameter(f"{step}.random_seed"), "seconds": scores["elapsed_time"],
                "observations_encoded": session.num_encoded - before,
                **getattr(session.dataset, "description", {}), **provenance.environment()}
        results.save_dict(temporary / "results" / "json" / f"{step}_info.json", info)
        text = merged_gin(session.dataset_gin, gin.operative_config_str())
        results.update_result_directory(temporary / "results", step, scores, session.source.results, text)
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
