"""The numeric meaning of a SymPy scalar formula, entry by entry over arrays.

Written from the formula's tree alone, so that it can judge what was generated from the formula.
Comparisons look at the real part: a complex argument is a real one with an imaginary step.
"""

import math
from collections.abc import Callable, Mapping
from functools import partial, reduce
from typing import Any, TypeAlias

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from symbp.errors import SymbpError
from symbp.ops.scalar import PLACES, RECORDS

Array: TypeAlias = NDArray[Any]


def evaluate_formula(formula: Any, values: Mapping[sp.Symbol, Any]) -> Array:
    """Return the value of a SymPy scalar formula, entry by entry, for arrays in its symbols.

    Raises SymbpError naming the SymPy node that is not known.
    """
    if formula in values:
        return np.asarray(values[formula])
    if isinstance(formula, sp.Symbol):
        raise SymbpError(f"no value for {formula}")
    if formula.is_number and not formula.args:
        return np.asarray(float(formula))
    inside = partial(evaluate_formula, values=values)
    kind = formula.func
    if kind is sp.Pow:
        return _power(inside(formula.base), formula.exp, inside)
    if kind is sp.Piecewise:
        return _piecewise(formula, inside)
    args = [inside(arg) for arg in formula.args]
    if kind in _MEANING:
        return np.asarray(_MEANING[kind](*args))
    if kind in RECORDS:
        return evaluate_formula(RECORDS[kind].formula, dict(zip(PLACES, args, strict=False)))
    raise SymbpError(f"{kind.__name__} in the formula {formula} has no numeric meaning")


def _power(base: Array, exponent: Any, inside: Callable[[Any], Array]) -> Array:
    """Return a power; whole and half exponents exactly, so that negative bases pass."""
    if exponent.is_Integer:
        return np.asarray(base ** int(exponent))
    if exponent == sp.Rational(1, 2):
        return np.asarray(np.sqrt(base))
    return np.asarray(np.power(base, inside(exponent)))


def _piecewise(formula: sp.Piecewise, inside: Callable[[Any], Array]) -> Array:
    """Return the first value whose condition holds; NaN where none does."""
    made: Array = np.asarray(np.nan)
    for value, condition in reversed(formula.args):
        made = np.where(_holds(condition, inside), inside(value), made)
    return made


def _holds(condition: Any, inside: Callable[[Any], Array]) -> Array:
    """Return where a condition holds."""
    if condition in (sp.true, sp.false):
        return np.asarray(condition == sp.true)
    if condition.func in _LOGIC:
        return reduce(_LOGIC[condition.func], [_holds(arg, inside) for arg in condition.args])
    if condition.func in _RELATIONS:
        left, right = inside(condition.lhs), inside(condition.rhs)
        return np.asarray(_RELATIONS[condition.func](left.real, right.real))
    raise SymbpError(f"the condition {condition} ({condition.func.__name__}) has no meaning")


def _erfc(z: Array) -> Array:
    """Return 1 − erf z, without cancellation where z is real."""
    if np.iscomplexobj(z):
        return np.asarray(1 - _erf(z))
    return np.asarray(np.vectorize(math.erfc, otypes=[float])(z))


def _erf(z: Array) -> Array:
    """Return erf; off the real line by the integral of its slope along the imaginary step."""
    real = np.vectorize(math.erf, otypes=[np.float64])(z.real)
    if z.dtype.kind != "c":
        return np.asarray(real)
    nodes, weights = np.polynomial.legendre.leggauss(24)
    path = z.real[..., None] + 0.5j * z.imag[..., None] * (nodes + 1)
    mean = np.exp(-(path**2)) @ (weights / 2)
    return np.asarray(real + 2j / math.sqrt(math.pi) * z.imag * mean)


def _where_greater(a: Array, b: Array) -> Array:
    return np.where(a.real > b.real, a, b)


_LOGIC: dict[Any, Callable[[Any, Any], Any]] = {sp.And: np.logical_and, sp.Or: np.logical_or}
_RELATIONS: dict[Any, Callable[[Any, Any], Any]] = {
    sp.StrictGreaterThan: np.greater,
    sp.GreaterThan: np.greater_equal,
    sp.StrictLessThan: np.less,
    sp.LessThan: np.less_equal,
    sp.Equality: np.equal,
    sp.Unequality: np.not_equal,
}
_MEANING: dict[Any, Callable[..., Any]] = {
    sp.Add: lambda *args: reduce(np.add, args),
    sp.Mul: lambda *args: reduce(np.multiply, args),
    sp.exp: np.exp,
    sp.log: np.log,
    sp.sin: np.sin,
    sp.cos: np.cos,
    sp.tan: np.tan,
    sp.atan: np.arctan,
    sp.tanh: np.tanh,
    sp.Abs: lambda z: np.where(z.real < 0, -z, z),
    sp.sign: lambda z: np.sign(z.real),
    sp.erf: _erf,
    sp.erfc: _erfc,
    sp.Max: lambda *args: reduce(_where_greater, args),
    sp.Min: lambda *args: -reduce(_where_greater, [-arg for arg in args]),
}
