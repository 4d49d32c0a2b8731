"""TAD: an independent twin, known answers, degenerate input, CelebA's kind of labels."""

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score, roc_auc_score

from dislib_plus.evaluation.metrics import tad as module
from dislib_plus.evaluation.metrics.tad import compute_tad, halves, separation, tad

CUBE = np.stack(np.meshgrid([0, 1], [0, 1], [0, 1], indexing="ij"), axis=-1).reshape(-1, 3)


def twin(codes, attributes):
    total, count = 0.0, 0
    for k, attribute in enumerate(attributes.T):
        areas = [roc_auc_score(attribute, column) for column in codes.T]
        areas = sorted(max(area, 1 - area) for area in areas)
        others = [mutual_info_score(attribute, attributes[:, other]) for other in range(attributes.shape[1])
                  if other != k]
        if areas[-1] >= 0.75 and max(others) / mutual_info_score(attribute, attribute) <= 0.2:
            total, count = total + areas[-1] - areas[-2], count + 1
    return total, count


def both(*arguments, **options):
    found = tad(*arguments, **options)
    return found["tad"], found["num_captured_attributes"]


def test_equal_the_twin():
    random_state = np.random.RandomState(0)
    attributes = random_state.randint(2, size=(500, 6))
    attributes[:400, 5] = attributes[:400, 4]
    codes = np.round(attributes[:, :4] @ random_state.normal(size=(4, 5)) + random_state.normal(size=(500, 5)), 1)
    found = both(codes, attributes)
    assert found == pytest.approx(twin(codes, attributes)) and found[1] == 4, "neither of the last two"


def test_known_answers():
    assert both(CUBE * 1.0, CUBE) == (1.5, 3)
    assert both(CUBE ** 3 * -2.0, CUBE) == (1.5, 3)
    assert both(np.column_stack([CUBE, np.zeros(8)]), CUBE) == (1.5, 3)
    assert both(CUBE[:, [0, 1, 2, 0]] * 1.0, CUBE) == (1.0, 3), "a copy takes its attribute's gap"
    assert both(np.zeros((8, 2)), CUBE) == (0, 0)
    assert both(CUBE[:, :1] * 1.0, CUBE) == (0.5, 1), "with one code the second is chance"


def test_equal_attributes_remove_each_other():
    assert both(CUBE * 1.0, CUBE[:, [0, 1, 0]]) == (0.5, 1)


def test_constant_attributes_are_not_captured():
    attributes = np.column_stack([CUBE, np.ones(8, int)])
    found = tad(CUBE * 1.0, attributes)
    assert (found["tad"], found["num_captured_attributes"], found["num_constant_factors"]) == (1.5, 3, 1)
    assert both(CUBE * 1.0, np.ones((8, 2), int)) == (0, 0)


def test_factors_are_cut_into_halves():
    np.testing.assert_array_equal(halves(np.array([[0], [1], [2]])).ravel(), [0, 0, 1])
    np.testing.assert_array_equal(halves(np.array([[5], [7], [8], [9]])).ravel(), [0, 0, 1, 1])
    np.testing.assert_array_equal(halves(CUBE), CUBE)


def test_ties_count_half():
    assert separation(np.array([[0.0], [1.0], [1.0]]), np.array([[0], [0], [1]])) == pytest.approx(0.75)


def test_folds_are_parts_without_a_fold():
    random_state = np.random.RandomState(1)
    attributes = random_state.randint(2, size=(90, 3))
    codes = attributes + random_state.normal(size=(90, 3)) * 0.4
    found = tad(codes, attributes, folds=3, random_state=np.random.RandomState(5))
    folds = np.array_split(np.random.RandomState(5).permutation(90), 3)
    parts = [twin(np.delete(codes, rows, axis=0), np.delete(attributes, rows, axis=0))[0] for rows in folds]
    assert (found["tad"], found["tad_std"]) == pytest.approx((np.mean(parts), np.std(parts)))


class Faces:
    """Eight pictures of one pixel row; three attributes are its brightness."""

    name, num_factors, labels, num_observations, deterministic = "faces", 0, CUBE, 8, True


def test_labels_of_pictures(monkeypatch):
    monkeypatch.setattr(module.image_codes, "of_images", lambda data, model, rows, size, seed: CUBE[rows] * 1.0)
    found = compute_tad(Faces(), type("Model", (), {"represent": None})(), np.random.RandomState(0), num_images=None)
    assert (found["tad"], found["num_captured_attributes"], found["num_images"]) == (1.5, 3, 8)


def test_a_grid_of_factors(grid, tiny_model):
    found = compute_tad(grid, tiny_model, np.random.RandomState(0), num_images=40)
    assert found["num_images"] == 40 and 0 <= found["tad"] <= 1.5


@pytest.mark.parametrize("wrong", [{"threshold": 0.4}, {"largest_redundancy": 2}, {"folds": 9}, {"folds": -1}])
def test_bad_options(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        tad(CUBE * 1.0, CUBE, **wrong)
