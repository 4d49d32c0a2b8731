"""Functions that XLA compiles into one loop over the pixels."""

import functools

import tensorflow as tf


def compiled(function):
    """Decorator: `tf.function(jit_compile=True)`, made at the first call: importing a module only declares things."""
    made = functools.cache(lambda: tf.function(function, jit_compile=True))

    @functools.wraps(function)
    def call(*arguments):
        return made()(*arguments)
    return call
