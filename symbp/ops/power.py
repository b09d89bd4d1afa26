"""Powers with a rational exponent: squares, roots and reciprocals, entry by entry."""

from fractions import Fraction
from functools import cache

import sympy as sp

from symbp.ir import Constant, Expr, Words, node
from symbp.ops.kinds import POWER, Elementwise, H, Z
from symbp.ops.linear import number, parts, rational, scale
from symbp.ops.selection import Selection

_CODE = {
    sp.Integer(2): "np.square",
    sp.Rational(1, 2): "np.sqrt",
    sp.Integer(-1): "np.reciprocal",
}


@cache
def power_op(exponent: sp.Rational) -> Elementwise:
    """Return the record of z ↦ z^exponent."""
    slope = exponent * Z ** (exponent - 1)
    if exponent == sp.Rational(1, 2):
        slope = 1 / (2 * H)
    return Elementwise(
        "power", Z**exponent, (slope,), ufunc=_CODE.get(exponent), notation=POWER, exponent=exponent
    )


def power(base: Expr, exponent: sp.Rational) -> Expr:
    """Return base^exponent entry by entry, powers of powers and of products opened."""
    inner, before = base_and_exponent(base)
    if before != 1 and _joins(before, exponent):
        return power(inner, before * exponent)
    if exponent == 0:
        return number(1, base.shape)
    if exponent == 1:
        return base
    if isinstance(base.op, Selection) and exponent > 0:
        return base  # of zeros and ones
    value = rational(base)
    if value is not None and (value > 0 or (value and exponent.is_integer)):
        exact = sp.Rational(value.numerator, value.denominator) ** exponent
        if exact.is_Rational:
            return number(Fraction(int(exact.p), int(exact.q)), base.shape)
    if isinstance(base.op, Constant):
        exact = base.op.value**exponent
        if exact.is_Rational:  # (√2)² is 2
            return number(Fraction(int(exact.p), int(exact.q)), base.shape)
    if exponent.is_integer:
        opened = _open(base, exponent)
        if opened is not None:
            return opened
    return node(power_op(exponent), base)


def _joins(before: sp.Rational, exponent: sp.Rational) -> bool:
    """Tell whether (b^before)^exponent is b^(before · exponent) for every real b: √(b²) is |b|."""
    if exponent.is_integer:
        return True
    joined = before * exponent
    return bool(before.p % 2 == 1 or (joined.is_integer and joined.p % 2 == 0))


def _open(base: Expr, exponent: sp.Rational) -> Expr | None:
    """Return (c a b)^p = c^p a^p b^p where the base is a product entry by entry."""
    terms = parts(base)
    if len(terms) != 1:
        return None
    coefficient, term = terms[0]
    if coefficient != 1:
        return scale(coefficient ** int(exponent), power(term, exponent))
    op = term.op
    if not isinstance(op, Words) or not term.args or len(set(op.out)) != len(op.out):
        return None
    if any(word not in ((), op.out) for word in op.words):
        return None
    whole, factors = Fraction(1), []
    for arg, word in zip(term.args, op.words, strict=True):
        made = power(arg, exponent)
        value = rational(made) if word == () else None
        if value is None:
            factors.append((made, word))
        else:  # (√2 a)² is 2 a²
            whole *= value
    if not factors:
        return number(whole, base.shape)
    if len(factors) == 1 and factors[0][1] == op.out:
        return scale(whole, factors[0][0])
    opened = Words(tuple(word for _, word in factors), op.out, op.dims)
    return scale(whole, node(opened, *(made for made, _ in factors)))


def base_and_exponent(expr: Expr) -> tuple[Expr, sp.Rational]:
    """Return (b, p) of b^p, and (expr, 1) of anything else."""
    if isinstance(expr.op, Elementwise) and expr.op.exponent is not None:
        return expr.args[0], expr.op.exponent
    return expr, sp.S.One


def reciprocal(expr: Expr) -> Expr:
    """Return 1/expr entry by entry."""
    return power(expr, sp.Integer(-1))
