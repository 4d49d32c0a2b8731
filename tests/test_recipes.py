"""Every shipped training recipe: its header, and two steps of it on images of the right shape."""

import pathlib
import re

import keras
import numpy as np
import pytest

from dislib_plus import files
from dislib_plus.data import ResidentGrid, registry
from dislib_plus.training.train import train_with_gin

ROOT = files.config_root()


def text_of(path):
    """A recipe with its includes put in."""
    return re.sub(r"^include ['\"](.+)['\"]$", lambda match: text_of(ROOT / match.group(1)),
                  path.read_text(encoding="utf-8"), flags=re.MULTILINE)


def bound(path, key):
    """Raw gin text of a binding, None where there is none."""
    found = re.findall(rf"^{re.escape(key)}\s*=\s*(.+)$", text_of(path), re.MULTILINE)
    return found[-1].strip("\"' ") if found else None


RECIPES = sorted(path for path in ROOT.rglob("*.gin") if bound(path, "model.model"))
EXPERIMENTS = sorted((ROOT / "experiments").glob("*.gin"))

# One recipe of each kind by default; all of them with -m slow.
QUICK = ("quickstart", "msvae_fashion_mnist")

SHAPES = {"fashion_mnist": (32, 32, 1), "mnist": (32, 32, 1), "dsprites_full": (64, 64, 1), "toy_dsprites": (64, 64, 1),
          "smallnorb": (64, 64, 1), "toy_smallnorb": (64, 64, 1), "chairs": (64, 64, 1), "dummy_data": (64, 64, 1)}

# The networks' own widths would take gigabytes in the biggest recipes.
NARROW = ["conv_encoder.width = 1", "deconv_decoder.width = 1", "residual_encoder.width = 2", "film_generator.width = 2"]


def parametrize(recipes):
    marks = {path: () if path.stem in QUICK else (pytest.mark.slow,) for path in recipes}
    return [pytest.param(path, id=str(path.relative_to(ROOT)), marks=marks[path]) for path in recipes]


@pytest.fixture
def tiny_set(monkeypatch):
    def make(shape):
        def factory(root):
            images = np.random.RandomState(0).randint(0, 256, (12, *shape)).astype(np.uint8)
            return ResidentGrid("tiny", ["a", "b"], [3, 4], images)
        monkeypatch.setitem(registry._FACTORIES, "tiny", factory)
    return make


@pytest.mark.parametrize("path", [pytest.param(path, id=str(path.relative_to(ROOT))) for path in sorted({*RECIPES, *EXPERIMENTS})])
def test_header_states_paper_command_and_name(path):
    header = path.read_text(encoding="utf-8").split("\n\n")[0]
    comments = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    assert header.startswith("#"), "a recipe starts with a comment"
    assert re.search(r"paper|\(\d{4}\)|et al", header, re.IGNORECASE), "the header names the paper"
    assert f"--gin_config=gin/{path.relative_to(ROOT)}" in "\n".join(comments), "the header states the command"


def small_steps(path):
    """Bindings that cut every length of a recipe to two steps."""
    keys = re.findall(r"^([\w./@]*steps\w*)\s*=\s*\d", text_of(path), re.MULTILINE)
    cut = {key for key in keys if key.endswith("_steps") and key.split(".")[0] in ("model", "ms_vae")}
    return [f"{key} = 2" for key in sorted(cut | {"model.training_steps", "model.eval_steps"})]


@pytest.mark.parametrize("path", parametrize(RECIPES))
def test_recipe_trains_two_steps(path, tiny_set, tmp_path):
    name = (bound(path, "dataset.name") or "").partition(":")[0]
    shape = SHAPES.get(name, (64, 64, 3))
    tiny_set((32, 32, 1) if name.endswith("_small") else shape)
    narrow = [binding for binding in NARROW if binding.split(".")[0] in text_of(path)]
    batch = [f"{key} = 4" for key in re.findall(r"^(\w+\.\w*batch_size)\s*=", text_of(path), re.MULTILINE)]
    scores = train_with_gin(str(tmp_path / "run"), gin_config_files=[str(path)], gin_bindings=[
        "dataset.name = 'tiny'", "model.batch_size = 4", *batch, *small_steps(path), *narrow])
    assert np.isfinite(scores["loss"])
    model = keras.models.load_model(tmp_path / "run" / "model.keras", compile=False)
    code = model.represent(np.zeros((2, *model.image_shape), np.float32))
    assert code.shape == (2, model.num_latents) and np.isfinite(code).all()


def test_no_python_file_beside_the_recipes():
    assert not list(pathlib.Path(ROOT).rglob("*.py"))
