"""Methods unlike those of the library, made in the folder `seams` alone: the base carries them without an edit.

Each is trained, saved, loaded, killed and resumed, and scored and drawn or refused.
"""

import pathlib

import numpy as np
import pytest

from dislib_plus.cli import visualize
from dislib_plus.evaluation import runner
from dislib_plus.evaluation.sources import source as sources
from support import runs
from support.kills import check_killed_run_goes_on
from support.outputs import train_and_keep

STEPS, CHECKPOINT = 24, 6
BINDINGS = ["model.batch_size = 8", "model.random_seed = 0", "model.eval_steps = 2", f"model.training_steps = {STEPS}",
            f"model.checkpoint_steps = {CHECKPOINT}", "model.log_steps = 5"]
# What evaluation says of each: bounds of a score, or a refusal.
SCORED = {"label_gan": "needs codes, and .* has none: its LabelGAN does not have represent",
          "topic_vae": "has no ground-truth factors"}
# What its pictures are, or why it has none.
DRAWN = {"label_gan": "samples.png", "matching_vae": "reconstructions.png",
         "mixture_flow": "Pictures need a model that", "topic_vae": "'seam_words' cannot be drawn"}
FEW = [f"--gin_bindings=visualize.{name} = 2" for name in ("num_frames", "num_samples", "num_traversals")]
# The generator's own loss rises where its opponent learns faster.
FALLS = {"label_gan": ["real", "generated"]}
# One with two stages by default; all of them with -m slow.
QUICK = ("mixture_flow",)
SEAMS = sorted(pathlib.Path(__file__).with_name("seams").glob("*.gin"))


@pytest.fixture(scope="module", params=[pytest.param(path, id=path.stem) for path in SEAMS])
def seam(request):
    return request.param


@pytest.fixture(scope="module")
def trained(seam, tmp_path_factory):
    """(folder, scores, outputs of the model while it was in memory) of a run."""
    folder = tmp_path_factory.mktemp(seam.stem) / "run"
    return folder, *train_and_keep(folder, seam, BINDINGS)


def test_trains(trained, seam):
    """Everything is finite, and what the players of every stage minimise falls."""
    folder, scores, _ = trained
    logged = {key: max(values) for key, values in runs.logged(folder).items()}
    assert np.isfinite([*scores.values(), *logged.values()]).all()
    stages = {stage for stage, _, _ in logged}
    assert len(stages) == (2 if seam.stem == "mixture_flow" else 1)
    for stage in stages:
        first, last = (sum(logged[stage, term, step] for term in FALLS.get(seam.stem, ["loss"])) for step in (5, STEPS))
        assert last < first


def test_fresh_process_loads_the_same(trained, other_process, tmp_path):
    folder, _, outputs = trained
    other_process()("load", folder, tmp_path / "outputs.npz")
    with np.load(tmp_path / "outputs.npz") as archive:
        runs.assert_same_bits(dict(archive), outputs)


def test_is_scored_or_refused(trained, seam):
    source = sources.from_directory(trained[0])
    if seam.stem in SCORED:
        with pytest.raises(ValueError, match=SCORED[seam.stem]):
            runner.run(source, ["mig"])
        return
    scores = runner.run(source, ["mig"], gin_bindings=["mig.num_train = 50"])["mig"]
    assert 0 <= scores["discrete_mig"] <= 1


def test_is_drawn_or_refused(trained, seam, capsys):
    code = visualize.main([f"--model_dir={trained[0]}", f"--python_path={seam.parent}", *FEW])
    printed = capsys.readouterr()
    assert code in (0, 1) and DRAWN[seam.stem] in (printed.err if code else printed.out)
    assert (trained[0] / "pictures").exists() is not bool(code)


@pytest.mark.parametrize("path", [
    pytest.param(path, id=path.stem, marks=() if path.stem in QUICK else (pytest.mark.slow,)) for path in SEAMS])
def test_kill_9_and_resume(path, other_process, tmp_path):
    other_process()("train", tmp_path / "whole", path, BINDINGS)
    check_killed_run_goes_on(path, BINDINGS, (CHECKPOINT, STEPS), tmp_path / "whole", tmp_path / "killed")
