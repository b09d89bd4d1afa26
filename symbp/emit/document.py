"""A derivation to read: sections of sentences and equations, for the terminal, LaTeX, Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass

from symbp.derive.derivation import Step
from symbp.derive.proof import Proof
from symbp.emit.article import Format, Part, Row, laid_out, paragraphs, step_lines
from symbp.emit.escape import ESCAPES
from symbp.emit.math import Style
from symbp.emit.names import MATH, Names
from symbp.emit.reasoning import proof_rows
from symbp.emit.render import template
from symbp.emit.tensor import Tensor, formula_lines

_ENDINGS = {"unicode": "txt", "latex": "tex", "markdown": "md"}


@dataclass(frozen=True)
class Section:
    """A section of a reading.

    intro: paragraphs between empty lines; one indented by four spaces is kept as it is.
    steps, tensors, proof: the equations, those of a sweep first.
    """

    title: str
    intro: str = ""
    steps: tuple[Step, ...] = ()
    tensors: tuple[Tensor, ...] = ()
    proof: Proof | None = None


def document(
    title: str,
    sections: Sequence[Section],
    format: Format = "unicode",
    fragment: bool = False,
    names: Names = MATH,
) -> str:
    """Return a reading as text.  A fragment is the equations alone, to be put into a paper."""
    parts = tuple(
        Part(
            ESCAPES[format](section.title),
            paragraphs(section.intro, format),
            _equations(section, format, names),
        )
        for section in sections
    )
    kind = "fragment" if fragment else "article"
    page = template(f"math/{kind}.{_ENDINGS[format]}.jinja")
    return page.render(title=ESCAPES[format](title), parts=parts)


def _equations(section: Section, format: Format, names: Names) -> tuple[Row, ...]:
    style: Style = "unicode" if format == "unicode" else "latex"
    lines = step_lines(section.steps, style, names)
    for tensor in section.tensors:
        lines += formula_lines(tensor, style, names)
    found = laid_out(lines, format)
    return found if section.proof is None else found + proof_rows(section.proof, format, names)
