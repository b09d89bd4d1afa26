"""SymPy matrix expressions as expressions: one reader a node, everything else is refused.

Each reader turns the node into letters: rows and columns of every factor, those of size 1 left
out, so that columns, rows and 1×1 matrices need no rule of their own.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import sympy as sp
from sympy.matrices.expressions import blockmatrix, diagonal, hadamard
from sympy.matrices.expressions import slice as slices
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.permutation import PermutationMatrix

from symbp.ir import Expr, node
from symbp.ops.linear import add, ones, zeros
from symbp.ops.matrix import INVERSE
from symbp.ops.power import reciprocal
from symbp.ops.product import Factor, diagonal_delta, product, transpose
from symbp.ops.product import hadamard as entrywise
from symbp.ops.reshape import merge
from symbp.spec.sympy_block import block_matrix, explicit, listed, sliced
from symbp.spec.sympy_scalar import scalar
from symbp.spec.view import Context, Dims, View, check_dims, dims_of, refused, view

LARGEST_POWER = 16
"""A whole power of a matrix is written out; beyond this it is refused."""


def matrix(part: Any, context: Context) -> View:
    """Return a SymPy matrix as a view.  Raises SymbpError naming the node that is not accepted."""
    if part in context.names:
        return view(context.names[part], dims_of(part))
    if isinstance(part, sp.MatrixSymbol):
        raise refused(part, "is declared nowhere")
    if isinstance(part, sp.MatrixBase):
        return explicit(part, context)
    if type(part) not in _READERS:
        raise refused(part)
    return _READERS[type(part)](part, context)


def _alike(part: Any, matrices: Sequence[Any], context: Context) -> list[View]:
    """Return matrices that must have one shape."""
    views = [matrix(each, context) for each in matrices]
    for seen in views:
        check_dims(part, seen.dims[0], views[0].dims[0])
        check_dims(part, seen.dims[1], views[0].dims[1])
    return views


def _same_axes(views: Sequence[View]) -> tuple[tuple[int, ...], list[Expr]]:
    """Return views of one shape as expressions with the same axes."""
    axes = views[0].axes
    if any(seen.axes != axes for seen in views):
        axes = views[0].long
    return axes, [seen.along(axes) for seen in views]


def _ends(views: Sequence[View]) -> Dims:
    """Return rows and columns of a product."""
    return views[0].dims[0], views[-1].dims[1]


def _chain(part: Any, views: Sequence[View]) -> View:
    """Return the product of matrices."""
    for left, right in pairwise(views):
        check_dims(part, left.dims[1], right.dims[0])
    first, last, dims = views[0], views[-1], _ends(views)
    axes = (*first.axes[: first.axes.count(0)], *((1,) if 1 in last.axes else ()))
    axes = () if dims == (1, 1) else axes
    out = tuple((0, len(views))[axis] for axis in axes)
    factors: list[Factor] = [(v.expr, v.word(k, k + 1)) for k, v in enumerate(views)]
    return View(product(factors, out), dims, axes)


def _matmul(part: sp.MatMul, context: Context) -> View:
    """Return the product; where sizes do not meet, 1×1 runs of factors stand as scalars."""
    coefficient, factors = part.as_coeff_matrices()
    runs: list[list[View]] = []
    for seen in (matrix(factor, context) for factor in factors):
        meets = runs and runs[-1][-1].dims[1] == seen.dims[0]
        runs = [*runs[:-1], [*runs[-1], seen]] if meets else [*runs, [seen]]
    scalars = [run for run in runs if _ends(run) == (1, 1)] if len(runs) > 1 else []
    made = _chain(part, [seen for run in runs if run not in scalars for seen in run])
    for run in scalars:
        inside = _chain(part, run).canonical
        made = View(entrywise(inside, made.expr), made.dims, made.axes)
    if coefficient == 1:
        return made
    return View(entrywise(scalar(coefficient, context), made.expr), made.dims, made.axes)


def _matadd(part: sp.MatAdd, context: Context) -> View:
    views = _alike(part, part.args, context)
    axes, terms = _same_axes(views)
    return View(add(*terms), views[0].dims, axes)


def _transpose(part: sp.Transpose, context: Context) -> View:
    seen = matrix(part.arg, context)
    axes = tuple(sorted(1 - axis for axis in seen.axes))
    return View(transpose(seen.expr) if len(axes) == 2 else seen.expr, seen.dims[::-1], axes)


def _square(part: Any, context: Context) -> View:
    seen = matrix(part.args[0], context)
    check_dims(part, *seen.dims)
    return seen


def _inverted(seen: View) -> View:
    if seen.dims == (1, 1):
        return View(reciprocal(seen.canonical), seen.dims, ())
    return View(node(INVERSE, seen.along((0, 1))), seen.dims, (0, 1))


def _matpow(part: sp.MatPow, context: Context) -> View:
    seen, exponent = _square(part, context), part.exp
    if seen.dims == (1, 1):
        base = sp.Dummy("z")
        value = scalar(base**exponent, context.within((), {base: seen.canonical}))
        return View(value, seen.dims, ())
    if not exponent.is_Integer or abs(exponent) > LARGEST_POWER:
        raise refused(part, f"has an exponent that is no whole number up to {LARGEST_POWER}")
    if exponent == 0:
        return View(diagonal_delta(seen.dims[0]), seen.dims, (0, 1))
    base = seen if exponent > 0 else _inverted(seen)
    return _chain(part, [base] * abs(int(exponent)))


def _hadamard_product(part: Any, context: Context) -> View:
    views = _alike(part, part.args, context)
    axes, factors = _same_axes(views)
    return View(entrywise(*factors), views[0].dims, axes)


def _hadamard_power(part: Any, context: Context) -> View:
    """Return base^exponent entry by entry; either may be a scalar."""
    places = {arg: sp.Dummy("z") for arg in part.args if arg.is_Matrix}
    views = _alike(part, list(places), context)
    axes, arrays = _same_axes(views)
    base, exponent = (places.get(arg, arg) for arg in part.args)
    inside = context.within(arrays[0].shape, dict(zip(places.values(), arrays, strict=True)))
    return View(scalar(base**exponent, inside), views[0].dims, axes)


def _applied(seen: View, place: Any, formula: Any, context: Context) -> View:
    """Return a scalar formula of `place`, entry by entry."""
    inside = context.within(seen.expr.shape, {place: seen.expr})
    return View(scalar(formula, inside), seen.dims, seen.axes)


def _applyfunc(part: Any, context: Context) -> View:
    function, place = part.function, sp.Dummy("z")
    return _applied(matrix(part.expr, context), place, function(place), context)


def _diag_matrix(part: Any, context: Context) -> View:
    seen = matrix(part.args[0], context)
    if len(seen.long) == 2:
        raise refused(part, "is the diagonal matrix of what is no vector")
    if not seen.long:
        return View(seen.canonical, (1, 1), ())
    (axis,) = seen.long
    made = product([(seen.along((axis,)), (0,))], (0, 0))
    return View(made, (seen.dims[axis], seen.dims[axis]), (0, 1))


def _diagonal_of(part: Any, context: Context) -> View:
    seen = _square(part, context)
    made = product([(seen.along((0, 1)), (0, 0))], (0,))
    return View(made, (seen.dims[0], 1), (0,))


def _diagonal_matrix(part: Any, context: Context) -> View:
    seen = _square(part, context)
    return View(product([(seen.along((0, 1)), (0, 0))], (0, 0)), seen.dims, (0, 1))


def _filled(make: Callable[..., Expr]) -> Callable[[Any, Context], View]:
    """Return the reader of a matrix that holds one number everywhere."""

    def read(part: Any, context: Context) -> View:
        dims = dims_of(part)
        axes = tuple(axis for axis in (0, 1) if dims[axis] != 1)
        return View(make(*(dims[axis] for axis in axes)), dims, axes)

    return read


def _identity(part: Any, context: Context) -> View:
    rows, columns = dims_of(part)
    if rows == 1:
        return View(ones(), (1, 1), ())
    return View(diagonal_delta(rows), (rows, columns), (0, 1))


def _kronecker(part: Any, context: Context) -> View:
    views = [matrix(arg, context) for arg in part.args]
    rows = [k for k, seen in enumerate(views) if 0 in seen.axes]
    columns = [k for k, seen in enumerate(views) if 1 in seen.axes]
    out = (*(2 * k for k in rows), *(2 * k + 1 for k in columns))
    made = product([(v.expr, v.word(2 * k, 2 * k + 1)) for k, v in enumerate(views)], out)
    cut = len(rows)
    groups = [g for g in (tuple(range(cut)), tuple(range(cut, len(out)))) if g]
    if any(len(group) > 1 for group in groups):
        made = merge(groups, made)
    axes = (*((0,) if rows else ()), *((1,) if columns else ()))
    return View(made, dims_of(part), axes)


_READERS: dict[Any, Callable[[Any, Context], View]] = {
    sp.MatMul: _matmul,
    sp.MatAdd: _matadd,
    sp.Transpose: _transpose,
    sp.Adjoint: _transpose,
    sp.Inverse: lambda part, context: _inverted(_square(part, context)),
    sp.MatPow: _matpow,
    hadamard.HadamardProduct: _hadamard_product,
    hadamard.HadamardPower: _hadamard_power,
    ElementwiseApplyFunction: _applyfunc,
    diagonal.DiagMatrix: _diag_matrix,
    diagonal.DiagonalOf: _diagonal_of,
    diagonal.DiagonalMatrix: _diagonal_matrix,
    sp.OneMatrix: _filled(ones),
    sp.ZeroMatrix: _filled(zeros),
    sp.Identity: _identity,
    sp.KroneckerProduct: _kronecker,
    blockmatrix.BlockMatrix: block_matrix,
    blockmatrix.BlockDiagMatrix: block_matrix,
    slices.MatrixSlice: sliced,
    sp.FunctionMatrix: listed,
    PermutationMatrix: listed,
}
