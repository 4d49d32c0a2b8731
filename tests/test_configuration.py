"""Gin, used safely: where files are found, what mistakes are called, what was not used."""

import pathlib
import sys
import warnings

import gin
import pytest

from dislib_plus import configuration, files, gin_internals, gin_reader

if not gin_internals.entries("configuration_probe"):
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
    message = "there is no file 'study/two.gin'; it was looked for in .*here, .*shipped .bindings string"
    with pytest.raises(configuration.ConfigurationError, match=message):
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
    for name, message in (("latin.gin", "latin.gin is not UTF-8 text"), ("circle.gin", "circle.gin includes itself")):
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
    ("configuration_probe.hidden = 1", "has no parameter 'hidden'; the nearest known parameters are alpha, beta"),
    ("configuration_child.dpeth = 1", "has no parameter 'dpeth'; the nearest known parameters are depth"),
    ("scope/configuration_child.wdith = 1", "has no parameter 'wdith'; the nearest known parameters are width"),
    ("configuration_probe.alpha = @configuration_porbe()", "nothing is called 'configuration_porbe'"),
    ("configuration_probe.alpha = (1", "never closed"),
    ("configuration_probe.alpha = %lost", "^gin: the macro %lost is used and never defined; add a line lost = VALUE.$"),
    ("what is this", "gin: "),
    ("configuration_probe.alpha = <x>",
     r"^gin: Unable to parse value \(bindings string line 1: configuration_probe.alpha = <x>\).$"),
    ("configuration_probe.alpha = four", "not a number, .* needs quotes, .*line 1: .*alpha = four"),
    ("configuration_probe.alpha = -x", "needs quotes"),
    ("configuration_probe.alpha = " + "(" * 3000 + "1" + ")" * 3000, "^gin: a value is nested too deep.$"),
    ("configuration_" + "x" * 100_000 + ".alpha = 1", "^gin: nothing is called 'configuration_x{186}...'; .{,500}$"),
    ("configuration_probe." + "x" * 100_000 + " = 1", "has no parameter 'x{200}...'; .{,500}$"),
    ("include '" + "x" * 100_000 + "'", "there is no file 'x{199}...; .{,500}$"),
    ("import no_such_module_here", "an import failed: No module named 'no_such_module_here'"),
    ("include 'no_such_file.gin'", "no_such_file.gin"),
])
def test_mistakes_in_one_sentence(recipes, binding, message):
    with pytest.raises(configuration.ConfigurationError, match=message) as caught:
        with configuration.configured(None, [binding]):
            pass
    assert "\n" not in str(caught.value) and not gin.config_str().strip()


SECRET = "token"


@pytest.mark.parametrize("content, message", [
    (f"password = '{SECRET}' {SECRET}", r"Expected newline \(PATH line 1\).$"),
    (f"a = 1\nPASSWORD={SECRET}", r"needs quotes, .* \(PATH line 2\).$"),
    (f"a = ({SECRET!r},\n", r"never closed \(PATH line \d\).$"),
    (f"a = '{SECRET}\n", r"Unable to parse value \(PATH line 1\).$"),
    (f"a = 1\n  b = '{SECRET}'\n c = 2", r"unindent .* \(PATH line 3\).$"),
    (f"root:{SECRET}:0", r"Expected newline \(PATH line 1\).$"),
    (f"configuration_probe.what = '{SECRET}'", r"has no parameter 'what'.* \(PATH line 1\).$"),
    (f"SHELL=/{SECRET}\0PATH=/{SECRET}", r"\(PATH line 1\).$"),
])
@pytest.mark.parametrize("nested", [False, True])
def test_of_a_file_only_the_line_is_said(recipes, content, message, nested):
    _, here = recipes
    (here / "secret").write_text(content)
    (here / "outer.gin").write_text("include 'secret'")
    with pytest.raises(configuration.ConfigurationError, match=message.replace("PATH", f"{here}/secret")) as caught:
        with configuration.configured(["outer.gin"] if nested else ["secret"]):
            pass
    assert SECRET not in str(caught.value)


def test_the_file_beside_the_including_one_is_first(recipes):
    """As deep as includes go; where the working directory has one of that name too, a notice says which it is."""
    shipped, here = recipes
    for folder, beta in ((here, 77), (here / "mine", 4), (here / "mine/deep", 5)):
        folder.mkdir(exist_ok=True)
        (folder / "base.gin").write_text(f"configuration_probe.beta = {beta}\nconfiguration_probe.gamma = 0\n")
    (here / "mine" / "first.gin").write_text("include 'base.gin'\n")
    (here / "mine" / "deep" / "second.gin").write_text("include 'base.gin'\n")
    (here / "mine" / "outer.gin").write_text("include 'first.gin'\ninclude 'deep/second.gin'\n")
    for name, beta, notices in (("mine/first.gin", 4, 1), ("mine/deep/second.gin", 5, 1), ("mine/outer.gin", 5, 2),
                                ("study/one.gin", 2, 1)):
        with pytest.warns(configuration.Notice, match=f"include 'base.gin' in .* and not {here}/base.gin") as notes:
            with configuration.configured([name]):
                with gin.unlock_config():
                    gin.bind_parameter("configuration_probe.gamma", 0)
                assert configuration_probe()[1] == beta
        assert len(notes) == notices
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with configuration.configured(None, ["include 'base.gin'"]):
            assert configuration_probe()[1] == 77
        (here / "includes.gin").write_text("include 'base.gin'")
        with configuration.configured(["includes.gin"]):
            assert configuration_probe()[1] == 77


