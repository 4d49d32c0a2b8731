import gin
import numpy as np
import pytest
from PIL import Image

from dislib_plus.configuration import ConfigurationError
from dislib_plus.data import get_named_ground_truth_data

pytestmark = pytest.mark.usefixtures("cache_folder")
AZIMUTHS = (11, 23, 104)


@pytest.fixture
def root(tmp_path):
    """Two chairs seen from 2 elevations and 3 azimuths; the grey level of the middle tells the view."""
    for chair in range(2):
        number = 0
        for elevation in range(2):
            for azimuth, angle in enumerate(AZIMUTHS):
                number += 1
                pixels = np.full([600, 600, 3], 255, np.uint8)
                pixels[200:400, 200:400] = 100 * chair + 30 * elevation + 10 * azimuth
                path = tmp_path / "rendered_chairs" / f"{1 - chair}abc" / "renders"
                path.mkdir(parents=True, exist_ok=True)
                name = f"image_{number:03d}_p{20 + 10 * elevation:03d}_t{angle:03d}_r096.png"
                Image.fromarray(pixels).save(path / name)
    return tmp_path


def test_the_views_are_a_grid(root):
    data = get_named_ground_truth_data("chairs", str(root))
    assert data.factor_names == ["object", "elevation", "azimuth"] and data.factors_num_values == [2, 2, 3]
    assert data.observation_shape == [64, 64, 1]
    factors = data.index_to_factors(np.arange(12))
    images = data.images(np.arange(12)).numpy()
    for (chair, elevation, azimuth), image in zip(factors, images):
        assert image[32, 32, 0] == 100 * (1 - chair) + 30 * elevation + 10 * azimuth
        assert image[0, 0, 0] == 255


def test_pixels_are_the_middle_shrunk_with_the_lanczos_filter(root):
    data = get_named_ground_truth_data("chairs", str(root))
    path = root / "rendered_chairs" / "0abc" / "renders" / "image_001_p020_t011_r096.png"
    with Image.open(path) as picture:
        grey = picture.crop((100, 100, 500, 500)).convert("L").resize((64, 64), Image.Resampling.LANCZOS)
    np.testing.assert_array_equal(data.images([0]).numpy()[0, ..., 0], np.asarray(grey))


@pytest.mark.parametrize("binding, sentence", [("size = 'a'", "size must be an integer >= 1; received 'a'"),
                                               ("channels = 2", "channels must be one of 1, 3; received 2")])
def test_wrong_arguments_come_before_missing_files(tmp_path, binding, sentence):
    try:
        gin.parse_config(f"chairs.{binding}")
        with pytest.raises(ConfigurationError, match=f"chairs.{sentence}"):
            get_named_ground_truth_data("chairs", str(tmp_path))
    finally:
        gin.clear_config()


def test_missing_views_and_folders_are_named(root, tmp_path):
    with pytest.raises(FileNotFoundError, match="'chairs' needs the folders of chairs in .*rendered_chairs"):
        get_named_ground_truth_data("chairs", str(tmp_path / "elsewhere"))
    (root / "rendered_chairs" / "1abc" / "renders" / "image_005_p030_t023_r096.png").unlink()
    with pytest.raises(ValueError, match=r"1abc has the pictures \{20: 3, 30: 2\}.*first chair has \{20: 3, 30: 3\}"):
        get_named_ground_truth_data("chairs", str(root))
    for path in (root / "rendered_chairs").glob("*/renders/*_p020_*"):
        path.rename(path.with_name("other_name.png"))
    with pytest.raises(ValueError, match="one number of pictures|has the pictures"):
        get_named_ground_truth_data("chairs", str(root))
