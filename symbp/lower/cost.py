"""How many operations a formula takes: why there are sweeps."""

from collections.abc import Iterable, Mapping

import sympy as sp

from symbp.derive.derivation import Step
from symbp.ir import Dim, Expr, Sum, Words, size_value, walk
from symbp.lower.path import cost, pairs, result_word

Sizes = Mapping[sp.Symbol, int]


def sweep_operations(steps: Iterable[Step], sizes: Sizes) -> int:
    """Return the scalar operations of some lines for one example, each part of a line once."""
    return sum(_own(part, sizes) for step in steps for part in walk(step.expr))


def written_out_operations(expr: Expr, sizes: Sizes) -> int:
    """Return the scalar operations of one written-out formula, every occurrence counted."""
    total: dict[Expr, int] = {}
    for part in walk(expr):
        total[part] = _own(part, sizes) + sum(total[arg] for arg in part.args)
    return total[expr]


def _own(part: Expr, sizes: Sizes) -> int:
    """Return the operations of one node, its arguments being there."""
    op = part.op
    if not part.args:
        return 0
    entries = _entries(part.shape, sizes)
    if isinstance(op, Sum):
        scaled = sum(abs(c) != 1 for c in op.coefficients)
        return entries * (len(part.args) - 1 + scaled)
    if isinstance(op, Words):
        return _product(part, op, sizes)
    return max(entries, _entries(part.args[0].shape, sizes))


def _product(part: Expr, op: Words, sizes: Sizes) -> int:
    """Return the multiplications of a product in its cheapest order, additions of a lone sum."""
    dims = {letter: int(size_value(dim, sizes)) for letter, dim in enumerate(op.dims)}
    words = list(op.words)
    if len(words) == 1:
        whole = _entries(part.args[0].shape, sizes)
        return whole if set(words[0]) - set(op.out) else 0
    total = 0
    for i, j in pairs(words, op.out, dims):
        rest = [word for k, word in enumerate(words) if k not in (i, j)]
        total += cost(words[i], words[j], dims)
        words = [*rest, result_word(words[i], words[j], rest, op.out)]
    return total


def _entries(shape: tuple[Dim, ...], sizes: Sizes) -> int:
    total = 1
    for dim in shape:
        total *= int(size_value(dim, sizes))
    return total
