"""What Keras does not offer by public names: the schedule of an optimizer, and the slots that belong to a weight."""

import keras


def _check():
    # By the code, as an object would start TensorFlow.
    constructors = [vars(base)["__init__"] for base in keras.optimizers.Optimizer.__mro__ if "__init__" in vars(base)]
    if not any("_learning_rate" in getattr(each, "__code__", _check.__code__).co_names for each in constructors):
        raise ImportError(f"Keras {keras.__version__} keeps no optimizer._learning_rate, which dislib_plus needs; "
                          "install the version that dislib-plus was tested with.")


_check()


def learning_rate_schedule(optimizer):
    """The optimizer's LearningRateSchedule, None where its rate is a number.

    `optimizer.learning_rate` is its value at the present step; to set one, assign it to `optimizer.learning_rate`.
    """
    rate = optimizer._learning_rate
    return rate if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule) else None


def learning_rate_variable(optimizer):
    """The variable that holds the optimizer's rate, None where it is a schedule."""
    if learning_rate_schedule(optimizer) is not None:
        return None
    return optimizer.learning_rate


def slots_of(optimizer, variable, name=None):
    """The optimizer's variables that belong to a weight, such as Adam's momentum and velocity.

    Args:
      optimizer: keras optimizer, built.
      variable: a weight that it trains.
      name: None: all; else one slot of the weight, such as "momentum".

    Returns:
      list of variables of the weight's shape; empty for an optimizer without slots, such as SGD without momentum.

    Raises:
      ValueError: the optimizer is not built, or has slots and no such one for this weight.
    """
    if not optimizer.built:
        raise ValueError(f"The slots of {optimizer.name} were asked for before it was built.")
    weights, slots = {}, {}
    for weight in optimizer._trainable_variables:
        weights.setdefault(_flat(weight), []).append(weight)
    for slot in optimizer.variables:
        slots.setdefault(slot.name, []).append(slot)
    own = []
    for slot_name, alike in slots.items():
        owner = _owner(slot_name, weights)
        # Weights of one name, as of networks side by side, have their slots in the order of the weights.
        shapes = [weight.shape for weight in weights.get(owner, ())]
        if any(len(slot.shape) for slot in alike) and [slot.shape for slot in alike] != shapes:  # not iteration, rate
            raise ValueError(f"{optimizer.name} of Keras {keras.__version__} has a variable {slot_name!r}, and which "
                             "weight it belongs to cannot be told; use another optimizer, such as Adam.")
        if owner == _flat(variable) and name in (None, slot_name.removeprefix(f"{owner}_")):
            own += [slot for slot, weight in zip(alike, weights[owner]) if weight is variable]
    if name is not None and not own:
        raise ValueError(f"{optimizer.name} of Keras {keras.__version__} has no slot {name!r} of {variable.path!r}.")
    return own


def _flat(variable):
    return variable.path.replace("/", "_")


def _owner(name, weights):
    """The longest weight name that a slot's name, WEIGHT_SLOT, begins with; None if none does."""
    while name and name not in weights:
        name = name.rpartition("_")[0]
    return name or None


def output_layers(model):
    """The layers that make the outputs of a functional model, in the order of the outputs.

    Raises:
      ValueError: an output is not made by a layer of the model itself.
    """
    made = [(layer, tensor) for layer in model.layers for tensor in _made_by(layer)]
    found = [next((layer for layer, tensor in made if tensor is output), None) for output in model.outputs]
    if None in found:
        raise ValueError(f"Output {found.index(None)} of the model {model.name!r} is not made by one of its layers; "
                         "make it by a layer such as Dense.")
    return found


def _made_by(layer):
    """The layer's symbolic outputs; empty where it was called several times, as Keras then has no single one."""
    try:
        return keras.tree.flatten(layer.output)
    except (AttributeError, ValueError):
        return []
