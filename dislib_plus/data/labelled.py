"""`labelled:NAME`: a data set whose chosen factors are the classes that methods with labels see."""

import gin
import numpy as np
import tensorflow as tf

from dislib_plus.configuration import ConfigurationError
from dislib_plus.data.base import gathered_labels
from dislib_plus.data.registry import get_named_ground_truth_data, register
from dislib_plus.data.sources import Source
from dislib_plus.data.views import OnePartMore
from dislib_plus.sentences import quoted


class Labelled(OnePartMore):
    """A data set with factors whose `labels` are those of some of them; all else is the set's own.

    The label of factor values v_1 .. v_k of sizes n_1 .. n_k is their mixed-radix number, the last one varying fastest.
    """

    added_part = "labels"

    def __init__(self, name, dataset, positions):
        """Args: name; dataset: a GroundTruthData; positions: of the factors, in their order."""
        grid = dataset.index_to_factors(np.arange(dataset.num_observations))[:, np.asarray(dataset.visible)[positions]]
        sizes = [int(dataset.factors_num_values[position]) for position in positions]
        super().__init__(dataset)
        self.added_spec = tf.TensorSpec([], tf.int64)
        self.name = name
        self.labels = np.ravel_multi_index(grid.T, sizes)
        self.num_labels = int(np.prod(sizes))

    def added(self, indices, seed):
        return gathered_labels(self.labels, indices)


@register("labelled", rest="name", source=Source(note="those of the set it shows"))
@gin.configurable("labelled", denylist=["data_dir", "name"])
def labelled(data_dir, name="", factors=gin.REQUIRED):
    """A data set whose labels are factors.

    Args:
      data_dir: data folder.
      name: data set with factors, from `dataset.name = "labelled:NAME"`.
      factors: list of names of factors.

    Returns:
      Labelled.

    Raises:
      ConfigurationError: no name, no factors, or no such factor.
    """
    dataset = get_named_ground_truth_data(name, data_dir) if name else None
    if dataset is None or not dataset.num_factors:
        raise ConfigurationError("dataset.name 'labelled' needs the name of a data set with factors: 'labelled:NAME'.")
    names = list(dataset.factor_names)
    if not isinstance(factors, (list, tuple)) or not factors or not set(factors) <= set(names):
        raise ConfigurationError(f"labelled.factors must list some of {', '.join(names)}; received {quoted(factors)}.")
    return Labelled(f"labelled:{name}", dataset, [names.index(factor) for factor in factors])
