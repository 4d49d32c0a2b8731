"""What the numbers of a training run's results mean."""

from dislib_plus import methods
from dislib_plus.meanings import Meaning, find, nats, number
from dislib_plus.methods import Method, term_meanings

# disentanglement_lib's names of two terms.
SAME = {"reconstruction_loss": "reconstruction", "kl_loss": "kl"}
# What `final_scores` and `Run.finish` add to the terms of the method.
ADDED = {
    "regularizer": nats("loss less the weighted reconstruction"),
    "global_step": number("training steps that are done"),
    "elapsed_time": Meaning("time of the training", "seconds", 0),
    "precision": Meaning("the networks' dtype policy"),
    "uuid": Meaning("mark of this result"),
}


def of(model, key):
    """The Meaning of a key in the results of a model's training, None where nothing says it.

    Args:
      model: the trained model; what is not a Method has the common terms.
      key: of a number; `<stage>.<name>` is of a stage that trained another model.
    """
    stage, _, name = key.rpartition(".")
    models = {each.name: each.model for each in model.stages()} if stage and isinstance(model, Method) else {}
    return find(SAME.get(name, name), {**term_meanings.of(type(models.get(stage, model))), **ADDED})


def explained():
    """[method, name, meaning] of all numbers of training, as texts; those that many methods have come last."""
    rows = []
    for name, method in vars(methods).items():
        if isinstance(method, type) and issubclass(method, Method):
            own = {key: meaning for key, meaning in term_meanings.of(method).items()
                   if term_meanings.COMMON.get(key) != meaning}
            rows += [[name, key, str(meaning)] for key, meaning in own.items()]
    shared = {**term_meanings.COMMON, **{name: term_meanings.COMMON[term] for name, term in SAME.items()}, **ADDED}
    return rows + [["many", key, str(meaning)] for key, meaning in shared.items()]
