"""Measuring instruments: derivatives of a function of one flat real vector, by evaluating it.

Every instrument reads values of `f` only.  The text of these functions is spliced into emitted
modules, so they need nothing but `numpy as np`, `Callable`, `NamedTuple` and `NDArray`, and one
another: `numeric_gradient` needs `Slopes`, and a method, `complex_step` or `five_point`, to be
given; `relative_error` needs `Slopes`.

A method returns `(slope, doubt)`: the derivative along a direction, shaped like the value of
`f`, and its own estimate of the error in it.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Slopes(NamedTuple):
    """Derivatives of a scalar function: at some coordinates, and along some directions."""

    indices: NDArray[np.intp]  # (m,) the coordinates tested
    values: NDArray[np.float64]  # (m,) the derivative in each of them
    directions: NDArray[np.float64]  # (k, n) unit vectors; none when every coordinate was tested
    along: NDArray[np.float64]  # (k,) the derivative along each of them
    doubt: float  # the largest error the method admits

    @property
    def checked(self) -> int:
        """How many derivatives were measured."""
        return len(self.values) + len(self.along)


def complex_step(
    f: Callable[..., object], theta: NDArray[np.float64], direction: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Return Im f(theta + ih·direction) / h: exact to rounding if f is analytic.

    No subtraction, so h may be tiny (Squire & Trapp 1998).  The doubt is 0.
    """
    h = 1e-30
    return np.imag(np.asarray(f(theta + 1j * h * direction))) / h, 0.0


def five_point(
    f: Callable[..., object],
    theta: NDArray[np.float64],
    direction: NDArray[np.float64],
    h: float = 1e-3,
) -> tuple[NDArray[np.float64], float]:
    """Return the central difference of order 4 along `direction`, and the doubt in it.

    The step, h or h·|theta| along the direction, shrinks by 8 until two steps agree; the doubt
    is their disagreement, or the gap between the slopes to the right and to the left if that is
    larger.  A kink nearer than the smallest steps, or exactly at theta, leaves a large doubt.
    h = ε^(1/5) balances truncation h⁴ and rounding ε/h (Abramowitz & Stegun 25.3.6).
    """
    center = np.asarray(f(theta), dtype=np.float64)
    norm = float(np.linalg.norm(direction))
    best, doubt, previous = np.zeros_like(center), np.inf, None
    if norm == 0:
        return best, 0.0
    reach = max(1.0, float(np.linalg.norm(theta * direction)) / norm)
    for step in h * reach / norm * 8.0 ** -np.arange(5):
        with np.errstate(all="ignore"):  # a point beyond the domain gives nan, hence doubt
            points = [theta + k * step * direction for k in (-2, -1, 1, 2)]
            l2, l1, r1, r2 = (np.asarray(f(point), dtype=np.float64) for point in points)
            slope = (8 * (r1 - l1) - (r2 - l2)) / (12 * step)
            gap = (4 * (r1 + l1) - (r2 + l2) - 6 * center) / (2 * step)
            if previous is not None:
                distance = np.maximum(np.abs(slope - previous), np.abs(gap))
                error = float(np.max(distance, initial=0))
                if error < doubt:
                    best, doubt = slope, error
                size = np.maximum(np.abs(slope), norm * np.abs(center))
                if doubt <= 1e-10 * np.max(size, initial=0):
                    break
            previous = slope
    return best, doubt


def numeric_gradient(
    f: Callable[..., object],
    theta: NDArray[np.float64],
    method: Callable[..., tuple[NDArray[np.float64], float]],
    *,
    seed: int = 0,
    limit: int = 64,
) -> Slopes:
    """Measure the gradient of a scalar f at theta (n,), coordinate by coordinate if n ≤ limit.

    Otherwise limit // 3 coordinates drawn at random, and 4 random directions, which every
    coordinate enters with the same weight: no entry escapes.
    """
    n = theta.size
    rng = np.random.default_rng(seed)
    few = n > limit
    indices = np.sort(rng.choice(n, max(1, limit // 3), replace=False)) if few else np.arange(n)
    directions = rng.choice([-1.0, 1.0], (4 if few else 0, n)) / np.sqrt(max(n, 1))

    measured = []
    for index in indices:
        unit = np.zeros(n)
        unit[index] = 1
        measured.append(method(f, theta, unit))
    measured += [method(f, theta, direction) for direction in directions]

    slopes = np.array([float(slope) for slope, _ in measured])
    doubt = max((doubt for _, doubt in measured), default=0.0)
    return Slopes(indices, slopes[: len(indices)], directions, slopes[len(indices) :], doubt)


def relative_error(
    slopes: Slopes, gradient: NDArray[np.float64], floor: float = 0.0
) -> tuple[float, int]:
    """Return the largest |ours − reference| / scale, and the place of the worst coordinate.

    The scale is the largest entry of either gradient, or `floor` if that is larger, so that
    entries near zero do not blow up.  The place counts through `slopes.indices`, then through
    `slopes.directions`; it is -1 when nothing was measured.  What is not finite is infinitely
    wrong.
    """
    reference = np.concatenate([slopes.values, slopes.along])
    with np.errstate(invalid="ignore"):  # 0 times inf
        along = slopes.directions @ gradient
    ours = np.concatenate([gradient[slopes.indices], along])
    if not reference.size:
        return 0.0, -1
    extent = np.abs(np.concatenate([gradient, reference]))
    scale = max(np.max(extent, initial=0, where=np.isfinite(extent)), floor, 1e-300)
    with np.errstate(invalid="ignore"):  # inf − inf
        errors = np.nan_to_num(np.abs(ours - reference) / scale, nan=np.inf, posinf=np.inf)
    worst = int(np.argmax(errors))
    return float(errors[worst]), worst


def taylor_slopes(
    f: Callable[[NDArray[np.float64]], float],
    gradient: NDArray[np.float64],
    theta: NDArray[np.float64],
    direction: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the orders at which |f(θ + h d) − f(θ) − h g·d| falls as h is halved, 5 of them.

    About 2 with the right gradient g, about 1 with a wrong one (the Taylor remainder test,
    Farrell et al. 2013); inf where the remainder is lost in rounding, f being linear along d.
    """
    steps = 2.0 ** -np.arange(4, 10) / max(float(np.linalg.norm(direction)), 1e-300)
    start = float(f(theta))
    first = float(gradient @ direction)
    remainders = np.abs([float(f(theta + h * direction)) - start - h * first for h in steps])
    heard = remainders > 1e-14 * max(abs(start), 1e-300)
    remainders = np.where(heard, remainders, 1.0)
    orders = np.log2(remainders[:-1] / remainders[1:])
    return np.where(heard[:-1] & heard[1:], orders, np.inf)
