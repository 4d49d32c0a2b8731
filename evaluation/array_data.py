"""Codes and factors in arrays, as ground-truth data for metrics that sample."""

import numpy as np

from . import arrays


class ArrayData:
    """Ground-truth data whose observations are rows of given arrays of codes and factors.

    Rows that cover the whole grid once are sampled with the stream of the grid itself,
    so scores are those of the images. Otherwise `sample_factors` takes the factors of
    random rows, which keeps their joint distribution, and observations with given
    factors are drawn among the rows that have exactly these.
    """

    deterministic = True

    def __init__(self, codes, factors, factor_names=None, name="codes"):
        """Args: codes: [n, D]; factors: whole numbers [n, K]; factor_names: K names, or None; name: of the set.

        Raises:
          ValueError: malformed arrays, factors that are not whole numbers, or another number of names.
        """
        self.codes, factors = arrays.check_codes_and_factors(codes, factors)
        if (factors != np.floor(factors)).any() or factors.min() < 0:
            raise ValueError("factors must be whole numbers of at least 0, the class of each row; bin continuous "
                             "factors first, or call the metric's function on the arrays.")
        self.factors = factors.astype(np.int64)
        self.name = name
        self.num_factors = self.factors.shape[1]
        self.num_observations = len(self.factors)
        self.factors_num_values = (self.factors.max(axis=0) + 1).tolist()
        self.observation_shape = [1]
        names = [f"factor {k}" for k in range(self.num_factors)] if factor_names is None else factor_names
        self.factor_names = [str(text) for text in names]
        if len(self.factor_names) != self.num_factors:
            raise ValueError(f"factor_names must have {self.num_factors} entries; received {self.factor_names}.")
        self._order = np.lexsort(self.factors.T[::-1])
        self._keys, self._starts, self._counts = np.unique(
            self.factors[self._order], axis=0, return_index=True, return_counts=True)
        self._is_grid = len(self._keys) == len(self.factors) == np.prod(self.factors_num_values, dtype=np.float64)
        self._position = {tuple(key): place for place, key in enumerate(self._keys.tolist())}

    def lookup(self, observations):
        """Codes [n, D] of observations (row numbers, int64 [n, 1])."""
        return self.codes[np.asarray(observations).reshape(-1)]

    def sample_factors(self, num, random_state):
        """Factors int64 [num, K], uniform over the grid, or those of random rows."""
        if self._is_grid:
            return np.stack([random_state.randint(size, size=num) for size in self.factors_num_values], axis=1)
        return self.factors[random_state.randint(self.num_observations, size=num)]

    def sample_observations_from_factors(self, factors, random_state):
        """Row numbers int64 [n, 1] of rows with the given factors.

        Raises:
          ValueError: no row has such factors (the file does not hold the whole grid).
        """
        places = [self._position.get(tuple(row)) for row in np.asarray(factors).tolist()]
        if None in places:
            absent = np.asarray(factors)[places.index(None)].tolist()
            raise ValueError(f"{self.name!r} has no row with the factors {absent}; this metric intervenes on factors "
                             "and needs codes of every combination that it draws: give the whole grid.")
        if self._is_grid:
            return self._order[self._starts[places]][:, None]
        counts = self._counts[places]
        offsets = np.floor(random_state.random_sample(len(places)) * counts).astype(np.int64)
        return self._order[self._starts[places] + offsets][:, None]

    def sample(self, num, random_state):
        """Factors, and row numbers of observations with them."""
        factors = self.sample_factors(num, random_state)
        return factors, self.sample_observations_from_factors(factors, random_state)

    def sample_observations(self, num, random_state):
        """Row numbers int64 [num, 1] of random rows."""
        return self.sample(num, random_state)[1]
