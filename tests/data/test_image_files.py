import os
import unicodedata

import gin
import numpy as np
import pytest
from PIL import EpsImagePlugin, Image

from dislib_plus.configuration import ConfigurationError
from dislib_plus.data import dsprites_variants, get_named_ground_truth_data, image_files
from dislib_plus.data.image_files import centre_box, picture_files, read_picture

RANDOM = np.random.RandomState(0)
PICTURE = RANDOM.randint(0, 256, [40, 30, 3]).astype(np.uint8)


def save(path, pixels=PICTURE, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def test_a_picture_of_the_right_size_is_untouched(tmp_path):
    path = save(tmp_path / "a.png", PICTURE[:30])
    np.testing.assert_array_equal(read_picture(path, 30, 3), PICTURE[:30])


def test_the_middle_square_is_cut_out(tmp_path):
    path = save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_picture(path, 20, 3, crop=20), PICTURE[10:30, 5:25])
    np.testing.assert_array_equal(read_picture(path, 10, 3, crop=(3, 7, 13, 17)), PICTURE[7:17, 3:13])
    assert centre_box(178, 218, 178) == (0, 20, 178, 198)
    with pytest.raises(ValueError, match="30x40 pixels, too few for the crop"):
        read_picture(path, 20, 3, crop=32)


def test_grey_palette_and_transparent_pictures(tmp_path):
    grey = np.round(PICTURE[:30] @ [0.299, 0.587, 0.114])
    assert np.abs(read_picture(save(tmp_path / "a.png", PICTURE[:30]), 30, 1)[..., 0] - grey).max() <= 1
    np.testing.assert_array_equal(read_picture(save(tmp_path / "b.png", PICTURE[:30, :, 0]), 30, 3)[..., 2],
                                  PICTURE[:30, :, 0])
    layered = np.concatenate([PICTURE[:30], np.zeros([30, 30, 1], np.uint8)], axis=2)
    assert (read_picture(save(tmp_path / "c.png", layered), 30, 3) == 255).all()


def test_16_bits_a_pixel_become_8(tmp_path):
    wide = PICTURE[:30, :, 0].astype(np.uint16) * 257
    for name in ("a.png", "b.tif"):
        np.testing.assert_array_equal(read_picture(save(tmp_path / name, wide), 30, 1)[..., 0], PICTURE[:30, :, 0])
    np.testing.assert_array_equal(read_picture(save(tmp_path / "c.tif", wide.astype(np.int32)), 30, 3)[..., 1],
                                  PICTURE[:30, :, 0])
    for name, values in (("d.tif", wide / np.float32(65535)), ("e.tif", wide.astype(np.int32) * 100)):
        with pytest.raises(ValueError, match=f"{name} must have 8 or 16 bits a pixel; it has values from"):
            read_picture(save(tmp_path / name, values), 30, 1)


def test_damaged_pictures_are_named(tmp_path):
    path = save(tmp_path / "a.png")
    whole = path.read_bytes()
    for content in (b"", b"text", whole[:200]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="a.png is damaged"):
            read_picture(path, 8, 3)


def test_a_link_to_nothing_is_named(tmp_path, cache_folder):
    save(tmp_path / "flat" / "1.png")
    (tmp_path / "flat" / "2.png").symlink_to(tmp_path / "gone.png")
    with pytest.raises(ValueError, match="2.png is a link to a file that is not there"):
        get_named_ground_truth_data(f"image_folder:{tmp_path / 'flat'}")


