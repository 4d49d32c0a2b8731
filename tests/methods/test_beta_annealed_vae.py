"""beta-VAE with a falling weight."""

import numpy as np
import pytest

from dislib_plus.methods import BetaAnnealedVAE, BetaVAE


@pytest.mark.parametrize("step, beta", ((0, 71.0), (4000, 70 * np.exp(-7.5) + 1), (8000, 70 * np.exp(-15.0) + 1)))
def test_weight_of_the_published_script(tiny, images, at_step, loss_of, step, beta):
    model = at_step(tiny(BetaAnnealedVAE), step)
    np.testing.assert_allclose(model.loss_weights()["kl"], beta, rtol=1e-5)
    assert loss_of(model, images) == pytest.approx(loss_of(at_step(tiny(BetaVAE, beta=beta), step), images), rel=1e-5)


def test_saving(tiny, check_saving):
    copy = check_saving(tiny(BetaAnnealedVAE, beta_start=5.0, beta_end=0.5, rate=2.0, annealing_steps=7))
    assert (copy.beta_start, copy.beta_end, copy.rate, copy.annealing_steps) == (5.0, 0.5, 2.0, 7)


@pytest.mark.parametrize("name, value", (("beta_start", -1.0), ("beta_end", -1.0), ("rate", 0.0),
                                         ("annealing_steps", 0)))
def test_bad_hyperparameters(name, value):
    with pytest.raises(ValueError, match=f"beta_annealed_vae.{name} must be"):
        BetaAnnealedVAE(**{name: value})
