"""In which order the factors of a product are multiplied: the cheapest, two at a time.

The classic case is the matrix chain; here any words are ordered, so that Wᵀ(U δ) is two products
with a vector and a mask is applied to a vector, never to a matrix.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations

import sympy as sp
from sympy.core.function import AppliedUndef

from symbp.ir import Dim

Word = tuple[int, ...]
TYPICAL = 64
"""Taken for a size that has no number, the number of examples among them."""


def size_of(dim: Dim) -> int:
    """Return a size as a number."""
    if isinstance(dim, int):
        return dim
    if dim.is_Symbol:
        return TYPICAL
    members = dict.fromkeys(dim.atoms(AppliedUndef), sp.Integer(TYPICAL))
    value = dim.xreplace(members)
    return int(value.subs(dict.fromkeys(value.free_symbols, TYPICAL)))


def pairs(words: Sequence[Word], out: Word, dims: Mapping[int, Dim]) -> list[tuple[int, int]]:
    """Return which two factors to multiply next, again and again, by position.

    The result of each step is put at the end.  Exhaustive for up to five factors, beyond that
    the cheapest next step.
    """
    sizes = {letter: size_of(dim) for letter, dim in dims.items()}
    plan = _search if len(words) < 6 else _greedy
    return plan(tuple(words), out, sizes)[1]


def result_word(one: Word, other: Word, rest: Sequence[Word], out: Word) -> Word:
    """Return the letters that the product of two factors keeps: those read later."""
    later = {letter for word in rest for letter in word} | set(out)
    return tuple(i for i in dict.fromkeys((*one, *other)) if i in later)


def cost(one: Word, other: Word, sizes: Mapping[int, int]) -> int:
    """Return the multiplications of one step."""
    total = 1
    for letter in {*one, *other}:
        total *= max(sizes[letter], 1)
    return total


def _step(words: tuple[Word, ...], pair: tuple[int, int], out: Word) -> tuple[Word, ...]:
    rest = tuple(word for k, word in enumerate(words) if k not in pair)
    return (*rest, result_word(words[pair[0]], words[pair[1]], rest, out))


def _search(
    words: tuple[Word, ...], out: Word, sizes: Mapping[int, int]
) -> tuple[int, list[tuple[int, int]]]:
    if len(words) < 2:
        return 0, []
    best: tuple[int, list[tuple[int, int]]] | None = None
    for pair in combinations(range(len(words)), 2):
        here = cost(words[pair[0]], words[pair[1]], sizes)
        if best is not None and here >= best[0]:
            continue
        later, plan = _search(_step(words, pair, out), out, sizes)
        if best is None or here + later < best[0]:
            best = (here + later, [pair, *plan])
    assert best is not None
    return best


def _greedy(
    words: tuple[Word, ...], out: Word, sizes: Mapping[int, int]
) -> tuple[int, list[tuple[int, int]]]:
    total, plan = 0, []
    while len(words) > 1:
        pair = min(
            combinations(range(len(words)), 2),
            key=lambda p: cost(words[p[0]], words[p[1]], sizes),
        )
        total += cost(words[pair[0]], words[pair[1]], sizes)
        plan.append(pair)
        words = _step(words, pair, out)
    return total, plan
