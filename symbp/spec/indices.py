"""Indices and bounds: sums of whole numbers, letters of loops and sizes."""

from collections.abc import Callable
from typing import TypeAlias

import sympy as sp

from symbp.errors import SpecError
from symbp.ir import Dim
from symbp.spec.ranges import is_linear, tidy
from symbp.spec.spelling import spelled
from symbp.spec.syntax import Binary, Node, Num, Ref, Unary
from symbp.spec.walks import spine

LARGEST_INDEX = 1_000_000

Known: TypeAlias = Callable[[Ref], Dim]
"""What a name in an index is: a number, a letter or a size; it refuses others."""


def place_of(at: Node, known: Known) -> Dim:
    """Return the place that an index or a bound of a range is, an int where it is a number.

    Raises a SpecError for anything but sums of whole numbers, letters and sizes, and whole
    multiples of them.
    """
    match at:
        case Num(value=value) if value.denominator == 1:
            return _small(int(value), at)
        case Ref():
            return _small(known(at), at)
        case Unary(arg=arg):
            return tidy(-sp.S(place_of(arg, known)))
        case Binary():
            steps = spine(at)
            result = place_of(steps[0].left, known)
            for step in steps:
                result = _small(_joined(step, result, known), step)
            return result
    raise no_whole_number(at)


def no_whole_number(at: Node) -> SpecError:
    """Return the error for an index that is made of something else."""
    help = "an index is made of whole numbers, the letter of the loop and sizes"
    return SpecError(f"`{spelled(at)}` is no whole number", at.span, help)


def _joined(at: Binary, left: Dim, known: Known) -> Dim:
    """Return a sum or a product of places, given its left side."""
    if at.op not in ("+", "-", "*"):
        raise no_whole_number(at)
    one, other = sp.S(left), sp.S(place_of(at.right, known))
    made = tidy({"+": one + other, "-": one - other, "*": one * other}[at.op])
    if not is_linear(made):
        help = "an index is a sum: a letter or a size, and a whole number, such as `k-1`"
        raise SpecError(f"`{spelled(at)}` multiplies two that may vary", at.span, help)
    return made


def _small(place: Dim, at: Node) -> Dim:
    if not isinstance(place, int) or abs(place) <= LARGEST_INDEX:
        return place
    help = f"indices lie below {LARGEST_INDEX:,}"
    raise SpecError(f"`{spelled(at)}` is {place:,}", at.span, help)
