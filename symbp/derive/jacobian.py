"""Jacobians: the differential along the unit directions, in index words of any rank.

The differential of a value is linear in the direction, dF = A dX B; with the unit directions
δ_ik δ_jl in its place it is the Jacobian ∂F_ij/∂X_kl = A_ik B_lj (Magnus & Neudecker 2019, chapter
9: the identification theorems).  Output axes come first, then those of the variable.
"""

from collections.abc import Sequence

from symbp.derive.forward import dot
from symbp.derive.partial import normal, with_deltas
from symbp.ir import Dim, Expr, Sum, Words
from symbp.ops.linear import add, combine, is_zero, parts, subtract, zeros
from symbp.ops.product import contract, distributed, product
from symbp.ops.reshape import merge
from symbp.ops.rewrite import transform
from symbp.ops.rules import tangent
from symbp.ops.selection import unit
from symbp.program import Binding


def jacobian(expr: Expr, of: Expr, lines: Sequence[Binding] = ()) -> Expr:
    """Return ∂expr/∂of, of shape `expr.shape + of.shape`.

    lines: those that the expression may read, in their order; what depends on `of` through them
    counts.  The result speaks of their names where they are not differentiated.
    """
    dots = {of: dot(of)}
    for line in lines:
        moved = tangent(line.expr, dots)
        if not is_zero(moved):
            dots[line.target] = moved
    return along_units(tangent(expr, dots), of)


def along_units(moved: Expr, of: Expr) -> Expr:
    """Return a differential, linear in the direction of `of`, with its unit directions put in."""
    if is_zero(moved):
        return zeros(*moved.shape, *of.shape)
    return _opened(normal(with_deltas(moved, of)))


def _opened(expr: Expr) -> Expr:
    """Multiply out the sums that hold an identity or ones: p ⊙ (I − 𝟏 pᵀ) is diag(p) − p pᵀ."""

    def change(part: Expr) -> Expr | None:
        if not isinstance(part.op, Words):
            return None
        for k, arg in enumerate(part.args):
            if isinstance(arg.op, Sum) and any(_is_plain(term) for term in arg.args):
                terms = distributed(part, k)
                return combine([(c, change(term) or term) for c, term in terms], part.shape)
        return None

    return transform(expr, change)


def _is_plain(term: Expr) -> bool:
    """Tell whether a term of an array is the same along an axis, or zero off a diagonal."""
    op = term.op
    if not isinstance(op, Words):
        return False
    read = {letter for word in op.words for letter in word} & set(op.out)
    return len(set(op.out)) < len(op.out) or 0 < len(read) < len(op.out)


def stacked(tensor: Expr, *ranks: int) -> Expr:
    """Return a tensor with the columns of each group of axes stacked: the layout of vec.

    ranks: how many axes each group has, the output's first; of a matrix, the second axis becomes
    the slower one.
    """
    axes = iter(range(sum(ranks)))
    groups = tuple(tuple(next(axes) for _ in range(rank))[::-1] for rank in ranks if rank)
    if all(len(group) == 1 for group in groups):
        return tensor
    return merge(groups, tensor)


def at_entry(tensor: Expr, first: int, index: Sequence[Dim]) -> Expr:
    """Return a tensor at one place of the axes from `first` on: contracted with unit vectors."""
    if isinstance(tensor.op, Sum):
        terms = [(c, at_entry(term, first, index)) for c, term in parts(tensor)]
        return combine(terms, (*tensor.shape[:first], *tensor.shape[first + len(index) :]))
    letters = tuple(range(tensor.rank))
    chosen = range(first, first + len(index))
    units = [(unit(tensor.shape[k], at), (k,)) for k, at in zip(chosen, index, strict=True)]
    out = tuple(k for k in letters if k not in chosen)
    return product([(tensor, letters), *units], out)


def structured(gradient_of: Expr) -> Expr:
    """Return G + Gᵀ − G ⊙ I: the gradient by a symmetric matrix, its two halves moving together.

    Source: the Matrix Cookbook (2012), equation (138).
    """
    return subtract(
        add(gradient_of, contract("ij->ji", gradient_of)), contract("ii->ii", gradient_of)
    )
