"""The layout of places in families: ranges of loops, sums over them, brackets of two places."""

from dataclasses import dataclass

import sympy as sp

from symbp.emit.layout import Entries, Layout, Product, Row
from symbp.emit.number import constant
from symbp.ir import Dim, Expr, Variable, walk
from symbp.ops.indexed import Over, When
from symbp.program import Loop
from symbp.sizes import letter_name


@dataclass(frozen=True, eq=False)
class Range(Layout):
    """A letter, the place it begins at and the place it ends at: `k = 1 … K`."""


@dataclass(frozen=True, eq=False)
class Series(Layout):
    """The sum of the first part over a letter, from a place to a place: the other three."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Bracket(Layout):
    """One where a relation of the two parts holds, zero elsewhere: `1[k < K]`."""

    relation: str


RELATIONS = {"<=": "≤", ">=": "≥"}
"""The signs of relations that are written otherwise than in a program."""


def range_of(loop: Loop) -> Range:
    """Return the range of a loop, its first turn first."""
    ends = (loop.stop, loop.start) if loop.down else (loop.start, loop.stop)
    return Range(tuple(map(constant, (loop.letter, *ends))))


def series(op: Over, body: Layout) -> Layout:
    """Return a sum over a letter; of index words, the index words of the sum."""
    over = tuple(map(constant, (op.letter, op.start, op.stop)))
    if isinstance(body, Entries):
        return Entries((Series((body.parts[0], *over)),), letters=body.letters)
    return Series((body, *over))


def bracket(op: When) -> Bracket:
    """Return the bracket of a relation."""
    return Bracket((constant(op.left), constant(op.right)), relation=op.relation)


def place_letters(expr: Expr) -> frozenset[str]:
    """Return the names that places in an expression speak of; no index has one of them."""
    places: list[Dim] = []
    for part in walk(expr):
        if isinstance(part.op, Variable):
            places += part.op.index
        elif isinstance(part.op, Over):
            places.append(part.op.letter)
        elif isinstance(part.op, When):
            places += [part.op.left, part.op.right]
    return frozenset(letter_name(s) for place in places for s in sp.S(place).free_symbols)


def begins_with_bracket(part: Layout) -> bool:
    """Tell whether a bracket stands first, so that a number before it would join its 1."""
    while isinstance(part, Row | Product):
        part = part.parts[0]
    return isinstance(part, Bracket)
