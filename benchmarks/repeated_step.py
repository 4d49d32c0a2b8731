"""Time of a compiled training step that is repeated on one batch."""

import time

import keras
import tensorflow as tf


def repeated(model, images):
    """A function (steps) -> seconds of training steps of a built model on one resident batch of images."""
    model.compile(keras.optimizers.Adam(1e-4))
    model.build_optimizers()
    step = tf.function(lambda: model.train_step(images), autograph=False)

    def run(steps):
        started = time.perf_counter()
        for _ in range(steps):
            logs = step()
        float(logs["loss"])
        return time.perf_counter() - started
    return run
