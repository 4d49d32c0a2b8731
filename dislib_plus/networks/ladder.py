"""Ladder networks: blocks of the code leave the encoder at several depths, and enter the decoder at mirrored ones.

Block l = 1 .. L, from shallow to deep (Zhao et al. 2017; Li et al. 2020, eqs. 4 to 9):

    encoder:  h_0 = x,  h_l = trunk_l(h_{l-1}),  q(z_l|x) from ladder_l(scale_l h_l)
    decoder:  g_L = stage_L(branch_L(z_L)),  g_l = stage_l(gate_l branch_l(z_l), g_{l+1});  the output is g_1

Gates and scales are those of progressive learning; without them all are 1.
"""

import functools

import keras
import tensorflow as tf
from keras import layers

from dislib_plus.latents import LatentSpec
from dislib_plus.networks.encoders import latent_heads


class _Ladder(keras.Model):
    """Two lists of L keras.Models, from shallow to deep, that are saved with their places."""

    def __init__(self, first, second, **kwargs):
        super().__init__(autocast=False, **kwargs)
        first, second = ([keras.saving.deserialize_keras_object(piece) if isinstance(piece, dict) else piece
                          for piece in pieces] for pieces in (first, second))
        setattr(self, self.lists[0], first)
        setattr(self, self.lists[1], second)
        self.built = True

    def get_config(self):
        return {"name": self.name, "dtype": keras.saving.serialize_keras_object(self.dtype_policy),
                **{name: [keras.saving.serialize_keras_object(piece) for piece in getattr(self, name)]
                   for name in self.lists}}


@keras.saving.register_keras_serializable("dislib_plus")
class LadderEncoder(_Ladder):
    """Outputs mean and scale of all blocks, in their order.

    Args:
      trunk: list of keras.Models h_{l-1} -> h_l.
      ladders: list of keras.Models h_l -> [mean, scale].
    """

    lists = ("trunk", "ladders")

    def __init__(self, trunk, ladders, **kwargs):
        super().__init__(trunk, ladders, **kwargs)

    def call(self, inputs, training=False):
        """Args:
          inputs: x, or [x, scales, used]: float [L], and boolean [L] or None; a block that is not used costs nothing
            and has the outputs 0, which are the prior's.
        """
        x, scales, used = inputs if isinstance(inputs, (list, tuple)) else (inputs, None, None)
        outputs, h = [], x
        for block, (stage, ladder) in enumerate(zip(self.trunk, self.ladders)):
            h = stage(h, training=training)
            scaled = h if scales is None else tf.cast(scales[block], h.dtype) * h
            if used is None:
                outputs += ladder(scaled, training=training)
            else:
                outputs += _where_used(used[block], ladder, scaled, training)
        return outputs


@keras.saving.register_keras_serializable("dislib_plus")
class LadderDecoder(_Ladder):
    """Logits of the image.

    Args:
      branches: list of keras.Models z_l -> features.
      stages: list of keras.Models [features, g_{l+1}] -> g_l, the last one of the features alone.
    """

    lists = ("branches", "stages")

    def __init__(self, branches, stages, **kwargs):
        super().__init__(branches, stages, **kwargs)

    def call(self, inputs, training=False):
        """Args:
          inputs: z [batch, units of all blocks], or [z, gates], float [L]; a block whose gate is 0 costs no branch, and
            no gradient reaches it. The gate of block L is not read: it is the one that is always open.
        """
        z, gates = inputs if isinstance(inputs, (list, tuple)) else (inputs, None)
        codes = tf.split(z, [branch.input_shape[-1] for branch in self.branches], axis=1)
        output = self.stages[-1](self.branches[-1](codes[-1], training=training), training=training)
        for block in reversed(range(len(codes) - 1)):
            branch, code = self.branches[block], codes[block]
            if gates is None:
                features = branch(code, training=training)
            else:
                [features] = _where_used(gates[block] > 0, branch, code, training)
                features *= tf.cast(gates[block], features.dtype)
            output = self.stages[block]([features, output], training=training)
        return output


def _where_used(used, piece, inputs, training):
    """The outputs of a piece as a list, or zeros at no cost."""
    def zeros():
        return [tf.zeros([tf.shape(inputs)[0], *output.shape[1:]], output.dtype) for output in piece.outputs]
    return tf.cond(used, lambda: tf.nest.flatten(piece(inputs, training=training)), zeros)


def build_ladder(observation_shape, latents, levels):
    """The networks of a family of levels.

    Args:
      observation_shape: (height, width, channels).
      latents: LatentSpec, one group a block.
      levels: functions of the level l = 1 .. L and of symbolic tensors: trunk(l, h), ladder(l, h) (its heads are added
        here), branch(l, z) and stage(l, features, g), where g is None at l = L.

    Returns:
      (LadderEncoder, LadderDecoder).
    """
    numbered = list(enumerate(latents.groups, 1))
    trunk, ladders, branches, stages, shape = [], [], [], [], observation_shape
    for level, group in numbered:
        trunk.append(_piece(f"trunk_{level}", functools.partial(levels.trunk, level), shape))
        shape = trunk[-1].output_shape[1:]
        ladders.append(_piece(f"ladder_{level}", functools.partial(_climb, levels, level, group), shape))
        branches.append(_piece(f"branch_{level}", functools.partial(levels.branch, level), (group.size,)))
    for (level, _), branch in reversed([*zip(numbered, branches)]):
        shapes = [branch.output_shape[1:], *(stage.output_shape[1:] for stage in stages[:1])]
        stages.insert(0, _piece(f"stage_{level}", functools.partial(_descend, levels, level), *shapes))
    return LadderEncoder(trunk, ladders, name="encoder"), LadderDecoder(branches, stages, name="decoder")


def _climb(levels, level, group, h):
    return latent_heads(layers.Flatten()(levels.ladder(level, h)), LatentSpec([group]))


def _descend(levels, level, features, g=None):
    return levels.stage(level, features, g)


def _piece(name, function, *shapes):
    """The keras.Model of a function of as many symbolic tensors as there are shapes."""
    inputs = [keras.Input(tuple(shape)) for shape in shapes]
    return keras.Model(inputs[0] if len(inputs) == 1 else inputs, function(*inputs), name=name)
