"""Jacobians: the differential along the unit directions, in index words of any rank.

The differential of a value is linear in the direction, dF = A dX B; with the unit directions
δ_ik δ_jl in its place it is the Jacobian ∂F_ij/∂X_kl = A_ik B_lj (Magnus & Neudecker 2019, chapter
9: the identification theorems).  Output axes come first, then those of the variable.
"""

from collections.abc import Mapping, Sequence

from symbp.derive.derivation import Derivation
from symbp.derive.forward import dot
from symbp.derive.reading import one_example
from symbp.derive.reverse import bar
from symbp.ir import Dim, Expr, name_of, variables
from symbp.ops.kinds import Merge
from symbp.ops.linear import add, is_zero, number, subtract, zeros
from symbp.ops.product import contract, product
from symbp.ops.rewrite import lift, rename, substitute
from symbp.ops.rules import tangent
from symbp.program import Binding

Axes = tuple[int, ...]


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
    direction, rank = dot(of), of.rank
    for axis in reversed(of.shape):
        grown = rename(direction, dims=(axis, *direction.shape))
        moved = lift(moved, {direction: grown}, axis)
        direction = grown
    made = substitute(moved, {direction: _unit_directions(of.shape)})
    letters = tuple(range(made.rank))
    return product([(made, letters)], (*letters[rank:], *letters[:rank]))


def _unit_directions(dims: Sequence[Dim]) -> Expr:
    """Return δ_ik δ_jl …: for each entry the direction that moves it alone."""
    letters = tuple(range(len(dims)))
    return product([], (*letters, *letters), dict(enumerate(dims)))


def gradient(derivation: Derivation, of: Expr, values: Mapping[Expr, Expr] | None = None) -> Expr:
    """Return ∂result/∂of of a scalar result for one example, other adjoints written in.

    values: what is written in besides, the lines of the primal sweep for example.
    """
    known = dict(values or {})
    if derivation.program.loss is None:
        known[bar(derivation.program.result)] = number(1)
    for step in derivation.adjoint:
        known[step.target] = substitute(one_example(step.expr), known)
    return known[derivation.step_of_gradient(name_of(of)).target]


def primal_values(derivation: Derivation) -> dict[Expr, Expr]:
    """Return the lines of the primal sweep, each written in what is given."""
    known: dict[Expr, Expr] = {}
    for step in derivation.primal:
        known[step.target] = substitute(one_example(step.expr), known)
    return known


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


def structured(gradient_of: Expr) -> Expr:
    """Return G + Gᵀ − G ⊙ I: the gradient by a symmetric matrix, its two halves moving together.

    Source: the Matrix Cookbook (2012), equation (138).
    """
    return subtract(
        add(gradient_of, contract("ij->ji", gradient_of)), contract("ii->ii", gradient_of)
    )
