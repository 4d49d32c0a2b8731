"""MIG of codes re-encoded from reconstructions, the variant that the code of MS-VAE computes.

The paper's own MIG is that of the codes of the images themselves (`mig`). Both say
whether the factors are disentangled; this one also whether they survive in what is generated.
"""

import numpy as np
import tensorflow as tf

from dislib_plus import checks

from ..arithmetic import sample_checks
from ..arithmetic.discrete_information import discrete_entropy, discrete_mutual_info, make_discretizer
from ..encoding import image_batches, sampling
from .meanings import share
from .mig import gap_per_factor
from .requirements import has_factors, metric


@metric("mig_reencoded", "represent", "reconstruct", data=has_factors, scores={
    "discrete_mig_reencoded": share("discrete_mig of codes encoded again from reconstructions"),
})
def compute_mig_reencoded(dataset, model, random_state, num_train=10000, batch_size=16):
    """Mutual information gap of E(G(x)), discretised by the configured `discretizer`.

    MIG = mean_k (I[j1, k] - I[j2, k]) / H_k with the codes E(G(x)): E the deterministic
    code, G(x) the reconstruction from a sampled code.

    Args:
      dataset: a data set with factors.
      model: a trained model with `represent` and `reconstruct`.
      random_state: np.random.RandomState.
      num_train: number of observations.
      batch_size: observations drawn at a time (decides the random stream, which is that of `mig`).

    Returns:
      dict: `discrete_mig_reencoded` in [0, 1] (0 if all factors are constant), `num_constant_factors`, left out.

    Raises:
      ValueError: sizes below 1, or codes that are not finite.
    """
    # Drawn from a copy, so that the observations are those that `mig` draws from the same state.
    noise = np.random.RandomState()
    noise.set_state(random_state.get_state())
    checks.count("num_train", num_train, 1)
    codes, factors = sampling.generate_batch_factor_code(
        dataset, _reencoder(model, image_batches.draw_seed(noise)), num_train, random_state, batch_size)
    sample_checks.check_codes_and_factors(codes.T, factors.T)
    gaps = gap_per_factor(discrete_mutual_info(make_discretizer(codes), factors),
                          discrete_entropy(factors))
    known = gaps[~np.isnan(gaps)]
    return {"discrete_mig_reencoded": float(known.mean()) if known.size else 0.0,
            "num_constant_factors": int(len(gaps) - len(known))}


def _reencoder(model, seed, rows=64):
    """Representation function: the code of a reconstruction, `rows` images at a time."""
    reencode = tf.function(lambda x, noise: model.represent(model.reconstruct(x, sample=True, seed=noise)),
                           reduce_retracing=True)
    calls = iter(range(2**31))

    def represent(observations):
        parts = (observations[start:start + rows] for start in range(0, len(observations), rows))
        return np.concatenate([reencode(tf.constant(part, tf.float32), image_batches.batch_seed(seed, next(calls)))
                               for part in parts])
    return represent
