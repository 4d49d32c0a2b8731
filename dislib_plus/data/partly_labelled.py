"""`partly_labelled:NAME`: a data set whose training sees only some of the labels."""

import gin
import numpy as np
import tensorflow as tf

from dislib_plus import checks
from dislib_plus.configuration import ConfigurationError
from dislib_plus.data.base import gathered_labels
from dislib_plus.data.registry import get_named_ground_truth_data, register
from dislib_plus.data.sources import Source
from dislib_plus.data.views import OnePartMore

UNKNOWN = -1


class PartlyLabelled(OnePartMore):
    """A data set with labels whose batches have them for some observations only, always the same ones; else -1.

    Its `labels`, which metrics and pictures read, are all there. The known ones are those of the first places of a
    permutation, so that a larger share adds to them.
    """

    added_part = "labels"

    def __init__(self, name, dataset, share, seed):
        """Args: name; dataset with labels; share of the labels that are known, in (0, 1]; seed of the permutation."""
        super().__init__(dataset)
        self.name, self.added_spec = name, tf.TensorSpec(np.shape(dataset.labels)[1:], tf.int64)
        order = np.random.RandomState(seed).permutation(dataset.num_observations)
        known = order[:max(1, round(share * dataset.num_observations))]
        self.known_labels = np.full(np.shape(dataset.labels), UNKNOWN, np.int64)
        self.known_labels[known] = np.asarray(dataset.labels)[known]

    def added(self, indices, seed):
        return gathered_labels(self.known_labels, indices)


@register("partly_labelled", rest="name", source=Source(note="those of the set it shows"))
@gin.configurable("partly_labelled", denylist=["data_dir", "name"])
def partly_labelled(data_dir, name="", share=0.1, seed=0):
    """A data set some of whose labels are known.

    Args:
      data_dir: data folder.
      name: data set with labels, from `dataset.name = "partly_labelled:NAME"`.
      share: of the observations whose label training knows, in (0, 1].
      seed: integer in 0..2^32-1, says which ones.

    Returns:
      PartlyLabelled.

    Raises:
      ConfigurationError: a wrong argument, or a data set without labels.
    """
    checks.between("partly_labelled.share", share, 0, 1)
    checks.positive("partly_labelled.share", share)
    checks.whole("partly_labelled.seed", seed, 0, 2 ** 32 - 1)
    dataset = get_named_ground_truth_data(name, data_dir) if name else None
    if dataset is None or dataset.labels is None:
        raise ConfigurationError("dataset.name 'partly_labelled' needs the name of a data set with labels, as in "
                                 "'partly_labelled:mnist'; 'labelled:NAME' has factors as labels.")
    return PartlyLabelled(f"partly_labelled:{name}", dataset, share, seed)
