"""dSprites in random colours, in noise, and in front of The Scream (Locatello et al., 2019).

Every observation has fresh pixels: from `random_state` in disentanglement_lib's
order, or from a stateless seed in the graph.
"""

import dataclasses
import pathlib

import numpy as np
import tensorflow as tf
from PIL import Image

from dislib_plus.data.base import GroundTruthData, Images, gathered
from dislib_plus.data.compiled import compiled
from dislib_plus.data.dsprites import ARCHIVE, SOURCE, DSprites, archive_path
from dislib_plus.data.fingerprints import contents, of_arrays
from dislib_plus.data.image_files import open_picture
from dislib_plus.data.registry import register
from dislib_plus.data.sources import Remote, Source, broken_file, readable
from dislib_plus.data.toy_dsprites import ToyDSprites

LOCATELLO = dataclasses.replace(SOURCE, citation=f"{SOURCE.citation} Locatello et al. (2019). Challenging Common "
                                "Assumptions in the Unsupervised Learning of Disentangled Representations. ICML.")
PICTURE = Remote("scream/scream.jpg", ("https://upload.wikimedia.org/wikipedia/commons/f/f4/The_Scream.jpg",))
SCREAM = Source(files=(ARCHIVE, PICTURE), size="28 MB", home="https://en.wikipedia.org/wiki/The_Scream",
                licence="public domain (the painting), zlib/libpng (dSprites)", citation=LOCATELLO.citation)


def _uniform(shape, seed, low=0.0, high=1.0):
    seed = tf.zeros([2], tf.int32) if seed is None else seed
    return tf.random.stateless_uniform(shape, seed, low, high, alg="philox")


def _bits(shape, seed):
    """Integers of 32 random bits: four random bytes for the price of one random number."""
    seed = tf.zeros([2], tf.int32) if seed is None else seed
    return tf.random.stateless_uniform(shape, seed, None, None, tf.int32, alg="philox")


# Each of these is compiled into one loop over the pixels, several times quicker than its operations one by one.

@compiled
def _tinted(sprites, colors):
    """Sprites [n, height, width, 1] in the colours [n, 3], on black."""
    return sprites * colors[:, None, None]


@compiled
def _over_noise(sprites, bits):
    """White sprites on noise: each byte k of the integers [n, height * width * 3 / 4] is a pixel (k + 1/2) / 256."""
    height, width = sprites.shape[1:3]
    noise = tf.cast(tf.reshape(tf.bitcast(bits, tf.uint8), [-1, height, width, 3]), tf.float32)
    return tf.maximum(sprites, (noise + 0.5) / 256.0)


@compiled
def _inverted(sprites, patches, tints):
    """b = (patch + tint) / 2 where the sprite is not, 1 - b where it is; patches are bytes, tints [n, 3]."""
    background = (tf.cast(patches, tf.float32) / 255.0 + tints[:, None, None]) / 2.0
    return tf.where(sprites > 0.5, 1.0 - background, background)


class _NoisySprites(GroundTruthData, Images):
    """Sprites that are painted anew for every observation; factors and streams are those of the sprites."""

    deterministic = False

    def __init__(self, name, sprites):
        """Args: name; sprites: GroundTruthData of binary images [height, width, 1]."""
        super().__init__(name, sprites.grid_names, sprites.grid_sizes, sprites.visible)
        self.sprites = sprites
        self.observation_shape = sprites.observation_shape[:2] + [3]

    def sample_observations_from_factors(self, factors, random_state):
        """Observations [n, height, width, 3] in [0, 1], all randomness from `random_state`."""
        sprites = self.sprites.sample_observations_from_factors(factors, random_state)
        return self._paint(np.repeat(sprites, 3, axis=3), random_state)


class ColorDSprites(_NoisySprites):
    """Each sprite in a colour drawn uniformly from [0.5, 1)^3, on black."""

    def _paint(self, sprites, random_state):
        return sprites * random_state.uniform(0.5, 1, [len(sprites), 1, 1, 3])

    def images(self, indices, seed=None):
        return _tinted(self.sprites.images(indices), _uniform([tf.size(indices), 3], seed, 0.5, 1.0))


