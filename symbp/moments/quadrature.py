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
from symbp.moments.gaussian import V, expectation
from symbp.moments.pieces import in_plain_functions, turns
from symbp.ops.formula import Array, evaluate_formula
from symbp.ops.kinds import Z
from symbp.ops.pointwise import softplus

TOLERANCE = 1e-10
"""How far two orders may differ, relative to the expectation of the absolute value."""

_SCALES = 1e-2
"""How far two orders may differ on the expectation of the absolute value, relative to it."""

_ORDERS = (64, 100)
_PANELS = tuple(2**k for k in range(6, 13))
_NODES = 24
_REACH = 38.0
"""In standard deviations; beyond, the density is less than the smallest double."""

_GRID = 40_001


def quadrature(formula: Any, variance: float) -> float:
    """Return E[formula] for Z ~ N(0, variance); inf where a closed form is more than a double.

    Raises SymbpError where it is not finite, and where no two orders agree to `TOLERANCE`.
    """
    if variance == 0:
        return _at_zero(formula)
    return _quadrature(_far(formula), float(np.sqrt(variance)))


def _at_zero(formula: Any) -> float:
    with np.errstate(all="ignore"):
        value = float(evaluate_formula(formula, {Z: np.zeros(())}))
    if not np.isfinite(value):
        raise SymbpError(f"{formula} at z = 0 is {value}", "take a function that is finite there")
    return value


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
    last = _on_panels(formula, deviation, cuts, _PANELS[0])
    if not cuts and _hermite_agrees(formula, deviation, *last):
        return last[0]
    before = last
    for panels in _PANELS[1:]:
        if not np.isfinite(last[1]):
            break
        before, last = last, _on_panels(formula, deviation, cuts, panels)
        if _agree(before, last):
            return last[0]
    closed = expectation(formula)  # the terms of a finite mean may be more than a double
    if closed is not None:
        return float(closed.subs(V, sp.Float(deviation, 30) ** 2).evalf(30))
    raise _refusal(formula, deviation, before, last)


def _agree(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Tell whether two expectations agree, and roughly those of absolute values: 1/z has none."""
    (value, scale), (found, wide) = one, other
    if not np.isfinite(scale + wide):
        return False
    return abs(value - found) <= TOLERANCE * wide and abs(scale - wide) <= _SCALES * wide


def _refusal(
    formula: Any, deviation: float, before: tuple[float, float], last: tuple[float, float]
) -> SymbpError:
    """Return what is said of an expectation that has no number."""
    what = f"E[{formula}] for a normal z of variance {deviation**2:g}"
    if np.isfinite(last[1]):
        return SymbpError(
            f"{what}: two orders differ by {abs(last[0] - before[0]):.1e}, by "
            f"{abs(last[1] - before[1]):.1e} of the absolute value",
            "take the function smoother, or its steps further apart",
        )
    with np.errstate(all="ignore"):
        near = evaluate_formula(formula, {Z: deviation * np.linspace(-1, 1, 41)})
    if np.isnan(near).any():
        return SymbpError(f"{what}: it is no number for every z", "take a function of all numbers")
    return SymbpError(
        f"{what} is not finite, or more than a double holds on the way to it",
        "the square of an activation has a mean where it grows slower than e^(z²/(4 Var z))",
    )


def _hermite_agrees(formula: Any, deviation: float, value: float, scale: float) -> bool:
    """Tell whether Gauss-Hermite rules agree, roughly on the absolute value too."""
    if not np.isfinite(scale):
        return False
    for order in _ORDERS:
        nodes, weights = _rule(order)
        with np.errstate(all="ignore"):
            values = evaluate_formula(formula, {Z: deviation * nodes}) / np.sqrt(2 * np.pi)
            found, wide = np.sum(weights * values), np.sum(weights * np.abs(values))
        if not (abs(found - value) <= TOLERANCE * scale and abs(wide - scale) <= scale / 10):
            return False
    return True


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
