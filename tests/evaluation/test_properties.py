"""Properties that every metric of codes and factors must have, by table.

A new metric is one entry of METRICS, or of ELSEWHERE if codes [n, D] and factors [n, K] do not determine it; an
option that makes another metric of it is an entry `metric/option`.
"""

import dataclasses
import functools
import importlib
import pkgutil
import typing

import numpy as np
import pytest

from dislib_plus.evaluation import metrics as metrics_package
from dislib_plus.evaluation.metrics import (
    active_variables,
    beta_vae,
    dci,
    dci_es,
    dci_regression,
    downstream_task,
    factor_vae,
    factor_vae_cascade,
    infomec,
    information_tracking,
    irs,
    jemmig,
    mcc,
    med,
    mig,
    mig_sup,
    minimality_sufficiency,
    modularity_explicitness,
    omes,
    quantile_mutual_information,
    r2,
    reduced_downstream_task,
    sap_score,
    tad,
    total_correlation,
    unified_scores,
    unsupervised_metrics,
)
from dislib_plus.evaluation.predictors import predictors, tensorflow_predictors

SIZES = (2, 3, 4)
ROWS = 240


@dataclasses.dataclass(frozen=True)
class Metric:
    """How to compute a metric of arrays at small size, and which properties its main score has.

    Attributes:
      score: (codes, factors) -> dict.
      main: key of the score that the expectations are about.
      expected: code type -> (lowest, highest) main score; all types are computed and must be finite and in `bounds`.
      bounds: of the main score, for any codes.
      dead_neutral: constant latents leave the main score as it is.
      permuted: largest change of the main score when latents are permuted; None: no such property.
      scaling: "each" (any positive scale and any shift per latent), "common" (one for all), None.
      scaled: largest change under `scaling`.
      relabelled: factor values may be any increasing whole numbers.
      one_latent: whether one latent has a value (else one sentence).
      unlabelled: the metric ignores factors.
    """

    score: typing.Callable
    main: str
    expected: dict
    bounds: tuple = (0.0, 1.0)
    dead_neutral: bool = True
    permuted: float = 1e-9
    scaling: str = "each"
    scaled: float = 1e-9
    relabelled: bool = True
    one_latent: bool = True
    unlabelled: bool = False


def _seeded(function, **options):
    return lambda codes, factors: function(codes, factors, random_state=np.random.RandomState(0), **options)


def _of_codes(function):
    return lambda codes, factors: function(codes)


def _largest(function):
    """A matrix of information as a score: its largest entry, relative to the factor's entropy."""
    return lambda codes, factors: {"largest": float(np.max(
        function(codes, factors) / np.log([len(np.unique(column)) for column in np.asarray(factors).T])))}


def _dci_by_xgboost(codes, factors):
    pytest.importorskip("xgboost", reason="the extra dislib-plus[xgboost] is not installed")
    return dci.dci(codes, factors, factor_bins=4, backend="xgboost")


LOGISTIC = predictors.logistic_regression
VOTES = {"batch_size": 16, "num_train": 300, "num_eval": 200}
ONE, HALF = (0.999, 1.0), (0.0, 0.5)

