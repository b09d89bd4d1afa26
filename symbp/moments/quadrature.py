"""Expectations of functions of a normal variable by quadrature, with a proof that they converged.

A number is given only where rules of different orders agree on it: two Gauss-Hermite rules and a
Gauss-Legendre rule on panels for smooth functions, else two finer and finer rules on panels that
end at the kinks.
"""

from functools import cache
from typing import Any

import numpy as np
import sympy as sp
from numpy.polynomial.hermite_e import hermegauss
from numpy.polynomial.legendre import leggauss

from symbp.errors import SymbpError
from symbp.moments.pieces import in_plain_functions, turns
from symbp.ops.formula import Array, evaluate_formula
from symbp.ops.kinds import Z
from symbp.ops.pointwise import softplus

TOLERANCE = 1e-10
"""How far two orders may differ, relative to the expectation of the absolute value."""

_ORDERS = (64, 100)
_PANELS = tuple(2**k for k in range(6, 13))
_NODES = 24
_REACH = 38.0
"""In standard deviations; beyond, the density is less than the smallest double."""

_GRID = 40_001


def quadrature(formula: Any, variance: float) -> float:
    """Return E[formula] for Z ~ N(0, variance).

    Raises SymbpError where it is not finite, and where no two orders agree to `TOLERANCE`.
    """
    if variance == 0:
        return float(evaluate_formula(formula, {Z: np.zeros(())}))
    return _quadrature(_far(formula), float(np.sqrt(variance)))


def _far(formula: Any) -> Any:
    """Return a formula with log(1 + e^u) written so that a large u does not overflow."""
    u = sp.Wild("u")
    plain = formula.replace(softplus, lambda arg: sp.log(1 + sp.exp(arg)))
    return plain.replace(
        sp.log(1 + sp.exp(u)), lambda u: sp.Max(u, 0) + sp.log(1 + sp.exp(-sp.Abs(u)))
    )


@cache
def _quadrature(formula: Any, deviation: float) -> float:
    cuts = _cuts(formula, deviation)
    value, scale = _on_panels(formula, deviation, cuts, _PANELS[0])
    if (
        not cuts
        and np.isfinite(scale)
        and all(
            abs(_hermite(formula, deviation, order) - value) <= TOLERANCE * scale
            for order in _ORDERS
        )
    ):
        return value
    for panels in _PANELS[1:] if np.isfinite(scale) else ():
        before = value
        value, scale = _on_panels(formula, deviation, cuts, panels)
        if not np.isfinite(scale):
            break
        if abs(value - before) <= TOLERANCE * scale:
            return value
    what = f"E[{formula}] for a normal z of variance {deviation**2:g}"
    if np.isfinite(scale):
        help = "take the function smoother, or its steps further apart"
        raise SymbpError(f"{what}: two orders differ by {abs(value - before):.1e}", help)
    help = "the square of an activation has a mean where it grows slower than e^(z²/(4 Var z))"
    raise SymbpError(f"{what} is not finite", help)


def _hermite(formula: Any, deviation: float, order: int) -> float:
    nodes, weights = _rule(order)
    with np.errstate(all="ignore"):
        values = evaluate_formula(formula, {Z: deviation * nodes})
        return float(np.sum(weights * values) / np.sqrt(2 * np.pi))


@cache
def _rule(order: int) -> tuple[Array, Array]:
    return hermegauss(order)


@cache
def _panel() -> tuple[Array, Array]:
    return leggauss(_NODES)


def _on_panels(
    formula: Any, deviation: float, cuts: tuple[float, ...], panels: int
) -> tuple[float, float]:
    """Return the expectation, and that of the absolute value; panels are narrow near zero."""
    nodes, weights = _panel()
    graded = np.sinh(np.linspace(-12.0, 12.0, panels + 1))
    edges = np.unique([*(_REACH / graded[-1] * graded), *cuts])
    half = np.diff(edges)[:, None] / 2
    z = (edges[:-1, None] + half) + half * nodes
    with np.errstate(all="ignore"):
        values = np.broadcast_to(evaluate_formula(formula, {Z: deviation * z}), z.shape)
        parts = half * weights * values * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
        return float(np.sum(parts)), float(np.sum(np.abs(parts)))


def _cuts(formula: Any, deviation: float) -> tuple[float, ...]:
    """Return where the choices of a formula turn over, in standard deviations, by bisection."""
    found: set[float] = set()
    grid = np.linspace(-_REACH, _REACH, _GRID)
    for side in turns(in_plain_functions(formula)):
        with np.errstate(all="ignore"):
            above = evaluate_formula(side, {Z: deviation * grid}) > 0
            at = np.flatnonzero(above[1:] != above[:-1])
            low, high, sign = grid[at], grid[at + 1], above[at]
            for _ in range(60):
                middle = (low + high) / 2
                same = (evaluate_formula(side, {Z: deviation * middle}) > 0) == sign
                low, high = np.where(same, middle, low), np.where(same, high, middle)
        found |= set(((low + high) / 2).tolist())
    return tuple(sorted(found))
