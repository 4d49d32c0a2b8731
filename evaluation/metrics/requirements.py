"""What a metric is given and what it needs: said where the metric is defined, checked before it runs, refused here.

  @metric("fid", "reconstruct", "sample")          a model that can do both
  @metric("med", data=has_factors)                 a data set with ground-truth factors
"""

import functools
import inspect

import gin

from dislib_plus.configuration import ConfigurationError

from ..sources import abilities
from . import meanings

# What a metric may declare; the first four are disentanglement_lib's.
LIBRARY = ("ground_truth_data", "representation_function", "random_state", "artifact_dir")
SUPPLIED = (*LIBRARY, "dataset", "model")
# What a metric of a fixed labelled sample is given, and a function that relates codes to factors.
FIXED = ("observations", "labels", "representation_function")
MATRIX = ("mus_train", "ys_train", "mus_test", "ys_test")


def metric(name, *needs, scores=None, data=None, latents=1, gaussian=False):
    """Decorator of a metric: its name in gin, its place in disentanglement_lib's signature, what it needs.

    What the evaluation supplies cannot be bound by gin. A metric that leaves nothing behind does not
    declare `artifact_dir`; it may be called with it all the same, after `random_state`.

    Args:
      name: the metric's name in gin.
      *needs: names of the methods that the model must have.
      scores: {key or pattern: Meaning} of all that it returns, see `meanings`.
      data: function (data set) that raises ValueError for data that will not do; None: any data.
      latents: smallest number of columns of the codes.
      gaussian: whether the model's code must have Gaussian units.
    """
    meanings.OF_METRIC[name] = scores or {}

    def add(function):
        signature = _with_artifact_dir(inspect.signature(function))
        keeps = "artifact_dir" in inspect.signature(function).parameters

        @functools.wraps(function)
        def checked(*args, **kwargs):
            arguments = signature.bind(*args, **kwargs).arguments
            if not keeps:
                arguments.pop("artifact_dir", None)
            check(checked, name, arguments.get("model"), arguments.get("dataset"))
            return function(**arguments)
        checked.__signature__, checked.needs, checked.data_check = signature, needs, data
        checked.latents, checked.gaussian = latents, gaussian
        # gin would look behind the wrapper for the parameters, where `artifact_dir` may be missing.
        del checked.__wrapped__
        return gin.configurable(name, denylist=[part for part in SUPPLIED if part in signature.parameters])(checked)
    return add


def _with_artifact_dir(signature):
    """The signature with `artifact_dir=None` after `random_state`."""
    parameters = list(signature.parameters.values())
    if "artifact_dir" not in signature.parameters:
        added = inspect.Parameter("artifact_dir", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None)
        parameters.insert(1 + list(signature.parameters).index("random_state"), added)
    return signature.replace(parameters=parameters)


def declared(function):
    """Names of the parameters of a metric function; with **kwargs it takes disentanglement_lib's four."""
    parameters = inspect.signature(function).parameters.values()
    names = {parameter.name for parameter in parameters}
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        names |= set(LIBRARY)
    return names


def check(function, name, model, dataset):
    """Raises ConfigurationError where the model or the data lack what a metric declares with `metric`."""
    if not hasattr(function, "needs"):  # A metric of the user's own says nothing of what it needs.
        return
    if function.needs:
        check_model(name, model, *function.needs)
    if "loss_terms" in function.needs:
        _check_loss(name, model)
    if function.gaussian and all(kind != "normal" for kind, _ in model.code_spec):
        raise ConfigurationError(f"{name} needs a code with Gaussian units, and that of {type(model).__name__} has "
                                 f"categories only ({list(model.code_spec)}); choose other metrics.")
    if function.data_check is not None and dataset is not None:  # None: called with the data of another library.
        check_data(name, function.data_check, dataset)


def check_data(name, requirement, dataset):
    """Raises ConfigurationError, which names the metric, where a data set lacks what it needs (see `metric`)."""
    try:
        requirement(dataset)
    except ValueError as error:
        raise ConfigurationError(f"{name}: {error}") from error


def check_model(name, model, *needs):
    """Raises ConfigurationError unless the model has all of the needed methods.

    Args:
      name: of the metric, or of the setting that gave the model; needs: names of methods.
    """
    missing = abilities.lacks(model, needs)
    if missing:
        raise ConfigurationError(f"{name} needs a model that has {', '.join(missing)}; {type(model).__name__} has not: "
                                 "choose other metrics, or another model.")


def _check_loss(name, model):
    """Raises ConfigurationError unless the loss can be had of observations alone, and has its two common terms."""
    further = [part for part in getattr(model, "needs", ["x"]) if part != "x"]
    lacking = [term for term in ("reconstruction", "kl") if term not in getattr(model, "terms", (term,))]
    if further or lacking:
        what = f"takes {', '.join(further)} beside the observations" if further else f"has no {', '.join(lacking)}"
        raise ConfigurationError(f"{name} needs a loss of observations with reconstruction and kl; that of "
                                 f"{type(model).__name__} {what}: choose other metrics.")


def check_codes(name, source_name, function, model):
    """Raises ConfigurationError where a source has no representation function, which the metric needs."""
    if function is None:
        raise ConfigurationError(f"{name} needs codes, and {source_name} has none: its {type(model).__name__} does not "
                                 "have represent. Choose metrics of what it generates, or another model.")


def check_latents(function, name, count_latents):
    """Raises ConfigurationError where codes have fewer columns than a metric needs.

    Args:
      function: the metric; name: its name; count_latents: function () -> number of columns, asked where it matters.
    """
    if getattr(function, "latents", 1) > 1 and count_latents() < function.latents:
        raise ConfigurationError(f"{name} needs codes of at least {function.latents} latents; these have "
                                 f"{count_latents()}: choose other metrics.")


def has_factors(dataset):
    """Raises ValueError for data without ground-truth factors."""
    if not dataset.num_factors:
        raise ValueError(f"Data set {dataset.name!r} has no ground-truth factors, which this metric needs; choose "
                         "metrics that need images only (reconstruction, fid, elbo_decomposition, ...).")


def has_two_factors(dataset):
    """Raises ValueError for data with fewer than two ground-truth factors."""
    if dataset.num_factors < 2:
        raise ValueError(f"Data set {dataset.name!r} has {dataset.num_factors} ground-truth factors, and this metric "
                         "compares at least two.")


def has_varying_factors(dataset):
    """Raises ValueError for data with fewer than two ground-truth factors, or with a factor of one value."""
    has_two_factors(dataset)
    constant = [name for name, size in zip(dataset.factor_names, dataset.factors_num_values) if size < 2]
    if constant:
        raise ValueError(f"Data set {dataset.name!r} has factors of one value ({', '.join(constant)}), and this metric "
                         "gives every factor a second value; leave such factors out of the data.")


def has_factors_or_labels(dataset):
    """Raises ValueError for data with neither ground-truth factors nor labels."""
    if not dataset.num_factors and dataset.labels is None:
        raise ValueError(f"Data set {dataset.name!r} has neither factors nor labels, of which this metric needs one.")
