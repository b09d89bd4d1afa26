"""SymPy scalars as expressions: functions of numbers, around traces, elements and sums.

What is no scalar arithmetic (a trace, an element, a sum over indices) is read by its own rule and
replaced by a stand-in; the arithmetic left over goes through `from_scalar`.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import reduce
from typing import Any

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixElement

from symbp.ir import Dim, Expr, Size, node
from symbp.ops import FUNCTIONS, RECORDS
from symbp.ops.linear import subtract, zeros
from symbp.ops.matrix import DETERMINANT
from symbp.ops.product import inner, product
from symbp.ops.scalar import apply, from_scalar
from symbp.spec.sympy_index import check_range, delta, element, outermost, stands, terms
from symbp.spec.view import Context, check_dims, dim, dims_of, refused

MAXIMUM, MINIMUM, RELU = FUNCTIONS["max"], FUNCTIONS["min"], FUNCTIONS["relu"]
POSITIVE = next(function for function, op in RECORDS.items() if op.name == "positive")


def scalar(expr: Any, context: Context) -> Expr:
    """Return a SymPy scalar as an expression of the context's shape (a number outside of sums).

    Raises SymbpError that names the node where one is not accepted.
    """
    reading = _Reading(context)
    formula = reading.plain(expr)
    return from_scalar(formula, reading.values, context.shape)


class _Reading:
    """One scalar, taken apart: `values` holds the expression of each stand-in."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.values: dict[Any, Expr] = {}
        self.done: dict[Any, Any] = {}

    def plain(self, part: Any) -> Any:
        """Return the scalar with stand-ins, and with functions that have a record."""
        if part not in self.done:
            self.done[part] = self._plain(part)
        return self.done[part]

    def _plain(self, part: Any) -> Any:
        context, kind = self.context, type(part)
        if part.is_Matrix:
            return self._stand_in(part, _one_by_one(part, context))
        if part in context.names:
            return self._stand_in(part, context.names[part])
        if part in context.indices:
            raise refused(part, "is an index, and stands as a number")
        if part in context.sizes:
            return self._stand_in(part, node(Size(part)))
        if kind in _ATOMS:
            return self._stand_in(part, _ATOMS[kind](part, context))
        if part.is_number:
            return _number(part)
        if kind in _REWRITTEN:
            return self.plain(_REWRITTEN[kind](*part.args))
        apart = part.func in RECORDS or kind is sp.Add
        if apart and (axes := self._fewer(part)) is not None:
            return self._stand_in(part, scalar(part, context.along(axes)), axes)
        if kind in (sp.Add, sp.Mul, sp.Pow) or part.func in RECORDS:
            return part.func(*map(self.plain, part.args))
        raise refused(part)

    def _fewer(self, part: Any) -> tuple[int, ...] | None:
        """Return the axes that a part of a sum depends on, None where it is on all of them.

        A function or a difference that is read along them alone needs no ones for the others.
        """
        indices, shape = self.context.indices, self.context.shape
        axes = tuple(axis for index, axis in indices.items() if index in part.free_symbols)
        return axes if len(indices) == len(shape) > len(axes) else None

    def _stand_in(self, part: Any, value: Expr, axes: tuple[int, ...] | None = None) -> Any:
        shape = self.context.shape
        letters = tuple(range(len(shape)))
        if value.rank > len(shape):
            raise refused(part, "varies from entry to entry and stands inside a matrix")
        word = letters[: value.rank] if axes is None else axes
        stand = sp.Dummy(str(part) if part.is_Symbol else f"z{len(self.values)}", real=True)
        self.values[stand] = product([(value, word)], letters, _sizes(shape))
        return stand


def _sizes(shape: tuple[Dim, ...]) -> dict[int, Dim]:
    return dict(enumerate(shape))


def _number(part: Any) -> Any:
    """Return a real number, exactly: 0.1 is 1/10."""
    if not (part.is_real and part.is_finite):
        raise refused(part, "is no finite real number")
    if part.is_Float:
        return sp.Rational(*Fraction(repr(float(part))).as_integer_ratio())
    if part.is_Rational or part in (sp.pi, sp.E):
        return part
    if part.func in (sp.Add, sp.Mul, sp.Pow) or part.func in RECORDS:
        return part.func(*map(_number, part.args))
    raise refused(part)


def _one_by_one(part: Any, context: Context) -> Expr:
    """Return a 1×1 matrix as a scalar."""
    if dims_of(part) != (1, 1):
        raise refused(part, f"of shape {part.shape} stands where a scalar is meant")
    return context.matrix(part, context.outside).canonical


def _trace(part: sp.Trace, context: Context) -> Expr:
    if isinstance(part.arg, sp.KroneckerProduct):
        return product([(_trace(sp.Trace(arg), context), ()) for arg in part.arg.args], ())
    seen = context.matrix(part.arg, context.outside)
    check_dims(part, *seen.dims)
    return product([(seen.expr, seen.word(0, 0))], ())


def _determinant(part: sp.Determinant, context: Context) -> Expr:
    seen = context.matrix(part.arg, context.outside)
    check_dims(part, *seen.dims)
    return seen.canonical if seen.dims == (1, 1) else node(DETERMINANT, seen.along((0, 1)))


