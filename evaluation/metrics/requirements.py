"""What a metric needs of the model and of the data, declared where the metric is defined and checked before it runs."""

import functools
import inspect


def requires(*model_methods, data=None):
    """Decorator of a metric function that declares `model` or `dataset`.

    The runner reads the declaration and refuses a metric before anything is
    computed; a direct call is checked as well.

    Args:
      model_methods: methods that the model must have.
      data: function (data set) that raises ValueError for data that will not do; None: any data.
    """
    def add(function):
        parameters = inspect.signature(function)

        @functools.wraps(function)
        def checked(*args, **kwargs):
            given = parameters.bind_partial(*args, **kwargs).arguments
            check(checked, given.get("model"), given.get("dataset"))
            return function(*args, **kwargs)
        checked.model_methods, checked.data_check = model_methods, data
        return checked
    return add


def check(function, model, dataset):
    """Raises ValueError where the model or the data lack what the metric `function` declares with `requires`."""
    missing = [name for name in getattr(function, "model_methods", ()) if not hasattr(model, name)]
    if missing:
        name = function.__name__.removeprefix("compute_")
        raise ValueError(f"{name} needs a model with {', '.join(missing)}; {type(model).__name__} has no such method: "
                         "choose other metrics, or a model that has.")
    if getattr(function, "data_check", None) is not None:
        function.data_check(dataset)


def factors(dataset):
    """Raises ValueError for data without ground-truth factors."""
    if not dataset.num_factors:
        raise ValueError(f"Data set {dataset.name!r} has no ground-truth factors, which this metric needs; choose "
                         "metrics that need images only (reconstruction, fid, elbo_decomposition, ...).")


def factors_or_labels(dataset):
    """Raises ValueError for data with neither ground-truth factors nor labels."""
    if not dataset.num_factors and dataset.labels is None:
        raise ValueError(f"Data set {dataset.name!r} has neither factors nor labels, of which this metric needs one.")
