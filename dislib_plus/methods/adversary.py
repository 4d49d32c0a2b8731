"""What methods with a discriminator share."""

import gin
import keras


def discriminator_optimizer():
    """gin's `discriminator_optimizer` where that is bound, else Adam(1e-4, 0.5, 0.9) (Kim & Mnih 2018, sec. 5)."""
    try:
        gin.query_parameter("discriminator_optimizer.optimizer_fn")
    except ValueError:
        return keras.optimizers.Adam(1e-4, beta_1=0.5, beta_2=0.9)
    return gin.get_configurable("discriminator_optimizer")()
