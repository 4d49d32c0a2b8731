"""Images per second of a training step: `train()` and a bare loop here, and the same step in eager PyTorch.

    python benchmarks/training_step.py [--objective=beta_vae] [--batch=64] [--channels=1] [--torch_python=python]

All sides run in one process each and take turns, round by round; what is printed
are medians of the ratios within a round. PyTorch runs with channels_last and a
tuned allocator; TensorFlow with oneDNN, as the commands set it.
"""

import argparse
import functools
import os
import statistics
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import gin  # noqa: E402
import numpy as np  # noqa: E402
import repeated_step  # noqa: E402

from dislib_plus.data import ResidentImages, batches  # noqa: E402
from dislib_plus.latents import LatentSpec  # noqa: E402
from dislib_plus.methods import BetaTCVAE, BetaVAE, FactorVAE  # noqa: E402
from dislib_plus.networks.encoders import conv_encoder  # noqa: E402
from dislib_plus.training.train import train  # noqa: E402

ALLOCATOR = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "17179869184", "MALLOC_TOP_PAD_": "268435456"}


OBJECTIVES = {"beta_vae": functools.partial(BetaVAE, beta=4.0), "beta_tc_vae": functools.partial(BetaTCVAE, beta=4.0),
              "factor_vae": functools.partial(FactorVAE, gamma=10.0)}


def torch_side(options):
    """A function (steps) -> seconds that asks the PyTorch worker."""
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "torch_step.py")
    worker = subprocess.Popen(
        [options.torch_python, script, options.objective, str(options.batch), str(options.channels)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **ALLOCATOR})

    def run(steps):
        worker.stdin.write(f"{steps}\n")
        worker.stdin.flush()
        return float(worker.stdout.readline())
    return run


def model_and_data(options):
    """(model, data set) of the flags, the same for both TensorFlow sides."""
    shape = (64, 64, options.channels)
    encoder = conv_encoder(shape, LatentSpec(10), kernel_34=4)
    images = np.random.RandomState(0).randint(0, 256, (4096, *shape)).astype(np.uint8)
    return OBJECTIVES[options.objective](latents=10, encoder=encoder), ResidentImages("random", images)


def bare_side(options):
    """A function (steps) -> seconds of a bare tf.function loop over the same step on one resident batch."""
    model, data = model_and_data(options)
    model.build((None, 64, 64, options.channels))
    return repeated_step.repeated(model, batches.batch(data, ("x",), 0, 0, options.batch)["x"])


def train_side(options):
    """A function (steps) -> seconds of `train()` in the steady state: the difference of two lengths of a run."""
    gin.parse_config("vae_optimizer.optimizer_fn = @AdamOptimizer")
    def seconds(steps):
        model, data = model_and_data(options)
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            train(os.path.join(folder, "run"), model=model, training_steps=steps, random_seed=0,
                  batch_size=options.batch, eval_steps=1, checkpoint_steps=10 ** 6, dataset=data, progress=False)
            return time.perf_counter() - started

    return lambda steps: seconds(steps + 20) - seconds(20)


def main():
    """Reads the flags and prints speeds and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--objective", choices=sorted(OBJECTIVES), default="beta_vae")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--channels", type=int, default=1)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--torch_python", default=sys.executable, help="a Python with PyTorch; '' leaves it out")
    parser.add_argument("--train", action="store_true", help="also measure train()")
    options = parser.parse_args()
    sides = {"bare loop": bare_side(options)}
    if options.train:
        sides["train()"] = train_side(options)
    if options.torch_python:
        sides["PyTorch eager"] = torch_side(options)
    for run in sides.values():
        run(5)
    rounds = [{name: run(options.steps) for name, run in sides.items()} for _ in range(options.rounds)]
    print(f"{options.objective}, batch {options.batch}, {options.channels} channel(s): "
          "images/s, and ratio to the bare loop")
    for name in sides:
        speed = statistics.median(options.batch * options.steps / entry[name] for entry in rounds)
        ratio = statistics.median(entry["bare loop"] / entry[name] for entry in rounds)
        print(f"  {name:14s} {speed:8.0f}   {ratio:.3f}")


if __name__ == "__main__":
    main()
