"""The FactorVAE score as CascadeVAE computes it (Jeong and Song 2019, appendix C).

It differs from Kim and Mnih's score: latents are pruned by KL and not by
variance, every factor gets the same number of votes, the score is read off the
votes themselves, and categorical latents take part with a spread of their own.
"""

import numpy as np

from dislib_plus import checks

from ..arithmetic import sample_checks
from ..encoding import image_batches, image_codes, posteriors
from ..encoding import labels as labelling
from .elbo_decomposition import prior_kl, relative_to_prior
from .meanings import number, share
from .requirements import has_factors, metric

CONSTANT_SPREAD = 1e-8


def continuous_spread(values):
    """Unbiased variance over axis -2 of [..., n, D]: sum_{p,q} (x_p - x_q)^2 / (2 n (n-1)), float64 [..., D]."""
    return np.var(values, axis=-2, ddof=1, dtype=np.float64)


def categorical_spread(classes):
    """Half the probability that two different draws differ, over axis -2 of integers [..., n, C].

    (n^2 - sum_c n_c^2) / (2 n (n-1)), n_c the number of draws of class c; float64 [..., C].
    """
    classes = np.asarray(classes)
    size = classes.shape[-2]
    squares = np.zeros(classes.shape[:-2] + classes.shape[-1:])
    for value in np.unique(classes):
        squares += np.square(np.sum(classes == value, axis=-2, dtype=np.float64))
    return (size ** 2 - squares) / (2.0 * size * (size - 1))


def factor_vae_cascade(codes, factors, random_state, classes=None, kept=None, num_votes=800, batch_size=100,
                       prune_constant=True):
    """CascadeVAE's FactorVAE score of codes and factors.

    A vote for factor k draws a value of it uniformly and `batch_size` rows with that
    value, and goes to argmin_j spread_j / (spread_j of all rows + 1e-10). With
    V[j, k] votes of factor k for latent j, score = sum_j max_k V[j, k] / sum V.

    Args:
      codes: [n, D], the Gaussian latents' means over the whole data set.
      factors: [n, K]; whole numbers are classes, other columns are cut into 20 equal-width bins. Incomplete grids
        are allowed.
      random_state: np.random.RandomState.
      classes: integers [n, C], categorical latents, counted after the Gaussian ones.
      kept: bool [D + C], latents that take part; None: all.
      num_votes: M; every one of the K factors with more than one value gets M // K.
      batch_size: rows of a vote, drawn with replacement.
      prune_constant: also leaves out latents of spread < 1e-8, which would win every vote; False: parity with the
        published code.

    Returns:
      dict: `cascade_factor_vae_score` in [0, 1], 1/K when no latent takes part (0 without a factor of more than one
      value); `num_kept_latents`; `num_votes`.

    Raises:
      ValueError: malformed arrays or sizes.
    """
    codes, factors, classes, kept = _checked(codes, factors, classes, kept)
    checks.count("batch_size", batch_size, 2)
    labels = sample_checks.class_labels(factors)
    labels = labels[:, labels.max(axis=0) > 0]
    num_factors = labels.shape[1]
    checks.count("num_votes", num_votes, max(num_factors, 1))
    spread = _spread(codes, classes)
    kept = np.flatnonzero(kept & (spread >= CONSTANT_SPREAD) if prune_constant else kept)
    if not num_factors or not kept.size:
        return {"cascade_factor_vae_score": 1.0 / num_factors if num_factors else 0.0,
                "num_kept_latents": len(kept), "num_votes": 0}
    votes = np.zeros((len(kept), num_factors), np.int64)
    for factor in range(num_factors):
        rows = _rows_of_votes(labels[:, factor], num_votes // num_factors, batch_size, random_state)
        local = np.stack([_spread(codes[batch], classes[batch]) for batch in rows])
        winners = np.argmin(local[:, kept] / (spread[kept] + 1e-10), axis=1)
        votes[:, factor] = np.bincount(winners, minlength=len(kept))
    return {"cascade_factor_vae_score": float(votes.max(axis=1).sum() / votes.sum()),
            "num_kept_latents": len(kept), "num_votes": int(votes.sum())}


def _spread(codes, classes):
    return np.concatenate([continuous_spread(codes), categorical_spread(classes)], axis=-1)


def _rows_of_votes(labels, votes, batch_size, random_state):
    """Row numbers [votes, batch_size]: a value per vote, then uniform rows of that value, with replacement."""
    order = np.argsort(labels, kind="stable")
    counts = np.bincount(labels)
    values = random_state.randint(len(counts), size=votes)
    picks = np.floor(random_state.uniform(size=(votes, batch_size)) * counts[values, None]).astype(np.int64)
    return order[(np.cumsum(counts) - counts)[values, None] + picks]


def _checked(codes, factors, classes, kept):
    codes, factors = sample_checks.check_codes_and_factors(codes, factors, minimum_latents=0)
    classes = np.zeros((len(codes), 0), np.int64) if classes is None else np.asarray(classes)
    if classes.ndim != 2 or len(classes) != len(codes) or classes.dtype.kind not in "iub":
        raise ValueError(f"classes must be integers [{len(codes)}, C]; received {classes.dtype} {classes.shape}.")
    latents = codes.shape[1] + classes.shape[1]
    kept = np.ones(latents, bool) if kept is None else np.asarray(kept, bool)
    if kept.shape != (latents,):
        raise ValueError(f"kept must have one entry per latent, [{latents}]; received shape {kept.shape}.")
    return codes, factors, classes, kept


@metric("factor_vae_cascade", "posterior", "represent", "code_spec", data=has_factors, scores={
    "cascade_factor_vae_score": share("share of the votes that go to the factor of most votes of their latent"),
    "num_kept_latents": number("latents that take part"),
    "num_votes": number("votes"),
})
def compute_factor_vae_cascade(dataset, model, random_state, num_votes=800, batch_size=100,
                               kl_threshold=0.1, prune_constant=True, encoding_batch=64):
    """CascadeVAE's FactorVAE score of a model, from the codes of the whole data set.

    Args:
      dataset: a GroundTruthData.
      model: a trained model with `posterior`, `represent` and `code_spec`.
      random_state: np.random.RandomState.
      num_votes, batch_size, prune_constant: see `factor_vae_cascade`.
      kl_threshold: nats; a Gaussian latent takes part if its mean KL to the prior exceeds it. Categorical latents
        always take part.
      encoding_batch: images a batch of the encoder.

    Returns:
      dict as `factor_vae_cascade`.

    Raises:
      ValueError: the data set has no factors, or sizes are out of range.
    """
    indices = np.arange(dataset.num_observations)
    factors = labelling.grid_factors(dataset, indices)
    seed = image_batches.draw_seed(random_state)
    encoded = posteriors.of_images(dataset, model, indices, encoding_batch, seed)
    classes = np.zeros((len(indices), 0), np.int64)
    if any(kind == "categorical" for kind, _ in model.code_spec):
        codes = image_codes.of_images(dataset, model, indices, encoding_batch, seed)
        classes = np.stack(image_codes.named_classes(codes, model.code_spec), axis=1)
    own = relative_to_prior(encoded, model)
    kept = np.concatenate([prior_kl(own.mean, own.stddev).mean(axis=0) > kl_threshold,
                           np.ones(classes.shape[1], bool)])
    return factor_vae_cascade(encoded.mean, factors, random_state, classes, kept, num_votes, batch_size, prune_constant)
