"""What is evaluated: a representation function, and whatever else a run, a file or a function brings with it."""

import contextlib
import dataclasses
import hashlib
import importlib
import pathlib
from typing import Any, Callable, Optional

import gin
import numpy as np
import tensorflow as tf

from dislib_plus import checks, files
from dislib_plus.configuration import ConfigurationError, python_path
from dislib_plus.saved_models import load_model
from dislib_plus.sentences import brief, quoted

from ..arithmetic.sample_checks import FACTOR_BINS
from ..encoding.sampling import checked_codes
from . import abilities, hub, layers
from .labelled_codes import ArrayData


@dataclasses.dataclass
class Source:
    """Something to evaluate.

    Attributes:
      name: what results call it.
      function: representation function, float32 images [n, H, W, C] -> codes [n, D]; takes tensors if it has
        a true attribute `takes_tensors`; `restarted()`, where it has that, gives it with its noise begun again.
        None: the model has no codes.
      model: the trained model, None where only codes can be had.
      observation_shape: shape of one observation that it takes, None where that cannot be known.
      data: data with factors that belongs to the source itself (an .npz of codes and factors), else None.
      key: digest of the weights, under which codes are kept; None: they are not kept.
      folder: folder of the run or of the file, None for a function.
      results: `results` folder of the step before, copied beside the scores; None: it has no such step.
      layer: the layer of the model whose codes these are (gin: `representation.layer`), None: the model's own code.
    """

    name: str
    function: Optional[Callable]
    model: Optional[Any] = None
    observation_shape: Optional[tuple] = None
    data: Optional[Any] = None
    key: Optional[str] = None
    folder: Optional[pathlib.Path] = None
    results: Optional[pathlib.Path] = None
    layer: Optional[int] = None

    @property
    def suffix(self):
        """What names of results end with, so that those of different layers stand beside each other."""
        return "" if self.layer is None else f"_layer_{self.layer}"

    @property
    def recorded_gin(self):
        """The gin file that names the run's data set, None where the source records none."""
        if self.results is None:
            return None
        paths = [self.results / "gin" / f"{step}.gin" for step in ("postprocess", "train")]
        return next((path for path in paths if path.is_file()), None)

    def check_takes(self, dataset):
        """Raises ConfigurationError where the data set's observations have another shape than the source takes."""
        shape = tuple(dataset.observation_shape)
        if self.data is None and self.observation_shape not in (None, shape):
            raise ConfigurationError(f"{self.name} takes observations of shape {self.observation_shape}, and data set "
                                     f"{dataset.name!r} has {shape}; choose the data set that the model was trained "
                                     "on.")


def from_directory(path):
    """The model or representation in a folder: a run of this library, or a run of disentanglement_lib.

    Args:
      path: a folder with `model.keras`, or with the TF-Hub module `tfhub` of disentanglement_lib
        (its model, or a postprocessed representation).

    Raises:
      FileNotFoundError: no such folder, or neither is in it.
    """
    folder = pathlib.Path(path)
    if not folder.is_dir():
        raise FileNotFoundError(f"The folder {str(path)!r} does not exist; give the folder of a finished run.")
    if (folder / "model.keras").is_file():
        return from_keras(folder / "model.keras")
    if (folder / "tfhub" / "saved_model.pb").is_file():
        return from_hub(folder)
    raise FileNotFoundError(f"{str(path)!r} holds neither model.keras nor a tfhub module: the run is not finished, or "
                            "it is another folder.")


def from_keras(path):
    """A saved Keras model: one of this library, with or without codes, or any model whose output is the code.

    Of a model of several layers gin's `representation.layer` chooses one.

    Raises:
      FileNotFoundError: no such file. ValueError: it cannot be loaded.
    """
    path = pathlib.Path(path)
    model, layer = layers.chosen(load_model(path))
    represent = abilities.representation(model)
    results = path.parent / "results"
    return Source(str(path), None if represent is None else _tensor_function(represent), model,
                  abilities.observation_shape(model), layer=layer, folder=path.parent,
                  key=_digest([path]) + ("" if layer is None else f" layer {layer}"),
                  results=results if results.is_dir() else None)


