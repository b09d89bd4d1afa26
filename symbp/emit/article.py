"""Rows of a derivation, ready for a template: strings, escaped and broken into lines."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from symbp.derive.derivation import Step
from symbp.emit.escape import ESCAPES, latex_lines, latex_text, one_line
from symbp.emit.math import shape_text, sides
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


def rows(steps: Sequence[Step], form: Format, names: Names) -> tuple[Row, ...]:
    """Return the lines that a reader sees."""
    seen = [step for step in steps if step.shown]
    return _unicode_rows(seen, names) if form == "unicode" else _latex_rows(seen, form, names)


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


def _unicode_rows(steps: Sequence[Step], names: Names) -> tuple[Row, ...]:
    pairs = [_sides(step, names) for step in steps]
    laws = [" · ".join(filter(None, (one_line(s.law), _shape(s, "unicode")))) for s in steps]
    margin = max((columns(left) for left, _ in pairs), default=0)
    room = WIDTH - 4 - margin - 3 - 3 - max(map(columns, laws), default=0)
    broken = [wrap(right, max(room, _LEAST)) if right else [] for _, right in pairs]
    wide = max((columns(line) for lines in broken for line in lines), default=0)
    found = []
    for step, (left, _), lines, law in zip(steps, pairs, broken, laws, strict=True):
        head = _pad(left, margin) + (" = " + _pad(lines[0], wide) if lines else " " * (3 + wide))
        rest = [" " * (margin + 5) + line for line in lines[1:]]
        note = textwrap.wrap(one_line(step.note), WIDTH - 8)
        found.append(Row(f"{head}   {law}".rstrip(), tuple(rest), law, tuple(note)))
    return tuple(found)


def _pad(text: str, width: int) -> str:
    return text + " " * (width - columns(text))


def _sides(step: Step, names: Names) -> tuple[str, str]:
    left, right = sides(step.target, step.expr, "unicode", names)
    return left, "" if step.target is step.expr else right


def _shape(step: Step, style: Literal["unicode", "latex"]) -> str:
    return shape_text(step.target.shape, style)


def _latex_rows(steps: Sequence[Step], form: Format, names: Names) -> tuple[Row, ...]:
    pairs = [sides(step.target, step.expr, "latex", names) for step in steps]
    laws = [_latex_side(step) for step in steps]
    margin = max((latex_columns(left) for left, _ in pairs), default=0)
    beside = max((latex_columns(law) for law in laws), default=0)
    found = []
    for step, (left, right), law in zip(steps, pairs, laws, strict=True):
        room = max(_LATEX_ROOM - margin - beside, _LEAST)
        lines = [] if step.target is step.expr else wrap(right, room, latex_columns)
        lines = [*lines[:1], *map(_continued, lines[1:])]
        note = ESCAPES[form](step.note)
        row = Row(left, tuple(lines), law, (note,) if note else ())
        found.append(row if form == "latex" else _portable(row))
    return tuple(found)


def _latex_side(step: Step) -> str:
    law = rf"\text{{\small {latex_text(step.law)}}}" if step.law.strip() else ""
    return r"\ \cdot\ ".join(filter(None, (law, _shape(step, "latex"))))


def _continued(line: str) -> str:
    """Return a line after the first; an operator it begins with is spaced as between operands."""
    bare = line.removeprefix(r"\, ")
    return "{} " + bare if bare.startswith(("+", "-", r"\od", r"\ot")) else bare


def _portable(row: Row) -> Row:
    r"""Return a row for the web: `\boldsymbol` is known there, `\bm` and sizes in text are not."""
    lines = tuple(line.replace(r"\bm{", r"\boldsymbol{") for line in row.lines)
    side = row.side.replace(r"\text{\small ", r"\text{")
    return Row(row.left.replace(r"\bm{", r"\boldsymbol{"), lines, side, row.note)
