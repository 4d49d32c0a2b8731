"""The folder of a run: who may write there, what it was started with, whether it is finished."""

import json
import os
import pathlib
import shutil

from dislib_plus import files

# Bindings that do not change the trained weights; a resumed run may have others.
HARMLESS = frozenset(("model.checkpoint_steps", "model.log_steps", "model.eval_steps", "model.name", "model.model_num",
                      "dataset.data_dir", "analyses.every_steps", "analyses.which", "analyses.num_images",
                      "analyses.num_samples", "analyses.num_bins", "analyses.span", "analyses.random_seed",
                      "analyses.batch_size"))
_OURS = ("run.json", "model.keras", "results", "checkpoints", "events", "analyses", "evaluation", "pictures",
         "report.html")


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

    def check(self, overwrite=False):
        """Raises ValueError or OSError unless a run may be started or resumed here; changes nothing."""
        nearest = next(folder for folder in (self.path, *self.path.absolute().parents) if folder.exists())
        if not nearest.is_dir():
            raise NotADirectoryError(f"model_dir {self.path} cannot be made: {nearest} is not a folder.")
        if not os.access(nearest, os.W_OK | os.X_OK):
            raise PermissionError(f"model_dir {self.path} cannot be written: no permission in {nearest}.")
        foreign = self.path.is_dir() and any(self.path.iterdir()) and not self.record.is_file()
        if foreign and not overwrite:
            raise ValueError(f"model_dir {self.path} is not empty and holds no run of dislib_train; choose another "
                             "folder, or use --overwrite to replace results in it.")

    @property
    def started(self):
        """Whether a run was started here."""
        return self.record.is_file()

    @property
    def finished(self):
        """Whether the run here is finished."""
        return self.model.is_file() and (self.results / "json" / "train_results.json").is_file()

    def clear(self):
        """Removes what a run writes, and nothing else."""
        for name in _OURS:
            path = self.path / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.exists() or path.is_symlink():
                path.unlink()

    def start(self, record):
        """Writes run.json: the JSON dictionary `record`."""
        with files.atomic_write(self.record) as stream:
            json.dump(record, stream, indent=2, sort_keys=True)

    def read(self):
        """The dictionary of run.json.

        Raises:
          ValueError: the file is damaged.
        """
        try:
            return json.loads(self.record.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{self.record} is damaged ({error}); use --overwrite to start anew.") from error

    def check_same(self, record):
        """Raises ValueError, naming the differences, if the run here was started with another configuration."""
        stored = self.read()
        for part in ("bindings", "arguments"):
            differences = list(_differences(stored.get(part, {}), record[part]))
            if differences:
                raise ValueError(f"model_dir {self.path} holds a run with another configuration: "
                                 f"{'; '.join(differences)}. Use the former bindings to resume it, another model_dir, "
                                 "or --overwrite to start anew.")


def _differences(old, new):
    for key in sorted((set(old) | set(new)) - HARMLESS):
        before, now = old.get(key, "not bound"), new.get(key, "not bound")
        if before != now:
            yield f"{key} was {before}, now {now}"