def from_hub(path):
    """A run of disentanglement_lib: its model, or its postprocessed representation (spec: TF-Hub format 3)."""
    folder = pathlib.Path(path)
    function = hub.HubRepresentation(folder / "tfhub")
    parts = sorted(file for file in (folder / "tfhub").rglob("*") if file.is_file())
    results = folder / "results"
    model = hub.HubModel(function.module, hub.activation(results)) if "decoder" in function.module.signatures else None
    return Source(str(folder), function, model, function.image_shape, key=_digest(parts), folder=folder,
                  results=results if results.is_dir() else None)


def from_codes(path):
    """Codes and factors in an .npz file with the arrays `codes` [n, D] and `factors` [n, K].

    An optional array `factor_names` [K] names the factors.

    Raises:
      FileNotFoundError: no such file. ValueError: arrays are missing or malformed.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"The file of codes {str(path)!r} does not exist.")
    with files.reading(path, "give an .npz file of plain arrays that np.savez has written"):
        with np.load(path, allow_pickle=False) as arrays:
            content = dict(arrays)
    missing = [name for name in ("codes", "factors") if name not in content]
    if missing:
        raise ValueError(f"{str(path)!r} must hold the arrays codes and factors; missing: {', '.join(missing)}; "
                         f"it holds {sorted(content)}.")
    data = ArrayData(content["codes"], content["factors"], content.get("factor_names"), path.stem, _factor_bins())
    return Source(str(path), data.lookup, data=data, folder=path.parent)


@gin.configurable("array_data")
def _factor_bins(factor_bins=FACTOR_BINS):
    """Equal-width bins into which continuous factors of a file are cut (`array_data.factor_bins`)."""
    checks.count("array_data.factor_bins", factor_bins, 1)
    return factor_bins


def from_function(name):
    """A representation function named `package.module:function`; the working directory is searched too.

    Raises:
      ConfigurationError: the name has another form, or nothing can be called under it.
    """
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
        raise ConfigurationError(f"--representation must have the form package.module:function; received "
                                 f"{quoted(name)}.")
    with python_path([str(pathlib.Path.cwd())]):
        try:
            function = importlib.import_module(module_name)
        except (Exception, SystemExit) as error:  # pylint: disable=broad-except  # Anything: it is the user's code.
            reason = brief(f"{type(error).__name__}: {error}")
            raise ConfigurationError(f"--representation: the module {quoted(module_name)} cannot be imported "
                                     f"({reason}).") from error
    for part in attribute.split("."):
        function = getattr(function, part, None)
    if not callable(function):
        raise ConfigurationError(f"--representation: the module {module_name!r} has no function {quoted(attribute)}.")
    return Source(name, _named(name, function))


def _named(name, function):
    """The user's function, whose errors become one ValueError that names it."""
    def named(images):
        try:
            return function(images)
        except (Exception, SystemExit) as error:  # pylint: disable=broad-except  # Anything: it is the user's code.
            reason = brief(f"{type(error).__name__}: {error}")
            raise ValueError(f"The representation function {name} failed on observations of shape "
                             f"{tuple(np.shape(images))} ({reason}).") from error
    for attribute in ("takes_tensors", "restarted"):
        if hasattr(function, attribute):
            setattr(named, attribute, getattr(function, attribute))
    return named


def is_repeatable(function, images):
    """Whether the function gives equal codes for equal images: False for codes sampled at every call."""
    images = images if getattr(function, "takes_tensors", False) else np.asarray(images)
    return np.array_equal(checked_codes(images, function), checked_codes(images, function), equal_nan=True)


def _tensor_function(represent):
    """The function of float32 tensors, traced once."""
    traced = tf.function(represent, reduce_retracing=True)

    def function(x):
        return traced(tf.cast(x, tf.float32))
    function.takes_tensors = True
    return function


def _digest(paths):
    """SHA-256 of files, hexadecimal."""
    digest = hashlib.sha256()
    for path in paths:
        with contextlib.closing(open(path, "rb")) as stream:
            while block := stream.read(2**20):
                digest.update(block)
    return digest.hexdigest()
