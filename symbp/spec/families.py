"""Computed families of symbolic length: who defines which members, and before whom.

A line in a loop defines the members at `places`, of which each speaks of a letter of its own, once
and with the sign + or -.  So for a member there is one turn that could define it, and the turns
before now define a box of members: along each axis a first and a last place.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import TypeAlias

import sympy as sp

from symbp.ir import Dim, Shape
from symbp.program import Loop
from symbp.spec.ranges import (
    holds,
    lowest,
    minus,
    never_negative,
    put,
    put_all,
    reachable,
    terms,
    tidy,
)
from symbp.spec.syntax import AssignLine

Places: TypeAlias = tuple[Dim, ...]
Box: TypeAlias = tuple[tuple[Dim, Dim], ...]
"""The first and the last place along each axis."""


@dataclass(frozen=True, eq=False)
class Definition:
    """A line that defines members: where it stands, and its number among the lines."""

    line: AssignLine
    places: Places
    loops: tuple[Loop, ...]
    number: int

    def letter(self, axis: int) -> sp.Symbol | None:
        """Return the letter that a place speaks of, None where it is fixed."""
        found = terms(self.places[axis])
        return next((loop.letter for loop in self.loops if loop.letter in found), None)

    def turn(self, places: Places) -> dict[sp.Symbol, Dim]:
        """Return the letters of the turn that defines the members at places."""
        found: dict[sp.Symbol, Dim] = {}
        for axis, (own, place) in enumerate(zip(self.places, places, strict=True)):
            letter = self.letter(axis)
            if letter is not None:
                sign = terms(own)[letter]
                found[letter] = tidy(sign * (sp.S(place) - own) + letter)
        return found

    def boxes(self, places: Places, now: Sequence[Loop], number: int) -> Iterator[Box]:
        """Yield the members defined before the line of a number, as seen from one at places.

        `now` are the loops around that line.
        """
        common = [own for own, other in zip(self.loops, now, strict=False) if own == other]
        for depth, loop in enumerate(common):
            earlier = Loop(loop.letter, loop.start, minus(loop.letter, 1))
            pinned = [Loop(around.letter, around.letter, around.letter) for around in common]
            yield self._box(places, [*pinned[:depth], earlier, *self.loops[depth + 1 :]])
        if self.number < number:
            pinned = [Loop(around.letter, around.letter, around.letter) for around in common]
            yield self._box(places, [*pinned, *self.loops[len(common) :]])

    def may_define(self, places: Places) -> bool:
        """Tell whether places differ from the line's own nowhere at numbers."""
        pairs = zip(self.places, places, strict=True)
        return not any(isinstance(a, int) and isinstance(b, int) and a != b for a, b in pairs)

    def whole(self, places: Places) -> Box:
        """Return all members that the line defines, as seen from one at places."""
        return self._box(places, self.loops)

    def _box(self, places: Places, ranges: Sequence[Loop]) -> Box:
        turn = self.turn(places)
        bounds = {loop.letter: (loop.start, loop.stop) for loop in ranges}
        free = {letter: place for letter, place in turn.items() if bounds[letter][1] != letter}
        box: list[tuple[Dim, Dim]] = []
        for axis, own in enumerate(self.places):
            letter = self.letter(axis)
            if letter is None:
                box.append((own, own))
                continue
            others = {other: place for other, place in free.items() if other != letter}
            first, last = (put(own, {letter: put(end, others)}) for end in bounds[letter])
            box.append((first, last) if terms(own)[letter] > 0 else (last, first))
        return tuple(box)

    def extent(self, axis: int) -> tuple[Dim, Dim]:
        """Return the lowest and the highest place along an axis, in sizes alone."""
        place = self.places[axis]
        return lowest(place, self.loops), tidy(-sp.S(lowest(tidy(-sp.S(place)), self.loops)))


@dataclass(eq=False)
class Family:
    """A computed family: its lines, and of the member at `axes` the shape, once it is known."""

    name: str
    axes: tuple[sp.Dummy, ...]
    definitions: list[Definition] = field(default_factory=list)

    def template(self, definition: Definition, dims: Shape) -> Shape | None:
        """Return the shape of any member, given that of one line; None where it is not decided."""
        turn = definition.turn(self.axes)
        made = put_all(dims, turn)
        return made if len(turn) == len(self.axes) else None

    def candidates(self, definition: Definition, dims: Shape) -> list[Shape]:
        """Return what the shape of any member may be, where one line fixes some of its places.

        D[0] of h[0] may be D[k] of h[k], or D[0] of them all.
        """
        base = put_all(dims, definition.turn(self.axes))
        found = []
        for axis, place in enumerate(definition.places):
            if definition.letter(axis) is None:
                step = sp.S(self.axes[axis]) - place
                found.append(tuple(self._shifted(dim, step) for dim in base))
        return list(dict.fromkeys([*found, base]))

    def _shifted(self, dim: Dim, step: sp.Expr) -> Dim:
        """Return a size with each fixed member of a family of sizes at another place."""
        if isinstance(dim, int):
            return dim
        members = dim.atoms(sp.core.function.AppliedUndef)
        fixed = [one for one in members if not one.free_symbols & set(self.axes)]
        return tidy(dim.xreplace({one: one.func(tidy(one.args[0] + step)) for one in fixed}))

    def at(self, template: Shape, places: Places) -> Shape:
        """Return the shape of the member at places."""
        return put_all(template, dict(zip(self.axes, places, strict=True)))


