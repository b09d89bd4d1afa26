"""Places in a family: sums and products over its members, terms that are there for some alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

import sympy as sp

from symbp.ir import Dim, Expr, Op, Shape, node, size_value
from symbp.ops.linear import number, parts, scale

Relation: TypeAlias = Literal["<", "<=", "=", ">", ">="]


@dataclass(frozen=True)
class Over(Op):
    """The sum of its argument over `letter` from start to stop, both ends included.

    It stands in what is read, never in a program, whose lines add to a target in a loop instead.
    """

    letter: sp.Symbol
    start: Dim
    stop: Dim
    name: str = "over"

    def shape(self, args: Sequence[Expr]) -> Shape:
        """Return the shape of each term, which the letter does not change."""
        return args[0].shape

    def __str__(self) -> str:
        return f"over {self.letter} in {self.start}..{self.stop}"


@dataclass(frozen=True)
class Chain(Op):
    """M(start) M(start+1) … M(stop) v, a factor for each place, and v alone where there is none.

    The arguments are M, said at `letter`, and v: a matrix and a vector, or two scalars.  It is what
    a recurrence x[k] = M(k) x[k+1] comes to, and stands in what is read, never in a program.
    """

    letter: sp.Symbol
    start: Dim
    stop: Dim
    name: str = "chain"

    def shape(self, args: Sequence[Expr]) -> Shape:
        """Return the shape of the first factor's rows."""
        first = {self.letter: self.start}
        return tuple(size_value(dim, first) for dim in args[0].shape[:1])

    def __str__(self) -> str:
        return f"chain {self.letter} in {self.start}..{self.stop}"


@dataclass(frozen=True)
class When(Op):
    """One where a relation of two places holds, zero elsewhere: the Iverson bracket [k < K].

    What it multiplies need not exist where it is zero.
    """

    left: Dim
    relation: Relation
    right: Dim
    name: str = "when"

    def shape(self, args: Sequence[Expr]) -> Shape:
        """Return the shape of a scalar."""
        return ()

    def holds(self) -> bool | None:
        """Tell whether the relation holds; None where that depends on sizes or letters."""
        gap = sp.S(self.left) - self.right
        tests = {
            "<": gap.is_negative,
            "<=": gap.is_nonpositive,
            "=": gap.is_zero,
            ">": gap.is_positive,
            ">=": gap.is_nonnegative,
        }
        found: bool | None = tests[self.relation]
        return found

    def __str__(self) -> str:
        return f"[{self.left} {self.relation} {self.right}]"


def chain(op: Chain, factor: Expr, end: Expr) -> Expr:
    """Return a chain, with the number that its end is a multiple of in front."""
    ((coefficient, bare), *more) = parts(end) or [(Fraction(0), end)]
    if more:
        return node(op, factor, end)
    return scale(coefficient, node(op, factor, bare))


def over(letter: sp.Symbol, start: Dim, stop: Dim, term: Expr) -> Expr:
    """Return the sum of a term over a letter."""
    return node(Over(letter, start, stop), term)


def when(left: Dim, relation: Relation, right: Dim) -> Expr:
    """Return the bracket of a relation; the number where it is decided."""
    op = When(left, relation, right)
    known = op.holds()
    return node(op) if known is None else number(int(known))
