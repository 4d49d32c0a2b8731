"""Time of a training step of pro-VLAE, at each of its progressive steps, against the VLAE's, with the same networks.

    python benchmarks/ladder_step.py [--side=64] [--channels=3] [--width=32] [--batch=100] [--blocks=3]

All models are in one process and take turns, round by round; what is printed are medians of the ratios within a round.
"""

import argparse
import functools
import os
import statistics

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import gin  # noqa: E402
import numpy as np  # noqa: E402
import repeated_step  # noqa: E402
import tensorflow as tf  # noqa: E402

from dislib_plus.methods import VLAE, ProVLAE  # noqa: E402

LENGTH, FADE_IN = 10 ** 6, 10 ** 5


def side(make, updates, options):
    """A function (steps) -> seconds of training steps of a model that goes on after so many updates."""
    shape = (options.side, options.side, options.channels)
    model = make(num_blocks=options.blocks, z_dim=3)
    model.build((None, *shape))
    model.updates.assign(updates)
    images = tf.constant(np.random.RandomState(0).uniform(size=(options.batch, *shape)).astype(np.float32))
    return repeated_step.repeated(model, images)


def sides_of(options):
    """{name: function (steps) -> seconds}, VLAE first."""
    grown = functools.partial(ProVLAE, progressive_steps=LENGTH, fade_in_steps=FADE_IN)
    alone = functools.partial(grown, pretrain_kl=0.0)
    last = (options.blocks - 1) * LENGTH
    return {"VLAE": side(VLAE, 0, options),
            "pro-VLAE, first step": side(grown, 0, options),
            "pro-VLAE, first step, pretrain_kl = 0": side(alone, 0, options),
            "pro-VLAE, last step, fading in": side(grown, last + FADE_IN // 2, options),
            "pro-VLAE, last step": side(grown, last + FADE_IN, options)}


def main():
    """Reads the flags and prints milliseconds and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("side", 64), ("channels", 3), ("width", 32), ("batch", 100), ("blocks", 3), ("steps", 10),
                          ("rounds", 9)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    gin.parse_config(f"conv_ladder.width = {options.width}")
    sides = sides_of(options)
    for run in sides.values():
        run(2)
    rounds = [{name: run(options.steps) for name, run in sides.items()} for _ in range(options.rounds)]
    print(f"{options.side}x{options.side}x{options.channels}, {options.blocks} blocks, width {options.width}, batch "
          f"{options.batch}: milliseconds a step, and ratio to the VLAE's")
    for name in sides:
        milliseconds = statistics.median(1000 * entry[name] / options.steps for entry in rounds)
        ratio = statistics.median(entry[name] / entry["VLAE"] for entry in rounds)
        print(f"  {name:38s} {milliseconds:8.1f}   {ratio:.3f}")


if __name__ == "__main__":
    main()
