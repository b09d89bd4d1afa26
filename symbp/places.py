"""Places in families: what an index ranges over, and whether two ranges meet.

Sizes are positive whole numbers, so relations of sums of them are decided; where one is not, the
answer is the careful one.
"""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import sympy as sp

from symbp.sizes import Dim

Range: TypeAlias = tuple[Dim, Dim, Dim]
"""A letter and the ends of its range, both included."""

Span: TypeAlias = tuple[Dim, Dim]
Box: TypeAlias = tuple[Span, ...]
"""The first and the last place along each index."""


def never_negative(dim: Dim) -> bool:
    """Tell whether an expression of sizes is at least 0 whatever they are."""
    value = sp.S(dim)
    if value.is_number:
        return bool(value >= 0)
    from_one = {s: s + 1 for s in value.free_symbols if s.is_positive}
    least = {s: sp.Symbol(s.name, integer=True, nonnegative=True) for s in from_one}
    shifted = sp.expand(value.subs(from_one, simultaneous=True)).xreplace(least)
    terms = sp.Add.make_args(shifted)
    return all(term.is_nonnegative for term in terms)


def at_most(one: Dim, other: Dim) -> bool:
    """Tell whether one place is never behind the other."""
    return never_negative(sp.S(other) - one)


def span(index: Dim, ranges: Sequence[Range]) -> Span:
    """Return the first and the last value of an index while letters go through their ranges."""
    ends = [sp.S(index), sp.S(index)]
    for letter, start, stop in reversed(ranges):
        rising = ends[0].coeff(letter) >= 0
        first, last = (start, stop) if rising else (stop, start)
        ends = [ends[0].subs(letter, first), ends[1].subs(letter, last)]
    return ends[0], ends[1]


def box(index: Sequence[Dim], ranges: Sequence[Range]) -> Box:
    """Return the spans of all indices."""
    return tuple(span(place, ranges) for place in index)


def is_full(index: Sequence[Dim], ranges: Sequence[Range]) -> bool:
    """Tell whether every place of the box is met: each index a number, or a letter of its own.

    A letter that moves no index must have a turn, whatever the sizes.
    """
    letters = {letter for letter, _, _ in ranges}
    found = [sp.S(place).free_symbols & letters for place in index]
    used = [letter for own in found for letter in own]
    bounds = {s for letter, a, b in ranges if letter in used for s in _symbols(a, b)}
    steps = (sp.S(place).coeff(s) for place, own in zip(index, found, strict=True) for s in own)
    alone = len(used) == len(set(used)) and all(len(own) < 2 for own in found)
    runs = all(letter in used or at_most(start, stop) for letter, start, stop in ranges)
    return runs and alone and not bounds & letters and all(abs(step) == 1 for step in steps)


def is_one_to_one(index: Sequence[Dim], ranges: Sequence[Range]) -> bool:
    """Tell whether no place is met twice: every letter moves an index, by itself."""
    moved = set()
    for place in index:
        own = [letter for letter, _, _ in ranges if sp.S(place).has(letter)]
        if len(own) == 1:
            moved |= set(own)
    return moved == {letter for letter, _, _ in ranges}


def _symbols(*dims: Dim) -> set[sp.Symbol]:
    return {s for dim in dims for s in sp.S(dim).free_symbols}


def are_apart(one: Box, other: Box) -> bool:
    """Tell whether two boxes certainly have no place in common."""
    return any(
        at_most(sp.S(a[1]) + 1, b[0]) or at_most(sp.S(b[1]) + 1, a[0])
        for a, b in zip(one, other, strict=True)
    )


def covered(whole: Box, parts: Iterable[Box]) -> bool:
    """Tell whether every place of a box certainly lies in one of some others."""
    left = [whole]
    for _ in range(2):  # a part may fit only after another was taken away
        for part in parts:
            left = [rest for each in left for rest in _without(each, part)]
    return not left


def _without(whole: Box, part: Box) -> list[Box]:
    """Return boxes that hold all of a box but what lies in another."""
    if not whole:
        return []
    (first, last), (start, stop) = whole[0], part[0]
    outside: list[Span] = []
    before, behind = sp.S(start) - 1, sp.S(stop) + 1
    if not at_most(start, first):
        outside.append((first, last if at_most(last, before) else before))
    if not at_most(last, stop):
        outside.append((first if at_most(behind, first) else behind, last))
    inside = (first, last)
    if at_most(first, start) and at_most(stop, last):
        inside = (start, stop)
    boxes = [(ends, *whole[1:]) for ends in outside if not at_most(sp.S(ends[1]) + 1, ends[0])]
    return boxes + [(inside, *rest) for rest in _without(whole[1:], part[1:])]
