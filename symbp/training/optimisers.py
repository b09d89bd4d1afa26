"""What a gradient does to the parameters: stochastic gradient descent and Adam, as records."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Point:
    """Where the parameters are: one flat vector, the optimiser's moments, and the steps taken.

    theta and each moment have the shape `(P,)`.
    """

    theta: Array
    moments: tuple[Array, ...]
    steps: int = 0


class Optimiser(Protocol):
    """What starts at a vector and steps along its gradient."""

    def start(self, theta: Array) -> Point:
        """Return the point at theta, no step taken."""

    def step(self, point: Point, grad: Array, rate: float) -> Point:
        """Return the next point; the one given is left as it is."""


@dataclass(frozen=True)
class SGD:
    """v ← μ v + g, θ ← θ − rate v: momentum as in PyTorch, which 001 figure 7.8 calls.

    The gradient enters whole, and the first velocity is the first gradient.
    """

    momentum: float = 0.0

    def start(self, theta: Array) -> Point:
        """Return the point at theta, at rest."""
        return Point(theta, (np.zeros_like(theta),))

    def step(self, point: Point, grad: Array, rate: float) -> Point:
        """Return the next point; the one given is left as it is."""
        velocity = self.momentum * point.moments[0] + grad
        return Point(point.theta - rate * velocity, (velocity,), point.steps + 1)


@dataclass(frozen=True)
class Adam:
    """Kingma & Ba 2015, algorithm 1: m and v estimate E[g] and E[g²], both without bias."""

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    def start(self, theta: Array) -> Point:
        """Return the point at theta, nothing estimated."""
        return Point(theta, (np.zeros_like(theta), np.zeros_like(theta)))

    def step(self, point: Point, grad: Array, rate: float) -> Point:
        """Return the next point; the one given is left as it is."""
        m, v = point.moments
        steps = point.steps + 1
        m = self.beta_1 * m + (1 - self.beta_1) * grad
        v = self.beta_2 * v + (1 - self.beta_2) * grad**2
        m_hat = m / (1 - self.beta_1**steps)
        v_hat = v / (1 - self.beta_2**steps)
        theta = point.theta - rate * m_hat / (np.sqrt(v_hat) + self.epsilon)
        return Point(theta, (m, v), steps)
