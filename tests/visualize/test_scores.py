"""Scores of a run as the report shows them."""

import json

import pytest

from dislib_plus import files
from dislib_plus.likelihoods import Bernoulli
from dislib_plus.methods import MSVAE, AnnealedVAE, BetaTCVAE
from dislib_plus.visualize import scores


def evaluation(run, folder, config, results):
    path = run / folder / "results/json"
    path.mkdir(parents=True)
    (path / "evaluation_config.json").write_text(json.dumps(config))
    (path / "evaluation_results.json").write_text(json.dumps(results))


def test_titles_and_rows(tmp_path):
    evaluation(tmp_path, "a", {"evaluation.name": "'mig'", "evaluation.evaluation_fn": "@mig"},
               {"discrete_mig": 0.25, "uuid": "x", "list": [1]})
    for folder, name in (("b", None), ("c", ""), ("d", 5), ("e", "''")):
        evaluation(tmp_path, folder, {"evaluation.name": name}, {"score": 1234.5678, "count": 12345})
    found = dict(scores.score_groups(tmp_path, None))
    ((key, text, meaning),) = found.pop("mig")
    assert (key, text) == ("discrete_mig", "0.25") and meaning.endswith("mean over factors; 0 to 1; higher is better")
    expected = [("score", "1,234.6", ""), ("count", "12,345", "")]
    assert found == {title: expected for title in ("b", "c", "5", "e")}


def test_training_and_disentanglement_libs_number_of_another_meaning(tmp_path):
    (tmp_path / "results/json").mkdir(parents=True)
    values = {"kl": 3.0, "own_term": 1.0, "total_correlation_up_to_constant": -25.1}
    (tmp_path / "results/json/train_results.json").write_text(json.dumps(values))
    evaluation(tmp_path, "a", {"evaluation.name": "'irs'", "evaluation.evaluation_fn": "@irs"},
               {"IRS": 0.5, "num_active_dims": -409.7, "num_active_dims_count": 3})
    found = dict(scores.score_groups(tmp_path, BetaTCVAE(1.0, latents=2, reconstruction=Bernoulli())))
    assert [row[0] for row in found["irs"]] == ["IRS", "num_active_dims_count"]
    assert found["training"][0][2].startswith("KL(q(z|x) || p(z))") and found["training"][1][2] == ""
    assert "less (latents - 1) * log(batch" in found["training"][2][2]


def test_a_first_stage_says_what_its_own_terms_are(tmp_path):
    (tmp_path / "results/json").mkdir(parents=True)
    values = {"kl_loss": 3.0, "stage_one.kl_loss": 4.0, "stage_one.capacity": 5.0, "capacity": 1.0, "global_step": 7}
    (tmp_path / "results/json/train_results.json").write_text(json.dumps(values))
    first = AnnealedVAE(gamma=1.0, c_max=5.0, iteration_threshold=3, latents=2, reconstruction=Bernoulli())
    ((_, rows),) = scores.score_groups(tmp_path, MSVAE(first, reconstruction=Bernoulli()))
    assert [meaning for _, _, meaning in rows] == [
        "KL(q(z|x - Y) || N(0, I)) of Z, second stage, weight 1; nats at least 0",
        "KL(q(z|x) || p(z)) of an observation, weight 1; nats at least 0", "C(t); nats at least 0", "",
        "training steps that are done; at least 0"]


def test_damaged_files_are_named(tmp_path):
    evaluation(tmp_path, "a", {"evaluation.name": ["mig"]}, {})
    with pytest.raises(files.DamagedFile, match="evaluation_config.json is damaged .*evaluation.name must be one text"):
        scores.score_groups(tmp_path, None)
