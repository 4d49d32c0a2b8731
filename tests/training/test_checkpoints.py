"""Checkpoint files, seeds and run folders."""

import errno
import json
import os
import random
import types
import zipfile

import keras
import ml_dtypes
import numpy as np
import pytest

from dislib_plus import files
from dislib_plus.training import checkpoints, run_seeds

ITERATIONS = [20, 20]


def variables(value=0.0, shapes=((2, 3), (), (4,))):
    return [keras.Variable(np.full(shape, value + i, np.float32), name=f"v{i}") for i, shape in enumerate(shapes)]


def test_round_trip_and_the_last_two_kept(tmp_path):
    store = checkpoints.Checkpoints(tmp_path / "c")
    assert store.newest(ITERATIONS) is None
    for step in (5, 10, 15):
        store.save(0, step, variables(step), 1.0)
    store.save(1, 2, variables(100.0), 2.5)
    assert [path.name for path in store.paths()] == ["stage00-step000000015.npz", "stage01-step000000002.npz"]
    state = store.newest(ITERATIONS)
    assert (state.stage, state.step, state.elapsed_time) == (1, 2, 2.5)
    fresh = variables()
    state.restore(fresh[1:], first=1)
    assert [float(np.max(v.numpy())) for v in fresh] == [0.0, 101.0, 102.0]


def test_other_types_survive(tmp_path):
    kept = [keras.Variable(np.int64(2 ** 40), dtype="int64"), keras.Variable([1.5, 2.0], dtype="bfloat16"),
            keras.Variable([True, False], dtype="bool")]
    checkpoints.Checkpoints(tmp_path).save(0, 1, kept)
    fresh = [keras.Variable(0, dtype="int64"), keras.Variable([0.0, 0.0], dtype="bfloat16"),
             keras.Variable([False, False], dtype="bool")]
    checkpoints.Checkpoints(tmp_path).newest(ITERATIONS).restore(fresh)
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
    damaged = path.read_bytes()
    with pytest.warns(UserWarning, match="step000000002.npz is damaged"):
        assert store.newest(ITERATIONS).step == 1
    assert not path.exists() and path.with_name(f"{path.name}.damaged-1").read_bytes() == damaged
    store.paths()[-1].write_bytes(b"")
    with pytest.warns(UserWarning, match="step000000001.npz is damaged"):
        assert store.newest(ITERATIONS) is None


def test_a_changed_size_is_damage_and_not_too_little_memory(tmp_path):
    store = checkpoints.Checkpoints(tmp_path)
    store.save(0, 1, variables(1.0, ((50, 50, 1, 1),)))
    path = store.paths()[0]
    content = path.read_bytes()
    assert content.count(b"(50, 50, 1, 1), ") == 1
    path.write_bytes(content.replace(b"(50, 50, 1, 1), ", b"(999999999999,),"))
    with pytest.warns(UserWarning, match="is damaged .bytes of 0.npy are changed"):
        assert store.newest(ITERATIONS) is None


def as_npy(path, about):
    path.unlink()
    np.save(path.with_suffix(".npy"), np.zeros(3))
    path.with_suffix(".npy").rename(path)


def as_folder(path, about):
    path.unlink()
    path.mkdir()
    (path / "0.npy").write_text("")


def as_text(path, about):
    path.write_text("some text")


def described(**changes):
    """Function that writes a checkpoint with other facts about it; a value of None leaves one out."""
    def write(path, about):
        about = {key: value for key, value in {**about, **changes}.items() if value is not None}
        np.savez(path, about=np.array(json.dumps(about)), **{str(i): np.zeros(3) for i in range(3)})
    return write


def as_list(path, about):
    np.savez(path, about=np.array("[]"))


@pytest.mark.parametrize("damage, reason", [
    (as_npy, "File is not a zip file"),
    (as_folder, "it is a folder, a pipe or a device and must be a file"),
    (as_text, "File is not a zip file"),
    (as_list, "it does not describe a checkpoint"),
    (described(stage=2), r"its stage must be a number <= 1; received 2"),
    (described(stage="a"), "its stage must be an integer >= 0; received 'a'"),
    (described(step=21), "its step must be a number <= 20; received 21"),
    (described(elapsed_time=None), "its elapsed_time must be a number >= 0; received None"),
    (described(variables=[1]), "it does not name its arrays"),
    (described(variables=[{"path": "v", "dtype": "no_such_type"}]), ".*no_such_type.*"),
])
def test_files_that_are_not_checkpoints(tmp_path, damage, reason):
    store = checkpoints.Checkpoints(tmp_path)
    store.save(0, 1, variables(1.0))
    store.save(0, 2, variables(2.0))
    older, newer = store.paths()
    with np.load(newer) as archive:
        about = json.loads(str(archive["about"]))
    damage(newer, about)
    with pytest.warns(UserWarning, match=rf"step000000002.npz is damaged \({reason}\); .* the one before it is tried"):
        assert store.newest(ITERATIONS).step == 1
    assert store.paths() == [older]
    damage(older, about)
    with pytest.warns(UserWarning, match=rf"damaged \({reason}\); it is kept as .*damaged-1, .* starts anew"):
        assert store.newest(ITERATIONS) is None
    assert not store.paths() and len(list(tmp_path.glob("*.npz.damaged-1"))) == 2


