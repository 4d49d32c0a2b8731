"""Every number that a metric returns is explained where the metric is defined, and lies in the range that is said."""

import io
import json
import numbers

import pytest

from dislib_plus.cli import evaluate as command
from dislib_plus.evaluation import runner
from dislib_plus.evaluation.metrics import meanings
from dislib_plus.evaluation.metrics.meanings import Meaning, nats, share
from dislib_plus.evaluation.sources import source as sources
from dislib_plus.evaluation.steps import explain, metric_files, table

pytestmark = pytest.mark.usefixtures("own_module")
SMALL = ["fid.weights = 'random'", "fid.resize = 75", "fid.num_images = 20", "dci.num_train = 60",
         "downstream_task.num_train = [20]", "unified_scores.num_train = 60", "fairness.num_train = 60",
         "reduced_downstream_task.num_train = [30]"]


def test_every_key_of_every_metric_is_explained_and_in_its_range(trained, tmp_path):
    """Of all that the model and the data allow; what else is shipped is at least explained."""
    scores = runner.run(sources.from_directory(trained), ["all"], tmp_path, gin_bindings=SMALL, preset="fast")
    assert len(scores) > 25
    for name, values in scores.items():
        config = json.loads((tmp_path / name / "results/json/evaluation_config.json").read_text())
        metric = config["evaluation.evaluation_fn"].lstrip("@")
        for key, value in values.items():
            meaning = meanings.of(metric, key)
            assert meaning is not None, (name, key)
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, numbers.Real) and not isinstance(each, bool):
                    assert meaning.low is None or each >= meaning.low - 1e-6, (name, key, each)
                    assert meaning.high is None or each <= meaning.high + 1e-6, (name, key, each)
    for name in metric_files.metric_names() + metric_files.names_on_request():
        assert explain.explained([name]), name


def test_the_most_exact_pattern_explains_a_key(monkeypatch):
    own = {"l2_{code}": share("any"), "l2_sum_{code}": share("sum"), "a": nats("a")}
    monkeypatch.setitem(meanings.OF_METRIC, "own", own)
    assert [meanings.of("own", key).text for key in ("l2_mean", "l2_sum_mean", "a")] == ["any", "sum", "a"]
    assert meanings.of("own", "xl2_mean") is None and meanings.of("nothing", "a") is None
    assert meanings.of("nothing", "num_images").text == "images looked at"


@pytest.mark.parametrize("meaning, line", [
    (share("gap"), "gap; 0 to 1; higher is better"), (nats("kl", "lower", 0), "kl; nats at least 0; lower is better"),
    (Meaning("IRS", "", None, 1), "IRS; at most 1"), (Meaning("text"), "text")])
def test_one_line(meaning, line):
    assert str(meaning) == line


def test_command(capsys):
    assert command.main(["--explain", "--metrics=irs,dci_lasso"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    for text in ("sum of all values of the codes that vary", "disentanglement", "seconds"):
        assert text in printed
    assert "KL of the anchors" not in printed
    assert command.main(["--explain", "--metrics=irz"]) == 2
    assert "did you mean irs" in capsys.readouterr().err


def test_command_without_names_explains_training_too(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert command.main(["--explain"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    for text in ("sum of all values of the codes that vary", "KL of the anchors alone", "AnchorVAE", "kl_weight",
                 "training steps that are done"):
        assert text in printed


def test_tables_leave_out_the_number_that_is_not_what_its_name_says():
    stream = io.StringIO()
    table.show_scores("a run", {"irs": {"IRS": 0.5, "num_active_dims": -409.7, "num_active_dims_count": 3,
                                        "elapsed_time": 1.0}}, stream)
    assert "num_active_dims_count" in stream.getvalue() and "409" not in stream.getvalue()
