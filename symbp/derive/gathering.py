"""A looped sweep as a person writes it: one line for each family, whatever turns it comes from.

The sweep passes adjoints on turn by turn, h[k-1] in turn k.  Read from the other end, that is a
recurrence, ∂ℓ/∂h[k] = Ω[k+1]ᵀ ∂ℓ/∂f[k+1]; a term that is not there for every k gets the bracket of
its range, and what all turns add to is a sum over them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import sympy as sp

from symbp.derive.derivation import Path, Step
from symbp.ir import Dim, Expr, Shape, name_of, symbol, variables, walk
from symbp.ops.indexed import over, when
from symbp.ops.linear import add, is_zero
from symbp.ops.product import hadamard
from symbp.ops.rewrite import rename, resize, resized, substitute
from symbp.places import at_most
from symbp.program import Loop, Program


def totals(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return a sweep in which what turns add to is one line, a sum over them."""
    last = {step.target: k for k, step in enumerate(steps) if step.adds and _is_total(step)}
    parts: dict[Expr, list[Step]] = {}
    made = []
    for k, step in enumerate(steps):
        if step.target not in last:
            made.append(step)
            continue
        parts.setdefault(step.target, []).append(step)
        if last[step.target] == k:
            made.append(_total(parts[step.target]))
    return tuple(made)


def _is_total(step: Step) -> bool:
    letters = {s for place in symbol(step.target).index for s in sp.S(place).free_symbols}
    return any(loop.letter not in letters for loop in step.loops)


def _total(steps: Sequence[Step]) -> Step:
    """Return the line of a target that several lines add to."""
    exprs, rules = [], []
    for step in steps:
        exprs.append(_summed(step, step.expr))
        rules.append(_summed(step, step.rule))
    home = [loop for loop in steps[-1].loops if not _sums(steps[-1], loop)]
    paths = tuple(
        Path(path.consumer, _summed(step, path.term)) for step in steps for path in step.paths
    )
    law = " + ".join(dict.fromkeys(step.law for step in steps))
    note = steps[0].note if len(steps) == 1 else ""
    whole = replace(steps[-1], expr=add(*exprs), rule=add(*rules), paths=paths, law=law, note=note)
    return replace(whole, loops=tuple(home), adds=False)


def _sums(step: Step, loop: Loop) -> bool:
    return not any(sp.S(place).has(loop.letter) for place in symbol(step.target).index)


def _summed(step: Step, expr: Expr) -> Expr:
    for loop in reversed(step.loops):
        if _sums(step, loop):
            expr = over(loop.letter, loop.start, loop.stop, expr)
    return expr


@dataclass(frozen=True)
class _Share:
    """What a family of adjoints is given at the places from `first` to `last` of its letters."""

    expr: Expr
    spans: tuple[tuple[Dim, Dim], ...]
    step: Step
    position: int


def gathered(steps: Sequence[Step], program: Program) -> tuple[Step, ...]:
    """Return a sweep with a line, or one for each range, for every family."""
    steps = totals(steps)
    groups: dict[str, list[tuple[int, Step]]] = {}
    for k, step in enumerate(steps):
        if symbol(step.target).index:
            groups.setdefault(name_of(step.target), []).append((k, step))
    placed: list[tuple[int, Step]] = [
        (k, step) for k, step in enumerate(steps) if not symbol(step.target).index
    ]
    for group in groups.values():
        placed += _family(group, program)
    return tuple(step for _, step in sorted(placed, key=lambda pair: pair[0]))


def _family(group: list[tuple[int, Step]], program: Program) -> list[tuple[int, Step]]:
    """Return the lines of one family, each with its place in the sweep."""
    found = [(k, step) for k, step in group if not (is_zero(step.expr) and len(group) > 1)]
    letters = _letters(found, program)
    if letters is None:
        return found
    shares = _merged([_share(k, step, letters) for k, step in found], letters)
    lone = all(_apart(one, other) for one in shares for other in shares if one is not other)
    if lone and len(found) == len(group):
        return [(share.position, _line(share, letters)) for share in shares]
    whole = _range(found, program, letters)
    if whole is None:
        return found
    return [_joined(shares, whole, letters)]


def _letters(group: Sequence[tuple[int, Step]], program: Program) -> list[sp.Symbol] | None:
    """Return the letters of the loop that makes the family, or of its range where it is given."""
    of = symbol(group[0][1].target).of
    loop = program.families.get(of)
    if loop is not None:
        used = [step for _, step in group if step.loops]
        if len(used) and all(len(symbol(step.target).index) == 1 for step in used):
            first = sp.S(symbol(used[0].target).index[0]).free_symbols
            inner = [x.letter for x in used[0].loops if x.letter in first]
            return inner or [loop.letter]
        return [loop.letter]
    for line in program.bindings:
        index = symbol(line.target).index
        if line.name == of and index and all(place in _letters_of(line.loops) for place in index):
            return [sp.S(place) for place in index]
    return None


def _letters_of(loops: Iterable[Loop]) -> set[sp.Symbol]:
    return {loop.letter for loop in loops}


def _share(position: int, step: Step, letters: Sequence[sp.Symbol]) -> _Share:
    """Return what a line gives, said with the family's own letters."""
    spans: list[tuple[Dim, Dim]] = []
    places: dict[sp.Symbol, Dim] = {}
    for letter, place in zip(letters, symbol(step.target).index, strict=True):
        own = next((x for x in step.loops if sp.S(place).has(x.letter)), None)
        if own is None:
            spans.append((place, place))
            continue
        offset = sp.expand(place - own.letter)
        places[own.letter] = letter - offset
        spans.append((sp.expand(own.start + offset), sp.expand(own.stop + offset)))
    return _Share(_at(step.expr, places), tuple(spans), _moved(step, places), position)


