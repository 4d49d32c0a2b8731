"""Whose modules are imported: those that the user names, and not those of a folder that a run happens to lie in."""

import sys

import pytest

from dislib_plus import import_path
from dislib_plus.sentences import ConfigurationError


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Function (text) -> (name of a new module of that text, its folder), which is the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [folder for folder in sys.path if folder != ""])

    def make(text="executed = True"):
        name = f"import_path_module_{len(list(tmp_path.iterdir()))}_{abs(hash(str(tmp_path)))}"
        (tmp_path / f"{name}.py").write_text(text)
        return name, tmp_path
    return make


def test_what_a_run_names_is_not_imported_from_here(module):
    name, folder = module()
    with import_path.python_path([folder]), pytest.raises(ConfigurationError, match=f"needs the module '{name}' .see "
                                                          "run.json., which is not installed; .*--python_path"):
        import_path.import_recorded([name], "run.json")
    assert name not in sys.modules and str(folder) not in sys.path
    sys.path.insert(0, "")  # as in an interactive session
    with pytest.raises(ConfigurationError, match="not installed"):
        import_path.import_recorded([name], "run.json")
    assert name not in sys.modules and sys.path[0] == ""


def test_what_the_user_names_is_imported(module):
    name, folder = module()
    with import_path.python_path([folder], named_by_user=True), import_path.python_path([folder]):
        import_path.import_recorded([name], "run.json")
    assert sys.modules[name].executed and str(folder) not in sys.path
    other, _ = module()
    with import_path.python_path([folder]):
        __import__(other)  # by a gin file of this call
        import_path.import_recorded([other], "run.json")


@pytest.mark.parametrize("text, reason", [
    ("raise SystemExit(0)", "SystemExit: 0"), ("1 / 0", "ZeroDivisionError"), ("raise KeyboardError", "NameError"),
    ("raise ValueError('x' * 10 ** 6)", "ValueError: x{200}[.]{3}"), ("(", "SyntaxError"),
])
def test_modules_that_fail(module, text, reason):
    name, folder = module(text)
    with import_path.python_path([folder], named_by_user=True), \
            pytest.raises(ConfigurationError, match=f"imports '{name}' .see run.json., which fails .{reason}"):
        import_path.import_recorded([name], "run.json")


@pytest.mark.parametrize("name", ["", ".relative", "a..b", "a b", "../a", "a/b", "x" * 10 ** 6 + "-"])
def test_what_is_not_the_name_of_a_module(name):
    with pytest.raises(ConfigurationError, match="run.json names .{,210}, which cannot be a module's name"):
        import_path.import_recorded([name], "run.json")
