"""What a user may have in a file of their own: data sets, a representation function, a metric."""

import numpy as np

from dislib_plus.data import ResidentGrid, ResidentImages, register


@register("runner_grid")
def grid(root):
    images = np.random.RandomState(1).randint(0, 256, (60, 4, 4, 1)).astype(np.uint8)
    return ResidentGrid("runner_grid", ["shape", "size", "angle"], [3, 4, 5], images)


@register("runner_images")
def images(root):
    return ResidentImages("runner_images", np.random.RandomState(1).randint(0, 256, (50, 4, 4, 1)).astype(np.uint8))


def pixels(x):
    return np.asarray(x).reshape(len(x), -1)[:, :3]


def metric_of_one_argument(representation_function, ground_truth_data, random_state):
    return {"two": 2.0 * ground_truth_data.num_factors}
