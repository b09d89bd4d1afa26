"""Words of letters in one spelling, whatever the order their factors were written in."""

from collections.abc import Collection, Iterator, Sequence
from hashlib import blake2b
from itertools import groupby, permutations, product

Word = tuple[int, ...]
Marked = tuple[str, bool]
"""What a factor is, and whether it is a symmetric matrix, whose letters may be exchanged."""

MOST = 4
"""Of more factors alike, and of more symmetric ones, one order must do."""


def spelling(
    factors: Sequence[Marked], words: Sequence[Word], out: Word, dims: Sequence[str]
) -> str:
    """Return a text that is equal for equal products.

    words, out: the letters of the factors and of the result.  dims: the size of each letter.
    """
    digests = [digest for digest, _ in factors]
    if len(set(digests)) == len(digests) and not any(symmetric for _, symmetric in factors):
        order = sorted(range(len(digests)), key=digests.__getitem__)
        return _spelled(digests, words, out, dims, order)
    orders = list(_orders(_colours(factors, words, out)))
    turned = list(_turns([symmetric for _, symmetric in factors], words))
    return min(_spelled(digests, turn, out, dims, order) for turn in turned for order in orders)


def is_own_transpose(
    factors: Sequence[Marked], words: Sequence[Word], out: Word, dims: Sequence[str]
) -> bool:
    """Tell whether a product is the same with the two letters of its result exchanged."""
    if out[0] == out[1]:
        return True
    held = [(digest, i) for (digest, _), word in zip(factors, words, strict=True) for i in word]
    ends = [sorted(digest for digest, i in held if i == letter) for letter in out]
    if ends[0] != ends[1]:  # the one end is not like the other: no need to spell
        return False
    return spelling(factors, words, out, dims) == spelling(factors, words, out[::-1], dims)


def _turns(symmetric: Sequence[bool], words: Sequence[Word]) -> Iterator[Sequence[Word]]:
    """Yield the words with the letters of symmetric matrices in either order."""
    turning = [s and len(set(word)) == 2 for s, word in zip(symmetric, words, strict=True)]
    if sum(turning) > MOST:
        yield [tuple(sorted(w)) if t else w for t, w in zip(turning, words, strict=True)]
        return
    ways = [(w, w[::-1]) if t else (w,) for t, w in zip(turning, words, strict=True)]
    yield from product(*ways)


def _spelled(
    digests: Sequence[str],
    words: Sequence[Word],
    out: Word,
    dims: Sequence[str],
    order: Sequence[int],
) -> str:
    """Return the words with the factors in an order, letters numbered as they are met."""
    letters: dict[int, int] = {}
    for letter in [*out, *(i for k in order for i in words[k])]:
        letters.setdefault(letter, len(letters))
    factors = [f"{digests[k]}{[letters[i] for i in words[k]]}" for k in order]
    return f"words{factors}->{[letters[i] for i in out]}{[dims[letter] for letter in letters]}"


def _orders(colours: Sequence[str]) -> Iterator[Sequence[int]]:
    """Yield the sorted order of factors, and where equal ones stand, their other orders."""
    order = sorted(range(len(colours)), key=lambda k: colours[k])
    groups = [list(group) for _, group in groupby(order, key=lambda k: colours[k])]
    if max(map(len, groups), default=1) > MOST:
        yield order
        return
    for chosen in product(*(permutations(group) for group in groups)):
        yield [k for group in chosen for k in group]


def _colours(factors: Sequence[Marked], words: Sequence[Word], out: Word) -> list[str]:
    """Return texts that tell factors apart by what they are and how they hang together.

    Equal factors are told apart by their letters' neighbours, refined as often as there are
    factors (Weisfeiler & Leman 1968).
    """
    colours = [digest for digest, _ in factors]
    if len(set(colours)) == len(colours):
        return colours
    ends = [(0, 0) if symmetric else (0, 1) for _, symmetric in factors]
    for _ in words:
        seen = {i: [f"out{k}" for k, o in enumerate(out) if o == i] for w in words for i in w}
        for colour, word, end in zip(colours, words, ends, strict=True):
            for axis, letter in enumerate(word):
                seen[letter].append(f"{colour}.{end[axis] if axis < 2 else axis}")
        letters = {letter: "+".join(sorted(ends)) for letter, ends in seen.items()}
        texts = [
            "|".join([c, *_in_order([letters[i] for i in w], symmetric)])
            for c, w, (_, symmetric) in zip(colours, words, factors, strict=True)
        ]
        colours = [blake2b(text.encode(), digest_size=8).hexdigest() for text in texts]
    return colours


def _in_order(ends: list[str], symmetric: bool) -> list[str]:
    return sorted(ends) if symmetric else ends


def closed(words: Sequence[Word], out: Word) -> list[list[int]]:
    """Return the positions of the words that no letter ties to the result, grouped likewise."""
    groups = components(words)
    return [group for group in groups if not {i for k in group for i in words[k]} & set(out)]


def components(words: Sequence[Collection[int]]) -> list[list[int]]:
    """Return the positions of the words, grouped by the letters that join them."""
    groups: list[tuple[set[int], list[int]]] = []
    for position, word in enumerate(words):
        letters, members = set(word), [position]
        for group in [group for group in groups if group[0] & letters]:
            groups.remove(group)
            letters |= group[0]
            members += group[1]
        groups.append((letters, sorted(members)))
    return [members for _, members in groups]
