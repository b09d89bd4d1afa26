"""A derivation to read: sections of sentences and equations, for the terminal, LaTeX, Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass

from symbp.derive.derivation import Step
from symbp.emit.article import Format, Part, paragraphs, rows
from symbp.emit.escape import ESCAPES
from symbp.emit.names import MATH, Names
from symbp.emit.render import template

_ENDINGS = {"unicode": "txt", "latex": "tex", "markdown": "md"}


@dataclass(frozen=True)
class Section:
    """A section of a reading.

    intro: paragraphs between empty lines; one indented by four spaces is kept as it is.
    """

    title: str
    intro: str = ""
    steps: tuple[Step, ...] = ()


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
            rows(section.steps, format, names),
        )
        for section in sections
    )
    kind = "fragment" if fragment else "article"
    page = template(f"math/{kind}.{_ENDINGS[format]}.jinja")
    return page.render(title=ESCAPES[format](title), parts=parts)
