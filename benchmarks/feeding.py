"""Share of a training step that the input pipeline takes, for each data set that is at hand.

    python benchmarks/feeding.py [--datasets=toy_cars3d,toy_dsprites] [--batches=64,256]

The pipeline alone and the conv VAE's training step on a resident batch take
turns; the figure is the median of pipeline seconds / step seconds per round.
The pipeline runs beside the step in training, so this is an upper bound.
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

from dislib_plus.data import batches, get_named_ground_truth_data  # noqa: E402
from dislib_plus.methods import BetaVAE  # noqa: E402


def step_of(dataset, batch_size):
    """A function () -> seconds of one training step on a resident batch."""
    model = BetaVAE(beta=4.0, latents=10)
    model.build((None, *dataset.observation_shape))
    model.compile(keras.optimizers.Adam(1e-4))
    model.optimizer.build(model.trained_variables())
    images = batches.batch(dataset, 0, 0, batch_size)
    step = tf.function(lambda: model.train_step(images)["loss"], autograph=False)

    def run(count):
        started = time.perf_counter()
        for _ in range(count):
            loss = step()
        float(loss)
        return (time.perf_counter() - started) / count
    return run


def pipeline_of(dataset, batch_size):
    """A function () -> seconds per batch of the pipeline alone."""
    def run(count):
        feed = iter(batches.training_batches(dataset, batch_size, 0, 0, count + 5))
        for _ in range(5):
            next(feed)
        started = time.perf_counter()
        for batch in feed:
            pass
        tf.nest.flatten(batch)[0][0, 0, 0, 0].numpy()
        return (time.perf_counter() - started) / count
    return run


def main():
    """Reads the flags and prints one row per data set and batch size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--datasets", default="toy_cars3d,toy_dsprites")
    parser.add_argument("--batches", default="64,256")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(f"{'data set':24s} {'batch':>5s} {'images/s, pipeline':>19s} {'images/s, step':>15s} {'share of the step':>18s}")
    for name in options.datasets.split(","):
        dataset = get_named_ground_truth_data(name)
        for size in map(int, options.batches.split(",")):
            step, pipeline = step_of(dataset, size), pipeline_of(dataset, size)
            step(2), pipeline(20)
            rounds = [(step(max(2, 640 // size)), pipeline(12800 // size)) for _ in range(options.rounds)]
            share = statistics.median(feed / train for train, feed in rounds)
            print(f"{name:24s} {size:5d} {size / statistics.median(feed for _, feed in rounds):19.0f} "
                  f"{size / statistics.median(train for train, _ in rounds):15.0f} {share:18.2%}")


if __name__ == "__main__":
    main()
