"""Every shipped training recipe: two steps of it on images of the right shape."""

import pathlib

import keras
import numpy as np
import pytest

from dislib_plus.data import ResidentGrid, registry
from dislib_plus.training.train import train_with_gin
from support.methods import known_methods
from support.recipes import RECIPES, ROOT, bound, short, text_of

# One recipe of each kind by default; all of them with -m slow.
QUICK = ("quickstart", "msvae_fashion_mnist")

SHAPES = {"fashion_mnist": (32, 32, 1), "mnist": (32, 32, 1), "dsprites_full": (64, 64, 1), "toy_dsprites": (64, 64, 1),
          "smallnorb": (64, 64, 1), "toy_smallnorb": (64, 64, 1), "chairs": (64, 64, 1), "dummy_data": (64, 64, 1)}

# Sets of word counts; their recipes run on toy_topics.
DOCUMENTS = ("20newsgroups", "text_folder", "toy_topics")

# The networks' own widths would take gigabytes in the biggest recipes.
NARROW = ["conv_encoder.width = 1", "deconv_decoder.width = 1", "residual_encoder.width = 2",
          "film_generator.width = 2", "conv_ladder.width = 2", "celeba_ladder.width = 2", "celeba_ladder.units = 8",
          "zhao_mnist_ladder.units = 8", "zhao_conv_ladder.width = 2", "zhao_conv_ladder.units = 8"]
# No more classes than the images of a batch.
FEW_CLASSES = ["cascade_vae.num_classes = 3", "cascade_vae_d.num_classes = 3"]


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


@pytest.mark.parametrize("path", parametrize(RECIPES))
def test_recipe_trains_two_steps(path, tiny_set, tmp_path):
    name = (bound(path, "dataset.name") or "").partition(":")[0]
    shape = SHAPES.get(name, (64, 64, 3))
    tiny_set((32, 32, 1) if name.endswith("_small") else shape)
    method = bound(path, "model.model").strip("@()")
    narrow = [binding for binding in NARROW if binding.split(".")[0] in text_of(path)]
    narrow += [binding for binding in FEW_CLASSES if binding.split(".")[0] == method]
    data = ["dataset.name = 'tiny'"]
    needs = known_methods()[method].needs  # of some methods a property
    if name in DOCUMENTS:
        data = ["dataset.name = 'toy_topics'"]
    elif name == "partly_labelled" or isinstance(needs, tuple) and "labels" in needs:
        data = ["dataset.name = 'labelled:tiny'", "labelled.factors = ['a']"]
    scores = train_with_gin(str(tmp_path / "run"), gin_config_files=[str(path)], gin_bindings=[
        *data, "model.eval_steps = 2", *short(path, 2, batch_size=4), *narrow])
    assert np.isfinite(scores["loss"])
    model = keras.models.load_model(tmp_path / "run" / "model.keras", compile=False)
    code = model.represent(np.zeros((2, *model.observation_shape), np.float32))
    assert code.shape == (2, model.num_latents) and np.isfinite(code).all()


def test_no_python_file_beside_the_recipes():
    assert not list(pathlib.Path(ROOT).rglob("*.py"))
