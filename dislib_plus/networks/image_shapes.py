"""Checks and sizes that the convolutional networks share."""

from dislib_plus.configuration import ConfigurationError


def image_sides(shape):
    """(height, width, channels) of an image shape.

    Raises:
      ConfigurationError: it has fewer axes than an image.
    """
    if len(shape) < 3:
        raise ConfigurationError("This convolutional network needs images [height, width, channels]; the data have the "
                                 f"shape {list(shape)}. Choose a network without convolutions, such as fc_encoder and "
                                 "fc_decoder, or another data set.")
    height, width, channels = (int(size) for size in shape[-3:])
    return height, width, channels


def image_size(shape, multiple, least=1):
    """(height, width, channels) of an image shape whose sides are multiples of `multiple`, at least `least`.

    Raises:
      ConfigurationError: the sides are not, or it is not the shape of an image.
    """
    height, width, channels = image_sides(shape)
    if height % multiple or width % multiple or min(height, width) < least:
        raise ConfigurationError(
            f"This convolutional network halves the image repeatedly, so height and width must be multiples of "
            f"{multiple} and at least {max(least, multiple)}; received {height}x{width}. Resize the data, or choose "
            "another network.")
    return height, width, channels
