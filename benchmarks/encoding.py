"""Encoding in the code table against the encoder's own forward pass, and the Frechet distance against its parts.

    python benchmarks/encoding.py [--dataset=toy_cars3d] [--images=8192] [--dimensions=2048]

Both sides of a comparison take turns, each after a first call that compiles; medians of the ratios are printed.
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np  # noqa: E402
import scipy.linalg  # noqa: E402
import tensorflow as tf  # noqa: E402

from dislib_plus.data import get_named_ground_truth_data  # noqa: E402
from dislib_plus.evaluation.encoding.code_table import CodeTable  # noqa: E402
from dislib_plus.evaluation.inception import frechet  # noqa: E402
from dislib_plus.methods import BetaVAE  # noqa: E402

ENCODING_BATCH = 1024


def timed(function):
    """Seconds that a call takes."""
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def encoding(name, images, rounds):
    """Ratio of the table's throughput to the encoder's on one resident batch."""
    dataset = get_named_ground_truth_data(name)
    model = BetaVAE(beta=4.0, latents=10)
    model.build((None, *dataset.observation_shape))
    represent = tf.function(model.represent, reduce_retracing=True)

    def lookup(observations):
        return represent(observations).numpy()
    lookup.takes_tensors = True
    batch = dataset.observations(tf.range(ENCODING_BATCH))
    indices = np.random.RandomState(0).permutation(dataset.num_observations)[:images]
    count = len(indices) // ENCODING_BATCH

    def forward():
        for _ in range(count):
            represent(batch).numpy()

    codes = CodeTable(dataset, lookup, ENCODING_BATCH)

    def table():
        codes.known[:] = False
        codes.lookup(indices[:count * ENCODING_BATCH])
    forward(), table()
    ratios = [timed(forward) / timed(table) for _ in range(rounds)]
    print(f"code table of {name}: {statistics.median(ratios):.3f} x the encoder's forward throughput")


def distance(dimensions, rounds):
    """Ratio of the Frechet distance's time to that of its Cholesky factor and eigenvalues."""
    random_state = np.random.RandomState(0)
    features = [random_state.normal(size=(dimensions + 500, dimensions)) * scale for scale in (1.0, 1.5)]
    moments = [(array.mean(axis=0), np.cov(array, rowvar=False)) for array in features]

    def parts():
        factor = scipy.linalg.cholesky(moments[0][1], lower=True)
        scipy.linalg.eigvalsh(factor.T @ moments[1][1] @ factor)

    def whole():
        frechet.frechet_distance(*moments[0], *moments[1])
    parts(), whole()
    ratios = [timed(whole) / timed(parts) for _ in range(rounds)]
    print(f"Frechet distance, {dimensions} dimensions, float64: {statistics.median(ratios):.3f} x Cholesky + eigvalsh")


def main():
    """Reads the flags and prints both ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="toy_cars3d")
    parser.add_argument("--images", type=int, default=8192)
    parser.add_argument("--dimensions", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    encoding(options.dataset, options.images, options.rounds)
    distance(options.dimensions, min(options.rounds, 3))


if __name__ == "__main__":
    main()
