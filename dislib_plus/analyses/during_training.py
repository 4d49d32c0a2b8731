"""Analyses of the latent variables every so many iterations of training: CSV files, pictures, TensorBoard."""

import contextlib
import dataclasses
import functools
import logging
from typing import Optional, Sequence

import gin
import numpy as np
import tensorflow as tf

from dislib_plus import checks, files
from dislib_plus.analyses.latent_analyses import LatentAnalyses
from dislib_plus.configuration import ConfigurationError
from dislib_plus.evaluation.metrics import information_tracking
from dislib_plus.evaluation.sources import abilities
from dislib_plus.training.callbacks import StepCallback, register_watchers
from dislib_plus.training.csv_series import Series
from dislib_plus.training.event_file import EventFile
from dislib_plus.visualize import training_curves

NAMES = ("kl_per_dimension", "active_units", "information", "med", "kl_decomposition", "latent_information",
         "loss_weights", "traversals")
_OF_FACTORS = ("information", "med")
_PICTURES = ("traversals", "information_flow")
_MOST_BINS, _MOST_SAMPLES = 10 ** 4, 10 ** 6

log = logging.getLogger(__name__)


@register_watchers
@gin.configurable("analyses")
@dataclasses.dataclass(frozen=True)
class AnalysisSettings:
    """What is analysed during training, and how often. It changes no weight: analyses only read the model.

    Args:
      every_steps: iterations between two analyses, which come at the ends of progressive steps too (`step_ends` of a
        method); None: only there, of a code with blocks (several Gaussian groups), and otherwise none at all.
      which: some of "kl_per_dimension" (nats), "active_units", "information" (I(z_j;c_k) and the diffusion
        indicators) and "med" (of mean codes), both left out for sets without factors, "kl_decomposition" (I(x;z),
        total correlation, dimension-wise KL), "latent_information" (I(x;z_l) of each block of a code that has blocks,
        I(x;z) and I_over, nats; and a picture of it at the ends of progressive steps), "loss_weights" (such as an
        annealed beta), "traversals".
      num_images: images of the fixed subset; all where the set has fewer.
      num_samples, num_bins, span, random_seed, batch_size: see `LatentAnalyses`.

    Raises:
      ConfigurationError: an argument breaks its rule.
    """

    every_steps: Optional[int] = None
    which: Sequence[str] = NAMES
    num_images: int = 10000
    num_samples: int = 1000
    num_bins: int = 20
    span: float = 2.0
    random_seed: int = 0
    batch_size: int = 256

    def __post_init__(self):
        least = {"num_images": 2, "num_samples": 1, "num_bins": 2, "batch_size": 1, "random_seed": 0}
        for name, bound in {**least, **({} if self.every_steps is None else {"every_steps": 1})}.items():
            checks.whole(f"analyses.{name}", getattr(self, name), bound)
        if not isinstance(self.which, (list, tuple)) or not self.which or not set(self.which) <= set(NAMES):
            raise ConfigurationError(f"analyses.which must list some of {', '.join(NAMES)}; received {self.which!r}.")
        for name, bound in (("num_bins", _MOST_BINS), ("num_samples", _MOST_SAMPLES)):
            checks.at_most(f"analyses.{name}", getattr(self, name), bound)
        checks.positive("analyses.span", self.span)

    def watchers(self, first_step, last_step, model, dataset, folder, events):
        """The callbacks of a stage: none, or one that comes before the one that saves checkpoints.

        Args:
          first_step, last_step: see StepCallback.
          model, dataset: what is analysed.
          folder: of the CSV files and pictures; events: of the event files.
        """
        if self.every_steps is None and not _step_ends(model):
            return []
        if abilities.lacks(model, ["parts", "posterior"]) or model.parts()[-1].posterior is None:
            raise ConfigurationError("analyses.every_steps needs a model with posteriors q(z|x), which "
                                     f"{type(model).__name__} does not have; received {self.every_steps}. Leave it "
                                     "out.")
        return [Analyses(first_step, last_step, self, model, dataset, folder, events)]


def _step_ends(model):
    """Numbers of updates at which the progressive steps of a code with blocks end."""
    if abilities.lacks(model, ["step_ends", "parts", "posterior"]) or not model.parts()[-1].blocks:
        return []
    return list(model.step_ends)


