"""How much the latents know about the image: I(x;z_A) for every latent, every block and all, and I_over.

Ladder models are read by it (pro-VLAE, tables 1 and 3-8), and so are mixed codes (CascadeVAE, fig. 5; HFVAE, fig. 12).
"""

import numpy as np

from ..arithmetic import posterior_mixture
from ..encoding import image_batches, posteriors
from .elbo_decomposition import prior_kl, relative_to_prior
from .meanings import nats, number
from .requirements import metric

INFORMATIVE = 0.1  # nats; a latent below it counts as pruned (HFVAE counts such latents in sec. 5).
ESTIMATORS = ("exact", "stratified", "hfvae")


def latent_information(mixture, random_state, groups, num_samples=10000):
    """I(x;z_A) of groups A of latent variables, with all N images in the mixture.

    I(x;z_A) = mean over n, z ~ q(z|x_n) of log q(z_A|x_n) - log q(z_A)
    (pro-VLAE, Li et al. 2020, sec. 4). It lies in [0, log N] up to the noise of
    the samples; log q(z|x_n) - log q(z) <= log N holds for every sample.

    Args:
      mixture: PosteriorMixture of N images.
      random_state: np.random.RandomState.
      groups: list of lists of variable numbers.
      num_samples: images from which one z each is drawn; at most N are used.

    Returns:
      float64 [number of groups], nats.
    """
    chosen = posterior_mixture.choose_images(mixture.num_images, num_samples, random_state)
    samples = mixture.draw(chosen, random_state)
    return np.mean(_own(samples, groups) - mixture.log_density(samples, groups), axis=0)


def minibatch_information(mixture, random_state, groups, batch_size=1024, num_batches=20, weights="stratified"):
    """The same from minibatches that stand for all N images, averaged over batches.

    log q(z_A) of a sample is estimated from its own batch with the weights of
    `posterior_mixture.minibatch_log_weights`; the estimate of I(x;z_A) is biased
    upwards (Jensen) and still at most log N.

    Args:
      mixture: PosteriorMixture of N images.
      random_state: np.random.RandomState.
      groups: list of lists of variable numbers.
      batch_size: images in a batch, 2..N; num_batches: batches.
      weights: "stratified" (Chen et al. 2018) or "hfvae" (Esmaeili et al. 2019, eq. 6).

    Returns:
      float64 [number of groups], nats.
    """
    batches = posterior_mixture.minibatches(mixture, random_state, groups, batch_size, num_batches, weights)
    return np.mean([np.mean(_own(samples, groups) - densities, axis=0) for samples, densities in batches], axis=0)


def information_of_blocks(mixture, random_state, blocks, num_samples=10000):
    """I(x;z_l) of the blocks of a code, I(x;z) and I_over, under the metric's keys.

    Args:
      mixture, random_state, num_samples: as `latent_information`.
      blocks: {name: variable numbers}, of all variables.

    Returns:
      dict of floats, nats: `mutual_information.NAME`, `mutual_information`, `overlapping_information`.
    """
    *values, total = latent_information(mixture, random_state, [*blocks.values(), mixture.joint], num_samples)
    return {**{f"mutual_information.{name}": float(value) for name, value in zip(blocks, values)},
            "mutual_information": float(total), "overlapping_information": overlapping_information(values, total)}


def overlapping_information(group_information, total_information):
    """I_over = sum_l I(x;z_l) - I(x;z), nats (pro-VLAE, sec. 4).

    It equals the multi-information between the blocks under q(z), so it is not
    negative but for the noise of the samples.
    """
    return float(np.sum(group_information) - total_information)


def discrete_information(log_probabilities):
    """I(x;d) = H(mean_x q(d|x)) - mean_x H(q(d|x)) of a categorical variable, nats, in [0, log classes].

    Args:
      log_probabilities: [N, classes], log q(d|x_n).
    """
    log_probabilities = np.asarray(log_probabilities, np.float64)
    probabilities = np.exp(log_probabilities)
    return float(_entropy(probabilities.mean(axis=0)) - np.mean(_entropy(probabilities)))


def _entropy(probabilities):
    logs = np.log(np.where(probabilities > 0, probabilities, 1.0))
    return -np.sum(probabilities * logs, axis=-1)


def spec_groups(code_spec):
    """Variable numbers of each group of a code: the Gaussian units first, then the categorical variables."""
    num_gaussian = sum(size for kind, size in code_spec if kind == "normal")
    groups, gaussian, categorical = [], 0, num_gaussian
    for kind, size in code_spec:
        if kind == "normal":
            groups.append(list(range(gaussian, gaussian + size)))
            gaussian += size
        else:
            groups.append([categorical])
            categorical += 1
    return groups


