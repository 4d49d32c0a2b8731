"""Training steps of the methods with one latent space against beta-VAE's; the cost of beta-TCVAE's density table.

    python benchmarks/methods.py [--methods=beta_tc_vae,...] [--batch=64] [--channels=1] [--rounds=7]
    python benchmarks/methods.py --table [--rounds=7]

All methods have the same conv nets (64x64 pixels, 10 latent units) and take turns in one process; what is
printed are medians of the ratios within a round. `--table` prints the share of the B x B x D table
(B = 256, D = 10) in a step of beta-TCVAE, and the growth of peak memory by a table of D = 1,024 with the library's
budget and without one. FactorVAE's discriminator has 5 million weights: its yardstick is
`training_step.py --objective=factor_vae`.
"""

import argparse
import functools
import os
import statistics
import subprocess
import sys
import time

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

from dislib_plus import methods  # noqa: E402
from dislib_plus.latents.normal import NormalGroup, NormalPosterior  # noqa: E402
from dislib_plus.losses import aggregate_posterior  # noqa: E402

METHODS = {
    "beta_vae": functools.partial(methods.BetaVAE, beta=4.0),
    "beta_tc_vae": functools.partial(methods.BetaTCVAE, beta=4.0),
    "dip_vae_i": functools.partial(methods.DIPVAE, lambda_od=10.0, lambda_d_factor=10.0, dip_type="i"),
    "dip_vae_ii": functools.partial(methods.DIPVAE, lambda_od=10.0, lambda_d_factor=1.0, dip_type="ii"),
    "info_vae": methods.InfoVAE,
    "annealed_vae": functools.partial(methods.AnnealedVAE, gamma=1000.0, c_max=25.0, iteration_threshold=100000),
    "control_vae": methods.ControlVAE,
    "dynamic_vae": methods.DynamicVAE,
    "devae": methods.DeVAE,
    "anchor_vae": methods.AnchorVAE,
    "factor_vae": functools.partial(methods.FactorVAE, gamma=10.0),
}


def stepper(name, batch, channels):
    """A function (steps) -> seconds of a method's training step on one resident batch."""
    model = METHODS[name](latents=10)
    model.build((None, 64, 64, channels))
    model.compile(keras.optimizers.Adam(1e-4))
    images = tf.random.stateless_uniform([batch, 64, 64, channels], [0, 1])
    model.train_step(images)
    return timed(tf.function(lambda: model.train_step(images)["loss"], autograph=False))


def timed(function):
    """A function (count) -> seconds of that many calls, after one that traces."""
    function()

    def run(count):
        started = time.perf_counter()
        for _ in range(count):
            result = function()
        float(result)
        return time.perf_counter() - started
    return run


def table_step(batch=256, latents=10):
    """A function (steps) -> seconds of the total correlation of a batch and its gradient, and nothing else."""
    codes = [tf.random.stateless_normal([batch, latents], [0, i]) for i in range(3)]
    group = NormalGroup(latents)

    def total_correlation():
        with tf.GradientTape() as tape:
            tape.watch(codes)
            posteriors = [NormalPosterior(group, *codes[1:])]
            value = tf.reduce_mean(aggregate_posterior.total_correlation(posteriors, codes[:1]))
        return tf.add_n([tf.reduce_sum(gradient) for gradient in tape.gradient(value, codes)])
    return timed(tf.function(total_correlation))


def peak_growth(budget):
    """MiB by which a table of B = 256, D = 1,024 and its gradient raise the peak memory of a fresh process."""
    script = ("import resource, sys; from dislib_plus.losses import aggregate_posterior as a; import methods;"
              "a.MEMORY_BUDGET = int(sys.argv[1]); methods.table_step(8, 4)(1);"
              "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; before = peak();"
              "methods.table_step(256, 1024)(2); print((peak() - before) // 1024)")
    folder = os.path.dirname(os.path.abspath(__file__))
    return int(subprocess.run([sys.executable, "-c", script, str(budget)], cwd=folder, check=True,
                              stdout=subprocess.PIPE, text=True).stdout)


def print_table(rounds, steps):
    """Prints the cost of the density table in time and memory."""
    table, step = table_step(), stepper("beta_tc_vae", 256, 1)
    shares = [table(10 * steps) / 10 / step(steps) for _ in range(rounds)]
    print(f"density table, B = 256, D = 10: {statistics.median(shares):.1%} of a step of beta-TCVAE")
    budget = aggregate_posterior.MEMORY_BUDGET
    print(f"density table, B = 256, D = 1024 (one copy: 256 MiB): peak memory grows by {peak_growth(budget // 4)} MiB "
          f"with a budget of {budget // 4 // 2 ** 20} MiB, {peak_growth(2 ** 40)} MiB without one")


def print_methods(names, batch, channels, rounds, steps):
    """Prints each method's images per second relative to beta-VAE's."""
    runs = {name: stepper(name, batch, channels) for name in dict.fromkeys(["beta_vae", *names])}
    # Every other round backwards, so that none has a place of its own.
    orders = [list(runs), list(runs)[::-1]]
    seconds = [{name: runs[name](steps) for name in orders[number % 2]} for number in range(rounds)]
    print(f"batch {batch}, {channels} channel(s): images/s relative to beta-VAE")
    for name in runs:
        print(f"  {name:14s} {statistics.median(entry['beta_vae'] / entry[name] for entry in seconds):.3f}")


def main():
    """Reads the flags and prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--channels", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--table", action="store_true", help="the density table instead of the methods")
    options = parser.parse_args()
    if options.table:
        print_table(options.rounds, options.steps)
    else:
        print_methods(options.methods.split(","), options.batch, options.channels, options.rounds, options.steps)


if __name__ == "__main__":
    main()
