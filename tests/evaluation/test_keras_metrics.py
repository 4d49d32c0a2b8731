"""The Keras metrics: equal to the array functions, in batches, in a compiled step, after a reset."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.configuration import ConfigurationError, Notice
from dislib_plus.evaluation import keras_metrics
from dislib_plus.evaluation.keras_metrics import CodeMetric

SMALL = {"BetaVAEScore": {"num_train": 100, "num_eval": 50, "batch_size": 8},
         "FactorVAEScore": {"num_train": 100, "num_eval": 50, "batch_size": 8},
         "DCIES": {"depths": (1, 2, 4), "num_trees": 3}, "DCI": {"num_trees": 2, "depths": (4,)}}
METRICS = {name: made for name, made in vars(keras_metrics).items()
           if inspect.isclass(made) and issubclass(made, CodeMetric) and made is not CodeMetric}
FACTORS = np.random.RandomState(0).permutation(np.tile(np.indices((2, 3, 4)).reshape(3, -1).T, (5, 1)))
CODES = (FACTORS + 0.3 * np.random.RandomState(1).normal(size=FACTORS.shape)).astype(np.float32)


def values(result):
    return {key: float(value) for key, value in result.items()} if isinstance(result, dict) else float(result)


@pytest.mark.parametrize("name", METRICS)
def test_equal_to_the_array_function(name):
    options = SMALL.get(name, {})
    metric = METRICS[name](**options)
    for start in range(0, 120, 50):
        metric.update_state(CODES[start:start + 50], FACTORS[start:start + 50])
    expected = METRICS[name].function(CODES.astype(np.float64), FACTORS, **options)
    found = values(metric.result())
    if not isinstance(found, dict):
        [key] = METRICS[name].keys
        found = {key: found}
    assert found == pytest.approx({key: expected[key] for key in METRICS[name].keys}, rel=1e-6)
    assert metric.scores() == metric.scores(), "draws repeat"


def test_the_array_functions_are_those_of_the_metrics():
    """By one that fits and one that counts, called as a user calls them."""
    from dislib_plus.evaluation.metrics import mig, sap_score
    metric = keras_metrics.MIG(num_bins=5)
    metric.update_state(CODES, FACTORS)
    assert values(metric.result()) == pytest.approx(mig.mig(CODES.astype(float), FACTORS, num_bins=5)["discrete_mig"])
    metric = keras_metrics.SAP(continuous_factors=True, random_seed=3)
    metric.update_state(CODES, FACTORS)
    expected = sap_score.sap(CODES.astype(float), FACTORS, continuous_factors=True,
                             random_state=np.random.RandomState(3))
    assert values(metric.result()) == pytest.approx(expected["SAP_score"])


def test_a_reset_forgets():
    metric = keras_metrics.MIG()
    assert values(metric.result()) == 0.0
    metric.update_state(np.zeros_like(CODES), FACTORS)
    metric.reset_state()
    metric.update_state(CODES, FACTORS)
    fresh = keras_metrics.MIG()
    fresh.update_state(CODES, FACTORS)
    assert values(metric.result()) == values(fresh.result()) > 0.1


def test_rows_beyond_the_limit_are_left_out_and_said():
    metric, limited = keras_metrics.MIGSup(max_points=1000), keras_metrics.MIGSup(max_points=70)
    metric.update_state(CODES[:70], FACTORS[:70])
    for start in (0, 50, 100):
        limited.update_state(CODES[start:start + 50], FACTORS[start:start + 50])
    with pytest.warns(Notice, match="first 70 of 120 rows"):
        assert values(limited.result()) == values(metric.result())


class Encoder(keras.Model):
    """Codes by a matrix; its steps score them."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3)
        self.mig, self.sup = keras_metrics.MIG(), keras_metrics.MIGSup(name="sup")
        self.loss_mean = keras.metrics.Mean(name="loss")

    def call(self, x):
        return self.dense(x)

    def train_step(self, data):
        x, factors = data
        with tf.GradientTape() as tape:
            codes = self(x)
            loss = tf.reduce_mean(tf.square(codes - tf.cast(factors, tf.float32)))
        self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        return self._measured(codes, factors, loss)

    def test_step(self, data):
        x, factors = data
        codes = self(x)
        return self._measured(codes, factors, tf.reduce_mean(tf.square(codes)))

    def _measured(self, codes, factors, loss):
        self.mig.update_state(codes, factors)
        self.sup.update_state(codes, factors)
        self.loss_mean.update_state(loss)
        return {each.name: each.result() for each in self.metrics}


@pytest.mark.parametrize("jit_compile", [False, True])
def test_in_fit_and_evaluate(jit_compile):
    model = Encoder()
    model.compile(optimizer=keras.optimizers.SGD(0.01), jit_compile=jit_compile)
    history = model.fit(CODES, FACTORS, epochs=2, batch_size=50, verbose=0).history
    found = model.evaluate(CODES, FACTORS, batch_size=40, verbose=0, return_dict=True)
    codes = model.predict(CODES, verbose=0).astype(np.float64)
    assert found["mig"] == pytest.approx(keras_metrics.MIG.function(codes, FACTORS)["discrete_mig"], abs=1e-6)
    assert found["sup"] == pytest.approx(keras_metrics.MIGSup.function(codes, FACTORS)["mig_sup"], abs=1e-6)
    assert len(history["mig"]) == 2 and min(history["mig"]) > 0


def test_configuration_round_trips():
    metric = keras_metrics.MIG(num_bins=7, max_points=50, name="gap")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert again.get_config() == metric.get_config() and type(again) is keras_metrics.MIG


def test_bad_input():
    metric = keras_metrics.MIG()
    with pytest.raises(ValueError, match=r"codes \[n, D\] and factors \[n, K\]"):
        metric.update_state(CODES, FACTORS[:, 0])
    metric.update_state(CODES, FACTORS)
    with pytest.raises(ValueError, match="has seen 3 codes and 3 factors; received 2 and 3"):
        metric.update_state(CODES[:, :2], FACTORS)
    with pytest.raises(ValueError, match="sample_weight"):
        metric.update_state(CODES, FACTORS, np.ones(120))
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match="one row"):
        metric.update_state(CODES[1:], FACTORS)
    with pytest.raises(ConfigurationError, match="MIG.max_points"):
        keras_metrics.MIG(max_points=1)
