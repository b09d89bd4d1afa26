"""Code about sizes that are given as numbers and sequences, and what is asked of them."""

import re
from collections.abc import Mapping, Sequence

import sympy as sp
from sympy.core.function import AppliedUndef

from symbp.emit.identifiers import Identifiers
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


def lower_limit(bound: sp.Expr) -> sp.Expr | None:
    """Return the least value that a condition allows its only size; None where it is not alone."""
    symbols = [*bound.free_symbols]
    if len(symbols) == 1 and bound.coeff(symbols[0]) == 1:
        return symbols[0] - bound
    return None


def wish(bound: sp.Expr) -> str:
    """Return what a condition asks for, `K must be at least 4`."""
    limit = lower_limit(bound)
    if limit is not None:
        return f"{bound + limit} must be at least {limit}"
    return f"{bound} must not be negative"
