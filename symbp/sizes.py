"""Sizes of axes: whole numbers, or SymPy expressions of positive whole symbols."""

from collections.abc import Mapping
from typing import TypeAlias

import sympy as sp

Dim: TypeAlias = int | sp.Expr
Shape: TypeAlias = tuple[Dim, ...]


def size_symbol(name: str) -> sp.Symbol:
    """Return the symbol of a size; sizes are positive whole numbers."""
    return sp.Symbol(name, positive=True, integer=True)


def size_value(dim: Dim, sizes: Mapping[sp.Symbol, int]) -> Dim:
    """Return a size with numbers in place of symbols; an int where none is left."""
    if isinstance(dim, int):
        return dim
    value = sizes.get(dim, dim) if dim.is_Symbol else dim.subs(sizes)
    return int(value) if isinstance(value, int) or value.is_Integer else value
