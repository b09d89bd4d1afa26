"""Closed forms of expectations as expressions, one root for all that stands under roots."""

from collections.abc import Mapping
from typing import Any

import sympy as sp

from symbp.ir import Expr
from symbp.ops.linear import add, number
from symbp.ops.power import power
from symbp.ops.product import product
from symbp.ops.scalar import RECORDS, apply, from_scalar

_HALF = sp.Rational(1, 2)
_CALLS = (sp.exp, sp.erf, sp.erfc, sp.atan)


def written(closed: Any, values: Mapping[sp.Symbol, Expr]) -> Expr:
    """Return a SymPy scalar as an expression: √(v/(2π)), not √2 √v/(2 √π).

    Raises SymbpError where no elementwise operation means a part of it.
    """
    known = dict(values)
    calls = [part for part in closed.atoms(*_CALLS) if part.free_symbols]
    inside = {part: sp.Dummy(real=True) for part in calls if not _is_inside(part, calls)}
    for part, stand in inside.items():
        known[stand] = apply(RECORDS[part.func], written(part.args[0], values))
    terms = sp.Add.make_args(sp.expand(closed.xreplace(inside), deep=False))
    return add(number(0), *(_term(term, known) for term in terms))


def _is_inside(part: Any, calls: list[Any]) -> bool:
    return any(other is not part and other.has(part) for other in calls)


def _term(term: Any, values: Mapping[sp.Symbol, Expr]) -> Expr:
    """Return a product with its half powers under one root, a rational factor with numbers."""
    under, rest = sp.Integer(1), []
    for factor in sp.Mul.make_args(term):
        base, exponent = factor.as_base_exp()
        if exponent.is_Rational and exponent.q == 2 and base.is_positive:
            under *= base**exponent.p
        else:
            rest.append(factor)
    outside = sp.Mul(*rest)
    if under == 1:
        return _over(term, values)
    coefficient, others = outside.as_coeff_Mul()
    numbers = under.as_independent(*values)[0]
    if coefficient.is_Rational and numbers != 1:
        under, outside = under * coefficient**2, sp.sign(coefficient) * others
    root = power(_over(under, values), _HALF)
    return product([(_over(outside, values), ()), (root, ())], ())


def _over(ratio: Any, values: Mapping[sp.Symbol, Expr]) -> Expr:
    """Return a product, what stands below the line there: v/(2π), not (1/π) v/2."""
    above, below = sp.fraction(ratio)
    whole = from_scalar(below, values, ())
    return product([(from_scalar(above, values, ()), ()), (power(whole, sp.Integer(-1)), ())], ())
