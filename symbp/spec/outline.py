"""What can be said of a text before it is parsed: its size, its brackets, its indentation.

The parser may trust a text that passed: brackets pair up and are few levels deep, and only the
lines of a loop are indented.
"""

import re
from collections.abc import Iterator

from symbp.errors import Span, SpecError
from symbp.spec import limits

_PARTNER = {")": "(", "]": "[", "(": ")", "[": "]"}
_PIECE = re.compile(
    r"""(?:\s+ | \#[^\n]* | "[^"\n]*")+
      | (?P<open>[(\[])
      | (?P<close>[)\]])
      | (?P<word>\w+)
      | (?P<signs>[-+*/@^'.−·⊙∘⋅]+(?:[ \t]+[-+*/@^'.−·⊙∘⋅]+)*)
      | [^\w\s\#"()\[\]*/@^'.−·⊙∘⋅+-]+ | .""",
    re.VERBOSE,
)
_LOOP = re.compile(r"for[ \t]+[^\W\d]")


def position(source: str, offset: int, length: int = 1) -> Span:
    """Return the span of the character at `offset` (from 0) of `source`."""
    line = source.count("\n", 0, offset) + 1
    return Span(line, offset - source.rfind("\n", 0, offset), length)


def check_size(source: str) -> None:
    """Raise a SpecError where `source` is empty or longer than 1 MiB of UTF-8."""
    if len(source) > limits.BYTES or len(source.encode("utf-8", "replace")) > limits.BYTES:
        raise limits.too_big(position(source, min(limits.BYTES, len(source)) - 1))
    if not source.strip():
        raise _nothing()


def _nothing() -> SpecError:
    return SpecError(
        "there is nothing in this spec",
        Span(1, 1),
        "declare inputs and parameters, and say how the loss is computed: `loss = …`",
    )


def check_brackets(source: str) -> frozenset[int]:
    """Return the numbers of the lines that go on inside a bracket opened above.

    Raises a SpecError for a bracket without its partner and for nesting or size beyond limits.
    """
    opened: list[tuple[int, int]] = []  # offset and line
    continued: set[int] = set()
    nodes, line, counted = 0, 1, 0
    for piece in _PIECE.finditer(source):
        start, kind = piece.start(), piece.lastgroup
        if kind in ("open", "close"):
            line, counted = line + source.count("\n", counted, start), start
        if kind == "open":
            opened.append((start, line))
        elif kind == "close":
            first = _match(source, opened, start)
            continued.update(range(first + 1, line + 1))
        nodes += kind in ("word", "signs")
        if nodes > limits.NODES:
            raise limits.too_many(position(source, start))
        signs = sum(map(len, piece[0].split())) if kind == "signs" else 0
        if max(len(opened), signs) > limits.NESTING:
            raise limits.too_deep(position(source, start))
    if opened:
        raise _unclosed(source, opened[-1][0])
    return frozenset(continued)


def check_indentation(source: str, continued: frozenset[int]) -> None:
    """Raise a SpecError unless the lines below a `for` line are indented alike, and no others.

    `continued` holds the numbers of the lines that do not start a statement.
    """
    blocks = [""]  # the indentation of the lines that stand in no loop, in the outermost, …
    header: Span | None = None  # of the `for` line just above
    empty = True
    for number, line in _statements(source, continued):
        text = line.lstrip(" \t")
        indent = line[: len(line) - len(text)]
        span = Span(number, 1, max(len(indent), 1))
        if " " in indent and "\t" in indent:
            raise SpecError("tabs and spaces in one indentation", span, "use spaces alone")
        if header:
            if indent == blocks[-1] or not indent.startswith(blocks[-1]):
                raise _empty_loop(header)
            blocks.append(indent)
        _leave(blocks, indent, span)
        header = _loop_header(number, text, len(indent), len(blocks))
        empty = False
    if empty:
        raise _nothing()
    if header:
        raise _empty_loop(header)


def _leave(blocks: list[str], indent: str, span: Span) -> None:
    """Take off the loops that a line of this indentation has left."""
    if indent and len(blocks) == 1:
        raise SpecError(
            "this line is indented, and no `for` line stands above it",
            span,
            "start it at the left margin; an expression goes on below only inside ( )",
        )
    if indent not in blocks:
        raise SpecError(
            "this line is indented in another way than the line above it",
            span,
            f"use the same indentation: {_described(blocks[-1])}",
        )
    del blocks[blocks.index(indent) + 1 :]


def _statements(source: str, continued: frozenset[int]) -> Iterator[tuple[int, str]]:
    """Yield the number and the text of every line that starts a statement."""
    for number, line in enumerate(source.split("\n"), 1):
        if number not in continued and line.strip() and not line.lstrip().startswith("#"):
            yield number, line


def _loop_header(number: int, text: str, indent: int, depth: int) -> Span | None:
    """Return the span of `for` where `text` starts a loop, after a look at its form.

    `depth` is 1 for a loop in no other.
    """
    if not _LOOP.match(text):
        return None
    span = Span(number, indent + 1, 3)
    if depth > limits.LOOPS:
        raise SpecError(
            f"loops are nested {depth} deep, and at most {limits.LOOPS} are read",
            span,
            "write the inner loops below each other, or a line for each number",
        )
    code = text.split("#")[0].rstrip()
    if not code.endswith(":"):
        raise SpecError(
            "a `for` line ends with `:`, and its lines stand below it",
            Span(number, len(code)),
            "write `for k in 1..K:` and the lines of the loop below it, indented",
        )
    return span


def _empty_loop(header: Span) -> SpecError:
    return SpecError(
        "no indented line stands below this `for`", header, "indent the lines of the loop"
    )


def _described(indent: str) -> str:
    unit = "tab" if "\t" in indent else "space"
    return f"{len(indent)} {unit}{'s' if len(indent) > 1 else ''}"


def _match(source: str, opened: list[tuple[int, int]], start: int) -> int:
    """Close the last bracket of `opened` by the one at `start`; return the line it was opened in.

    Raises a SpecError where the two are no pair.
    """
    bracket = source[start]
    if not opened:
        raise SpecError(
            f"`{bracket}` closes nothing",
            position(source, start),
            f"remove it, or write the `{_PARTNER[bracket]}` that it closes",
        )
    offset, line = opened.pop()
    if source[offset] != _PARTNER[bracket]:
        column = position(source, offset).column
        raise SpecError(
            f"`{bracket}` closes the `{source[offset]}` of line {line}, column {column}",
            position(source, start),
            f"write `{_PARTNER[source[offset]]}`",
        )
    return line


def _unclosed(source: str, start: int) -> SpecError:
    bracket = source[start]
    return SpecError(
        f"`{bracket}` is never closed",
        position(source, start),
        f"write the matching `{_PARTNER[bracket]}`",
    )
