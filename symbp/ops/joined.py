"""Joined axes in a contraction: a sum over them is a sum over the axes they were joined from.

So vec(D)ᵀ (Bᵀ ⊗ A) vec(X) is tr(Dᵀ A X B) and tr(A ⊗ X) is tr(A) tr(X): the words say it once the
joined letters are taken apart.
"""

from collections.abc import Mapping, Sequence

from symbp.ir import Dim, Expr, node
from symbp.ops.kinds import Merge

Word = tuple[int, ...]
Factor = tuple[Expr, Word]


def apart(
    factors: Sequence[Factor], out: Word, dims: Mapping[int, Dim]
) -> tuple[list[Factor], dict[int, Dim]] | None:
    """Return the factors with a summed joined letter taken apart, and the sizes of the letters.

    None where there is no letter that every factor which has it joined from the same sizes.
    """
    for letter in dict.fromkeys(i for f, word in factors if isinstance(f.op, Merge) for i in word):
        ends = [(f, axis) for f, word in factors for axis, i in enumerate(word) if i == letter]
        sizes = _inner_sizes(*ends[0])
        if letter in out or len(sizes) < 2 or any(_inner_sizes(*end) != sizes for end in ends):
            continue
        fresh = 1 + max([*dims, *out])
        new = tuple(range(fresh, fresh + len(sizes)))
        known = {i: dim for i, dim in dims.items() if i != letter}
        made = [_opened(factor, word, letter, new) for factor, word in factors]
        return made, known | dict(zip(new, sizes, strict=True))
    return None


def _inner_sizes(factor: Expr, axis: int) -> tuple[Dim, ...]:
    """Return the sizes that an axis was joined from; none where it was not joined."""
    if not isinstance(factor.op, Merge):
        return ()
    (inner,) = factor.args
    return tuple(inner.shape[k] for k in factor.op.groups[axis])


def _opened(factor: Expr, word: Word, letter: int, new: Word) -> Factor:
    """Return a factor with new letters in the place of a joined one."""
    if letter not in word:
        return factor, word
    assert isinstance(factor.op, Merge)
    groups: list[tuple[int, ...]] = []
    letters: list[int] = []
    for group, i in zip(factor.op.groups, word, strict=True):
        groups += [(axis,) for axis in group] if i == letter else [group]
        letters += new if i == letter else [i]
    (inner,) = factor.args
    if all(len(group) == 1 for group in groups):
        place = {axis: i for (axis,), i in zip(groups, letters, strict=True)}
        return inner, tuple(place[axis] for axis in range(inner.rank))
    return node(Merge(tuple(groups)), inner), tuple(letters)


def turned(factor: Expr, word: Word, out: Word) -> Expr | None:
    """Return joined axes in another order, (A ⊗ B)ᵀ for example; None for anything else."""
    if not isinstance(factor.op, Merge) or word == out:
        return None
    if sorted(word) != sorted(out) or len(set(word)) < len(word):
        return None
    groups = tuple(factor.op.groups[word.index(letter)] for letter in out)
    return node(Merge(groups), *factor.args)