@metric("latent_information", "posterior", "code_spec", scores={
    "mutual_information": nats("I(x;z) of the whole code, at most log_num_images"),
    "mutual_information.group_{l}": nats("the same of one block of the code; of a ladder group_0 is z1"),
    "overlapping_information": nats("sum over blocks of I(x;z_l), less I(x;z)", better="lower"),
    "mutual_information_latents": nats("I(x;z_j) of each latent"),
    "kl_latents": nats("mean KL to the prior of each latent, an upper bound of its information", low=0),
    "discrete_information.group_{l}": nats("I(x;d) of a categorical block, in closed form", low=0),
    "num_informative_latents": number("latents of more than 0.1 nats"),
    "log_num_images": nats("log of the number of images, the ceiling of every information", low=0),
})
def compute_latent_information(dataset, model, random_state, num_images=None, num_samples=10000,
                               estimator="exact", minibatch_size=1024, num_minibatches=20, batch_size=64,
                               dtype="float64"):
    """I(x;z) of a model: in total, by block of its code, by latent, and the overlap of the blocks.

    Args:
      dataset: a DataSet.
      model: a trained model with `posterior` and `code_spec`.
      random_state: np.random.RandomState.
      num_images: N, at most this many random images make the mixture; None: the whole set. log N bounds every value.
      num_samples: images with a sampled z (estimator "exact").
      estimator: "exact", or "stratified" / "hfvae" (minibatches, see `minibatch_information`).
      minibatch_size (at most N is used), num_minibatches: of the minibatch estimators.
      batch_size: images a batch of the encoder.
      dtype: of the log densities.

    Returns:
      dict, in nats: `mutual_information` (all latents), `mutual_information.group_{l}` (in the
      order of the code), `overlapping_information`, `mutual_information_latents` (list, one per
      Gaussian unit, then one per categorical variable), `kl_latents` (list, same order: mean KL to
      the prior, an upper bound of the information that some papers plot under that name),
      `discrete_information.group_{l}` for categorical groups (closed form); `num_informative_latents`
      (above 0.1 nat); `log_num_images`, `num_images`, `num_samples`.

    Raises:
      ValueError: sizes out of range, or an unknown estimator.
    """
    if estimator not in ESTIMATORS:
        raise ValueError(f"latent_information.estimator must be one of {', '.join(ESTIMATORS)}; received "
                         f"{estimator!r}.")
    indices = image_batches.select(dataset, num_images, random_state)
    parameters = posteriors.of_images(dataset, model, indices, batch_size, image_batches.draw_seed(random_state))
    mixture = posterior_mixture.PosteriorMixture(parameters.mean, parameters.stddev, parameters.log_probabilities,
                                                 dtype)
    blocks = spec_groups(model.code_spec)
    groups = blocks + mixture.singles + [mixture.joint]
    if estimator == "exact":
        values, used = latent_information(mixture, random_state, groups, num_samples), min(num_samples, len(indices))
    else:
        size = min(minibatch_size, len(indices))
        values = minibatch_information(mixture, random_state, groups, size, num_minibatches, estimator)
        used = size * num_minibatches
    by_block, by_latent, total = values[:len(blocks)], values[len(blocks):-1], values[-1]
    own = relative_to_prior(parameters, model)
    kl = prior_kl(own.mean, own.stddev, own.log_probabilities)
    result = {"mutual_information": float(total), "overlapping_information": overlapping_information(by_block, total)}
    result.update({f"mutual_information.group_{number}": float(value) for number, value in enumerate(by_block)})
    result.update(_discrete(model.code_spec, parameters.log_probabilities))
    result.update(mutual_information_latents=by_latent.tolist(),
                  kl_latents=kl.mean(axis=0).tolist(),
                  num_informative_latents=int(np.sum(by_latent > INFORMATIVE)),
                  log_num_images=float(np.log(len(indices))), num_images=len(indices), num_samples=used)
    return result


def _discrete(code_spec, tables):
    tables = iter(tables)
    return {f"discrete_information.group_{number}": discrete_information(next(tables))
            for number, (kind, _) in enumerate(code_spec) if kind == "categorical"}


def _own(samples, groups):
    """log q(z_A|x_n) of each sample under its own posterior, [S, groups]."""
    return np.stack([samples.own[:, group].sum(axis=1) for group in groups], axis=1)
