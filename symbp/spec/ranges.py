"""Places in families and the ranges of letters: which comes before which, whatever the sizes.

Places are linear in sizes, which are whole numbers from 1, and in the letters of loops.  A letter
is somewhere in its range, so a place is lowest and highest where letters are at their bounds.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations_with_replacement

import sympy as sp

from symbp.ir import Dim, Shape
from symbp.program import Loop


def tidy(place: sp.Expr | int) -> Dim:
    """Return a place with its terms joined, as an int where it is a number."""
    exact = sp.expand(sp.S(place))
    return int(exact) if exact.is_Integer else exact


def minus(place: Dim, other: Dim) -> Dim:
    """Return the difference of two places."""
    if isinstance(place, int) and isinstance(other, int):
        return place - other
    return tidy(sp.S(place) - other)


def put(dim: Dim, values: Mapping[sp.Symbol, Dim]) -> Dim:
    """Return a place or a size with other places for letters, all of them at once."""
    if isinstance(dim, int) or not values:
        return dim
    return tidy(dim.xreplace({letter: sp.S(place) for letter, place in values.items()}))


def put_all(dims: Shape, values: Mapping[sp.Symbol, Dim]) -> Shape:
    """Return a shape with other places for letters."""
    return tuple(put(dim, values) for dim in dims)


def terms(place: Dim) -> dict[sp.Expr, int]:
    """Return the factor of each symbol of a place, and under 1 its number."""
    return dict(sp.S(place).as_coefficients_dict())


def is_linear(place: Dim) -> bool:
    """Tell whether a place is a sum of whole multiples of symbols and a number."""
    found = terms(place).items()
    return all((part.is_Symbol or part == 1) and sp.S(factor).is_Integer for part, factor in found)


def is_long(loop: Loop) -> bool:
    """Tell whether a range has a bound that is no number."""
    return not (isinstance(loop.start, int) and isinstance(loop.stop, int))


def lowest(place: Dim, loops: Sequence[Loop]) -> Dim:
    """Return the lowest value of a place over the turns of loops, the outermost loop first."""
    return put_back(place, worst(place, loops))


def put_back(place: Dim, turn: Mapping[sp.Symbol, Dim]) -> Dim:
    """Return a place in one turn of loops, of which each letter is given by those around it."""
    for letter in reversed(turn):
        place = put(place, {letter: turn[letter]})
    return place


def worst(place: Dim, loops: Sequence[Loop]) -> dict[sp.Symbol, Dim]:
    """Return the turn in which a place is lowest, the letters of the outermost loop first.

    What it does not depend on is at the start of its range.
    """
    turn: dict[sp.Symbol, Dim] = {}
    for loop in reversed(loops):
        slope = terms(place).get(loop.letter, 0)
        turn[loop.letter] = loop.stop if slope < 0 else loop.start
        place = put(place, {loop.letter: turn[loop.letter]})
    return dict(reversed(turn.items()))


def settled(turn: Mapping[sp.Symbol, Dim]) -> dict[sp.Symbol, Dim]:
    """Return the letters of one turn, each said in sizes alone."""
    known: dict[sp.Symbol, Dim] = {}
    for letter, place in turn.items():
        known[letter] = put(place, known)
    return known


def never_negative(gap: Dim) -> bool:
    """Tell whether a difference is 0 or more for all sizes from 1."""
    factors = terms(gap)
    return all(f >= 0 for part, f in factors.items() if part != 1) and sum(factors.values()) >= 0


def reachable(gap: Dim) -> bool:
    """Tell whether a difference is 0 or more once some size is large enough."""
    return never_negative(gap) or any(f > 0 for part, f in terms(gap).items() if part != 1)


def holds(gap: Dim, loops: Sequence[Loop] = ()) -> bool | None:
    """Tell whether a difference is 0 or more in every turn of loops; None: for some sizes alone.

    Inside a loop it is known that the loop has turns.
    """
    if isinstance(gap, int) and gap >= 0:
        return True
    facts = [0, *(minus(loop.stop, loop.start) for loop in loops)]
    for one, other in combinations_with_replacement(facts, 2):
        if never_negative(lowest(minus(minus(gap, one), other), loops)):
            return True
    return None if reachable(lowest(gap, loops)) else False


def requirements(gaps: Sequence[Dim]) -> tuple[sp.Expr, ...]:
    """Return the differences that must not be negative, without those that others imply."""
    open_ = [gap for gap in dict.fromkeys(gaps) if not never_negative(gap)]
    kept = [
        gap
        for gap in open_
        if not any(other != gap and never_negative(minus(gap, other)) for other in open_)
    ]
    return tuple(sp.S(gap) for gap in kept)
