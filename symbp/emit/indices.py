"""A contraction in index words: `Σ_k A_ik B_kj C_kl`, for what no matrix product says."""

from collections.abc import Iterable, Sequence
from itertools import count

from symbp.emit.layout import DELTA, ONE, Entries, Indexed, Layout, Quotient, Summed, row
from symbp.emit.strand import Factor, in_order

_LETTERS = "ijklmnpqrstuvwxyzabcdefgh"


def spelled(letters: Iterable[int]) -> dict[int, str]:
    """Return a letter of the alphabet for each number: i, j, k and so on, then i1, j1."""
    names = (letter + (str(turn) if turn else "") for turn in count() for letter in _LETTERS)
    return dict(zip(dict.fromkeys(letters), names, strict=False))


def index_words(factors: Sequence[Factor], out: tuple[int, ...]) -> Layout:
    """Return the product of the entries, summed over the letters that `out` lacks."""
    fresh = 1 + max([*out, *(i for factor in factors for i in factor.word)], default=0)
    places, deltas = list(out), []
    for position, letter in enumerate(out):
        if letter in places[:position]:
            places[position] = fresh + position
            deltas.append((letter, fresh + position))
    spell = spelled([*places, *(i for factor in factors for i in factor.word)])

    def indexed(part: Layout, word: Iterable[int]) -> Layout:
        return Indexed((part,), letters=tuple(spell[i] for i in word))

    front = [_whole(factor) for factor in in_order(f for f in factors if not f.word)]
    items = [indexed(_whole(factor), factor.word) for factor in factors if factor.word]
    items = [*front, *items, *(indexed(DELTA, pair) for pair in deltas)]
    body = row(*items) if items else ONE
    summed = [letter for letter in spell if letter not in places]
    if summed:
        body = Summed((body,), letters=tuple(spell[i] for i in summed))
    return Entries((body,), letters=tuple(spell[i] for i in places)) if out else body


def _whole(factor: Factor) -> Layout:
    return Quotient((ONE, factor.layout)) if factor.below else factor.layout
