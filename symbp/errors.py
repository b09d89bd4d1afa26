"""Errors that point at the text: a span, the line it lies on, a caret and a help line."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

WIDTH = 100  # columns of a source line shown around the caret
TAB = "    "


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one line of a source.

    Line and column count from 1, in characters; length is in characters as well.
    """

    line: int
    column: int
    length: int = 1


class SymbpError(Exception):
    """Anything a user can put right: what is wrong, and what to write instead.

    `message` is one sentence without a full stop, `help` the advice or None.
    """

    def __init__(self, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.help = help

    def __str__(self) -> str:
        return "\n".join([f"error: {self.message}", *self._help_lines()])

    def _help_lines(self) -> list[str]:
        return [] if self.help is None else [f"help: {self.help}"]


class SpecError(SymbpError):
    """An error at a place in a spec.

    A pass that does not know the text raises it with the span alone; whoever holds the text
    completes it with `located`. An empty source shows the place and no line.
    """

    def __init__(
        self,
        message: str,
        span: Span,
        help: str | None = None,
        source: str = "",
        filename: str = "",
    ) -> None:
        super().__init__(message, help)
        self.span = span
        self.source = source
        self.filename = filename

    def located(self, source: str, filename: str) -> "SpecError":
        """Return this error with its text and file name; what it already knows stays."""
        return SpecError(
            self.message, self.span, self.help, self.source or source, self.filename or filename
        )

    def __str__(self) -> str:
        place = f"{printable(self.filename or '<text>')}:{self.span.line}:{self.span.column}"
        gutter = " " * len(str(self.span.line))
        lines = [f"error: {self.message}", f" {gutter}--> {place}"]
        if self.source:
            shown, caret = excerpt(self.source, self.span)
            lines += [
                f" {gutter} |",
                f" {self.span.line} | {shown}".rstrip(),
                f" {gutter} | {caret}",
            ]
        return "\n".join([*lines, *self._help_lines()])


def did_you_mean(name: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that looks most like `name`, or None where none is near."""
    known = {candidate.lower(): candidate for candidate in candidates}
    near = get_close_matches(name.lower(), known, n=1, cutoff=0.6)
    return known[near[0]] if near else None


def printable(text: str) -> str:
    """Return `text` with every character escaped that a terminal would act upon or not show."""
    return "".join(map(_printable, text))


def excerpt(source: str, span: Span) -> tuple[str, str]:
    """Return the line of `span`, cut to about 100 columns, and the carets that go below it."""
    lines = source.split("\n", span.line)
    line = lines[span.line - 1] if span.line <= len(lines) else ""
    start = min(span.column - 1, len(line))
    first, last = _window(line, start)
    stop = min(start + span.length, last)
    left, marked, right = line[first:start], line[start:stop], line[stop:last]
    lead = "…" if first else ""
    tail = "…" if last < len(line) else ""
    indent = len(lead) + _width(left)
    shown = lead + "".join(map(_printable, left + marked + right)) + tail
    return shown, " " * indent + "^" * max(_width(marked), 1)


def _window(line: str, start: int) -> tuple[int, int]:
    """Return the slice of `line` that fits the width and holds the character at `start`."""
    first = start
    room = WIDTH // 2 if _width(line[: start + WIDTH]) > WIDTH else WIDTH
    while first > 0 and (room := room - _width(line[first - 1])) >= 0:
        first -= 1
    last, room = first, WIDTH
    while last < len(line) and (room := room - _width(line[last])) >= 0:
        last += 1
    return first, last


def _printable(character: str) -> str:
    if character == "\t":
        return TAB
    if character.isprintable():
        return character
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")


def _width(text: str) -> int:
    """Return the columns `text` takes on a terminal."""
    return sum(map(_columns, "".join(map(_printable, text))))


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
