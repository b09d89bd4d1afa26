"""Unit vectors and blocks of the identity: what picks an entry, a row or a block."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import sympy as sp

from symbp.ir import Dim, Expr, Op, Shape, node
from symbp.ops.inverse import Factor, Pair, Word


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


def one_of_each(factors: Sequence[Factor], out: Word) -> list[Factor] | None:
    """Return the factors of a product with one unit vector a letter; None where it is zero.

    e_i ⊙ e_i is e_i, and e_i ⊙ e_j zero where i and j are different numbers, as is E_iᵀ E_j.  A
    letter that has nothing but one unit vector is summed to 1.
    """
    if not any(isinstance(factor.op, Selection) for factor, _ in factors):
        return list(factors)
    if _are_apart(factors, out):
        return None
    first: dict[int, Dim] = {}
    kept: list[Factor] = []
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


def block_pair(factors: Sequence[Factor], out: Word) -> Pair | None:
    """Return two equal blocks of an identity that meet: E_kᵀ E_k = I."""
    for one, other in _meeting(factors, out):
        if factors[one][0].op == factors[other][0].op:
            rest = tuple(f for k, f in enumerate(factors) if k not in (one, other))
            (letter, first), (_, second) = factors[one][1], factors[other][1]
            return Pair(rest, first, second, frozenset([letter]))
    return None


def _are_apart(factors: Sequence[Factor], out: Word) -> bool:
    """Tell whether two blocks meet that have no row of the identity in common."""
    for one, other in _meeting(factors, out):
        first, second = factors[one][0].op, factors[other][0].op
        assert isinstance(first, Selection)
        assert isinstance(second, Selection)
        gaps = (second.offset - first.offset - first.dims[1],
                first.offset - second.offset - second.dims[1])  # fmt: skip
        if any(sp.S(gap).is_nonnegative for gap in gaps):
            return True
    return False


def _meeting(factors: Sequence[Factor], out: Word) -> Iterator[tuple[int, int]]:
    """Yield the places of two blocks whose rows have one letter, which nothing else has."""
    if len(factors) < 2:
        return
    places = [k for k, (f, w) in enumerate(factors) if isinstance(f.op, Selection) and len(w) == 2]
    for one, other in combinations(places, 2):
        letter = factors[one][1][0]
        times = sum(word.count(letter) for _, word in factors)
        if factors[other][1][0] == letter and times == 2 and letter not in out:
            yield one, other


def is_unit(expr: Expr) -> bool:
    """Tell whether an expression is a unit vector."""
    return isinstance(expr.op, Selection) and len(expr.op.dims) == 1
