"""The Kronecker product: an outer product with its axes merged, row with row."""

from collections.abc import Sequence
from dataclasses import dataclass

from symbp.ir import Expr, Words
from symbp.ops.kinds import Merge
from symbp.ops.product import product, subproduct
from symbp.ops.reshape import merge
from symbp.words import components

Word = tuple[int, ...]


@dataclass(frozen=True)
class Kron:
    """scalars · (factors[0] ⊗ factors[1] ⊗ …)."""

    factors: tuple[Expr, ...]
    scalars: tuple[Expr, ...]


def kronecker(arg: Expr, op: Merge) -> Kron | None:
    """Return the factors of `op(arg)` as a Kronecker product, None where it is none.

    Entry (i k, j l) of A ⊗ B is A_ij B_kl: each group of axes has one of each factor, and no part
    of the product hangs on the axes of two factors.
    """
    words = arg.op
    counts = {len(group) for group in op.groups}
    if not isinstance(words, Words) or len(counts) != 1 or 1 in counts:
        return None
    outs = [tuple(words.out[group[k]] for group in op.groups) for k in range(counts.pop())]
    if sum(len(set(out)) for out in outs) != len(set(words.out)):
        return None
    parts: list[list[tuple[Expr, Word]]] = [[] for _ in outs]
    scalars = []
    every = list(zip(arg.args, words.words, strict=True))
    for group in components(words.words):
        factors = [every[k] for k in group]
        letters = {i for _, word in factors for i in word}
        touched = [k for k, out in enumerate(outs) if letters & set(out)]
        if len(touched) > 1:
            return None
        if touched:
            parts[touched[0]] += factors
        else:
            scalars.append(product(factors, ()))
    made = (subproduct(own, out, words.dims) for out, own in zip(outs, parts, strict=True))
    return Kron(tuple(made), tuple(scalars))


def square_factors(expr: Expr) -> Kron | None:
    """Return the factors of A ⊗ B ⊗ … where each is a square matrix, None where it is no such."""
    if not isinstance(expr.op, Merge) or expr.rank != 2:
        return None
    found = kronecker(expr.args[0], expr.op)
    square = found is not None and all(f.shape[0] == f.shape[1] for f in found.factors)
    return found if square else None


def kronecker_product(factors: Sequence[Expr]) -> Expr:
    """Return A ⊗ B ⊗ … of matrices."""
    words = [(2 * k, 2 * k + 1) for k in range(len(factors))]
    rows, columns = zip(*words, strict=True)
    count = len(factors)
    groups = (tuple(range(count)), tuple(range(count, 2 * count)))
    return merge(groups, product(zip(factors, words, strict=True), (*rows, *columns)))
