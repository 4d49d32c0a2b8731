"""The discriminator's total correlation, and the experiment on Gaussians whose value is known."""

import keras
import numpy as np
import pytest

from dislib_plus.evaluation.metrics import total_correlation_discriminator as tcd
from dislib_plus.evaluation.steps import total_correlation_experiment as experiment

TABLE = [(10, 0.3, 0.236), (10, 0.6, 1.116), (10, 0.9, 4.152),
         (100, 0.3, 2.358), (100, 0.6, 11.157), (100, 0.9, 41.518),
         (1000, 0.3, 23.578), (1000, 0.6, 111.572), (1000, 0.9, 415.183)]


@pytest.mark.parametrize("size, correlation, published", TABLE)
def test_exact_values_of_the_published_table(size, correlation, published):
    assert experiment.exact_total_correlation(size, correlation) == pytest.approx(published, abs=6e-4)


@pytest.mark.parametrize("size, correlation, published", TABLE)
def test_exact_ratio_through_the_evaluation_path(size, correlation, published):
    samples = experiment.correlated_samples(2000, size, correlation, np.random.RandomState(0))
    ratios = experiment.exact_log_ratio(samples, correlation)
    estimate = tcd.mean_log_ratio(lambda x: experiment.exact_log_ratio(x, correlation), samples)
    assert estimate == pytest.approx(ratios.mean())
    assert abs(estimate - published) < 4 * ratios.std() / np.sqrt(2000) + 1e-3


def test_ratio_equals_scipys_densities():
    from scipy import stats
    x = experiment.correlated_samples(5, 4, 0.6, np.random.RandomState(0))
    covariance = np.eye(4) + 0.6 * np.eye(4)[[2, 3, 0, 1]]
    expected = stats.multivariate_normal.logpdf(x, np.zeros(4), covariance) - stats.norm.logpdf(x).sum(axis=1)
    np.testing.assert_allclose(experiment.exact_log_ratio(x, 0.6), expected, atol=1e-10)


def test_samples_have_the_stated_correlations():
    x = experiment.correlated_samples(50000, 4, 0.7, np.random.RandomState(0))
    np.testing.assert_allclose(np.corrcoef(x.T), np.eye(4) + 0.7 * np.eye(4)[[2, 3, 0, 1]], atol=0.02)
    np.testing.assert_allclose(x.std(axis=0), 1.0, atol=0.02)


def test_permuting_columns_keeps_each_and_breaks_their_link():
    x = np.repeat(np.arange(2000.0)[:, None], 2, axis=1)
    permuted = tcd.permute_columns(x, np.random.RandomState(0))
    np.testing.assert_array_equal(np.sort(permuted, axis=0), x)
    assert abs(np.corrcoef(permuted.T)[0, 1]) < 0.1


def test_network_is_that_of_the_paper():
    network = tcd.discriminator_network(10, np.random.RandomState(0))
    assert network.count_params() == 5_018_002


def test_the_optimizer_is_dlibs(monkeypatch):
    made, real = [], keras.optimizers.Adam

    def adam(*args, **options):
        made.append(real(*args, **options))
        return made[0]
    monkeypatch.setattr(keras.optimizers, "Adam", adam)
    tcd.discriminator_total_correlation(pair, np.random.RandomState(0), 1, 4, 1e-3, 4, 1, 4)
    assert (made[0].beta_1, made[0].beta_2, made[0].epsilon) == (0.5, 0.9, 1e-8)


def pair(count, generator):
    return experiment.correlated_samples(count, 2, 0.9, generator)


def test_trained_discriminator_finds_the_total_correlation_of_a_pair():
    estimate = tcd.discriminator_total_correlation(pair, np.random.RandomState(0), 400, 256, 1e-3, 5000, 2, 64)
    assert estimate == pytest.approx(experiment.exact_total_correlation(2, 0.9), rel=0.15)


