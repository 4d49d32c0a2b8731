"""`tfds:NAME`: image sets prepared by TensorFlow Datasets, with their factors where they have any."""

import contextlib
import pathlib

import gin
import numpy as np
import tensorflow as tf

from dislib_plus import checks
from dislib_plus.configuration import ConfigurationError
from dislib_plus.data import memory_mapped
from dislib_plus.data.cache import cache_key, cached_array
from dislib_plus.data.factor_table import FactorTable
from dislib_plus.data.image_files import centre_box
from dislib_plus.data.registry import register
from dislib_plus.data.resizing import resize
from dislib_plus.data.sources import Source
from dislib_plus.data.table_files import named_columns

# Factors in the order of disentanglement_lib; sets that are not named here have theirs in alphabetical order.
FACTORS = {
    "dsprites": ("label_shape", "label_scale", "label_orientation", "label_x_position", "label_y_position"),
    "shapes3d": ("label_floor_hue", "label_wall_hue", "label_object_hue", "label_scale", "label_shape",
                 "label_orientation"),
    # The instance is hidden: one of the images that differ by it only is drawn at random.
    "smallnorb": ("label_category", "label_elevation", "label_azimuth", "label_lighting"),
}
# Sets whose pixels are 0 and 1.
BINARY = ("dsprites",)
_BLOCK = 256


@contextlib.contextmanager
def _whole_files(name, place):
    """Turns what is raised on missing or damaged files of a prepared set into one sentence."""
    from google.protobuf import json_format  # here, because it comes with tensorflow-datasets
    try:
        yield
    except (tf.errors.OpError, json_format.ParseError) as error:
        raise ValueError(f"The files of the TFDS set {name!r} in {place} are missing in part or damaged "
                         f"({str(error).splitlines()[0]}); delete that folder and run `tfds build {name}`.") from error


def _library():
    try:
        import tensorflow_datasets
    except ImportError as error:
        raise ValueError("dataset.name 'tfds:...' needs the package tensorflow-datasets: "
                         f"pip install dislib-plus[tfds] ({error}).") from error
    return tensorflow_datasets


def _builder(library, name, data_dir, download):
    folder = pathlib.Path(data_dir) / "tensorflow_datasets"
    try:
        with _whole_files(name, folder):
            builder = library.builder(name, data_dir=folder if folder.is_dir() else None)
    except (library.core.DatasetNotFoundError, ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"TensorFlow Datasets cannot open {name!r} ({str(error).splitlines()[0]}); see its list of "
                         "names, and prepare sets of your own there first.") from error
    if not builder.info.splits and download:
        builder.download_and_prepare()
    if not builder.info.splits:
        raise FileNotFoundError(f"The TFDS set {name!r} is not prepared in {builder.data_dir}; run `tfds build "
                                f"{name}`, or set tfds.download = True.")
    return builder


class _Examples:
    """The examples of one split in a fixed order, and what is known of them."""

    def __init__(self, library, builder, split, image_key):
        self.library, self.builder, self.split = library, builder, split
        self.image_key = image_key
        features = builder.info.features
        if not isinstance(dict(features).get(image_key), library.features.Image):
            images = [key for key, feature in features.items() if isinstance(feature, library.features.Image)]
            raise ValueError(f"tfds.image_key must be an image of {builder.info.name!r}, one of {images}; received "
                             f"{image_key!r}.")
        try:
            self.count = builder.info.splits[split].num_examples
        except (KeyError, ValueError) as error:
            raise ValueError(f"tfds.split must be a split of {builder.info.name!r} ({', '.join(builder.info.splits)}); "
                             f"received {split!r}.") from error
        if not self.count:
            raise ValueError(f"tfds.split {split!r} of {builder.info.name!r} has no examples; choose another split.")

    def read(self, decoders=None):
        """The examples as nested dicts of arrays."""
        settings = self.library.ReadConfig(interleave_cycle_length=1)
        with _whole_files(self.builder.info.name, self.builder.data_dir):
            yield from self.library.as_numpy(self.builder.as_dataset(
                split=self.split, shuffle_files=False, decoders=decoders, read_config=settings))

    def numbers(self, keys):
        """The named whole-number features, int64 [count, len(keys)], read without decoding images."""
        skipped = {key: self.library.decode.SkipDecoding() for key, feature in self.builder.info.features.items()
                   if isinstance(feature, self.library.features.Image)}

        def pick(example, key):
            for part in key.split("/"):
                example = example[part]
            if np.ndim(example) or np.asarray(example).dtype.kind not in "biu":
                raise ValueError(f"tfds.factors must be features of {self.builder.info.name!r} that are one whole "
                                 f"number; {key!r} is not.")
            return example

        return np.array([[pick(example, key) for key in keys] for example in self.read(skipped)], np.int64)


