"""Reshapes in normal form: the only way a `Merge` or `Split` is built.

Both are linear, so they stand on the terms of a sum and behind numbers and scalars.  A reshape of
a reshape is one, `vec⁻¹ vec` is nothing, and what is the same on two joined groups of axes is a
diagonal: the vec layout of `δ_ik δ_jl` is the identity, that of `m_ij δ_ik δ_jl` is `diag(vec M)`.
"""

from collections.abc import Sequence

from symbp.ir import Dim, Expr, Shape, Sum, Words, node
from symbp.ops.kinds import Merge, Split
from symbp.ops.linear import combine, is_ones, ones
from symbp.ops.product import Factor, product, subproduct
from symbp.words import closed

Groups = Sequence[Sequence[int]]

VEC = ((1, 0),)
"""The columns of a matrix, stacked."""


def merge(groups: Groups, expr: Expr) -> Expr:
    """Return an expression with each group of its axes joined, a group's first axis the slowest.

    Raises ValueError where the groups do not name each axis once.
    """
    op = Merge(_checked(groups, expr.shape))
    shape, order = op.shape([expr]), _order(op.groups)
    inner = expr.op
    if isinstance(inner, Sum):
        terms = [merge(op.groups, arg) for arg in expr.args]
        return combine(zip(inner.coefficients, terms, strict=True), shape)
    if _is_permutation(op.groups):
        return _permuted(expr, order)
    if isinstance(inner, Merge):
        joined = [[axis for k in group for axis in inner.groups[k]] for group in op.groups]
        return merge(joined, expr.args[0])
    if isinstance(inner, Split) and sorted(inner.groups) == sorted(op.groups):
        return _permuted(expr.args[0], [inner.groups.index(group) for group in op.groups])
    if is_ones(expr):
        return ones(*shape)
    if isinstance(inner, Words):
        if _closed(inner):
            front, rest = _apart(expr, inner)
            return _times(front, merge(op.groups, rest))
        if len(inner.words) == 1 and _only_turns(inner):
            before = [inner.words[0].index(letter) for letter in inner.out]
            return merge([[before[axis] for axis in g] for g in op.groups], expr.args[0])
        if len({tuple(inner.out[axis] for axis in g) for g in op.groups}) < len(op.groups):
            return _diagonal(op.groups, expr, inner)
    return node(op, expr)


def split(groups: Groups, dims: Shape, expr: Expr) -> Expr:
    """Return an expression with its axes taken apart to `dims`, so that `merge` gives it back.

    Raises ValueError where the groups do not name each axis of `dims` once, or are not as many
    as the expression has axes.
    """
    op = Split(_checked(groups, dims), tuple(dims))
    inner = expr.op
    if len(op.groups) != expr.rank:
        raise ValueError(f"{len(op.groups)} groups of axes for an array of shape {expr.shape}")
    if isinstance(inner, Sum):
        terms = [split(op.groups, op.dims, arg) for arg in expr.args]
        return combine(zip(inner.coefficients, terms, strict=True), op.dims)
    if _is_permutation(op.groups):
        order = _order(op.groups)
        return _permuted(expr, [order.index(axis) for axis in range(len(order))])
    if isinstance(inner, Split):
        nested = [[axis for k in group for axis in op.groups[k]] for group in inner.groups]
        return split(nested, op.dims, expr.args[0])
    if isinstance(inner, Merge) and _undoes(op, inner, expr.args[0].shape):
        before = dict(zip(_order(op.groups), _order(inner.groups), strict=True))
        return _permuted(expr.args[0], [before[axis] for axis in range(len(op.dims))])
    if is_ones(expr):
        return ones(*op.dims)
    if isinstance(inner, Words) and _closed(inner):
        front, rest = _apart(expr, inner)
        return _times(front, split(op.groups, op.dims, rest))
    return node(op, expr)


def vec(expr: Expr) -> Expr:
    """Return the columns of a matrix, stacked."""
    return merge(VEC, expr)


def commutation(rows: Dim, columns: Dim) -> Expr:
    """Return K with K vec(X) = vec(Xᵀ) for every X of a shape (Magnus & Neudecker 2019, 3.7)."""
    return merge(((1, 0), (3, 2)), product([], (0, 1, 1, 0), {0: columns, 1: rows}))


def _checked(groups: Groups, shape: Shape) -> tuple[tuple[int, ...], ...]:
    if sorted(_order(groups)) != list(range(len(shape))):
        raise ValueError(f"the groups {groups} do not name each axis of shape {shape} once")
    return tuple(tuple(group) for group in groups)


def _order(groups: Groups) -> list[int]:
    return [axis for group in groups for axis in group]


def _is_permutation(groups: Groups) -> bool:
    return all(len(group) == 1 for group in groups)


def _undoes(op: Split, inner: Merge, shape: Shape) -> bool:
    """Tell whether a split takes each group apart to the sizes it was joined from."""
    pairs = zip(op.groups, inner.groups, strict=True)
    return all([op.dims[k] for k in g] == [shape[k] for k in h] for g, h in pairs)


def _permuted(expr: Expr, order: Sequence[int]) -> Expr:
    """Return an array whose axis k is the given one's axis order[k]."""
    letters = tuple(range(expr.rank))
    return expr if tuple(order) == letters else product([(expr, letters)], tuple(order))


def _closed(op: Words) -> set[int]:
    """Return the places of the factors that no letter ties to the result: together a scalar."""
    return {k for group in closed(op.words, op.out) for k in group}


def _only_turns(op: Words) -> bool:
    """Tell whether a product of one factor is that factor with its axes in another order."""
    (word,) = op.words
    return len(set(word)) == len(word) and sorted(word) == sorted(op.out)


def _apart(expr: Expr, op: Words) -> tuple[list[Factor], Expr]:
    """Return the factors that make a scalar, and the product of the others."""
    apart = _closed(op)
    factors = list(zip(expr.args, op.words, strict=True))
    rest = [factor for k, factor in enumerate(factors) if k not in apart]
    return [factors[k] for k in sorted(apart)], subproduct(rest, op.out, op.dims)


def _times(scalar: list[Factor], expr: Expr) -> Expr:
    """Return an array times the contraction of factors among themselves."""
    fresh = 1 + max((letter for _, word in scalar for letter in word), default=-1)
    letters = tuple(range(fresh, fresh + expr.rank))
    sizes = dict(zip(letters, expr.shape, strict=True))
    return product([*scalar, (expr, letters)], letters, sizes)


def _diagonal(groups: Groups, expr: Expr, op: Words) -> Expr:
    """Return a merge of which some groups carry the same letters: joined once, then a diagonal."""
    letters = [tuple(op.out[axis] for axis in group) for group in groups]
    first = [k for k, word in enumerate(letters) if letters.index(word) == k]
    axes = sorted(axis for k in first for axis in groups[k])
    factors = zip(expr.args, op.words, strict=True)
    once = product(factors, tuple(op.out[axis] for axis in axes), dict(enumerate(op.dims)))
    made = merge([[axes.index(axis) for axis in groups[k]] for k in first], once)
    different = [letters[k] for k in first]
    return product([(made, tuple(range(made.rank)))], tuple(map(different.index, letters)))
