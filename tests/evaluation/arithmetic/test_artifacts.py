"""Files that metrics leave beside their scores."""

import numpy as np

from dislib_plus.evaluation.arithmetic import artifacts, matrix_plots


def test_a_name_cannot_lead_out_of_the_folder(tmp_path):
    folder = tmp_path / "a" / "b"
    artifacts.save_arrays(folder, "../../x", values=np.zeros(3))
    matrix_plots.save_matrix_plots(np.random.RandomState(0).rand(4, 2), str(folder), "../../x", ["one", "two"])
    assert len(list(folder.iterdir())) == 4
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path.parent != folder] == []
