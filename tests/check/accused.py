"""A correct module written by hand, small, with every public function; mutants start from it.

Two layers with a skip and a weight penalty, so that branches and batch sums can be lost:

    f1 = W1 x + b1    h1 = act(f1)    f2 = W2 (h1 + x) + b2    loss = mean ½|f2 − y|² + ½λ|W1|²
"""

from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

DECAY = 0.1


class Params(NamedTuple):
    W1: Any  # (3, 3)
    b1: Any  # (3,)
    W2: Any  # (2, 3)
    b2: Any  # (2,)


def sample(rng, examples=5, dtype=np.float64):
    shapes = Params((3, 3), (3,), (2, 3), (2,))
    params = Params(*(rng.standard_normal(shape).astype(dtype) for shape in shapes))
    x, y = rng.standard_normal((examples, 3)), rng.standard_normal((examples, 2))
    return params, (x.astype(dtype), y.astype(dtype))


def tanh_slopes(f, h):
    return 1 - h * h, -2 * h * (1 - h * h)


def relu(f):
    return f * (f > 0)


def relu_slopes(f, h):
    return (f > 0).astype(f.dtype), np.zeros_like(f)


def network(act=np.tanh, slopes=tanh_slopes, **replaced) -> SimpleNamespace:
    """Return the module; `replaced` overrides public names."""

    def primal(params, x):
        W1, b1, W2, b2 = params
        f1 = x @ W1.T + b1
        h1 = act(f1)
        return f1, h1, (h1 + x) @ W2.T + b2

    def forward(params, x):
        return primal(params, x)[2]

    def cost(params, f2, y):
        count = max(len(y), 1)
        return np.sum((f2 - y) ** 2) / (2 * count) + DECAY / 2 * np.sum(params[0] ** 2)

    def loss(params, x, y):
        return cost(params, forward(params, x), y)

    def adjoint(params, x, f2_bar):
        f1, h1, _ = primal(params, x)
        h1_bar = f2_bar @ params[2]
        f1_bar = h1_bar * slopes(f1, h1)[0]
        grad = Params(f1_bar.T @ x, f1_bar.sum(axis=0), f2_bar.T @ (h1 + x), f2_bar.sum(axis=0))
        return grad, f1_bar @ params[0] + h1_bar

    def loss_and_grad(params, x, y):
        f2 = forward(params, x)
        grad, _ = adjoint(params, x, (f2 - y) / max(len(y), 1))
        return cost(params, f2, y), grad._replace(W1=grad.W1 + DECAY * params[0])

    def tangents(params, x, params_dot, x_dot):
        f1, h1, f2 = primal(params, x)
        W1_dot, b1_dot, W2_dot, b2_dot = params_dot
        f1_dot = x_dot @ params[0].T + x @ W1_dot.T + b1_dot
        h1_dot = f1_dot * slopes(f1, h1)[0]
        f2_dot = (h1_dot + x_dot) @ params[2].T + (h1 + x) @ W2_dot.T + b2_dot
        return f2, f1_dot, h1_dot, f2_dot

    def jvp(params, x, params_dot, x_dot):
        f2, _, _, f2_dot = tangents(params, x, params_dot, x_dot)
        return f2, f2_dot

    def vjp(params, x):
        return forward(params, x), lambda f2_bar: adjoint(params, x, f2_bar)

    def loss_and_dot(params, x, y, params_dot):
        f2, f2_dot = jvp(params, x, params_dot, np.zeros_like(x))
        data_dot = np.sum((f2 - y) * f2_dot) / max(len(y), 1)
        return cost(params, f2, y), data_dot + DECAY * np.sum(params[0] * params_dot[0])

    def hvp(params, x, y, v):
        f1, h1, _ = primal(params, x)
        f2, f1_dot, h1_dot, f2_dot = tangents(params, x, v, np.zeros_like(x))
        f2_bar, f2_bar_dot = (f2 - y) / max(len(y), 1), f2_dot / max(len(y), 1)
        slope, curve = slopes(f1, h1)
        h1_bar, h1_bar_dot = f2_bar @ params[2], f2_bar_dot @ params[2] + f2_bar @ v[2]
        f1_bar_dot = h1_bar_dot * slope + h1_bar * curve * f1_dot
        _, grad = loss_and_grad(params, x, y)
        return grad, Params(
            f1_bar_dot.T @ x + DECAY * v[0],
            f1_bar_dot.sum(axis=0),
            f2_bar_dot.T @ (h1 + x) + f2_bar.T @ h1_dot,
            f2_bar_dot.sum(axis=0),
        )

    names = {
        "Params": Params,
        "ANALYTIC": act is np.tanh,
        "FORWARD_ARGS": 1,
        "INPUTS_DIFFERENTIABLE": 1,
        "sample": sample,
        "forward": forward,
        "loss": loss,
        "loss_and_grad": loss_and_grad,
        "jvp": jvp,
        "vjp": vjp,
        "loss_and_dot": loss_and_dot,
        "hvp": hvp,
    }
    return SimpleNamespace(**{**names, **replaced})


