"""Checkpoints: one file each, checked on reading, the last two kept.

A checkpoint is an uncompressed .npz: every variable as an array under its
position, each with the zip format's CRC-32, and one JSON text that names them.
It is written to a temporary name and renamed, so that a crash at any moment
leaves the files before it whole.
"""

import json
import pathlib
import re
import struct
import tokenize
import warnings
import zipfile
import zlib

import numpy as np

from dislib_plus import checks, configuration, files

_KEPT = 2
_NAME = re.compile(r"stage(\d+)-step(\d+)\.npz")
# What reading changed or missing bytes may raise in the zip reader, in NumPy and in the JSON reader.
_UNREADABLE = (zipfile.BadZipFile, zlib.error, struct.error, tokenize.TokenError, EOFError, KeyError, ValueError,
               TypeError, AttributeError, RuntimeError, OSError)


class _Damaged(ValueError):
    """A file that is no checkpoint; the message says why."""


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
        try:
            with files.atomic_write(path, "wb") as stream:
                np.savez(stream, about=np.array(text), **{str(i): array for i, array in enumerate(arrays)})
        except OSError as error:
            kept = "The checkpoint before it stands." if self.paths() else "There is no checkpoint before it."
            raise OSError(f"Checkpoint {error} {kept}") from error
        for old in self.paths()[:-self.keep]:
            old.unlink()

    def paths(self):
        """Files of all checkpoints, oldest first."""
        found = [path for path in self.folder.glob("*.npz") if _NAME.fullmatch(path.name)]
        return sorted(found, key=lambda path: tuple(map(int, _NAME.fullmatch(path.name).groups())))

    def newest(self, iterations):
        """The newest checkpoint that can be read, as State; None without one.

        A damaged one is reported by a warning, removed, and the one before it is tried.

        Args:
          iterations: number of iterations of each stage.

        Raises:
          PermissionError: a checkpoint may not be read.
        """
        paths = self.paths()
        while paths:
            path = paths.pop()
            try:
                return _read(path, iterations)
            except PermissionError as error:
                raise PermissionError(f"Checkpoint {path} may not be read; get permission to read it.") from error
            except _UNREADABLE as error:
                reason = str(error) if isinstance(error, _Damaged) else "bytes are missing or changed"
                then = "the one before it is tried" if paths else "there is none before it, so training starts anew"
                warnings.warn(f"Checkpoint {path} is damaged ({reason}); it is removed, and {then}.",
                              configuration.Notice, stacklevel=2)
                files.remove(path)
        return None


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
    with _opened(path) as stream, np.load(stream, allow_pickle=False) as archive:
        about = json.loads(str(archive["about"]))
        _check(about, iterations)
        arrays = [archive[str(i)] for i in range(len(about["variables"]))]
    for i, entry in enumerate(about["variables"]):
        if str(arrays[i].dtype) != entry["dtype"]:
            arrays[i] = arrays[i].view(_dtype(entry["dtype"]))
    return State(path, about, arrays)


def _opened(path):
    """The open file; raises _Damaged unless it is a zip archive."""
    if path.is_dir():
        raise _Damaged("it is a folder")
    stream = open(path, "rb")
    if not zipfile.is_zipfile(stream):
        stream.close()
        raise _Damaged("it is no .npz file, or it was cut short")
    stream.seek(0)
    return stream


def _check(about, iterations):
    """Raises _Damaged unless `about` describes a moment of a run with these iterations of its stages."""
    if not isinstance(about, dict):
        raise _Damaged("it describes no checkpoint")
    try:
        checks.whole("its stage", about.get("stage"), 0)
        checks.at_most("its stage", about["stage"], len(iterations) - 1)
        checks.whole("its step", about.get("step"), 0)
        checks.at_most("its step", about["step"], iterations[about["stage"]])
        checks.at_least("its elapsed_time", about.get("elapsed_time"), 0)
    except configuration.ConfigurationError as error:
        raise _Damaged(str(error).rstrip(".")) from error
    variables = about.get("variables")
    if not isinstance(variables, list) or not all(
            isinstance(entry, dict) and {"path", "dtype"} <= set(entry) for entry in variables):
        raise _Damaged("it does not name its arrays")


def _dtype(name):
    """The NumPy type of that name; the short floats of ml_dtypes are stored as raw bytes."""
    import ml_dtypes
    return np.dtype(getattr(ml_dtypes, name))
