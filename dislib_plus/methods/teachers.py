"""The first teacher of a chain of students: which models can be one."""

from dislib_plus.configuration import ConfigurationError
from dislib_plus.methods.method import Method
from dislib_plus.methods.vae import VAE
from dislib_plus.sentences import quoted


def check(model):
    """Raises ConfigurationError unless the model is a VAE that is trained in one stage, or is trained already."""
    if not isinstance(model, VAE) or model.trainable and type(model).stages is not Method.stages:
        raise ConfigurationError("teacher_student.teacher must be a VAE of this library with one stage, such as "
                                 "@beta_tc_vae(), or a trained one, @trained_model() with trained_model.path; received "
                                 f"{quoted(model)}.")


def build(teacher, observation_shape):
    """Builds a teacher for observations of a shape.

    Raises:
      ConfigurationError: it was made for another shape, or its code has categories.
    """
    teacher.build((None, *observation_shape))
    if teacher.observation_shape != tuple(observation_shape):
        raise ConfigurationError(f"teacher_student.teacher was made for images {teacher.observation_shape}; the data "
                                 f"has {tuple(observation_shape)}. Choose a teacher trained on this data set.")
    if any(kind != "normal" for kind, _ in teacher.code_spec):
        raise ConfigurationError("teacher_student.teacher must have Gaussian or deterministic units only; received the "
                                 f"groups {teacher.code_spec}.")
