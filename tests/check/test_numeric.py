import inspect
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from symbp.check import (
    Slopes,
    complex_step,
    five_point,
    numeric_gradient,
    relative_error,
    taylor_slopes,
)

THETA = np.array([0.3, -1.2, 0.7, 2.0])
DIRECTION = np.array([1.0, 0.5, -2.0, 0.1])


def smooth(theta):
    return np.exp(theta[0]) * np.sin(theta[1]) + theta[2] ** 3 * np.tanh(theta[3])


def smooth_gradient(theta):
    a, b, c, d = theta
    return np.array(
        [
            np.exp(a) * np.sin(b),
            np.exp(a) * np.cos(b),
            3 * c**2 * np.tanh(d),
            c**3 * (1 - np.tanh(d) ** 2),
        ]
    )


def relu(theta):
    return np.sum(np.maximum(theta, 0))


@pytest.mark.parametrize(("method", "tolerance"), [(complex_step, 1e-14), (five_point, 1e-10)])
def test_derivative_along_a_direction(method, tolerance):
    slope, doubt = method(smooth, THETA, DIRECTION)
    expected = smooth_gradient(THETA) @ DIRECTION
    assert abs(slope - expected) < tolerance * abs(expected)
    assert doubt < 1e-8


@pytest.mark.parametrize("method", [complex_step, five_point])
def test_derivative_of_an_array(method):
    slope, _ = method(lambda theta: np.outer(theta, theta), THETA, DIRECTION)
    expected = np.outer(THETA, DIRECTION) + np.outer(DIRECTION, THETA)
    np.testing.assert_allclose(slope, expected, atol=1e-10)


def test_zero_direction_and_empty_value():
    assert five_point(smooth, THETA, 0 * THETA) == (0, 0)
    slope, doubt = five_point(lambda theta: theta[:0], THETA, DIRECTION)
    assert slope.shape == (0,)
    assert doubt == 0


@pytest.mark.parametrize("distance", [1e-3, 1e-4, 3e-5])
def test_steps_shrink_below_a_kink(distance):
    slope, doubt = five_point(relu, np.array([distance]), np.array([1.0]))
    assert abs(slope - 1) < 1e-9
    assert doubt < 1e-8


@pytest.mark.parametrize("distance", [0.0, 1e-9, 1e-12])
def test_a_kink_at_the_point_is_in_doubt(distance):
    assert five_point(relu, np.array([distance]), np.array([1.0]))[1] > 1e-6


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e6])
def test_step_follows_the_size_of_theta(size):
    slope, _ = five_point(lambda t: np.sum(t**3) / size**2, np.array([size]), np.array([1.0]))
    assert abs(slope - 3) < 1e-8


def test_leaving_the_domain_shrinks_the_step():
    slope, doubt = five_point(lambda t: np.log(t[0]), np.array([1e-4]), np.array([1.0]))
    assert abs(slope * 1e-4 - 1) < 1e-5
    assert doubt < 1


@pytest.mark.parametrize("method", [complex_step, five_point])
def test_small_gradient_is_measured_whole(method):
    slopes = numeric_gradient(smooth, THETA, method)
    assert slopes.checked == THETA.size
    assert relative_error(slopes, smooth_gradient(THETA))[0] < 1e-9


def test_large_gradient_is_sampled_and_no_entry_escapes():
    theta = np.random.default_rng(0).standard_normal(5000)
    slopes = numeric_gradient(lambda t: np.sum(np.sin(t)), theta, complex_step)
    assert slopes.checked == 21 + 4
    gradient = np.cos(theta)
    assert relative_error(slopes, gradient)[0] < 1e-12
    untested = np.setdiff1d(np.arange(5000), slopes.indices)[0]
    gradient[untested] += 1e-6
    assert relative_error(slopes, gradient)[0] > 1e-12


def test_empty_gradient():
    slopes = numeric_gradient(lambda t: np.sum(t), np.zeros(0), complex_step)
    assert relative_error(slopes, np.zeros(0)) == (0, -1)


def test_entries_near_zero_are_scaled_by_the_rest():
    slopes = numeric_gradient(lambda t: t[0] + 1e-20 * t[1], np.zeros(2), complex_step)
    assert relative_error(slopes, np.array([1.0, 0.0]))[0] < 1e-12


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_infinitely_wrong(bad):
    slopes = numeric_gradient(smooth, THETA, complex_step)
    gradient = smooth_gradient(THETA)
    gradient[2] = bad
    assert relative_error(slopes, gradient) == (np.inf, 2)


def test_taylor_remainder():
    gradient = smooth_gradient(THETA)
    right = taylor_slopes(smooth, gradient, THETA, DIRECTION)
    wrong = taylor_slopes(smooth, 1.5 * gradient, THETA, DIRECTION)
    assert np.all(np.abs(right - 2) < 0.1)
    assert np.all(np.abs(wrong - 1) < 0.1)


def test_taylor_remainder_of_a_linear_function():
    slopes = taylor_slopes(lambda t: float(t @ DIRECTION), DIRECTION, THETA, DIRECTION)
    assert np.all(slopes >= 1.9)


def test_the_text_of_the_instruments_runs_alone():
    parts = (Slopes, complex_step, five_point, numeric_gradient, relative_error)
    names = {"np": np, "Callable": Callable, "NamedTuple": NamedTuple, "NDArray": NDArray}
    exec("\n\n".join(map(inspect.getsource, parts)), names)
    slopes = names["numeric_gradient"](smooth, THETA, names["five_point"])
    assert names["relative_error"](slopes, smooth_gradient(THETA))[0] < 1e-9
