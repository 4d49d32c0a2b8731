"""Which latents are in use: those whose mean varies over the observations (Burda et al. 2016)."""

import numpy as np

# pro-VLAE calls such latents "meaningful"; its code keeps those whose mean varies more than this.
ACTIVE_VARIANCE = 1e-2


def variances(codes):
    """Unbiased variance of each column of codes [n, D], in float64: [D]."""
    return np.var(codes, axis=0, ddof=1, dtype=np.float64)


def active_latents(codes, threshold=ACTIVE_VARIANCE):
    """active_j = Var_x[mean_j(x)] > threshold, of posterior means [n, D]: bool [D]; 0.01 is a deviation of 0.1."""
    return variances(codes) > threshold
