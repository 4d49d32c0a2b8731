"""One run: builds the method, trains its stages from the last checkpoint on, scores and saves it."""

import contextlib
import functools
import logging
import math
import time

import keras
import tensorflow as tf

from dislib_plus import configuration, files, provenance, results, signals
from dislib_plus.data import batches
from dislib_plus.methods.stages import Stage
from dislib_plus.optimizers import player_optimizers
from dislib_plus.training import callbacks, distribution, final_scores, run_seeds
from dislib_plus.training.checkpoints import Checkpoints, NonFiniteWeights

log = logging.getLogger(__name__)


class Run:
    """A method being trained on a data set into a folder.

    Args:
      directory: RunDirectory.
      method: the Method, not built.
      dataset: DataSet.
      settings: Settings.
      make_optimizer: function () -> keras optimizer of the first player of a stage; None: gin's.
      progress: whether to show a progress bar.
    """

    def __init__(self, directory, method, dataset, settings, make_optimizer=None, progress=True):
        self.directory, self.method, self.dataset, self.settings = directory, method, dataset, settings
        self.make_optimizer, self.progress = make_optimizer, progress
        self.further_watchers = callbacks.further_watchers()
        self.strategy = distribution.strategy(settings.strategy)
        self.checkpoints = Checkpoints(directory.checkpoints)
        self.begun = time.monotonic()
        if settings.deterministic:
            tf.config.experimental.enable_op_determinism()
        with distribution.scope(self.strategy), _policy(settings.precision):
            self._build()

    def _build(self):
        seed = self.settings.random_seed
        self.method.seed = run_seeds.run_seeds(seed, 1).stages[0][1]
        with run_seeds.seeded_initializers(run_seeds.run_seeds(seed, 1).initialization):
            self.method.build((None, *self.dataset.observation_shape))
            self.stages = self.method.stages() or [Stage("train", self.method)]
        self.seeds = run_seeds.run_seeds(seed, len(self.stages))
        for stage, (_, noise) in zip(self.stages, self.seeds.stages):
            stage.model.seed = noise
        self.optimizers, self.data, self.parts = [], [], []
        for stage in self.stages:
            stage.model.check_iterations(self._iterations(stage))
            data = stage.data_of(self.dataset)
            if stage.model.dataset_size is None:
                stage.model.dataset_size = data.num_observations
            self.settings.check_data(data, self._batch_size(stage))
            self.data.append(data)
            self.parts.append(batches.parts_of(stage.model, data))
            stage.model.check_data(data)
            self.optimizers.append(self._optimizer_of(stage))

    def _optimizer_of(self, stage):
        """The optimizer of a stage's first player: that of the stage before, its own, the run's, or gin's."""
        if stage.keep_optimizer:
            before = self.stages[len(self.optimizers) - 1] if self.optimizers else None
            if before is None or before.model is not stage.model:
                raise configuration.ConfigurationError(f"The stage {stage.name!r} keeps the optimizer of the stage "
                                                       "before, which must train the same model.")
            return self.optimizers[-1]
        make = stage.optimizer or self.make_optimizer
        return make() if make else player_optimizers.make(stage.model.player_names[0])

    def _batch_size(self, stage):
        return self.settings.batch_size if stage.batch_size is None else stage.batch_size

    def check_longer(self):
        """Raises ValueError unless a larger `model.training_steps` means more steps of the last stage and no other."""
        others = [stage.name for stage in self.stages[:-1] if stage.training_steps is None]
        if others:
            raise ValueError(f"--extend: the stage {others[0]!r} too would have more steps, and what was trained on it "
                             "would be wrong; train anew, with --overwrite or in another model_dir.")
        if self.stages[-1].training_steps is not None:
            raise ValueError(f"--extend: the last stage, {self.stages[-1].name!r}, has a number of steps of its own, "
                             "which model.training_steps does not change.")

    # What the run uses

    def rehearse(self):
        """Traces the loss of every model: gin sees what it uses, and what does not fit is found before a file is made.

        Raises:
          ConfigurationError: the loss cannot be computed.
        """
        try:
            with distribution.scope(self.strategy):
                self._trace()
        except configuration.ConfigurationError:
            raise
        except (TypeError, ValueError, tf.errors.InvalidArgumentError) as error:
            raise configuration.ConfigurationError(
                f"{type(self.method).__name__} cannot be trained with these settings: {error}") from error

    def _trace(self):
        for index, stage in enumerate(self.stages):
            rows = self._batch_size(stage) // distribution.replicas(self.strategy)
            batch = batches.spec(self.data[index], self.parts[index], rows)
            self._compile(index)
            for optimizer in stage.model.optimizers():
                tf.convert_to_tensor(optimizer.learning_rate)  # calls a function of the user's
            step = functools.partial(self.strategy.run, stage.model.test_step) if self.strategy else (
                lambda args, model=stage.model: model.test_step(*args))
            tf.function(lambda batch, step=step: step(args=(batch,))).get_concrete_function(batch)

    # Training

    def train(self):
        """Trains all stages, from the newest checkpoint on if there is one."""
        state = self.checkpoints.newest([self._iterations(stage) for stage in self.stages])
        self.earlier_seconds = state.elapsed_time if state else 0.0
        with distribution.scope(self.strategy):
            if state:
                log.info("resuming stage %r after step %d", self.stages[state.stage].name, state.step)
                state.restore(self.method.variables)
            for index in range(state.stage if state else 0, len(self.stages)):
                self._train_stage(index, state if state and state.stage == index else None)

    def _train_stage(self, index, state):
        stage = self.stages[index]
        dataset, batch_size = self.data[index], self._batch_size(stage)
        self._compile(index)
        first, restore_means = 0, None
        if state:
            first = state.step
            others = _optimizer_variables(stage.model)
            state.restore(others, len(self.method.variables))
            restore_means = functools.partial(state.restore, stage.model.metrics_variables,
                                              len(self.method.variables) + len(others))
        last = self._iterations(stage)
        if state is None and stage.begin is not None:
            stage.begin(dataset)
            self._save(index, 0)
        if first >= last:
            return
        seed = self.seeds.stages[index][0]
        data = distribution.training_batches(self.strategy, dataset, self.parts[index], batch_size, seed, first, last)
        explain = functools.partial(_explain_batches, dataset, seed, batch_size)
        with signals.kept_back() as request:
            watchers, bar = self._callbacks(index, first, last, explain, restore_means, request)
            try:
                stage.model.fit(data, epochs=1, steps_per_epoch=last - first, verbose=0, shuffle=False,
                                callbacks=watchers)
            except NonFiniteWeights as error:
                raise callbacks.TrainingDiverged(f"Training stopped: {error}; lower the learning rate or the weights "
                                                 "of the loss. The last checkpoint is kept.") from error
            finally:
                bar.close()

    def _iterations(self, stage):
        """Iterations of a stage; a model may count each as several training steps (dlib's FactorVAE: two)."""
        steps = self.settings.training_steps if stage.training_steps is None else stage.training_steps
        return math.ceil(steps / stage.model.counted_updates)

    def _compile(self, index):
        stage = self.stages[index]
        model = stage.model
        if stage.keep_optimizer and model.compiled:
            return
        distribution.shape_logs(self.strategy, model)
        model.compile(optimizer=self.optimizers[index], jit_compile=self.settings.jit_compile,
                      steps_per_execution=self.settings.steps_per_execution)

    def _callbacks(self, index, first, last, explain, restore_means, request):
        stage = self.stages[index]
        bar = callbacks.Progress(first, last, stage.name)
        watchers = [callbacks.StopAtNonFinite(first, last, explain)]
        if distribution.is_chief():
            name = files.file_name(stage.name)
            folder = self.directory.events / name
            for settings in self.further_watchers:
                watchers += settings.watchers(first, last, stage.model, self.data[index],
                                              self.directory.analyses / name, folder / "analyses")
            watchers += [bar] if self.progress else []
            watchers.append(callbacks.Events(first, last, folder, self.settings.log_steps))
        watchers.append(callbacks.RestartMeans(first, last, self.settings.log_steps, restore_means))
        # Last: what a step has logged is in the files before a checkpoint says that the step is done.
        watchers.append(callbacks.SaveState(first, last, self.settings.checkpoint_steps,
                                            functools.partial(self._save, index), request, stage.name))
        return watchers, bar

    def _save(self, index, step):
        if not distribution.is_chief():
            return
        model = self.stages[index].model
        variables = [*self.method.variables, *_optimizer_variables(model), *model.metrics_variables]
        self.checkpoints.save(index, step, variables, self.elapsed())

    def elapsed(self):
        """Seconds of work up to now, those of interrupted processes up to their last checkpoint included."""
        return self.earlier_seconds + time.monotonic() - self.begun

    # The end

    def finish(self, gin_text):
        """Scores the trained method, writes model.keras and then the results; returns the results.

        Args:
          gin_text: the configuration to record, the same in a resumed run whatever is left to be done in it.
        """
        scores = self._scores()
        last = self.stages[-1]
        scores.update(global_step=self._iterations(last) * last.model.counted_updates,
                      elapsed_time=self.elapsed(), precision=self.settings.precision,
                      **{f"environment.{key}": value for key, value in provenance.environment().items()})
        if distribution.is_chief():
            for stage in self.stages:
                if stage.model is not self.method:
                    stage.model.forget_optimizers()  # A process that resumes a later stage does not have them.
            save_model(self.method, self.directory.model)
            results.update_result_directory(self.directory.results, "train", scores, gin_text=gin_text)
        return scores

    def _scores(self):
        """Those of the last stage, and, by the stage's name, those of stages that trained another model."""
        with distribution.scope(self.strategy):
            last = self.stages[-1].model
            scores = final_scores.named_as_dlib(self._score(-1), last.players()[0].weights)
            for index, stage in enumerate(self.stages[:-1]):
                if stage.model is not last:
                    scores.update({f"{stage.name}.{name}": value for name, value in self._score(index).items()})
        return scores

    def _score(self, index):
        return final_scores.evaluate(self.stages[index].model, self.strategy, self.data[index],
                                     self.settings.batch_size, self.seeds.evaluation, self.settings.eval_steps)