METRICS = {
    "mig": Metric(mig.mig, "discrete_mig",
                  {"perfect": ONE, "random": (0, .1), "rotated": (0, .4), "duplicated": (.5, .7),
                                            "merged": (.2, 1), "dead": ONE}),
    "mig_sup": Metric(mig_sup.mig_sup, "mig_sup", {"perfect": (.95, 1), "duplicated": (.95, 1), "random": (0, .1)},
                      scaling=None),
    "med": Metric(med.med, "med", {"perfect": (.9, 1), "random": (0, .4), "duplicated": (.9, 1), "merged": (.3, .95)}),
    "dci": Metric(functools.partial(dci.dci, factor_bins=4), "disentanglement",
                  {"perfect": ONE, "duplicated": ONE, "random": (0, .5), "rotated": (0, .8),
                                               "merged": (.2, .9)}, permuted=.05, scaled=.05),
    "dci/xgboost": Metric(_dci_by_xgboost, "disentanglement", {"perfect": ONE, "duplicated": ONE, "random": (0, .5),
                                                               "rotated": (0, .8), "merged": (.2, .9)},
                          permuted=.05, scaled=.05),
    "dci_regression": Metric(functools.partial(dci_regression.dci_regression, regressor="lasso"), "disentanglement",
                             {"perfect": (.9, 1), "rotated": (0, .8)}, permuted=.02, scaled=.02, relabelled=False),
    "sap_score": Metric(functools.partial(sap_score.sap, continuous_factors=True), "SAP_score",
                        {"perfect": (.9, 1), "duplicated": (.5, .7), "random": (0, .1)}, relabelled=False),
    "modularity_explicitness": Metric(
        modularity_explicitness.modularity_explicitness, "modularity_score",
        {"perfect": (.99, 1), "duplicated": (.99, 1), "rotated": (0, .95), "dead": (.55, .65)}, dead_neutral=False),
    "irs": Metric(irs.irs, "IRS", {"perfect": ONE, "duplicated": ONE, "random": (0, .5), "rotated": (0, .9)},
                  bounds=(-np.inf, 1), scaling="common"),
    "unsupervised_metrics": Metric(
        _of_codes(unsupervised_metrics.unsupervised_scores), "gaussian_total_correlation",
        {"perfect": (-1e-9, .1), "duplicated": (10, np.inf), "merged": (-1e-9, .1), "dead": (-1e-9, .1)},
        bounds=(-1e-9, np.inf),
        unlabelled=True, scaled=1e-6),
    "total_correlation": Metric(
        lambda codes, factors: {"gaussian": total_correlation.total_correlation_gaussian(codes)}, "gaussian",
        {"perfect": (-1e-9, .1)}, bounds=(-1e-9, np.inf), unlabelled=True, scaled=1e-6),
    "active_variables": Metric(_of_codes(active_variables.active_variables), "num_active_variables",
                               {"perfect": (3, 3), "dead": (3, 3), "duplicated": (4, 4)}, bounds=(0, 6), scaling=None,
                               unlabelled=True),
    "beta_vae": Metric(_seeded(beta_vae.beta_vae, **VOTES), "eval_accuracy",
                       {"perfect": (.95, 1), "random": (.2, .5), "duplicated": (.95, 1)}, permuted=.02, scaling=None),
    "factor_vae": Metric(_seeded(factor_vae.factor_vae, **VOTES), "eval_accuracy",
                         {"perfect": ONE, "random": (.2, .5), "duplicated": ONE, "merged": (.5, 1), "dead": ONE},
                         permuted=.02, scaled=.02),
    "factor_vae_cascade": Metric(
        _seeded(factor_vae_cascade.factor_vae_cascade, num_votes=150, batch_size=20), "cascade_factor_vae_score",
        {"perfect": ONE, "duplicated": ONE, "random": (.3, .6)}, permuted=.02, scaled=.02),
    "downstream_task": Metric(functools.partial(downstream_task.downstream_task, predictor_fn=LOGISTIC, factor_bins=4),
                              "160:mean_test_accuracy", {"perfect": (.8, 1), "random": (.1, .6), "rotated": (.8, 1)},
                              permuted=.03, scaling=None),
    "downstream_task/logistic_regression_tf": Metric(
        functools.partial(downstream_task.downstream_task, factor_bins=4,
                          predictor_fn=tensorflow_predictors.logistic_regression_tf),
        "160:mean_test_accuracy", {"perfect": (.8, 1), "random": (.1, .6), "rotated": (.8, 1)}, permuted=.03,
        scaling=None),
    "reduced_downstream_task": Metric(
        functools.partial(reduced_downstream_task.reduced_downstream_task, predictor_fn=LOGISTIC, factor_bins=4,
                          correlation_measure=lambda mus, ys, *_:
                          sap_score.compute_score_matrix(mus, ys, mus, ys, True)),
        "160:mean_test_accuracy_reduced_factor", {"perfect": (0, .6), "duplicated": (.4, 1)}, permuted=.03,
        scaling=None,
        one_latent=False),
    "unified_scores": Metric(unified_scores.unified_scores_of_arrays, "mutual_information_matrix.mig",
                             {"perfect": (.9, 1), "random": (0, .1), "duplicated": (.5, .75)}),
    "information_tracking": Metric(_largest(information_tracking.information_matrix), "largest",
                                   {"perfect": ONE, "random": (0, .3), "rotated": (.1, .99)}),
    "quantile_mutual_information": Metric(_largest(quantile_mutual_information.quantile_mutual_information), "largest",
                                          {"perfect": ONE, "random": (0, .3)}),
    "infomec": Metric(infomec.infomec, "infom", {"perfect": (.97, 1), "rotated": (0, .9), "duplicated": (.97, 1),
                                                 "merged": (.4, .95), "dead": (.97, 1)},
                      permuted=.02, scaling="common", scaled=.02),
    "infomec/infoc": Metric(functools.partial(infomec.infomec, prune="none"), "infoc",
                            {"perfect": (.97, 1), "duplicated": (.6, .85), "rotated": (0, .9)}, permuted=.02,
                            scaled=.02),
    "infomec/infoe": Metric(infomec.infomec, "infoe",
                            {"perfect": (.98, 1), "rotated": (.98, 1), "random": (0, .1), "duplicated": (.98, 1),
                             "merged": (.5, .99)}, bounds=(-1, 1), permuted=.01, scaled=.01),
    "infomec/discrete": Metric(
        lambda codes, factors: infomec.infomec(np.round(codes), factors, discrete_latents=True), "infom",
        {"perfect": (.5, 1), "random": (0, .9)}, scaling=None),
    "dci_es": Metric(functools.partial(dci_es.dci_es, depths=(1, 2, 4, 8), num_trees=5), "explicitness",
                     {"perfect": (.9, 1), "rotated": (.3, .99), "random": (0, .3), "merged": (.5, 1), "dead": (.9, 1)},
                     bounds=(-1, 1), permuted=.1, scaled=.1, relabelled=False),
    "dci_es/disentanglement": Metric(
        functools.partial(dci_es.dci_es, depths=(1, 2, 4, 8), num_trees=5), "disentanglement",
        {"perfect": (.95, 1), "rotated": (0, .7), "random": (0, .4), "merged": (.2, .9), "dead": (.95, 1)},
        permuted=.1, scaled=.1, relabelled=False),
    "jemmig": Metric(jemmig.jemmig, "jemmig", {"perfect": ONE, "duplicated": (.8, .95), "random": (0, .4),
                                               "rotated": (0, .8), "merged": (0, .9), "dead": ONE}, relabelled=False),
    "jemmig/rmig": Metric(functools.partial(jemmig.rmig, continuous_factors=False), "rmig",
                          {"perfect": ONE, "duplicated": (.6, .7), "random": (0, .1), "rotated": (0, .5),
                           "dead": ONE}),
    "jemmig/dcimig": Metric(functools.partial(jemmig.dcimig, continuous_factors=False), "dcimig",
                            {"perfect": ONE, "duplicated": ONE, "random": (0, .1), "merged": (.4, .8), "dead": ONE}),
    "minimality_sufficiency": Metric(
        minimality_sufficiency.minimality_sufficiency, "minimality",
        {"perfect": ONE, "duplicated": ONE, "random": (0, .2), "rotated": (0, .7), "merged": (.5, .99), "dead": ONE}),
    "minimality_sufficiency/sufficiency": Metric(
        minimality_sufficiency.minimality_sufficiency, "sufficiency",
        {"perfect": ONE, "duplicated": ONE, "random": (0, .3), "rotated": (0, .9), "merged": ONE, "dead": ONE}),
    "mcc": Metric(mcc.mcc, "mcc", {"perfect": ONE, "duplicated": ONE, "random": (0, .2), "rotated": (.5, .95),
                                   "merged": (.9, 1), "dead": ONE}, relabelled=False),
    "mcc/coverage": Metric(functools.partial(mcc.mcc, method="spearman", folds=3), "mcc_coverage",
                           {"perfect": ONE, "merged": (.5, .67), "random": (0, .2)}),
    "omes": Metric(_seeded(omes.omes, num_pairs=300, correction=True), "omes",
                   {"perfect": (.85, 1), "duplicated": (.6, .95), "random": (0, .4), "rotated": (0, .8),
                    "dead": (.85, 1)}, scaling="common"),
    "r2": Metric(r2.r2, "r2_test", {"perfect": ONE, "rotated": ONE, "duplicated": ONE, "dead": ONE, "random": (-.2, .1),
                                    "merged": (.5, .99)}, bounds=(-np.inf, 1), relabelled=False),
    "r2/matched": Metric(functools.partial(r2.r2, features="quadratic"), "r2_matched_test",
                         {"perfect": ONE, "rotated": (0, .9), "merged": (.4, .7)}, bounds=(-np.inf, 1),
                         relabelled=False),
    "r2/kernel": Metric(functools.partial(r2.r2, features="kernel"), "r2_test",
                        {"perfect": (.95, 1), "rotated": (.9, 1), "random": (-.9, .1)}, bounds=(-np.inf, 1),
                        relabelled=False, scaled=1e-6),
    "tad": Metric(tad.tad, "tad", {"perfect": (1.2, 1.5), "duplicated": (.8, 1.05), "random": (0, 0),
                                   "dead": (1.2, 1.5)}, bounds=(0, 1.5)),
}

