"""Sizes of axes: whole numbers, or SymPy expressions of positive whole symbols."""

from collections.abc import Mapping
from functools import cache
from typing import TypeAlias

import sympy as sp

Dim: TypeAlias = int | sp.Expr
Shape: TypeAlias = tuple[Dim, ...]


def size_symbol(name: str) -> sp.Symbol:
    """Return the symbol of a size; sizes are positive whole numbers."""
    return sp.Symbol(name, positive=True, integer=True)


def size_member(name: str, place: Dim) -> sp.Expr:
    """Return a member of a family of sizes, `D[k-1]`: positive and whole, whatever its place."""
    return sp.Function(name, positive=True, integer=True)(place)


def letter_symbol(name: str, number: int = 0) -> sp.Symbol:
    """Return the letter of a loop; `number` tells loops apart that have the same letter.

    It is shown without the number: see `letter_name`.
    """
    return sp.Symbol(f"{name}@{number}" if number else name, integer=True)


def letter_name(letter: sp.Symbol) -> str:
    """Return the letter of a loop as it was written."""
    return str(letter.name).partition("@")[0]


@cache
def shown(dims: Shape) -> str:
    """Return the text of a shape; SymPy is slow to print, and many arrays have the same."""
    return str(dims)


def size_value(dim: Dim, sizes: Mapping[sp.Symbol, int]) -> Dim:
    """Return a size with numbers in place of symbols; an int where none is left."""
    if isinstance(dim, int):
        return dim
    value = sizes.get(dim, dim) if dim.is_Symbol else dim.subs(sizes)
    return int(value) if isinstance(value, int) or value.is_Integer else value
