"""Rebuilding expressions: substitution, and one more axis for what varies along it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import sympy as sp

from symbp.ir import Dim, Examples, Expr, Size, Sum, Variable, Words, node, size_value, walk
from symbp.ops.indexed import Chain, Over, When, when
from symbp.ops.kinds import Elementwise, Largest, Merge, Nonlinear, Split
from symbp.ops.linear import combine, number
from symbp.ops.product import broadcast, product, settled
from symbp.ops.reshape import merge, split
from symbp.ops.scalar import apply
from symbp.ops.selection import Selection


def rebuild(expr: Expr, args: tuple[Expr, ...]) -> Expr:
    """Return the node with other arguments, in normal form."""
    op = expr.op
    if args == expr.args:
        return expr
    if isinstance(op, Sum):
        return combine(zip(op.coefficients, args, strict=True), args[0].shape)
    if isinstance(op, Words):
        return product(zip(args, op.words, strict=True), op.out, dict(enumerate(op.dims)))
    if isinstance(op, Elementwise):
        return apply(op, *args)
    if isinstance(op, Merge):
        return merge(op.groups, *args)
    if isinstance(op, Split):
        return split(op.groups, op.dims, *args)
    return node(op, *args)


def transform(
    expr: Expr, change: Callable[[Expr], Expr | None], among: Collection[str] | None = None
) -> Expr:
    """Rebuild from the leaves up; `change` sees each rebuilt node and may return another.

    among: kinds of nodes one of which must be below for anything to change.
    """
    if among is not None and expr.kinds.isdisjoint(among):
        return expr
    done: dict[Expr, Expr] = {}
    for part in walk(expr):
        made = rebuild(part, tuple(done[arg] for arg in part.args))
        done[part] = change(made) or made
    return done[expr]


def substitute(expr: Expr, values: Mapping[Expr, Expr]) -> Expr:
    """Replace nodes, outermost first, by others of the same shape."""
    if values.keys().isdisjoint(walk(expr)):
        return expr
    done: dict[Expr, Expr] = {}
    for part in walk(expr):
        if part in values:
            done[part] = values[part]
        else:
            done[part] = rebuild(part, tuple(done[arg] for arg in part.args))
    return done[expr]


def lift(
    expr: Expr, lifted: Mapping[Expr, Expr], axis: Dim, done: dict[Expr, Expr] | None = None
) -> Expr:
    """Give a leading axis to every part that depends on a lifted variable.

    `lifted` maps a variable to the one that has the axis.  What does not depend on any is left
    as it is, and repeated where it meets what does.  The sum over the examples becomes a sum
    over the axis.  done: what has been lifted so far, from call to call.
    """
    done = {} if done is None else done
    for part in walk(expr):
        if part in done:
            continue
        args = tuple(done[arg] for arg in part.args)
        grown = [new.rank > old.rank for new, old in zip(args, part.args, strict=True)]
        if part in lifted:
            done[part] = lifted[part]
        elif isinstance(part.op, Examples):
            done[part] = _over_examples(part.args[0], args[0], axis)
        elif not any(grown):
            done[part] = rebuild(part, args)
        else:
            done[part] = _lift_node(part, args, grown, axis)
    return done[expr]


def _over_examples(plain: Expr, value: Expr, axis: Dim) -> Expr:
    """Return the sum over the axis, taken into a sum of products term by term."""
    if isinstance(value.op, Sum) and any(len(arg.args) > 1 for arg in value.args):
        terms = [_over_examples(plain, arg, axis) for arg in value.args]
        return combine(zip(value.op.coefficients, terms, strict=True), plain.shape)
    letters = tuple(range(plain.rank))
    word = letters if value.rank == plain.rank else (plain.rank, *letters)
    return product([(value, word)], letters, {plain.rank: axis})


def _lift_node(part: Expr, args: tuple[Expr, ...], grown: list[bool], axis: Dim) -> Expr:
    op = part.op
    if isinstance(op, Words):
        new = len(op.dims)
        words = [(new, *w) if g else w for w, g in zip(op.words, grown, strict=True)]
        return _alike(part, args, Words(tuple(words), (new, *op.out), (*op.dims, axis)))
    if isinstance(op, Nonlinear):
        return node(replace(op, leading=op.leading + 1), *args)
    if isinstance(op, Merge | Split):
        groups = ((0,), *(tuple(i + 1 for i in group) for group in op.groups))
        if isinstance(op, Merge):
            return merge(groups, *args)
        return split(groups, (axis, *op.dims), *args)
    if isinstance(op, Largest):
        return node(op, *args)
    full = tuple(a if g else repeat(a, axis) for a, g in zip(args, grown, strict=True))
    if isinstance(op, Sum):
        return combine(zip(op.coefficients, full, strict=True), full[0].shape)
    if isinstance(op, Elementwise):
        return apply(op, *full)
    raise TypeError(f"{op} cannot be given another axis")


def _alike(before: Expr, args: Sequence[Expr], op: Words) -> Expr:
    """Return a product of factors like those of another, joined in the same way.

    before: a product in normal form.  op: its words, with other sizes or letters in front.  Where
    each factor is what it was, nothing can join that did not.
    """
    pairs = list(zip(args, op.words, strict=True))
    same = zip(before.args, args, strict=True)
    if pairs and all(type(new.op) is type(old.op) and _stays(new, old) for old, new in same):
        return settled(pairs, op.out, dict(enumerate(op.dims)))
    return product(pairs, op.out, dict(enumerate(op.dims)))


def _stays(new: Expr, old: Expr) -> bool:
    """Tell whether a factor is no number, opens nothing, and has its axes in one order."""
    op = new.op
    if isinstance(op, Sum):
        return len(op.coefficients) > 1 and max(op.coefficients) > 0 and not old.symmetric
    return isinstance(op, Variable | Elementwise | Nonlinear) and not old.symmetric


def repeat(expr: Expr, axis: Dim) -> Expr:
    """Return the expression repeated along a new leading axis."""
    if not expr.rank:
        return broadcast(expr, axis)
    letters = tuple(range(1, expr.rank + 1))
    return product([(expr, letters)], (0, *letters), {0: axis})


def resize(expr: Expr, sizes: Mapping[sp.Expr, int], done: dict[Expr, Expr] | None = None) -> Expr:
    """Put numbers in place of symbolic sizes, in every shape and every index of an expression.

    done: what has been resized so far, from call to call.
    """

    def number_of(dim: Dim) -> Dim:
        return size_value(dim, sizes)

    done = {} if done is None else done
    for part in walk(expr):
        if part not in done:
            done[part] = resized(part, tuple(done[arg] for arg in part.args), number_of)
    return done[expr]


def resized(part: Expr, args: tuple[Expr, ...], change: Callable[[Dim], Dim]) -> Expr:
    """Return a node with other arguments, and each size and index that it speaks of changed."""
    op = part.op
    if isinstance(op, Variable):
        dims, index = tuple(map(change, op.dims)), tuple(map(change, op.index))
        same = dims == op.dims and index == op.index
        return part if same else node(replace(op, dims=dims, index=index))
    if isinstance(op, Sum):
        dims = tuple(map(change, op.dims))
        if args and part.kinds.isdisjoint(_SIZED):
            return node(Sum(op.coefficients, dims), *args)
        return combine(zip(op.coefficients, args, strict=True), dims)
    if isinstance(op, Words):
        dims = tuple(map(change, op.dims))
        if not part.kinds.isdisjoint(_SIZED):
            return product(zip(args, op.words, strict=True), op.out, dict(enumerate(dims)))
        return _alike(part, args, Words(op.words, op.out, dims))
    if isinstance(op, Size):
        value = change(op.dim)
        return number(value) if isinstance(value, int) else node(Size(value))
    if isinstance(op, Split):
        return split(op.groups, tuple(map(change, op.dims)), *args)
    if isinstance(op, Selection):
        return node(Selection(tuple(map(change, op.dims)), change(op.offset)))
    if isinstance(op, When):
        return when(change(op.left), op.relation, change(op.right))
    if isinstance(op, Chain | Over):
        return node(replace(op, start=change(op.start), stop=change(op.stop)), *args)
    return rebuild(part, args)


_SIZED = ("Merge", "Over", "Selection", "Size", "Split", "When")
"""What says more at another size: a number, or where a block stands."""


def rename(variable: Expr, **fields: object) -> Expr:
    """Return a variable like another but for some fields."""
    assert isinstance(variable.op, Variable)
    return node(replace(variable.op, **fields))  # type: ignore[arg-type]
