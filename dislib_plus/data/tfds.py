"""`tfds:NAME`: image sets prepared by TensorFlow Datasets, with their factors where they have any."""

import warnings

import gin
import numpy as np
import tensorflow as tf

from dislib_plus import checks
from dislib_plus.configuration import ConfigurationError, Notice
from dislib_plus.data import memory_mapped, tfds_examples
from dislib_plus.data.base import Images
from dislib_plus.data.cache import cache_key, cached_array
from dislib_plus.data.factor_table import FactorTable
from dislib_plus.data.fingerprints import contents, of_arrays
from dislib_plus.data.image_files import check_side
from dislib_plus.data.registry import register
from dislib_plus.data.sources import Source
from dislib_plus.data.table_files import named_columns
from dislib_plus.sentences import brief, quoted

# Factors in the order of disentanglement_lib; sets that are not named here have theirs in alphabetical order.
FACTORS = {
    "dsprites": ("label_shape", "label_scale", "label_orientation", "label_x_position", "label_y_position"),
    "shapes3d": ("label_floor_hue", "label_wall_hue", "label_object_hue", "label_scale", "label_shape",
                 "label_orientation"),
    # The instance is hidden: one of the images that differ by it only is drawn at random.
    "smallnorb": ("label_category", "label_elevation", "label_azimuth", "label_lighting"),
}


def _label_keys(library, features):
    """Names of the factors, and of the class labels, among a set's features."""
    known = {key for key, feature in features.items() if isinstance(feature, library.features.ClassLabel)}
    factors = sorted(key for key in known if key.startswith("label_"))
    attributes = dict(features).get("attributes")
    nested = isinstance(attributes, library.features.FeaturesDict)
    names = sorted(f"attributes/{key}" for key in attributes) if nested else []
    return factors, sorted(known - set(factors)) or names


class _Rows(Images):
    """The images of some rows of a set."""

    def __init__(self, images, rows):
        self.name, self.observation_shape, self.splits = images.name, images.observation_shape, images.splits
        self.num_observations, self._images = len(rows), images
        with tf.device("CPU"):
            self._rows = tf.constant(rows)

    def images(self, indices, seed=None):
        return self._images.images(tf.gather(self._rows, indices), seed)


@contents.register(_Rows)
def _of_rows(dataset):
    return contents(dataset._images) + of_arrays(dataset._rows)


def _labelled(name, numbers, left_out):
    """Which rows have all their labels (-1 is an unknown one); says how many have not, and what follows."""
    known = (numbers >= 0).all(axis=1)
    if not known.all():
        warnings.warn(f"{(~known).sum()} of the {len(known)} images of {name!r} have no label (-1 in TensorFlow "
                      f"Datasets); {left_out} left out.", Notice, stacklevel=3)
    return known


def _with_factors(images, numbers, keys):
    known = _labelled(images.name, numbers, "these images are")
    if not known.any():
        raise ValueError(f"{images.name!r} has no image with all of the factors {', '.join(keys)}; set tfds.factors or "
                         "tfds.split.")
    images = images if known.all() else _Rows(images, np.flatnonzero(known))
    return FactorTable(images, named_columns(numbers[known], [key.removeprefix("label_") for key in keys]))


def _with_labels(images, numbers, keys):
    images.label_names = [key.rpartition("/")[2] for key in keys]
    if _labelled(images.name, numbers, "the labels of all are").all():
        images.labels = numbers[:, 0] if len(keys) == 1 else numbers
    return images


def _check_arguments(split, size, crop, image_key, factors, download):
    checks.text("tfds.split", split)
    for name, pixels in (("tfds.size", size), ("tfds.crop", crop)):
        if pixels is not None:
            check_side(name, pixels)
    checks.text("tfds.image_key", image_key)
    if factors is not None:
        checks.different_texts("tfds.factors", factors)
    checks.boolean("tfds.download", download)


@register("tfds", rest="name", source=Source(note="prepared by TensorFlow Datasets"))
@gin.configurable("tfds", denylist=["data_dir", "name"])
def tfds(data_dir=".", name="", split="train", size=None, crop=None, image_key="image", factors=None, download=False):
    """An image set of TensorFlow Datasets, kept as one mapped file.

    Args:
      data_dir: prepared sets are looked for in its folder `tensorflow_datasets`; without that folder, in the place that
        TFDS uses itself.
      name: TFDS name, from `dataset.name = "tfds:NAME"`; may hold a configuration and version, as in TFDS.
      split: TFDS split, such as "train" or "train[:1000]".
      size: None, or pixels of each side (Pillow, bilinear).
      crop: None, or pixels of the middle square, cut out first.
      image_key: which feature is the image.
      factors: None (the set's class labels called `label_...`), or names of whole-number features; () for none.
      download: whether TFDS may download and prepare the set.

    Returns:
      FactorTable, or MappedImages with `labels` where the set has no factors. Pixels become bytes by the range that
      the set declares, else that of their type. Images without all of the factors (-1 in TFDS) are left out; where some
      lack a class label, `labels` is None; how many is said.

    Raises:
      ConfigurationError: an argument of a wrong type.
      ValueError: tensorflow-datasets is missing, unknown name, split or feature, damaged files.
      FileNotFoundError: the set is not prepared.
    """
    if not name:
        raise ConfigurationError("dataset.name 'tfds' needs a name of TensorFlow Datasets: 'tfds:NAME'.")
    _check_arguments(split, size, crop, image_key, factors, download)
    library = tfds_examples.import_library()
    builder = tfds_examples.open_builder(library, name, data_dir, download)
    examples = tfds_examples.Examples(library, builder, split, image_key)
    features = builder.info.features
    found, label_keys = _label_keys(library, features)
    keys = list(FACTORS.get(builder.info.name, found) if factors is None else factors)
    unknown = [key for key in keys if key not in features]
    if unknown:
        raise ValueError(f"tfds.factors must be features of {name!r} ({brief(', '.join(features))}); received "
                         f"{quoted(unknown[0])}.")
    shape = examples.picture_shape(size, crop)
    key = cache_key(builder.info.full_name, split, size, crop, image_key, examples.value_range(), *examples.files())
    file = memory_mapped.build("tfds", key, shape, lambda: examples.pictures(size, crop))
    images = memory_mapped.MappedImages(f"tfds:{name}", file, shape)
    images.splits = tuple(builder.info.splits)
    wanted = keys or label_keys
    if not wanted:
        return images
    numbers = np.asarray(cached_array("tfds-labels", cache_key(key, wanted), lambda: examples.numbers(wanted)))
    return (_with_factors if keys else _with_labels)(images, numbers, wanted)
