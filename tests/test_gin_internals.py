"""gin's private names: found, and refused with a sentence where another gin has others."""

import gin
import pytest

from dislib_plus import gin_internals


@gin.configurable("gin_internals_probe", module="tests.probe", denylist=["b"])
def probe(a=1, b=2):
    return a, b


def test_what_is_registered():
    assert "tests.probe.gin_internals_probe" in gin_internals.selectors()
    entry = gin_internals.entry("gin_internals_probe")
    assert entry.wrapped is probe.__wrapped__ and entry.denylist == ["b"] and not entry.allowlist
    assert gin_internals.entry("probe.gin_internals_probe") == entry and gin_internals.entry("nothing") is None
    assert gin_internals.entries("gin_internals_probe") == [entry] and gin_internals.entries("nothing") == []


@pytest.mark.parametrize("name, attribute", [
    ("_REGISTRY", ".items"), ("_FILE_READERS", ".append"), ("ConfigurableReference", ".__deepcopy__")])
def test_another_gin_is_refused(monkeypatch, name, attribute):
    monkeypatch.setattr(gin.config, name, 3)
    with pytest.raises(ImportError, match=rf"gin-config .* has no gin.config.{name}{attribute}, which .* pip install"):
        gin_internals._check()
    monkeypatch.delattr(gin.config, name)
    with pytest.raises(ImportError, match=rf"gin-config .* has no gin.config.{name}, which .* pip install"):
        gin_internals._check()


def test_the_only_reader(tmp_path):
    (tmp_path / "probe.gin").write_text("gin_internals_probe.a = 5")
    before = list(gin.config._FILE_READERS)
    try:
        with gin_internals.only_reader(lambda path: open(tmp_path / path), "probe.gin".__eq__):
            gin.parse_config_file("probe.gin")
            with pytest.raises(IOError):
                gin.parse_config_file(str(tmp_path / "probe.gin"))
        assert probe()[0] == 5
    finally:
        gin.clear_config()
    assert gin.config._FILE_READERS == before


def test_what_gin_was_making():
    @gin.configurable("gin_internals_broken", module="tests.probe")
    def broken():
        raise ValueError("broken")

    try:
        gin.parse_config("gin_internals_probe.a = @gin_internals_broken()")
        with pytest.raises(ValueError) as caught:
            probe()
    finally:
        gin.clear_config()
    assert [repr(reference) for reference in gin_internals.references(caught.value)] == ["@gin_internals_broken()"]
    assert gin_internals.references(ValueError()) == []
