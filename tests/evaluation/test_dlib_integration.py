"""disentanglement_lib's own metrics on our data and wrapper, and ours on its data: equal scores."""

import gin
import numpy as np
import pytest

from dislib_plus.data import ResidentGrid
from dislib_plus.evaluation.encoding import code_table
from dislib_plus.evaluation.metrics import (
    beta_vae,
    dci,
    downstream_task,
    factor_vae,
    fairness,
    irs,
    mig,
    modularity_explicitness,
    sap_score,
    unsupervised_metrics,
    utils,
)

VOTES = {"batch_size": 16, "num_train": 200, "num_eval": 100}
TWO = {"num_train": 200, "num_test": 100, "batch_size": 16}
METRICS = {
    "beta_vae": (beta_vae.compute_beta_vae_sklearn, VOTES),
    "factor_vae": (factor_vae.compute_factor_vae, {**VOTES, "num_variance_estimate": 200}),
    "mig": (mig.compute_mig, {"num_train": 300}), "irs": (irs.compute_irs, {"num_train": 300, "batch_size": 16}),
    "sap_score": (sap_score.compute_sap, {**TWO, "continuous_factors": False}),
    "modularity_explicitness": (modularity_explicitness.compute_modularity_explicitness, TWO),
    "unsupervised_metrics": (unsupervised_metrics.unsupervised_metrics, {"num_train": 300}),
    "dci": (dci.compute_dci, TWO),
    "downstream_task": (downstream_task.compute_downstream_task, {**TWO, "num_train": [60]}),
    "fairness": (fairness.compute_fairness, {"num_train": 60, "num_test_points_per_class": 10}),
}
SETTINGS = {"discretizer.num_bins": 20, "prune_dims.threshold": 0.05}


@pytest.fixture(scope="module")
def data():
    """Images of three factors, the middle one hidden, with a little fixed noise."""
    sizes = (2, 3, 3)
    factors = np.indices(sizes).reshape(3, -1).T
    images = np.zeros((18, 4, 4, 1), np.uint8)
    for position, scale in enumerate((90, 50, 60)):
        images[:, position, position, 0] = scale * factors[:, position]
    images += np.random.RandomState(0).randint(0, 40, images.shape).astype(np.uint8)
    return ResidentGrid("small", ["a", "b", "c"], sizes, images, visible=[0, 2])


def _represent(observations):
    pixels = np.asarray(observations).reshape(len(observations), -1)
    return pixels[:, [0, 5, 10, 3]] @ np.array([[1, .2, 0, 0], [0, 1, 0, .3], [.1, 0, 1, 0], [0, 0, 0, 1]], np.float32)


@pytest.fixture(autouse=True)
def configured(dlib):
    """The same bindings for both libraries, each on its own gin."""
    theirs = dlib.load("evaluation.metrics.utils")
    dlib.load("evaluation.metrics.factor_vae")
    with gin.unlock_config(), dlib.gin.unlock_config():
        for config, functions in ((gin, utils), (dlib.gin, theirs)):
            config.clear_config()
            config.bind_parameter("discretizer.discretizer_fn", functions._histogram_discretize)
            config.bind_parameter("predictor.predictor_fn", functions.gradient_boosting_classifier)
            for key, value in SETTINGS.items():
                config.bind_parameter(key, value)
        yield
        gin.clear_config()
        dlib.gin.clear_config()


def _run(function, data, represent, options):
    random_state = np.random.RandomState(0)
    np.random.seed(0)
    return function(data, represent, random_state, **options), random_state.randint(2 ** 31 - 1)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", sorted(METRICS))
def test_their_metrics_on_our_data_and_wrapper(dlib, data, name):
    function, options = METRICS[name]
    theirs = getattr(dlib.load(f"evaluation.metrics.{name}"), function.__name__)
    ours = _run(function, data, _represent, options)
    for given in ((data, _represent), code_table.tabulate(data, _represent)):
        expected, draw = _run(theirs, *given, options)
        assert draw == ours[1]
        for key, value in expected.items():
            tolerance = 1e-6 if "wasserstein" in key else 1e-12
            assert ours[0][key] == pytest.approx(float(np.real(value)), abs=tolerance), key


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["mig", "irs", "unsupervised_metrics", "sap_score"])
def test_our_metrics_on_their_identity_observations(dlib, name):
    theirs = dlib.load("data.ground_truth.dummy_data").IdentityObservationsData()
    function, options = METRICS[name]
    expected = _run(getattr(dlib.load(f"evaluation.metrics.{name}"), function.__name__), theirs, lambda x: x * 1.0,
                    options)
    found = _run(function, theirs, lambda x: x * 1.0, options)
    assert found[1] == expected[1]
    for key, value in expected[0].items():
        assert found[0][key] == pytest.approx(float(np.real(value)), abs=1e-6 if "wasserstein" in key else 1e-12), key


@pytest.mark.filterwarnings("ignore")
def test_our_metrics_on_their_noise(dlib):
    """Their dummy data draws pixels from the random state; the stream stays theirs."""
    theirs = dlib.load("data.ground_truth.dummy_data").DummyData()
    function, options = METRICS["mig"]
    expected = _run(dlib.load("evaluation.metrics.mig").compute_mig, theirs, _represent_all, options)
    assert _run(function, theirs, _represent_all, options)[0]["discrete_mig"] == pytest.approx(
        expected[0]["discrete_mig"], abs=1e-12)


def _represent_all(observations):
    return observations.reshape(len(observations), -1)[:, :4]


@pytest.mark.filterwarnings("ignore")
def test_signatures_and_defaults_are_theirs(dlib):
    """Every parameter of theirs exists here, in the same order, with the same default."""
    import inspect
    for name, (function, _) in METRICS.items():
        theirs = getattr(dlib.load(f"evaluation.metrics.{name}"), function.__name__)
        expected = list(inspect.signature(inspect.unwrap(theirs)).parameters.values())
        found = list(inspect.signature(inspect.unwrap(function)).parameters.values())
        for parameter, own in zip(expected, found):
            assert own.name == parameter.name, name
            required = repr(parameter.default) == repr(dlib.gin.REQUIRED)
            assert own.default == (gin.REQUIRED if required else parameter.default), (name, own.name)
