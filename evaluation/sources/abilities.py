"""What a model can do: it has a method of that name, or it has not. The one place that asks a model."""


def lacks(model, names):
    """Those of the names that the model does not have, in order."""
    return [name for name in names if not hasattr(model, name)]


def observation_shape(model):
    """Shape of one observation that the model takes, None where it cannot be known."""
    shape = getattr(model, "observation_shape", None) or (getattr(model, "input_shape", None) or ())[1:]
    return tuple(shape) if shape and None not in shape else None


def representation(model):
    """The function of images that gives the model's codes, None where it has no codes.

    A trained system says by `represent` what its code is; one that has a loss and no `represent` (a generator
    without an encoder, a flow) has none. Any other model is taken for an encoder: its output is the code.
    """
    if not lacks(model, ["represent"]):
        return model.represent
    return None if not lacks(model, ["loss_terms"]) else lambda x: model(x, training=False)


def is_gaussian(model):
    """Whether q(z|x) can be had and is a Gaussian of all latent units."""
    return not lacks(model, ["posterior", "code_spec"]) and all(kind == "normal" for kind, _ in model.code_spec)