class Analyses(StepCallback):
    """Analyses the model at the start, every `every_steps` iterations, at the ends of progressive steps and at the end.

    Rows are on the disk before the checkpoint of their step is, and rows after the checkpoint that a run
    is resumed from are dropped and made again: so none is lost or doubled. The event file is written anew
    from the CSV files and pictures when a run is resumed. The end of the run ends a progressive step too.
    """

    def __init__(self, first_step, last_step, settings, model, dataset, folder, events):
        super().__init__(first_step, last_step)
        self.settings, self.folder, self.events, self.before = settings, folder, events, first_step
        self.which = [name for name in settings.which if name not in _OF_FACTORS or dataset.num_factors]
        if len(self.which) < len(settings.which):
            log.info("analyses: data set %r has no factors, so I(z;c) and MED are not tracked", dataset.name)
        names = ("num_images", "num_samples", "num_bins", "span", "random_seed", "batch_size")
        self.analyses = LatentAnalyses(model, dataset, **{name: getattr(settings, name) for name in names})
        if not self.analyses.part.blocks:
            self.which = [name for name in self.which if name != "latent_information"]
        # A model may have been trained before this stage.
        self.step_ends = [end - int(model.step) + first_step for end in _step_ends(model)]
        self.series, self.file = {}, None

    def on_train_begin(self, logs=None):
        files.remove(self.events)
        self.file = EventFile(self.events)
        kept = self.first_step or -1  # What is measured at the start is measured again.
        for name in [*self.which, *(["diffusion"] if "information" in self.which else [])]:
            if name != "traversals":
                self.series[name] = Series(self.folder / f"{name}.csv", kept)
                for row in self.series[name].rows:
                    self._write_scalars(name, *row)
        for name in _PICTURES:
            for path in training_curves.pictures(self.folder, name):
                step = int(path.stem.rpartition("_")[2])
                if step <= kept:
                    self._write_picture(name, step, path)
                else:
                    path.unlink()
        if self.first_step == 0:
            self.analyse(0)

    def at_step(self, step, logs):
        ends = any(self.before < end <= step for end in self.step_ends) or self.step_ends and step == self.last_step
        if ends or self.due(step, self.before, self.settings.every_steps or self.last_step):
            with self._last_update() if step in self.step_ends else contextlib.nullcontext():
                self.analyse(step, ends)
        if step == self.last_step:
            training_curves.draw(self.folder, self.folder)
        self.before = step

    @contextlib.contextmanager
    def _last_update(self):
        """What depends on the number of updates is as in the last one: the end of a step, not the start of the next."""
        updates = self.analyses.model.updates
        updates.assign_sub(1)
        try:
            yield
        finally:
            updates.assign_add(1)

    def analyse(self, step, ends=False):
        """Adds a row to every series, and pictures; ends: whether a progressive step ends."""
        moment = self.analyses.look()
        for name in self.which:
            if name == "traversals":
                self._draw(name, step, moment.draw_traversals)
                continue
            values = getattr(moment, name)()
            self._append(name, step, values)
            if name == "information":
                self._append("diffusion", step, self._diffusion())
            if name == "latent_information" and ends:
                self._draw("information_flow", step, functools.partial(
                    moment.draw_information_flow, information=values, when=f"after {step:,} iterations: "))

    def _draw(self, name, step, draw):
        path = self.folder / f"{name}_{step:09d}.png"
        draw(path)
        self._write_picture(name, step, path)

    def _append(self, name, step, values):
        if values:
            self.series[name].append(step, values)
            self._write_scalars(name, step, values)

    def _diffusion(self):
        """Indicators of the last moment, see `information_tracking.diffusion_indicators`."""
        names = self.analyses.dataset.factor_names
        history = np.array([list(values.values()) for _, values in self.series["information"].rows])
        indicators = information_tracking.diffusion_indicators(history.reshape(len(history), -1, len(names)))
        return {f"{indicator}.{factor}": float(value) for indicator, values in indicators.items()
                for factor, value in zip(names, values[-1])}

    def _write_scalars(self, name, step, values):
        with self.file.writing():
            for column, value in values.items():
                tf.summary.scalar(f"{name}/{column}", value, step)

    def _write_picture(self, name, step, path):
        with self.file.writing():
            tf.summary.image(name, tf.io.decode_png(path.read_bytes())[None], step)

    def on_train_end(self, logs=None):
        self.file.close()
