"""What methods with a discriminator share."""

import gin
import keras


def make_discriminator_optimizer():
    """gin's `discriminator_optimizer` where that is bound, else Adam(1e-4, 0.5, 0.9) (Kim & Mnih 2018, sec. 5)."""
    try:
        gin.query_parameter("discriminator_optimizer.optimizer_fn")
    except ValueError:
        return keras.optimizers.Adam(1e-4, beta_1=0.5, beta_2=0.9)
    return gin.get_configurable("discriminator_optimizer")()


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


def count_twice(optimizer):
    """Has the optimizer's learning-rate schedule, if it has one, see two steps at every update."""
    schedule = optimizer._learning_rate
    counted = isinstance(schedule, CountedSchedule)
    if isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule) and not counted:
        optimizer._learning_rate = CountedSchedule(schedule, 2)
