"""Merged axes of an outer product: where they are a Kronecker product."""

from dataclasses import dataclass

from symbp.ir import Expr, Words
from symbp.ops.kinds import Merge
from symbp.ops.product import product, subproduct
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
