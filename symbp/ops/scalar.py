"""Between SymPy scalars and elementwise expressions: slopes, user operations, stable forms."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cache
from typing import Any

import sympy as sp

from symbp.errors import SymbpError
from symbp.ir import Constant, Expr, Shape, node
from symbp.ops.kinds import Elementwise, H, W, Z
from symbp.ops.linear import add, number, subtract
from symbp.ops.power import power
from symbp.ops.product import broadcast, hadamard, repeated

PLACES = (Z, W, sp.Symbol("v", real=True))
"""The arguments of an elementwise operation, in their order."""

RECORDS: dict[type[sp.Expr], Elementwise] = {}
"""The operation that a SymPy function class means; filled by the families as they state records."""


def scalar_function(name: str, slope: Callable[..., Any]) -> type[sp.Function]:
    """Return a SymPy function class for an operation that SymPy has no function for.

    `slope(argument index, value, *arguments)` is its partial derivative.
    """

    def fdiff(self: Any, argindex: int = 1) -> Any:
        return slope(argindex - 1, self, *self.args)

    real = {"_eval_is_extended_real": _is_real, "_eval_is_real": _is_real}
    return type(name, (sp.Function,), {"fdiff": fdiff, **real})


def _is_real(self: Any) -> bool | None:
    """Tell SymPy that the value is real where the arguments are: all of them are here."""
    return True if all(arg.is_extended_real for arg in self.args) else None


def from_scalar(formula: sp.Expr, values: Mapping[sp.Symbol, Expr], shape: Shape) -> Expr:
    """Return the elementwise expression of a SymPy scalar formula over arrays of one shape.

    Raises SymbpError naming the SymPy node where no elementwise operation means it.
    """

    def build(part: Any) -> Expr:
        if part in values:
            return values[part]
        if part.is_Rational or part.is_Float:
            exact = Fraction(str(part))
            return number(exact, shape)
        if part.is_number:
            return broadcast(node(Constant(part)), *shape)
        return compound(part)

    def compound(part: Any) -> Expr:
        if part.is_Add:
            return add(*map(build, _terms(part)))
        if part.is_Mul:
            return hadamard(*map(build, _factors(part)))
        if part.is_Pow and part.exp.is_Rational:
            return power(build(part.base), part.exp)
        if isinstance(part, sp.Piecewise):
            return _choice(part, build)
        kind = sp.Pow if part.is_Pow else part.func
        if kind not in RECORDS:
            raise SymbpError(f"no elementwise operation means {part.func.__name__} in {formula}")
        return apply(RECORDS[kind], *map(build, part.args))

    return build(formula)


@cache
def _terms(part: sp.Add) -> list[sp.Expr]:
    """Return the terms in SymPy's order, which is slow to find; layers ask for the same."""
    return list(part.as_ordered_terms())


@cache
def _factors(part: sp.Mul) -> list[sp.Expr]:
    """Return the factors in SymPy's order."""
    return list(part.as_ordered_factors())


def _choice(part: sp.Piecewise, build: Callable[[Any], Expr]) -> Expr:
    """Return a choice between values; a relation is one of its two sides minus the other."""
    (then, condition), *rest = part.args
    if condition == sp.true:
        return build(then)
    otherwise = build(sp.Piecewise(*rest))
    left, right = build(condition.lhs), build(condition.rhs)
    select = RECORDS[sp.Piecewise]
    if isinstance(condition, sp.StrictGreaterThan):
        return apply(select, subtract(left, right), build(then), otherwise)
    if isinstance(condition, sp.StrictLessThan):
        return apply(select, subtract(right, left), build(then), otherwise)
    if isinstance(condition, sp.GreaterThan):
        return apply(select, subtract(right, left), otherwise, build(then))
    if isinstance(condition, sp.LessThan):
        return apply(select, subtract(left, right), otherwise, build(then))
    raise SymbpError(f"the condition {condition} is no comparison of two values")


def apply(op: Elementwise, *args: Expr) -> Expr:
    """Return an elementwise operation of its arguments; powers go to their normal form."""
    if op.exponent is not None:
        return power(args[0], op.exponent)
    values = [repeated(arg) for arg in args] if args[0].rank else []
    known = [value for value in values if value is not None]
    if known and len(known) == len(args):
        return broadcast(apply(op, *known), *args[0].shape)
    return node(op, *args)


def slope(expr: Expr, position: int) -> Expr:
    """Return ∂f/∂z (position 0) or ∂f/∂w (1) of an elementwise node, at its own arguments."""
    op = expr.op
    assert isinstance(op, Elementwise)
    if op.exponent is not None and op.exponent != sp.Rational(1, 2):
        return _power_slope(expr, op.exponent)
    values = dict(zip(PLACES, expr.args, strict=False)) | {H: expr}
    return from_scalar(op.slopes[position], values, expr.shape)


def _power_slope(expr: Expr, exponent: sp.Rational) -> Expr:
    factor = number(Fraction(int(exponent.p), int(exponent.q)), expr.shape)
    return hadamard(factor, power(expr.args[0], exponent - 1))
