"""What the numbers of metrics mean: one line each, said where a metric is defined."""

from dislib_plus.meanings import Meaning, find, nats, number, share  # noqa: F401  metrics take them from here

# Keys that many metrics have.
COMMON = {
    "elapsed_time": Meaning("time of the evaluation", "seconds", 0),
    "uuid": Meaning("mark of this result"),
    "num_images": number("images looked at"),
    "num_samples": number("images with a sampled code"),
    "num_points": number("observations, with one sampled code each"),
    "minibatch_size": number("images of a minibatch"),
    "num_factors": number("factors that are scored"),
    "num_constant_factors": number("factors of one value, which are left out"),
    "num_active_latents": number("latents whose mean varies over the images"),
    "sklearn_defaults": Meaning("defaults of scikit-learn: today's, or those of 2019"),
}


# {name of the metric in gin: {key or pattern: Meaning}}, of the metric modules that are imported.
OF_METRIC = {}


def of(metric, key):
    """The Meaning of a metric's key, None where nothing says it."""
    return find(key, {**COMMON, **OF_METRIC.get(metric, {})})
