"""Learning-rate schedules where one update counts as several of the run's training steps."""

import keras

from dislib_plus import keras_internals


@keras.saving.register_keras_serializable("dislib_plus")
class CountedSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule of a step that advances by `count` at every update, as where one update counts as two of the run's.

    Args:
      schedule: LearningRateSchedule.
      count: steps an update.
    """

    def __init__(self, schedule, count):
        super().__init__()
        self.schedule = keras.saving.deserialize_keras_object(schedule) if isinstance(schedule, dict) else schedule
        self.count = count

    def __call__(self, step):
        return self.schedule(step * self.count)

    def get_config(self):
        return {"schedule": keras.saving.serialize_keras_object(self.schedule), "count": self.count}


def count(optimizer, updates):
    """Has the optimizer's learning-rate schedule, if it has one, see `updates` steps at every update."""
    schedule = keras_internals.learning_rate_schedule(optimizer)
    if schedule is not None and not isinstance(schedule, CountedSchedule) and updates > 1:
        optimizer.learning_rate = CountedSchedule(schedule, updates)
