import numpy as np
import pytest
import scipy.integrate

from dislib_plus.configuration import ConfigurationError
from dislib_plus.data import get_named_ground_truth_data, pendulum
from dislib_plus.data.pendulum import GRAVITY, stage_data, swing, swings
from dislib_plus.latents import LatentSpec
from dislib_plus.networks import burgess, cascade, decoders, encoders, valid_conv


def test_only_friction_over_mass_matters():
    np.testing.assert_array_equal(swings([1.5], [1.0], [1.0]), swings([1.5], [2.0], [2.0]))
    assert np.abs(swings([1.5], [1.0], [1.0]) - swings([1.5], [1.0], [2.0])).max() > 0.1


@pytest.mark.parametrize("length", [1.0, 3.0])
def test_without_friction_the_energy_stays(length):
    angles = swing(length, 0.0)
    highest = np.arccos(1 - 9 * length / (2 * GRAVITY))
    assert abs(np.abs(angles).max() - highest) < 0.06
    assert angles[0] == 0 and abs(angles[1] - 0.3) < 0.01


def test_the_solution_is_that_of_a_finer_solver():
    def motion(time, state):
        return state[1], -0.7 * state[1] - GRAVITY / 1.3 * np.sin(state[0])

    times = 0.1 * np.arange(100)
    fine = scipy.integrate.solve_ivp(motion, (0, 9.9), (0, 3), "DOP853", times, rtol=1e-10, atol=1e-10).y[0]
    assert np.abs(swing(1.3, 0.7) - fine).max() < 0.04


def test_stages():
    first = stage_data(1, 5, np.random.RandomState(0))
    assert set(first["friction"].ravel()) == {0} and set(first["mass"].ravel()) == {1}
    np.testing.assert_array_equal(first["theta"], first["ideal"])
    second = stage_data(2, 5, np.random.RandomState(0))
    np.testing.assert_array_equal(second["length"], first["length"])
    np.testing.assert_array_equal(second["theta"], second["light"])
    third = stage_data(3, 6, np.random.RandomState(0))
    row = 3
    expected = swing(float(np.round(third["length"][row, 0], 6)),
                     float(np.round(third["friction"][row, 0], 6) / np.round(third["mass"][row, 0], 6)))
    np.testing.assert_allclose(third["theta"][row], expected, atol=1e-5)
    assert third["theta"].shape == (6, 100) and third["theta"].dtype == np.float32
    assert len(set(third["mass"].ravel())) > 1


def test_wrong_arguments():
    with pytest.raises(ValueError, match="stage must be 1, 2 or 3"):
        stage_data(4, 5, np.random.RandomState(0))
    with pytest.raises(ValueError, match="frictions at least 0"):
        swings([1.0], [-1.0], [1.0])
    with pytest.raises(ValueError, match="equally long"):
        swings([1.0, 2.0], [1.0], [1.0])


@pytest.mark.parametrize("build", [
    burgess.burgess_encoder, cascade.cascade_encoder, encoders.conv_encoder, valid_conv.valid_conv_encoder])
def test_convolutional_networks_refuse_curves(build):
    with pytest.raises(ConfigurationError, match=r"needs images \[height, .*; the data have the shape \[100\]"):
        build((100,), LatentSpec([("normal", 2)]))
    for decoder in (burgess.burgess_decoder, cascade.cascade_decoder, decoders.deconv_decoder):
        with pytest.raises(ConfigurationError, match="needs images"):
            decoder(2, (100,))


def test_the_grid(cache_folder, monkeypatch):
    monkeypatch.setattr(pendulum, "LENGTHS", np.array([1.0, 2.0]))
    monkeypatch.setattr(pendulum, "FRICTIONS", np.array([0.5, 1.0]))
    data = get_named_ground_truth_data("pendulum")
    assert data.factor_names == ["length", "friction", "mass"] and data.factors_num_values == [2, 2, 5]
    factors, observations = data.sample(4, np.random.RandomState(0))
    for (length, friction, mass), angles in zip(factors, observations):
        damping = [0.5, 1.0][friction] / pendulum.MASSES[mass]
        np.testing.assert_allclose(angles, swing([1.0, 2.0][length], damping), atol=1e-6)


def test_the_full_grid_has_the_papers_values():
    np.testing.assert_allclose(pendulum.LENGTHS, np.linspace(1, 3, 21))
    np.testing.assert_allclose(pendulum.FRICTIONS, np.linspace(0.1, 2, 20))
