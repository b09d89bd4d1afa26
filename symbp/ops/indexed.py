"""Places in a family: the sum over its members, and a term that is there for some alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import sympy as sp

from symbp.ir import Dim, Expr, Op, Shape, node
from symbp.ops.linear import number

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


def over(letter: sp.Symbol, start: Dim, stop: Dim, term: Expr) -> Expr:
    """Return the sum of a term over a letter."""
    return node(Over(letter, start, stop), term)


def when(left: Dim, relation: Relation, right: Dim) -> Expr:
    """Return the bracket of a relation; the number where it is decided."""
    op = When(left, relation, right)
    known = op.holds()
    return node(op) if known is None else number(int(known))
