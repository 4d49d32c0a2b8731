"""Frechet Inception distance: how close a set of generated images is to the data, in feature space.

Three levels: from features, from images and any feature function, and from a
trained model and a data set (`compute_fid`). The distance is biased upwards for
few images, so only numbers with one extractor and one N compare.
"""

import hashlib
import pathlib
import warnings

import numpy as np
import tensorflow as tf

from dislib_plus import files
from dislib_plus.data import fingerprints
from dislib_plus.data.cache import cache_root

from ..encoding import image_batches
from ..inception.extractors import make_extractor
from ..inception.frechet import FeatureStatistics, distance_of_statistics
from ..sources import abilities
from .meanings import Meaning, number
from .requirements import metric

TWO_STAGES = ("first_stage", "infer_z", "generate")
_SETS = ("reconstructions", "prior_samples", "first_stage", "random_z")


def fid_from_features(features_a, features_b):
    """Squared Frechet distance between Gaussians fitted to two sets of features (Heusel et al. 2017, eq. 6).

    ||m_a - m_b||^2 + tr(S_a + S_b - 2 (S_a S_b)^{1/2}), unbiased covariances, float64.

    Args:
      features_a, features_b: [n, d] and [m, d], n, m >= 2.

    Returns:
      float; 0 for equal sets, ||delta||^2 for sets shifted by delta.

    Raises:
      ValueError: shapes do not match, fewer than 2 rows, or values that are not finite.
    """
    return distance_of_statistics(_statistics([features_a]), _statistics([features_b]))


def fid_from_images(images_a, images_b, feature_function, batch_size=64):
    """FID between two arrays of images under any feature function.

    Args:
      images_a, images_b: float [n, height, width, channels] in [0, 1].
      feature_function: float32 images [b, height, width, channels] -> features [b, d].
      batch_size: images a call.

    Returns:
      float.
    """
    def features(array):
        for start in range(0, len(array), batch_size):
            yield feature_function(tf.constant(array[start:start + batch_size], tf.float32))
    return distance_of_statistics(_statistics(features(images_a)), _statistics(features(images_b)))


def _statistics(batches):
    statistics = FeatureStatistics()
    for features in batches:
        statistics.update(features)
    return statistics


@metric("fid", "reconstruct", "sample", scores={
    "fid_{images}": Meaning("squared Frechet distance of features to those of the data", low=0, better="lower"),
    "feature_dimensions": number("dimensions of the features"),
    "extractor": Meaning("network of the features; distances of different ones cannot be compared"),
    "resize": number("side of the images that the network takes, in pixels"),
    "comparable": Meaning("whether the features mean anything (not those of random weights)"),
})
def compute_fid(dataset, model, random_state, weights="imagenet", resize=299, num_images=None,
                batch_size=50, sets=None, cache_dir=None):
    """FID between the data and what a model makes of it.

    Args:
      dataset: a DataSet.
      model: a trained model with `reconstruct` and `sample`; for the last two sets also
        `first_stage`, `infer_z` and `generate`.
      random_state: np.random.RandomState; draws images and noise.
      weights: the feature extractor, see `extractors.make_extractor`.
      resize: side in pixels of the images inside the Inception networks.
      num_images: images of the data, and generated images; None: the whole set.
      batch_size: images a batch.
      sets: which generated sets to compare; None: all that the model can make.
        "reconstructions": code drawn from the posterior; "prior_samples": code drawn from
        the prior; "first_stage": Y of a two-stage system; "random_z": its G(Y, z), z ~ N(0, I).
      cache_dir: folder in which the data's statistics are kept, by extractor, data set and choice of
        images; None: `fid` in the library's cache (data.cache.cache_root).

    Returns:
      dict: `fid_<set>` (floats), `num_images`, `feature_dimensions`, and `extractor`, `resize`,
      `comparable` (False for random weights).

    Raises:
      FileNotFoundError: the extractor's weights cannot be had.
      ValueError: an unknown set, or one that the model cannot make; fewer than 2 images.
    """
    makers = _makers(model, sets)
    indices = image_batches.select(dataset, num_images, random_state)
    seed = image_batches.draw_seed(random_state)
    if len(indices) < 2:
        raise ValueError(f"fid.num_images must be at least 2; received {len(indices)}.")
    extractor = make_extractor(weights, resize)
    # Traced once for the data and all sets: Inception is a large graph.
    features = tf.function(extractor.function, reduce_retracing=True)
    data = _data_statistics(dataset, indices, batch_size, seed, extractor, features,
                            cache_root() / "fid" if cache_dir is None else pathlib.Path(cache_dir))
    results = {}
    for name, make in makers.items():
        generated = _generated_statistics(dataset, make, indices, batch_size, seed, features, name)
        results[f"fid_{name}"] = distance_of_statistics(data, generated)
    return {**results, "num_images": len(indices), "feature_dimensions": len(data.mean), "extractor": extractor.name,
            "resize": extractor.resize, "comparable": extractor.comparable}


