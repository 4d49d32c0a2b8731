"""The two-level decomposition against a loop in float64, and its identities."""

import itertools
import math

import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.latents import LatentSpec, NormalPrior, mass
from dislib_plus.losses import aggregate_posterior as ap
from dislib_plus.losses import hierarchy

BATCH, IMAGES = 5, 40
MIXED = [("normal", 2), ("categorical", 3), ("normal", 1), ("categorical", 2)]


def outputs_of(spec, seed=0, batch=BATCH):
    random_state = np.random.RandomState(seed)
    return [random_state.normal(size=(batch, group.size)).astype(np.float32) for group in spec.groups
            for _ in group.heads]


def terms_of(spec, rule="enumerate", weighting="eq6", seed=0, batch=BATCH, images=IMAGES):
    """The posterior, its samples, and the four terms."""
    q = spec.posterior(outputs_of(spec, seed, batch))
    samples = spec.split(q.sample(tf.constant([seed, 1])))
    groups, scored, shares = mass.scored(q.groups, samples, rule)
    log_prior = sum(group.log_prior(z) for group, z in zip(groups, scored))
    return q, samples, hierarchy.decomposition(groups, scored, log_prior, weighting, images, shares)


def log_normal(z, mean, log_var):
    return -0.5 * (math.log(2 * math.pi) + log_var + (z - mean) ** 2 / math.exp(log_var))


def numpy_terms(q, samples, rule, weighting, images=IMAGES):
    """The four terms by loops over samples, classes, images and groups."""
    batch = len(samples[0])
    weights = np.exp(ap.log_weights(weighting, batch, images).numpy().astype(np.float64))
    groups = [(group.group.kind, group) for group in q.groups]
    categorical = [g for g, (kind, _) in enumerate(groups) if kind == "categorical"]
    sizes = [q.groups[g].group.size for g in categorical]
    found = np.zeros((4, batch))
    for i in range(batch):
        if rule == "enumerate":
            codes = [(np.prod([np.exp(q.groups[g].logits[i, k]) for g, k in zip(categorical, classes)]),
                      {g: np.eye(size)[k] for g, size, k in zip(categorical, sizes, classes)})
                     for classes in itertools.product(*map(range, sizes))]
        else:
            codes = [(1.0, {g: samples[g][i].numpy() if rule == "relaxed_dot"
                            else np.eye(size)[np.argmax(samples[g][i])] for g, size in zip(categorical, sizes)})]
        for share, code in codes:
            found[:, i] += share * numpy_terms_of_code(i, code, groups, samples, weights)
    return found


def numpy_terms_of_code(i, code, groups, samples, weights):
    def log_units(g, n):
        kind, group = groups[g]
        if kind == "categorical":
            return [float(code[g] @ group.logits[n].numpy().astype(np.float64))]
        return [log_normal(float(samples[g][i, j]), float(group.mean[n, j]), float(group.log_var[n, j]))
                for j in range(group.group.size)]
    table = [[log_units(g, n) for g in range(len(groups))] for n in range(len(weights))]

    def marginal(chosen):
        return math.log(sum(weights[i, n] * math.exp(chosen(table[n])) for n in range(len(weights))))
    everywhere = range(len(groups))
    joint = marginal(lambda row: sum(map(sum, row)))
    by_group = sum(marginal(lambda row, g=g: sum(row[g])) for g in everywhere)
    by_unit = sum(marginal(lambda row, g=g, e=e: row[g][e]) for g in everywhere for e in range(len(table[0][g])))
    prior = sum(-math.log(group.group.size) if kind == "categorical" else
                sum(log_normal(float(z), 0.0, 0.0) for z in samples[g][i]) for g, (kind, group) in enumerate(groups))
    return np.array([sum(map(sum, table[i])) - joint, joint - by_group, by_group - by_unit, by_unit - prior])


