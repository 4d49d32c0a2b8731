"""Who labels a sample (Locatello et al. 2020, "Disentangling Factors of Variation Using Few Labels", section 4).

A labeller is a function (factors [n, K], data set, np.random.RandomState) -> (labels float32 [n, K'], numbers of
values of each label).
"""

import gin
import numpy as np

from dislib_plus import checks

_GIVEN = ["labels", "dataset", "random_state"]


@gin.configurable("perfect_labeller", denylist=_GIVEN)
def perfect_labeller(labels, dataset, random_state):
    """The factors themselves."""
    del random_state
    return np.float32(labels), list(dataset.factors_num_values)


@gin.configurable("labeller", denylist=_GIVEN)
def make_labeller(labels, dataset, random_state, labeller_fn=perfect_labeller):
    """What the configured labeller says of factors [n, K]; raises ConfigurationError for one that cannot be called."""
    checks.function("labeller.labeller_fn", labeller_fn)
    return labeller_fn(labels, dataset, random_state)


@gin.configurable("bin_labeller", denylist=_GIVEN)
def bin_labeller(labels, dataset, random_state, num_bins=5):
    """Factors of more than `num_bins` values, cut into as many bins of equal width."""
    del random_state
    checks.count("bin_labeller.num_bins", num_bins, 1)
    sizes = np.asarray(dataset.factors_num_values)
    binned = np.minimum(labels // (sizes / num_bins), num_bins - 1)
    return np.float32(np.where(sizes > num_bins, binned, labels)), np.minimum(sizes, num_bins).tolist()


@gin.configurable("noisy_labeller", denylist=_GIVEN)
def noisy_labeller(labels, dataset, random_state, prob_random=0.1):
    """Factors of which each value is, with probability `prob_random`, a uniform one instead."""
    checks.between("noisy_labeller.prob_random", prob_random, 0, 1)
    labels = np.array(labels)
    for row in labels:  # One number after the other: so disentanglement_lib draws them.
        for factor, size in enumerate(dataset.factors_num_values):
            if random_state.rand() < prob_random:
                row[factor] = random_state.randint(size)
    return np.float32(labels), list(dataset.factors_num_values)


@gin.configurable("permuted_labeller", denylist=_GIVEN)
def permuted_labeller(labels, dataset, random_state):
    """Factors whose values are permuted, so that their order means nothing."""
    orders = [random_state.permutation(range(size)) for size in dataset.factors_num_values]
    columns = [order[column] for order, column in zip(orders, np.asarray(labels).T)]
    return np.float32(np.stack(columns, axis=1)), list(dataset.factors_num_values)


@gin.configurable("partial_labeller", denylist=_GIVEN)
def partial_labeller(labels, dataset, random_state, num_observed_factors=2):
    """A random choice of `num_observed_factors` of the factors."""
    checks.whole("partial_labeller.num_observed_factors", num_observed_factors, 1)
    checks.at_most("partial_labeller.num_observed_factors", num_observed_factors, np.shape(labels)[1])
    kept = random_state.choice(np.shape(labels)[1], size=num_observed_factors, replace=False)
    return np.float32(labels)[:, kept], [dataset.factors_num_values[factor] for factor in kept]
