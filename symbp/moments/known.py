"""What is known of a random array's entries."""

from dataclasses import dataclass

from symbp.ir import Expr


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


class NotDerived(Exception):
    """An expectation that the laws at hand do not give; the text says why."""
