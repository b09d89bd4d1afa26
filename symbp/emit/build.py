"""From an expression to its layout: one walk, every operation either known or refused by name."""

from collections.abc import Sequence
from fractions import Fraction

import sympy as sp

from symbp.emit.chains import ends_of, links_of
from symbp.emit.indices import Contraction, at_entries, axis_letters, contraction, index_words
from symbp.emit.layout import (
    ONE,
    Applied,
    Cases,
    Entries,
    Fenced,
    Holds,
    Layout,
    Marked,
    Named,
    Norm,
    Number,
    Power,
    Product,
    Quotient,
    Root,
    Total,
    Unit,
    multiple,
    row,
)
from symbp.emit.number import constant
from symbp.emit.ranges import bracket, place_letters, series
from symbp.emit.reshape import is_vec, merged, split, stacked
from symbp.emit.strand import DOTS, Factor, Link, shown
from symbp.ir import Constant, Examples, Expr, Size, Sum, Variable, Words, walk
from symbp.notation import Call, Choice, Exponent, Fence, Indicator, Superscript, Transparent
from symbp.ops.expectation import Moment
from symbp.ops.indexed import Chain, Over, When
from symbp.ops.kinds import Elementwise, Largest, Merge, Nonlinear, Split
from symbp.ops.linear import rational
from symbp.ops.selection import Selection

LATE = ("tangent", "adjoint")


def build(expr: Expr) -> Layout:
    """Return the layout of an expression.

    Raises TypeError naming the operation where it is none that a printer knows.
    """
    return _Builder().build(expr)


def build_words(expr: Expr) -> Layout:
    """Return the layout of an expression's entry in index words, its own letters i, j, k and so on.

    A sum is said term by term, a product as the sum of the products of its factors' entries, an
    operation done entry by entry of the entries; anything else is a matrix with its indices.
    """
    builder = _Builder()
    builder.build(expr)
    return builder.entry(expr)


class _Builder:
    """The layouts of all nodes below a root.

    An array that is the same everywhere has two: `full`, in which it is an array (`s 𝟏`), and
    `short`, which may stand beside an array entry by entry (`1 − h²`).
    """

    def __init__(self) -> None:
        self.full: dict[Expr, Layout] = {}
        self.short: dict[Expr, Layout] = {}
        self.flat: set[Expr] = set()
        self.late: set[Expr] = set()
        self.taken: frozenset[str] = frozenset()

    def build(self, expr: Expr) -> Layout:
        self.taken = place_letters(expr)
        for part in walk(expr):
            if self._is_flat(part):
                self.flat.add(part)
            if any(arg in self.late for arg in part.args) or (
                isinstance(part.op, Variable) and part.op.role in LATE
            ):
                self.late.add(part)
            self.full[part] = self._layout(part, short=False)
            self.short[part] = (
                self._layout(part, short=True)
                if part in self.flat and part.rank
                else self.full[part]
            )
        return self.full[expr]

    def entry(self, expr: Expr) -> Layout:
        """Return the entry at the letters of the axes, once `build` has been there."""
        done: dict[Expr, Layout] = {}
        for part in walk(expr):
            done[part] = self._entry(part, [done[arg] for arg in part.args])
        return done[expr]

    def _entry(self, part: Expr, args: list[Layout]) -> Layout:
        op, letters = part.op, axis_letters(part.rank, self.taken)
        if isinstance(op, Sum):
            return _total(op.coefficients, args)
        if isinstance(op, Words):
            return at_entries(index_words(self._contraction(part, op), compact=False), letters)
        if isinstance(op, Elementwise):
            return _pointwise(op, args, rank=0)
        if isinstance(op, Examples):
            return args[0]
        if isinstance(op, Over):
            return series(op, args[0])
        return at_entries(self.full[part], letters)

    def _is_flat(self, part: Expr) -> bool:
        """Tell whether an array is seen to hold one value everywhere."""
        if isinstance(part.op, Words):
            op = part.op
            return len(set(op.out)) == len(op.out) and not any(
                letter in op.out for word in op.words for letter in word
            )
        if isinstance(part.op, Sum | Elementwise):
            return all(arg in self.flat for arg in part.args)
        return not part.rank

    def _args(self, part: Expr, short: bool) -> list[Layout]:
        """Return the arguments of something done entry by entry."""
        if short or any(arg not in self.flat for arg in part.args):
            return [self.short[arg] for arg in part.args]
        return [self.full[arg] for arg in part.args]

    def _layout(self, part: Expr, short: bool) -> Layout:
        op = part.op
        if isinstance(op, Variable):
            return Named(variable=op)
        if isinstance(op, Constant):
            return constant(op.value)
        if isinstance(op, Size):
            return constant(op.dim)
        if isinstance(op, Sum):
            return self._sum(part, op, short)
        if isinstance(op, Words):
            return contraction(self._contraction(part, op), short)
        if isinstance(op, Elementwise):
            return _pointwise(op, self._args(part, short), part.rank)
        if isinstance(op, Examples):
            return self.short[part.args[0]] if short else self.full[part.args[0]]
        inner = tuple(self.full[arg] for arg in part.args)
        if isinstance(op, Nonlinear | Moment):
            rows = isinstance(op, Nonlinear) and op.leading > 0
            return _noted(op.notation, op.name, inner, rows)
        if isinstance(op, Largest):
            return Applied(inner, call=Call("max", r"\max"), rows=part.args[0].rank > 1)
        if isinstance(op, Merge):
            return self._merged(part, op)
        if isinstance(op, Split):
            return split(op, self.full[part.args[0]])
        if isinstance(op, Selection):
            return Unit((constant(op.offset),), block=len(op.dims) > 1)
        if isinstance(op, Over):
            return series(op, inner[0])
        if isinstance(op, Chain):
            return row(*shown(self._links(part)), inner[1])
        if isinstance(op, When):
            return bracket(op)
        raise TypeError(f"no layout for the operation {op} ({type(op).__name__})")

    def _sum(self, part: Expr, op: Sum, short: bool) -> Layout:
        """Return a sum; one in which some terms are index words is the index words of the sum."""
        varying = [arg for arg in part.args if arg not in self.flat]
        if len(part.args) > 1 and varying and all(map(is_vec, varying)):
            inside = [self.short[arg if arg in self.flat else arg.args[0]] for arg in part.args]
            return stacked(_total(op.coefficients, inside))
        parts = self._terms(part, short)
        letters = next((p.letters for p in parts if isinstance(p, Entries)), None)
        if letters is None:
            return _total(op.coefficients, parts)
        inside = [
            self.short[arg] if arg in self.flat else at_entries(layout, letters)
            for arg, layout in zip(part.args, parts, strict=True)
        ]
        return Entries((_total(op.coefficients, inside),), letters=letters)

    def _terms(self, part: Expr, short: bool) -> list[Layout]:
        """Return the terms of a sum: `1 − h²` entry by entry, `I − 𝟏 𝟏ᵀ/n` beside a matrix product.

        A number stands for the array that repeats it only where all else is done entry by entry.
        """
        varying = [arg for arg in part.args if arg not in self.flat]
        flat = [arg for arg in part.args if arg in self.flat]
        plain = all(rational(arg) is not None for arg in flat)
        if short or not varying or (plain and all(map(_is_entrywise, varying))):
            return self._args(part, short)
        return [self.full[arg] for arg in part.args]

    def _merged(self, part: Expr, op: Merge) -> Layout:
        (arg,) = part.args
        axes = tuple(range(arg.rank))
        whole = Contraction([Factor(self.full[arg], axes)], axes, arg.shape, self.taken)
        if isinstance(arg.op, Words):
            whole = self._contraction(arg, arg.op)
        return merged(op, self.full[arg], whole)

    def _contraction(self, part: Expr, op: Words) -> Contraction:
        factors = [self._factor(arg, word) for arg, word in zip(part.args, op.words, strict=True)]
        return Contraction(factors, op.out, op.dims, self.taken)

    def _links(self, part: Expr) -> tuple[Link, ...]:
        """Return the factors of a product over a letter: the first, dots, the last."""
        ends = (build(factor) for factor in ends_of(part))
        first, last = (links_of(layout) for layout in ends)
        return (*first, DOTS, *last)

    def _factor(self, arg: Expr, word: tuple[int, ...]) -> Factor:
        op = arg.op
        below, squared, layout = False, None, self.full[arg]
        if isinstance(op, Chain) and arg.rank:
            end = self.full[arg.args[1]]
            return Factor(end, word, late=arg in self.late, chain=self._links(arg))
        if isinstance(op, Elementwise) and op.exponent is not None:
            base = self.full[arg.args[0]]
            below = bool(op.exponent < 0)
            layout = _power(base, -op.exponent, arg.rank) if below else layout
            squared = base if op.exponent == 2 and arg.rank else None
        return Factor(layout, word, below, arg in self.late, arg.symmetric, squared, _place(arg))


