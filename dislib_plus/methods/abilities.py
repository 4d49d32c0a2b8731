"""Abilities that a class has for some of its hyperparameters only: asked for otherwise, they are not there."""

import types


class Ability:
    """A method of models whose attribute `flag` is true; of others it is not an attribute.

    Args:
      function: the method.
      flag: name of an attribute of the model.
    """

    def __init__(self, function, flag):
        self.function, self.flag = function, flag
        self.__doc__ = function.__doc__

    def __get__(self, model, owner=None):
        if model is None:
            return self.function
        if not getattr(model, self.flag):
            raise AttributeError(f"{type(model).__name__} has no {self.function.__name__}: its code is deterministic.")
        return types.MethodType(self.function, model)
