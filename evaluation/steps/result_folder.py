"""The result folder of one step: computed beside its place, and put there whole or not at all."""

import contextlib
import os
import pathlib
import re
import time

import gin

from dislib_plus import files, results, written_files
from dislib_plus.unfinished_folder import UnfinishedFolder

from . import bound_metric, provenance

UNFINISHED = ".evaluation."


def compute_to(folder, step, score, describe, results_before=None, dataset_gin=""):
    """Computes scores and writes `folder/results`, complete or not at all.

    Args:
      folder: what an earlier step has written there is replaced.
      step: "evaluation" or "validation", what the files are called.
      score: function (artifact folder) -> scores.
      describe: function () -> what `{step}_info.json` says of the data, called after `score`.
      results_before: `results` folder of the step before, copied beside the scores; None: it has no such step.
      dataset_gin: operative gin text of the data set.

    Returns:
      dict: the scores, with `elapsed_time` in seconds.
    """
    bound_metric.default_seed(step)
    with published(folder, step) as temporary:
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


def has_results(folder, step):
    """Whether `folder` holds results that the step wrote."""
    return bool(written_files.listed(folder, step))


def check_free(folder, overwrite, step="evaluation", parts=("artifacts", "results")):
    """Raises FileExistsError where `folder` holds results that may not be replaced, or files of another origin.

    Args:
      folder: of the results.
      overwrite: whether what the step has written there may be replaced.
      step: "evaluation", "validation" or "postprocess".
      parts: names in `folder` that are going to be written.
    """
    if has_results(folder, step) and not overwrite:
        raise FileExistsError(f"{folder} holds results already; use --overwrite to replace them, or another "
                              "--output_dir.")
    refuse_run(folder)
    found = written_files.others(folder, written_files.listed(folder, step), parts)
    if found:
        raise FileExistsError(f"{folder} holds {written_files.told(found)}, which this command did not write and never "
                              "removes; move it, or choose another --output_dir.")


def refuse_run(folder):
    """Raises FileExistsError where a folder of results is that of a run."""
    if files.is_file(pathlib.Path(folder) / "run.json"):
        raise FileExistsError(f"{folder} is the folder of a run (it holds run.json), to which this command adds "
                              "nothing; choose another --output_dir.")


@contextlib.contextmanager
def published(folder, step):
    """A temporary folder in `folder` whose content replaces what the step has written there when the block ends well.

    Raises:
      FileExistsError: something of another origin has a name that is to be written.
    """
    folder = pathlib.Path(folder)
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    files.make_folder(folder)
    try:
        with UnfinishedFolder(folder, UNFINISHED) as unfinished:
            temporary = unfinished.path
            yield temporary
            unfinished.finish()
            written_files.write_list(temporary, step)
            names = os.listdir(temporary)
            check_free(folder, True, step, names)
            written_files.remove_listed(folder, step)
            for name in names:
                (temporary / name).rename(folder / name)
    finally:
        # Folders that were made for nothing go again; one that holds anything stays.
        with contextlib.suppress(OSError):
            for path in made:
                path.rmdir()