def _dot(part: Any, context: Context) -> Expr:
    left, right = (context.matrix(arg, context.outside) for arg in part.args)
    return inner(left.along(left.long), right.along(right.long))


def _sum(part: sp.Sum, context: Context) -> Expr:
    """Return a sum over an axis or a range of one; term by term where the index is a number."""
    inside, index, low, high = outermost(part)
    if stands(inside, index):
        return scalar(sp.Add(*terms(part)), context)
    if not (low.free_symbols | high.free_symbols) <= context.sizes:
        raise refused(part, f"has bounds of {index} that are no sizes")
    check_range(part, low, high)
    if sp.expand(high - low) == -1:
        return zeros(*context.shape)
    shifted = inside.subs(index, index + low) if low else inside
    made = scalar(shifted, context.summing({index: dim(high + 1 - low)}))
    letters = tuple(range(made.rank))
    return product([(made, letters)], letters[:-1])


def _product(part: sp.Product, context: Context) -> Expr:
    return scalar(sp.Mul(*terms(part)), context)


def _piecewise(part: sp.Piecewise, context: Context) -> Expr:
    *cases, (last, condition) = part.args
    if condition != sp.true:
        raise refused(part, "lacks a last case (value, True)")
    made = scalar(last, context)
    for value, condition in reversed(cases):
        made = _choice(condition, scalar(value, context), made, context)
    return made


def _choice(condition: Any, then: Expr, otherwise: Expr, context: Context) -> Expr:
    """Return `then` where the condition holds; a tie of `>` and of `<=` falls as it says."""
    kind = condition.func
    if kind is sp.And:
        fold = [lambda rest, c=c: _choice(c, rest, otherwise, context) for c in condition.args]
        return reduce(lambda rest, choose: choose(rest), fold, then)
    if kind is sp.Or:
        fold = [lambda rest, c=c: _choice(c, then, rest, context) for c in condition.args]
        return reduce(lambda rest, choose: choose(rest), fold, otherwise)
    if kind not in (sp.Gt, sp.Lt, sp.Ge, sp.Le):
        raise refused(condition, "is no comparison by <, <=, > or >=")
    left, right = scalar(condition.lhs, context), scalar(condition.rhs, context)
    select = RECORDS[sp.Piecewise]
    if kind is sp.Gt:
        return apply(select, subtract(left, right), then, otherwise)
    if kind is sp.Lt:
        return apply(select, subtract(right, left), then, otherwise)
    if kind is sp.Ge:
        return apply(select, subtract(right, left), otherwise, then)
    return apply(select, subtract(left, right), otherwise, then)


def _largest(*args: Any) -> Any:
    rest = [arg for arg in args if arg != 0]
    most = reduce(MAXIMUM, sorted(rest, key=sp.default_sort_key))
    return most if len(rest) == len(args) else RELU(most)


def _smallest(*args: Any) -> Any:
    return reduce(MINIMUM, sorted(args, key=sp.default_sort_key))


def _heaviside(z: Any, at_zero: Any) -> Any:
    known = {0: POSITIVE(z), 1: FUNCTIONS["heaviside"](z), sp.S.Half: (1 + sp.sign(z)) / 2}
    if at_zero not in known:
        raise refused(sp.Heaviside(z, at_zero), "has a value at 0 that is not 0, 1/2 or 1")
    return known[at_zero]


_ATOMS: dict[Any, Callable[[Any, Context], Expr]] = {
    sp.Trace: _trace,
    sp.Determinant: _determinant,
    MatrixElement: element,
    sp.matrices.expressions.dotproduct.DotProduct: _dot,
    sp.KroneckerDelta: delta,
    sp.Sum: _sum,
    sp.Product: _product,
    sp.Piecewise: _piecewise,
}

_REWRITTEN: dict[Any, Callable[..., Any]] = {
    sp.conjugate: lambda z: z,
    sp.re: lambda z: z,
    sp.Max: _largest,
    sp.Min: _smallest,
    sp.Heaviside: _heaviside,
    sp.erfc: lambda z: 1 - sp.erf(z),
    sp.sinh: lambda z: (sp.exp(z) - sp.exp(-z)) / 2,
    sp.cosh: lambda z: (sp.exp(z) + sp.exp(-z)) / 2,
    sp.coth: lambda z: 1 / sp.tanh(z),
    sp.sec: lambda z: 1 / sp.cos(z),
    sp.csc: lambda z: 1 / sp.sin(z),
    sp.sech: lambda z: 2 / (sp.exp(z) + sp.exp(-z)),
    sp.csch: lambda z: 2 / (sp.exp(z) - sp.exp(-z)),
    sp.cot: lambda z: 1 / sp.tan(z),
    sp.asin: lambda z: sp.atan(z / sp.sqrt(1 - z**2)),
    sp.acos: lambda z: sp.pi / 2 - sp.atan(z / sp.sqrt(1 - z**2)),
    sp.asinh: lambda z: sp.log(z + sp.sqrt(z**2 + 1)),
    sp.acosh: lambda z: sp.log(z + sp.sqrt(z**2 - 1)),
    sp.atanh: lambda z: sp.log((1 + z) / (1 - z)) / 2,
}
"""Functions without a record, in functions that have one."""
