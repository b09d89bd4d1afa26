"""SymPy matrices put together from parts: blocks, slices, and what is written entry by entry."""

from collections.abc import Sequence
from typing import Any

import sympy as sp

from symbp.ir import Dim
from symbp.ops.linear import add, zeros
from symbp.ops.product import Factor, product
from symbp.ops.selection import block, unit
from symbp.spec.sympy_scalar import scalar
from symbp.spec.view import Context, View, dim, dims_of, refused


def _offsets(sizes: Sequence[Dim]) -> list[Dim]:
    """Return where each block starts."""
    starts: list[Dim] = [0]
    for size in sizes:
        starts.append(starts[-1] + size)
    return starts


def block_matrix(part: Any, context: Context) -> View:
    """Return Σ E_i B_ij F_jᵀ, with E_i and F_j the block columns of two identities."""
    rows, columns = dims_of(part)
    above = _offsets([dim(size) for size in part.rowblocksizes])
    before = _offsets([dim(size) for size in part.colblocksizes])
    terms = []
    for i in range(part.blockshape[0]):
        for j in range(part.blockshape[1]):
            seen = context.matrix(part.blocks[i, j], context)
            left = _picked((rows, seen.dims[0], above[i]), 0, 2)
            right = _picked((columns, seen.dims[1], before[j]), 1, 3)
            inside = _inside(seen, 2 if left else 0, 3 if right else 1)
            sizes = {0: rows, 1: columns}
            terms.append(product([*left, inside, *right], (0, 1), sizes))
    return View(add(*terms), (rows, columns), (0, 1))


def _inside(seen: View, row: int, column: int) -> Factor:
    """Return a matrix without its axes of size 1, and its word."""
    return seen.along(seen.long), tuple((row, column)[axis] for axis in seen.long)


def _picked(cut: tuple[Dim, Dim, Dim], whole: int, part: int) -> list[Factor]:
    """Return what picks a part of an axis, of (size, size of the part, offset); none for all of it.

    whole, part: the letters of the axis and of its part.
    """
    size, kept, offset = cut
    if kept == size:
        return []
    if kept == 1:
        return [(unit(size, offset), (whole,))]
    return [(block(size, kept, offset), (whole, part))]


def sliced(part: Any, context: Context) -> View:
    """Return Eᵀ X F, with E and F columns of the identity."""
    seen, dims = context.matrix(part.parent, context), dims_of(part)
    factors: list[Factor] = []
    letters = []
    for axis, (start, _, step) in enumerate((part.rowslice, part.colslice)):
        if step != 1:
            raise refused(part, "has a step")
        picked = _picked((seen.dims[axis], dims[axis], dim(start)), 2 + axis, axis)
        factors += picked
        letters.append(2 + axis if picked else axis)
    factors.append(_inside(seen, *letters))
    axes = tuple(axis for axis in seen.long if dims[axis] != 1)
    return View(product(factors, axes), dims, axes)


def explicit(part: Any, context: Context) -> View:
    """Return Σ m_ij e_i e_jᵀ for a matrix written entry by entry."""
    rows, columns = dims_of(part)
    axes = tuple(axis for axis in (0, 1) if (rows, columns)[axis] != 1)
    shape = tuple((rows, columns)[axis] for axis in axes)
    terms = [zeros(*shape)]
    for place, entry in sp.SparseMatrix(part).todok().items():
        units: list[Factor] = [(unit((rows, columns)[a], int(place[a])), (a,)) for a in axes]
        terms.append(product([(scalar(entry, context), ()), *units], axes))
    return View(add(*terms), (rows, columns), axes)


def listed(part: Any, context: Context) -> View:
    """Return a matrix that a rule gives, entry by entry; its sizes must be numbers."""
    if not all(isinstance(size, int) for size in dims_of(part)):
        raise refused(part, "has a size that is no number")
    return explicit(part.as_explicit(), context)
