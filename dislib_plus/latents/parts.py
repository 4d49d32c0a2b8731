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
      prior_mean, prior_stddev: of a Gaussian unit, marginals of the prior.
    """

    name: str
    kind: str
    start: int
    stop: int
    prior_mean: float = 0.0
    prior_stddev: float = 1.0

    def at(self, deviations):
        """Values that lie so many standard deviations of the prior from its mean."""
        return self.prior_mean + self.prior_stddev * np.asarray(deviations)

    def deviations(self, values):
        """How many standard deviations of the prior values lie from its mean."""
        return (values - self.prior_mean) / self.prior_stddev


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


def units_of(code_spec, letter, names=None, marginals=None):
    """The latent variables of a code, in the order of the columns.

    Args:
      code_spec, letter, names: as `group_names`.
      marginals: (mean, standard deviation) of the prior of each Gaussian unit; None: N(0, 1).
    """
    units, start, number = [], 0, itertools.count()
    several = has_blocks(code_spec)
    priors = itertools.repeat((0.0, 1.0)) if marginals is None else iter(marginals)
    for (kind, size), group in zip(code_spec, group_names(code_spec, letter, names)):
        widths = [1] * size if kind == "normal" else [size]
        for place, width in enumerate(widths):
            own = group if kind == "categorical" else f"{group}_{place}" if several else f"{letter}{next(number)}"
            units.append(Unit(own, kind, start, start + width, *(next(priors) if kind == "normal" else ())))
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
      sample_prior: (count, stateless seed) -> codes [count, size] of the prior.
    """

    def __init__(self, letter, latents, encode, posterior, anchor, render):
        """Args:
          letter: first letter of the Gaussian units' names.
          latents: LatentSpec of its columns.
          encode: images [n, ...] -> code [n, size].
          posterior: images -> TFP distribution; None: the model has none.
          anchor: images -> dict of tensors [n, ...], what stays fixed while this part varies.
          render: (code, anchor rows) -> list of (label, images in [0, 1]).
        """
        self.letter, self.code_spec = letter, latents.code_spec
        self.units = units_of(latents.code_spec, letter, latents.names, latents.prior_marginals())
        self.blocks = blocks_of(latents.code_spec, letter, latents.names)
        self.encode, self.posterior, self.sample_prior = encode, posterior, latents.sample_prior
        self._anchor, self._render = anchor, render

    def from_prior(self, mean, stddev):
        """Gaussian posteriors in units of the prior's marginals, so that their KL to N(0, 1) is that to the prior.

        Args:
          mean, stddev: [n, number of Gaussian units].
        """
        units = [unit for unit in self.units if unit.kind == "normal"]
        if all(unit.prior_mean == 0.0 and unit.prior_stddev == 1.0 for unit in units):
            return mean, stddev
        own_mean, own_stddev = np.array([(unit.prior_mean, unit.prior_stddev) for unit in units], np.float32).T
        return (mean - own_mean) / own_stddev, stddev / own_stddev

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
