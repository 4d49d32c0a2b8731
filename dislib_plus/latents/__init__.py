"""The latent code: groups of Gaussian and of categorical units, their posteriors and priors."""

from dislib_plus.latents.categorical import CategoricalGroup, InferredGroup
from dislib_plus.latents.normal import NormalGroup, NormalPrior
from dislib_plus.latents.parts import Block, Part, Unit, units_of
from dislib_plus.latents.posterior import Posterior
from dislib_plus.latents.spec import LatentSpec
