"""What disentanglement_lib's module of this name offers; the metrics of this library import from the rooms."""

from ..arithmetic.discrete_information import discrete_entropy, discrete_mutual_info, make_discretizer
from ..arithmetic.discrete_information import histogram_discretize as _histogram_discretize
from ..arithmetic.row_operations import normalize_data
from ..encoding.sampling import generate_batch_factor_code, obtain_representation, split_train_test
from ..predictors.predictors import gradient_boosting_classifier, logistic_regression_cv, make_predictor_fn

__all__ = ["discrete_entropy", "discrete_mutual_info", "generate_batch_factor_code", "gradient_boosting_classifier",
           "logistic_regression_cv", "make_discretizer", "make_predictor_fn", "normalize_data",
           "obtain_representation", "split_train_test", "_histogram_discretize"]
