"""Prepared sets of TensorFlow Datasets: opening them, their examples in a fixed order, their pictures as bytes."""

import contextlib
import pathlib
import re

import numpy as np
import tensorflow as tf

from dislib_plus.data.image_files import centre_box
from dislib_plus.data.resizing import resize
from dislib_plus.files import DamagedFile
from dislib_plus.sentences import brief, quoted

# Sets whose pixels are 0 and 1 without their saying so.
BINARY = ("dsprites",)
_LARGEST = {"uint8": 255, "uint16": 65535, "float32": 1.0}
_NUMBER = re.compile(r"(?<!\d)-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
# A colon that no version follows.
_NAMESPACE = re.compile(r":(?!experimental_latest|[\d*])")
_BLOCK = 256


@contextlib.contextmanager
def _whole_files(name, place):
    """Turns what is raised on missing or damaged files of a prepared set into one sentence."""
    from google.protobuf import json_format  # here, because it comes with tensorflow-datasets
    try:
        yield
    except (tf.errors.OpError, json_format.ParseError) as error:
        reason = f"files of the TFDS set {name!r} are missing in part or wrong: {brief(str(error))}"
        raise DamagedFile(place, reason, f"delete that folder and run `tfds build {name}`") from error


def import_library():
    """The package tensorflow-datasets; raises ValueError where it is missing."""
    try:
        import tensorflow_datasets
    except ImportError as error:
        raise ValueError("dataset.name 'tfds:...' needs the package tensorflow-datasets: "
                         f"pip install dislib-plus[tfds] ({error}).") from error
    return tensorflow_datasets


def open_builder(library, name, data_dir, download):
    """The builder of a prepared set.

    Args:
      library: see `import_library`.
      name: TFDS name.
      data_dir: see `tfds.tfds`.
      download: whether TFDS may download and prepare the set.

    Raises:
      ValueError: unknown name, or damaged files.
      FileNotFoundError: the set is not prepared.
    """
    if _NAMESPACE.search(name):
        raise ValueError(f"tfds: the name {quoted(name)} has a namespace, for which TensorFlow Datasets would fetch "
                         "and run the code of others; prepare the set with your own builder and name that.")
    folder = pathlib.Path(data_dir) / "tensorflow_datasets"
    try:
        with _whole_files(name, folder):
            builder = library.builder(name, data_dir=folder if folder.is_dir() else None)
    except DamagedFile:
        raise
    except (library.core.DatasetNotFoundError, ImportError, AttributeError, AssertionError, ValueError) as error:
        raise ValueError(f"TensorFlow Datasets cannot open {quoted(name)} ({brief(str(error))}); see its list of "
                         "names, and prepare sets of your own there first.") from error
    if not builder.info.splits and download:
        builder.download_and_prepare()
    if not builder.info.splits:
        raise FileNotFoundError(f"The TFDS set {name!r} is not prepared in {builder.data_dir}; run `tfds build "
                                f"{name}`, or set tfds.download = True.")
    return builder


class Examples:
    """The examples of one split in a fixed order, and what is known of them."""

    def __init__(self, library, builder, split, image_key):
        """Args: library, builder: see above; split, image_key: see `tfds.tfds`. Raises ValueError: not in the set."""
        self.library, self.builder, self.split = library, builder, split
        self.image_key = image_key
        features = builder.info.features
        if not isinstance(dict(features).get(image_key), library.features.Image):
            images = [key for key, feature in features.items() if isinstance(feature, library.features.Image)]
            raise ValueError(f"tfds.image_key must be an image of {builder.info.name!r}, one of {brief(images)}; "
                             f"received {quoted(image_key)}.")
        try:
            self.count = builder.info.splits[split].num_examples
        except (KeyError, ValueError) as error:
            raise ValueError(f"tfds.split must be a split of {builder.info.name!r} ({', '.join(builder.info.splits)}); "
                             f"received {quoted(split)}.") from error
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

    def files(self):
        """The files of the prepared set, sorted."""
        return sorted(path for path in pathlib.Path(str(self.builder.data_dir)).iterdir() if path.is_file())

    def value_range(self):
        """Lowest and highest value of a pixel: what the set declares, else that of its type; 0 and 1 for fractions."""
        feature = self.builder.info.features[self.image_key]
        declared = [float(number) for number in _NUMBER.findall(feature.catalog_documentation()[0].value_range or "")]
        if len(declared) == 2 and declared[0] < declared[1]:
            return tuple(declared)
        return 0, 1 if self.builder.info.name in BINARY else _LARGEST[np.dtype(feature.np_dtype).name]

    def picture_shape(self, size, crop):
        """[count, height, width, channels] of the pictures made of `size` and `crop`; raises ValueError without one."""
        height, width, channels = self.builder.info.features[self.image_key].shape
        side = size or crop
        if (height is None or width is None) and side is None:
            raise ValueError(f"The pictures of {self.builder.info.name!r} differ in size; set tfds.size.")
        return self.count, side or height, side or width, channels

    def pictures(self, size, crop):
        """Blocks of uint8 images, cropped and resized; raises ValueError where a crop or a pixel does not fit."""
        low, high = self.value_range()
        block = []
        for example in self.read():
            image = self._bytes(example[self.image_key], low, high)
            if crop is not None:
                left, upper, right, lower = centre_box(image.shape[1], image.shape[0], crop)
                if min(left, upper) < 0:
                    raise ValueError(f"tfds.crop must fit into the pictures; received {crop} for one of {image.shape}.")
                image = image[upper:lower, left:right]
            if size is not None and image.shape[:2] != (size, size):
                image = resize(image[None], size)[0]
            block.append(image)
            if len(block) == _BLOCK:
                yield np.stack(block)
                block = []
        if block:
            yield np.stack(block)

    def _bytes(self, image, low, high):
        if image.dtype == np.uint8 and (low, high) == (0, 255):
            return image
        lowest, highest = image.min(), image.max()
        if not (low <= lowest and highest <= high):  # not a number is neither
            raise ValueError(f"The pixels of {self.builder.info.name!r} must lie in {low:g}..{high:g}, the range that "
                             f"the set declares or that of {image.dtype}; received values from {lowest:g} to "
                             f"{highest:g}.")
        return np.rint((image.astype(np.float64) - low) * (255.0 / (high - low))).astype(np.uint8)
