"""Loading .keras files: what is damaged, classes whose module is not known, and code that is not executed."""

import errno
import json
import os
import zipfile

import keras
import numpy as np
import pytest

from dislib_plus import configuration, import_path, saved_models
from dislib_plus.configuration import ConfigurationError
from dislib_plus.methods import BetaVAE


@pytest.fixture
def model_file(tmp_path):
    model = BetaVAE(latents=2)
    model.build((None, 16, 16, 1))
    model.save(tmp_path / "model.keras")
    return tmp_path / "model.keras"


def test_a_whole_file(model_file):
    assert saved_models.load_model(model_file).represent(np.zeros((3, 16, 16, 1), np.float32)).shape == (3, 2)


def rewrite(path, change):
    content = bytearray(path.read_bytes())
    path.write_bytes(change(content))


def flip(content):
    content[200:260] = bytes(60)
    return content


NO_ZIP = "is damaged .File is not a zip file.; save the model again"


@pytest.mark.parametrize("change, message", (
    (lambda content: b"", NO_ZIP), (lambda content: content[:len(content) // 2], NO_ZIP),
    (lambda content: b"words", NO_ZIP), (flip, "is damaged")))
def test_a_damaged_file(model_file, change, message):
    rewrite(model_file, change)
    with pytest.raises(ValueError, match=message) as caught:
        saved_models.load_model(model_file)
    assert str(model_file) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("code", [errno.EIO, errno.ESTALE, errno.EMFILE])
def test_a_file_that_cannot_be_read_now_is_not_damaged(model_file, monkeypatch, code):
    def refuse(*args):
        raise OSError(code, os.strerror(code))
    with monkeypatch.context() as patch:
        patch.setattr(zipfile.io, "open", refuse)
        with pytest.raises(OSError, match=rf"model.keras could not be read .{os.strerror(code)}.; run the same"):
            saved_models.load_model(model_file)
    saved_models.load_model(model_file)


def test_another_archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(ValueError, match="cannot be loaded"):
        saved_models.load_model(tmp_path / "model.keras")


@pytest.mark.parametrize("record", ("", "[]", "null", '{"imports": 3, "python_path": []}', "{}"))
def test_a_damaged_record_beside_it(model_file, record):
    (model_file.parent / "run.json").write_text(record)
    with pytest.raises(ValueError, match="run.json is damaged"):
        saved_models.load_model(model_file)


def test_a_module_that_is_gone(model_file):
    (model_file.parent / "run.json").write_text('{"imports": ["gone_module"], "python_path": []}')
    with pytest.raises(ConfigurationError, match="needs the module 'gone_module' .see .*run.json., .*--python_path"):
        saved_models.load_model(model_file)


def test_code_in_the_folder_of_a_run_is_not_executed(model_file, monkeypatch):
    """Not even where the folder is the working directory, and gin files of this call lie in it."""
    folder = model_file.parent
    (folder / "saved_models_intruder.py").write_text("raise AssertionError('executed')")
    (folder / "run.json").write_text(json.dumps({"imports": ["saved_models_intruder"], "python_path": [str(folder)]}))
    (folder / "a.gin").write_text("")
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend("")
    with configuration.configured([str(folder / "a.gin")]), \
            pytest.raises(ConfigurationError, match="needs the module 'saved_models_intruder'"):
        saved_models.load_model(model_file)
    with import_path.python_path([folder], named_by_user=True), \
            pytest.raises(ConfigurationError, match="which fails .AssertionError: executed"):
        saved_models.load_model(model_file)


def test_lambdas_are_not_executed(tmp_path):
    image = keras.Input((2,))
    keras.Model(image, keras.layers.Lambda(lambda x: x + 1)(image)).save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match="cannot be loaded .*(safe_mode|Lambda)"):
        saved_models.load_model(tmp_path / "model.keras")


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="The model file .*model.keras. does not exist"):
        saved_models.load_model(tmp_path / "model.keras")
