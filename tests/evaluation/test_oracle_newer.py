"""Equality with the scores that other laboratories' code gives to closed-form points (`oracle/scores_newer.json`)."""

import hashlib

import numpy as np
import pytest

from dislib_plus.evaluation.metrics import (
    dci_es,
    infomec,
    jemmig,
    mcc,
    minimality_sufficiency,
    omes,
    r2,
    rmig_posterior,
    tad,
)
from support import newer_oracle as oracle

pytestmark = pytest.mark.skipif(not oracle.content()["records"],
                                reason=f"the oracle is not at {oracle.ORACLE}; set DISLIB_SHARED")


def cases(*metrics, slow=lambda record: False):
    few = ("rotation", "merged", "dead")
    return [pytest.param(record, id=oracle.name(record), marks=pytest.mark.slow
                         if slow(record) or record["num"] > 1000 and record["representation"] not in few else ())
            for record in oracle.records(*metrics)]


def hashed(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def test_inputs():
    """The points, the test points, the pairs and the attributes are the recorded bytes."""
    for name, recorded in oracle.content()["inputs"].items():
        dataset, representation, _ = name.split("/")
        if representation == "quantized" or recorded["num"] != 1000:
            continue
        record = {"dataset": dataset, "representation": representation, "num": 1000, "seed": 0,
                  "parameters": {"attributes": "halves"}}
        parts = oracle.points(record, recorded.get("num_test", 500))
        for key, part in zip(("codes", "factors", "test_codes", "test_factors"), parts):
            if f"sha256_{key}" in recorded:
                assert hashed(part) == recorded[f"sha256_{key}"], (name, key)
        assert hashed(oracle.attributes(record, parts[1])) == recorded["sha256_attributes_halves"]


GAPS = {"jemmig": jemmig.jemmig, "rmig": jemmig.rmig, "dcimig": jemmig.dcimig}


@pytest.mark.parametrize("record", cases(*GAPS, *(f"{name}_discrete" for name in GAPS)))
def test_gaps_of_information(record):
    name = record["metric"].removesuffix("_discrete")
    scores = GAPS[name](*oracle.points(record), continuous_factors=record["parameters"]["continuous_factors"])
    expected = oracle.expected(record)
    assert scores[name] == pytest.approx(expected["score" if name != "rmig" else "by_factor_entropy"], abs=1e-9)


@pytest.mark.parametrize("record", cases("min_suf"))
def test_minimality_and_sufficiency(record):
    scores, expected = minimality_sufficiency.minimality_sufficiency(*oracle.points(record)), oracle.expected(record)
    for key in ("minimality", "sufficiency"):
        assert scores[key] == pytest.approx(expected[key], abs=1e-9)


@pytest.mark.parametrize("record", cases("tad", "tad_halves_plus"))
def test_tad(record):
    codes, factors = oracle.points(record)
    scores, expected = tad.tad(codes, oracle.attributes(record, factors)), oracle.expected(record)
    assert scores["tad"] == pytest.approx(expected["tad"], abs=1e-6)
    assert scores["num_captured_attributes"] == expected["num_captured"]


@pytest.mark.parametrize("record", cases("mcc_pearson", "mcc_spearman", "mcc_pearson_coverage"))
def test_mcc(record):
    scores, expected = mcc.mcc(*oracle.points(record), record["parameters"]["method"]), oracle.expected(record)
    for key in {"mcc", "mcc_coverage"} & set(expected):
        assert scores[key] == pytest.approx(expected[key], abs=1e-9)


@pytest.mark.parametrize("record", cases("mcc_pearson_crossfit"))
def test_cross_fitted_mcc(record):
    """Its reference permutes the points by NumPy's newer generator."""
    scores = mcc.mcc(*oracle.points(record), folds=5, random_state=np.random.default_rng(record["seed"]))
    assert scores["mcc_cross_fitted"] == pytest.approx(oracle.expected(record)["mcc"], abs=1e-9)


@pytest.mark.parametrize("record", cases("r2_linear"))
def test_linear_r2_in_sample(record):
    codes, factors = oracle.points(record)
    assert r2.r2(codes, factors, codes, factors)["r2_test"] == pytest.approx(record["scores"]["r2"], abs=1e-9)


@pytest.mark.parametrize("features, tolerance", [("linear", 1e-9), ("quadratic", 1e-6)])
@pytest.mark.parametrize("record", cases("probes_r2"))
def test_probes(record, features, tolerance):
    scores, expected = r2.r2(*oracle.points(record, record["num"] // 2), features), record["scores"]
    for part in ("train", "test"):
        assert scores[f"r2_{part}"] == pytest.approx(expected[f"{features}_r2_{part}_mean"], abs=tolerance)
    per_factor = [scores[f"r2_test.factor_{k}"] for k in range(len(expected[f"{features}_r2_test"]))]
    np.testing.assert_allclose(per_factor, expected[f"{features}_r2_test"], rtol=0, atol=tolerance)


@pytest.mark.parametrize("record", cases("omes"))
def test_omes(record):
    """The reference rounds M and the score to four digits."""
    sides, expected = oracle.pairs(record), oracle.expected(record)
    for pooling in record["parameters"]["pooling"]:
        for alpha in record["parameters"]["alphas"]:
            score = omes.omes_of_pairs(*sides, alpha, pooling)["omes"]
            assert score == pytest.approx(expected[f"{pooling}_alpha{alpha}"], abs=1e-4), (pooling, alpha)


INFOMEC = {"infomec": ("range_20", False), "infomec_discrete": ("range_20", True),
           "infomec_tripod": ("iqr_10", False), "infomec_tripod_discrete": ("iqr_10", True)}


@pytest.mark.parametrize("record", cases(*INFOMEC, slow=lambda record: record["dataset"] == "cars3d_like"
                                         and record["representation"] not in ("rotation", "merged", "all_dead")))
def test_infomec(record):
    """By sorting; the records are by scikit-learn's neighbours, whose rounding moves tied codes."""
    (prune, discrete), expected = INFOMEC[record["metric"]], oracle.expected(record)
    scores = infomec.infomec(*oracle.points(record), discrete, prune)
    tied = record["representation"] not in ("rotation", "noise", "vae_like10", "random")
    tolerance = 1e-9 if discrete else 0.02 if tied else 4e-3
    assert scores["infom"] == pytest.approx(expected["infom"], abs=tolerance)
    if scores["num_unknown_factors"] == 0 and record["representation"] not in ("missing", "scales", "merged"):
        assert scores["infoc"] == pytest.approx(expected["infoc"], abs=tolerance)
    if "infoe" in expected:
        stopped = any("Convergence" in text for text in record["warnings"])
        assert scores["infoe"] == pytest.approx(expected["infoe"], abs=0.02 if stopped else 1e-3)
    if "active_latents" in expected:
        assert scores["num_active_latents"] == sum(expected["active_latents"])


@pytest.mark.parametrize("record", [pytest.param(record, id=oracle.name(record)) for record in oracle.records("infomec")
                                    if record["representation"] in ("rotation", "noise", "vae_like10", "random")])
def test_information_by_sorting(record):
    codes, factors = oracle.points(record)
    matrix = infomec.normalised_information(codes, factors, np.random.RandomState(record["seed"]))
    np.testing.assert_allclose(matrix, record["scores"]["nmi"], rtol=0, atol=5e-4)


@pytest.mark.slow
@pytest.mark.parametrize("record", [pytest.param(record, id=oracle.name(record)) for record in oracle.records("infomec")
                                    if record["dataset"] == "dsprites_like" and "nmi" in record.get("scores", {})])
def test_information_by_scikit_learn(record):
    """Equal draws, equal digits, where no class is so small that the processor's matrix product decides the last."""
    codes, factors = oracle.points(record)
    matrix = infomec.normalised_information(codes, factors, np.random.RandomState(record["seed"]), estimator="sklearn")
    np.testing.assert_allclose(matrix, record["scores"]["nmi"], rtol=0, atol=1e-9)


@pytest.mark.parametrize("record", cases("rmig_posterior"))
def test_rmig_by_posteriors(record):
    codes, factors = oracle.points(record)
    stddev = np.where(codes.std(axis=0) < 0.05, 1.0, 0.1) * np.ones_like(codes)
    scores, expected = rmig_posterior.rmig_posterior(codes, stddev, factors), record["scores"]
    assert scores["rmig_posterior"] == pytest.approx(expected["rmig"], abs=1e-9)
    assert scores["jemmig_posterior"] == pytest.approx(expected["one_minus_jemmi"], abs=1e-9)


@pytest.mark.parametrize("record", cases("dci_es", slow=lambda record: record["representation"] != "rotation"))
def test_dci_es(record):
    """The tops of one forest stand for forests grown to each depth, so the trees are others."""
    categorical = [2] if record["dataset"] == "cars3d_like" else [0]
    scores = dci_es.dci_es(*oracle.points(record, record["num"] // 2), categorical_factors=categorical)
    expected = oracle.expected(record)
    assert scores["size"] == expected["size"]
    assert scores["explicitness"] == pytest.approx(expected["explicitness"], abs=0.02)
    for k, value in enumerate(expected["explicitness_per_factor"]):
        assert scores[f"explicitness.factor_{k}"] == pytest.approx(value, abs=0.03), k
