"""The expectation and the variance of random arrays, entry by entry, as operations."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import sympy as sp

from symbp.ir import Expr, Op, Shape, Sum, Variable, Words, node, symbol, walk
from symbp.notation import Fence
from symbp.ops.kinds import Elementwise
from symbp.ops.linear import combine
from symbp.ops.power import power
from symbp.ops.product import product
from symbp.ops.rewrite import rename
from symbp.ops.scalar import apply

_Places: TypeAlias = dict[Expr, tuple[int, ...]]
"""Which axes of an expression are those of each array that it reads."""

Kind: TypeAlias = Literal["mean", "variance"]

_NOTATION = {
    "mean": Fence("E[", "]", r"\mathbb{E}\left[", r"\right]"),
    "variance": Fence("Var[", "]", r"\operatorname{Var}\left[", r"\right]"),
}


@dataclass(frozen=True)
class Moment(Op):
    """E[x] or Var[x] of each entry of a random array; of a scalar, that of one typical entry."""

    kind: Kind
    name: str = "moment"

    @property
    def notation(self) -> Fence:
        """How it is written."""
        return _NOTATION[self.kind]

    def shape(self, args: Sequence[Expr]) -> Shape:
        """Return the shape of the array."""
        return args[0].shape

    def is_batched(self, args: Sequence[Expr]) -> bool:
        """Return False: examples are drawn alike, so a moment is the same for each."""
        return False


def mean(expr: Expr) -> Expr:
    """Return E[x] of each entry."""
    return node(Moment("mean"), expr)


def variance(expr: Expr) -> Expr:
    """Return Var[x] of each entry."""
    return node(Moment("variance"), expr)


def square(expr: Expr) -> Expr:
    """Return x² of each entry."""
    return power(expr, sp.Integer(2))


def typical(expr: Expr) -> Expr | None:
    """Return an array's expression for one entry, names as scalars.

    None where an entry is no function of the entries at the same place, as of f fᵀ or W + Wᵀ.
    """
    done: dict[Expr, Expr] = {}
    read: dict[Expr, _Places] = {}
    for part in walk(expr):
        made = _one(part, [done[arg] for arg in part.args])
        places = None if made is None else _places(part, [read[arg] for arg in part.args])
        if made is None or places is None:
            return None
        done[part], read[part] = made, places
    return done[expr]


def one_entry(var: Expr) -> Expr:
    """Return a variable's name for one of its entries."""
    return rename(var, dims=()) if symbol(var).dims else var


def _one(part: Expr, args: Sequence[Expr]) -> Expr | None:
    op = part.op
    if isinstance(op, Variable):
        return one_entry(part)
    if isinstance(op, Sum):
        return combine(zip(op.coefficients, args, strict=True), ())
    if isinstance(op, Words):
        return product([(arg, ()) for arg in args], ()) if _of_entries(op) else None
    if isinstance(op, Elementwise):
        return apply(op, *args)
    if isinstance(op, Moment):
        return node(op, *args)
    return part if not part.args and not part.rank else None


def _of_entries(op: Words) -> bool:
    """Tell whether an entry of a product is one of entries: no sum, no diagonal."""
    if len({*op.out}) < len(op.out) or any(len({*word}) < len(word) for word in op.words):
        return False
    return {letter for word in op.words for letter in word} <= {*op.out}


def _places(part: Expr, args: Sequence[_Places]) -> _Places | None:
    """Return which axes of the result those of each array below are; None where two of one."""
    op = part.op
    if isinstance(op, Variable):
        return {part: tuple(range(part.rank))}
    made: _Places = {}
    for k, read in enumerate(args):
        for var, axes in read.items():
            if isinstance(op, Words) and axes:
                axes = tuple(op.out.index(op.words[k][axis]) for axis in axes)
            if made.setdefault(var, axes) != axes:
                return None
    return made
