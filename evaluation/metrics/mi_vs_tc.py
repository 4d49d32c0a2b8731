"""How much a code says against how entangled it is: one point (I(x;z), TC(z)) of HFVAE's scatter (fig. 8, left).

Each restart and each weight of the total correlation gives one point; good
models lie where information is high and total correlation low.
"""

import numpy as np

from ..arithmetic import posterior_mixture
from ..encoding import image_batches, posteriors
from .latent_information import spec_groups
from .meanings import nats
from .requirements import metric


def mi_vs_tc(mixture, random_state, groups=None, batch_size=1024, num_batches=20, weights="hfvae"):
    """I(x;z), TC(z) and the total correlation between groups, from the same minibatches.

    I = mean[log q(z|x) - log q(z)], TC = mean[log q(z) - sum_v log q(z_v)],
    TC between groups A = mean[log q(z) - sum_A log q(z_A)], all logs of q(z) with the
    weights of HFVAE's eq. 6 over all N images: I is biased upwards and at most log N.

    Args:
      mixture: PosteriorMixture of N images, with Gaussian and categorical variables.
      random_state: np.random.RandomState.
      groups: a partition of the variable numbers; None: every variable alone.
      batch_size: images in a batch, 2..N; num_batches: batches; weights: see `minibatch_log_weights`.

    Returns:
      dict, in nats: `mutual_information`, `total_correlation`, `group_total_correlation`.

    Raises:
      ValueError: groups that miss or repeat a variable, or sizes out of range.
    """
    groups = mixture.singles if groups is None else groups
    if sorted(variable for group in groups for variable in group) != mixture.joint:
        raise ValueError(f"groups must hold each of the variables 0..{mixture.num_variables - 1} once; "
                         f"received {groups}.")
    sets = [mixture.joint, *mixture.singles, *groups]
    batches = posterior_mixture.minibatches(mixture, random_state, sets, batch_size, num_batches, weights)
    points = []
    for samples, densities in batches:
        joint, rest = densities[:, 0], densities[:, 1:]
        variables, blocks = np.split(rest, [mixture.num_variables], axis=1)
        points.append([np.mean(samples.own.sum(axis=1) - joint), np.mean(joint - variables.sum(axis=1)),
                       np.mean(joint - blocks.sum(axis=1))])
    names = ("mutual_information", "total_correlation", "group_total_correlation")
    return dict(zip(names, np.mean(points, axis=0).tolist()))


@metric("mi_vs_tc", "posterior", "code_spec", scores={
    "mutual_information": nats("I(x;z) by minibatches, biased upwards", better="higher"),
    "total_correlation": nats("KL(q(z) || prod_j q(z_j)) by minibatches", better="lower"),
    "group_total_correlation": nats("the same between the groups of the code", better="lower"),
    "log_num_images": nats("log of the number of images, the ceiling of the information", low=0),
})
def compute_mi_vs_tc(dataset, model, random_state, num_images=None, minibatch_size=1024,
                     num_minibatches=20, weights="hfvae", batch_size=64, dtype="float64"):
    """One point of the scatter: information and total correlation of a model.

    Args:
      dataset: a DataSet; the paper takes the test split.
      model: a trained model with `posterior` and `code_spec`, whose groups are those of the code.
      random_state: np.random.RandomState.
      num_images: at most this many random images; None: the whole set.
      minibatch_size (at most the number of images is used), num_minibatches, weights: see `mi_vs_tc`.
      batch_size: images a batch of the encoder.
      dtype: of the log densities.

    Returns:
      dict as `mi_vs_tc`, with `log_num_images` (the ceiling of the information), `minibatch_size`, `num_images`.
    """
    indices = image_batches.select(dataset, num_images, random_state)
    encoded = posteriors.of_images(dataset, model, indices, batch_size, image_batches.draw_seed(random_state))
    mixture = posterior_mixture.PosteriorMixture(encoded.mean, encoded.stddev, encoded.log_probabilities, dtype)
    size = min(minibatch_size, len(indices))
    point = mi_vs_tc(mixture, random_state, spec_groups(model.code_spec), size, num_minibatches, weights)
    return {**point, "log_num_images": float(np.log(len(indices))), "minibatch_size": size, "num_images": len(indices)}
