"""How many operations a formula takes: why there are sweeps.

A multiplication with the addition behind it, an addition alone, a function of an entry and a move
of an entry count one each.  The inverse, the determinant and the exponential of an n × n matrix
count n³.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache

import sympy as sp

from symbp.derive.derivation import Step
from symbp.ir import Dim, Examples, Expr, Sum, Words, size_value, walk
from symbp.lower.batch import EXAMPLES
from symbp.lower.loopsum import summed
from symbp.lower.numbers import Numbers
from symbp.lower.path import pairs, result_word
from symbp.ops.kinds import Nonlinear
from symbp.program import Binding

Sizes = Mapping[sp.Symbol, int]


@dataclass(frozen=True)
class Counting:
    """How sizes are read when operations are counted.

    size: a number or a formula for each size.  examples: what stands for their number.
    known: numbers by which the order of a product's factors is chosen.
    """

    size: Callable[[Dim], Dim]
    examples: Dim
    known: Sizes


def at_numbers(sizes: Sizes) -> Counting:
    """Return the counting at numbers for all sizes, for one example."""
    return Counting(lambda dim: int(size_value(dim, sizes)), 1, sizes)


def in_symbols(known: Sizes) -> Counting:
    """Return the counting in symbols for the sizes, over `EXAMPLES` examples."""
    return Counting(sp.S, EXAMPLES, known)


def sweep_operations(steps: Iterable[Step], sizes: Sizes) -> int:
    """Return the scalar operations of some lines for one example, each part of a line once."""
    lines = [step.binding for step in steps]
    if not any(line.loops for line in lines):
        counting = at_numbers(sizes)
        return sum(int(line_operations(line, counting)) for line in lines)
    counting = replace(in_symbols({}), examples=1)
    total = summed(lines, lambda line: sp.S(line_operations(line, counting)))
    return int(Numbers.of(sizes).value(total))


def line_operations(line: Binding, counting: Counting) -> Dim:
    """Return the scalar operations of a line in one turn, each part of it once.

    A line that adds to its target does so in every turn.
    """
    total: Dim = entries(line.target, counting) if line.adds else 0
    for part in walk(line.expr):
        total += _own(part, counting)
    return total


def written_out_operations(expr: Expr, sizes: Sizes) -> int:
    """Return the scalar operations of one written-out formula, every occurrence counted."""
    counting, total = at_numbers(sizes), dict[Expr, int]()
    for part in walk(expr):
        total[part] = int(_own(part, counting)) + sum(total[arg] for arg in part.args)
    return total[expr]


def _own(part: Expr, counting: Counting) -> Dim:
    """Return the operations of one node, its arguments being there."""
    op = part.op
    if not part.args:
        return 0
    first = part.args[0]
    if isinstance(op, Sum):
        scaled = sum(abs(c) != 1 for c in op.coefficients)
        return entries(part, counting) * (len(part.args) - 1 + scaled)
    if isinstance(op, Words):
        return _product(part, op, counting)
    if isinstance(op, Examples):
        return 0 if _is_added_up(first) else entries(first, counting)
    if isinstance(op, Nonlinear) and op.rank == 2:
        return entries(first, counting) * counting.size(first.shape[-1])
    return _larger(entries(part, counting), entries(first, counting))


def _is_added_up(term: Expr) -> bool:
    """Tell whether the sum of a term over examples comes with the multiplications in it."""
    return (isinstance(term.op, Words) and len(term.args) > 1) or not term.batched


def _product(part: Expr, op: Words, counting: Counting) -> Dim:
    """Return the multiplications of a product in its cheapest order, additions of a lone sum."""
    if len(op.words) == 1:
        summed = set(op.words[0]) - set(op.out)
        return entries(part.args[0], counting) if summed else 0
    own = len(op.dims)  # the letter of the examples
    words = [(own, *w) if arg.batched else w for arg, w in zip(part.args, op.words, strict=True)]
    out = (own, *op.out) if part.batched else op.out
    dims = [*op.dims, counting.examples]
    planned = {k: size_value(dim, counting.known) for k, dim in enumerate(dims)}
    total: Dim = 0
    for i, j in pairs(words, out, planned):
        rest = [word for k, word in enumerate(words) if k not in (i, j)]
        total += _times(counting.size(dims[letter]) for letter in {*words[i], *words[j]})
        words = [*rest, result_word(words[i], words[j], rest, out)]
    return total


def entries(expr: Expr, counting: Counting) -> Dim:
    """Return how many numbers a value has, over all examples where it depends on one."""
    examples = counting.examples if expr.batched else 1
    return examples * _times(map(counting.size, expr.shape))


def _times(sizes: Iterable[Dim]) -> Dim:
    total: Dim = 1
    for size in sizes:
        total *= size
    return total


def _larger(one: Dim, other: Dim) -> Dim:
    """Return the larger of two products of sizes, none of which is below one."""
    if isinstance(one, int) and isinstance(other, int):
        return max(one, other)
    return _larger_formula(sp.S(one), sp.S(other))


@cache
def _larger_formula(one: sp.Expr, other: sp.Expr) -> sp.Expr:
    if sp.denom(one / other) == 1:
        return one
    return other if sp.denom(other / one) == 1 else sp.Max(one, other)
