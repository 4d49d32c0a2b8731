import itertools

import h5py
import numpy as np
import pandas as pd
import pytest

from dislib_plus.data.base import ResidentImages
from dislib_plus.data.factor_table import FactorTable, classes, named_columns, read_table


def images(number):
    """Image i shows the number i."""
    pixels = np.arange(number, dtype=np.uint8)[:, None, None, None]
    return ResidentImages("table", np.tile(pixels, [1, 2, 2, 1]))


def shown(observations):
    return np.rint(observations[:, 0, 0, 0] * 255).astype(int)


def test_a_full_grid_in_any_order():
    cells = np.random.RandomState(0).permutation(list(itertools.product(range(2), range(3), range(4))))
    values = np.stack([np.array([5, 9])[cells[:, 0]], cells[:, 1] * 0.5, cells[:, 2]], axis=1)
    data = FactorTable(images(24), named_columns(values, ["a", "b", "c"]))
    assert data.is_full_grid and data.factors_num_values == [2, 3, 4] and data.factor_names == ["a", "b", "c"]
    np.testing.assert_array_equal(data.index_to_factors(np.arange(24)), cells)
    np.testing.assert_array_equal(data.factors_to_index(cells), np.arange(24))
    factors, observations = data.sample(50, np.random.RandomState(1))
    twin = np.random.RandomState(1)
    np.testing.assert_array_equal(factors, np.stack([twin.randint(size, size=50) for size in (2, 3, 4)], axis=1))
    np.testing.assert_array_equal(cells[shown(observations)], factors)


def test_part_of_a_grid_draws_rows_and_refuses_what_is_missing():
    cells = np.array([[0, 0], [0, 1], [1, 1], [2, 0]])
    data = FactorTable(images(4), named_columns(cells))
    assert not data.is_full_grid and data.num_observations == 4
    factors, observations = data.sample(4000, np.random.RandomState(0))
    np.testing.assert_array_equal(cells[shown(observations)], factors)
    assert np.abs(np.bincount(shown(observations)) / 4000 - 0.25).max() < 0.03
    with pytest.raises(ValueError, match=r"no image with the factors \[1, 0\].*1 of 2 combinations.*full grid"):
        data.sample_observations_from_factors(np.array([[0, 0], [1, 0]]), np.random.RandomState(0))
    with pytest.raises(ValueError, match="must lie in"):
        data.factors_to_index([[3, 0]])


def test_several_images_of_one_combination_are_drawn_equally_often():
    cells = np.array([[0], [1], [0], [0], [1]])
    data = FactorTable(images(5), named_columns(cells))
    drawn = shown(data.sample_observations_from_factors(np.zeros([6000, 1], int), np.random.RandomState(0)))
    np.testing.assert_allclose(np.bincount(drawn, minlength=5) / 6000, [1 / 3, 0, 1 / 3, 1 / 3, 0], atol=0.03)
    assert data.factors_to_index([[0], [1]]).tolist() == [0, 1] and data.is_full_grid


def test_continuous_factors_are_binned_with_equal_counts():
    values = np.random.RandomState(0).exponential(size=200)
    numbers = classes("height", values, bins=4)
    assert np.bincount(numbers).tolist() == [50] * 4
    order = np.argsort(values)
    assert (np.diff(numbers[order]) >= 0).all()
    with pytest.raises(ValueError, match="'height' has 200 different values.*factor_bins"):
        classes("height", values)
    assert classes("kind", np.array(["b", "a", "b"]), bins=4).tolist() == [1, 0, 1]
    assert classes("few", np.array([1.0, 1, 1, 1, 2]), bins=3).tolist() == [0, 0, 0, 0, 1]


def test_the_number_of_rows_must_fit():
    with pytest.raises(ValueError, match="each of the 3 images; it has 2"):
        FactorTable(images(3), named_columns([[0], [1]]))


def test_tables_are_read(tmp_path):
    (tmp_path / "a.csv").write_text("kind, size\nsofa, 1.5\nchair, 2\n")
    table = read_table(tmp_path / "a.csv")
    assert list(table.columns) == ["kind", "size"] and table["kind"].tolist() == ["sofa", "chair"]
    np.save(tmp_path / "a.npy", np.arange(6).reshape(3, 2))
    np.savez(tmp_path / "a.npz", factors=np.arange(6).reshape(3, 2))
    with h5py.File(tmp_path / "a.h5", "w") as archive:
        archive["factors"] = np.arange(6).reshape(3, 2)
    for name in ("a.npy", "a.npz", "a.h5"):
        pd.testing.assert_frame_equal(read_table(tmp_path / name),
                                      pd.DataFrame({"factor 0": [0, 2, 4], "factor 1": [1, 3, 5]}))


