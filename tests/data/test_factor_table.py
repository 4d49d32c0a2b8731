import itertools
import os
import warnings

import h5py
import numpy as np
import pandas as pd
import pytest

from dislib_plus.configuration import Notice
from dislib_plus.data.base import ResidentImages
from dislib_plus.data.factor_table import FactorTable, classes
from dislib_plus.data.table_files import chosen_columns, named_columns, read_table


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
    ("a.csv", b"", "is damaged"),
    ("a.npy", b"no array", "is damaged"),
    ("a.txt", b"1", "must end in .csv, .npy, .npz, .h5, .hdf5"),
    ("a.csv", b"a,b\n1,2,3\n4,5,6\n", "more fields than its first row has names"),
    ("a.csv", b"a,b\n1,2,3\n4,5\n", "more fields than its first row has names"),
    ("a.csv", b"a,b\n1,2\n4,5,6\n", "is damaged"),
    ("a.csv", b"a,b\n1,caf\xe9\n", "is damaged"),
    ("a.h5", b"no array", "is damaged"),
    ("a.csv", b"a,b,a\n1,2,3\n", "it has 2 columns called 'a'"),
    ("a.csv", b"a;b\n1;2\n", "its only column is called 'a;b'; columns must be separated by commas"),
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
    with pytest.raises(ValueError, match="a.npz is damaged"):
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
    with pytest.raises(ValueError, match="a.npy cannot be used: .* holds objects of Python, which are never opened"):
        read_table(tmp_path / "a.npy")


def test_wrong_names_and_shapes():
    with pytest.raises(ValueError, match="must name the 2 factors"):
        named_columns(np.zeros([3, 2]), ["a"])
    with pytest.raises(ValueError, match=r"\[n, K\], one column a factor; received \(3,\); save factors\[:, None\]"):
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


@pytest.mark.parametrize("ending", [".npy", ".npz", ".h5"])
@pytest.mark.parametrize("array, sentence", [
    (np.arange(3), r"must have shape \[n, K\], one column a factor; received \(3,\); save factors\[:, None\]"),
    (np.array([[b"a"], [b"b"]]), r"received bytes \(.S1\); save factors.astype\(str\)"),
    (np.array(3), "is a single number"),
])
def test_arrays_that_are_not_tables(tmp_path, ending, array, sentence):
    path = tmp_path / f"a{ending}"
    if ending == ".h5":
        with h5py.File(path, "w") as archive:
            archive["factors"] = array
    else:
        np.savez(path, factors=array) if ending == ".npz" else np.save(path, array)
    with pytest.raises(ValueError, match=f"table of factors in .*a{ending} cannot be used: .*{sentence}"):
        read_table(path)


@pytest.mark.parametrize("ending", [".npy", ".npz"])
def test_a_table_stored_column_by_column_is_read(tmp_path, ending):
    array = np.asfortranarray(np.arange(6).reshape(3, 2))
    np.savez(tmp_path / "a.npz", factors=array)
    np.save(tmp_path / "a.npy", array)
    assert read_table(tmp_path / f"a{ending}").to_numpy().tolist() == [[0, 1], [2, 3], [4, 5]]


def test_a_column_without_a_name_is_left_out(tmp_path):
    table = pd.DataFrame({"kind": ["sofa", "chair", "sofa"], "size": [1, 2, 3]})
    for path in (tmp_path / "once.csv", tmp_path / "twice.csv"):
        table.to_csv(path)
        table = pd.read_csv(path)  # now with a column called "Unnamed: 0"
    for name, left_out in (("once.csv", 1), ("twice.csv", 2)):
        with pytest.warns(Notice, match="Column 1 of .*csv has no name, .* it is left out") as caught:
            assert list(read_table(tmp_path / name).columns) == ["kind", "size"]
        assert len(caught) == left_out
    pd.DataFrame({"kind": ["sofa"]}).to_csv(tmp_path / "named.csv", index=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_table(tmp_path / "named.csv")


ROWS = pd.DataFrame({"serial": range(7, 13), "file": list("abcdef"), "kind": [1, 1, 1, 2, 2, 2],
                     "size": np.sqrt(range(6))})


@pytest.mark.parametrize("columns, bins, asked", [
    (["kind", "serial"], None, "serial"), (["kind", "serial"], 3, "serial"), (["file"], None, "file"),
    (["file"], 3, "file"), (["kind"], None, None), (["size"], None, "size"), (["size"], 3, None)])
def test_a_column_with_a_value_an_image_is_asked_about(columns, bins, asked):
    if asked is None:
        assert list(chosen_columns(ROWS[columns], None, "arrays.factor_names", bins).columns) == columns
    else:
        with pytest.raises(ValueError, match=f"'{asked}' has another value for each of the 6 images, as a number or a "
                                             "name of the image has; set arrays.factor_names to the columns that"):
            chosen_columns(ROWS[columns], None, "arrays.factor_names", bins)
    assert list(chosen_columns(ROWS, columns, "arrays.factor_names", bins).columns) == columns, "named by the user"


@pytest.mark.parametrize("content, sentence", [
    (",".join(f"c{k}" for k in range(100_000)) + "\n" + ",".join("1" * 100_000), "100000 columns and may have 1000"),
    ("a" * 2 ** 21, "first row has more than 1048576 letters")])
def test_rows_without_end_are_refused(tmp_path, content, sentence):
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(ValueError, match=sentence) as caught:
        read_table(tmp_path / "a.csv")
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("ending", [".csv", ".npy", ".npz", ".h5"])
def test_a_pipe_is_not_opened(tmp_path, ending):
    os.mkfifo(tmp_path / f"a{ending}")
    with pytest.raises(ValueError, match="it is a folder, a pipe or a device and must be a file"):
        read_table(tmp_path / f"a{ending}")
