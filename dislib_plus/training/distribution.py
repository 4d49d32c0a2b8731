"""Training on several devices: strategies by name, and each replica's part of every batch."""

import contextlib
import functools
import json
import os

import tensorflow as tf

from dislib_plus.configuration import ConfigurationError
from dislib_plus.data import batches

STRATEGIES = (None, "mirrored", "multi_worker")


@functools.lru_cache(maxsize=None)
def strategy(name):
    """The tf.distribute strategy called `name`; one object per process.

    Args:
      name: None: one device. "mirrored": all GPUs of this machine, or, without a
        GPU, all its logical CPU devices. "multi_worker": the workers that the
        environment variable TF_CONFIG lists; must be made before TensorFlow runs
        any operation.

    Raises:
      ConfigurationError: an unknown name. ValueError: "multi_worker" without TF_CONFIG.
    """
    if name is None:
        return None
    if name == "mirrored":
        devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        return tf.distribute.MirroredStrategy([device.name for device in devices])
    if name == "multi_worker":
        if "cluster" not in _cluster():
            raise ValueError("model.strategy = 'multi_worker' needs the environment variable TF_CONFIG with a "
                             f"'cluster' and a 'task'; it is {os.environ.get('TF_CONFIG')!r}.")
        return tf.distribute.MultiWorkerMirroredStrategy()
    raise ConfigurationError(f"model.strategy must be None, 'mirrored' or 'multi_worker'; received {name!r}.")


def _cluster():
    try:
        return json.loads(os.environ.get("TF_CONFIG") or "{}")
    except ValueError as error:
        raise ValueError(f"The environment variable TF_CONFIG is not valid JSON ({error}).") from error


def is_chief():
    """Whether this process writes the files of the run; alone, or worker 0 of several."""
    task = _cluster().get("task", {})
    return task.get("type", "chief") in ("chief", "master") or (
        task.get("index", 0) == 0 and "chief" not in _cluster().get("cluster", {}))


def scope(chosen):
    """The scope in which the variables of a run are made."""
    return contextlib.nullcontext() if chosen is None else chosen.scope()


def replicas(chosen):
    """Number of devices that share a batch."""
    return 1 if chosen is None else chosen.num_replicas_in_sync


def shape_logs(chosen, model):
    """Lets Keras average the logs of several workers, which it does along their first axis."""
    if chosen is None or chosen.num_replicas_in_sync == len(chosen.extended.worker_devices):
        return
    for name in ("train_step", "test_step"):
        if name not in vars(model):
            setattr(model, name, _with_vector_logs(getattr(model, name)))


def _with_vector_logs(step):
    return lambda data: {name: tf.reshape(value, [1]) for name, value in step(data).items()}


def training_batches(chosen, dataset, parts, batch_size, seed, first_step, last_step):
    """Batches as `data.batches.training_batches`, rows split evenly over the replicas in their order.

    Raises:
      ValueError: batch_size is not a multiple of the number of replicas.
    """
    whole = batches.training_batches(dataset, parts, batch_size, seed, first_step, last_step)
    if chosen is None:
        return whole
    count = chosen.num_replicas_in_sync
    if batch_size % count:
        raise ConfigurationError(f"model.batch_size must be a multiple of the {count} devices that share it; "
                                 f"received {batch_size}.")

    def of_pipeline(context):
        here = count // context.num_input_pipelines
        rows = batch_size // count
        start = context.input_pipeline_id * here * rows

        def split(array):
            return tf.reshape(array[start:start + here * rows], [here, rows, *array.shape[1:]])
        return whole.map(lambda batch: {name: split(array) for name, array in batch.items()}).unbatch()

    return chosen.distribute_datasets_from_function(of_pipeline)