def _label_keys(library, features):
    """Names of the factors, and of the class labels, among a set's features."""
    known = {key for key, feature in features.items() if isinstance(feature, library.features.ClassLabel)}
    factors = sorted(key for key in known if key.startswith("label_"))
    attributes = dict(features).get("attributes")
    nested = isinstance(attributes, library.features.FeaturesDict)
    names = sorted(f"attributes/{key}" for key in attributes) if nested else []
    return factors, sorted(known - set(factors)) or names


def _pictures(examples, size, crop, scale):
    """Blocks of uint8 images, cropped and resized."""
    block = []
    for example in examples.read():
        image = example[examples.image_key]
        if crop is not None:
            left, upper, right, lower = centre_box(image.shape[1], image.shape[0], crop)
            if min(left, upper) < 0:
                raise ValueError(f"tfds.crop must fit into the pictures; received {crop} for one of {image.shape}.")
            image = image[upper:lower, left:right]
        if size is not None and image.shape[:2] != (size, size):
            image = resize(image[None], size)[0]
        block.append(image * np.uint8(scale))
        if len(block) == _BLOCK:
            yield np.stack(block)
            block = []
    if block:
        yield np.stack(block)


def _shape(examples, size, crop):
    height, width, channels = examples.builder.info.features[examples.image_key].shape
    side = size or crop
    if (height is None or width is None) and side is None:
        raise ValueError(f"The pictures of {examples.builder.info.name!r} differ in size; set tfds.size.")
    return examples.count, side or height, side or width, channels


def _check_arguments(split, size, crop, image_key, factors, download):
    checks.text("tfds.split", split)
    checks.optional_whole("tfds.size", size, 1)
    checks.optional_whole("tfds.crop", crop, 1)
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
      FactorTable, or MappedImages with `labels` where the set has no factors.

    Raises:
      ConfigurationError: an argument of a wrong type.
      ValueError: tensorflow-datasets is missing, unknown name, split or feature, damaged files.
      FileNotFoundError: the set is not prepared.
    """
    if not name:
        raise ConfigurationError("dataset.name 'tfds' needs a name of TensorFlow Datasets: 'tfds:NAME'.")
    _check_arguments(split, size, crop, image_key, factors, download)
    library = _library()
    builder = _builder(library, name, data_dir, download)
    examples = _Examples(library, builder, split, image_key)
    features = builder.info.features
    found, label_keys = _label_keys(library, features)
    keys = list(FACTORS.get(builder.info.name, found) if factors is None else factors)
    unknown = [key for key in keys if key not in features]
    if unknown:
        raise ValueError(f"tfds.factors must be features of {name!r} ({', '.join(features)}); received {unknown[0]!r}.")
    scale = 255 if builder.info.name in BINARY else 1
    shape = _shape(examples, size, crop)
    key = cache_key(builder.info.full_name, str(builder.data_dir), split, size, crop, image_key, scale)
    file = memory_mapped.build("tfds", key, shape, lambda: _pictures(examples, size, crop, scale))
    images = memory_mapped.MappedImages(f"tfds:{name}", file, shape)
    images.splits = tuple(builder.info.splits)
    wanted = keys or label_keys
    if wanted:
        numbers = np.asarray(cached_array("tfds-labels", cache_key(key, wanted), lambda: examples.numbers(wanted)))
    if not keys:
        images.labels = None if not wanted else numbers[:, 0] if len(wanted) == 1 else numbers
        images.label_names = [key.rpartition("/")[2] for key in wanted]
        return images
    return FactorTable(images, named_columns(numbers, [key.removeprefix("label_") for key in keys]))
