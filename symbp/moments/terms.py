"""A line as a sum of terms, each the product of entries, summed over the letters the line lacks."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import sympy as sp

from symbp.ir import Dim, Expr, Size, Sum, Words, node, walk
from symbp.moments.known import NotDerived
from symbp.ops.expectation import typical
from symbp.ops.kinds import Largest, Nonlinear
from symbp.ops.linear import number, parts
from symbp.ops.power import power
from symbp.ops.product import Factor, Word, distributed, product


@dataclass(frozen=True)
class Term:
    """coefficient · Π factors, each with its letters, summed over those that `out` lacks."""

    coefficient: Fraction
    factors: tuple[Factor, ...]
    out: Word
    dims: Mapping[int, Dim]

    @cached_property
    def summed(self) -> Word:
        """The letters that are summed over."""
        found = dict.fromkeys(letter for _, word in self.factors for letter in word)
        return tuple(letter for letter in found if letter not in self.out)

    @cached_property
    def count(self) -> Expr:
        """How many products are summed."""
        return product([(size(self.dims[letter]), ()) for letter in self.summed], ())

    @cached_property
    def places(self) -> dict[Word, dict[Expr, int]]:
        """The factors' entries as scalars with their exponents, by the place each stands at.

        Entries of different places are independent.  The letters are numbered as they come.
        """
        numbers = {letter: k for k, letter in enumerate((*self.out, *self.summed))}
        made: dict[Word, dict[Expr, int]] = {}
        for factor, word in self.factors:
            place = made.setdefault(tuple(numbers[letter] for letter in word), {})
            found = entry(factor)
            place[found] = place.get(found, 0) + 1
        return made

    def whole(self, exponent: int) -> Expr:
        """Return the product's power as an array over all letters, nothing summed."""
        raised = [(power(factor, sp.Integer(exponent)), word) for factor, word in self.factors]
        return product(raised, (*self.out, *self.summed), dict(self.dims))

    def over_all(self, array: Expr, exponent: int) -> Expr:
        """Return the sum of an array over the letters that are summed, times the coefficient."""
        coefficient = number(self.coefficient**exponent)
        letters = (*self.out, *self.summed)
        return product([(coefficient, ()), (array, letters)], self.out, dict(self.dims))


def entry(factor: Expr) -> Expr:
    """Return one entry of a factor, as a scalar.  Raises NotDerived where it reads others."""
    found = typical(factor)
    if found is None:
        raise NotDerived(f"{_kind(factor)} does not act entry by entry")
    return found


def size(dim: Dim) -> Expr:
    """Return a size as a number."""
    return number(dim) if isinstance(dim, int) else node(Size(sp.S(dim)))


def terms(expr: Expr) -> list[Term]:
    """Return the terms of a line.

    Raises NotDerived for a Kronecker delta, and for what is done to whole arrays.
    """
    found: list[Term] = []
    for coefficient, term in parts(expr):
        found += _terms(coefficient, term)
    return found


def _terms(coefficient: Fraction, term: Expr) -> list[Term]:
    op = term.op
    if not isinstance(op, Words):
        letters = tuple(range(term.rank))
        return [Term(coefficient, ((term, letters),), letters, dict(enumerate(term.shape)))]
    if any(len({*word}) < len(word) for word in (op.out, *op.words)):
        raise NotDerived("a diagonal is not made of entries that are alike")
    for position, arg in enumerate(term.args):
        if isinstance(arg.op, Sum) and _sums_inside(arg):
            opened = distributed(term, position)
            return [t for c, part in opened for t in _terms(coefficient * c, part)]
    factors = tuple(zip(term.args, op.words, strict=True))
    return [Term(coefficient, factors, op.out, dict(enumerate(op.dims)))]


def _sums_inside(expr: Expr) -> bool:
    """Tell whether entries of an expression are sums over other entries."""
    words = (part.op for part in walk(expr) if isinstance(part.op, Words))
    return any(letter not in op.out for op in words for word in op.words for letter in word)


def _kind(factor: Expr) -> str:
    """Return the name of what is done to a whole array."""
    ops = (part.op for part in walk(factor) if part.args)
    return next((str(op) for op in ops if isinstance(op, Nonlinear | Largest)), "a product")
