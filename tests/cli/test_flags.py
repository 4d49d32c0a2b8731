"""Flags: their forms, their defaults, and what is refused."""

import pytest

from dislib_plus.cli.flags import Flags, UsageError


@pytest.fixture
def flags():
    flags = Flags("dislib_probe", "Probes.")
    flags.string("model_dir", None, "Folder.")
    flags.string("preset", "full", "100% of it, or less.")
    flags.strings("gin_config", "File.")
    flags.boolean("overwrite", False, "Anew.")
    flags.boolean("quick", True, "Quick.")
    flags.integer("count", 3, "Number.")
    return flags


@pytest.mark.parametrize("arguments, expected", [
    ([], {"model_dir": None, "preset": "full", "gin_config": [], "overwrite": False, "quick": True, "count": 3}),
    (["--model_dir=a"], {"model_dir": "a"}), (["--model_dir", "a"], {"model_dir": "a"}),
    (["-model_dir=a"], {"model_dir": "a"}), (["--model_dir=a=b"], {"model_dir": "a=b"}),
    (["--model_dir=a", "--model_dir=b"], {"model_dir": "b"}), (["--model_dir="], {"model_dir": ""}),
    (["--gin_config=a", "--gin_config=b"], {"gin_config": ["a", "b"]}),
    (["--overwrite"], {"overwrite": True}), (["-overwrite"], {"overwrite": True}),
    (["--overwrite=true"], {"overwrite": True}), (["--overwrite=False"], {"overwrite": False}),
    (["--overwrite", "--nooverwrite"], {"overwrite": False}), (["--noquick"], {"quick": False}),
    (["--count=-4"], {"count": -4}), (["--count", "-4"], {"count": -4}),
    (["a", "--overwrite", "b"], {"operands": ["a", "b"], "overwrite": True}),
    (["--count=2", "a", "--", "b"], {"operands": ["a", "b"], "count": 2}),
])
def test_forms(flags, arguments, expected):
    values = vars(flags.read(arguments, operands=True))
    assert {name: values[name] for name in expected} == expected


def test_repeated_flags_begin_anew(flags):
    assert flags.read(["--gin_config=a"]).gin_config == ["a"] and flags.read([]).gin_config == []


@pytest.mark.parametrize("arguments, message", [
    (["--overwrit"], "unknown flag --overwrit. Did you mean: overwrite?"),
    (["--model=a"], "unknown flag --model. Did you mean: model_dir?"), (["--zzz"], "unknown flag --zzz.$"),
    (["--flagfile=/etc/passwd"], "unknown flag --flagfile.$"),
    (["--overwrite=maybe"], "--overwrite must be true or false; received --overwrite=maybe"),
    (["--count=four"], "--count must be an integer; received --count=four"), (["--count"], "--count expected one"),
    (["--count=" + "9" * 10_000], "must be an integer"), (["--preset"], "--preset expected one argument"),
    (["a"], "'a' is not a flag"),
])
def test_refusals(flags, arguments, message):
    with pytest.raises(UsageError, match=message) as caught:
        flags.read(arguments)
    assert len(str(caught.value)) < 300


def test_required(flags):
    flags.string("output_dir", None, "Folder.", required=True)
    for arguments in ([], ["--output_dir="]):
        with pytest.raises(UsageError, match="the flag --output_dir is required"):
            flags.read(arguments)
    assert "(required)" in flags.format_help() and "100% of it" in flags.format_help()
