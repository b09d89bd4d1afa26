"""Indices of SymPy: elements `M[i, j]`, Kronecker deltas, and the ranges of sums.

An index of a sum is a letter that runs from 0; `i + 1` is the letter shifted by a block of the
identity, and a place that stands is a unit vector.
"""

from typing import Any

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixElement

from symbp.ir import Dim, Expr
from symbp.ops.product import Factor, diagonal_delta, product
from symbp.ops.selection import block, unit
from symbp.spec.view import Context, check_dims, dim, refused

LARGEST_COUNT = 100
"""How many terms a sum or product over numbers may have when it is written out."""


def element(part: Any, context: Context) -> Expr:
    """Return M[i, j]: an index of a sum is a letter, any other a unit vector."""
    seen = context.matrix(part.parent, context.outside)
    shape = context.shape
    letters: list[int] = []
    factors: list[Factor] = []
    for axis, index in enumerate((part.i, part.j)):
        size, fresh = seen.dims[axis], len(shape) + axis
        running = [i for i in index.free_symbols if i in context.indices]
        offset = dim(index - running[0]) if running else dim(index)
        # strict: a text is refused, never run
        if not sp.sympify(offset, strict=True).free_symbols <= context.sizes:
            raise refused(part, "has an index that is neither a number, nor summed over, nor i + 1")
        check_index(part, offset)
        if not running:
            letters.append(fresh)
            if size != 1:
                factors.append((unit(size, offset), (fresh,)))
            continue
        letter = context.indices[running[0]]
        letters.append(letter)
        if (size, offset) != (shape[letter], 0):
            _check_inside(part, size, shape[letter] + offset)
            letters[-1] = fresh
            factors.append((block(size, shape[letter], offset), (fresh, letter)))
    factors.append((seen.expr, seen.word(*letters)))
    return product(factors, tuple(range(len(shape))), dict(enumerate(shape)))


def check_index(part: Any, index: Dim) -> None:
    """Raise SymbpError where an index is below 0 for every size, or no whole number."""
    exact = sp.sympify(index, strict=True)  # strict: a text is refused, never run
    if exact.is_number and not (exact.is_integer and exact >= 0):
        raise refused(part, f"has the index {exact}, and rows and columns are counted 0, 1, 2, …")


def check_range(part: Any, low: Any, high: Any) -> None:
    """Raise SymbpError where a range runs backwards: what SymPy means by it is a negative sum."""
    if sp.expand(high - low + 1).is_negative:
        raise refused(part, f"runs from {low} to {high}, and a range runs upwards")


def _check_inside(part: Any, size: Dim, end: Dim) -> None:
    """Raise SymbpError where an index may leave the axis; sizes are at least 1."""
    left = sp.expand(size - end)
    positive = {s: sp.Dummy(integer=True, positive=True) for s in left.free_symbols}
    if not left.xreplace(positive).is_nonnegative:
        check_dims(part, size, dim(sp.expand(end)))


def delta(part: Any, context: Context) -> Expr:
    """Return δ_ij of two indices of a sum, or of one and a number."""
    shape, (i, j) = context.shape, part.args[:2]
    letters = tuple(range(len(shape)))
    sizes = dict(enumerate(shape))
    known = [context.indices[index] for index in (i, j) if index in context.indices]
    if len(known) == 2:
        check_dims(part, *(shape[letter] for letter in known))
        return product([(diagonal_delta(shape[known[0]]), tuple(known))], letters, sizes)
    if not known:
        raise refused(part, "has indices that are not summed over")
    index = j if i in context.indices else i
    if not index.free_symbols <= context.sizes:
        raise refused(part, "has an index that is neither a number nor summed over")
    return product([(unit(shape[known[0]], dim(index)), (known[0],))], letters, sizes)


def stands(part: Any, index: Any) -> bool:
    """Tell whether an index is read as a number, outside of elements and deltas."""
    if isinstance(part, MatrixElement):
        return stands(part.parent, index)
    if isinstance(part, sp.KroneckerDelta):
        return False
    if isinstance(part, sp.Sum | sp.Product) and any(limit[0] == index for limit in part.limits):
        return any(stands(bound, index) for limit in part.limits for bound in limit[1:])
    return part == index or any(stands(arg, index) for arg in part.args)


def outermost(part: Any) -> tuple[Any, Any, Any, Any]:
    """Return what stands within one range of a sum or product, its index and its bounds.

    It is the first range whose bounds read no other index, so that M[i, j] summed over i and j has
    the rows before the columns.
    """
    indices = [limit[0] for limit in part.limits]
    free = [
        limit for limit in part.limits
        if indices.count(limit[0]) == 1 and not any(b.has(*indices) for b in limit[1:])
    ]  # fmt: skip
    limit = free[0] if free else part.limits[-1]
    rest = [other for other in part.limits if other is not limit]
    return (part.func(part.function, *rest) if rest else part.function), *limit


def terms(part: Any) -> list[Any]:
    """Return the terms of a sum, or the factors of a product, of which the bounds are numbers."""
    inside, index, low, high = outermost(part)
    if not (low.is_Integer and high.is_Integer and high - low < LARGEST_COUNT):
        raise refused(part, f"reads its index {index} as a number and has no numbers as bounds")
    check_range(part, low, high)
    return [inside.subs(index, k) for k in range(int(low), int(high) + 1)]
