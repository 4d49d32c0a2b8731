"""Picture: what each block of a code tells of the image, and what it does to one (pro-VLAE, Li et al. 2020, fig. 5)."""

import math

import numpy as np

from dislib_plus.visualize import canvas, charts
from dislib_plus.visualize.block_codes import sampled_blocks

CAPTION = ("Each row: one block is drawn from its prior, and the others are those of one image. Bars: I(x;z_l); "
           "ln N: the log of the number of images, which no information exceeds. Deep blocks above.")
_GREEN = charts.COLOURS[2]


def panel(part, information, x, num_images, path, when="", count=10):
    """Draws a row of images a block, the last block of the code above, with a bar of I(x;z_l), and I(x;z) above all.

    Args:
      part: a Part with blocks.
      information: of `information_by_block`.
      x: the image whose code the other blocks have, [height, width, channels] in [0, 1].
      num_images: images that the information is about.
      path: file name of the picture.
      when: start of the title.
      count: images a row.
    """
    blocks = part.blocks[::-1]
    values = [information[f"mutual_information.{block.name}"] for block in blocks]
    ceiling = math.log(num_images)
    with charts.figure(path, 2.6 + 0.75 * count, 1.2 + 1.05 * len(blocks)) as drawing:
        drawing.suptitle(f"{when}I(x;z) = {information['mutual_information']:.2f} nats", x=0.01, ha="left", fontsize=11)
        grid = drawing.add_gridspec(len(blocks), 2, width_ratios=[2.2, 0.75 * count])
        _bars(drawing.add_subplot(grid[:, 0]), [block.name for block in blocks], values, ceiling)
        for row, images in enumerate(sampled_blocks(part, x[None], blocks, count)[0]):
            cell = drawing.add_subplot(grid[row, 1])
            cell.imshow(canvas.labelled_grid([images]))
            cell.axis("off")
            cell.set_title(f"{blocks[row].name} drawn from its prior, the others fixed", fontsize=8, pad=2)


def _bars(panel, names, values, ceiling):
    positions = np.arange(len(names))
    panel.barh(positions, values, height=0.5, color=_GREEN)
    for position, value in zip(positions, values):
        panel.text(max(value, 0.0), position, f" {round(value, 2) + 0.0:.2f}", va="center", fontsize=9)
    panel.axvline(ceiling, color=charts.GREY, linestyle=":")
    panel.text(ceiling, -0.5, "ln N", ha="center", va="bottom", fontsize=9)
    panel.set(xlim=(0, 1.35 * ceiling or 1.0), ylim=(len(names) - 0.5, -0.5), xlabel="I(x;z_l) (nats)")
    panel.set_yticks(positions, names)