class Weights(NamedTuple):
    W1: Any  # (4, 3)
    W2: Any  # (3, 4)
    b2: Any  # (3,)


def classifier(**replaced) -> SimpleNamespace:
    """Return ReLU, softmax and cross-entropy with integer labels, storage reused by `out=`."""

    def draw(rng, examples=5, dtype=np.float64):
        shapes = Weights((4, 3), (3, 4), (3,))
        params = Weights(*(rng.standard_normal(shape).astype(dtype) for shape in shapes))
        x = rng.standard_normal((examples, 3)).astype(dtype)
        return params, (x, rng.integers(0, 3, examples))

    def primal(params, x):
        f1 = x @ params.W1.T
        h1 = np.maximum(f1, 0, out=f1)
        f2 = h1 @ params.W2.T
        f2 += params.b2
        return h1, f2

    def cross_entropy(f2, y):
        f2 -= f2.max(axis=1, keepdims=True)
        f2_y = f2[np.arange(len(y)), y]
        p = np.exp(f2, out=f2)
        z = p.sum(axis=1)
        p /= z[:, None]
        return float(np.mean(np.log(z) - f2_y)), p

    def loss_and_grad(params, x, y):
        h1, f2 = primal(params, x)
        value, f2_bar = cross_entropy(f2, y)
        f2_bar[np.arange(len(y)), y] -= 1
        f2_bar /= len(y)
        h1_bar = f2_bar @ params.W2
        f1_bar = np.multiply(h1_bar, h1 > 0, out=h1_bar)
        return value, Weights(f1_bar.T @ x, f2_bar.T @ h1, f2_bar.sum(axis=0))

    names = {
        "Params": Weights,
        "ANALYTIC": False,
        "FORWARD_ARGS": 1,
        "INPUTS_DIFFERENTIABLE": 1,
        "sample": draw,
        "forward": lambda params, x: primal(params, x)[1],
        "loss": lambda params, x, y: cross_entropy(primal(params, x)[1], y)[0],
        "loss_and_grad": loss_and_grad,
    }
    return SimpleNamespace(**{**names, **replaced})


def identity(**replaced) -> SimpleNamespace:
    """Return value = |A W|², with the gradient 2 Aᵀ(A W)."""

    def value(A, W):
        return np.sum((A @ W) ** 2)

    def grad_W(A, W):
        return 2 * A.T @ (A @ W)

    def grad_A(A, W):
        return 2 * (A @ W) @ W.T

    def jvp(A, W, A_dot, W_dot):
        return value(A, W), 2 * np.sum((A @ W) * (A_dot @ W + A @ W_dot))

    def draw(rng, dtype=np.float64):
        return rng.standard_normal((4, 3)).astype(dtype), rng.standard_normal((3, 2)).astype(dtype)

    names = {
        "VARIABLES": ("A", "W"),
        "ANALYTIC": True,
        "sample": draw,
        "value": value,
        "grad_A": grad_A,
        "grad_W": grad_W,
        "value_and_grad_W": lambda A, W: (value(A, W), grad_W(A, W)),
        "jvp": jvp,
    }
    return SimpleNamespace(**{**names, **replaced})


def scalars(**replaced) -> SimpleNamespace:
    """Return value = x exp(w x), one entry an example, x and w both with one."""

    def value(x, w):
        return x * np.exp(w * x)

    def grad_x(x, w):
        return (1 + w * x) * np.exp(w * x)

    def draw(rng, examples=5, dtype=np.float64):
        return tuple(rng.uniform(-1, 1, examples).astype(dtype) for _ in range(2))

    names = {
        "VARIABLES": ("x", "w"),
        "ANALYTIC": True,
        "sample": draw,
        "value": value,
        "grad_x": grad_x,
        "grad_w": lambda x, w: x * x * np.exp(w * x),
        "jvp": lambda x, w, dx, dw: (
            value(x, w),
            grad_x(x, w) * dx + x * x * np.exp(w * x) * dw,
        ),
    }
    return SimpleNamespace(**{**names, **replaced})


def matrices(**replaced) -> SimpleNamespace:
    """Return the array value = A X Aᵀ with its pullback, and no gradient."""

    def draw(rng, dtype=np.float64):
        return rng.standard_normal((3, 3)).astype(dtype), rng.standard_normal((3, 3)).astype(dtype)

    def vjp(A, X):
        return A @ X @ A.T, lambda bar: (bar @ A @ X.T + bar.T @ A @ X, A.T @ bar @ A)

    names = {
        "VARIABLES": ("A", "X"),
        "ANALYTIC": True,
        "sample": draw,
        "value": lambda A, X: A @ X @ A.T,
        "vjp": vjp,
    }
    return SimpleNamespace(**{**names, **replaced})
