"""The shipped recipes, and bindings that make them small."""

import re

from dislib_plus import files

ROOT = files.config_root()
# One recipe of every method at least.
SMALL = [*sorted((ROOT / "small").glob("*.gin")), ROOT / "quickstart.gin"]

_SMALL_NETWORKS = {
    "encoder.encoder_fn": ["encoder.encoder_fn = @fc_encoder", "fc_encoder.units = (8,)"],
    "decoder.decoder_fn": ["decoder.decoder_fn = @fc_decoder", "fc_decoder.units = (8,)"],
    "fc_discriminator.units": ["fc_discriminator.units = (8, 8)"],
    "residual_encoder.width": ["residual_encoder.width = 2"],
    "film_generator.width": ["film_generator.width = 2"],
}
_LENGTHS = r"^([\w./@]+_(?:steps|every|burst|interval|threshold))\s*=\s*\d"


def small(recipe, steps, own_networks=False):
    """Bindings that cut a recipe to `steps` iterations a stage, and its schedules to a quarter of them.

    Args:
      recipe: path.
      steps: iterations of each stage.
      own_networks: keep the recipe's networks instead of fully connected ones of 8 units.

    Returns:
      List of gin bindings.
    """
    text = recipe.read_text(encoding="utf-8")
    lengths = [key for key in re.findall(_LENGTHS, text, re.MULTILINE) if not key.startswith("model.")]
    stages = [key for key in lengths if key.startswith("ms_vae.")]
    # With a larger epsilon, Adam does not blow up differences in the last bits of small gradients.
    bindings = ["dataset.name = 'toy_dsprites_small'", "model.batch_size = 8", "model.eval_steps = 2",
                f"model.training_steps = {steps}", "model.log_steps = 1", "AdamOptimizer.epsilon = 0.001"]
    bindings += [f"{key} = {steps if key in stages else max(1, steps // 4)}" for key in lengths]
    bindings += [f"{key} = 8" for key in re.findall(r"^(\w+\.\w+_batch_size)\s*=", text, re.MULTILINE)]
    for key, replacement in _SMALL_NETWORKS.items():
        bindings += replacement if key in text and not own_networks else []
    return bindings
