"""The adjoints of a family as recurrences: a line for each line that makes members of it.

A share that the sweep gives to h[k-1] in turn k is one that h[k] gets from turn k + 1.  So every
share is said with the family's own letters, one for each index, and with the places where it is
there; and so are the members that one line makes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import sympy as sp

from symbp.derive.derivation import Path, Step
from symbp.derive.forward import bar, moving, reached
from symbp.ir import Dim, Expr, Shape, name_of, node, symbol, variables, walk
from symbp.ops.indexed import Over, when
from symbp.ops.linear import add, is_zero
from symbp.ops.product import hadamard
from symbp.ops.rewrite import rebuild, rename, resize, resized
from symbp.places import Span, are_apart, at_most
from symbp.program import Binding, Loop, Program
from symbp.sizes import letter_symbol

Placed = tuple[int, Step]
"""A line, and where it stands in the sweep."""


@dataclass(frozen=True)
class _Said:
    """A member with the family's letters: what its own letters are, and where it is there.

    order: the letters of indices that move, the outermost loop's first.
    """

    places: Mapping[sp.Symbol, Dim]
    spans: tuple[Span, ...]
    order: tuple[sp.Symbol, ...]


@dataclass(frozen=True)
class _Share:
    """What a family of adjoints is given at the places of `spans`."""

    target: Expr
    expr: Expr
    said: _Said
    step: Step
    position: int

    @property
    def spans(self) -> tuple[Span, ...]:
        return self.said.spans

    @property
    def is_point(self) -> bool:
        return all(first == last for first, last in self.spans)


def recurrences(group: Sequence[Placed], program: Program) -> list[Placed]:
    """Return the lines of one family; those of the sweep where a place is no sum of one letter."""
    found = [(k, step) for k, step in group if not (is_zero(step.expr) and len(group) > 1)]
    makers = _makers(symbol(group[0][1].target).of, found, program)
    letters = _letters(makers)
    shares = [_share(k, step, letters) for k, step in found] if letters else []
    regions = [_said(line, letters) for line in makers] if letters else []
    if letters is None or None in shares or None in regions:
        return list(group)
    whole = _merged([share for share in shares if share is not None], letters)
    pairs = ((one, other) for one in whole for other in whole if one is not other)
    if len(found) == len(group) and all(are_apart(a.spans, b.spans) for a, b in pairs):
        return [(share.position, _line(share)) for share in whole]
    made = []
    for line, region in zip(makers, regions, strict=True):
        assert region is not None
        members = _at(bar(line.target), region.places)
        made += _joined(whole, rename(members, index=_index(region.spans, letters)), region)
    return made


def _makers(of: str, steps: Sequence[Placed], program: Program) -> list[Binding]:
    """Return the lines that make members; for what is given, one of the family in its range.

    Members that are constants, as the zeros before the first turn, give nothing on.

    The range has the letter of a loop that gives to the family by it, if there is one.
    """
    own = program.families.get(of)
    if own is None:
        active = reached(program.bindings, map(name_of, moving(program)))
        made = [
            b
            for b in program.bindings
            if b.name == of
            and symbol(b.target).index
            and any(name_of(v) in active for v in variables(b.expr))
        ]
        return list({b.target: b for b in made}.values())
    var = next(v for v in program.given if name_of(v) == of)
    used = [step for _, step in steps if step.loops]
    inner = [
        x.letter
        for step in used[:1]
        for x in step.loops
        if x.letter in sp.S(symbol(step.target).index[0]).free_symbols
    ]
    loop = replace(own, letter=inner[0] if inner else own.letter)
    return [Binding(_at(var, {own.letter: loop.letter}), var, loops=(loop,))]


def _letters(makers: Iterable[Binding]) -> list[sp.Symbol] | None:
    """Return a letter for each index, from the lines that make the family; None where one has none.

    Lines in more loops are asked first.
    """
    found: list[sp.Symbol | None] = []
    for line in sorted(makers, key=lambda line: -len(line.loops)):
        own = [x.letter for x in line.loops]
        index = symbol(line.target).index
        found = found or [None] * len(index)
        for axis, place in enumerate(index):
            letter = next((x for x in own if sp.S(place).has(x)), None)
            if found[axis] is None and letter not in found:
                found[axis] = letter
    letters = [letter for letter in found if letter is not None]
    return letters if letters and len(letters) == len(found) else None


def _said(line: Binding | Step, letters: Sequence[sp.Symbol]) -> _Said | None:
    """Return a line's member with the family's letters; None where that cannot be said."""
    places: dict[sp.Symbol, Dim] = {}
    spans: list[Span] = []
    letter_of: dict[sp.Symbol, sp.Symbol] = {}
    for letter, place in zip(letters, symbol(line.target).index, strict=True):
        own = [x for x in line.loops if sp.S(place).has(x.letter)]
        if not own:
            spans.append((place, place))
            continue
        step = sp.S(place).coeff(own[0].letter)
        if len(own) > 1 or abs(step) != 1 or own[0].letter in places:
            return None
        rest = sp.expand(place - step * own[0].letter)
        places[own[0].letter] = sp.expand(step * (letter - rest))
        letter_of[own[0].letter] = letter
        ends = [sp.expand(rest + step * end) for end in (own[0].start, own[0].stop)]
        spans.append((ends[0], ends[1]) if step == 1 else (ends[1], ends[0]))
    if any(x.letter not in places for x in line.loops):
        return None
    order = tuple(letter_of[x.letter] for x in line.loops)
    return _Said(places, tuple((_dim(a, places), _dim(b, places)) for a, b in spans), order)


def _share(position: int, step: Step, letters: Sequence[sp.Symbol]) -> _Share | None:
    said = _said(step, letters)
    if said is None:
        return None
    target = rename(_at(step.target, said.places), index=_index(said.spans, letters))
    paths = tuple(Path(_at(p.consumer, said.places), _at(p.term, said.places)) for p in step.paths)
    moved = replace(step, rule=_at(step.rule, said.places), paths=paths)
    return _Share(target, _at(step.expr, said.places), said, moved, position)


def _index(spans: Iterable[Span], letters: Sequence[sp.Symbol]) -> tuple[Dim, ...]:
    pairs = zip(spans, letters, strict=True)
    return tuple(first if first == last else letter for (first, last), letter in pairs)


def _dim(dim: Dim, places: Mapping[sp.Symbol, Dim]) -> Dim:
    return dim if isinstance(dim, int) else sp.expand(dim.subs(places, simultaneous=True))


def _at(expr: Expr, places: Mapping[sp.Symbol, Dim]) -> Expr:
    """Return an expression with places for letters, all at the same time.

    A sum inside over a letter that comes in from outside takes one that has gone.
    """
    changed = {s: place for s, place in places.items() if s != place}
    coming = {s for place in changed.values() for s in sp.S(place).free_symbols}
    bound = {p.op.letter for p in walk(expr) if isinstance(p.op, Over)} if coming else set()
    caught = sorted(bound & coming, key=str)
    gone = sorted(changed.keys() - coming - bound, key=str)
    instead = dict(zip(caught, gone, strict=False))
    changed |= instead
    between = {s: letter_symbol(f"{s.name}'") for s in changed}
    if any(sp.S(place).has(*changed) for place in changed.values()) and len(changed) > 1:
        expr = resize(expr, between)
        changed = {between[s]: place for s, place in changed.items()}
    return _summed_over(resize(expr, changed), instead) if changed else expr


def _summed_over(expr: Expr, letters: Mapping[sp.Symbol, sp.Symbol]) -> Expr:
    """Return an expression whose sums run over other letters, by which their terms are said."""
    if not letters:
        return expr
    done: dict[Expr, Expr] = {}
    for part in walk(expr):
        made = rebuild(part, tuple(done[arg] for arg in part.args))
        if isinstance(made.op, Over):
            letter = letters.get(made.op.letter, made.op.letter)
            made = node(replace(made.op, letter=letter), *made.args)
        done[part] = made
    return done[expr]


def _merged(shares: list[_Share], letters: Sequence[sp.Symbol]) -> list[_Share]:
    """Join a share at one place with one that says the same next to it."""
    made = list(shares)
    for share in [s for s in shares if s.is_point]:
        for k, other in enumerate(made):
            joined = None if other is share else _joined_pair(share, other, letters)
            if joined is not None:
                made[k] = joined
                made.remove(share)
                break
    return made


def _joined_pair(point: _Share, other: _Share, letters: Sequence[sp.Symbol]) -> _Share | None:
    if len(letters) != 1 or other.is_point:
        return None
    ((place, _),), ((first, last),) = point.spans, other.spans
    if _at(other.expr, {letters[0]: place}).digest != point.expr.digest:
        return None
    if sp.expand(place - last - 1) == 0:
        return replace(other, said=replace(other.said, spans=((first, place),)))
    if sp.expand(first - place - 1) == 0:
        return replace(other, said=replace(other.said, spans=((place, last),)))
    return None


def _line(share: _Share) -> Step:
    """Return the line of a share that stands alone in its range."""
    return replace(
        share.step,
        target=share.target,
        expr=share.expr,
        loops=_loops(share.said, symbol(share.target).index),
        adds=False,
    )


def _loops(said: _Said, index: Sequence[Dim]) -> tuple[Loop, ...]:
    ends = dict(zip(index, said.spans, strict=True))
    return tuple(Loop(letter, *ends[letter], down=True) for letter in said.order if letter in ends)


def _joined(shares: Sequence[_Share], members: Expr, region: _Said) -> list[Placed]:
    """Return the line of the members of a region: what is not there for all in brackets."""
    found = [share for share in shares if not are_apart(share.spans, region.spans)]
    if not found:
        return []
    loops = _loops(region, symbol(members).index)
    beside = [share for share in found if not share.is_point] or found
    main = beside[0] if loops else found[-1]
    terms = [_within(share, members, region) for share in found]
    law = " + ".join(dict.fromkeys(share.step.law for share in found))
    target = rename(members, symmetric=symbol(main.target).symmetric)
    step = replace(main.step, target=target, expr=add(*terms), rule=add(*terms), paths=(), law=law)
    return [(main.position, replace(step, loops=loops, adds=False, note=""))]


def _within(share: _Share, members: Expr, region: _Said) -> Expr:
    """Return the term of a share in the line of a region."""
    index = symbol(members).index
    letters = symbol(share.target).index
    at = {
        letter: first
        for letter, place, (first, _) in zip(letters, index, region.spans, strict=True)
        if letter != place and isinstance(letter, sp.Symbol) and letter in share.said.order
    }
    term = _of_shape(_at(share.expr, at), members.shape)
    for place, (first, last), (start, stop) in zip(index, share.spans, region.spans, strict=True):
        first, last = _dim(first, at), _dim(last, at)
        if first == last:
            term = hadamard(when(place, "=", first), term)
            continue
        if not at_most(first, start):
            term = hadamard(when(place, ">", sp.expand(first - 1)), term)
        if not at_most(stop, last):
            term = hadamard(when(place, "<", sp.expand(last + 1)), term)
    return term


def _of_shape(term: Expr, shape: Shape) -> Expr:
    """Return a term that is there at one place in the shape of all: D[L] is D[l] where l is L."""
    if term.shape == shape:
        return term
    alike = dict(zip(term.shape, shape, strict=True))
    done: dict[Expr, Expr] = {}
    for part in walk(term):
        args = tuple(done[arg] for arg in part.args)
        done[part] = resized(part, args, lambda dim: alike.get(dim, dim))
    return done[term]
