"""The parts of a model's code that pictures vary: Z of a single-stage model; C and Z of a two-stage one."""

import dataclasses

import numpy as np
import tensorflow as tf

RENDER_BATCH = 128


@dataclasses.dataclass(frozen=True)
class Unit:
    """One latent variable: a Gaussian unit (one column of the code) or a categorical one (a column a class).

    Attributes:
      name: letter and number, "z3"; categorical variables have a number of their own, "d0".
      kind: "normal" or "categorical".
      start, stop: its columns of the code.
    """

    name: str
    kind: str
    start: int
    stop: int


def units_of(code_spec, letter):
    """The latent variables of a code.

    Args:
      code_spec: list of ("normal" | "categorical", size), in the order of the columns.
      letter: first letter of the Gaussian units' names.

    Returns:
      list of Unit, in the order of the columns.
    """
    units, start, numbers = [], 0, {"normal": 0, "categorical": 0}
    for kind, size in code_spec:
        widths = [1] * size if kind == "normal" else [size]
        for width in widths:
            name = f"{letter if kind == 'normal' else 'd'}{numbers[kind]}"
            units.append(Unit(name, kind, start, start + width))
            numbers[kind] += 1
            start += width
    return units


class Part:
    """A part of the code: how to infer it, and how to draw images from it.

    Attributes:
      letter: "z" or "c".
      units: list of Unit.
    """

    def __init__(self, letter, code_spec, encode, posterior, anchor, render):
        """Args:
          letter, code_spec: see `units_of`.
          encode: images [n, ...] -> code [n, size].
          posterior: images -> TFP distribution; None: the model has none.
          anchor: images -> dict of tensors [n, ...], what stays fixed while this part varies.
          render: (code, anchor rows) -> list of (label, images in [0, 1]).
        """
        self.letter = letter
        self.units = units_of(code_spec, letter)
        self.encode, self.posterior = encode, posterior
        self._anchor, self._render = anchor, render

    def render(self, x, codes):
        """Images of many codes around each base image.

        Args:
          x: base images [b, height, width, channels] in [0, 1].
          codes: [b, m, size].

        Returns:
          list of (label, float32 [b, m, height, width, channels] in [0, 1]).
        """
        codes = np.asarray(codes, np.float32)
        bases, each, size = codes.shape
        anchor = {name: tf.repeat(value, each, axis=0) for name, value in self._anchor(tf.constant(x)).items()}
        flat = codes.reshape(-1, size)
        batches = []
        for start in range(0, len(flat), RENDER_BATCH):
            rows = slice(start, start + RENDER_BATCH)
            batches.append(self._render(tf.constant(flat[rows]), {name: value[rows] for name, value in anchor.items()}))
        return [(label, np.concatenate([batch[row][1] for batch in batches]).reshape(bases, each, *x.shape[1:]))
                for row, (label, _) in enumerate(batches[0])]
