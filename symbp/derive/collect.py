"""The law of the common factor: B x + Bᵀ x is (B + Bᵀ) x, X b cᵀ + X c bᵀ is X (b cᵀ + c bᵀ).

Terms of a sum are joined where they differ in one factor alone, as long as that makes the sum
shorter.  A factor at the edge of the product, or a scalar, is taken out where all terms have it.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations

from symbp.ir import Expr, Shape, Words, variable, walk
from symbp.ops.kinds import Elementwise
from symbp.ops.linear import combine, is_ones, opened
from symbp.ops.product import Factor, product, subproduct

Term = tuple[Fraction, Expr]
Word = tuple[int, ...]

MOST = 16
"""Sums of more terms are left as they are: pairs are compared."""


@dataclass(frozen=True)
class _Parting:
    """A term as a part in its surroundings: `around` is the same text for the same surroundings.

    `rebuilt` gives the term back from its part, or from another part of the same shape.
    """

    around: str
    part: Expr
    factors: tuple[Factor, ...]
    place: Word
    out: Word
    dims: Shape

    def rebuilt(self, part: Expr) -> Expr:
        """Return the product with another part in the place."""
        factors = [*self.factors, (part, self.place)]
        return subproduct(factors, self.out, self.dims)


def collect(expr: Expr) -> Expr:
    """Return a sum with terms joined at their common factors, as long as it gets shorter."""
    terms = opened(expr)
    if not 1 < len(terms) <= MOST:
        return expr
    while (shorter := _joined(terms, _holes)) is not None:
        terms = shorter
    together = terms if expr.rank < 3 else []
    while len(together) > 1 and (shorter := _joined(together, _edges)) is not None:
        together = shorter
    made = combine(together if len(together) == 1 else terms, expr.shape)
    return made if _length(made) < _length(expr) else expr


def _length(expr: Expr) -> int:
    """Return how many names and numbers an expression takes to write."""
    lengths: dict[Expr, int] = {}
    for part in walk(expr):
        lengths[part] = sum(lengths[arg] for arg in part.args) or int(not is_ones(part))
    return lengths[expr]


def _joined(terms: Sequence[Term], ways: Callable[[Expr], Iterator[_Parting]]) -> list[Term] | None:
    """Return the terms with two of them joined; None where no two make the sum shorter."""
    times = Counter(digest for _, term in terms for digest in {arg.digest for arg in term.args})
    partings = [
        list(ways(term)) if any(times[arg.digest] > 1 for arg in term.args) else []
        for _, term in terms
    ]
    best: tuple[int, list[Term]] | None = None
    for one, other in combinations(range(len(terms)), 2):
        around = {parting.around: parting for parting in reversed(partings[other])}
        for first in partings[one]:
            second = around.get(first.around)
            if second is None or first.part.shape != second.part.shape:
                continue
            weights = (terms[one][0], terms[other][0])
            made = _join(first, second, weights)
            saved = _length(terms[one][1]) + _length(terms[other][1]) - _length(made[1])
            if best is None or saved > best[0]:
                rest = [term for k, term in enumerate(terms) if k not in (one, other)]
                best = (saved, [*rest[:one], made, *rest[one:]])
    return best[1] if best is not None and best[0] > 0 else None


def _join(first: _Parting, second: _Parting, weights: tuple[Fraction, Fraction]) -> Term:
    common = weights[0] if abs(weights[0]) == abs(weights[1]) else Fraction(1)
    parts = [(weights[0] / common, first.part), (weights[1] / common, second.part)]
    return common, first.rebuilt(collect(combine(parts, first.part.shape)))


def _split(term: Expr) -> Iterator[tuple[Words, Factor, tuple[Factor, ...]]]:
    """Yield a product as each of its factors and the others."""
    op = term.op
    if isinstance(op, Words) and len(term.args) > 1:
        factors = tuple(zip(term.args, op.words, strict=True))
        for k, factor in enumerate(factors):
            yield op, factor, factors[:k] + factors[k + 1 :]


def _holes(term: Expr) -> Iterator[_Parting]:
    """Yield the ways to take one factor out of a term, a matrix also as its transpose."""
    for op, (factor, word), others in _split(term):
        yield _parting(others, factor, word, op)
        if factor.rank == 2 and len(set(word)) == 2:
            turned = product([(factor, (0, 1))], (1, 0))
            yield _parting(others, turned, word[::-1], op)


def _edges(term: Expr) -> Iterator[_Parting]:
    """Yield the ways to take out what surrounds one factor: X in X b cᵀ, a scalar in front."""
    for op, (factor, word), others in _split(term):
        yield from _edge(factor, word, others, op)


def _parting(around: Sequence[Factor], part: Expr, place: Word, op: Words) -> _Parting:
    made = _Parting("", part, tuple(around), place, op.out, op.dims)
    return replace(made, around=made.rebuilt(variable("_part", part.shape)).digest)


def _edge(factor: Expr, word: Word, others: Sequence[Factor], op: Words) -> Iterator[_Parting]:
    """Yield the term as a factor times the rest, where that factor stands at the edge.

    At the edge: one letter of it stands in the result and in no other factor.  W in p ⊙ (W x) is
    at the edge of diag(p) W.
    """
    if len(set(word)) < len(word) or (not word and _is_below(factor)):
        return
    inside = {letter for _, other in others for letter in other}
    outer = [letter for letter in word if letter in op.out and letter not in inside]
    inner = [letter for letter in word if letter not in outer]
    if len(outer) > 1 or len(inner) > 1 or (inner and not (outer and set(inner) <= inside)):
        return
    fresh = len(op.dims)  # where the letter inside stands in the result as well: a diagonal
    turn = {inner[0]: fresh} if set(inner) & set(op.out) else {}
    dims = (*op.dims, op.dims[inner[0]]) if turn else op.dims
    rest_out = tuple(inner[0] if i in outer else i for i in op.out if inner or i not in outer)
    place = tuple(turn.get(inner[0], inner[0]) if i in outer else i
                  for i in op.out if inner or i not in outer)  # fmt: skip
    rest = subproduct(others, rest_out, op.dims)
    around = (factor, tuple(turn.get(i, i) for i in word))
    yield _parting([around], rest, place, replace(op, dims=dims))


def _is_below(factor: Expr) -> bool:
    """Tell whether a scalar is one over something: that stays with each term."""
    return isinstance(factor.op, Elementwise) and (factor.op.exponent or 1) < 0
