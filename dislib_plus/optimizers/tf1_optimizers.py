"""The optimizer names that gin files know from TensorFlow 1.

`vae_optimizer.optimizer_fn = @AdamOptimizer` (also `@vae/AdamOptimizer`,
`@tf.train.AdamOptimizer`) makes a Keras optimizer with the same update rule.
`use_locking` and `name` are accepted because shared gin files bind them;
locking has no meaning here.
"""

import gin
import keras

from dislib_plus import checks
from dislib_plus.configuration import ConfigurationError
from dislib_plus.optimizers import classic_optimizers as classic
from dislib_plus.optimizers.decays import as_rate


def _not_negative(optimizer, **arguments):
    """Raises ConfigurationError unless all arguments are numbers >= 0."""
    for name, value in arguments.items():
        checks.at_least(f"{optimizer}.{name}", value, 0)


def _decay_rates(optimizer, **arguments):
    """Raises ConfigurationError unless all arguments are numbers in [0, 1)."""
    _not_negative(optimizer, **arguments)
    for name, value in arguments.items():
        if value >= 1:
            raise ConfigurationError(f"{optimizer}.{name} must be a number < 1; received {value!r}.")


def _classic(function):
    """Registers a TensorFlow 1 optimizer name."""
    return gin.configurable(function.__name__, module="tf.train")(function)


@_classic
def AdamOptimizer(learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8, use_locking=False, name="Adam"):
    """Adam (Kingma & Ba 2015): rate_t = rate sqrt(1 - beta2^t) / (1 - beta1^t), w -= rate_t m / (sqrt(v) + epsilon)."""
    _decay_rates("AdamOptimizer", beta1=beta1, beta2=beta2)
    _not_negative("AdamOptimizer", epsilon=epsilon)
    return keras.optimizers.Adam(as_rate(learning_rate), beta_1=beta1, beta_2=beta2, epsilon=epsilon, name=name)


@_classic
def GradientDescentOptimizer(learning_rate=gin.REQUIRED, use_locking=False, name="GradientDescent"):
    """w -= rate * g."""
    return keras.optimizers.SGD(as_rate(learning_rate), name=name)


@_classic
def MomentumOptimizer(learning_rate=gin.REQUIRED, momentum=gin.REQUIRED, use_locking=False, name="Momentum",
                      use_nesterov=False):
    """See classic_optimizers.Momentum."""
    _not_negative("MomentumOptimizer", momentum=momentum)
    checks.boolean("MomentumOptimizer.use_nesterov", use_nesterov)
    return classic.Momentum(as_rate(learning_rate), momentum, use_nesterov, name=name)


@_classic
def AdadeltaOptimizer(learning_rate=0.001, rho=0.95, epsilon=1e-8, use_locking=False, name="Adadelta"):
    """Adadelta (Zeiler 2012)."""
    _decay_rates("AdadeltaOptimizer", rho=rho)
    _not_negative("AdadeltaOptimizer", epsilon=epsilon)
    return keras.optimizers.Adadelta(as_rate(learning_rate), rho=rho, epsilon=epsilon, name=name)


@_classic
def AdagradOptimizer(learning_rate=gin.REQUIRED, initial_accumulator_value=0.1, use_locking=False, name="Adagrad"):
    """a += g^2;  w -= rate * g / sqrt(a) (Duchi et al. 2011)."""
    _not_negative("AdagradOptimizer", initial_accumulator_value=initial_accumulator_value)
    return keras.optimizers.Adagrad(as_rate(learning_rate), initial_accumulator_value, epsilon=0.0, name=name)


@_classic
def AdagradDAOptimizer(learning_rate=gin.REQUIRED, global_step=None, initial_gradient_squared_accumulator_value=0.1,
                       l1_regularization_strength=0.0, l2_regularization_strength=0.0, use_locking=False,
                       name="AdagradDA"):
    """See classic_optimizers.AdagradDA; the step is the optimizer's own, `global_step` is not needed."""
    _not_negative("AdagradDAOptimizer", l1_regularization_strength=l1_regularization_strength,
                  l2_regularization_strength=l2_regularization_strength,
                  initial_gradient_squared_accumulator_value=initial_gradient_squared_accumulator_value)
    return classic.AdagradDA(as_rate(learning_rate), l1_regularization_strength, l2_regularization_strength,
                             initial_gradient_squared_accumulator_value, name=name)


@_classic
def ProximalGradientDescentOptimizer(learning_rate=gin.REQUIRED, l1_regularization_strength=0.0,
                                     l2_regularization_strength=0.0, use_locking=False,
                                     name="ProximalGradientDescent"):
    """See classic_optimizers.ProximalGradientDescent."""
    _not_negative("ProximalGradientDescentOptimizer", l1_regularization_strength=l1_regularization_strength,
                  l2_regularization_strength=l2_regularization_strength)
    return classic.ProximalGradientDescent(as_rate(learning_rate), l1_regularization_strength,
                                           l2_regularization_strength, name=name)


@_classic
def ProximalAdagradOptimizer(learning_rate=gin.REQUIRED, initial_accumulator_value=0.1, l1_regularization_strength=0.0,
                             l2_regularization_strength=0.0, use_locking=False, name="ProximalAdagrad"):
    """See classic_optimizers.ProximalAdagrad."""
    _not_negative("ProximalAdagradOptimizer", l1_regularization_strength=l1_regularization_strength,
                  l2_regularization_strength=l2_regularization_strength,
                  initial_accumulator_value=initial_accumulator_value)
    return classic.ProximalAdagrad(as_rate(learning_rate), l1_regularization_strength, l2_regularization_strength,
                                   initial_accumulator_value, name=name)


@_classic
def RMSPropOptimizer(learning_rate=gin.REQUIRED, decay=0.9, momentum=0.0, epsilon=1e-10, use_locking=False,
                     centered=False, name="RMSProp"):
    """v = decay * v + (1 - decay) * g^2, v_0 = 1;  w -= rate * g / sqrt(v + epsilon) (Tieleman & Hinton 2012)."""
    _decay_rates("RMSPropOptimizer", decay=decay)
    _not_negative("RMSPropOptimizer", momentum=momentum, epsilon=epsilon)
    checks.boolean("RMSPropOptimizer.centered", centered)
    return classic.RMSProp(as_rate(learning_rate), rho=decay, momentum=momentum, epsilon=epsilon, centered=centered,
                           name=name)


@_classic
def FtrlOptimizer(learning_rate=gin.REQUIRED, learning_rate_power=-0.5, initial_accumulator_value=0.1,
                  l1_regularization_strength=0.0, l2_regularization_strength=0.0, use_locking=False, name="Ftrl",
                  accum_name=None, linear_name=None, l2_shrinkage_regularization_strength=0.0):
    """FTRL-proximal (McMahan et al. 2013)."""
    checks.at_most("FtrlOptimizer.learning_rate_power", learning_rate_power, 0)
    _not_negative("FtrlOptimizer", initial_accumulator_value=initial_accumulator_value,
                  l1_regularization_strength=l1_regularization_strength,
                  l2_regularization_strength=l2_regularization_strength,
                  l2_shrinkage_regularization_strength=l2_shrinkage_regularization_strength)
    return keras.optimizers.Ftrl(as_rate(learning_rate), learning_rate_power, initial_accumulator_value,
                                 l1_regularization_strength, l2_regularization_strength,
                                 l2_shrinkage_regularization_strength, name=name)
