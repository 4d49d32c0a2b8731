"""Pictures of a code with blocks: what each block tells of the image, and what it does to one.

They are those of pro-VLAE (Li et al. 2020, figs. 5, 6, 7, 10). Ladders name their blocks from shallow to deep; the
pictures show the deep ones first, as the paper does.
"""

import numpy as np

from dislib_plus.visualize import canvas, information_flow, traversals
from dislib_plus.visualize.block_codes import gridded_block, sampled_blocks

_BASES = 3


def add(gallery, part, statistics, x, span):
    """Adds the pictures of a part's blocks to those of a report; a code with one Gaussian group has none.

    Args:
      gallery: visualize_model.Gallery.
      part: a Part; statistics: its LatentStatistics.
      x: images [n, height, width, channels] in [0, 1].
      span: standard deviations of the prior.
    """
    if not part.blocks:
        return
    letter = part.letter.upper()
    if part.posterior is None:
        gallery.remarks.append(f"Pictures of the blocks of {letter}: the model has no posterior.")
        return
    section, names = f"Blocks of {letter}", ", ".join(block.name for block in part.blocks)
    path = gallery.add(section, f"blocks_{part.letter}_information.png", "Information of each block",
                       f"About {statistics.num_images:,} images. {information_flow.CAPTION}")
    information_flow.panel(part, statistics.information, x[0], statistics.num_images, path)
    path = gallery.add(section, f"blocks_{part.letter}_sampled.png", "One block drawn, the others fixed",
                       "Left: an image and the reconstruction from its mean code. Then the block beside the row is "
                       f"drawn from its prior, and the others of {names} stay those of the image.")
    sampled(part, x[:_BASES], path)
    path = gallery.add(section, f"blocks_{part.letter}_units.png", "The unit of each block with the largest KL",
                       f"It goes through ±{span:g} standard deviations of the prior; all else stays that of the image.")
    traversals.traversal_table(part, statistics, x[0], path, span, num_values=9, numbers=selected(part, statistics))
    for block in part.blocks[::-1]:
        if block.kind == "normal" and len(block.units) == 2:
            down, across = (part.units[number].name for number in block.units)
            path = gallery.add(section, f"blocks_{part.letter}_grid_{block.name}.png", f"Grid of {block.name}",
                               f"Down: {down}, across: {across}, in standard deviations of the prior. In every image "
                               "the other blocks are drawn from the prior anew.")
            grid(part, block, x[0], path, span)


def selected(part, statistics):
    """Number of the unit with the largest KL in each block, the last block first."""
    return [max(block.units, key=lambda unit: statistics.kl[unit]) for block in part.blocks[::-1]]


def sampled(part, x, path, count=8):
    """Draws a row for each block and image: the image, its reconstruction, and images with the block drawn anew."""
    blocks = part.blocks[::-1]
    _, own = part.render(x, np.asarray(part.encode(x))[:, None])[-1]
    images = sampled_blocks(part, x, blocks, count)
    rows = [np.concatenate([image[None], mean, of_block])
            for number in range(len(blocks)) for image, mean, of_block in zip(x, own, images[:, number])]
    labels = [f"{block.name} drawn" for block in blocks for _ in x]
    columns = ["image", "mean", *map(str, range(1, count + 1))]
    canvas.save_image(canvas.labelled_grid(rows, labels, columns, range(0, len(rows), len(x))), path)


def grid(part, block, x, path, span, num_values=9):
    """Draws a grid of images of the values of a block of two units; see `gridded_block`."""
    values = np.linspace(-span, span, num_values)
    labels = [f"{value:+.1f}" if value else "0" for value in values]
    down, across = (part.units[number].name for number in block.units)
    rows = [f"{down} {label}" for label in labels]
    canvas.save_image(canvas.labelled_grid(list(gridded_block(part, x, block, values)), rows,
                                           [f"{across} {labels[0]}", *labels[1:]]), path)
