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
    for missing in ("/nowhere/base.gin", "typo/base.gin"):
        with pytest.raises(configuration.ConfigurationError, match=f"'{missing}' is neither"):
            configuration.find_gin_file(missing)


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


def test_imports_of_bindings_are_known_too(recipes):
    _, here = recipes
    (here / "configuration_bound_module.py").write_text("")
    (here / "imports.gin").write_text("import configuration_user_module\n")
    (here / "configuration_user_module.py").write_text("VALUE = 3\n")
    bindings = ["import configuration_bound_module", "include 'imports.gin'", "configuration_probe.gamma = 1"]
    with configuration.configured(None, bindings) as sources:
        assert set(sources.imports) == {"configuration_bound_module", "configuration_user_module"}
        assert sources.python_path == (str(here),)


def test_a_folder_here_with_the_name_of_a_recipe_folder_is_no_package(recipes):
    """Neither for a file that the recipes have, nor for one that is nowhere."""
    _, here = recipes
    (here / "study").mkdir()
    (here / "including.gin").write_text("include 'study/one.gin'\n")
    with configuration.configured(["including.gin"]):
        assert configuration_probe() == (5, 2, 1)
    with pytest.raises(configuration.ConfigurationError, match="Unable to open file: study/two.gin"):
        with configuration.configured(None, ["include 'study/two.gin'"]):
            pass


def test_files_in_a_python_package(recipes):
    _, here = recipes
    (here / "configuration_package").mkdir()
    (here / "configuration_package" / "__init__.py").write_text("")
    (here / "configuration_package" / "inner.gin").write_text("configuration_probe.gamma = 8\n")
    with configuration.configured(None, ["include 'configuration_package/inner.gin'"]):
        assert configuration_probe() == (1, 2, 8)


def test_text_that_is_bound_later(recipes):
    with configuration.configured(None, ["configuration_probe.gamma = 1"]):
        configuration.bind(["configuration_probe.alpha = 4"], "train.gin")
        assert configuration_probe() == (4, 2, 1)
        with pytest.raises(configuration.ConfigurationError, match="^train.gin is damaged: gin: .*parse"):
            configuration.bind(["configuration_probe.alpha = <object at 0x1>"], "train.gin")
    with pytest.raises(configuration.ConfigurationError, match="^gin: .*parse"):
        with configuration.configured():
            with gin.unlock_config():
                gin.parse_config("configuration_probe.alpha = <object at 0x1>")


def test_files_that_cannot_be_read(recipes):
    _, here = recipes
    (here / "latin.gin").write_bytes("# caf\xe9\n".encode("latin-1"))
    (here / "circle.gin").write_text("include 'mine/back.gin'\n")
    (here / "mine" / "back.gin").write_text("include 'circle.gin'\n")
    for name, message in (("latin.gin", "latin.gin is no UTF-8 text"), ("circle.gin", "circle.gin includes itself")):
        with pytest.raises(configuration.ConfigurationError, match=message) as caught:
            with configuration.configured([name]):
                pass
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("statement, message", [
    ("raise RuntimeError('no\\nlibrary')", "an import failed: RuntimeError: no library"),
    ("undefined_name", "an import failed: NameError: name 'undefined_name' is not defined"),
    ("raise SystemExit", "an import failed: SystemExit"),
    ("def f(): f()\nf()", "an import failed: RecursionError"),
])
def test_modules_that_fail(recipes, statement, message):
    _, here = recipes
    (here / "configuration_failing.py").write_text(statement)
    with pytest.raises(configuration.ConfigurationError, match=message) as caught:
        with configuration.configured(None, ["import configuration_failing"]):
            pass
    assert "\n" not in str(caught.value)


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
    ("configuration_probe.alpha = %lost", "^gin: the macro %lost is used and never defined; add a line lost = VALUE.$"),
    ("what is this", "gin: "),
    ("configuration_probe.alpha = <x>",
     r"^gin: Unable to parse value \(bindings string line 1: configuration_probe.alpha = <x>\).$"),
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
