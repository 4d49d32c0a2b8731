"""dSprites in pairs of colours, which are factors, and with the orientation hidden (van Steenkiste et al., 2019)."""

import dataclasses

import numpy as np
import tensorflow as tf

from dislib_plus.data.base import GroundTruthData, Images
from dislib_plus.data.compiled import compiled
from dislib_plus.data.dsprites import SOURCE, DSprites, archive_path
from dislib_plus.data.fingerprints import contents, of_arrays
from dislib_plus.data.registry import register
from dislib_plus.data.toy_dsprites import ToyDSprites

ABSTRACT = dataclasses.replace(SOURCE, citation=f"{SOURCE.citation} van Steenkiste et al. (2019). Are Disentangled "
                               "Representations Helpful for Abstract Visual Reasoning? NeurIPS.")
# Evenly spaced hues of equal lightness and saturation, as disentanglement_lib lists them.
OBJECT_COLORS = np.array([[0.9096231780824386, 0.5883403686424795, 0.3657680693481871],
                          [0.6350181801577739, 0.6927729880940552, 0.3626904230371999],
                          [0.3764832455369271, 0.7283900430001952, 0.5963114605342514],
                          [0.39548987063404156, 0.7073922557810771, 0.7874577552076919],
                          [0.6963644829189117, 0.6220697032672371, 0.899716387820763],
                          [0.90815966835861, 0.5511103319168646, 0.7494337214212151]])
BACKGROUND_COLORS = np.linspace(0.0, 1.0, 5)[:, None].repeat(3, axis=1)


@compiled
def _two_colors(sprites, of_object, of_background):
    """Sprites in the colours [n, 3] on the colours [n, 3]."""
    return tf.where(sprites > 0.5, of_object[:, None, None], of_background[:, None, None])


class AbstractDSprites(GroundTruthData, Images):
    """Sprites with a background and an object colour as factors and the orientation hidden."""

    def __init__(self, name, sprites):
        """Args: name; sprites: GroundTruthData of binary images with a factor `orientation`."""
        names = ["background color", "object color"] + sprites.grid_names
        sizes = [len(BACKGROUND_COLORS), len(OBJECT_COLORS)] + sprites.grid_sizes
        super().__init__(name, names, sizes, [i for i, factor in enumerate(names) if factor != "orientation"])
        self.sprites = sprites
        self.observation_shape = sprites.observation_shape[:2] + [3]

    def sample_observations_from_factors(self, factors, random_state):
        """Observations with the given factors, float64 [n, height, width, 3] in [0, 1]."""
        full = self.sample_grid_factors(factors, random_state)
        indices = self.sprites.factors_to_index(full[:, 2:])
        sprites = self.sprites.images(tf.constant(indices)).numpy()
        return (sprites * OBJECT_COLORS[full[:, 1], None, None]
                + (1.0 - sprites) * BACKGROUND_COLORS[full[:, 0], None, None])

    def images(self, indices, seed=None):
        indices = tf.cast(indices, tf.int64)
        sprites = self.sprites.images(indices % self.sprites.num_observations)
        colors = indices // self.sprites.num_observations
        of_object = tf.gather(tf.constant(OBJECT_COLORS, tf.float32), colors % len(OBJECT_COLORS))
        of_background = tf.gather(tf.constant(BACKGROUND_COLORS, tf.float32), colors // len(OBJECT_COLORS))
        return _two_colors(sprites, of_object, of_background)


@contents.register(AbstractDSprites)
def _of_colored(dataset):
    few = np.linspace(0, dataset.num_observations - 1, 64).astype(np.int64)
    return contents(dataset.sprites) + of_arrays(dataset.images(tf.constant(few)))


@register("abstract_dsprites", source=ABSTRACT)
def abstract_dsprites(data_dir="."):
    """dSprites with two colours and without orientation, for abstract reasoning."""
    return AbstractDSprites("abstract_dsprites", DSprites("abstract_dsprites", archive_path(data_dir)))


@register("toy_abstract_dsprites")
def toy_abstract_dsprites(data_dir="."):
    """The generated sprites with two colours and without orientation."""
    return AbstractDSprites("toy_abstract_dsprites", ToyDSprites())
