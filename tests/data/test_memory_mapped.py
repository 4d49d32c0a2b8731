import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.data import batches
from dislib_plus.data.memory_mapped import MappedGrid, MappedImages, build, map_images

IMAGES = np.random.RandomState(0).randint(0, 256, [12, 5, 4, 3]).astype(np.uint8)
pytestmark = pytest.mark.usefixtures("cache_folder")


def blocks():
    yield IMAGES[:7]
    yield IMAGES[7:]


def test_images_come_back_eagerly_in_a_graph_and_in_tf_data():
    path = build("small", "k", IMAGES.shape, blocks, progress=False)
    data = MappedImages("small", path, IMAGES.shape, labels=np.arange(12))
    np.testing.assert_array_equal(data.images(np.arange(12)).numpy(), IMAGES)
    np.testing.assert_array_equal(tf.function(data.images)(tf.constant([3, 3, 11])).numpy(), IMAGES[[3, 3, 11]])
    assert data.observation_shape == [5, 4, 3] and data.num_observations == 12
    seen = list(batches.training_batches(data, ("x",), 4, seed=1, first_step=0, last_step=5))
    for step, batch in enumerate(seen):
        expected = IMAGES[batches.batch_indices(1, step, 4, 12).numpy()]
        np.testing.assert_allclose(batch["x"].numpy(), expected / 255, rtol=1e-6)


def test_a_grid_knows_its_factors():
    path = build("small", "k", IMAGES.shape, blocks, progress=False)
    data = MappedGrid("small", ["row", "column"], [3, 4], path, [5, 4, 3])
    factors, observations = data.sample(6, np.random.RandomState(0))
    np.testing.assert_allclose(observations, IMAGES[factors[:, 0] * 4 + factors[:, 1]] / np.float32(255), rtol=1e-6)


def test_a_file_is_built_once():
    path = build("small", "k", IMAGES.shape, blocks, progress=False)
    assert build("small", "k", IMAGES.shape, lambda: pytest.fail("built again"), progress=False) == path
    path.write_bytes(b"short")
    assert build("small", "k", IMAGES.shape, blocks, progress=False).stat().st_size == IMAGES.size


def test_wrong_blocks_leave_nothing(cache_folder):
    def failing():
        yield IMAGES[:3]
        raise ValueError("no such picture")

    for source, sentence in [(failing, "no such picture"), (lambda: [IMAGES[:7]], "12 images and has 7"),
                             (lambda: [IMAGES[:, :4]], r"shape \(5, 4, 3\); received uint8 of shape \(4, 4, 3\)"),
                             (lambda: [IMAGES.astype(np.float32)], "received float32")]:
        with pytest.raises(ValueError, match=sentence):
            build("small", "k", IMAGES.shape, source, progress=False)
        assert not list(cache_folder.iterdir())


def test_a_cache_that_cannot_be_written_names_its_variable(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DISLIB_PLUS_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(OSError, match="could not be written .*set the variable DISLIB_PLUS_CACHE to a folder"):
        build("small", "k", IMAGES.shape, blocks, progress=False)

    def unreadable():
        raise FileNotFoundError(2, "No such file or directory", "picture.png")

    monkeypatch.setenv("DISLIB_PLUS_CACHE", str(tmp_path / "cache"))
    with pytest.raises(OSError, match="^((?!CACHE).)*$"):
        build("small", "k", IMAGES.shape, unreadable, progress=False)


def test_too_little_room_is_said_before_anything_is_written(cache_folder, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": IMAGES.size - 1})())
    with pytest.raises(OSError, match="take 7.2e-07 GB in the cache folder, where 7.19e-07 GB are free; .*CACHE"):
        build("small", "k", IMAGES.shape, lambda: pytest.fail("begun"), progress=False)
    assert not cache_folder.exists()


def test_no_images_at_all(cache_folder):
    with pytest.raises(ValueError, match="'small' must have at least one image"):
        build("small", "k", (0, 5, 4, 3), lambda: [], progress=False)
    assert not cache_folder.exists()


def test_a_file_of_another_size_is_refused():
    path = build("small", "k", IMAGES.shape, blocks, progress=False)
    with pytest.raises(ValueError, match="must have 780 bytes.*it has 720"):
        map_images(path, [13, 5, 4, 3])


def test_the_file_is_not_read_into_memory(cache_folder):
    cache_folder.mkdir()
    path = cache_folder / "big.u8"
    with open(path, "wb") as stream:
        stream.truncate(3 * 10 ** 9)
    data = MappedImages("big", path, [10 ** 6, 10, 100, 3])

    def resident():
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) * 1024

    before = resident()
    assert data.images(tf.constant([0, 999_999])).numpy().sum() == 0
    assert resident() - before < 2 * 10 ** 8
