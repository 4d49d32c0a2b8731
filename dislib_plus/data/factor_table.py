"""Images with a table of factors: a full grid in any order, part of a grid, several images a cell, or binned values."""

import numpy as np

from dislib_plus.data.base import GroundTruthData, Images
from dislib_plus.data.fingerprints import contents, of_arrays

MOST_VALUES = 100


def classes(name, values, bins=None):
    """The class 0, 1, ... of each value, in the order of the values.

    Args:
      name: of the factor.
      values: [n] numbers or texts.
      bins: None, or the number of classes with equally many images (as far as equal values allow).

    Returns:
      int64 [n].

    Raises:
      ValueError: more than MOST_VALUES different fractional numbers and no bins, or infinite numbers.
    """
    distinct, numbers = np.unique(np.asarray(values), return_inverse=True)
    if np.issubdtype(distinct.dtype, np.number) and not np.isfinite(distinct).all():
        raise ValueError(f"The factor {name!r} must have finite values; received "
                         f"{distinct[~np.isfinite(distinct)][0]}.")
    if bins is not None and len(distinct) > bins and np.issubdtype(distinct.dtype, np.number):
        edges = np.quantile(values, np.arange(1, bins) / bins)
        return np.unique(np.searchsorted(edges, values, side="right"), return_inverse=True)[1].astype(np.int64)
    if np.issubdtype(distinct.dtype, np.floating) and len(distinct) > MOST_VALUES:
        raise ValueError(f"The factor {name!r} has {len(distinct)} different values; metrics need classes: set "
                         "factor_bins to their number.")
    return numbers.astype(np.int64)


class FactorTable(GroundTruthData, Images):
    """Images addressed by row, each with one value of every factor.

    Where the table is a full grid, factors are drawn as for any grid. Where it is
    not, `sample_factors` draws rows, so factors have the joint distribution of the
    table, and asking for a combination that no image has raises ValueError: metrics
    that hold one factor fixed need a full grid. Where several images share all
    factors, one of them is drawn at random, after the factors.
    """

    def __init__(self, images, table, bins=None):
        """Attaches factors to images.

        Args:
          images: DataSet.
          table: pandas.DataFrame, one row an image, one column a factor.
          bins: see `classes`; for all numeric columns.

        Raises:
          ValueError: no column, another number of rows, or a column with too many values.
        """
        if not len(table.columns):
            raise ValueError("The table of factors must have at least one column with a factor; it is empty.")
        if len(table) != images.num_observations:
            raise ValueError("The table of factors must have one row for each of the "
                             f"{images.num_observations} images; it has {len(table)}.")
        columns = [classes(name, table[name].to_numpy(), bins) for name in table.columns]
        sizes = [int(column.max()) + 1 for column in columns]
        if np.prod(sizes, dtype=float) > 2.0 ** 62:
            raise ValueError(f"The factors have too many combinations ({sizes}); use fewer factors or factor_bins.")
        super().__init__(images.name, [str(name) for name in table.columns], sizes)
        num_cells, self.num_observations = self.num_observations, images.num_observations
        self.observation_shape, self.deterministic = images.observation_shape, images.deterministic
        self.labels, self.splits = images.labels, images.splits
        self._source, self._table = images, np.stack(columns, axis=1)
        cells = self._table @ self._bases
        self._rows = np.argsort(cells, kind="stable")
        self._cells = cells[self._rows]
        num_different = len(np.unique(cells))
        self.is_full_grid = num_different == num_cells
        self._shared = num_different < len(cells)

    def images(self, indices, seed=None):
        return self._source.images(indices, seed)

    def index_to_factors(self, indices):
        """The factors of each row: int64 [n, num_factors]."""
        indices = np.asarray(indices, np.int64)
        if indices.size and (indices.min() < 0 or indices.max() >= self.num_observations):
            raise ValueError(f"indices must lie in 0..{self.num_observations - 1}; received values from "
                             f"{indices.min()} to {indices.max()}.")
        return self._table[indices]

    def _range(self, factors):
        cells = super().factors_to_index(factors)
        first = np.searchsorted(self._cells, cells, side="left")
        count = np.searchsorted(self._cells, cells, side="right") - first
        if (count == 0).any():
            lost = np.asarray(factors)[count == 0]
            raise ValueError(f"{self.name!r} has no image with the factors {lost[0].tolist()} "
                             f"({', '.join(self.factor_names)}; {len(lost)} of {len(count)} combinations asked for are "
                             "missing); use metrics that draw factors jointly (mig, dci, ...), or a full grid.")
        return first, count

    def present(self, factors):
        """Which combinations of factors have an image: bool [n]."""
        return np.isin(super().factors_to_index(factors), self._cells)

    def factors_to_index(self, factors):
        """The first row with each combination of factors; raises ValueError where no row has it."""
        return self._rows[self._range(factors)[0]]

    def sample_factors(self, num, random_state):
        if self.is_full_grid:
            return super().sample_factors(num, random_state)
        return self._table[random_state.randint(self.num_observations, size=num)]

    def sample_indices_from_factors(self, factors, random_state):
        first, count = self._range(factors)
        if self._shared:
            first = first + np.floor(random_state.random_sample(len(first)) * count).astype(np.int64)
        return self._rows[first]


@contents.register(FactorTable)
def _of_table(dataset):
    return contents(dataset._source) + of_arrays(dataset._table)
