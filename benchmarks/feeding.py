"""Share of a training step that the input pipeline takes: generated sets, images in memory, images in a mapped file.

    python benchmarks/feeding.py [--datasets=resident,mapped,cold,toy_cars3d,...] [--batches=64,256] [--rounds=5]

The pipeline alone and the conv VAE's training step on a resident batch take
turns; the figure is the median of pipeline seconds / step seconds per round.
The pipeline runs beside the step in training, so this is an upper bound.

`resident` and `mapped` hold the same random images of 64x64x3 pixels, in memory and in a
file; `cold` is that file read for the first time after it was dropped from the disk cache.
"""

import argparse
import functools
import os
import pathlib
import statistics
import tempfile
import time

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from dislib_plus.data import ResidentImages, batches, get_named_ground_truth_data, names  # noqa: E402
from dislib_plus.data.memory_mapped import MappedImages  # noqa: E402
from dislib_plus.methods import BetaVAE  # noqa: E402

SHAPE = (64, 64, 3)
PIPELINE_IMAGES, STEP_IMAGES = 12800, 640
LIMITS = {"mapped": 0.10, "cold": 0.10}
LIMIT = 0.03


@functools.cache
def step_of(shape, batch_size):
    """A function (steps) -> seconds of one training step of beta-VAE on a resident batch of images of a shape."""
    model = BetaVAE(beta=4.0, latents=10)
    model.build((None, *shape))
    model.compile(keras.optimizers.Adam(1e-4))
    images = tf.random.stateless_uniform([batch_size, *shape], [0, 1])
    step = tf.function(lambda: model.train_step(images)["loss"], autograph=False)

    def run(count):
        started = time.perf_counter()
        for _ in range(count):
            loss = step()
        float(loss)
        return (time.perf_counter() - started) / count
    run(2)
    return run


def feed(dataset, batch_size, count, warm=5):
    """Seconds per batch of the pipeline alone, after `warm` batches."""
    batches_of_set = iter(batches.training_batches(dataset, ("x",), batch_size, 0, 0, count + warm))
    for _ in range(warm):
        next(batches_of_set)
    started = time.perf_counter()
    for batch in batches_of_set:
        pass
    tf.nest.flatten(batch)[0][0, 0, 0, 0].numpy()
    return (time.perf_counter() - started) / count


def write_images(folder, count):
    """A file of `count` random images that the disk cache does not hold; returns its path."""
    path = pathlib.Path(folder) / "random.u8"
    random_state = np.random.RandomState(0)
    with open(path, "wb") as stream:
        for _ in range(0, count, 1000):
            stream.write(random_state.bytes(1000 * int(np.prod(SHAPE))))
    forget(path)
    return path


def forget(path):
    """Drops a file that is not in use from the disk cache."""
    with open(path, "rb") as stream:
        os.fsync(stream.fileno())
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def load(name, path):
    """The data set of a row of the table."""
    if name not in ("resident", "mapped", "cold"):
        return get_named_ground_truth_data(name)
    shape = (path.stat().st_size // int(np.prod(SHAPE)), *SHAPE)
    if name == "resident":
        return ResidentImages(name, np.fromfile(path, np.uint8).reshape(shape))
    return MappedImages(name, path, shape)


def row(name, path, batch_size, rounds):
    """Measures one data set at one batch size and prints its row; returns whether it keeps its limit."""
    if name == "cold":
        forget(path)
    dataset = load(name, path)
    step, count = step_of(tuple(dataset.observation_shape), batch_size), PIPELINE_IMAGES // batch_size
    if name == "cold":  # everything it reads is in the cache afterwards
        pairs = [(step(STEP_IMAGES // batch_size), feed(dataset, batch_size, count, warm=0))]
    else:
        feed(dataset, batch_size, 20)
        pairs = [(step(max(2, STEP_IMAGES // batch_size)), feed(dataset, batch_size, count)) for _ in range(rounds)]
    share, limit = statistics.median(fed / train for train, fed in pairs), LIMITS.get(name, LIMIT)
    pipeline, training = (batch_size / statistics.median(times) for times in list(zip(*pairs))[::-1])
    print(f"{name:24s} {batch_size:5d} {pipeline:19.0f} {training:15.0f} {share:18.2%} {limit:6.0%}"
          f"{'' if share < limit else '  above'}", flush=True)
    return share < limit


def main():
    """Reads the flags and prints one row per data set and batch size."""
    generated = [name for name in names() if name.startswith("toy_")] + ["dummy_data"]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--datasets", default=",".join(["cold", "mapped", "resident", *generated]))
    parser.add_argument("--batches", default="64,256")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=100_000, help="of `resident` and `mapped`; 100,000 have 1.2 GB")
    options = parser.parse_args()
    print(f"{'data set':24s} {'batch':>5s} {'images/s, pipeline':>19s} {'images/s, step':>15s} "
          f"{'share of the step':>18s} {'limit':>6s}")
    with tempfile.TemporaryDirectory() as folder:
        wanted = options.datasets.split(",")
        path = write_images(folder, options.images) if {"resident", "mapped", "cold"} & set(wanted) else None
        sizes = [int(size) for size in options.batches.split(",")]
        kept = [row(name, path, size, options.rounds) for name in wanted for size in sizes]
    print(f"{sum(kept)} of {len(kept)} rows are below their limit")


if __name__ == "__main__":
    main()
