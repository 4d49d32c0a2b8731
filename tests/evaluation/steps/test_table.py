"""The table of scores: what it shows and what it leaves to the files."""

import io

from dislib_plus.evaluation.steps import table


def printed(scores):
    stream = io.StringIO()
    table.show_scores("a run", scores, stream)
    return stream.getvalue()


def test_scores_without_details_and_bookkeeping():
    text = printed({"mig": {"discrete_mig": 0.123456789, "list": [1, 2], "elapsed_time": 1.25, "uuid": "x"},
                    "fid": {"fid_reconstructions": 20.0, "extractor": "Inception", "comparable": False,
                            "elapsed_time": 3.0},
                    "task": {"10:mean": 0.5, "10:test_accuracy_factor_3": 0.25, "elapsed_time": 0.0}})
    assert "0.12346" in text and "1.2" in text and "Inception" in text and "False" in text and "a run" in text
    assert "uuid" not in text and "list" not in text and "factor_3" not in text
    assert "1 more" in text


def test_long_lists_are_cut_and_a_metric_of_details_only_is_shown():
    text = printed({"many": {**{f"key{number}x": 1.0 for number in range(30)}, "elapsed_time": 0.0},
                    "details": {"mig.factor_0": 0.75, "elapsed_time": 0.0}})
    assert "18 more" in text and "key11x" in text and "key12x" not in text and "mig.factor_0" in text


def test_square_brackets_are_text():
    stream = io.StringIO()
    table.show_scores("x[/b]y[z]", {"[a]": {"[b]": "[/c]", "elapsed_time": 0.0}}, stream)
    assert all(text in stream.getvalue() for text in ("x[/b]y[z]", "[a]", "[b]", "[/c]"))
