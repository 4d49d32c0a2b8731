"""The shipped recipes, and bindings that make them small."""

import re

from dislib_plus import files

ROOT = files.config_root()
_LENGTH = r"^([\w./@]+_(?:steps|every|burst|interval|threshold))\s*=\s*\d"
_BATCH_SIZE = r"^(\w+\.\w*batch_size)\s*=\s*\d"
_BLOCKS = r"^(\w+\.num_blocks)\s*=\s*(\d+)"
# Lengths of a stage other than the last: ms_vae.stage_one_steps, teacher_student.teacher_steps.
_STAGE = re.compile(r"\.(stage_\w+|teacher)_steps$")
# Data sets whose observations are not images, and methods that need them.
_OWN_DATA = ("toy_topics",)
_SMALL_NETWORKS = {
    "encoder.encoder_fn": ["encoder.encoder_fn = @fc_encoder", "fc_encoder.units = (8,)"],
    "decoder.decoder_fn": ["decoder.decoder_fn = @fc_decoder", "fc_decoder.units = (8,)"],
    "fc_discriminator.units": ["fc_discriminator.units = (8, 8)"],
    "residual_encoder.width": ["residual_encoder.width = 2"],
    "film_generator.width": ["film_generator.width = 2"],
    "conv_ladder.width": ["conv_ladder.width = 2", "conv_ladder.units = 4"],
}


def text_of(path):
    """A recipe with its includes put in."""
    return re.sub(r"^include ['\"](.+)['\"]$", lambda match: text_of(ROOT / match.group(1)),
                  path.read_text(encoding="utf-8"), flags=re.MULTILINE)


def bound(path, key):
    """Raw gin text of a binding; None where the recipe has not bound it."""
    found = re.findall(rf"^{re.escape(key)}\s*=\s*(.+)$", text_of(path), re.MULTILINE)
    return found[-1].strip("\"' ") if found else None


RECIPES = sorted(path for path in ROOT.rglob("*.gin") if bound(path, "model.model"))
# One recipe of every method at least.
SMALL = [*sorted((ROOT / "small").glob("*.gin")), ROOT / "quickstart.gin"]


def short(recipe, steps, batch_size):
    """Bindings that cut each stage of a recipe to `steps` iterations, its schedules to a quarter of them."""
    text = text_of(recipe)
    lengths = [key for key in re.findall(_LENGTH, text, re.MULTILINE) if not key.startswith("model.")]
    bindings = [f"{key} = {steps if _STAGE.search(key) else max(1, steps // 4)}" for key in dict.fromkeys(lengths)]
    # Blocks are added one a step.
    bindings += [f"{key} = {min(int(count), steps)}" for key, count in re.findall(_BLOCKS, text, re.MULTILINE)]
    batches = dict.fromkeys(["model.batch_size", *re.findall(_BATCH_SIZE, text, re.MULTILINE)])
    return [f"model.training_steps = {steps}", *bindings, *(f"{key} = {batch_size}" for key in batches)]


def small(recipe, steps, own_networks=False):
    """Bindings that also give a recipe images of toy_dsprites_small and fully connected networks of 8 units.

    A recipe for documents keeps them, and its networks.

    Args:
      recipe: path.
      steps: iterations of each stage.
      own_networks: keep the recipe's networks.

    Returns:
      List of gin bindings.
    """
    text = text_of(recipe)
    # With a larger epsilon, Adam does not blow up differences in the last bits of small gradients.
    bindings = [*short(recipe, steps, batch_size=8), "model.eval_steps = 2", "model.log_steps = 1",
                "AdamOptimizer.epsilon = 0.001"]
    if bound(recipe, "dataset.name") in _OWN_DATA:
        return bindings
    view = "labelled:" if bound(recipe, "dataset.name").startswith("labelled:") else ""
    bindings.append(f"dataset.name = '{view}toy_dsprites_small'")
    for key, replacement in _SMALL_NETWORKS.items():
        bindings += replacement if key in text and not own_networks else []
    return bindings
