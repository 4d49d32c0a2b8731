"""The loss of a method's next training step, for a batch of observations."""

from dislib_plus import seeds


def step_terms(model, x, **parts):
    """Loss terms of the next training step."""
    return model.loss_terms({"x": x, **parts}, training=True, seed=model.training_seed())


def first_loss(model, terms):
    """The first player's loss of these terms."""
    return model.players()[0].loss(terms)


def step_noise(model, stream):
    """Seed of a stream of noise of the next training step."""
    return seeds.stream(model.training_seed(), stream)
