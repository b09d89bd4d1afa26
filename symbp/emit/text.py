"""Text of lists that may be long: one line where it fits, else broken as the formatter does."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

WIDTH = 100


@dataclass(frozen=True)
class Nested:
    """An item that holds items itself, and may be broken as well: `Omega=(a, b)`."""

    head: str
    items: tuple[str, ...]
    tail: str

    def __str__(self) -> str:
        single = len(self.items) == 1 and self.head.endswith("=(")
        return f"{self.head}{', '.join(self.items)}{',' if single else ''}{self.tail}"


Item: TypeAlias = str | Nested


def wrapped(head: str, items: Sequence[Item], tail: str, indent: str = "") -> str:
    """Return `head item, item tail`, on one line if it fits, else the items indented."""
    flat = f"{indent}{head}{', '.join(map(str, items))}{tail}"
    return flat if len(flat) <= WIDTH or not items else _on_lines(head, items, tail, indent)


def _on_lines(head: str, items: Sequence[Item], tail: str, indent: str) -> str:
    inner = f"{indent}    {', '.join(map(str, items))}"
    collection = head.endswith(("[", "{", " (", "=(")) or head == "("  # not a call
    if len(inner) <= WIDTH and not collection:
        return f"{indent}{head}\n{inner}\n{indent}{tail}"
    body = "".join(f"{_item(item, indent + '    ')}\n" for item in items)
    return f"{indent}{head}\n{body}{indent}{tail}"


def _item(item: Item, indent: str) -> str:
    """Return an item on lines of its own, with its comma."""
    if isinstance(item, str) or len(f"{indent}{item},") <= WIDTH:
        return f"{indent}{item},"
    return _on_lines(item.head, item.items, f"{item.tail},", indent)


def broken(head: str, items: Sequence[Item], tail: str, depth: int = 1) -> list[str]:
    """Return the lines of a statement in a function's body, one or several.

    `depth` is how far the body is indented.
    """
    indent = "    " * depth
    return wrapped(head, items, tail, indent)[4 * depth :].replace(f"\n{indent}", "\n").split("\n")


def documented(summary: str, short: str, rest: str) -> str:
    """Return a docstring: a summary, or where it is too long a short one and the rest."""
    if len(summary) + len('    """."""') <= WIDTH:
        return f"{summary}."
    lines = textwrap.wrap(f"{rest}.", WIDTH - 4, break_long_words=False, break_on_hyphens=False)
    return "\n\n    ".join([f"{short}.", "\n    ".join(lines)]) + "\n    "


def indented(lines: Sequence[str], indent: str = "    ") -> str:
    """Return lines as an indented block, empty ones left empty."""
    text = "\n".join(lines).split("\n")
    return "\n".join(indent + line if line else "" for line in text)


def tuple_text(items: Sequence[str]) -> str:
    """Return a tuple to return or to unpack: `a, b`, and `(a,)` for one."""
    return f"({items[0]},)" if len(items) == 1 else ", ".join(items)


def called(left: str, name: str, given: Sequence[str], depth: int) -> list[str]:
    """Return a call; where what it returns does not fit a line, it is taken apart after."""
    if len(left) + len(name) < 80 - 4 * depth:
        return broken(f"{left} = _{name}(", given, ")", depth)
    seeds, comma, kept = left.removeprefix("(").partition("), ")
    whole = "seeds_dot" if name.endswith("_dot") else "seeds"
    head = f"{whole}{', ' if comma else ''}{kept} = _{name}("
    return [
        *broken(head, given, ")", depth),
        *broken("(", seeds.split(", "), f") = {whole}", depth),
    ]
