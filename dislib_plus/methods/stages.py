"""Stages of a multi-stage system: what is trained, on what, for how long."""

import dataclasses
from typing import Any, Callable, Optional


@dataclasses.dataclass(frozen=True)
class Stage:
    """One stage of training; stages run one after the other, each to completion.

    Attributes:
      name: short name, used in log names and results.
      model: the Method that this stage trains (a part of the method, or the method itself).
      training_steps: iterations, 0 included; None: the run's `model.training_steps`.
      batch_size: examples; None: the run's `model.batch_size`.
      optimizer: function () -> keras optimizer of the first player; None: gin's.
      data: function (data set) -> data set of this stage, for its rehearsal, its training and its scores; a pure
        function of the data set, of weights that this stage does not train and of the method's seed. None: the data
        set itself.
      begin: function (data set of this stage), called once, when the stage starts, and never when it is resumed: a warm
        start, k-means, expectation maximisation. What it assigns is in the first checkpoint of the stage.
      keep_optimizer: go on with the optimizer of the stage before, slots and all, which must train the same model.
    """

    name: str
    model: Any
    training_steps: Optional[int] = None
    batch_size: Optional[int] = None
    optimizer: Optional[Callable] = None
    data: Optional[Callable] = None
    begin: Optional[Callable] = None
    keep_optimizer: bool = False

    def data_of(self, dataset):
        """The data set of this stage."""
        return dataset if self.data is None else self.data(dataset)