ELSEWHERE = {
    "classification_accuracy": "of classes and labels",
    "downstream_attributes": "trains networks; properties in its test",
    "elbo_decomposition": "of posteriors", "fairness": "of interventions on the data", "fid": "of images",
    "latent_information": "of posteriors", "mi_conditioning": "of two models' codes", "mi_vs_tc": "of posteriors",
    "mig_posterior": "of posteriors", "mig_reencoded": "of images", "reconstruction": "of images",
    "rmig_posterior": "of posteriors",
    "strong_downstream_task": "of interventions", "swap_accuracy": "of images",
    "topic_coherence": "of words and documents",
    "zero_shot_gap": "of two models",
}
NAMES = sorted(METRICS)


@functools.cache
def factors():
    """The grid of three factors, ten times, in random order: int64 [ROWS, 3]."""
    grid = np.indices(SIZES).reshape(len(SIZES), -1).T
    return np.random.RandomState(1).permutation(np.tile(grid, (ROWS // len(grid), 1)))


@functools.cache
def codes(kind):
    """The six code types, and noisy ones of continuous values."""
    random_state = np.random.RandomState(2)
    standard = (factors() - factors().mean(axis=0)) / factors().std(axis=0)
    rotation = np.linalg.qr(random_state.normal(size=(3, 3)))[0]
    return {"perfect": standard, "random": random_state.normal(size=(ROWS, 3)), "rotated": standard @ rotation,
            "duplicated": np.hstack([standard, standard[:, :1]]),
            "merged": np.stack([factors()[:, 0] * SIZES[1] + factors()[:, 1], standard[:, 2]], axis=1) * 1.0,
            "dead": np.hstack([standard, np.zeros((ROWS, 2))]),
            # Constants whose mean is rounded, so that their computed variance is not 0.
            "dead at .1": np.hstack([standard, np.full((ROWS, 2), [.1, -7.7])]),
            "noisy": standard + random_state.normal(size=standard.shape) * .3}[kind]


@functools.cache
def scores(name, kind):
    return METRICS[name].score(codes(kind), factors())


def main(name, code, labels=None):
    return METRICS[name].score(code, factors() if labels is None else labels)[METRICS[name].main]


def test_every_metric_is_in_a_table():
    found = set()
    for module in pkgutil.iter_modules(metrics_package.__path__):
        loaded = importlib.import_module(f"{metrics_package.__name__}.{module.name}")
        if any(name.startswith("compute_") or name == module.name for name in vars(loaded)
               if getattr(vars(loaded)[name], "__module__", "") == loaded.__name__):
            found.add(module.name)
    tabulated = {name.partition("/")[0] for name in METRICS}
    assert found == tabulated | set(ELSEWHERE), "add new metrics to METRICS or ELSEWHERE, remove old ones"
    assert not tabulated & set(ELSEWHERE)


@pytest.mark.parametrize("kind", ["perfect", "random", "rotated", "duplicated", "merged", "dead"])
@pytest.mark.parametrize("name", NAMES)
def test_six_code_types(name, kind):
    metric, found = METRICS[name], scores(name, kind)
    low, high = metric.expected.get(kind, metric.bounds)
    assert low <= found[metric.main] <= high + 1e-12, found
    assert metric.bounds[0] <= found[metric.main] <= metric.bounds[1] + 1e-12
    for key, value in found.items():
        assert isinstance(value, (int, float, str, list)), (key, type(value))
        assert isinstance(value, (str, list)) or not np.isnan(value), key


@pytest.mark.parametrize("kind", ["dead", "dead at .1"])
@pytest.mark.parametrize("name", NAMES)
def test_a_dead_latent(name, kind):
    other = "perfect" if METRICS[name].dead_neutral else "dead"
    assert scores(name, kind)[METRICS[name].main] == pytest.approx(scores(name, other)[METRICS[name].main], abs=.02)


@pytest.mark.parametrize("name", [name for name in NAMES if METRICS[name].permuted is not None])
def test_permuted_latents(name):
    assert main(name, codes("noisy")[:, [2, 0, 1]]) == pytest.approx(
        scores(name, "noisy")[METRICS[name].main], abs=METRICS[name].permuted)


@pytest.mark.parametrize("name", [name for name in NAMES if METRICS[name].scaling])
def test_scaled_and_shifted_latents(name):
    scale, shift = ([2.0, 8.0, 4.0], [1.0, -3.0, 0.5]) if METRICS[name].scaling == "each" else (4.0, 1.0)
    assert main(name, codes("noisy") * scale + shift) == pytest.approx(
        scores(name, "noisy")[METRICS[name].main], abs=METRICS[name].scaled)


@pytest.mark.parametrize("name", [name for name in NAMES if METRICS[name].relabelled and not METRICS[name].unlabelled])
def test_factor_values_may_be_any_whole_numbers(name):
    values = np.array([-7, 12, 13, 400]) if name != "irs" else np.array([0, 10, 20, 30]) - 5
    assert main(name, codes("noisy"), values[factors()]) == pytest.approx(
        scores(name, "noisy")[METRICS[name].main], abs=1e-9)


@pytest.mark.parametrize("name", [name for name in NAMES if not METRICS[name].unlabelled])
def test_a_constant_factor_gives_a_value(name):
    """It is left out, or counts as nothing; never NaN."""
    if name == "quantile_mutual_information" or name == "information_tracking":
        pytest.skip("a matrix, normalised by this file")
    labels = factors().copy()
    labels[:, 1] = 1
    assert np.isfinite(main(name, codes("noisy"), labels))
    assert np.isfinite(main(name, codes("noisy"), np.zeros_like(labels)))


@pytest.mark.parametrize("value", [0.0, 0.1, -7.7])
@pytest.mark.parametrize("name", NAMES)
def test_all_latents_constant(name, value):
    """The value is that of zeros, whatever rounding makes of a constant's variance."""
    found, of_zeros = (main(name, np.full((ROWS, 3), constant)) for constant in (value, 0.0))
    assert np.isfinite(found) and found == pytest.approx(of_zeros, abs=.02)


@pytest.mark.parametrize("name", NAMES)
def test_one_latent(name):
    if METRICS[name].one_latent:
        assert np.isfinite(main(name, codes("noisy")[:, :1]))
    else:
        with pytest.raises(ValueError, match="number of latents"):
            main(name, codes("noisy")[:, :1])


@pytest.mark.parametrize("name", [name for name in NAMES if not METRICS[name].unlabelled])
def test_continuous_factors(name):
    """Columns with fractions are binned, or used as they are."""
    if name.startswith(("quantile", "information")):
        pytest.skip("a matrix, normalised by this file")
    if name == "omes":
        pytest.skip("intervenes on factors; these bins lack combinations")
    labels = factors() + np.linspace(0, .3, ROWS)[:, None]
    assert np.isfinite(main(name, codes("noisy"), labels))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_codes_that_are_not_finite(name, value):
    broken = codes("noisy").copy()
    broken[5, 1] = value
    with pytest.raises(ValueError, match=r"finite.*\[1\]"):
        main(name, broken)


@pytest.mark.parametrize("name", NAMES)
def test_malformed_arrays(name):
    with pytest.raises(ValueError, match="shape"):
        main(name, codes("noisy")[:, 0])
    with pytest.raises(ValueError, match="rows|shape"):
        main(name, codes("noisy")[:1], factors()[:1])
    if not METRICS[name].unlabelled:
        with pytest.raises(ValueError, match="240 and 239 rows|rows"):
            main(name, codes("noisy"), factors()[1:])
        with pytest.raises(ValueError, match="shape"):
            main(name, codes("noisy"), factors()[:, 0])
        with pytest.raises(ValueError, match="finite"):
            main(name, codes("noisy"), np.where(factors() == 1, np.nan, factors()))
