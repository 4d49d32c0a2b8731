"""The metric and the seed that the present gin configuration binds."""

import gin
import numpy as np

from dislib_plus import checks, configuration
from dislib_plus.configuration import ConfigurationError

# What can be made of a representation, each described by its own names in gin: `evaluation.evaluation_fn`, ...
STEPS = ("evaluation", "validation")
LARGEST_SEED = 2 ** 32 - 1


def random_state(name, seed):
    """The RandomState of a seed; raises ConfigurationError, which names it, unless it is an integer 0..2^32 - 1."""
    checks.whole(name, seed, 0)
    checks.at_most(name, seed, LARGEST_SEED)
    return np.random.RandomState(seed)


def checked_scores(function, scores):
    """The scores that a metric returned; raises ValueError unless they are a dict."""
    if not isinstance(scores, dict):
        raise ValueError(f"A metric must return a dict; {function.__name__} returned a {type(scores).__name__}.")
    return scores


def configured_step():
    """The step that the present gin configuration describes, one of STEPS.

    Raises:
      ConfigurationError: it binds the functions of both.
    """
    bound = [step for step in STEPS if f"{step}.{step}_fn" in configuration.bindings()]
    if len(bound) > 1:
        raise ConfigurationError("evaluation.evaluation_fn and validation.validation_fn are both bound; bind one of "
                                 "the two.")
    return bound[0] if bound else "evaluation"


def configured_metric(step="evaluation"):
    """The metric function that the present gin configuration binds to `evaluation.evaluation_fn` (or to the step's).

    Raises:
      ConfigurationError: nothing is bound, or something that cannot be called.
    """
    key = f"{step}.{step}_fn"
    try:
        reference = gin.query_parameter(key)
    except ValueError as error:
        raise ConfigurationError(f"The gin configuration does not bind {key}; bind a metric, as in "
                                 f"--gin_bindings='{key} = @mig'.") from error
    function = getattr(getattr(reference, "configurable", None), "wrapper", reference)
    if not callable(function):
        raise ConfigurationError(f"{key} must be a metric such as @mig; received {reference!r}.")
    return function


def configured_name(step="evaluation"):
    """The name in gin of the metric that `configured_metric` gives."""
    return configuration.bindings()[f"{step}.{step}_fn"].lstrip("@").rpartition("/")[2].rpartition(".")[2]


def default_seed(step="evaluation"):
    """Binds `evaluation.random_seed` (or the step's) to 0 where nothing is bound."""
    try:
        gin.query_parameter(f"{step}.random_seed")
    except ValueError:
        with gin.unlock_config():
            gin.bind_parameter(f"{step}.random_seed", 0)
