"""Methods: each a keras.Model in a file of its own that reads like its paper."""

from dislib_plus.methods.base import VAE
from dislib_plus.methods.beta_tc_vae import BetaTCVAE
from dislib_plus.methods.beta_vae import BetaVAE
from dislib_plus.methods.ms_vae import MSVAE
from dislib_plus.methods.stages import Stage
