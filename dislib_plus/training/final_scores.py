"""Scores of a trained model on fresh batches, under disentanglement_lib's keys."""

from dislib_plus.data import batches
from dislib_plus.training import distribution


def evaluate(model, strategy, dataset, batch_size, seed, eval_steps):
    """Means of all terms of `test_step` over `eval_steps` batches: dict of floats in nats."""
    parts = batches.parts_of(model, dataset)
    data = distribution.training_batches(strategy, dataset, parts, batch_size, seed, 0, eval_steps)
    logs = model.evaluate(data, steps=eval_steps, verbose=0, return_dict=True)
    return {name: float(value) for name, value in logs.items()}


def named_as_dlib(logs, weights):
    """The scores with disentanglement_lib's keys first, then the terms under their own names.

    Args:
      logs: means of the terms, with "loss" and, for autoencoders, "elbo" = -(reconstruction + kl).
      weights: weights of the terms in the loss; a missing one is 1.

    Returns:
      dict: reconstruction_loss, elbo, regularizer (loss less the weighted reconstruction), kl_loss, loss, then
      the other terms.
    """
    scores = {}
    if "reconstruction" in logs:
        scores["reconstruction_loss"] = logs["reconstruction"]
        scores["regularizer"] = logs["loss"] - float(weights.get("reconstruction", 1.0)) * logs["reconstruction"]
    if "elbo" in logs:
        scores["elbo"] = logs["elbo"]
    if "kl" in logs:
        scores["kl_loss"] = logs["kl"]
    scores["loss"] = logs["loss"]
    return {**scores, **{name: value for name, value in logs.items() if name not in scores}}