def _makers(model, sets):
    """{name: function (images, seed) -> generated images} of the wanted sets."""
    possible = _SETS[:2] if abilities.lacks(model, TWO_STAGES) else _SETS
    wanted = possible if sets is None else tuple(sets)
    wrong = [name for name in wanted if name not in possible]
    if wrong or not wanted:
        raise ValueError(f"fid.sets must list some of {', '.join(possible)} for {type(model).__name__}; "
                         f"received {list(wanted)}.")

    def random_z(x, seed):
        y = model.first_stage(x, sample=True, seed=seed)
        shape = tf.shape(model.infer_z(x, y).mean())
        return model.generate(y, tf.random.stateless_normal(shape, seed + 1, alg="philox"))

    makers = {
        "reconstructions": lambda x, seed: model.reconstruct(x, sample=True, seed=seed),
        "prior_samples": lambda x, seed: model.sample(tf.shape(x)[0], seed=seed),
        "first_stage": lambda x, seed: model.first_stage(x, sample=True, seed=seed),
        "random_z": random_z,
    }
    return {name: makers[name] for name in wanted}


def _generated_statistics(dataset, make, indices, batch_size, seed, features, name):
    @tf.function(reduce_retracing=True)
    def features_of(x, noise_seed):
        return features(tf.ensure_shape(make(x, noise_seed), [None, *dataset.observation_shape]))

    progress = f"features of {name.replace('_', ' ')}"
    batches = image_batches.batches(dataset, indices, batch_size, seed, progress)
    return _statistics(features_of(x, image_batches.batch_seed(seed, number)) for number, x in enumerate(batches))


def _data_statistics(dataset, indices, batch_size, seed, extractor, features, folder):
    """Statistics of the data's features, from the cache when the same were taken before."""
    path = None
    if extractor.digest is not None and dataset.deterministic:
        path = folder / f"{_cache_key(dataset, indices, extractor)}.npz"
        statistics = _read(path)
        if statistics is not None:
            return statistics
    batches = image_batches.batches(dataset, indices, batch_size, seed, progress="features of the data")
    statistics = _statistics(features(x) for x in batches)
    if path is not None:
        try:
            with files.atomic_path(path, suffix=".npz") as temporary:
                np.savez(temporary, **statistics.arrays())
        except OSError as error:
            warnings.warn(f"The data's FID statistics could not be kept in {folder} ({error}); they will be computed "
                          "again next time. Set fid.cache_dir to a writable folder.", stacklevel=2)
    return statistics


def _read(path):
    if not path.is_file():
        return None
    try:
        with files.reading(path), np.load(path) as arrays:
            return FeatureStatistics.from_arrays(dict(arrays))
    except files.DamagedFile as error:
        warnings.warn(f"The kept FID statistics {path} are damaged ({error.reason}); they are computed again.",
                      stacklevel=2)
        return None


def _cache_key(dataset, indices, extractor):
    """Digest of all that the statistics depend on."""
    digest = hashlib.sha256(repr((fingerprints.fingerprint(dataset), extractor.digest, extractor.resize)).encode())
    digest.update(indices.tobytes())
    return digest.hexdigest()[:32]
