"""Values while an expression is read: an expression of the IR, or a vector lying down.

The transpose of a vector gets no axis of its own: it is the same vector, marked as a row, so that
`x' @ M @ z` is the scalar `i,ij,j->` and nothing of shape 1 x n comes between.
"""

from dataclasses import dataclass
from typing import Literal

from symbp.ir import Dim, Expr
from symbp.ops.product import contract, total

ValueKind = Literal["scalar", "vector", "row", "matrix"]


@dataclass(frozen=True, slots=True)
class Value:
    """A scalar, a column vector, a matrix, or with `row` a vector of shape 1 x n."""

    expr: Expr
    row: bool = False

    @property
    def kind(self) -> ValueKind:
        """What it is, in the words of the language."""
        if self.row:
            return "row"
        kinds: tuple[ValueKind, ...] = ("scalar", "vector", "matrix")
        return kinds[self.expr.rank]

    @property
    def dims(self) -> tuple[Dim, ...]:
        """The shape as a person says it: `n` for a column, `1 x n` for a row."""
        return (1, *self.expr.shape) if self.row else self.expr.shape

    @property
    def single(self) -> bool:
        """Whether it has one entry, whatever its axes, and so may stand for a scalar."""
        return all(is_one(dim) for dim in self.expr.shape)


def is_one(dim: Dim) -> bool:
    """Tell whether a dimension is the number 1; a size that happens to be 1 is not."""
    return bool(dim == 1)


def scalar(value: Value) -> Expr:
    """Return the entry of a value that has a single one."""
    assert value.single, value
    return total(value.expr)


def assigned(value: Value) -> Expr:
    """Return what a name is given: a row becomes a matrix of one row."""
    return contract("j->ij", value.expr, i=1) if value.row else value.expr


def as_matrix(value: Value) -> Expr:
    """Return a value with two axes, a vector as a single column."""
    if value.kind == "vector":
        return contract("i->ij", value.expr, j=1)
    return contract("->ij", value.expr, i=1, j=1) if value.kind == "scalar" else assigned(value)