class NoisyDSprites(_NoisySprites):
    """White sprites on uniform noise of independent pixels and channels (in the graph: of 256 levels)."""

    def _paint(self, sprites, random_state):
        return np.minimum(sprites + random_state.uniform(0, 1, sprites.shape), 1.0)

    def images(self, indices, seed=None):
        return _over_noise(self.sprites.images(indices),
                           _bits([tf.size(indices), int(np.prod(self.observation_shape)) // 4], seed))


class ScreamDSprites(_NoisySprites):
    """Sprites that invert the colours of a random patch of a picture, tinted by a random colour."""

    def __init__(self, name, sprites, picture):
        """Args: as the parent; picture: float64 [height, width, 3] in steps of 1/255 in [0, 1], larger than the
            sprites' images.

        Raises:
          ValueError: the picture is too small or has another shape.
        """
        super().__init__(name, sprites)
        self._room = [side - window for side, window in zip(picture.shape, self.observation_shape)]
        if picture.ndim != 3 or picture.shape[2] != 3 or min(self._room[:2]) < 1:
            raise ValueError(f"picture must be [height, width, 3] and larger than {self.observation_shape[:2]}; "
                             f"received shape {picture.shape}.")
        self._picture = picture
        # Row by row every stretch as wide as an image, so that a patch is gathered by rows (15 MB for The Scream).
        stretches = np.lib.stride_tricks.sliding_window_view(np.rint(255 * picture), self.observation_shape[1], axis=1)
        with tf.device("CPU"):
            self._windows = tf.constant(stretches.transpose(0, 1, 3, 2).astype(np.uint8))

    def _paint(self, sprites, random_state):
        height, width = self.observation_shape[:2]
        for sprite in sprites:
            top = random_state.randint(0, self._room[0])
            left = random_state.randint(0, self._room[1])
            patch = self._picture[top:top + height, left:left + width]
            background = (patch + random_state.uniform(0, 1, size=3)) / 2.0
            sprite[...] = np.where(sprite == 1, 1 - background, background)
        return sprites

    def images(self, indices, seed=None):
        height, width = self.observation_shape[:2]
        draws = _uniform([tf.size(indices), 5], seed)
        corner = tf.cast(draws[:, :2] * tf.constant(self._room[:2], tf.float32), tf.int32)
        rows = (corner[:, 0, None] + tf.range(height)) * self._windows.shape[1] + corner[:, 1, None]
        patches = gathered(tf.reshape(self._windows, [-1, 3 * width]), rows)
        return _inverted(self.sprites.images(indices), tf.reshape(patches, [-1, height, width, 3]), draws[:, 2:])


@contents.register(_NoisySprites)
def _of_painted(dataset):
    few = np.linspace(0, dataset.num_observations - 1, 64).astype(np.int64)
    return contents(dataset.sprites) + of_arrays(dataset.images(tf.constant(few)))


def read_picture(name, path):
    """The background picture, shrunk to fit 350 x 274 pixels: float64 [height, width, 3] in [0, 1].

    Raises:
      FileNotFoundError: the file is missing.
      ValueError: it is damaged, or too small to cut windows of 64 x 64 from.
    """
    try:
        with readable(name, path) as path, open_picture(path) as picture:
            picture.thumbnail((350, 274), Image.Resampling.BICUBIC)
            pixels = np.array(picture.convert("RGB")) / 255.0
    except Image.DecompressionBombError as error:
        raise broken_file(name, path, f"has too many pixels ({error})") from error
    if min(pixels.shape[:2]) <= 64:
        raise broken_file(name, path, f"must be larger than 64 x 64 pixels (width x height) but has "
                                      f"{pixels.shape[1]} x {pixels.shape[0]}")
    return pixels


def painted_sky(height=274, width=350):
    """A generated picture in place of The Scream, wavy bands from red above to blue below: float64 in [0, 1]."""
    down, across = np.mgrid[:height, :width] / height
    waves = (0.5 + 0.3 * np.sin(18 * down + 3 * np.sin(3 * across + 5 * down))
             + 0.2 * np.sin(75 * down + 9 * np.sin(4 * across + 3 * down)))
    ramp = np.clip(1.6 * down - 0.3, 0, 1)[..., None]
    sky = (1 - ramp) * [0.9, 0.45, 0.15] + ramp * [0.12, 0.2, 0.42]
    return np.rint(255 * sky * (0.55 + 0.45 * waves[..., None])) / 255


@register("color_dsprites", source=LOCATELLO)
def color_dsprites(data_dir="."):
    """dSprites in random colours."""
    return ColorDSprites("color_dsprites", DSprites("color_dsprites", archive_path(data_dir)))


@register("noisy_dsprites", source=LOCATELLO)
def noisy_dsprites(data_dir="."):
    """dSprites in uniform noise."""
    return NoisyDSprites("noisy_dsprites", DSprites("noisy_dsprites", archive_path(data_dir)))


@register("scream_dsprites", source=SCREAM)
def scream_dsprites(data_dir="."):
    """dSprites in front of patches of The Scream, `scream/scream.jpg` of the data folder."""
    picture = read_picture("scream_dsprites", pathlib.Path(data_dir) / PICTURE.path)
    return ScreamDSprites("scream_dsprites", DSprites("scream_dsprites", archive_path(data_dir)), picture)


@register("toy_color_dsprites")
def toy_color_dsprites(data_dir="."):
    """The generated sprites in random colours."""
    return ColorDSprites("toy_color_dsprites", ToyDSprites())


@register("toy_noisy_dsprites")
def toy_noisy_dsprites(data_dir="."):
    """The generated sprites in uniform noise."""
    return NoisyDSprites("toy_noisy_dsprites", ToyDSprites())


@register("toy_scream_dsprites")
def toy_scream_dsprites(data_dir="."):
    """The generated sprites in front of patches of a generated picture."""
    return ScreamDSprites("toy_scream_dsprites", ToyDSprites(), painted_sky())
