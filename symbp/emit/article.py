"""Rows of a derivation, ready for a template: strings, escaped and broken into lines."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from symbp.derive.derivation import Step
from symbp.emit.escape import ESCAPES, latex_lines, latex_text, one_line
from symbp.emit.headings import INDENT, headings, sentence, with_ranges
from symbp.emit.math import Style, shape_text, sides
from symbp.emit.names import Names
from symbp.emit.wrapping import columns, latex_columns, wrap
from symbp.errors import printable
from symbp.program import Loop

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
    sign: what stands between the sides; text: a sentence before the line.  Unicode has both in
    rows of their own and in `left`.
    """

    left: str
    lines: tuple[str, ...]
    side: str
    note: tuple[str, ...]
    sign: str = "="
    text: str = ""


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
    loops, adds: the loops it stands in, and whether the right side is added to the left.
    """

    left: str
    right: str
    law: str = ""
    shape: str = ""
    note: str = ""
    loops: tuple[Loop, ...] = ()
    adds: bool = False


def step_lines(steps: Sequence[Step], style: Style, names: Names) -> list[Line]:
    """Return the lines that a reader sees."""
    return [_line(step, style, names) for step in steps if step.shown]


def _line(step: Step, style: Style, names: Names) -> Line:
    """Return a step's line; what is given has no right side, and a family its range beside it."""
    left, right = sides(step.target, step.expr, style, names)
    shape = shape_text(step.target.shape, style)
    if step.target is not step.expr:
        return Line(left, right, step.law, shape, step.note, step.loops, step.adds)
    return Line(left, "", step.law, with_ranges(shape, step.loops, style), step.note)


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
    steps = [INDENT * len(line.loops) for line in lines]
    margin = max((columns(line.left) for line in lines), default=0)
    sign = max((len(_sign(line)) for line in lines), default=1) + 2
    besides = margin + sign + 3 + max(map(columns, laws), default=0) + max(steps, default=0)
    room = max(WIDTH - 4 - besides, _LEAST)
    broken = [wrap(line.right, room) if line.right else [] for line in lines]
    widths = [max(map(columns, parts), default=0) for parts in broken]
    wide = max(map(sum, zip(steps, widths, strict=True)), default=0)
    found: list[Row] = []
    before: tuple[Loop, ...] = ()
    for line, parts, law, step in zip(lines, broken, laws, steps, strict=True):
        found += [Row(text, (), "", ()) for text in headings(before, line.loops, "unicode")]
        before, far = line.loops, " " * step
        middle = _sign(line).rjust(sign - 1) + " " + parts[0] if parts else ""
        rest = [far + " " * (margin + sign + 2) + part for part in parts[1:]]
        note = textwrap.wrap(one_line(line.note), WIDTH - 8 - step)
        head = _pad(far + _pad(line.left, margin) + middle, margin + sign + wide)
        found.append(
            Row(f"{head}   {law}".rstrip(), tuple(rest), law, tuple(far + n for n in note))
        )
    return tuple(found)


def _sign(line: Line) -> str:
    return "+=" if line.adds else "="


def _pad(text: str, width: int) -> str:
    return text + " " * (width - columns(text))


def _latex_rows(lines: Sequence[Line], form: Format) -> tuple[Row, ...]:
    laws = [_latex_side(line) for line in lines]
    margin = max((latex_columns(line.left) for line in lines), default=0)
    beside = max(map(_side_columns, laws), default=0)
    found = []
    before: tuple[Loop, ...] = ()
    for line, law in zip(lines, laws, strict=True):
        room = max(_LATEX_ROOM - margin - beside - line.adds, _LEAST)
        parts = wrap(line.right, room, latex_columns) if line.right else []
        parts = [*parts[:1], *map(_continued, parts[1:])]
        note = ESCAPES[form](line.note)
        sign, text = (r"\mathrel{+}=" if line.adds else "="), sentence(before, line.loops)
        before = line.loops
        row = Row(line.left, tuple(parts), law, (note,) if note else (), sign, text)
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
    return replace(row, left=row.left.replace(r"\bm{", r"\boldsymbol{"), lines=lines, side=side)
