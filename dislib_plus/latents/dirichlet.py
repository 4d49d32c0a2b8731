"""Dirichlet priors of topic shares, as Gaussians of the shares before the softmax."""

import numpy as np

from dislib_plus.latents.normal import NormalPrior


def laplace_dirichlet(concentrations):
    """The Laplace approximation of Dirichlet(a) in the softmax basis (Srivastava & Sutton 2017, eq. 4).

    mean_t = log a_t - mean_s log a_s,  variance_t = (1 / a_t) (1 - 2 / T) + (1 / T^2) sum_s 1 / a_s

    Args:
      concentrations: a, T numbers > 0.

    Returns:
      NormalPrior of T independent units.
    """
    a = np.asarray(concentrations, np.float64)
    topics = len(a)
    logs = np.log(a)
    return NormalPrior(logs - logs.mean(), (1 / a) * (1 - 2 / topics) + np.sum(1 / a) / topics ** 2)
