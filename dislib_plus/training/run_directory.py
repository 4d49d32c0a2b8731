"""The folder of a run: who may write there, what it was started with, whether it is finished."""

import contextlib
import json
import os
import pathlib
import re

from dislib_plus import files, provenance, written_files

# Bindings that do not change the trained weights; a resumed run may have others.
HARMLESS = frozenset(("model.checkpoint_steps", "model.log_steps", "model.eval_steps", "model.name", "model.model_num",
                      "dataset.data_dir", "analyses.every_steps", "analyses.which", "analyses.num_images",
                      "analyses.num_samples", "analyses.num_bins", "analyses.span", "analyses.random_seed",
                      "analyses.batch_size"))
_STEPS = "model.training_steps"
# What a run writes in its folder, and nothing else is ever removed there.
_OURS = ("model.keras", "results", "checkpoints", "events", "analyses", "run.json")
_FILES = re.compile(r"""run\.json | model\.keras
    | results/(gin/train\.gin | json/train_(config|results)\.json | aggregate/train\.json)
    | checkpoints/stage\d+-step\d+\.npz(\.damaged-\d+)?
    | events/[^/]+/(analyses/)?events\.out\.tfevents\.[^/]+
    | analyses/[^/]+/[a-z_]+(_\d+)?\.(csv|png)""", re.VERBOSE)


