"""Data sets of a user: a grid of factors, and images with labels."""

import numpy as np

from dislib_plus.data import ResidentGrid, ResidentImages, register


@register("preset_grid")
def grid(root):
    images = np.random.RandomState(1).randint(0, 256, (60, 4, 4, 1)).astype(np.uint8)
    return ResidentGrid("preset_grid", ["shape", "size", "angle"], [3, 4, 5], images)


@register("preset_labels")
def labelled(root):
    images = np.random.RandomState(2).randint(0, 256, (60, 4, 4, 1)).astype(np.uint8)
    return ResidentImages("preset_labels", images, labels=np.arange(60) % 20)
