"""Long formulas on several lines, broken where a person would break them."""

import re
import unicodedata
from collections.abc import Callable

from symbp.emit.pieces import BREAK

_OPENED = re.compile(r"[(\[]|\\lVert")
_CLOSED = re.compile(r"[)\]]|\\rVert")
_OPERATOR = re.compile(r"(\\, )?([-+−⊙⊗]|\\od|\\ot)")
_FRACTION = re.compile(r"\\frac\{((?:[^{}]|\{[^{}]*\})*)\}\{((?:[^{}]|\{[^{}]*\})*)\}")
_FUNCTION = re.compile(r"\\(sin|cos|tan|exp|log|tanh|max|min|det)\b")
_MACRO = re.compile(r"\\[a-zA-Z]+")
_COMMAND = re.compile(
    r"\\(?:operatorname|mathrm|bm|dot|text|biggl|biggr|bigl|bigr)\b|[{}_^]|\\[ ,!]"
)


def columns(text: str) -> int:
    """Return the columns a Unicode text takes."""
    return sum(not unicodedata.combining(character) for character in text)


def latex_columns(text: str) -> int:
    """Return about how wide a formula is, in columns of the letter x."""
    while (found := _FRACTION.search(text)) is not None:
        wide = max(map(latex_columns, found.groups()))
        text = text[: found.start()] + "x" * wide + text[found.end() :]
    return len(_MACRO.sub("x", _FUNCTION.sub(r"\1x", _COMMAND.sub("", text))).replace(" ", ""))


def wrap(text: str, room: int, measure: Callable[[str], int] = columns) -> list[str]:
    """Return the lines of a formula, each `room` wide where its breaks allow it.

    Breaks outside of parentheses are preferred to those inside, and among those of one depth the
    ones before an operator to those between factors.
    """
    pieces = text.split(BREAK)
    widths = [measure(piece) + 1 for piece in pieces]
    depths, depth = [], 0
    for piece in pieces:
        depth += len(_OPENED.findall(piece)) - len(_CLOSED.findall(piece))
        depths.append(depth)
    between = [not _OPERATOR.match(after) for after in pieces[1:]]
    costs = [2 * depth + cost for depth, cost in zip(depths, between, strict=False)]
    lines, start = [], 0
    while start < len(pieces):
        stop = _stop(widths, costs, start, room)
        lines.append(" ".join(pieces[start:stop]))
        start = stop
    return lines


def _stop(widths: list[int], costs: list[int], start: int, room: int) -> int:
    """Return where the line that begins at `start` ends; `costs` says what each break costs."""
    stop, width, ends = start, 0, []
    while stop < len(widths) and (stop == start or width + widths[stop] - 1 <= room):
        width += widths[stop]
        stop += 1
        if 4 * width >= room:
            ends.append(stop)
    if stop == len(widths) or not ends:
        return stop
    return min(ends, key=lambda end: (costs[end - 1], -end))
