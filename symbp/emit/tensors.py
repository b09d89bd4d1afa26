"""Products of any rank: what is summed is multiplied first, the rest set side by side.

A result of three axes and more is an outer product of smaller cores, with an identity where a
letter stands twice.  So large arrays are contracted as matrices, and one `np.einsum` at the end
writes the result, no entry of it computed twice.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from symbp.emit.contract import Term, einsum, multiply
from symbp.emit.dims import Dims
from symbp.emit.factors import contracted, lettered
from symbp.emit.syntax import binary, call, literal, subscript
from symbp.ir import Dim

Word = tuple[int, ...]


def spread(terms: Sequence[Term], out: Word, sizes: Mapping[int, Dim], dims: Dims) -> Term:
    """Return a product whose letters are the axes of the result: 0, 1 and so on.

    terms: the factors, with letters.  out: the letters of the result, of which some may stand
    twice.  sizes: the size of each letter.
    """
    kept = tuple(dict.fromkeys(out))
    cores = []
    for group in groups([term.word for term in terms], kept):
        own = [terms[k] for k in group]
        word = tuple(i for i in kept if any(i in term.word for term in own))
        core = contracted(own, word, sizes).squeezed()
        cores.append(lettered(core, {i: out.index(i) for i in core.word}))
    places = {letter: [k for k, i in enumerate(out) if i == letter] for letter in kept}
    deltas = {pair: i for i, at in places.items() for pair in pairwise(at)}
    scalars = [core for core in cores if not core.word]
    whole = _joined([core for core in cores if core.word], deltas, sizes, dims)
    for scalar in scalars:
        whole = multiply(scalar, whole, whole.word) if whole is not None else scalar
    if whole is None:
        return Term(literal(1), ())
    return whole.aligned(range(len(out)))


def _joined(
    cores: list[Term], deltas: Mapping[tuple[int, int], int], sizes: Mapping[int, Dim], dims: Dims
) -> Term | None:
    """Return the outer product of cores and of an identity for each pair of axes; None of none."""
    eyes = [Term(dims.eye(sizes[letter]), pair) for pair, letter in deltas.items()]
    whole = tuple(sorted({i for core in (*cores, *eyes) for i in core.word}))
    if len(cores) + len(eyes) < 2:
        return (*cores, *eyes, None)[0]
    if not eyes and (len(whole) < 3 or any(core.word == whole for core in cores)):
        made = cores[0]
        for core in cores[1:]:
            made = multiply(made, core, whole)
        return made
    if len(cores) == len(eyes) == 1:
        found = _diagonal(cores[0], eyes[0])
        if found is not None:
            return found
    return einsum([*cores, *eyes], whole)


def _diagonal(core: Term, eye: Term) -> Term | None:
    """Return np.diag(v), or a stack of such matrices as `v[:, :, None] * np.eye(n)`."""
    first, second = eye.word
    if core.word == (first,):
        code = call("np.diag", core.code)
        return Term(code, eye.word, is_mask=core.is_mask, like=core.like)
    if core.word[-1] == first and second == first + 1:
        index = (*(slice(None) for _ in core.word), None)
        return Term(binary(subscript(core.code, index), "*", eye.code), (*core.word, second))
    return None


def groups(words: Sequence[Word], out: Word) -> list[list[int]]:
    """Return which words hang together by letters that `out` lacks, by position, in order."""
    found: list[tuple[set[int], list[int]]] = []
    for k, word in enumerate(words):
        letters, members = set(word) - set(out), [k]
        for other in [group for group in found if group[0] & letters]:
            letters, members = letters | other[0], [*other[1], *members]
            found.remove(other)
        found.append((letters, sorted(members)))
    return sorted(members for _, members in found)
