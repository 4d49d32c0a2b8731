"""Gin, used safely: where files are found, what mistakes are called, what was not used."""

import pathlib
import sys

import gin
import pytest

from dislib_plus import configuration, files

if not gin.config._REGISTRY.matching_selectors("configuration_probe"):
    @gin.configurable(denylist=["hidden"])
    def configuration_probe(alpha=1, beta=2, gamma=gin.REQUIRED, hidden=0):
        return alpha, beta, gamma

    class Base:
        def __init__(self, width=1, **kwargs):
            self.width = width

    @gin.configurable("configuration_child")
    class Child(Base):
        def __init__(self, depth=1, **kwargs):
            super().__init__(**kwargs)
            self.depth = depth


@pytest.fixture
def recipes(tmp_path, monkeypatch):
    """A recipe folder, and another one as the working directory."""
    shipped, here = tmp_path / "shipped", tmp_path / "here"
    for folder in (shipped / "study", here / "mine"):
        folder.mkdir(parents=True)
    (shipped / "base.gin").write_text("configuration_probe.alpha = 5\n")
    (shipped / "study" / "one.gin").write_text("include 'base.gin'\nconfiguration_probe.gamma = 1\n")
    (here / "mine" / "part.gin").write_text("configuration_probe.beta = %number\nnumber = 7\n")
    (here / "mine" / "all.gin").write_text(
        "include 'part.gin'\ninclude 'study/one.gin'\nimport configuration_user_module\n")
    (here / "mine" / "configuration_user_module.py").write_text("VALUE = 3\n")
    monkeypatch.setattr(files, "config_root", lambda: shipped)
    monkeypatch.chdir(here)
    return shipped, here


def test_files_are_found_here_then_among_the_recipes(recipes):
    shipped, here = recipes
    assert configuration.find_gin_file("mine/part.gin") == str(here / "mine" / "part.gin")
    assert configuration.find_gin_file("study/one.gin") == str(shipped / "study" / "one.gin")
    assert configuration.find_gin_file("gin/base.gin") == str(shipped / "base.gin")
    (here / "base.gin").write_text("")
    assert configuration.find_gin_file("base.gin") == str(here / "base.gin")
    with pytest.raises(configuration.ConfigurationError, match="nearest shipped recipes are base.gin"):
        configuration.find_gin_file("bsae.gin")
    with pytest.raises(configuration.ConfigurationError, match="'/nowhere/base.gin' is neither"):
        configuration.find_gin_file("/nowhere/base.gin")


def test_includes_imports_and_order(recipes, caplog):
    shipped, here = recipes
    path = list(sys.path)
    with configuration.configured(["mine/all.gin"], ["configuration_probe.alpha = 6"]) as sources:
        assert configuration_probe() == (6, 7, 1)
        assert sources.files == (str(here / "mine" / "all.gin"),)
        assert sources.imports == ("configuration_user_module",)
        assert sources.python_path == (str(here), str(here / "mine"))
        assert sys.modules["configuration_user_module"].VALUE == 3
    assert sys.path == path and not gin.config_str().strip() and not caplog.records


def test_gin_is_cleared_after_an_error(recipes):
    with pytest.raises(KeyError):
        with configuration.configured(None, ["configuration_probe.alpha = 6"]):
            raise KeyError
    assert not gin.config_str().strip() and not gin.config_is_locked()


@pytest.mark.parametrize("binding, message", [
    ("configuration_porbe.alpha = 1", "nothing is called 'configuration_porbe'; .*configuration_probe"),
    ("configuration_probe.alhpa = 1", "has no parameter 'alhpa'; the nearest known parameters are alpha"),
    ("configuration_probe.hidden = 1", "has no parameter 'hidden'; the nearest known parameters are alpha, beta, gamma"),
    ("configuration_child.dpeth = 1", "has no parameter 'dpeth'; the nearest known parameters are depth"),
    ("scope/configuration_child.wdith = 1", "has no parameter 'wdith'; the nearest known parameters are width"),
    ("configuration_probe.alpha = @configuration_porbe()", "nothing is called 'configuration_porbe'"),
    ("configuration_probe.alpha = (1", "never closed"),
    ("what is this", "gin: "),
    ("import no_such_module_here", "an import failed: No module named 'no_such_module_here'"),
    ("include 'no_such_file.gin'", "no_such_file.gin"),
])
def test_mistakes_in_one_sentence(recipes, binding, message):
    with pytest.raises(configuration.ConfigurationError, match=message) as caught:
        with configuration.configured(None, [binding]):
            pass
    assert "\n" not in str(caught.value) and not gin.config_str().strip()


def test_good_parameters_of_a_base_class():
    with configuration.configured(None, ["configuration_child.depth = 2", "configuration_child.width = 3"]):
        child = gin.get_configurable("configuration_child")()
        assert (child.depth, child.width) == (2, 3)


def test_unused_bindings():
    texts = ["configuration_probe.gamma = 1", "a/configuration_probe.alpha = 2", "b/configuration_probe.beta = 3",
             "a/b/configuration_probe.beta = %number", "number = 3", "other = 4", "configuration_child.depth = 1"]
    with configuration.configured(None, texts):
        assert set(configuration.bindings()) == {text.partition(" = ")[0] for text in texts}
        with gin.config_scope("a/b"):
            assert configuration_probe() == (2, 3, 1)
        assert configuration.unused_bindings() == ["b/configuration_probe.beta", "configuration_child.depth", "other"]


def test_recipes_of_this_checkout():
    root = pathlib.Path(files.config_root())
    assert root.name in ("gin", "recipes")
