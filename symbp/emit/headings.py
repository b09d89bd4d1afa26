"""What says which loops an equation stands in: headings of blocks, and sentences of a paper."""

from collections.abc import Sequence

from symbp.emit.math import Style, range_text
from symbp.program import Loop

INDENT = 4
"""Columns by which the lines of a loop stand further in."""

Loops = Sequence[Loop]


def headings(before: Loops, loops: Loops, style: Style) -> list[str]:
    """Return the lines `for k = 1 … K:` of the loops that the line before did not stand in."""
    kept = _shared(before, loops)
    return [
        " " * INDENT * depth + f"for {range_text(loop, style)}:"
        for depth, loop in enumerate(loops)
        if depth >= kept
    ]


def sentence(before: Loops, loops: Loops) -> str:
    """Return what a paper says in LaTeX between two equations of different loops, else nothing."""
    if tuple(before) == tuple(loops):
        return ""
    kept = _shared(before, loops)
    each = " and ".join(f"${range_text(loop, 'latex', letter=True)}$" for loop in loops[:kept])
    new = " and ".join(f"${range_text(loop, 'latex')}$" for loop in loops[kept:])
    if not loops:
        return "Then:"
    if not new:
        return f"Then, for each {each}:"
    return f"For each {each}, for {new}:" if each else f"For {new}:"


def with_ranges(text: str, loops: Loops, style: Style = "unicode") -> str:
    """Return a formula and, beside it, the ranges of loops: `Dₖ × Dₖ₋₁, k = 1 … K`."""
    comma = r",\ " if style == "latex" else ", "
    ranges = [range_text(loop, style) for loop in loops]
    return comma.join(filter(None, [text, *ranges]))


def _shared(before: Loops, loops: Loops) -> int:
    """Return how many loops around two lines are the same."""
    pairs = enumerate(zip(before, loops, strict=False))
    fewer = min(len(before), len(loops))
    return next((depth for depth, (one, other) in pairs if one != other), fewer)
