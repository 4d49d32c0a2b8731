"""Checks and sizes that the convolutional networks share."""

from dislib_plus.configuration import ConfigurationError


def image_size(shape, multiple, least=1):
    """(height, width, channels) of an image shape whose sides are multiples of `multiple`, at least `least`.

    Raises:
      ConfigurationError: the sides are not.
    """
    height, width, channels = (int(size) for size in shape[-3:])
    if height % multiple or width % multiple or min(height, width) < least:
        raise ConfigurationError(
            f"This convolutional network halves the image repeatedly, so height and width must be multiples of {multiple} "
            f"and at least {max(least, multiple)}; received {height}x{width}. Resize the data or choose another network.")
    return height, width, channels
