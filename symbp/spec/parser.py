"""From text to syntax tree. The text is data: nothing in it is ever evaluated."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast

from lark import Lark, UnexpectedInput
from lark.indenter import Indenter

from symbp.errors import SpecError
from symbp.spec import limits, mistakes, outline
from symbp.spec.builder import Builder
from symbp.spec.reading import clean, read_file
from symbp.spec.syntax import Line, Node, SpecText, expressions

__all__ = ["parse_expression", "parse_text", "read_file"]


class _Layout(Indenter):
    """Line ends and indentation as tokens; inside brackets a line goes on."""

    NL_type = "_NL"
    OPEN_PAREN_types = ["LPAR", "LSQB"]  # noqa: RUF012  (Lark's own spelling)
    CLOSE_PAREN_types = ["RPAR", "RSQB"]  # noqa: RUF012
    INDENT_type = "_INDENT"
    DEDENT_type = "_DEDENT"
    tab_len = 8


def parse_text(text: str, filename: str = "<text>") -> SpecText:
    """Return the syntax tree of a whole spec.

    `filename` is used in messages alone. Raises one SpecError, with its place in the text.
    """
    source = clean(text)
    lines = _parse(source, filename, "spec")
    return SpecText(lines, source, filename)


def parse_expression(text: str, filename: str = "<expression>") -> Node:
    """Return the syntax tree of one expression, as given on the command line.

    Raises one SpecError, with its place in the text.
    """
    return cast(Node, _parse(clean(text).rstrip(), filename, "expression"))


def _parse(source: str, filename: str, start: Literal["spec", "expression"]) -> Any:
    """Return what the builder made of `source`, after every check."""
    try:
        outline.check_size(source)
        continued = outline.check_brackets(source)
        if start == "spec":
            outline.check_indentation(source, continued)
        tree: Any = _lark().parse(source + "\n" * (start == "spec"), start=start)
        limits.check_trees(_roots(tree))
    except UnexpectedInput as error:
        raise mistakes.explained(error, source, start).located(source, filename) from None
    except SpecError as error:
        raise error.located(source, filename) from None
    return tree


def _roots(tree: Node | tuple[Line, ...]) -> Iterable[Node]:
    return expressions(tree) if isinstance(tree, tuple) else (tree,)


@cache
def _lark() -> Lark:
    """Return the parser, built once a process."""
    return Lark(
        Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8"),
        parser="lalr",
        start=["spec", "expression"],
        transformer=Builder(),
        postlex=_Layout(),
        maybe_placeholders=True,
    )
