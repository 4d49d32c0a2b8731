"""The result folder of one step: computed beside its place, and put there whole or not at all."""

import contextlib
import os
import pathlib
import re
import shutil
import tempfile
import time

import gin

from dislib_plus import files, results

from . import bound_metric, provenance


def compute_to(folder, step, score, describe, results_before=None, dataset_gin=""):
    """Computes scores and writes `folder/results`, complete or not at all.

    Args:
      folder: what it holds of an earlier step is replaced.
      step: "evaluation" or "validation", what the files are called.
      score: function (artifact folder) -> scores.
      describe: function () -> what `{step}_info.json` says of the data, called after `score`.
      results_before: `results` folder of the step before, copied beside the scores; None: it has no such step.
      dataset_gin: operative gin text of the data set.

    Returns:
      dict: the scores, with `elapsed_time` in seconds.
    """
    bound_metric.default_seed(step)
    with published(folder) as temporary:
        start = time.time()
        scores = score(temporary / "artifacts")
        scores = {**scores, "elapsed_time": time.time() - start}
        info = {**describe(), "random_seed": gin.query_parameter(f"{step}.random_seed"),
                "seconds": scores["elapsed_time"], **provenance.environment()}
        results.save_dict(temporary / "results" / "json" / f"{step}_info.json", info)
        text = merged_gin(dataset_gin, gin.operative_config_str())
        results.update_result_directory(temporary / "results", step, scores, results_before, text)
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
            files.remove(folder / name)
            if (temporary / name).exists():
                (temporary / name).rename(folder / name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        # Folders that were made for nothing go again; one that holds anything stays.
        with contextlib.suppress(OSError):
            for path in made:
                path.rmdir()