def test_each_damaged_file_is_kept(tmp_path):
    store = checkpoints.Checkpoints(tmp_path)
    for content in (b"first", b"second"):
        (tmp_path / "stage00-step000000005.npz").write_bytes(content)
        with pytest.warns(UserWarning, match="is damaged"):
            assert store.newest(ITERATIONS) is None
    assert sorted(path.read_bytes() for path in tmp_path.iterdir()) == [b"first", b"second"]


@pytest.mark.parametrize("code", [errno.EIO, errno.ESTALE, errno.EMFILE, errno.ENOMEM, errno.EACCES])
@pytest.mark.parametrize("where", ["open", "read", "list"])
def test_a_checkpoint_that_cannot_be_read_now_is_kept(tmp_path, monkeypatch, code, where):
    """Whatever the reader of zip files makes of the error."""
    store = checkpoints.Checkpoints(tmp_path)
    for step in (1, 2):
        store.save(0, step, variables())

    def refuse(*args):
        raise OSError(code, os.strerror(code))

    def opened(path, *args):
        stream = open(path, *args)
        return types.SimpleNamespace(read=refuse, seek=stream.seek, tell=stream.tell, close=stream.close)
    with monkeypatch.context() as patch:
        if where == "list":
            patch.setattr(os, "listdir", refuse)
        else:
            patch.setattr(zipfile.io, "open", {"open": refuse, "read": opened}[where])
        with pytest.raises(OSError, match=rf"could not be read \({os.strerror(code)}\); (run the same|get permission)"):
            store.newest(ITERATIONS)
    assert len(store.paths()) == 2 == len(list(tmp_path.iterdir())) and store.newest(ITERATIONS).step == 2


def test_too_little_memory_says_nothing_of_a_checkpoint(tmp_path, monkeypatch):
    store = checkpoints.Checkpoints(tmp_path)
    store.save(0, 1, variables())

    def full(*args, **kwargs):
        raise MemoryError
    with monkeypatch.context() as patch:
        patch.setattr(np, "load", full)
        with pytest.raises(OSError, match="there is not enough memory"):
            store.newest(ITERATIONS)
    assert store.newest(ITERATIONS).step == 1


def test_disk_full(tmp_path, monkeypatch):
    """What is said of the checkpoint before is true."""
    store = checkpoints.Checkpoints(tmp_path)

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")
    message = r"^Checkpoint .*000000{}.npz could not be written \(No space left on device\); make room .* again. {}$"
    with monkeypatch.context() as patch:
        patch.setattr(files.os, "fsync", full)
        with pytest.raises(OSError, match=message.format("001", "It would have been the first checkpoint.")):
            store.save(0, 1, variables())
    store.save(0, 1, variables())
    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match=message.format("002", "The checkpoint before it stands.")):
        store.save(0, 2, variables())
    assert [path.name for path in tmp_path.iterdir()] == ["stage00-step000000001.npz"]


def test_other_shapes_and_numbers_are_refused(tmp_path):
    store = checkpoints.Checkpoints(tmp_path)
    store.save(0, 1, variables())
    with pytest.raises(ValueError, match=r"shape \(2, 3\), the model's .* has \(3, 2\)"):
        store.newest(ITERATIONS).restore(variables(shapes=((3, 2), (), (4,))))
    with pytest.raises(ValueError, match="has 3 arrays, the model needs 4"):
        store.newest(ITERATIONS).restore(variables(shapes=((2, 3), (), (4,), (1,))))


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
    seeds = run_seeds.run_seeds(5, 2)
    assert seeds.stages[0][0] == first and seeds.evaluation == second
    everything = [seeds.evaluation, seeds.initialization, *seeds.stages[0], *seeds.stages[1]]
    assert len(set(everything)) == 6
    one_stage = run_seeds.run_seeds(5, 1)
    assert one_stage.stages == seeds.stages[:1] and one_stage != run_seeds.run_seeds(6, 1)
    for bad in (-1, 2 ** 32, 1.5, True, "1"):
        with pytest.raises(ValueError, match="model.random_seed must be an integer"):
            run_seeds.run_seeds(bad, 1)


def test_initializers_are_seeded_and_the_generators_put_back():
    random.seed(1)
    np.random.seed(1)
    expected = random.random(), np.random.rand()
    random.seed(1)
    np.random.seed(1)
    kernels = []
    for seed in (3, 3, 4):
        with run_seeds.seeded_initializers(seed):
            layer = keras.layers.Dense(4)
            layer.build((None, 3))
        kernels.append(layer.kernel.numpy())
    assert (random.random(), np.random.rand()) == expected
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert (kernels[0] != kernels[2]).all()