def test_independent_samples_give_nearly_none_and_runs_repeat():
    def independent(count, generator):
        return generator.normal(size=(count, 2))
    sizes = (100, 128, 1e-3, 2000, 2, 32)
    first, second = (tcd.discriminator_total_correlation(independent, np.random.RandomState(4), *sizes)
                     for _ in range(2))
    assert first == second and abs(first) < 0.1


SMALL = dict(dimensions=(4, 6), correlations=(0.5, 0.9), num_repeats=2, num_steps=2, batch_size=8, num_evaluation=50,
             num_layers=1, num_units=8)


def small(path=None, **changes):
    estimates = None if path is None else experiment.Estimates(path)
    sizes = {**SMALL, **changes}
    return experiment.total_correlation_experiment(np.random.RandomState(0), estimates=estimates, **sizes)


def test_interrupted_experiment_goes_on(tmp_path, monkeypatch):
    whole, calls = small(), []
    train = experiment.discriminator_total_correlation

    def failing(*args, **kwargs):
        calls.append(args)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return train(*args, **kwargs)
    monkeypatch.setattr(experiment, "discriminator_total_correlation", failing)
    with pytest.raises(KeyboardInterrupt):
        small(tmp_path / "estimates.json")
    assert small(tmp_path / "estimates.json") == whole
    assert len(calls) == 6 + 3 and small(tmp_path / "estimates.json") == whole and len(calls) == 6 + 3


def test_repeats_may_be_added_and_keep_the_earlier_estimates(tmp_path):
    first = small(tmp_path / "estimates.json", num_repeats=1)
    more = small(tmp_path / "estimates.json", num_repeats=3)
    assert more == small(num_repeats=3) and [row["num_repeats"] for row in more] == [3] * 4
    assert first == small(num_repeats=1) and all(row["standard_deviation"] == 0 for row in first)


def test_estimates_of_other_settings_or_damaged_are_refused(tmp_path):
    small(tmp_path / "estimates.json", num_repeats=1)
    with pytest.raises(ValueError, match=r"other settings \(num_steps, num_units\); choose"):
        small(tmp_path / "estimates.json", num_steps=3, num_units=4)
    (tmp_path / "estimates.json").write_text("{")
    with pytest.raises(ValueError, match="estimates.json is damaged"):
        small(tmp_path / "estimates.json")


def test_statistics_of_a_row():
    values = [1.0, 2.0, 4.0]
    row = experiment._row(100, 0.9, values)
    assert row["estimated"] == pytest.approx(7 / 3) and row["published"] == 23.39 and row["num_repeats"] == 3
    assert row["standard_deviation"] == pytest.approx(np.sqrt(((np.array(values) - 7 / 3) ** 2).sum() / 2))
    assert row["relative_error"] == pytest.approx(1 - 7 / 3 / 41.518, abs=1e-4)
    assert experiment._row(4, 0.9, values)["published"] is None


def test_experiment_reports_every_pair():
    rows = experiment.total_correlation_experiment(np.random.RandomState(0), (4,), (0.5,), num_repeats=2, num_steps=3,
                                                   num_evaluation=100, num_units=8)
    assert [(row["dimensions"], row["correlation"]) for row in rows] == [(4, 0.5)]
    for row in rows:
        assert row["relative_error"] == pytest.approx(abs(row["estimated"] - row["exact"]) / row["exact"])
        assert row["standard_deviation"] > 0


@pytest.mark.parametrize("call, sentence", [
    (lambda: experiment.exact_total_correlation(3, 0.5), "even numbers"),
    (lambda: experiment.exact_total_correlation(4, 1.0), "correlations must lie"),
    (lambda: experiment.total_correlation_experiment(np.random.RandomState(0), correlations=(0.0,)),
     "no correlation may be 0"),
    (lambda: experiment.total_correlation_experiment(np.random.RandomState(0), dimensions=()), "must be a size"),
    (lambda: tcd.discriminator_total_correlation(pair, np.random.RandomState(0), num_steps=0), "num_steps"),
])
def test_refusals_are_sentences(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
