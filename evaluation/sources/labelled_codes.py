"""Codes and factors in arrays, as ground-truth data for metrics that sample."""

import numpy as np

from dislib_plus.sentences import quoted

from ..arithmetic import sample_checks
from ..encoding import code_table as codes_module


class ArrayData:
    """Ground-truth data whose observations are rows of given arrays of codes and factors.

    Factors are the classes 0..m-1 of each column, ascending; `values_of` gives the numbers
    that were handed in. Rows that cover the whole grid once are sampled with the stream of
    the grid itself, so scores are those of the images. Otherwise `sample_factors` takes the
    factors of random rows, which keeps their joint distribution, and observations with given
    factors are drawn among the rows that have exactly these.

    Attributes:
      is_grid: whether every combination of classes has exactly one row.
      rows: sample_checks.RowsByValue where combinations are missing or repeated, else None.
    """

    deterministic = True
    hidden = ()

    def __init__(self, codes, factors, factor_names=None, name="codes", factor_bins=sample_checks.FACTOR_BINS):
        """Arrays, checked.

        Args:
          codes: [n, D].
          factors: [n, K]; whole numbers are classes, other columns are cut into `factor_bins` equal-width bins.
          factor_names: K names, or None.
          name: of the set.
          factor_bins: bins of a continuous factor.

        Raises:
          ValueError: malformed arrays, or another number of names.
        """
        self.codes, self._values = sample_checks.check_codes_and_factors(codes, factors)
        self.factors = sample_checks.class_labels(self._values, factor_bins)
        self.name, self.factor_bins = name, factor_bins
        self.num_observations, self.num_factors = self.factors.shape
        self.factors_num_values = (self.factors.max(axis=0) + 1).tolist()
        self.observation_shape = [1]
        names = [f"factor {k}" for k in range(self.num_factors)] if factor_names is None else factor_names
        if np.shape(names) != (self.num_factors,):
            raise ValueError(f"factor_names must be a list of {self.num_factors} names; received {quoted(names)}.")
        self.factor_names = [str(text) for text in names]
        self.visible = list(range(self.num_factors))
        self._order = np.lexsort(self.factors.T[::-1])
        self._known, numbers = _combinations(self.factors, self.factors_num_values)
        self._starts, self._counts = np.unique(numbers[self._order], return_index=True, return_counts=True)[1:]
        self.is_grid = len(self._starts) == len(self.factors) == np.prod(self.factors_num_values, dtype=np.float64)
        self.rows = None if self.is_grid else sample_checks.RowsByValue(self.factors)

    @property
    def description(self):
        """What results record of the rows: how they are drawn, and the bins of continuous factors."""
        return {"drawn_from": "the whole grid" if self.is_grid else "the rows given, which are not the whole grid",
                "factor_bins": self.factor_bins}

    @property
    def draws_plainly(self):
        """Whether `draw_points` gives the stream of the metrics that draw one point after the other."""
        return self.is_grid

    def draw_points(self, num_points, num_batches, batch_size, random_state):
        """As `codes.IndexedData.draw_points`, where the rows are the whole grid."""
        return codes_module.draw_points(self.factors_num_values, self.visible, self.hidden, num_points, num_batches,
                                        batch_size, random_state)

    def observations_of(self, factors):
        """As `codes.IndexedData.observations_of`, where the rows are the whole grid."""
        return self.sample_observations_from_factors(codes_module.flat_factors(factors), None)

    def lookup(self, observations):
        """Codes [n, D] of observations (row numbers, int64 [n, 1])."""
        return self.codes[np.asarray(observations).reshape(-1)]

    def values_of(self, observations):
        """Factors [n, K] of observations as they were handed in, for metrics that measure them."""
        return self._values[np.asarray(observations).reshape(-1)]

    def sample_factors(self, num, random_state):
        """Factors int64 [num, K], uniform over the grid, or those of random rows."""
        if self.is_grid:
            return np.stack([random_state.randint(size, size=num) for size in self.factors_num_values], axis=1)
        return self.factors[random_state.randint(self.num_observations, size=num)]

    def sample_observations_from_factors(self, factors, random_state):
        """Row numbers int64 [n, 1] of rows with the given factors.

        Raises:
          ValueError: no row has such factors (the file does not hold the whole grid).
        """
        places = self._places(np.asarray(factors))
        if (places < 0).any():
            absent = np.asarray(factors)[np.argmin(places)].tolist()
            raise ValueError(f"{self.name!r} has no row with the factors {absent} (classes counted from 0); this "
                             "metric intervenes on factors and needs codes of every combination that it draws: give "
                             "the whole grid.")
        if self.is_grid:
            return self._order[places][:, np.newaxis]
        offsets = np.floor(random_state.random_sample(len(places)) * self._counts[places]).astype(np.int64)
        return self._order[self._starts[places] + offsets][:, np.newaxis]

    def _places(self, factors):
        """Which of the combinations that occur, in ascending order, each row of factors is: int64 [n]; -1: none."""
        places, present = np.zeros(len(factors), np.int64), np.ones(len(factors), bool)
        for column, size, known in zip(factors.T, self.factors_num_values, self._known):
            numbers = places * size + column
            places = np.minimum(np.searchsorted(known, numbers), len(known) - 1)
            present &= (column >= 0) & (column < size) & (known[places] == numbers)
        return np.where(present, places, -1)

    def sample(self, num, random_state):
        """Factors, and row numbers of observations with them."""
        factors = self.sample_factors(num, random_state)
        return factors, self.sample_observations_from_factors(factors, random_state)

    def sample_observations(self, num, random_state):
        """Row numbers int64 [num, 1] of random rows."""
        return self.sample(num, random_state)[1]


def _combinations(factors, sizes):
    """Numbers the combinations that occur, column by column, so that no number exceeds n times the largest size.

    Returns:
      For each column the known numbers (place of the combination so far * size + class), ascending; and the place of
      each row's whole combination, int64 [n].
    """
    places, known = np.zeros(len(factors), np.int64), []
    for column, size in zip(factors.T, sizes):
        numbers, places = np.unique(places * size + column, return_inverse=True)
        known.append(numbers)
    return known, places
