"""`single_factor:NAME`: images of a data set among which one factor varies and all others stay."""

import gin
import numpy as np
import tensorflow as tf

from dislib_plus import checks
from dislib_plus.configuration import ConfigurationError
from dislib_plus.data.base import GroundTruthData
from dislib_plus.data.fingerprints import contents, of_arrays
from dislib_plus.data.registry import get_named_ground_truth_data, register
from dislib_plus.data.sources import Source
from dislib_plus.data.training_views import TrainingView, factor_position

# A set is at least as large as a batch.
_LEAST_IMAGES = 256


class SingleFactor(GroundTruthData):
    """The observations of a data set with all values of one factor and one value of each other one.

    The set has every observation several times, as the hidden factor "copy".
    """

    def __init__(self, name, dataset, factor, random_state):
        """Args: name; dataset with factors; factor: position; random_state: draws the values of the others."""
        size = int(dataset.factors_num_values[factor])
        super().__init__(name, [dataset.factor_names[factor], "copy"], [size, -(-_LEAST_IMAGES // size)], visible=[0])
        self.observation_shape, self.deterministic = list(dataset.observation_shape), dataset.deterministic
        grid = np.repeat(dataset.index_to_factors([random_state.randint(dataset.num_observations)]), size, axis=0)
        grid[:, dataset.visible[factor]] = np.arange(size)
        self.fixed = dict(zip(dataset.grid_names, grid[0].tolist()))
        del self.fixed[dataset.factor_names[factor]]
        self._dataset = dataset
        with tf.device("CPU"):
            self._indices = tf.constant(dataset.factors_to_index(grid))

    def observations(self, indices, seed=None):
        return self._dataset.observations(tf.gather(self._indices, indices // self.grid_sizes[1]), seed)


@contents.register(SingleFactor)
def _of_chosen(dataset):
    return contents(dataset._dataset) + of_arrays(dataset._indices)


@register("single_factor", rest="name", source=Source(note="those of the set it shows"))
@gin.configurable("single_factor", denylist=["data_dir", "name"])
def single_factor(data_dir, name="", factor=gin.REQUIRED, random_seed=0):
    """A data set in which one factor varies.

    Args:
      data_dir: data folder.
      name: data set with factors, from `dataset.name = "single_factor:NAME"`.
      factor: name or position of the factor that varies.
      random_seed: of the values that all others, hidden ones included, keep.

    Returns:
      SingleFactor.

    Raises:
      ConfigurationError: no such factor, no factors, or a view, whose weights would be lost.
    """
    if not name:
        raise ConfigurationError("dataset.name 'single_factor' needs the name of a data set with factors: "
                                 "'single_factor:NAME'.")
    checks.whole("single_factor.random_seed", random_seed, 0)
    checks.at_most("single_factor.random_seed", random_seed, 2 ** 32 - 1)
    dataset = get_named_ground_truth_data(name, data_dir)
    if isinstance(dataset, TrainingView):
        view, _, shown = name.partition(":")
        raise ConfigurationError(f"dataset.name 'single_factor:{name}' would show what {view!r} keeps out of training; "
                                 f"say 'single_factor:{shown}'.")
    position = factor_position("single_factor.factor", dataset, factor)
    return SingleFactor(f"single_factor:{name}", dataset, position, np.random.RandomState(random_seed))