def test_a_byte_order_mark_is_skipped(recipes):
    _, here = recipes
    (here / "marked.gin").write_text("configuration_probe.gamma = 3", encoding="utf-8-sig")
    with configuration.configured(["marked.gin"]):
        assert configuration_probe() == (1, 2, 3)


def test_includes_are_bounded(recipes):
    _, here = recipes
    for i in range(25):
        (here / f"double{i}.gin").write_text(f"include 'double{i + 1}.gin'\n" * 2)
    for i in range(601):
        (here / f"deep{i}.gin").write_text(f"include 'deep{i + 1}.gin'\n")
    for name in ("double25", "deep601"):
        (here / f"{name}.gin").write_text("")
    (here / "long.gin").write_text("#" * (gin_reader.LARGEST + 1))
    for name, message in (("double0", "more than 1000 in all"), ("deep0", "nested more than 50 deep"),
                          ("long", "long.gin has 4194305 bytes, more than the 4194304 that are read")):
        with pytest.raises(configuration.ConfigurationError, match=message) as caught:
            with configuration.configured([f"{name}.gin"]):
                pass
        assert len(str(caught.value)) < 600
    with configuration.configured(["deep560.gin", "double17.gin"]):  # within the bounds
        pass


@pytest.mark.parametrize("code, message", [
    ("import gin.tf", "gin.tf does not work with .* in Python write `import gin`"),
    ("import gin.tf.external_configurables", "gin.tf does not work"),
    ("import gin\n@gin.configurable(blacklist=['a'])\ndef f(a): pass", "gin calls blacklist= denylist= now"),
    ("import gin\n@gin.configurable(whitelist=['a'])\ndef f(a): pass", "gin calls whitelist= allowlist= now"),
])
def test_modules_made_for_another_gin(recipes, code, message):
    _, here = recipes
    name = f"configuration_old_{abs(hash(code))}"
    (here / f"{name}.py").write_text(code)
    with pytest.raises(configuration.ConfigurationError, match=message):
        with configuration.configured(None, [f"import {name}"]):
            pass


@pytest.mark.parametrize("binding", [
    "configuration_probe.alpha = four", "include 'nowhere.gin'", "include 'mine/bad.gin'", "what is this", "a = (1"])
def test_the_text_is_checked_before_names_are_known(recipes, binding):
    _, here = recipes
    (here / "mine" / "bad.gin").write_text("include 'worse.gin'")
    (here / "mine" / "worse.gin").write_text("unknown.a = 1\nunknown.b = two")
    (here / "intruder.py").write_text("1 / 0")
    for texts in ([binding], ["import intruder", "unknown.name = @unknown/other()", binding]):
        with pytest.raises(configuration.ConfigurationError, match="^gin: .+[.]$"):
            configuration.check_text(["mine/part.gin"], texts)
    configuration.check_text(["mine/all.gin"], ["import intruder", "unknown.name = %macro", "other:\n  a = 1"])


@pytest.mark.parametrize("binding, near", [
    ("vaee.beta = 4", "vae"), ("model.model = @fator_vae()", "factor_vae"),
    ("a/AdamOptimiser.beta1 = 0", "AdamOptimizer"),
    ("tf.train.AdamOptimzer.beta1 = 0", "AdamOptimizer"), ("datset:\n  name = 'a'", "dataset"),
    ("f.x = [1, {'a': @scope/conv_encodr}]", "conv_encoder"),
])
def test_misspelt_names_are_told_before_names_are_known(binding, near, tmp_path):
    message = f"nothing is called .*; the nearest known names are {near}.* \\(.*line 1"
    with pytest.raises(configuration.ConfigurationError, match=message):
        configuration.check_text(None, [binding])
    (tmp_path / "a.gin").write_text(binding)
    with pytest.raises(configuration.ConfigurationError, match=message):
        configuration.check_text([str(tmp_path / "a.gin")])
    configuration.check_text([str(tmp_path / "a.gin")], ["import of_the_user"])  # which may register the name


def test_parameters_and_data_sets_that_may_be_right_wait_for_the_names():
    """What takes any parameter, Keras's own, a data set that a later binding replaces, one of a macro."""
    configuration.check_text(None, ["vae.name = 'a'", "AdamOptimizer.learning_rte = 1", "dataset.name = 'toy_dsprite'",
                                    "dataset.name = 'toy_dsprites'", "a/dataset.name = 'toy_dsprite'"])
    configuration.check_text(None, ["dataset.name = %toy_dsprite", "toy_dsprite = 'cars3d'"])
    configuration.check_text(None, ["import mine", "vae.betta = 3", "dataset.name = 'toy_dsprite'"])


def test_names_that_are_far_from_all_others_wait_for_the_names():
    configuration.check_text(None, ["qqqqqq.beta = 4", "beta = 4", "also/beta = 5"])


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