@pytest.mark.parametrize("binding, sentence", [
    ("size = '64'", "size must be an integer >= 1; received '64'"), ("size = None", "size must be an integer >= 1"),
    ("size = 2.5", "size must be an integer >= 1"), ("channels = 2", "channels must be one of 1, 3; received 2"),
    ("crop = 'a'", "crop must be an integer >= 1; received 'a'"), ("crop = (0, 0, 5)", "crop must be an integer >= 1"),
    ("crop = 0", "crop must be an integer >= 1"), ("crop = -5", "crop must be an integer >= 1"),
    ("crop = True", "crop must be an integer >= 1"), ("factor_bins = 3", "image_folder.factors, which is not set"),
    ("path = 3", "path must be a path in quotation marks; received 3"),
])
def test_wrong_arguments_are_refused(tmp_path, cache_folder, binding, sentence):
    save(tmp_path / "flat" / "1.png")
    try:
        gin.parse_config([f"image_folder.path = {str(tmp_path / 'flat')!r}", f"image_folder.{binding}"])
        with pytest.raises(ConfigurationError, match=f"image_folder.{sentence}"
                           if "which is not" not in sentence else sentence):
            get_named_ground_truth_data("image_folder", ".")
    finally:
        gin.clear_config()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_as_the_camera_was_held(tmp_path, orientation):
    """Values 1 to 8 of the EXIF tag, by the transposition that the standard says undoes each."""
    upright = RANDOM.randint(0, 256, [6, 6, 3]).astype(np.uint8)
    stored = {1: lambda x: x, 2: np.fliplr, 3: lambda x: np.rot90(x, 2), 4: np.flipud,
              5: lambda x: x.transpose(1, 0, 2), 6: lambda x: np.rot90(x, 1),
              7: lambda x: np.rot90(x.transpose(1, 0, 2), 2), 8: lambda x: np.rot90(x, -1)}[orientation](upright)
    picture = Image.fromarray(np.ascontiguousarray(stored))
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture.save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png", 6, 3), upright)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png", 3, 3, (0, 1, 3, 4)), upright[1:4, :3])


def test_a_pipe_among_the_pictures_is_not_opened(tmp_path, cache_folder):
    save(tmp_path / "flat" / "1.png")
    os.mkfifo(tmp_path / "flat" / "2.png")
    with pytest.raises(ValueError, match="2.png is damaged .it is a folder, a pipe or a device"):
        get_named_ground_truth_data(f"image_folder:{tmp_path / 'flat'}")


def test_no_reader_that_starts_a_program_is_tried(tmp_path, monkeypatch):
    """An EPS file that is called .png: Pillow by itself would have Ghostscript run it."""
    Image.fromarray(PICTURE).save(tmp_path / "a.eps")
    path = (tmp_path / "a.eps").rename(tmp_path / "a.png")
    started = []
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *args, **options: started.append(args))
    for call in (lambda: read_picture(path, 6, 3), lambda: dsprites_variants.read_picture("scream_dsprites", path)):
        with pytest.raises(ValueError, match="a.png is damaged .cannot identify image file"):
            call()
    assert not started


@pytest.mark.parametrize("kind", image_files.FORMATS)
def test_every_format_is_read_whatever_the_name_says(tmp_path, kind):
    Image.fromarray(np.full((6, 6, 3), 255, np.uint8)).save(tmp_path / "a.png", format=kind)
    assert (read_picture(tmp_path / "a.png", 6, 3) > 250).all()


def test_a_picture_of_too_many_pixels_is_one_sentence(tmp_path, monkeypatch):
    save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(ValueError, match="a.png has too many pixels"):
        read_picture(tmp_path / "a.png", 6, 3)


def test_files_are_sorted_and_hidden_ones_left_out(tmp_path):
    for name in ("b/2.png", "b/10.png", "a/1.JPG", ".hidden/3.png", "b/._2.png"):
        save(tmp_path / name)
    (tmp_path / "b" / "notes.txt").write_text("")
    assert [str(path.relative_to(tmp_path)) for path in picture_files(tmp_path)] == ["a/1.JPG", "b/10.png", "b/2.png"]


@pytest.fixture
def folder(tmp_path, cache_folder):
    pixels = {}
    for name in ("zebra/1.png", "ant/2.png", "ant/deep/1.png"):
        pixels[name] = RANDOM.randint(0, 256, [16, 16, 3]).astype(np.uint8)
        save(tmp_path / "pictures" / name, pixels[name])
    return tmp_path, [pixels[name] for name in sorted(pixels)]


def test_a_folder_is_a_data_set(folder, monkeypatch):
    root, pixels = folder
    try:
        gin.parse_config(["dataset.name = 'image_folder'", f"dataset.data_dir = '{root}'",
                          "image_folder.path = 'pictures'", "image_folder.size = 16"])
        data = get_named_ground_truth_data()
        np.testing.assert_array_equal(data.images(np.arange(3)).numpy(), pixels)
        assert data.labels.tolist() == [0, 0, 1] and data.num_factors == 0
        monkeypatch.setattr(image_files, "read_picture", lambda *arguments: pytest.fail("read again"))
        np.testing.assert_array_equal(get_named_ground_truth_data().images(np.arange(3)).numpy(), pixels)
    finally:
        gin.clear_config()


