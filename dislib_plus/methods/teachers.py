"""The first teacher of a chain of students: which models can be one, and its optimizer."""

import functools

from dislib_plus.configuration import ConfigurationError
from dislib_plus.methods.method import Method
from dislib_plus.methods.vae import VAE
from dislib_plus.optimizers import player_optimizers
from dislib_plus.sentences import quoted

player_optimizers.register("teacher")


def check(model):
    """Raises ConfigurationError unless the model is a VAE that is trained in one stage, or is trained already."""
    if not isinstance(model, VAE) or model.trainable and type(model).stages is not Method.stages:
        raise ConfigurationError("teacher_student.teacher must be a VAE of this library with one stage, such as "
                                 "@beta_tc_vae(), or a trained one, @trained_model() with trained_model.path; received "
                                 f"{quoted(model)}.")


def build(teacher, observation_shape, by_batch=False):
    """Builds a teacher for observations of a shape.

    Args:
      teacher: see `check`.
      observation_shape: of one observation.
      by_batch: whether its codes are to be normalised with the statistics of a batch.

    Raises:
      ConfigurationError: it was made for another shape, its code has categories, or it has no normalisation.
    """
    if by_batch and not getattr(teacher, "normalize_code", False):
        raise ConfigurationError("teacher_student.teacher_statistics = 'batch' is for an own teacher, whose codes are "
                                 f"normalised; received {type(teacher).__name__}. Choose 'none'.")
    teacher.build((None, *observation_shape))
    if teacher.observation_shape != tuple(observation_shape):
        raise ConfigurationError(f"teacher_student.teacher was made for images {teacher.observation_shape}; the data "
                                 f"has {tuple(observation_shape)}. Choose a teacher trained on this data set.")
    if any(kind != "normal" for kind, _ in teacher.code_spec):
        raise ConfigurationError("teacher_student.teacher must have Gaussian or deterministic units only; received the "
                                 f"groups {teacher.code_spec}.")


def optimizer():
    """Function () -> the optimizer that gin's `teacher_optimizer` makes; None where that is not bound."""
    return functools.partial(player_optimizers.make, "teacher") if player_optimizers.is_bound("teacher") else None
