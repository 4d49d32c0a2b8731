"""Checkpoint files, seeds and run folders."""

import random

import keras
import ml_dtypes
import numpy as np
import pytest

from dislib_plus.training import checkpoints, run_directory, seeding


def variables(value=0.0, shapes=((2, 3), (), (4,))):
    return [keras.Variable(np.full(shape, value + i, np.float32), name=f"v{i}") for i, shape in enumerate(shapes)]


def test_round_trip_and_the_last_two_kept(tmp_path):
    store = checkpoints.Checkpoints(tmp_path / "c")
    assert store.newest() is None
    for step in (5, 10, 15):
        store.save(0, step, variables(step), note="x")
    store.save(1, 2, variables(100.0), note="y")
    assert [path.name for path in store.paths()] == ["stage00-step000000015.npz", "stage01-step000000002.npz"]
    state = store.newest()
    assert (state.stage, state.step, state.facts) == (1, 2, {"note": "y"})
    fresh = variables()
    state.restore(fresh[1:], first=1)
    assert [float(np.max(v.numpy())) for v in fresh] == [0.0, 101.0, 102.0]


def test_other_types_survive(tmp_path):
    kept = [keras.Variable(np.int64(2 ** 40), dtype="int64"), keras.Variable([1.5, 2.0], dtype="bfloat16"),
            keras.Variable([True, False], dtype="bool")]
    checkpoints.Checkpoints(tmp_path).save(0, 1, kept)
    fresh = [keras.Variable(0, dtype="int64"), keras.Variable([0.0, 0.0], dtype="bfloat16"),
             keras.Variable([False, False], dtype="bool")]
    checkpoints.Checkpoints(tmp_path).newest().restore(fresh)
    assert int(fresh[0]) == 2 ** 40 and fresh[1].numpy().dtype == ml_dtypes.bfloat16
    np.testing.assert_array_equal(fresh[1].numpy().astype(float), [1.5, 2.0])
    np.testing.assert_array_equal(fresh[2].numpy(), [True, False])


@pytest.mark.parametrize("where", [0.0, 0.3, 0.6, 0.9, 1.0])
def test_every_kind_of_damage_is_seen(tmp_path, where):
    """One flipped byte anywhere in the arrays, a truncated file, an empty one."""
    store = checkpoints.Checkpoints(tmp_path)
    store.save(0, 1, variables(1.0, ((50, 50),)))
    store.save(0, 2, variables(2.0, ((50, 50),)))
    path = store.paths()[-1]
    content = path.read_bytes()
    place = int(where * 10000) + 200
    damaged = content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1:] if where < 1 else content[:5000]
    path.write_bytes(damaged)
    with pytest.warns(UserWarning, match="step000000002.npz is damaged"):
        assert store.newest().step == 1
    assert not path.exists()
    store.paths()[-1].write_bytes(b"")
    with pytest.warns(UserWarning, match="step000000001.npz is damaged"):
        assert store.newest() is None


def test_other_shapes_and_numbers_are_refused(tmp_path):
    store = checkpoints.Checkpoints(tmp_path)
    store.save(0, 1, variables())
    with pytest.raises(ValueError, match=r"shape \(2, 3\), the model's .* has \(3, 2\)"):
        store.newest().restore(variables(shapes=((3, 2), (), (4,))))
    with pytest.raises(ValueError, match="has 3 arrays, the model needs 4"):
        store.newest().restore(variables(shapes=((2, 3), (), (4,), (1,))))


def test_weights_that_are_not_finite_are_refused(tmp_path):
    store = checkpoints.Checkpoints(tmp_path)
    bad = variables()
    bad[2].assign([0.0, np.nan, 0.0, 0.0])
    with pytest.raises(checkpoints.NonFiniteWeights, match="'v2' are not finite after step 7"):
        store.save(0, 7, bad)
    assert not store.paths()


def test_seeds_follow_dlibs_order_and_differ():
    state = np.random.RandomState(5)
    first, second = state.randint(2 ** 32, size=2, dtype=np.int64)
    seeds = seeding.run_seeds(5, 2)
    assert seeds.stages[0][0] == first and seeds.evaluation == second
    everything = [seeds.evaluation, seeds.initialization, *seeds.stages[0], *seeds.stages[1]]
    assert len(set(everything)) == 6
    assert seeding.run_seeds(5, 1).stages == seeds.stages[:1] and seeding.run_seeds(6, 1) != seeding.run_seeds(5, 1)
    for bad in (-1, 2 ** 32, 1.5, True, "1"):
        with pytest.raises(ValueError, match="model.random_seed must be an integer"):
            seeding.run_seeds(bad, 1)


def test_initializers_are_seeded_and_the_generators_put_back():
    random.seed(1)
    np.random.seed(1)
    expected = random.random(), np.random.rand()
    random.seed(1)
    np.random.seed(1)
    kernels = []
    for seed in (3, 3, 4):
        with seeding.seeded_initializers(seed):
            layer = keras.layers.Dense(4)
            layer.build((None, 3))
        kernels.append(layer.kernel.numpy())
    assert (random.random(), np.random.rand()) == expected
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert (kernels[0] != kernels[2]).all()


def test_clear_removes_what_a_run_writes_only(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "data").write_text("x")
    run = tmp_path / "run"
    (run / "checkpoints").mkdir(parents=True)
    (run / "notes.txt").write_text("mine")
    (run / "results").symlink_to(outside)
    run_directory.RunDirectory(run).clear()
    assert [path.name for path in run.iterdir()] == ["notes.txt"] and (outside / "data").exists()


def test_damaged_record(tmp_path):
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(ValueError, match="run.json is damaged"):
        run_directory.RunDirectory(tmp_path).read()
    with pytest.raises(ValueError, match="model_dir must be a folder"):
        run_directory.RunDirectory("")
