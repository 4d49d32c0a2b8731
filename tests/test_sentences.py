"""Parts of messages."""

import pytest

from dislib_plus import sentences


@pytest.mark.parametrize("value, shown", [
    ("a\n  b", "a b"), (4.5, "4.5"), (["a"], "['a']"), ("x" * 201, "x" * 200 + "..."), ("x" * 200, "x" * 200),
])
def test_brief(value, shown):
    assert sentences.brief(value) == shown


def test_what_has_no_text_is_named_by_its_type():
    nested = []
    for _ in range(100_000):
        nested = [nested]
    assert sentences.brief(nested) == "a value of type list"
    assert sentences.brief(10 ** 10_000) == "a value of type int"


def test_quoted_texts_are_cut_too():
    assert sentences.quoted("a") == "'a'"
    assert sentences.quoted("x" * 10 ** 6) == "'" + "x" * 199 + "..."


def test_nearest_names():
    known = ["mig", "mig_sup", "fid", "Adam"]
    assert sentences.nearest("MIG", known)[0] == "mig"
    assert sentences.nearest("adan", known) == ["Adam"]
    assert sentences.nearest("q" * 10 ** 6, known) == []
