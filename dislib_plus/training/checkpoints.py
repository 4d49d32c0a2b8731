"""Checkpoints: one file each, checked on reading, the last two kept.

A checkpoint is an uncompressed .npz: every variable as an array under its
position, each with the zip format's CRC-32, and one JSON text that names them.
It is written to a temporary name and renamed, so that a crash at any moment
leaves the files before it whole.
"""

import json
import pathlib
import re
import warnings
import zipfile
import zlib

import numpy as np

from dislib_plus import configuration, files

_KEPT = 2
_NAME = re.compile(r"stage(\d+)-step(\d+)\.npz")
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, OSError, UnicodeDecodeError)


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

    def save(self, stage, step, variables, **facts):
        """Writes the state after `step` iterations of stage `stage`, then drops the oldest.

        Args:
          stage: index of the stage.
          step: finished iterations of the stage.
          variables: Keras variables, in an order that the next process repeats.
          facts: JSON values to keep with them.

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
        text = json.dumps({"stage": stage, "step": step, "variables": names, **facts})
        path = self.folder / f"stage{stage:02d}-step{step:09d}.npz"
        try:
            with files.atomic_write(path, "wb") as stream:
                np.savez(stream, about=np.array(text), **{str(i): array for i, array in enumerate(arrays)})
        except OSError as error:
            raise OSError(f"Checkpoint {path} could not be written ({error.strerror or error}); the one before it "
                          "stands: make room and run the same command again.") from error
        for old in self.paths()[:-self.keep]:
            old.unlink()

    def paths(self):
        """Files of all checkpoints, oldest first."""
        found = [path for path in self.folder.glob("*.npz") if _NAME.fullmatch(path.name)]
        return sorted(found, key=lambda path: tuple(map(int, _NAME.fullmatch(path.name).groups())))

    def newest(self):
        """The newest checkpoint that can be read, as State; None without one.

        A damaged file is reported by a warning, removed, and the one before it is read.
        """
        for path in reversed(self.paths()):
            try:
                return _read(path)
            except _UNREADABLE as error:
                warnings.warn(f"Checkpoint {path} is damaged ({error or type(error).__name__}); it is removed and the "
                              "one before it is used.", configuration.Notice, stacklevel=2)
                path.unlink()
        return None


class State:
    """What a checkpoint holds.

    Attributes:
      stage, step: where the run was.
      facts: everything else that was kept.
    """

    def __init__(self, path, about, arrays):
        self.path, self.arrays = path, arrays
        self.variables = about.pop("variables")
        self.stage, self.step = about.pop("stage"), about.pop("step")
        self.facts = about

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


def _read(path):
    with np.load(path, allow_pickle=False) as archive:
        about = json.loads(str(archive["about"]))
        arrays = [archive[str(i)] for i in range(len(about["variables"]))]
    for i, entry in enumerate(about["variables"]):
        if str(arrays[i].dtype) != entry["dtype"]:
            arrays[i] = arrays[i].view(_dtype(entry["dtype"]))
    return State(path, about, arrays)


def _dtype(name):
    """The NumPy type of that name; the short floats of ml_dtypes are stored as raw bytes."""
    import ml_dtypes
    return np.dtype(getattr(ml_dtypes, name))
