"""Stages of a multi-stage system: what is trained, on what, for how long."""

import dataclasses
from typing import Any, Callable, Optional


@dataclasses.dataclass(frozen=True)
class Stage:
    """One stage of training; stages run one after the other, each to completion.

    Attributes:
      name: short name, used in log names and results.
      model: the keras.Model that this stage trains (a part of the method, or the method itself).
      training_steps: iterations; None: the run's `model.training_steps`.
      batch_size: images; None: the run's `model.batch_size`.
      optimizer: function () -> keras optimizer; None: the run's `vae_optimizer`.
      prepare: function (data set) -> data set to train on, called when the stage
        starts; a pure function of the frozen weights and the method's seed, so a
        resumed run gets the same one. None: the data set itself.
    """

    name: str
    model: Any
    training_steps: Optional[int] = None
    batch_size: Optional[int] = None
    optimizer: Optional[Callable] = None
    prepare: Optional[Callable] = None
