"""FID of models: which images are compared, the statistics kept on disk, what the result says."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.data import ResidentGrid
from dislib_plus.evaluation.encoding.image_batches import CountedImages
from dislib_plus.evaluation.metrics import fid


def pixels(x):
    """Features by which every pixel counts."""
    return tf.reshape(x, [tf.shape(x)[0], -1])


def coarse(x):
    return tf.reshape(tf.nn.avg_pool2d(x, 2, 2, "VALID"), [tf.shape(x)[0], -1])


def all_images(dataset):
    return dataset.observations(np.arange(dataset.num_observations)).numpy()


def test_images_level_is_the_features_level(grid, tiny_model):
    x = all_images(grid)
    y = tiny_model.reconstruct(tf.constant(x)).numpy()
    expected = fid.fid_from_features(x.reshape(60, -1), y.reshape(60, -1))
    np.testing.assert_allclose(fid.fid_from_images(x, y, pixels, batch_size=7), expected, rtol=1e-6)


def test_perfect_and_shifted_reconstructions(grid, tiny_model):
    tiny_model.reconstruct = lambda x, sample, seed: x
    perfect = fid.compute_fid(grid, tiny_model, np.random.RandomState(0), weights=pixels, sets=["reconstructions"])
    assert abs(perfect["fid_reconstructions"]) < 1e-6
    tiny_model.reconstruct = lambda x, sample, seed: x + 0.5
    shifted = fid.compute_fid(grid, tiny_model, np.random.RandomState(0), weights=pixels, sets=["reconstructions"])
    np.testing.assert_allclose(shifted["fid_reconstructions"], 16 * 0.25, rtol=1e-5)


def test_single_stage_result(grid, tiny_model):
    result = fid.compute_fid(grid, tiny_model, np.random.RandomState(0), weights=pixels, batch_size=16)
    assert {"fid_reconstructions", "fid_prior_samples"} == {key for key in result if key.startswith("fid_")}
    assert result["extractor"] == "pixels" and result["comparable"] is True and result["resize"] is None
    assert result["num_images"] == 60 and result["feature_dimensions"] == 16
    assert all(isinstance(result[f"fid_{name}"], float) for name in ("reconstructions", "prior_samples"))
    again = fid.compute_fid(grid, tiny_model, np.random.RandomState(0), weights=pixels, batch_size=16)
    assert again == result


def test_two_stages_compare_four_sets(grid, two_stages):
    result = fid.compute_fid(grid, two_stages, np.random.RandomState(0), weights=coarse)
    assert {key for key in result if key.startswith("fid_")} == {
        "fid_reconstructions", "fid_prior_samples", "fid_first_stage", "fid_random_z"}
    assert len({result[key] for key in result if key.startswith("fid_")}) == 4


def test_reconstructions_use_sampled_codes(grid, tiny_model):
    calls = []
    tiny_model.reconstruct = lambda x, sample, seed: calls.append((sample, seed)) or x
    fid.compute_fid(grid, tiny_model, np.random.RandomState(0), weights=pixels, sets=["reconstructions"])
    assert calls and all(sample is True and seed is not None for sample, seed in calls)


def features_model(seed):
    keras.utils.set_random_seed(seed)
    image = keras.Input((4, 4, 1))
    return keras.Model(image, keras.layers.Dense(12)(keras.layers.Flatten()(image)))


@pytest.mark.parametrize("num_images", [60, 10])
def test_statistics_of_the_data_are_kept(grid, tiny_model, tmp_path, num_images):
    def run(dataset, weights, **changes):
        counted = CountedImages(dataset)
        arguments = {"num_images": num_images, "sets": ["reconstructions"], "cache_dir": tmp_path, **changes}
        return fid.compute_fid(counted, tiny_model, np.random.RandomState(0), weights=weights, **arguments), counted

    model = features_model(0)
    first, counted = run(grid, model)
    again, counted_again = run(grid, model)
    assert first == again and len(list(tmp_path.iterdir())) == 1
    assert counted.num_handed_out - counted_again.num_handed_out == num_images
    # Another extractor, other images and other pixels under the same name have statistics of their own.
    run(grid, features_model(1))
    run(grid, model, num_images=20)
    assert len(list(tmp_path.iterdir())) == 3
    run(ResidentGrid("tiny_grid", ["a"], [60], grid.images(np.arange(60)).numpy() // 2), model)
    assert len(list(tmp_path.iterdir())) == 4
    # What cannot be identified is not kept.
    run(grid, pixels)
    assert len(list(tmp_path.iterdir())) == 4


def test_kept_in_the_librarys_cache_by_default(grid, tiny_model, tmp_path, monkeypatch):
    monkeypatch.setenv("DISLIB_PLUS_CACHE", str(tmp_path))
    model = features_model(0)
    result = fid.compute_fid(grid, tiny_model, np.random.RandomState(0), weights=model)
    kept = list((tmp_path / "fid").iterdir())
    assert len(kept) == 1
    kept[0].write_bytes(b"damaged")
    with pytest.warns(UserWarning, match="damaged"):
        assert fid.compute_fid(grid, tiny_model, np.random.RandomState(0), weights=model) == result


def test_random_inception_end_to_end(grid, tiny_model):
    result = fid.compute_fid(grid, tiny_model, np.random.RandomState(0), weights="random", resize=75, num_images=6,
                             batch_size=6, sets=["reconstructions"])
    assert result["comparable"] is False and result["resize"] == 75 and result["feature_dimensions"] == 2048
    assert result["fid_reconstructions"] > 0


@pytest.mark.parametrize("arguments, message", [
    ({"sets": ["first_stage"]}, "first_stage"), ({"sets": []}, "some of"), ({"num_images": 1}, "at least 2"),
    ({"num_images": 0}, "num_images must be an integer >= 1; received 0")])
def test_bad_arguments(grid, tiny_model, arguments, message):
    with pytest.raises(ValueError, match=message):
        fid.compute_fid(grid, tiny_model, np.random.RandomState(0), weights=pixels, **arguments)


def test_sets_of_the_wrong_shape_are_refused(grid, tiny_model):
    tiny_model.reconstruct = lambda x, sample, seed: x[:, :2]
    with pytest.raises(ValueError, match="shape"):
        fid.compute_fid(grid, tiny_model, np.random.RandomState(0), weights=pixels)
