"""Gradients of programs with loops as one formula: a recurrence of one step becomes a product.

∂ℓ/∂f[k] = diag(f′) Ω[k+1]ᵀ ∂ℓ/∂f[k+1] with the end value 2 (f[K] − y) is the product of the
matrices from k to K−1 times that value.  Values of the forward pass, recurrences themselves, stay
by their names.

Source: 000, after (2.3d): dF/dW^l = (W^L D^{L−1} … W^{l+1} D^l)ᵀ 2e (z^{l−1})ᵀ.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import sympy as sp

from symbp.derive.derivation import Derivation, Step
from symbp.derive.factor import factor_of
from symbp.derive.forward import bar
from symbp.derive.gathering import filled
from symbp.derive.reading import read
from symbp.ir import Dim, Expr, name_of, symbol, variables, walk
from symbp.ops.indexed import Chain, Over, When, chain, over
from symbp.ops.linear import add
from symbp.ops.rewrite import rename, resize, substitute
from symbp.places import Span, at_most, covered
from symbp.program import Loop, Program
from symbp.sizes import letter_name, letter_symbol

LONGEST = 4000
"""A formula of more nodes than these is not written out."""


@dataclass(frozen=True)
class Closed:
    """The gradients that are formulas, a line for each range, and the adjoints that are not."""

    steps: tuple[Step, ...]
    missing: tuple[Expr, ...]


def closed_gradients(derivation: Derivation) -> Closed:
    """Return the gradients of a program with loops as formulas, as far as they can be written."""
    solver = _Solver(read(derivation).adjoint, derivation.program)
    made: dict[tuple[tuple[Loop, ...], ...], list[list[Step]]] = {}
    missing = []
    for var in derivation.program.wrt:
        (model, *_) = solver.lines[name_of(bar(var))]
        pieces = solver.solved(model.name)
        if pieces is None:
            missing.append(bar(var))
        else:
            lines = [_line(piece, model) for piece in pieces]
            made.setdefault(tuple(line.loops for line in lines), []).append(lines)
    steps = [
        line for alike in made.values() for lines in zip(*alike, strict=True) for line in lines
    ]
    return Closed(tuple(steps), tuple(missing))


@dataclass(frozen=True)
class _Piece:
    """A value: of a lone name, of the member at `place`, or of members in a range of places.

    letter: what goes from `first` to `last`, None for the first two; `place` speaks of it.
    is_chain: the formula is true one place behind the range as well, where the chain is empty.
    """

    expr: Expr
    place: Dim | None = None
    letter: sp.Symbol | None = None
    first: Dim = 0
    last: Dim = 0
    is_chain: bool = False

    @property
    def span(self) -> Span:
        """The first and the last place."""
        assert self.place is not None
        return (self.place, self.place) if self.letter is None else (self.first, self.last)

    def narrowed(self, first: Dim, last: Dim) -> "_Piece":
        """Return the piece in a part of its range, a lone member where that is one place."""
        if first != last:
            return replace(self, first=first, last=last)
        place = None if self.place is None else sp.S(self.place).subs(self.letter, first)
        return _Piece(resize(self.expr, {self.letter: first}), place)

    def value_at(self, place: Dim) -> Expr | None:
        """Return the value at a place; None where the piece does not certainly have it."""
        if self.letter is None:
            return self.expr if self.place == place else None
        last = sp.S(self.last) + int(self.is_chain)
        inside = at_most(self.first, place) and at_most(place, last)
        return resize(self.expr, {self.letter: place}) if inside else None


def _line(piece: _Piece, model: Step) -> Step:
    """Return the line of a piece of the model's family, in a loop over its range."""
    target = model.target
    if piece.place is not None:
        (before,) = symbol(target).index
        letters = [s for s in sp.S(before).free_symbols if s.is_positive is None]
        moves = {s: piece.place - sp.expand(before - s) for s in letters}
        target = rename(resize(target, moves), index=(piece.place,))
    ranged = piece.letter is not None
    loops = (Loop(piece.letter, piece.first, piece.last),) if ranged else ()
    step = replace(model, target=target, expr=piece.expr, rule=piece.expr, loops=loops)
    return replace(step, law="", paths=(), note="", shown=True, adds=False)


