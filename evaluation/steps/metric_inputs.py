"""What metrics are given: a source, its data, and the table of codes that all metrics of a call share."""

import functools
import inspect
import os
import pathlib
import sys
import warnings

import gin
import numpy as np

from dislib_plus import configuration, data, files, gin_internals, results, written_files
from dislib_plus.configuration import ConfigurationError
from dislib_plus.data import fingerprints

from ..encoding import image_batches
from ..encoding.code_table import CodeTable, IndexedData, is_indexable
from ..encoding.sampling import checked_codes
from ..metrics import requirements
from ..sources.source import is_repeatable
from . import result_folder


class MetricInputs:
    """A source with its data set, and codes that are made once.

    Attributes:
      source: see `source.Source`.
      dataset: the data set, or the arrays of the source itself.
      dataset_gin: operative gin text of the data set.
    """

    def __init__(self, source, dataset, dataset_gin="", cache_dir=None):
        """Args: source, dataset; dataset_gin: see `load_dataset`; cache_dir: where codes are kept, None: nowhere."""
        self.source, self.dataset, self.dataset_gin = source, dataset, dataset_gin
        keeps = cache_dir is not None and source.key is not None
        self._cache = pathlib.Path(cache_dir) / written_files.KEPT_CODES if keeps else None
        self._table, self._direct, self._from_cache = None, None, 0
        self._counted = image_batches.CountedImages(dataset)

    @property
    def num_encoded(self):
        """Observations that went through a network so far."""
        encoded = 0 if self._table is None else self._table.num_encoded - self._from_cache
        return encoded + self._counted.num_handed_out + (0 if self._direct is None else self._direct.count)

    def arguments(self, function, random_state, artifact_dir):
        """What a metric function is called with: whichever it declares of the six arguments.

        A metric that declares `representation_function` gets the table of codes where there can be one:
        `ground_truth_data` then draws indices, which the function looks up. `dataset` always is the data set
        itself, and so is the `ground_truth_data` of a metric without `representation_function`.
        """
        names = requirements.declared(function)
        given = {"random_state": random_state, "artifact_dir": artifact_dir, "dataset": self._counted,
                 "ground_truth_data": self._counted, "model": self.source.model}
        if "representation_function" in names:
            given["ground_truth_data"], given["representation_function"] = self.data_and_representation()
        return {name: value for name, value in given.items() if name in names}

    def check(self, function, name):
        """Raises ConfigurationError where the source cannot be scored by the metric `function`; computes nothing."""
        names = requirements.declared(function)
        check_parameters(function, name)
        self.check_source(function, name, names)

    def check_source(self, function, name, names):
        """As `check`, for a function that is given what `names` lists."""
        source = self.source
        if "model" in names and source.model is None:
            raise ConfigurationError(f"{name} needs a trained model, and {source.name} gives codes only; give a "
                                     "run directory or a .keras file, or choose other metrics.")
        if "representation_function" in names:
            requirements.check_codes(name, source.name, source.function, source.model)
        source.check_takes(self.dataset)
        if "ground_truth_data" in names:
            requirements.check_data(name, requirements.has_factors, self.dataset)
        requirements.check(function, name, source.model, self.dataset)
        requirements.check_latents(function, name, self.num_latents)

    def num_latents(self):
        """Columns of the codes; one observation is encoded where nothing else says how many."""
        if self.source.data is not None:
            return self.source.data.codes.shape[1]
        observation = self.dataset.sample_observations(1, np.random.RandomState(0))
        return checked_codes(np.asarray(observation, np.float32), self.source.function).shape[1]

    def score_to(self, folder, score, step):
        """Scores the configured metric and writes `folder/results`, complete or not at all.

        Args:
          folder: what it holds already is replaced.
          score: function (MetricInputs, artifact folder) -> scores.
          step: "evaluation" or "validation", what the files are called.

        Returns:
          dict: the scores, with `elapsed_time` in seconds.
        """
        before = self.num_encoded

        def describe():
            layer = {} if self.source.layer is None else {"layer": self.source.layer}
            return {"source": self.source.name, **layer, "data_set": self.dataset.name,
                    "observations_encoded": self.num_encoded - before, **getattr(self.dataset, "description", {})}
        return result_folder.compute_to(folder, step, lambda artifact_dir: score(self, artifact_dir), describe,
                                        self.source.results, self.dataset_gin)

    def data_and_representation(self):
        """(ground_truth_data, representation_function) for one metric."""
        pair = self._codes()
        self._restart()
        return pair

    def _codes(self):
        if self.source.data is not None:
            return self.source.data, self.source.function
        if self._table is None and self._direct is None:
            probe = self.dataset.observations(np.arange(min(8, self.dataset.num_observations))) if is_indexable(
                self.dataset) else None
            if probe is not None and is_repeatable(self.source.function, probe):
                self._table = CodeTable(self.dataset, self.source.function, progress=sys.stderr.isatty())
                self._from_cache = self._load()
            else:
                self._direct = _Counter(self.source.function)
        if self._table is not None:
            return IndexedData(self.dataset), self._table.lookup
        return self.dataset, self._direct

    def _restart(self):
        """Has a sampled representation draw for every metric what it would draw for this metric alone."""
        if self._direct is not None and hasattr(self.source.function, "restarted"):
            self._direct.function = self.source.function.restarted()

    @functools.cached_property
    def _cache_key(self):
        return f"{self.source.key} {fingerprints.fingerprint(self.dataset)}"

    def _load(self):
        """Takes over codes kept by an earlier call; returns how many."""
        if self._cache is None or not self._cache.is_file():
            return 0
        try:
            with files.reading(self._cache):
                return self._table.num_encoded if self._table.load(self._cache, self._cache_key) else 0
        except files.DamagedFile as error:
            warnings.warn(f"The kept codes {self._cache} are damaged ({error.reason}); they are made again.",
                          stacklevel=2)
            self._table.known[:] = False
            return 0

    def save_codes(self):
        """Keeps new codes for the next call."""
        if self._table is not None and self._cache is not None and self._table.num_encoded > self._from_cache:
            self._table.save(self._cache, self._cache_key)


