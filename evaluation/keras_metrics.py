"""The metrics of codes and factors as `keras.metrics.Metric`, for a loop of one's own.

  score = keras_metrics.MIG(num_bins=20)
  for images, factors in batches:
      score.update_state(encoder(images), factors)
  print(score.result())

What `update_state` is given is kept, up to `max_points` rows, and `result` is the array function's score of all of it:
equal to that of one call. The rows are kept in variables, so a compiled `train_step` or `test_step` may call
`update_state`; in there `result` is the last one that was computed outside, as most of these scores take longer than a
step. Keras asks for it outside at the end of every epoch and of `evaluate`.
"""

import functools
import warnings

import keras
import numpy as np
import tensorflow as tf

from dislib_plus import checks
from dislib_plus.configuration import Notice

from .metrics import (
    beta_vae,
    dci_es,
    dci_regression,
    factor_vae,
    infomec,
    irs,
    jemmig,
    mcc,
    med,
    mig,
    mig_sup,
    minimality_sufficiency,
    modularity_explicitness,
    r2,
    sap_score,
    tad,
)


class CodeMetric(keras.metrics.Metric):
    """Score of all codes and factors seen since the last reset.

    A subclass names an array function and the scores of it that `result` returns: one as a number, several as a dict.
    """

    function, keys = None, ()

    def __init__(self, max_points=10000, name=None, dtype=None, **options):
        """Creates the metric.

        Args:
          max_points: rows that are kept; later ones are left out, with a warning by `result`.
          name: of the metric; dtype: of the number returned, None: Keras' default.
          **options: of the array function.

        Raises:
          ConfigurationError: max_points below 2.
        """
        checks.count(f"{type(self).__name__}.max_points", max_points, 2)
        super().__init__(name=name or type(self).__name__.lower(), dtype=dtype)
        self.max_points, self.options = max_points, options
        self._seen = self.add_variable((), "zeros", "int64", name="seen")
        self._latest = self.add_variable((len(self.keys),), "zeros", name="latest")
        self._rows = None

    def update_state(self, codes, factors, sample_weight=None):
        """Keeps codes [n, D] and factors [n, K].

        Raises:
          ValueError: other shapes, lengths or widths than before, or weights, which these scores do not have.
        """
        if sample_weight is not None:
            raise ValueError(f"{self.name} scores every row alike; leave sample_weight out.")
        codes, factors = (tf.cast(tf.convert_to_tensor(part), tf.float64) for part in (codes, factors))
        if len(codes.shape) != 2 or len(factors.shape) != 2:
            raise ValueError(f"{self.name} takes codes [n, D] and factors [n, K]; received shapes {codes.shape} and "
                             f"{factors.shape}.")
        if self._rows is None:
            # One row more than are kept: there go those that are left out.
            self._rows = [self.add_variable((self.max_points + 1, part.shape[1]), "zeros", "float64", name=name)
                          for name, part in (("codes", codes), ("factors", factors))]
        if [part.shape[1] for part in (codes, factors)] != [rows.shape[1] for rows in self._rows]:
            raise ValueError(f"{self.name} has seen {self._rows[0].shape[1]} codes and {self._rows[1].shape[1]} "
                             f"factors; received {codes.shape[1]} and {factors.shape[1]}.")
        tf.debugging.assert_equal(tf.shape(codes)[0], tf.shape(factors)[0], "codes and factors must have one row each")
        added = tf.shape(codes, tf.int64)[0]
        places = tf.minimum(self._seen + tf.range(added), self.max_points)[:, tf.newaxis]
        for rows, part in zip(self._rows, (codes, factors)):
            rows.assign(tf.tensor_scatter_nd_update(rows.value, places, part))
        self._seen.assign(self._seen + added)

    def result(self):
        """The score, or a dict of scores; 0 before anything was seen."""
        if tf.executing_eagerly() and self._rows is not None and int(self._seen) > 0:
            self._latest.assign([self.scores()[key] for key in self.keys])
        values = dict(zip(self.keys, tf.unstack(tf.convert_to_tensor(self._latest))))
        return values if len(values) > 1 else values[self.keys[0]]

    def scores(self):
        """dict: all that the array function returns of the rows that were kept."""
        seen, kept = int(self._seen), min(int(self._seen), self.max_points)
        if seen > kept:
            warnings.warn(f"{self.name} scores the first {kept} of {seen} rows; a larger max_points keeps more.",
                          Notice, stacklevel=3)
        codes, factors = (rows.numpy()[:kept] for rows in self._rows)
        return type(self).function(codes, factors, **self.options)

    def reset_state(self):
        """Forgets the rows; the latest result stays what a compiled step returns."""
        self._seen.assign(0)

    def get_config(self):
        """Arguments of the constructor."""
        return {"name": self.name, "dtype": self.dtype, "max_points": self.max_points, **self.options}


def _metric(name, function, *keys, **defaults):
    """A subclass of CodeMetric; defaults: options of the array function that the user may replace."""
    def scored(codes, factors, **options):
        return function(codes, factors, **{**defaults, **options})
    text = f"`{', '.join(keys)}` of `{function.__module__.rpartition('.')[2]}.{function.__name__}`."
    members = {"__doc__": text, "function": staticmethod(scored), "keys": keys, "__module__": __name__}
    return keras.saving.register_keras_serializable("dislib_plus")(type(name, (CodeMetric,), members))


def _seeded(function):
    """A function that draws, with draws that are the same at every call."""
    @functools.wraps(function)
    def repeated(codes, factors, random_seed=0, **options):
        return function(codes, factors, random_state=np.random.RandomState(random_seed), **options)
    return repeated


MIG = _metric("MIG", mig.mig, "discrete_mig")
MIGSup = _metric("MIGSup", mig_sup.mig_sup, "mig_sup")
MED = _metric("MED", med.med, "med", "med_completeness")
BetaVAEScore = _metric("BetaVAEScore", _seeded(beta_vae.beta_vae), "eval_accuracy")
FactorVAEScore = _metric("FactorVAEScore", _seeded(factor_vae.factor_vae), "eval_accuracy")
DCI = _metric("DCI", _seeded(dci_regression.dci_regression), "disentanglement", "completeness", "test_error")
DCIES = _metric("DCIES", _seeded(dci_es.dci_es), "explicitness", "size", "disentanglement", "completeness",
                "informativeness")
SAP = _metric("SAP", _seeded(sap_score.sap), "SAP_score")
ModularityExplicitness = _metric("ModularityExplicitness", _seeded(modularity_explicitness.modularity_explicitness),
                                 "modularity_score", "explicitness_score_test")
IRS = _metric("IRS", irs.irs, "IRS")
InfoMEC = _metric("InfoMEC", _seeded(infomec.infomec), "infom", "infoc", "infoe")
TAD = _metric("TAD", _seeded(tad.tad), "tad", "num_captured_attributes")
MCC = _metric("MCC", _seeded(mcc.mcc), "mcc", "mcc_coverage")
R2 = _metric("R2", _seeded(r2.r2), "r2_test", "r2_matched_test")
RMIG = _metric("RMIG", jemmig.rmig, "rmig")
JEMMIG = _metric("JEMMIG", jemmig.jemmig, "jemmig", "jemmi")
DCIMIG = _metric("DCIMIG", jemmig.dcimig, "dcimig")
MinimalitySufficiency = _metric("MinimalitySufficiency", minimality_sufficiency.minimality_sufficiency, "minimality",
                                "sufficiency")