def gaps(places: Places, first: Box, last: Box, axis: int) -> list[Dim]:
    """Return the differences that are not negative where a member lies in a chain of boxes."""
    found: list[Dim] = []
    for other, place in enumerate(places):
        start, stop = first[other][0], (last if other == axis else first)[other][1]
        found += [minus(place, start), minus(stop, place)]
    return found


def covering(places: Places, boxes: Sequence[Box], now: Sequence[Loop]) -> list[Dim] | None:
    """Return what must not be negative for a member to lie in boxes; None where it never does.

    A row of boxes along one axis, each starting where the last one ends or before, is as good as
    one box.
    """
    best: list[Dim] | None = None
    for axis in range(len(places)):
        for first, last in _chains(places, boxes, now, axis):
            conditions = []
            for gap in gaps(places, first, last, axis):
                known = holds(gap, now)
                if known is False:
                    break
                if known is None:
                    conditions.append(lowest(gap, now))
            else:
                if not conditions:
                    return []
                if best is None or len(conditions) < len(best):
                    best = conditions
    return best


def _chains(
    places: Places, boxes: Sequence[Box], now: Sequence[Loop], axis: int
) -> Iterator[tuple[Box, Box]]:
    """Yield the first and the last box of every row of them along an axis."""
    yield from ((box, box) for box in boxes)
    inside = _merged([box for box in boxes if _beside(places, box, now, axis)], axis)
    joins = {
        (i, j)
        for i, j in product(range(len(inside)), repeat=2)
        if i != j and holds(minus(inside[i][axis][1], minus(inside[j][axis][0], 1)), now)
    }
    for i in range(len(inside)):
        met, pending = {i}, [i]
        while pending:
            here = pending.pop()
            more = [j for j in range(len(inside)) if (here, j) in joins and j not in met]
            met.update(more)
            pending += more
        yield from ((inside[i], inside[j]) for j in sorted(met))


def _merged(boxes: Sequence[Box], axis: int) -> list[Box]:
    """Join boxes that lie next to each other at numbers, so that many members make few boxes."""
    made: list[Box] = []
    for box in sorted(boxes, key=lambda box: _start(box, axis)):
        (first, last), before = box[axis], made[-1][axis][1] if made else None
        if isinstance(first, int) and isinstance(before, int) and first == before + 1:
            made[-1] = (*made[-1][:axis], (made[-1][axis][0], last), *made[-1][axis + 1 :])
        else:
            made.append(box)
    return made


def _start(box: Box, axis: int) -> tuple[bool, int]:
    first = box[axis][0]
    return (False, first) if isinstance(first, int) else (True, 0)


def _beside(places: Places, box: Box, now: Sequence[Loop], axis: int) -> bool:
    """Tell whether a member lies in a box along every axis but one."""
    others = [other for other in range(len(places)) if other != axis]
    return all(
        holds(minus(places[k], box[k][0]), now) and holds(minus(box[k][1], places[k]), now)
        for k in others
    )


def apart(one: Definition, other: Definition) -> list[Dim] | None:
    """Return what must not be negative for two lines to define no member twice; None: they do."""
    if not one.may_define(other.places):
        return []
    for loop, line in ((one, other), (other, one)):
        if not line.loops and _never_in(line.places, loop.whole(line.places)):
            return []
    best: list[Dim] | None = None
    loops = [*one.loops, *other.loops]
    for axis in range(len(one.places)):
        (low, high), (first, last) = one.extent(axis), other.extent(axis)
        for gap in (minus(minus(low, last), 1), minus(minus(first, high), 1)):
            if holds(gap, loops):
                return []
            if reachable(gap) and not _shrinks(gap):
                best = best or [gap]
    return best


def _never_in(places: Places, box: Box) -> bool:
    """Tell whether a member lies outside a box whatever the sizes."""
    return any(never_negative(minus(-1, gap)) for gap in gaps(places, box, box, 0))


def _shrinks(gap: Dim) -> bool:
    return any(f < 0 for part, f in terms(gap).items() if part != 1)