def test_a_folder_by_name_and_without_subfolders(tmp_path, cache_folder):
    save(tmp_path / "flat" / "1.png")
    data = get_named_ground_truth_data(f"image_folder:{tmp_path / 'flat'}")
    assert data.labels is None and data.observation_shape == [64, 64, 3]


def test_missing_and_empty_folders_are_refused(tmp_path, cache_folder):
    with pytest.raises(FileNotFoundError, match="image_folder.path must be a folder; .*nowhere is not one"):
        get_named_ground_truth_data("image_folder:nowhere", str(tmp_path))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="empty has no pictures"):
        get_named_ground_truth_data("image_folder:empty", str(tmp_path))


def test_a_damaged_picture_leaves_no_half_built_file(folder, cache_folder):
    root, _ = folder
    (root / "pictures" / "zebra" / "1.png").write_bytes(b"no")
    with pytest.raises(ValueError, match="zebra/1.png is damaged"):
        get_named_ground_truth_data("image_folder:pictures", str(root))
    assert not list(cache_folder.iterdir())


def test_a_folder_with_a_table_of_factors(folder):
    root, pixels = folder
    rows = {"zebra/1.png": "tall,1", "ant/2.png": "small,1", "ant/deep/1.png": "small,0"}
    try:
        gin.parse_config(["image_folder.path = 'pictures'", "image_folder.size = 16",
                          "image_folder.factors = 'table.csv'"])
        (root / "table.csv").write_text("height,file,light\n" + "".join(
            f"{row.split(',')[0]},{file},{row.split(',')[1]}\n" for file, row in rows.items()))
        data = get_named_ground_truth_data("image_folder", str(root))
        assert data.factor_names == ["height", "light"] and data.factors_num_values == [2, 2]
        assert data.index_to_factors(np.arange(3)).tolist() == [[0, 1], [0, 0], [1, 1]]
        np.testing.assert_array_equal(data.images(np.arange(3)).numpy(), pixels)
        (root / "table.csv").write_text("height,file\n1,ant/2.png\n")
        with pytest.raises(ValueError, match="exactly one row for each picture; 'ant/deep/1.png' has 0 rows"):
            get_named_ground_truth_data("image_folder", str(root))
        (root / "table.csv").write_text("height,file\n1,zebra\\1.png\n2,./ant/2.png\n2,ant\\deep\\1.png\n")
        data = get_named_ground_truth_data("image_folder", str(root))
        assert data.index_to_factors(np.arange(3)).tolist() == [[1], [1], [0]]
        (root / "table.csv").write_text("file\n" + "".join(f"{file}\n" for file in rows))
        with pytest.raises(ValueError, match="at least one column with a factor"):
            get_named_ground_truth_data("image_folder", str(root))
        (root / "table.csv").write_text("height,light\n1,2\n")
        with pytest.raises(ValueError, match="must have a column 'file'"):
            get_named_ground_truth_data("image_folder", str(root))
    finally:
        gin.clear_config()


@pytest.mark.parametrize("on_disk, in_table", [("NFC", "NFD"), ("NFD", "NFC")])
def test_accents_may_be_encoded_in_two_ways(tmp_path, cache_folder, on_disk, in_table):
    for name in ("\u00e9t\u00e9", "hiver"):
        save(tmp_path / "pictures" / f"{unicodedata.normalize(on_disk, name)}.png")
    table = "file,warm\nhiver.png,0\n\u00e9t\u00e9.png,1\n"
    (tmp_path / "table.csv").write_text(unicodedata.normalize(in_table, table), encoding="utf-8")
    try:
        gin.parse_config(["image_folder.factors = 'table.csv'", "image_folder.factor_names = ['warm']"])
        data = get_named_ground_truth_data("image_folder:pictures", str(tmp_path))
    finally:
        gin.clear_config()
    assert data.index_to_factors(np.arange(2)).tolist() == ([[1], [0]] if on_disk == "NFD" else [[0], [1]])
