"""Checkpoints: one file each, checked on reading, the last two kept.

A checkpoint is an uncompressed .npz: every variable as an array under its
position, each with the zip format's CRC-32, and one JSON text that names them.
It is written to a temporary name and renamed, so that a crash at any moment
leaves the files before it whole.

Only a file whose bytes are proven wrong is passed over, and it is kept under
another name. An error of the system says nothing about the bytes: it stops the run.
"""

import json
import os
import pathlib
import re
import warnings

import numpy as np

from dislib_plus import checks, configuration, files, json_files

_KEPT = 2
_NAME = re.compile(r"stage(\d+)-step(\d+)\.npz")


class NonFiniteWeights(ValueError):
    """A variable holds NaN or infinity, so the state is not worth keeping."""


class Checkpoints:
    """The checkpoints of one run.

    Args:
      folder: where they lie.
      keep: number of newest checkpoints to keep.
    """

    def __init__(self, folder, keep=_KEPT):
        self.folder, self.keep = pathlib.Path(folder), keep

    def save(self, stage, step, variables, elapsed_time=0.0):
        """Writes the state after `step` iterations of stage `stage`, then drops the oldest.

        Args:
          stage: index of the stage.
          step: finished iterations of the stage.
          variables: Keras variables, in an order that the next process repeats.
          elapsed_time: seconds of work up to now.

        Raises:
          NonFiniteWeights: names the variable; nothing is written.
          OSError: the file could not be written; the checkpoints before it stand.
        """
        arrays = [variable.numpy() for variable in variables]
        for variable, array in zip(variables, arrays):
            if np.issubdtype(array.dtype, np.floating) and not np.isfinite(array).all():
                raise NonFiniteWeights(f"the weights {variable.path!r} are not finite after step {step}")
        names = [{"path": variable.path, "dtype": str(array.dtype), "shape": list(array.shape)}
                 for variable, array in zip(variables, arrays)]
        text = json.dumps({"stage": stage, "step": step, "variables": names, "elapsed_time": elapsed_time})
        path = self.folder / f"stage{stage:02d}-step{step:09d}.npz"
        kept = "The checkpoint before it stands." if self.paths() else "It would have been the first checkpoint."
        try:
            with files.atomic_write(path, "wb") as stream:
                np.savez(stream, about=np.array(text), **{str(i): array for i, array in enumerate(arrays)})
        except OSError as error:
            raise OSError(f"Checkpoint {error} {kept}") from error
        for old in self.paths()[:-self.keep]:
            old.unlink()

    def paths(self):
        """Files of all checkpoints, oldest first.

        Raises:
          OSError: the folder could not be listed.
        """
        try:
            names = os.listdir(self.folder)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise files.read_error(self.folder, error) from error
        found = sorted(filter(None, map(_NAME.fullmatch, names)), key=lambda match: tuple(map(int, match.groups())))
        return [self.folder / match.group() for match in found]

    def newest(self, iterations):
        """The newest checkpoint whose bytes are whole, as State; None without one.

        A damaged one is reported by a warning and set aside under another name, and the one before it is tried.

        Args:
          iterations: number of iterations of each stage.

        Raises:
          OSError: a checkpoint could not be read (now); nothing was set aside.
        """
        paths = self.paths()
        while paths:
            path = paths.pop()
            try:
                return _read(path, iterations)
            except files.DamagedFile as error:
                then = "the one before it is tried" if paths else "no other is left, so training starts anew"
                warnings.warn(f"Checkpoint {path} is damaged ({error.reason}); it is kept as {_set_aside(path).name}, "
                              f"and {then}.", configuration.Notice, stacklevel=2)
        return None


def _set_aside(path):
    """Renames a file to a name that is free and not a checkpoint's; returns that name."""
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    return path.rename(aside)


class State:
    """What a checkpoint holds.

    Attributes:
      stage, step: where the run was.
      elapsed_time: seconds of work up to then.
    """

    def __init__(self, path, about, arrays):
        self.path, self.arrays, self.variables = path, arrays, about["variables"]
        self.stage, self.step, self.elapsed_time = about["stage"], about["step"], about["elapsed_time"]

    def restore(self, variables, first=0):
        """Assigns entries first .. first + len(variables) - 1.

        Raises:
          ValueError: number or shapes differ from the variables'.
        """
        stored = self.arrays[first:first + len(variables)]
        if len(stored) != len(variables):
            raise ValueError(f"Checkpoint {self.path} has {len(self.arrays)} arrays, the model needs "
                             f"{first + len(variables)}; it was written by other code. Use --overwrite to start anew.")
        for variable, array, name in zip(variables, stored, self.variables[first:]):
            if tuple(variable.shape) != array.shape:
                raise ValueError(f"Checkpoint {self.path} has {name['path']!r} of shape {array.shape}, the model's "
                                 f"{variable.path!r} has {tuple(variable.shape)}; it was written by other code. "
                                 "Use --overwrite to start anew.")
            variable.assign(array)


def _read(path, iterations):
    with files.reading(path):
        files.check_zip(path)
        with np.load(path, allow_pickle=False) as arrays:
            about = json_files.parse(str(arrays["about"]))
            _check(about, iterations)
            return State(path, about, [_array(arrays[str(i)], entry) for i, entry in enumerate(about["variables"])])


def _check(about, iterations):
    """Raises ValueError unless `about` describes a moment of a run with these iterations of its stages."""
    if not isinstance(about, dict):
        raise ValueError("it does not describe a checkpoint")
    checks.whole("its stage", about.get("stage"), 0)
    checks.at_most("its stage", about["stage"], len(iterations) - 1)
    checks.whole("its step", about.get("step"), 0)
    checks.at_most("its step", about["step"], iterations[about["stage"]])
    checks.at_least("its elapsed_time", about.get("elapsed_time"), 0)
    variables = about.get("variables")
    if not isinstance(variables, list) or not all(
            isinstance(entry, dict) and {"path", "dtype"} <= set(entry) for entry in variables):
        raise ValueError("it does not name its arrays")


def _array(array, entry):
    """The array as it was saved; the short floats of ml_dtypes are stored as raw bytes."""
    if str(array.dtype) == entry["dtype"]:
        return array
    import ml_dtypes
    return array.view(np.dtype(getattr(ml_dtypes, entry["dtype"])))