class _Solver:
    """The lines of a reverse sweep, each solved for its adjoint when it is asked for."""

    def __init__(self, steps: Iterable[Step], program: Program) -> None:
        self.lines: dict[str, list[Step]] = {}
        for step in steps:
            self.lines.setdefault(step.name, []).append(step)
        self.seed = bar(program.result) if program.loss is None else None
        self.letter = _fresh(program)
        self.known: dict[str, list[_Piece] | None] = {}

    def solved(self, name: str) -> list[_Piece] | None:
        """Return an adjoint in values of the forward pass; None where it stays a recurrence."""
        if name not in self.known:
            self.known[name] = None  # what asks again below stands in a circle
            self.known[name] = self._solve([self._opened(step) for step in self.lines[name]])
        return self.known[name]

    def _solve(self, lines: Sequence[Step]) -> list[_Piece] | None:
        if any(len(symbol(line.target).index) > 1 or len(line.loops) > 1 for line in lines):
            return None
        looped = [line for line in lines if line.loops]
        name = lines[0].name
        if not any(name_of(v) == name for line in lines for v in self._adjoints(line.expr)):
            return self._each(map(_piece, lines))
        return self._recurrence(looped[0], lines) if len(looped) == 1 else None

    def _each(self, pieces: Iterable[_Piece]) -> list[_Piece] | None:
        """Return pieces without adjoints for all of some pieces, None where one has none."""
        found: list[_Piece] = []
        for piece in pieces:
            made = self._without_adjoints(piece)
            if made is None:
                return None
            found += made
        return found

    def _adjoints(self, expr: Expr) -> list[Expr]:
        """Return the adjoints that are read and have lines."""
        found = [v for v in variables(expr) if symbol(v).role == "adjoint" and v is not self.seed]
        return [v for v in found if name_of(v) in self.lines]

    def _opened(self, line: Step) -> Step:
        """Return a line in which each other adjoint that has one line is written in, once."""
        seen = {line.name}
        while True:
            inner = {name_of(v) for v in self._adjoints(line.expr)} - seen
            values = [self.lines[name][0] for name in inner if self._has_one_line(name)]
            if not values:
                return line
            seen |= {step.name for step in values}
            line = replace(line, expr=filled(line.expr, {s.target: s.expr for s in values}))

    def _has_one_line(self, name: str) -> bool:
        (line, *others) = self.lines[name]
        own = name in map(name_of, self._adjoints(line.expr))
        begun = self.seed is not None and name_of(self.seed) == name
        return not (others or own or begun) and bool(symbol(line.target).index)

    def _recurrence(self, step: Step, lines: Sequence[Step]) -> list[_Piece] | None:
        """Return x[k] = M(k) x[k+1] from `start` to `stop`, with x[stop+1] = v, as a chain."""
        ((loop,), (place,)) = step.loops, symbol(step.target).index
        ends = self._ends([line for line in lines if line is not step])
        read = self._adjoints(step.expr)
        if ends is None or len(read) != 1 or name_of(read[0]) != step.name or _is_cut(step.expr):
            return None
        gaps = [sp.expand(p - loop.letter) for p in (place, *symbol(read[0]).index)]
        factor = factor_of(step.expr, read[0])
        if gaps != [0, 1] or factor is None or ends[0].place != sp.expand(loop.stop + 1):
            return None
        op = Chain(self.letter, loop.letter, loop.stop)
        whole = chain(op, resize(factor, {loop.letter: self.letter}), ends[0].expr)
        return [_Piece(whole, loop.letter, loop.letter, loop.start, loop.stop, True), *ends]

    def _ends(self, lines: Sequence[Step]) -> list[_Piece] | None:
        """Return the value that a recurrence starts from, None where that is not one line."""
        if not lines and self.seed is not None and symbol(self.seed).index:
            return [_Piece(self.seed, symbol(self.seed).index[0])]
        found = self._each(map(_piece, lines))
        return found if found is not None and len(found) == 1 else None

    def _without_adjoints(self, piece: _Piece) -> list[_Piece] | None:
        """Return pieces that read no adjoint: the range is cut where a value it reads changes."""
        summed = self._summed(piece.expr)
        if summed is None or _is_cut(summed) or summed.size > LONGEST:
            return None
        piece = replace(piece, expr=summed)
        var = next(iter(self._adjoints(piece.expr)), None)
        if var is None:
            return [piece]
        values = self.solved(name_of(var))
        parts = None if values is None else _written_in(piece, var, values)
        return None if parts is None else self._each(parts)

    def _summed(self, expr: Expr) -> Expr | None:
        """Return an expression whose sums over a letter read no adjoint, None if that cannot be."""
        values = {}
        for part in walk(expr):
            op = part.op
            if isinstance(op, Over) and self._adjoints(part):
                term = _Piece(part.args[0], op.letter, op.letter, op.start, op.stop)
                pieces = self._without_adjoints(term)
                if pieces is None:
                    return None
                values[part] = add(*map(_over, pieces))
        return substitute(expr, values) if values else expr


