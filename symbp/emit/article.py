"""Rows of a derivation, ready for a template: strings, escaped and broken into lines."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from symbp.derive.derivation import Step
from symbp.emit.escape import ESCAPES, latex_lines, latex_text, one_line
from symbp.emit.math import Style, shape_text, sides
from symbp.emit.names import Names
from symbp.emit.wrapping import columns, latex_columns, wrap
from symbp.errors import printable

Format: TypeAlias = Literal["unicode", "latex", "markdown"]

WIDTH = 100  # columns of a Unicode page
_LATEX_ROOM = 74  # columns of the letter x on a printed line
_LEAST = 24  # columns a right-hand side always gets


@dataclass(frozen=True)
class Row:
    """A line of a derivation.

    left: the name, padded where the format aligns by columns.
    lines: the right-hand side; empty for what is given.
    side: the law and the shape.
    note: a sentence, on the lines it takes.
    """

    left: str
    lines: tuple[str, ...]
    side: str
    note: tuple[str, ...]


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of an introduction; `fixed` where its lines are kept as they are."""

    lines: tuple[str, ...]
    fixed: bool


@dataclass(frozen=True)
class Part:
    """A section: its title, what stands before the equations, and the equations."""

    title: str
    intro: tuple[Paragraph, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Line:
    """An equation before it is laid out.

    left, right: formulas, the right one with `BREAK`; no right one for what is given.
    law, shape: what stands beside it, the law a sentence and the shape a formula.
    """

    left: str
    right: str
    law: str = ""
    shape: str = ""
    note: str = ""


def step_lines(steps: Sequence[Step], style: Style, names: Names) -> list[Line]:
    """Return the lines that a reader sees."""
    lines = []
    for step in steps:
        if step.shown:
            left, right = sides(step.target, step.expr, style, names)
            right = "" if step.target is step.expr else right
            shape = shape_text(step.target.shape, style)
            lines.append(Line(left, right, step.law, shape, step.note))
    return lines


def laid_out(lines: Sequence[Line], form: Format) -> tuple[Row, ...]:
    """Return equations as rows, those of Unicode aligned."""
    return _unicode_rows(lines) if form == "unicode" else _latex_rows(lines, form)


def paragraphs(text: str, form: Format) -> tuple[Paragraph, ...]:
    """Return an introduction's paragraphs; one whose lines are indented by four stays as it is."""
    found = []
    for block in text.strip("\n").split("\n\n"):
        lines = [line.rstrip() for line in block.splitlines() if line.strip()]
        if lines and all(line.startswith("    ") for line in lines):
            found.append(Paragraph(_fixed(lines, form), fixed=True))
        elif lines:
            whole = ESCAPES[form](" ".join(lines))
            filled = textwrap.wrap(whole, WIDTH) if form == "unicode" else [whole]
            found.append(Paragraph(tuple(filled), fixed=False))
    return tuple(found)


def _fixed(lines: list[str], form: Format) -> tuple[str, ...]:
    if form == "latex":
        return tuple(latex_lines([line[4:] for line in lines]).split("\n"))
    return tuple(
        "    " + " " * (columns(x[4:]) - columns(x.lstrip())) + printable(x.lstrip()) for x in lines
    )


def _unicode_rows(lines: Sequence[Line]) -> tuple[Row, ...]:
    laws = [" · ".join(filter(None, (one_line(line.law), line.shape))) for line in lines]
    margin = max((columns(line.left) for line in lines), default=0)
    room = WIDTH - 4 - margin - 3 - 3 - max(map(columns, laws), default=0)
    broken = [wrap(line.right, max(room, _LEAST)) if line.right else [] for line in lines]
    wide = max((columns(part) for parts in broken for part in parts), default=0)
    found = []
    for line, parts, law in zip(lines, broken, laws, strict=True):
        middle = " = " + _pad(parts[0], wide) if parts else " " * (3 + wide)
        rest = [" " * (margin + 5) + part for part in parts[1:]]
        note = textwrap.wrap(one_line(line.note), WIDTH - 8)
        head = f"{_pad(line.left, margin)}{middle}   {law}".rstrip()
        found.append(Row(head, tuple(rest), law, tuple(note)))
    return tuple(found)


def _pad(text: str, width: int) -> str:
    return text + " " * (width - columns(text))


def _latex_rows(lines: Sequence[Line], form: Format) -> tuple[Row, ...]:
    laws = [_latex_side(line) for line in lines]
    margin = max((latex_columns(line.left) for line in lines), default=0)
    beside = max(map(_side_columns, laws), default=0)
    found = []
    for line, law in zip(lines, laws, strict=True):
        room = max(_LATEX_ROOM - margin - beside, _LEAST)
        parts = wrap(line.right, room, latex_columns) if line.right else []
        parts = [*parts[:1], *map(_continued, parts[1:])]
        note = ESCAPES[form](line.note)
        row = Row(line.left, tuple(parts), law, (note,) if note else ())
        found.append(row if form == "latex" else _portable(row))
    return tuple(found)


def _latex_side(line: Line) -> str:
    law = rf"\text{{\small {latex_text(line.law)}}}" if line.law.strip() else ""
    return r"\ \cdot\ ".join(filter(None, (law, line.shape)))


def _side_columns(side: str) -> int:
    """Return about how wide a side is; the signs of a shape of many axes have room around them."""
    return latex_columns(side) + 2 * max(side.count(r"\times") - 1, 0) + 2 * side.count("(")


def _continued(line: str) -> str:
    """Return a line after the first; an operator it begins with is spaced as between operands."""
    bare = line.removeprefix(r"\, ")
    return "{} " + bare if bare.startswith(("+", "-", r"\od", r"\ot")) else bare


def _portable(row: Row) -> Row:
    r"""Return a row for the web: `\boldsymbol` is known there, `\bm` and sizes in text are not."""
    lines = tuple(line.replace(r"\bm{", r"\boldsymbol{") for line in row.lines)
    side = row.side.replace(r"\text{\small ", r"\text{")
    return Row(row.left.replace(r"\bm{", r"\boldsymbol{"), lines, side, row.note)