def save_model(method, path):
    """Writes the method as a .keras file under a temporary name first.

    An optimizer whose learning rate is a user's own function cannot be rebuilt
    from a file, so the model is then saved without it.
    """
    try:
        keras.saving.serialize_keras_object(method.optimizer)
    except NotImplementedError as error:
        log.info("%s The model file has no optimizer.", error)
        method.compiled = False
    with files.atomic_path(path, suffix=".keras") as temporary:
        method.save(temporary)


def _optimizer_variables(model):
    variables = [variable for optimizer in model.optimizers() for variable in optimizer.variables]
    return list({id(variable): variable for variable in variables}.values())


def _explain_batches(dataset, seed, batch_size, first, last):
    """Names the observations with NaN or infinite values in the batches of steps first .. last - 1, or ""."""
    for step in range(first, last):
        x = batches.batch(dataset, ("x",), seed, step, batch_size)["x"]
        bad = tf.where(tf.reduce_any(~tf.math.is_finite(x), axis=list(range(1, len(x.shape)))))[:, 0]
        if len(bad):
            indices = batches.training_indices(dataset, seed, step, batch_size)
            named = ", ".join(str(int(i)) for i in sorted(set(tf.gather(indices, bad).numpy()))[:5])
            what = "pixels in image" if len(x.shape) == 4 else "values in observation"
            return f"the data set {dataset.name!r} has NaN or infinite {what} {named}"
    return ""


@contextlib.contextmanager
def _policy(precision):
    """Keras's dtype policy for the layers made in the block."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
