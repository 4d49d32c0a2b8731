"""What happens between training steps: the stop at a non-finite loss, checkpoints, the progress bar, events.

All count steps of the stage, not of the present process, so a resumed run goes
on where the one before stopped.
"""

import math
import sys
import time

import keras
import tensorflow as tf
from tqdm import tqdm

from dislib_plus.training.event_file import EventFile

_REFRESH_SECONDS = 0.5
_REFRESH_SECONDS_IN_A_FILE = 30.0


_FURTHER_WATCHERS = []


def register_watchers(settings):
    """Decorator of a class of settings: every stage of every run also calls its watchers, before the step's checkpoint.

    Args:
      settings: class without required arguments, checked when it is made, with the method `watchers` (first step, last
        step, model, data set, folder, folder of event files) -> list of StepCallbacks.
    """
    _FURTHER_WATCHERS.append(settings)
    return settings


def further_watchers():
    """The settings that `register_watchers` has collected, made anew: objects with a method `watchers`."""
    return [settings() for settings in _FURTHER_WATCHERS]


class TrainingDiverged(ValueError):
    """A loss term became NaN or infinite."""


class StepCallback(keras.callbacks.Callback):
    """Calls `at_step(step, logs)` after each execution.

    Args:
      first_step: iterations of the stage that were finished before this process.
      last_step: iterations of the stage.
    """

    def __init__(self, first_step, last_step):
        super().__init__()
        self.first_step, self.last_step = first_step, last_step

    def on_train_batch_end(self, batch, logs=None):
        self.at_step(min(self.first_step + batch + 1, self.last_step), logs)

    def at_step(self, step, logs):
        """Does its work after `step` finished iterations."""
        raise NotImplementedError

    def due(self, step, before, every):
        """Whether a multiple of `every`, or the end, lies in before + 1 .. step."""
        return step // every > before // every or step == self.last_step


class StopAtNonFinite(StepCallback):
    """Raises TrainingDiverged at the first loss term that is not finite.

    Args:
      explain: function (first step, last step) -> what is known about the batches of those steps, or "".
    """

    def __init__(self, first_step, last_step, explain):
        super().__init__(first_step, last_step)
        self.explain, self.before = explain, first_step

    def at_step(self, step, logs):
        if not all(map(math.isfinite, logs.values())):
            self.fail(step, logs)
        self.before = step

    def fail(self, step, logs):
        """Raises the sentence that names terms and step."""
        bad = [name for name, value in logs.items() if not math.isfinite(value)]
        bad = [name for name in bad if name not in ("loss", "elbo")] or bad
        when = f"step {step}" if step == self.before + 1 else f"one of the steps {self.before + 1} to {step}"
        cause = self.explain(self.before, step) or (
            "lower the learning rate or the weights of the loss, or start anew with another seed")
        raise TrainingDiverged(f"Training stopped: {', '.join(f'{name!r} is {logs[name]}' for name in bad)} in {when}; "
                               f"{cause}. The last checkpoint is kept.")


class SaveState(StepCallback):
    """Calls `save(step)` every `every` iterations, after the last one, and when the run is asked to end.

    Args:
      save: function (step).
      request: signals.Request.
      stage: name of the stage.
    """

    def __init__(self, first_step, last_step, every, save, request, stage):
        super().__init__(first_step, last_step)
        self.every, self.save, self.before = every, save, first_step
        self.request, self.stage = request, stage

    def at_step(self, step, logs):
        saves = self.request.received is not None or self.due(step, self.before, self.every)
        self.before = step
        if not saves:
            return
        self.save(step)
        if self.request.received is not None:
            self.request.obey(f" after step {step} of stage {self.stage!r}, which a checkpoint holds; the same command "
                              "goes on from there.")


class Events(StepCallback):
    """Writes TensorBoard scalars: the mean of every term since the last writing, and the learning rate.

    Args:
      folder: of the event files.
      every: iterations between two writings.
    """

    def __init__(self, first_step, last_step, folder, every):
        super().__init__(first_step, last_step)
        self.every, self.before = every, first_step
        self.file = EventFile(folder)

    def at_step(self, step, logs):
        if self.due(step, self.before, self.every):
            self._write(step, logs)
        self.before = step

    def _write(self, step, logs):
        with self.file.writing():
            for name, value in logs.items():
                tf.summary.scalar(name, value, step)
            tf.summary.scalar("learning_rate", tf.convert_to_tensor(self.model.optimizer.learning_rate), step)

    def on_train_end(self, logs=None):
        self.file.close()


class RestartMeans(StepCallback):
    """Starts the running means of the terms anew every `every` iterations; on all workers at once.

    Args:
      restore: function () that gives the means what a checkpoint holds of them; None: they start empty.
    """

    def __init__(self, first_step, last_step, every, restore=None):
        super().__init__(first_step, last_step)
        self.every, self.before, self.restore = every, first_step, restore

    def on_epoch_begin(self, epoch, logs=None):
        # Not earlier: Keras has only now reset them.
        if self.restore:
            self.restore()

    def at_step(self, step, logs):
        if self.due(step, self.before, self.every):
            self.model.reset_metrics()
        self.before = step


class Progress(StepCallback):
    """A progress bar with steps per second and the loss terms, redrawn about twice a second."""

    def __init__(self, first_step, last_step, title):
        super().__init__(first_step, last_step)
        self.title, self.bar, self.shown = title, None, 0.0
        self.pause = _REFRESH_SECONDS if sys.stderr.isatty() else _REFRESH_SECONDS_IN_A_FILE

    def on_train_begin(self, logs=None):
        self.bar = tqdm(total=self.last_step, initial=self.first_step, desc=self.title, unit=" steps",
                        mininterval=self.pause, dynamic_ncols=True)

    def at_step(self, step, logs):
        now = time.monotonic()
        if now - self.shown >= self.pause or step == self.last_step:
            self.bar.set_postfix({name: f"{value:.4g}" for name, value in logs.items()}, refresh=False)
            self.shown = now
        self.bar.update(step - self.bar.n)

    def close(self):
        """Leaves the bar as it is; also after an error."""
        if self.bar is not None:
            self.bar.close()

    def on_train_end(self, logs=None):
        self.close()
