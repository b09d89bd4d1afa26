"""What is known of a random array's entries."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import sympy as sp

from symbp.ir import Dim, Expr, symbol
from symbp.ops.rewrite import resize


@dataclass(frozen=True)
class Product:
    """A weight, the axis of it that is summed over, and the entry of what it multiplies.

    read: the same without the weights between it and the line, x for B in A B x; None where the
    weight has no side that is the line's, as in xᵀ W x.
    """

    weight: Expr
    axis: int
    operand: Expr
    read: Expr | None


@dataclass(frozen=True)
class Known:
    """What is known of an array's entries.

    centred: their mean is zero.  zero: all of them are, at the start.  normal: they are normal
    variables.  fixed: a number that is given, shared by all entries.  roots: the fresh variables
    they are made of.  definition: an entry in terms of others, where it is that.  products: what a
    fresh normal variable is the sum of.  second: E[z²], of what has no
    name of its own.
    """

    centred: bool = False
    zero: bool = False
    normal: bool = False
    fixed: bool = False
    roots: frozenset[Expr] = frozenset()
    definition: Expr | None = None
    products: tuple[Product, ...] = ()
    second: Expr | None = None

    def at(self, letters: Sequence[Dim], places: Sequence[Dim]) -> "Known | None":
        """Return what is known of a member at letters for one at other places.

        None where it is made of what other turns have made, which no letter tells apart.
        """
        moved: dict[sp.Expr, Any] = dict(zip(map(sp.S, letters), places, strict=True))
        turns = all(symbol(root).index and symbol(root).role != "param" for root in self.roots)
        if not turns or not all(letter.is_Symbol for letter in moved):
            return None
        definition = None if self.definition is None else resize(self.definition, moved)
        return replace(
            self,
            roots=frozenset(resize(root, moved) for root in self.roots),
            definition=definition,
            products=(),
        )


class NotDerived(Exception):
    """An expectation that the laws at hand do not give; the text says why."""
