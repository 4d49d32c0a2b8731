import gin
import numpy as np
import pytest
from PIL import Image

from dislib_plus.configuration import ConfigurationError
from dislib_plus.data import download, get_named_ground_truth_data
from dislib_plus.data.registry import find_source
from dislib_plus.data.sources import state

pytestmark = pytest.mark.usefixtures("cache_folder")


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "celeba" / "img_align_celeba"
    folder.mkdir(parents=True)
    random = np.random.RandomState(0)
    for number in range(1, 6):
        coarse = random.randint(0, 256, [22, 18, 3]).astype(np.uint8)
        picture = Image.fromarray(coarse).resize((178, 218), Image.Resampling.BICUBIC)
        picture.save(folder / f"{number:06d}.jpg", quality=95)
    rows = "".join(f"{number:06d}.jpg {part}\n" for number, part in zip(range(1, 6), (0, 0, 0, 1, 2)))
    (tmp_path / "celeba" / "list_eval_partition.txt").write_text(rows)
    attributes = "".join(f"{number:06d}.jpg  1 -1 {1 - 2 * (number % 2):2d}\n" for number in range(1, 6))
    (tmp_path / "celeba" / "list_attr_celeba.txt").write_text("5\nBald Smiling Young \n" + attributes)
    yield tmp_path
    gin.clear_config()


def expected(root, number, box):
    with Image.open(root / "celeba" / "img_align_celeba" / f"{number:06d}.jpg") as picture:
        return np.asarray(picture.crop(box).resize((64, 64), Image.Resampling.BILINEAR))


def test_the_crop_of_provlae_is_the_default(root):
    data = get_named_ground_truth_data("celeba", str(root))
    assert data.observation_shape == [64, 64, 3] and data.num_observations == 5 and data.num_factors == 0
    images = data.images(np.arange(5)).numpy()
    for number in range(1, 6):
        np.testing.assert_array_equal(images[number - 1], expected(root, number, (15, 45, 163, 193)))


def test_the_middle_square(root):
    gin.bind_parameter("celeba.crop", 178)
    image = get_named_ground_truth_data("celeba", str(root)).images([1]).numpy()[0]
    np.testing.assert_array_equal(image, expected(root, 2, (0, 20, 178, 198)))


def test_splits_and_attributes(root):
    sizes = {split: get_named_ground_truth_data(f"celeba:{split}", str(root)).num_observations
             for split in ("all", "train", "validation", "test")}
    assert sizes == {"all": 5, "train": 3, "validation": 1, "test": 1}
    data = get_named_ground_truth_data("celeba:test", str(root))
    np.testing.assert_array_equal(data.images([0]).numpy()[0], expected(root, 5, (15, 45, 163, 193)))
    assert data.labels.tolist() == [[1, 0, 0]] and data.label_names == ["Bald", "Smiling", "Young"]
    everything = get_named_ground_truth_data("celeba", str(root))
    assert everything.labels[:, 2].tolist() == [0, 1, 0, 1, 0]


def test_what_is_missing_is_named(root, tmp_path):
    (root / "celeba" / "list_eval_partition.txt").unlink()
    with pytest.raises(FileNotFoundError, match="needs .*list_eval_partition.txt.*dislib_download celeba"):
        get_named_ground_truth_data("celeba:test", str(root))
    with pytest.raises(FileNotFoundError, match="dislib_download celeba.*celeba.zip"):
        get_named_ground_truth_data("celeba", str(tmp_path / "elsewhere"))


def test_download_fetches_the_tables_too(root, monkeypatch):
    """Pictures that are here already are not fetched again; the partition and the attributes are."""
    asked = []
    monkeypatch.setattr(download, "fetch", lambda urls, path, checksum, **options: asked.append((path.name, checksum)))
    download.download("celeba", find_source("celeba"), root, progress=False)
    assert asked == [("list_eval_partition.txt", "md5:d32c9cbf5e040fd4025c592c306e6668"),
                     ("list_attr_celeba.txt", "md5:75e246fa4810816ffd6ee81facbd244c")]
    assert state(find_source("celeba"), root) == "here"
    (root / "celeba" / "list_attr_celeba.txt").unlink()
    assert state(find_source("celeba"), root) == "partly here"


def test_broken_tables_and_wrong_arguments_are_refused(root):
    table = root / "celeba" / "list_attr_celeba.txt"
    table.write_text(table.read_text().replace("000003.jpg  1", "000003.jpg  x"))
    with pytest.raises(ValueError, match="is damaged .*download celeba again"):
        get_named_ground_truth_data("celeba", str(root))
    table.write_text("1\nBald\n000001.jpg 1\n")
    with pytest.raises(ValueError, match=r"no row for 000002.jpg \(4 pictures lack one\)"):
        get_named_ground_truth_data("celeba", str(root))
    with pytest.raises(ValueError, match="celeba.split must be one of 'all', 'train'"):
        get_named_ground_truth_data("celeba:dev", str(root))
    for crop in ("tight", True, 0, -5, 2.5):
        gin.bind_parameter("celeba.crop", crop)
        with pytest.raises(ConfigurationError, match=f"'provlae' or a number of pixels; received {crop!r}"):
            get_named_ground_truth_data("celeba", str(root))
    gin.clear_config()
    gin.bind_parameter("celeba.size", "a")
    with pytest.raises(ConfigurationError, match="celeba.size must be an integer >= 1; received 'a'"):
        get_named_ground_truth_data("celeba:train", str(root))


@pytest.mark.parametrize("content, sentence", [
    (b"", "no row for 000001.jpg"), (b"\n", "no row for 000001.jpg"), (b"5\n", "no row for 000001.jpg"),
    (b"\xff\xfe", "is damaged .*download celeba again"),
    (b"".join(b"%06d.jpg\n" % number for number in range(1, 6)), "as many numbers in every row, one or more; .* of 0"),
    (b"".join(b"%06d.jpg %s\n" % (number, b"0 " * number) for number in range(1, 6)), "rows of 1, 2, 3, 4, 5"),
])
def test_broken_partitions_are_one_sentence(root, content, sentence):
    (root / "celeba" / "list_eval_partition.txt").write_bytes(content)
    with pytest.raises(ValueError, match=sentence):
        get_named_ground_truth_data("celeba:train", str(root))


def test_blank_lines_of_a_table_do_no_harm_and_its_head_must_fit(root):
    table = root / "celeba" / "list_attr_celeba.txt"
    whole = table.read_text()
    table.write_text("\n" + whole.replace("\n", "\n\n"))
    assert get_named_ground_truth_data("celeba:test", str(root)).labels.tolist() == [[1, 0, 0]]
    table.write_text(whole.replace("Bald ", ""))
    with pytest.raises(ValueError, match="as many numbers in every row as names in its head"):
        get_named_ground_truth_data("celeba", str(root))


def test_a_split_without_pictures_is_refused(root, cache_folder):
    (root / "celeba" / "img_align_celeba" / "000005.jpg").unlink()
    with pytest.raises(ValueError, match="split 'test' has 0 of the 4 pictures"):
        get_named_ground_truth_data("celeba:test", str(root))
    assert not cache_folder.exists()
