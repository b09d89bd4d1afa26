"""Unit vectors and blocks of the identity: what picks an entry, a row or a block."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from symbp.ir import Dim, Expr, Op, Shape, node

Word = tuple[int, ...]


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


def one_of_each(factors: Sequence[tuple[Expr, Word]], out: Word) -> list[tuple[Expr, Word]] | None:
    """Return the factors of a product with one unit vector a letter; None where it is zero.

    e_i ⊙ e_i is e_i, and e_i ⊙ e_j zero where i and j are different numbers.  A letter that has
    nothing but one unit vector is summed to 1.
    """
    if not any(is_unit(factor) for factor, _ in factors):
        return list(factors)
    first: dict[int, Dim] = {}
    kept: list[tuple[Expr, Word]] = []
    for factor, word in factors:
        op = factor.op
        if not isinstance(op, Selection) or len(word) != 1:
            kept.append((factor, word))
            continue
        offset = first.setdefault(word[0], op.offset)
        if isinstance(offset, int) and isinstance(op.offset, int) and offset != op.offset:
            return None
        if (factor, word) not in kept:
            kept.append((factor, word))
    times = Counter(i for _, word in kept for i in word)
    return [(f, w) for f, w in kept if not (is_unit(f) and times[w[0]] == 1 and w[0] not in out)]


def is_unit(expr: Expr) -> bool:
    """Tell whether an expression is a unit vector."""
    return isinstance(expr.op, Selection) and len(expr.op.dims) == 1
