"""Methods: each a keras.Model in a file of its own that reads like its paper."""

from dislib_plus.methods.aae_s import AAES
from dislib_plus.methods.anchor_vae import AnchorVAE
from dislib_plus.methods.annealed_vae import AnnealedVAE
from dislib_plus.methods.autoencoder import Autoencoder
from dislib_plus.methods.beta_annealed_vae import BetaAnnealedVAE
from dislib_plus.methods.beta_tc_vae import BetaTCVAE
from dislib_plus.methods.beta_vae import BetaVAE
from dislib_plus.methods.cascade_vae import CascadeVAE
from dislib_plus.methods.cascade_vae_c import CascadeVAEC
from dislib_plus.methods.cascade_vae_d import CascadeVAED
from dislib_plus.methods.control_vae import ControlVAE
from dislib_plus.methods.deft import DEFT
from dislib_plus.methods.devae import DeVAE
from dislib_plus.methods.dip_vae import DIPVAE
from dislib_plus.methods.dlib_base import BaseVAE
from dislib_plus.methods.dynamic_vae import DynamicVAE
from dislib_plus.methods.factor_vae import FactorVAE
from dislib_plus.methods.hfvae import HFVAE
from dislib_plus.methods.info_vae import InfoVAE
from dislib_plus.methods.joint_vae import JointVAE
from dislib_plus.methods.method import Method
from dislib_plus.methods.ms_vae import MSVAE
from dislib_plus.methods.nvdm import NVDM
from dislib_plus.methods.players import Player
from dislib_plus.methods.pro_vlae import ProVLAE
from dislib_plus.methods.prod_lda import ProdLDA
from dislib_plus.methods.stages import Stage
from dislib_plus.methods.teacher_student import TeacherStudent
from dislib_plus.methods.vae import VAE
from dislib_plus.methods.vlae import VLAE
from dislib_plus.networks import branches, burgess, cascade, linear, mmd_vae, topic_networks, valid_conv, zhao_ladders  # noqa: F401  registers their gin names