def _is_entrywise(term: Expr) -> bool:
    """Tell whether a term is no contraction and no diagonal: a name, a function, a ⊙ b."""
    op = term.op
    return not isinstance(op, Words) or op.out in op.words


def _place(arg: Expr) -> int:
    if isinstance(arg.op, When):
        return -1
    if isinstance(arg.op, Constant | Size):
        return 0
    if isinstance(arg.op, Variable):
        return 1
    return 3 if isinstance(arg.op, Sum) else 2


def _total(coefficients: Sequence[Fraction], parts: Sequence[Layout]) -> Layout:
    if not parts:
        return Number(value=Fraction(0))
    terms = tuple(multiple(abs(c), part) for c, part in zip(coefficients, parts, strict=True))
    negative = tuple(c < 0 for c in coefficients)
    return Total(terms, negative=negative) if len(terms) > 1 or negative[0] else terms[0]


def _pointwise(op: Elementwise, args: list[Layout], rank: int) -> Layout:
    if op.exponent is not None:
        return _power(args[0], op.exponent, rank)
    return _noted(op.notation, op.name, tuple(args), matrix=rank > 1)


def _power(base: Layout, exponent: sp.Rational, rank: int) -> Layout:
    """Return base^exponent entry by entry; ‖x‖ for the root of ‖x‖²."""
    if exponent < 0:
        return Quotient((ONE, _power(base, -exponent, rank)), entrywise=rank > 0)
    if isinstance(base, Power) and isinstance(base.parts[0], Norm):
        assert base.exponent is not None
        return _power(base.parts[0], base.exponent * exponent, rank)
    if exponent == 1:
        return base
    if exponent == sp.Rational(1, 2):
        return Root((base,))
    if exponent == 2 and rank > 1:
        return Product((base, base))
    return Power((base,), exponent=exponent, entrywise=rank > 1)


def _noted(
    notation: object,
    name: str,
    parts: tuple[Layout, ...],
    rows: bool = False,
    matrix: bool = False,
) -> Layout:
    match notation:
        case Call():
            return Applied(parts, call=notation if notation.unicode else Call(name, ""), rows=rows)
        case Fence():
            return Fenced(parts, fence=notation)
        case Superscript():
            return Marked(parts, mark=notation)
        case Indicator():
            return Holds(parts, indicator=notation)
        case Exponent():
            return Power(parts, entrywise=matrix)
        case Choice():
            return Cases(parts)
        case Transparent():
            return parts[0]
    raise TypeError(f"no layout for the notation {notation} of {name}")