def _at(expr: Expr, places: Mapping[sp.Symbol, Dim]) -> Expr:
    changed = {s: place for s, place in places.items() if s != place}
    return resize(expr, changed) if changed else expr


def _moved(step: Step, places: Mapping[sp.Symbol, Dim]) -> Step:
    paths = tuple(Path(_at(p.consumer, places), _at(p.term, places)) for p in step.paths)
    return replace(step, rule=_at(step.rule, places), paths=paths)


def _merged(shares: list[_Share], letters: Sequence[sp.Symbol]) -> list[_Share]:
    """Join a share at one place with one that says the same next to it."""
    made = list(shares)
    for share in [s for s in shares if _is_point(s)]:
        for k, other in enumerate(made):
            joined = None if other is share else _joined_pair(share, other, letters)
            if joined is not None:
                made[k] = joined
                made.remove(share)
                break
    return made


def _is_point(share: _Share) -> bool:
    return all(first == last for first, last in share.spans)


def _joined_pair(point: _Share, other: _Share, letters: Sequence[sp.Symbol]) -> _Share | None:
    if len(letters) != 1 or _is_point(other):
        return None
    ((place, _),), ((first, last),) = point.spans, other.spans
    if _at(other.expr, {letters[0]: place}).digest != point.expr.digest:
        return None
    if sp.expand(place - last - 1) == 0:
        return replace(other, spans=((first, place),))
    return replace(other, spans=((place, last),)) if sp.expand(first - place - 1) == 0 else None


def _apart(one: _Share, other: _Share) -> bool:
    pairs = zip(one.spans, other.spans, strict=True)
    return any(at_most(a[1] + 1, b[0]) or at_most(b[1] + 1, a[0]) for a, b in pairs)


def _line(share: _Share, letters: Sequence[sp.Symbol]) -> Step:
    """Return the line of a share that stands alone in its range."""
    own = zip(letters, share.spans, strict=True)
    ends = [(letter, span) for letter, span in own if span[0] != span[1]]
    index = tuple(
        span[0] if span[0] == span[1] else letter
        for letter, span in zip(letters, share.spans, strict=True)
    )
    target = _member(share.step.target, index, letters)
    loops = tuple(Loop(letter, first, last, down=True) for letter, (first, last) in ends)
    return replace(share.step, target=target, expr=share.expr, loops=loops, adds=False)


def _member(target: Expr, index: tuple[Dim, ...], letters: Sequence[sp.Symbol]) -> Expr:
    own = dict(zip(letters, index, strict=True))
    shape = target.shape
    before = symbol(target).index
    moves = {}
    for place, letter in zip(before, letters, strict=True):
        inner = [s for s in sp.S(place).free_symbols if s.is_positive is None]
        if len(inner) == 1:
            moves[inner[0]] = own[letter] - sp.expand(place - inner[0])
    moved = _at(target, moves)
    return rename(moved, index=index) if moved.shape == shape or moves else target


def _range(
    group: Sequence[tuple[int, Step]], program: Program, letters: Sequence[sp.Symbol]
) -> tuple[Loop, ...] | None:
    """Return the loops over all members of a family, from the lines that make it."""
    of = symbol(group[0][1].target).of
    if of in program.families:
        own = program.families[of]
        return (Loop(letters[0], own.start, own.stop, down=True),)
    for line in program.bindings:
        if line.name == of and symbol(line.target).index == tuple(letters):
            return tuple(replace(x, down=True) for x in line.loops if x.letter in letters)
    return None


def _joined(
    shares: Sequence[_Share], whole: tuple[Loop, ...], letters: Sequence[sp.Symbol]
) -> tuple[int, Step]:
    """Return one line for shares that overlap: terms that are not there everywhere in brackets."""
    ranges = {loop.letter: loop for loop in whole}
    beside = [share for share in shares if not _is_point(share)]
    main = beside[0] if beside else shares[0]
    target = _member(main.step.target, tuple(letters), letters)
    terms = []
    for share in shares:
        term = _of_shape(share.expr, target.shape)
        for letter, (first, last) in zip(letters, share.spans, strict=True):
            term = _bracketed(term, ranges[letter], first, last)
        terms.append(term)
    law = " + ".join(dict.fromkeys(share.step.law for share in shares))
    step = replace(main.step, target=target, expr=add(*terms), rule=add(*terms), paths=(), law=law)
    return main.position, replace(step, loops=whole, adds=False, note="")


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


def _bracketed(term: Expr, loop: Loop, first: Dim, last: Dim) -> Expr:
    """Return a term with the brackets of the places where it is there."""
    if first == last:
        return hadamard(when(loop.letter, "=", first), term)
    if not at_most(first, loop.start):
        term = hadamard(when(loop.letter, ">", sp.expand(first - 1)), term)
    if not at_most(loop.stop, last):
        term = hadamard(when(loop.letter, "<", sp.expand(last + 1)), term)
    return term


def filled(expr: Expr, values: Mapping[Expr, Expr]) -> Expr:
    """Return an expression with names replaced; a member stands for every place of its family."""
    known = {v: values[v] for v in variables(expr) if v in values}
    members = [v for v in variables(expr) if symbol(v).index and v not in known]
    families = {name_of(v): v for v in values if symbol(v).index} if members else {}
    for var in members:
        model = families.get(name_of(var))
        if model is None:
            continue
        pairs = zip(symbol(model).index, symbol(var).index, strict=True)
        known[var] = resize(values[model], dict(pairs))
    return substitute(expr, known) if known else expr
