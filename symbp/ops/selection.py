"""Unit vectors and blocks of the identity: what picks an entry, a row or a block."""

from collections.abc import Sequence
from dataclasses import dataclass

from symbp.ir import Dim, Expr, Op, Shape, node


@dataclass(frozen=True)
class Selection(Op):
    """Columns of the identity, from the column `offset` on; it takes no arguments.

    With one axis it is the unit vector e_offset, `np.eye(N)[offset]`; with two, `(N, n)`, the
    matrix `np.eye(N, n, -offset)`.  So `e_iᵀ X e_j` is the entry X_ij, and a block matrix is
    Σ E_i B_ij F_jᵀ.  A constant: no tangent enters it and no adjoint leaves it.
    """

    dims: Shape
    offset: Dim
    name: str = "selection"

    def shape(self, args: Sequence[Expr]) -> Shape:
        """Return the declared shape."""
        return self.dims

    def __str__(self) -> str:
        return f"e_{self.offset}" if len(self.dims) == 1 else f"E_{self.offset}"


def unit(dim: Dim, index: Dim) -> Expr:
    """Return the unit vector with a 1 at `index`, counted from 0."""
    return node(Selection((dim,), index))


def block(dim: Dim, size: Dim, offset: Dim) -> Expr:
    """Return the `size` columns of the identity from `offset` on, of shape (dim, size)."""
    return node(Selection((dim, size), offset))