class RunDirectory:
    """A run's folder: `run.json`, `checkpoints/`, `events/`, `analyses/`, `model.keras`, `results/`."""

    def __init__(self, path):
        if not path:
            raise ValueError(f"model_dir must be a folder; received {path!r}.")
        self.path = pathlib.Path(path)
        self.checkpoints = self.path / "checkpoints"
        self.events = self.path / "events"
        self.analyses = self.path / "analyses"
        self.results = self.path / "results"
        self.model = self.path / "model.keras"
        self.record = self.path / "run.json"
        # The last file that a run writes, after its results.
        self.finish_mark = self.results / "aggregate" / "train.json"

    def check(self, overwrite=False):
        """Raises ValueError or OSError unless a run may be started or resumed here; changes nothing."""
        self._check_place()
        if not self.started and self.path.is_dir() and any(map(self._is_foreign, self.path.iterdir())):
            raise ValueError(f"model_dir {self.path} is not empty and holds no run of dislib_train (no run.json), so "
                             "nothing in it is replaced, also with --overwrite; choose another folder.")
        foreign = written_files.others(self.path, self._own(), _OURS) if overwrite else []
        if foreign:
            raise ValueError(f"model_dir {self.path} holds {written_files.told(foreign)}, which dislib_train did not "
                             "write and never removes; move it, or choose another folder.")
        for folder in (self.checkpoints, self.events, self.analyses, self.results):
            if folder.exists() and not folder.is_dir():
                raise NotADirectoryError(f"{folder} must be a folder of the run and is a file; move it away and run "
                                         "the same command again.")

    def _check_place(self):
        try:
            nearest = next(folder for folder in (self.path, *self.path.absolute().parents) if folder.exists())
        except OSError as error:
            raise files.write_error(f"model_dir {self.path}", error) from error
        if not nearest.is_dir():
            raise NotADirectoryError(f"model_dir {self.path} cannot be made: {nearest} is not a folder; choose another "
                                     "folder.")
        if not os.access(nearest, os.W_OK | os.X_OK):
            raise PermissionError(f"model_dir {self.path} cannot be written: no permission in {nearest}; choose "
                                  "another folder.")

    @staticmethod
    def _is_foreign(path):
        return path.name != ".DS_Store" and files.unfinished(path) not in _OURS

    @property
    def started(self):
        """Whether a run was started here."""
        return files.is_file(self.record)

    @property
    def finished(self):
        """Whether the run here is finished."""
        return files.is_file(self.model) and files.is_file(self.finish_mark)

    def clear(self):
        """Removes what a run has written, its scores and its pictures; run.json, which marks the folder, goes last."""
        written_files.remove_scores(self.path / "evaluation")
        written_files.remove_listed(self.path / "pictures", "visualize")
        with contextlib.suppress(OSError):  # It holds something else, or does not exist.
            (self.path / "pictures").rmdir()
        written_files.remove(self.path, [name for name in self._own() if name != self.record.name])
        self.record.unlink(missing_ok=True)

    def _own(self):
        """The files of the run, unfinished ones included, as paths relative to its folder."""
        return {name for name in written_files.below(self.path) if _FILES.fullmatch(_whole(name))}

    def remove_unfinished(self):
        """Removes the files that a killed process was writing."""
        ours = [path for path in self.path.glob(".*") if files.unfinished(path) in _OURS]
        for folder in (self.checkpoints, self.analyses, self.results):
            ours += filter(files.unfinished, folder.rglob(".*"))
        for path in ours:
            files.remove(path)

    def start(self, record):
        """Writes run.json: the JSON dictionary `record`."""
        with files.atomic_write(self.record) as stream:
            json.dump(record, stream, indent=2, sort_keys=True)

    def read(self, *required):
        """The dictionary of run.json; see `provenance.read_record`."""
        return provenance.read_record(self.record, *required)

    def check_same(self, record, extend=False):
        """Whether the run here is to go on to more training steps than it was started with.

        Args:
          record: see `start`.
          extend: whether it may.

        Raises:
          ValueError: the run here was started with another configuration; the differences are named.
        """
        stored = self.read("bindings", "arguments")
        differences = {key: values for part in ("bindings", "arguments")
                       for key, values in _differences(stored[part], record[part]).items()}
        macros = _macros_of_steps(stored["bindings"]) | _macros_of_steps(record["bindings"])
        longer = set(differences) - macros == {_STEPS} and _is_less(*differences[_STEPS])
        if not differences or longer and extend:
            return bool(differences)
        named = "; ".join(f"{key} was {before}, now {now}" for key, (before, now) in differences.items())
        remedy = "--extend to go on to more steps" if longer else "the former bindings to resume it"
        raise ValueError(f"model_dir {self.path} holds a run with another configuration: {named}. Use {remedy}, "
                         "another model_dir, or --overwrite to start anew.")

    def extend(self, record):
        """Writes a record with more training steps; it keeps the numbers before under "extended_from"."""
        stored = self.read("arguments")
        files.remove(self.finish_mark)  # First, as the run is not finished by the new record.
        self.start({**record, "extended_from": [*stored.get("extended_from", ()), stored["arguments"][_STEPS]]})

    def check_data(self, data):
        """Raises ValueError if the run here was started with other data than {"name": ..., "fingerprint": ...}."""
        before = self.read().get("data", data)
        if before.get("fingerprint") != data["fingerprint"]:
            raise ValueError(f"The data set {data['name']!r} is not what the run in {self.path} was started with (its "
                             f"fingerprint was {before.get('fingerprint')}, now {data['fingerprint']}). Put the former "
                             "data back to resume it, use another model_dir, or --overwrite to start anew.")


def _whole(name):
    """A path, as it is called once it is whole."""
    return pathlib.PurePath(name).with_name(files.unfinished(name) or pathlib.PurePath(name).name).as_posix()


def _differences(old, new):
    """{key: (value before, value now)}."""
    values = {key: (old.get(key, "not bound"), new.get(key, "not bound")) for key in sorted({*old, *new} - HARMLESS)}
    return {key: (before, now) for key, (before, now) in values.items() if before != now}


def _macros_of_steps(bindings):
    """The macro that `model.training_steps` is bound to, as %steps, where nothing else is."""
    macro = bindings.get(_STEPS, "")
    used = re.compile(rf"{re.escape(macro)}(?![\w./])")
    if not macro.startswith("%") or any(used.search(value) for key, value in bindings.items() if key != _STEPS):
        return set()
    return {macro[1:]}


def _is_less(before, now):
    """Whether both are texts of whole numbers, the second the larger one."""
    return before.isdecimal() and now.isdecimal() and int(before) < int(now)
