"""Words of letters in one spelling, whatever the order their factors were written in."""

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from itertools import groupby, permutations, product

Word = tuple[int, ...]


def spelling(digests: Sequence[str], words: Sequence[Word], out: Word, dims: Sequence[str]) -> str:
    """Return a text that is equal for equal products.

    digests: what the factors are.  words, out: their letters and the result's.  dims: the size of
    each letter.
    """
    orders = _orders(_colours(digests, words, out))
    return min(_spelled(digests, words, out, dims, order) for order in orders)


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
    if max(map(len, groups), default=1) > 4:  # beyond four alike one order must do
        yield order
        return
    for chosen in product(*(permutations(group) for group in groups)):
        yield [k for group in chosen for k in group]


def _colours(digests: Sequence[str], words: Sequence[Word], out: Word) -> list[str]:
    """Return texts that tell factors apart by what they are and how they hang together.

    Equal factors are told apart by their letters' neighbours, refined as often as there are
    factors (Weisfeiler & Leman 1968).
    """
    colours = list(digests)
    if len(set(colours)) == len(colours):
        return colours
    for _ in words:
        seen = {i: [f"out{k}" for k, o in enumerate(out) if o == i] for w in words for i in w}
        for colour, word in zip(colours, words, strict=True):
            for axis, letter in enumerate(word):
                seen[letter].append(f"{colour}.{axis}")
        letters = {letter: "+".join(sorted(ends)) for letter, ends in seen.items()}
        texts = [
            "|".join([c, *(letters[i] for i in w)]) for c, w in zip(colours, words, strict=True)
        ]
        colours = [blake2b(text.encode(), digest_size=8).hexdigest() for text in texts]
    return colours
