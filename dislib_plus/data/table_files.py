"""Tables of factors in files of the user's: CSV, or an array [n, K] in an .npy, .npz or .h5 file."""

import pathlib
import re
import warnings

import numpy as np

from dislib_plus import files
from dislib_plus.configuration import Notice
from dislib_plus.data.hdf5 import h5_array
from dislib_plus.data.npz import npy_array, npz_array
from dislib_plus.sentences import brief, quoted

ARRAYS = {".npy": npy_array, ".npz": npz_array, ".h5": h5_array, ".hdf5": h5_array}
MOST_COLUMNS = 1000
_LONGEST_LINE = 2 ** 20
# How pandas calls a column whose name is empty, and what it writes when such a table is saved again.
_UNNAMED = re.compile(r"Unnamed: \d+(\.\d+)*")


def read_table(path):
    """A table of factors from a .csv (first row: names), .npy, .npz or .h5 (key `factors`) file.

    Returns:
      pandas.DataFrame, one row an image.

    Raises:
      FileNotFoundError: the file is missing.
      ValueError: another kind of file, a damaged one, or empty cells.
    """
    path = pathlib.Path(path)
    if not path.exists():
        raise FileNotFoundError(f"The table of factors {path} is not there.")
    if path.suffix not in (".csv", *ARRAYS):
        raise ValueError(f"The table of factors {path} must end in .csv, {', '.join(ARRAYS)}.")
    table = _read_csv(path) if path.suffix == ".csv" else read_array(path, "factors")
    if table.isna().to_numpy().any():
        row, column = np.argwhere(table.isna().to_numpy())[0]
        raise ValueError(f"The table of factors {path} has an empty cell in row {row + 1}, column "
                         f"{quoted(table.columns[column])}.")
    return table


def read_array(path, key):
    """The array [n, K] called `key` in a file, as a table with the names `factor 0`, `factor 1`, ...

    Raises:
      ValueError: see `named_columns`, `npz.npz_array` and `hdf5.h5_array`.
    """
    try:
        return named_columns(ARRAYS[path.suffix]("factors", path, key).whole())
    except files.DamagedFile:
        raise
    except ValueError as error:
        raise ValueError(f"The table of factors in {path} cannot be used: {error}") from error


def _read_csv(path):
    import pandas as pd  # here, because it takes long and only tables need it
    options = {"index_col": False, "skipinitialspace": True}
    with files.reading(path, "save it again as CSV in UTF-8"):
        with open(path, "rb") as stream:
            if len(stream.readline(_LONGEST_LINE)) == _LONGEST_LINE:
                raise ValueError(f"its first row has more than {_LONGEST_LINE} letters")
        names = pd.read_csv(path, header=None, nrows=1, dtype=str, keep_default_na=False, **options).iloc[0].tolist()
        _check_names(names)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", pd.errors.ParserWarning)
                table = pd.read_csv(path, keep_default_na=False, na_values=[""], low_memory=False, **options)
        except pd.errors.ParserWarning as error:
            raise ValueError("its rows have more fields than its first row has names") from error
    unnamed = [number for number, name in enumerate(names) if _is_unnamed(name)]
    for number in unnamed:
        warnings.warn(f"Column {number + 1} of {path} has no name, as the column of row numbers that pandas writes; it "
                      "is left out. If it is a factor, give it a name.", Notice, stacklevel=3)
    return table.drop(columns=table.columns[unnamed])


def _is_unnamed(name):
    return not name.strip() or _UNNAMED.fullmatch(name) is not None


def _check_names(names):
    """Raises ValueError for a first row of too many names, of equal ones, or of one that should have been several."""
    if len(names) > MOST_COLUMNS:
        raise ValueError(f"it has {len(names)} columns and may have {MOST_COLUMNS}")
    named = [name for name in names if not _is_unnamed(name)]
    twice = [name for name in named if named.count(name) > 1]
    if twice:
        raise ValueError(f"it has {named.count(twice[0])} columns called {quoted(twice[0])}")
    if len(names) == 1 and re.search(r"[;\t|]", names[0]):
        raise ValueError(f"its only column is called {quoted(names[0])}; columns must be separated by commas")


def named_columns(array, names=None):
    """An array [n, K] as a table; the names default to `factor 0`, `factor 1`, ...

    Raises:
      ValueError: not two axes, neither numbers nor texts, or another number of names.
    """
    import pandas as pd
    array = np.asarray(array)
    if array.ndim == 1:
        raise ValueError(f"factors must have shape [n, K], one column a factor; received {array.shape}; save "
                         "factors[:, None] where they are one factor.")
    if array.ndim != 2:
        raise ValueError(f"factors must have shape [n, K]; received {array.shape}.")
    if array.dtype.kind == "S":
        raise ValueError(f"factors must be numbers or texts; received bytes ({array.dtype}); save factors.astype(str).")
    if array.dtype.kind not in "biufU":
        raise ValueError(f"factors must be real numbers or texts; received {array.dtype}.")
    names = [f"factor {k}" for k in range(array.shape[1])] if names is None else list(names)
    if len(names) != array.shape[1]:
        raise ValueError(f"factor_names must name the {array.shape[1]} factors; received {brief(names)}.")
    return pd.DataFrame(dict(zip(names, array.T)))


def chosen_columns(table, names, argument, bins=None):
    """The named columns of a table; all where names is None.

    Args:
      table: pandas.DataFrame.
      names: None, or a list of columns.
      argument: the argument that `names` comes from, for messages.
      bins: as `factor_table.classes`.

    Raises:
      ValueError: unknown names; or a column that looks like a number or a name of each image, where names is None.
    """
    unknown = [name for name in names or () if name not in table.columns]
    if unknown:
        raise ValueError(f"{argument} must be columns of the table ({brief(', '.join(map(str, table.columns)))}); "
                         f"received {brief(', '.join(unknown))}.")
    if names is not None:
        return table[list(names)]
    for name in table.columns:
        if _numbers_the_images(table[name].to_numpy(), bins):
            raise ValueError(f"The column {quoted(str(name))} has another value for each of the {len(table)} images, "
                             f"as a number or a name of the image has; set {argument} to the columns that are factors "
                             "(with this one, if it is a factor).")
    return table


def _numbers_the_images(values, bins):
    """Whether a column has one value an image, which `bins` do not cut: texts, or whole numbers one after the other."""
    distinct = np.unique(values)
    if len(values) < 2 or len(distinct) < len(values):
        return False
    if not np.issubdtype(distinct.dtype, np.number):
        return True
    return bins is None or bool((np.diff(distinct) == 1).all())
