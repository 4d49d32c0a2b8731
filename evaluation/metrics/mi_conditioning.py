"""How much of the first stage's code survives in what a system of two stages generates (MS-VAE, M1 to M4)."""

import numpy as np
import tensorflow as tf

from dislib_plus import checks

from ..arithmetic import sample_checks
from ..arithmetic.discrete_information import discrete_entropy, discrete_mutual_info, histogram_discretize
from ..encoding import image_batches
from .meanings import Meaning, share
from .requirements import metric


def mi_conditioning(codes, reference_codes, num_bins=20):
    """M = 1/n sum_i I(c^i; c_R^i) / H(c_R^i), plug-in estimates in nats (MS-VAE paper, section 4).

    Both codes are discretised, dimension by dimension and each by itself, into
    `num_bins` equal-width bins. Dimensions whose reference is constant (H = 0) are
    left out; if all are, M is 0. Independent codes give not 0 but about
    (num_bins - 1)^2 / (2 N H).

    Args:
      codes: [N, n], codes of what was generated.
      reference_codes: [N, n], codes c_R of the images themselves.
      num_bins: bins a dimension.

    Returns:
      float in [0, 1]; 1 for equal codes.

    Raises:
      ValueError: shapes differ, values are not finite, or num_bins is below 2.
    """
    codes = sample_checks.check_codes(codes)
    reference_codes = sample_checks.check_codes(reference_codes, name="reference_codes")
    if codes.shape != reference_codes.shape:
        raise ValueError(f"codes and reference_codes must have one shape [N, n]; "
                         f"received {codes.shape} and {reference_codes.shape}.")
    checks.count("num_bins", num_bins, 2)
    discrete = histogram_discretize(codes.T, num_bins)
    reference = histogram_discretize(reference_codes.T, num_bins)
    entropies = discrete_entropy(reference)
    ratios = [discrete_mutual_info(discrete[i:i + 1], reference[i:i + 1]).item() / entropies[i]
              for i in np.flatnonzero(entropies > 0)]
    return float(np.mean(ratios)) if ratios else 0.0


def bias_of_independent_codes(reference_codes, num_bins=20):
    """What `mi_conditioning` gives on average for codes that know nothing of the reference.

    mean_i (num_bins - 1)^2 / (2 N H(c_R^i)), the first-order bias of the plug-in estimate
    (Miller 1955); arguments as `mi_conditioning`. Returns 0 where all dimensions are constant.
    """
    reference_codes = sample_checks.check_codes(reference_codes, name="reference_codes")
    entropies = discrete_entropy(histogram_discretize(reference_codes.T, num_bins))
    varying = entropies[entropies > 0]
    return float(np.mean((num_bins - 1)**2 / (2.0 * len(reference_codes) * varying))) if varying.size else 0.0


@metric("mi_conditioning", "first_stage", "infer_z", "generate", "represent", scores={
    "M{number}": share("information about the code of the image that is left in the code of what stage one (1) or both "
                       "stages generate, with z (2), with noise for z (3), with another Y (4)", better=""),
    "bias_of_independent_codes": Meaning("what codes that know nothing would score on average", low=0),
})
def compute_mi_conditioning(dataset, model, random_state, num_images=None, batch_size=32,
                            num_bins=20, replace_y="noise"):
    """M1 to M4 of the MS-VAE paper: the code, re-encoded from each stage's output, against the code of the image.

    With E the mean of q(c|x), c_R = E(X), Y the first stage's image, z ~ q(z|X, Y), eps ~ N(0, I):
      M1: E(Y); M2: E(G(Y, z)); M3: E(G(Y, eps)); M4: E(G(Y', z)), Y' carrying nothing of Y.
    Expected: M2 > M1 > M3 >> M4.

    Args:
      dataset: a DataSet.
      model: a trained model of two stages (`first_stage`, `infer_z`, `generate`, `represent`).
      random_state: np.random.RandomState; draws images and noise.
      num_images: images looked at; None: the whole set.
      batch_size: images a batch; with replace_y="permute" the permutation stays within a batch.
      num_bins: bins a dimension.
      replace_y: Y' of M4. "noise": Gaussian noise N(0, 1) in place of the image, as in the
        paper; "permute": the Y of other images of the batch, as in its code.

    Returns:
      dict of floats: `M1`, `M2`, `M3`, `M4`, `bias_of_independent_codes` (see there), and `num_images`.

    Raises:
      ValueError: the model has no second stage, or replace_y is unknown.
    """
    if replace_y not in ("noise", "permute"):
        raise ValueError(f"mi_conditioning.replace_y must be 'noise' or 'permute'; received {replace_y!r}.")
    indices = image_batches.select(dataset, num_images, random_state)
    codes = _encode_outputs(dataset, model, indices, batch_size, image_batches.draw_seed(random_state), replace_y)
    scores = {f"M{number}": mi_conditioning(codes[number], codes[0], num_bins) for number in (1, 2, 3, 4)}
    bias = bias_of_independent_codes(codes[0], num_bins)
    return {**scores, "bias_of_independent_codes": bias, "num_images": len(indices)}


def _encode_outputs(dataset, model, indices, batch_size, seed, replace_y):
    """Codes of X, Y, G(Y, z), G(Y, eps), G(Y', z), each [n, D]."""
    @tf.function(reduce_retracing=True)
    def codes_of(x, noise_seed):
        y_seed, z_seed, eps_seed, replacement_seed = tf.unstack(
            tf.random.split(noise_seed, 4, alg="philox"))
        y = model.first_stage(x, sample=True, seed=y_seed)
        posterior = model.infer_z(x, y)
        mean, stddev = posterior.mean(), posterior.stddev()
        z = mean + stddev * tf.random.stateless_normal(tf.shape(mean), z_seed, alg="philox")
        eps = tf.random.stateless_normal(tf.shape(mean), eps_seed, alg="philox")
        if replace_y == "noise":
            other = tf.random.stateless_normal(tf.shape(y), replacement_seed, alg="philox")
        else:
            other = tf.gather(y, tf.argsort(tf.random.stateless_uniform([tf.shape(y)[0]], replacement_seed)))
        outputs = [x, y, model.generate(y, z), model.generate(y, eps), model.generate(other, z)]
        return [model.represent(image) for image in outputs]

    parts = [codes_of(x, image_batches.batch_seed(seed, number))
             for number, x in enumerate(image_batches.batches(dataset, indices, batch_size, seed))]
    return [np.concatenate(columns) for columns in zip(*parts)]
