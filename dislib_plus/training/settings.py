"""The numbers and switches of a run, checked."""

import dataclasses
import numbers
from typing import Optional

from dislib_plus.configuration import ConfigurationError
from dislib_plus.training import distribution, seeding

PRECISIONS = ("float32", "mixed_bfloat16")


@dataclasses.dataclass(frozen=True)
class Settings:
    """Arguments of `train` that are numbers or switches; see there.

    Raises:
      ConfigurationError: an argument breaks its rule.
    """

    training_steps: int
    batch_size: int
    random_seed: int
    eval_steps: int
    checkpoint_steps: int
    log_steps: int
    jit_compile: bool
    precision: str
    steps_per_execution: int
    strategy: Optional[str]
    deterministic: bool

    def __post_init__(self):
        for name in ("training_steps", "batch_size", "eval_steps", "checkpoint_steps", "log_steps",
                     "steps_per_execution"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 1:
                raise ConfigurationError(f"model.{name} must be an integer >= 1; received {value!r}.")
        seeding.check(self.random_seed)
        if self.precision not in PRECISIONS:
            raise ConfigurationError(f"model.precision must be one of {', '.join(PRECISIONS)}; "
                                     f"received {self.precision!r}.")
        if self.strategy not in distribution.STRATEGIES:
            raise ConfigurationError("model.strategy must be None, 'mirrored' or 'multi_worker'; "
                                     f"received {self.strategy!r}.")

    def check_data(self, dataset, batch_size):
        """Raises ConfigurationError unless a batch can be drawn from the data set and shared by the devices."""
        if batch_size > dataset.num_observations:
            raise ConfigurationError(f"model.batch_size must be at most {dataset.num_observations}, the number of images "
                                     f"of {dataset.name!r}; received {batch_size}.")
        devices = distribution.replicas(distribution.strategy(self.strategy))
        if batch_size % devices:
            raise ConfigurationError(f"model.batch_size must be a multiple of the {devices} devices that share it; "
                                     f"received {batch_size}.")
