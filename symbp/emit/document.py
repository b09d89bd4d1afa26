"""A derivation to read: sections of sentences and equations, for the terminal, LaTeX, Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass

from symbp.derive.derivation import Step
from symbp.derive.proof import Proof
from symbp.emit.article import Format, Part, Row, paragraphs, rows
from symbp.emit.escape import ESCAPES
from symbp.emit.names import MATH, Names
from symbp.emit.reasoning import proof_rows
from symbp.emit.render import template

_ENDINGS = {"unicode": "txt", "latex": "tex", "markdown": "md"}


@dataclass(frozen=True)
class Section:
    """A section of a reading.

    intro: paragraphs between empty lines; one indented by four spaces is kept as it is.
    steps, proof: the equations, those of a proof after those of a sweep.
    """

    title: str
    intro: str = ""
    steps: tuple[Step, ...] = ()
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
    found = rows(section.steps, format, names)
    return found if section.proof is None else found + proof_rows(section.proof, format, names)