@pytest.mark.parametrize("name, content, sentence", [
    ("a.csv", b"a,b\n1,2\n3,\n", "empty cell in row 2, column 'b'"),
    ("a.csv", b"", "cannot be read"),
    ("a.npy", b"no array", "cannot be read"),
    ("a.txt", b"1", "must end in .csv, .npy, .npz, .h5 or .hdf5"),
    ("a.csv", b"a,b\n1,2,3\n4,5,6\n", "more fields than its first row has names"),
    ("a.csv", b"a,b\n1,2,3\n4,5\n", "more fields than its first row has names"),
    ("a.csv", b"a,b\n1,2\n4,5,6\n", "cannot be read"),
    ("a.csv", b"a,b\n1,caf\xe9\n", "cannot be read"),
    ("a.h5", b"no array", "cannot be read"),
])
def test_damaged_tables_are_refused(tmp_path, name, content, sentence):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=sentence):
        read_table(tmp_path / name)
    with pytest.raises(FileNotFoundError, match="is not there"):
        read_table(tmp_path / "missing.csv")


def test_a_cut_archive_is_one_sentence(tmp_path):
    np.savez(tmp_path / "a.npz", factors=np.arange(600).reshape(300, 2))
    (tmp_path / "a.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:900])
    with pytest.raises(ValueError, match="table of factors .*a.npz cannot be read"):
        read_table(tmp_path / "a.npz")


def test_texts_that_look_like_nothing_are_values(tmp_path):
    (tmp_path / "a.csv").write_text("kind,size\nNA,1\nNone,2\nnan,3\n")
    assert read_table(tmp_path / "a.csv")["kind"].tolist() == ["NA", "None", "nan"]


@pytest.mark.parametrize("array, sentence", [
    (np.zeros([3, 2], complex), "real numbers or texts; received complex128"),
    (np.zeros([3, 2], [("a", int)]), "real numbers or texts; received"),
    (np.zeros([3, 0]), "at least one column with a factor"),
    ([[1.0], [np.inf], [2.0]], "'factor 0' must have finite values; received inf"),
])
def test_tables_without_usable_factors_are_refused(array, sentence):
    with pytest.raises(ValueError, match=sentence):
        FactorTable(images(3), named_columns(array), bins=2)


def test_present_combinations():
    data = FactorTable(images(4), named_columns(np.array([[0, 0], [0, 1], [1, 1], [2, 0]])))
    assert data.present([[0, 0], [1, 0], [2, 1], [2, 0]]).tolist() == [True, False, False, True]


def test_pickles_are_never_opened(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[{}]], object), allow_pickle=True)
    with pytest.raises(ValueError, match="cannot be read"):
        read_table(tmp_path / "a.npy")


def test_wrong_names_and_shapes():
    with pytest.raises(ValueError, match="must name the 2 factors"):
        named_columns(np.zeros([3, 2]), ["a"])
    with pytest.raises(ValueError, match=r"\[n, K\]; received \(3,\)"):
        named_columns(np.zeros(3))


def test_codes_are_looked_up_by_row():
    from dislib_plus.evaluation.encoding.code_table import tabulate
    from dislib_plus.evaluation.encoding.sampling import generate_batch_factor_code
    cells = np.array([[0, 0], [0, 1], [1, 1], [2, 0]])
    data = FactorTable(images(4), named_columns(cells))

    def represent(observations):
        return np.asarray(observations).reshape(len(observations), -1)[:, :1]

    direct = generate_batch_factor_code(data, represent, 30, np.random.RandomState(0), 7)
    table = generate_batch_factor_code(*tabulate(data, represent), 30, np.random.RandomState(0), 7)
    for first, second in zip(direct, table):
        np.testing.assert_array_equal(first, second)


def test_rows_outside_the_table_are_refused():
    data = FactorTable(images(4), named_columns([[0], [1], [2], [2]]))
    for row in (-1, 4):
        with pytest.raises(ValueError, match=r"indices must lie in 0..3; received values from"):
            data.index_to_factors([row])