class _Counter:
    """A representation function that counts what it encodes."""

    def __init__(self, function):
        self.function, self.count = function, 0

    def __call__(self, observations):
        self.count += len(observations)
        if getattr(self.function, "takes_tensors", False):
            return self.function(observations).numpy()
        return self.function(np.asarray(observations, np.float32))


def check_parameters(function, name):
    """Raises ConfigurationError where a metric function needs a parameter that neither a session nor gin supplies."""
    parameters = inspect.signature(function).parameters.values()
    bound = {key.rpartition(".")[2] for key in configuration.bindings()}
    missing = [parameter.name for parameter in parameters if parameter.default is parameter.empty
               and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
               and parameter.name not in (*requirements.SUPPLIED, *bound)]
    if missing:
        raise ConfigurationError(f"{name} cannot be evaluated: {function.__name__} needs {', '.join(missing)}, and a "
                                 f"metric is given {', '.join(requirements.SUPPLIED)}. A metric of a fixed labelled "
                                 "sample is bound to validation.validation_fn."
                                 )


def cache_directory(source, output_dir):
    """Where codes are kept: `evaluation/` beside the run; where that cannot be written, the output directory."""
    if source.folder is None or not os.access(source.folder, os.W_OK):
        return pathlib.Path(output_dir)
    return source.folder / "evaluation"


def load_dataset(source):
    """The data set of the source under the present gin configuration.

    `dataset.name` that is not bound, or is "auto", means the one that the run recorded, with
    the settings of its own that the run recorded; bindings made by the user win.

    Returns:
      (data set, its operative gin text).

    Raises:
      ConfigurationError: no data set is named.
    """
    if source.data is not None:
        return source.data, ""
    _bind_recorded(source)
    try:
        gin.query_parameter("dataset.name")
    except ValueError as error:
        raise ConfigurationError(f"{source.name} does not record its data set; name it, as in "
                                 "--gin_bindings=\"dataset.name = 'cars3d'\".") from error
    dataset = data.get_named_ground_truth_data()
    return dataset, gin.operative_config_str()


def _bind_recorded(source):
    recorded = {} if source.recorded_gin is None else results.gin_dict(source.recorded_gin)
    bound = configuration.bindings()
    name = bound.get("dataset.name", "'auto'")
    if name.strip("'\"") != "auto" and name != recorded.get("dataset.name"):
        return
    if "dataset.name" not in recorded:
        if name.strip("'\"") == "auto" and "dataset.name" in bound:
            raise ConfigurationError(f"dataset.name is 'auto', but {source.name} does not record its data set; "
                                     "name it.")
        return
    own = [f"{key} = {value}" for key, value in recorded.items()
           if key == "dataset.name" or (key not in bound and _is_of_data(key))]
    configuration.bind(own, source.recorded_gin)


def _is_of_data(key):
    """Whether a recorded binding belongs to a data set of the library."""
    name = key.rpartition(".")[0].rpartition("/")[2]
    return any(entry.wrapped.__module__.startswith("dislib_plus.data") for entry in gin_internals.entries(name))
