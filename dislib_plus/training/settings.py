"""The numbers and switches of a run, checked."""

import dataclasses
from typing import Optional

from dislib_plus import checks
from dislib_plus.configuration import ConfigurationError
from dislib_plus.training import distribution, run_seeds

# Keras counts the steps of an execution in 32 bits.
_MOST_STEPS_PER_EXECUTION = 2 ** 31 - 1
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
            checks.whole(f"model.{name}", getattr(self, name), 1)
        checks.at_most("model.steps_per_execution", self.steps_per_execution, _MOST_STEPS_PER_EXECUTION)
        for name in ("jit_compile", "deterministic"):
            checks.boolean(f"model.{name}", getattr(self, name))
        run_seeds.check(self.random_seed)
        if self.precision not in PRECISIONS:
            raise ConfigurationError(f"model.precision must be one of {', '.join(PRECISIONS)}; "
                                     f"received {self.precision!r}.")
        if self.strategy not in distribution.STRATEGIES:
            raise ConfigurationError("model.strategy must be None, 'mirrored' or 'multi_worker'; "
                                     f"received {self.strategy!r}.")

    def check_data(self, dataset, batch_size):
        """Raises ConfigurationError unless a batch can be drawn from the data set and shared by the devices."""
        if batch_size > dataset.num_observations:
            raise ConfigurationError(f"model.batch_size must be at most {dataset.num_observations}, the number of "
                                     f"images of {dataset.name!r}; received {batch_size}.")
        devices = distribution.replicas(distribution.strategy(self.strategy))
        if batch_size % devices:
            raise ConfigurationError(f"model.batch_size must be a multiple of the {devices} devices that share it; "
                                     f"received {batch_size}.")
