"""A matrix beside its inverse: M⁻¹ M = I, found among the factors of a contraction."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from symbp.ir import Expr, Words
from symbp.ops.kinds import Nonlinear

Word = tuple[int, ...]
Factor = tuple[Expr, Word]


@dataclass(frozen=True)
class Pair:
    """A matrix and its inverse that meet: `rest` is left, and the letters `one`, `other` are equal.

    gone: the letters that were summed between the two.
    """

    rest: tuple[Factor, ...]
    one: int
    other: int
    gone: frozenset[int]


def is_inverse(expr: Expr) -> bool:
    """Tell whether an expression is the inverse of one matrix."""
    return isinstance(expr.op, Nonlinear) and expr.op.name == "inv" and not expr.op.leading


def inverse_pair(factors: Sequence[Factor], out: Word) -> Pair | None:
    """Return the first inverse that meets its matrix, also one that is a product itself."""
    for position, (factor, word) in enumerate(factors):
        if not is_inverse(factor) or len(set(word)) < 2:
            continue
        matrix = factor.args[0]
        for inner, outer in ((1, 0), (0, 1)):
            for pattern, ends in _patterns(matrix):
                met = {ends[1 - inner]: word[inner]}
                for used, letters in _matches(pattern, factors, met, {position}):
                    found = Pair(
                        tuple(f for k, f in enumerate(factors) if k not in used),
                        word[outer],
                        letters[ends[inner]],
                        frozenset(i for end, i in letters.items() if end != ends[inner]),
                    )
                    if _is_closed(found, out):
                        return found
    return None


def _patterns(matrix: Expr) -> Iterator[tuple[list[Factor], Word]]:
    """Yield the factors of a matrix with the letters of rows and columns; of Mᵀ = M both ways."""
    op = matrix.op
    if isinstance(op, Words) and len(set(op.out)) == 2 and op.words:
        pattern, ends = list(zip(matrix.args, op.words, strict=True)), op.out
    else:
        pattern, ends = [(matrix, (0, 1))], (0, 1)
    yield pattern, ends
    if matrix.symmetric:
        yield pattern, ends[::-1]


def _matches(
    pattern: Sequence[Factor], factors: Sequence[Factor], letters: dict[int, int], used: set[int]
) -> Iterator[tuple[set[int], dict[int, int]]]:
    """Yield the ways to find the pattern among the factors: the positions, and the letters."""
    if not pattern:
        yield used, letters
        return
    (wanted, word), *rest = pattern
    for position, (factor, letters_there) in enumerate(factors):
        if position in used or factor.digest != wanted.digest:
            continue
        turns = [letters_there, letters_there[::-1]] if factor.symmetric else [letters_there]
        for there in turns:
            made = dict(letters)
            if all(made.setdefault(i, j) == j for i, j in zip(word, there, strict=True)):
                yield from _matches(rest, factors, made, used | {position})


def _is_closed(pair: Pair, out: Word) -> bool:
    """Tell whether nothing else has the letters between the two."""
    left = {letter for _, word in pair.rest for letter in word} | set(out)
    return not pair.gone & (left | {pair.one, pair.other})
