"""The layout of irrational numbers and of sizes: scalar SymPy expressions of few kinds."""

from fractions import Fraction
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef

from symbp.emit.layout import (
    ONE,
    Applied,
    Layout,
    Number,
    Power,
    Quotient,
    Root,
    Sign,
    SizeName,
    Total,
    multiple,
    row,
)
from symbp.ir import Dim
from symbp.notation import Call
from symbp.sizes import letter_name

_SIGNS = {
    sp.pi: Sign(unicode="π", plain="pi", latex=r"\pi"),
    sp.E: Sign(unicode="e", plain="e", latex=r"\mathrm{e}"),
    sp.oo: Sign(unicode="∞", plain="inf", latex=r"\infty"),
}


def constant(value: Dim) -> Layout:
    """Return the layout of a number or of a size; other functions stand as calls of their name."""
    number: Any = sp.sympify(value, strict=True)  # strict: a text is refused, never run
    if number in _SIGNS:
        return _SIGNS[number]
    if number.is_Symbol:
        return SizeName(name=letter_name(number))
    if isinstance(number, AppliedUndef):
        return SizeName(tuple(map(constant, number.args)), name=str(number.func))
    if number.is_Rational or number.is_Float:
        exact = Fraction(str(number))
        size = Number(value=abs(exact))
        return size if exact >= 0 else Total((size,), negative=(True,))
    if number.is_Add:
        return _sum(number)
    if number.is_Mul:
        return _product(number)
    if number.is_Pow:
        return _power(number.base, number.exp)
    name = type(number).__name__
    parts = tuple(map(constant, number.args))
    return Applied(parts, call=Call(name, "")) if parts else SizeName(name=str(number))


def _sum(number: Any) -> Layout:
    terms = sorted(number.as_ordered_terms(), key=lambda term: bool(term.as_coeff_Mul()[0] < 0))
    negative = tuple(bool(term.as_coeff_Mul()[0] < 0) for term in terms)
    parts = (constant(-t if n else t) for t, n in zip(terms, negative, strict=True))
    return Total(tuple(parts), negative=negative)


def _product(number: Any) -> Layout:
    coefficient, rest = number.as_coeff_Mul()
    if coefficient < 0:
        return Total((constant(-number),), negative=(True,))
    if not coefficient.is_Rational:
        coefficient, rest = sp.Integer(1), number
    above = [constant(f) for f in sp.Mul.make_args(rest) if not _is_below(f)]
    below = [constant(1 / f) for f in sp.Mul.make_args(rest) if _is_below(f)]
    whole = row(*above) if above else ONE
    whole = Quotient((whole, row(*below))) if below else whole
    return multiple(Fraction(int(coefficient.p), int(coefficient.q)), whole)


def _is_below(factor: Any) -> bool:
    return bool(factor.is_Pow and factor.exp.is_Rational and factor.exp < 0)


def _power(base: Any, exponent: Any) -> Layout:
    if exponent.is_Rational and exponent < 0:
        return Quotient((ONE, constant(1 / base**exponent)))
    if exponent == sp.Rational(1, 2):
        return Root((constant(base),))
    if exponent.is_Rational:
        return Power((constant(base),), exponent=exponent)
    return Power((constant(base), constant(exponent)))
