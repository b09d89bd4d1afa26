"""Steps against their definitions, written out by hand."""

import numpy as np
import pytest

from symbp.training.optimisers import SGD, Adam

RNG = np.random.default_rng(3)
THETA = RNG.standard_normal(7)
GRADS = RNG.standard_normal((20, 7))


def taken(optimiser, rate=0.05, dtype=float):
    """Return the vectors after each step along the gradients."""
    point, found = optimiser.start(THETA.astype(dtype)), []
    for grad in GRADS.astype(dtype):
        point = optimiser.step(point, grad, rate)
        found.append(point.theta)
    return np.array(found)


def test_momentum_is_pytorchs():
    theta, v = THETA.copy(), None
    for k, grad in enumerate(GRADS):  # torch.optim.SGD: the buffer begins as the gradient
        v = grad if v is None else 0.9 * v + grad
        theta = theta - 0.05 * v
        assert np.allclose(taken(SGD(0.9))[k], theta, rtol=1e-14, atol=0)


def test_without_momentum_a_step_is_along_the_gradient():
    assert np.allclose(taken(SGD())[-1], THETA - 0.05 * GRADS.sum(axis=0))


def test_adam_is_kingma_and_bas():
    theta = [float(t) for t in THETA]
    m, v = [0.0] * 7, [0.0] * 7
    for t, grad in enumerate(GRADS, 1):
        for i, g in enumerate(map(float, grad)):
            m[i] = 0.9 * m[i] + (1 - 0.9) * g
            v[i] = 0.999 * v[i] + (1 - 0.999) * g * g
            m_hat, v_hat = m[i] / (1 - 0.9**t), v[i] / (1 - 0.999**t)
            theta[i] -= 0.05 * m_hat / (v_hat**0.5 + 1e-8)
        assert np.allclose(taken(Adam())[t - 1], theta, rtol=1e-13, atol=0)


def test_the_first_step_of_adam_has_the_size_of_the_rate():
    assert np.allclose(np.abs(taken(Adam())[0] - THETA), 0.05, rtol=1e-6)


@pytest.mark.parametrize("optimiser", [SGD(0.9), Adam()])
def test_the_dtype_is_kept(optimiser):
    assert taken(optimiser, dtype=np.float32).dtype == np.float32


@pytest.mark.parametrize("optimiser", [SGD(0.9), Adam()])
def test_a_point_is_left_as_it_is(optimiser):
    start = optimiser.start(THETA.copy())
    first = optimiser.step(start, GRADS[0], 0.1)
    kept = [array.copy() for array in (first.theta, *first.moments)]
    optimiser.step(first, GRADS[1], 0.1)
    assert np.array_equal(start.theta, THETA)
    assert all(map(np.array_equal, (first.theta, *first.moments), kept))