@pytest.mark.parametrize("weighting", ap.WEIGHTINGS)
@pytest.mark.parametrize("rule", mass.RULES)
def test_terms_are_the_loops(rule, weighting):
    q, samples, terms = terms_of(LatentSpec(MIXED), rule, weighting)
    for found, expected in zip(terms.values(), numpy_terms(q, samples, rule, weighting), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("seed", range(8))
def test_terms_telescope(seed):
    """They sum to log q(z|x) - log p(z), for random groups, weights and rules."""
    random_state = np.random.RandomState(seed)
    kinds = random_state.choice(["normal", "categorical"], size=random_state.randint(1, 5))
    spec = LatentSpec([(kind, int(random_state.randint(2, 4))) for kind in kinds])
    rule, weighting = mass.RULES[seed % 3], ap.WEIGHTINGS[seed % 4]
    q, samples, terms = terms_of(spec, rule, weighting, seed)
    groups, scored, shares = mass.scored(q.groups, samples, rule)
    sampled = sum(tf.reduce_sum(group.log_prob(z), axis=-1) - group.log_prior(z) for group, z in zip(groups, scored))
    if shares is not None:
        sampled = tf.reduce_sum(shares * sampled, axis=0)
    np.testing.assert_allclose(sum(terms.values()), sampled, atol=1e-5)


def test_enumeration_sums_to_the_closed_form_of_categories():
    q, _, terms = terms_of(LatentSpec([("categorical", 3), ("categorical", 4)]))
    np.testing.assert_allclose(sum(terms.values()), q.kl(), atol=1e-5)


def test_one_group_has_no_correlation_between_groups():
    _, _, terms = terms_of(LatentSpec(3))
    assert np.abs(terms["group_total_correlation"]).max() < 1e-5 < np.abs(terms["inner_total_correlation"]).max()


def test_groups_of_one_have_no_inner_correlation():
    _, _, terms = terms_of(LatentSpec([("normal", 1), ("categorical", 3), ("normal", 1)]))
    assert np.abs(terms["inner_total_correlation"]).max() < 1e-5 < np.abs(terms["group_total_correlation"]).max()


@pytest.mark.parametrize("rule", ("enumerate", "pmf_argmax"))
def test_all_vanish_where_the_posterior_is_the_prior(rule):
    spec = LatentSpec([("normal", 2), ("categorical", 3)])
    q = spec.posterior([tf.zeros([BATCH, 2]), tf.zeros([BATCH, 2]), tf.zeros([BATCH, 3])])
    groups, samples, shares = mass.scored(q.groups, spec.split(q.sample(tf.constant([0, 1]))), rule)
    log_prior = sum(group.log_prior(z) for group, z in zip(groups, samples))
    for term in hierarchy.decomposition(groups, samples, log_prior, "eq6", IMAGES, shares).values():
        np.testing.assert_allclose(term, np.zeros(BATCH), atol=1e-5)


def test_all_images_in_the_batch_make_the_exact_mixture():
    """With B = N the weights are 1 / N."""
    q, samples, terms = terms_of(LatentSpec(2), batch=6, images=6)
    table = np.array([[sum(log_normal(float(samples[0][i, j]), float(q.mean[n, j]), float(q.log_var[n, j]))
                           for j in range(2)) for n in range(6)] for i in range(6)])
    exact = np.diag(table) - np.log(np.exp(table).mean(axis=1))
    np.testing.assert_allclose(terms["mutual_information"], exact, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("groups, raised, other", (
    ([("normal", 2)], "inner_total_correlation", "group_total_correlation"),
    ([("normal", 1), ("normal", 1)], "group_total_correlation", "inner_total_correlation")))
def test_two_units_of_one_mean_raise_the_correlation_of_their_level_only(groups, raised, other):
    random_state = np.random.RandomState(0)
    mean = np.repeat(random_state.normal(size=(64, 1)), 2, axis=1).astype(np.float32)
    spec = LatentSpec(groups)
    halves = np.split(mean, len(groups), axis=1)
    q = spec.posterior([part for half in halves for part in (half, np.full_like(half, -4.0))])
    samples = spec.split(q.sample(tf.constant([0, 1])))
    log_prior = sum(group.log_prior(z) for group, z in zip(q.groups, samples))
    terms = hierarchy.decomposition(q.groups, samples, log_prior, "eq6", 64)
    assert np.mean(terms[raised]) > 0.5 and np.abs(np.mean(terms[other])) < 1e-5


def test_a_correlated_prior_enters_its_level():
    """q(z) equal to a prior that ties two groups: the term of the groups is that of q less that of p."""
    covariance = [[1.0, 0.8], [0.8, 1.0]]
    spec = LatentSpec([("normal", 1), ("normal", 1)]).with_prior(NormalPrior([0.0, 0.0], covariance))
    q = spec.posterior(outputs_of(spec))
    samples = spec.split(q.sample(tf.constant([0, 1])))
    z = np.concatenate(samples, axis=1).astype(np.float64)
    joint = spec.prior().log_prob(z.astype(np.float32))
    correlated = hierarchy.decomposition(q.groups, samples, joint, "eq6", IMAGES)
    plain = terms_of(LatentSpec([("normal", 1), ("normal", 1)]))[2]
    excess = 0.5 * np.square(z).sum(1) - 0.5 * np.einsum("bi,ij,bj->b", z, np.linalg.inv(covariance), z) \
        - 0.5 * math.log(1 - 0.8 ** 2)
    np.testing.assert_allclose(correlated["group_total_correlation"], plain["group_total_correlation"] - excess,
                               rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(correlated["dimension_wise_kl"], plain["dimension_wise_kl"], rtol=1e-5)


def test_enumeration_has_the_gradient_that_the_argmax_lacks():
    """Of I(x;d) with respect to the logits: exact by enumeration, noise around 0 by the largest class."""
    logits = tf.constant(np.random.RandomState(1).normal(size=(6, 3)), tf.float32)
    spec = LatentSpec([("categorical", 3)])

    @tf.function
    def gradient(rule, seed):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            q = spec.posterior([logits])
            groups, samples, shares = mass.scored(q.groups, spec.split(q.sample(tf.stack([seed, 1]))), rule)
            prior = sum(group.log_prior(z) for group, z in zip(groups, samples))
            terms = hierarchy.decomposition(groups, samples, prior, "eq6", 6, shares)
            information = tf.reduce_mean(terms["mutual_information"])
        return information, tape.gradient(information, logits)

    information, exact = gradient("enumerate", tf.constant(0))
    probabilities = np.exp(np.asarray(spec.posterior([logits]).groups[0].logits, np.float64))
    marginal = probabilities.mean(0)
    expected = np.mean((probabilities * np.log(probabilities / marginal)).sum(1))
    np.testing.assert_allclose(information, expected, rtol=1e-5)
    own = probabilities * (np.log(probabilities / marginal)
                           - (probabilities * np.log(probabilities / marginal)).sum(1, keepdims=True)) / 6
    np.testing.assert_allclose(exact, own, atol=1e-6)
    by_argmax = np.mean([gradient("pmf_argmax", seed)[1] for seed in tf.range(150)], axis=0)
    assert np.linalg.norm(by_argmax) < 0.25 * np.linalg.norm(exact)