def _piece(line: Step) -> _Piece:
    place = symbol(line.target).index
    found = _Piece(line.expr, place[0] if place else None)
    if not line.loops:
        return found
    (loop,) = line.loops
    return replace(found, letter=loop.letter, first=loop.start, last=loop.stop)


def _over(piece: _Piece) -> Expr:
    if piece.letter is None:
        return piece.expr
    return over(piece.letter, piece.first, piece.last, piece.expr)


def _written_in(piece: _Piece, var: Expr, values: Sequence[_Piece]) -> list[_Piece] | None:
    """Return a piece with an adjoint's value in place of it, cut where another value begins."""
    if not symbol(var).index:
        return [_put(piece, var, values[0].expr)]
    (place,) = symbol(var).index
    if piece.letter is None or not sp.S(place).has(piece.letter):
        found = (value.value_at(place) for value in values)
        known = next((value for value in found if value is not None), None)
        return None if known is None else [_put(piece, var, known)]
    offset = sp.expand(place - piece.letter)
    made, spans = [], []
    for value in values:
        span = _common(piece.span, tuple(sp.expand(end - offset) for end in value.span))
        if span is None:
            return None
        if at_most(sp.S(span[1]) + 1, span[0]):
            continue
        part = piece.narrowed(*span)
        at = place if part.letter is not None else sp.expand(span[0] + offset)
        known = value.expr if value.letter is None else resize(value.expr, {value.letter: at})
        here = var if part.letter is not None else resize(var, {piece.letter: span[0]})
        made.append(_put(part, here, known))
        spans.append((span,))
    return made if covered((piece.span,), spans) else None


def _put(piece: _Piece, var: Expr, value: Expr) -> _Piece:
    return replace(piece, expr=substitute(piece.expr, {var: value}))


def _common(one: Span, other: Span) -> Span | None:
    """Return what two ranges have in common; None where that depends on sizes."""
    first = next((b for a, b in _both_ways(one[0], other[0]) if at_most(a, b)), None)
    last = next((a for a, b in _both_ways(one[1], other[1]) if at_most(a, b)), None)
    return None if first is None or last is None else (first, last)


def _both_ways(one: Dim, other: Dim) -> tuple[tuple[Dim, Dim], tuple[Dim, Dim]]:
    return (one, other), (other, one)


def _is_cut(expr: Expr) -> bool:
    """Tell whether a bracket stands in an expression: a term that is there for some places."""
    return any(isinstance(part.op, When) for part in walk(expr))


def _fresh(program: Program) -> sp.Symbol:
    """Return a letter that no loop of the program has."""
    loops = [loop for line in program.bindings for loop in line.loops]
    letters = {loop.letter for loop in (*loops, *program.families.values())}
    name = letter_name(loops[0].letter) if loops else "k"
    candidates = (letter_symbol(name, number) for number in range(1, len(letters) + 2))
    return next(letter for letter in candidates if letter not in letters)
