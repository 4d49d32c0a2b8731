"""The parts of a model's code that pictures vary: Z of a single-stage model; C and Z of a two-stage one."""

import dataclasses
import itertools

import numpy as np
import tensorflow as tf

RENDER_BATCH = 128


@dataclasses.dataclass(frozen=True)
class Unit:
    """One latent variable: a Gaussian unit (one column of the code) or a categorical one (a column a class).

    Attributes:
      name: letter and number, "z3"; in a code of several Gaussian groups the group and the number in it, "z1_0";
        categorical variables have a number of their own, "d0".
      kind: "normal" or "categorical".
      start, stop: its columns of the code.
    """

    name: str
    kind: str
    start: int
    stop: int


@dataclasses.dataclass(frozen=True)
class Block:
    """A group of latent variables of a code that has several Gaussian groups.

    Attributes:
      name: see `group_names`.
      kind: "normal" or "categorical".
      units: numbers of its units among those of the code.
      start, stop: its columns of the code.
    """

    name: str
    kind: str
    units: tuple
    start: int
    stop: int


def group_names(code_spec, letter, names=None):
    """What pictures and tables call the groups of a code: "z1", "z2", ... and "d0", ... where they have no names.

    Args:
      code_spec: list of ("normal" | "categorical", size), in the order of the columns.
      letter: first letter of the Gaussian groups' names.
      names: names of their own, None for those without; None: all without.
    """
    kinds = [kind for kind, _ in code_spec]
    places = {"normal": itertools.count(1), "categorical": itertools.count(0)}
    by_place = [f"{letter if kind == 'normal' else 'd'}{next(places[kind])}" for kind in kinds]
    return [name or place for name, place in zip(names or [None] * len(kinds), by_place, strict=True)]


def units_of(code_spec, letter, names=None):
    """The latent variables of a code, in the order of the columns; arguments as `group_names`."""
    units, start, number = [], 0, itertools.count()
    several = has_blocks(code_spec)
    for (kind, size), group in zip(code_spec, group_names(code_spec, letter, names)):
        widths = [1] * size if kind == "normal" else [size]
        for place, width in enumerate(widths):
            own = group if kind == "categorical" else f"{group}_{place}" if several else f"{letter}{next(number)}"
            units.append(Unit(own, kind, start, start + width))
            start += width
    return units


def has_blocks(code_spec):
    """Whether a code has several Gaussian groups."""
    return sum(kind == "normal" for kind, _ in code_spec) > 1


def blocks_of(code_spec, letter, names=None):
    """The groups of a code that has several Gaussian ones, in the order of the columns; else an empty list.

    Arguments as `group_names`.
    """
    blocks, unit, start = [], 0, 0
    for (kind, size), name in zip(code_spec, group_names(code_spec, letter, names)):
        units = tuple(range(unit, unit + (size if kind == "normal" else 1)))
        blocks.append(Block(name, kind, units, start, start + size))
        unit, start = unit + len(units), start + size
    return blocks if has_blocks(code_spec) else []


class Part:
    """A part of the code: how to infer it, and how to draw images from it.

    Attributes:
      letter: "z" or "c".
      code_spec: groups of its columns, list of ("normal" | "categorical", size).
      units: list of Unit.
      blocks: list of Block; empty unless the code has several Gaussian groups.
    """

    def __init__(self, letter, code_spec, encode, posterior, anchor, render, sample_prior=None, names=None):
        """Args:
          letter, code_spec, names: see `group_names`.
          encode: images [n, ...] -> code [n, size].
          posterior: images -> TFP distribution; None: the model has none.
          anchor: images -> dict of tensors [n, ...], what stays fixed while this part varies.
          render: (code, anchor rows) -> list of (label, images in [0, 1]).
          sample_prior: (count, stateless seed) -> codes [count, size] of the prior; None: it cannot be sampled.
        """
        self.letter, self.code_spec = letter, list(code_spec)
        self.units = units_of(code_spec, letter, names)
        self.blocks = blocks_of(code_spec, letter, names)
        self.encode, self.posterior, self.sample_prior = encode, posterior, sample_prior
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
