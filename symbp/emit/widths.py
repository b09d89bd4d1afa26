"""Code about sizes that are given as numbers and sequences, and what is asked of them."""

import re
from collections.abc import Mapping, Sequence

import sympy as sp
from sympy.core.function import AppliedUndef

from symbp.emit.identifiers import Identifiers
from symbp.emit.text import WIDTH, broken
from symbp.ir import Dim
from symbp.lower.batch import EXAMPLES
from symbp.program import Loop


class GivenSizes(dict[Dim, str]):
    """Code of sizes where families of sizes are sequences, counted from 0."""

    def __init__(self, names: Identifiers, first: Mapping[str, Loop]) -> None:
        super().__init__({EXAMPLES: "examples"})
        self.names, self.first = names, first

    def __contains__(self, dim: object) -> bool:
        return isinstance(dim, AppliedUndef | sp.Symbol)

    def __missing__(self, dim: Dim) -> str:
        if not isinstance(dim, AppliedUndef):
            return self.names.known_sizes(dim)[dim]
        width = dim.func.__name__
        place = self.names.place(sp.expand(dim.args[0] - self.first[width].start))
        return f"{self.names.size(sp.Symbol(width))}[{place}]"


def only_read(lines: Sequence[str], rest: Sequence[str]) -> list[str]:
    """Return lines without those that name what no later line reads."""
    kept: list[str] = []
    after = "\n".join(rest)
    for line in reversed(lines):
        name = re.match(r"(\w+) = len\(", line)
        if name is None or re.search(rf"\b{name[1]}\b", after):
            kept.append(line)
            after += f"\n{line}"
    return kept[::-1]


def tuple_of(items: Sequence[str]) -> str:
    """Return a tuple as code."""
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"


def refusal(bound: sp.Expr, names: Identifiers) -> list[str]:
    """Return the lines that refuse sizes with which a number that must not be negative is."""
    symbols = sorted(bound.free_symbols, key=str)
    failed, wish = f"{names.place(bound)} < 0", f"{bound} must not be negative"
    if len(symbols) == 1 and bound.coeff(symbols[0]) == 1:
        limit = symbols[0] - bound
        failed, wish = (
            f"{names.size(symbols[0])} < {limit}",
            f"{symbols[0]} must be at least {limit}",
        )
    got = ", ".join(f"{name} = {{{name}}}" for name in map(names.size, symbols))
    return [f"if {failed}:", f'    raise ValueError(f"{wish}, got {got}")']


def positive(typed: Sequence[str]) -> list[str]:
    """Return the lines that refuse sizes below 1, given as arguments with their types."""
    if not typed:
        return []
    pairs = [(name, kind != "int") for name, _, kind in (t.partition(": ") for t in typed)]
    items = [f"*{name}" if several else name for name, several in pairs]
    (name, several), *others = pairs
    least = f"min({', '.join(items if others else [name])})" if others or several else name
    got = ", ".join(f"{{{name}=}}" for name, _ in pairs)
    made = [f"if {least} < 1:", f'    raise ValueError(f"a size must be at least 1, got {got}")']
    if max(map(len, made)) <= WIDTH - 4:
        return made
    failed = '        raise ValueError(f"a size must be at least 1, got {given}")'
    return [*broken("for given in (", items, "):"), "    if given < 1:", failed]
