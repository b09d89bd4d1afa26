"""A contraction in index words: `δ_ik (Aᵀ b)_l`, `Σ_m T_ijm x_m`, for what no matrix product says.

What hangs together between two letters that stay is written as a matrix with its indices, between
one letter and nothing as a vector; only what is neither is summed over letters.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count

import sympy as sp

from symbp.emit.layout import (
    DELTA,
    ONE,
    Entries,
    Indexed,
    Layout,
    Power,
    Summed,
    Transposed,
    fold,
    quotient,
    row,
)
from symbp.emit.matricise import joined, matrix_form
from symbp.emit.strand import Factor, in_order
from symbp.ir import Shape

_LETTERS = "ijklmnpqrstuvwxyzabcdefgh"


def spelled(letters: Iterable[int], taken: Collection[str] = ()) -> dict[int, str]:
    """Return a letter of the alphabet for each number: i, j, k and so on, then i1, j1.

    taken: letters that stand for something else, for places in families.
    """
    names = (letter + (str(turn) if turn else "") for turn in count() for letter in _LETTERS)
    free = (name for name in names if name not in taken)
    return dict(zip(dict.fromkeys(letters), free, strict=False))


def axis_letters(rank: int, taken: Collection[str] = ()) -> tuple[str, ...]:
    """Return the letters of an array's own axes: i, j, k and so on."""
    return tuple(spelled(range(rank), taken).values())


@dataclass(frozen=True)
class Contraction:
    """Factors with their words, the word of the result, and the size of each letter.

    taken: letters of the alphabet that stand for something else.
    """

    factors: Sequence[Factor]
    out: tuple[int, ...]
    dims: Shape
    taken: Collection[str] = ()


def contraction(whole: Contraction, broadcast: bool) -> Layout:
    """Return a contraction in matrix notation, in index words where there is none."""
    found = matrix_form(whole.factors, whole.out, whole.dims, broadcast)
    return index_words(whole) if found is None else found


def index_words(whole: Contraction, compact: bool = True) -> Layout:
    """Return the product of the entries, summed over the letters that the result lacks.

    With `compact`, chains of matrices between letters that stay are joined first.
    """
    out = whole.out
    fresh = 1 + max([*out, *(i for factor in whole.factors for i in factor.word)], default=0)
    places, deltas = list(out), []
    for position, letter in enumerate(out):
        if letter in out[:position]:
            places[position] = fresh + position
            deltas.append((letter, fresh + position))
    deltas.sort(key=lambda pair: out.index(pair[0]))
    factors = _compacted(whole) if compact else whole.factors
    front = in_order(factor for factor in factors if not factor.word)
    rest = [factor for factor in factors if factor.word]
    inner = dict.fromkeys(letter for factor in factors for letter in _bound(_inside(factor.layout)))
    letters = dict.fromkeys([*places, *(i for factor in rest for i in factor.word)])
    fresh += len(out)
    spell = spelled([*letters, *range(fresh, fresh + len(inner))], whole.taken)
    renamed = {letter: spell[fresh + k] for k, letter in enumerate(inner)}

    def entries(some: Iterable[Factor], below: bool) -> list[Layout]:
        chosen = (factor for factor in some if factor.below == below)
        return [_entry(f, tuple(spell[i] for i in f.word), renamed) for f in chosen]

    signs = [Indexed((DELTA,), letters=tuple(spell[i] for i in pair)) for pair in deltas]
    above = [*entries(front, False), *signs, *entries(rest, False)]
    below = [*entries(front, True), *entries(rest, True)]
    body = quotient(row(*above) if above else ONE, row(*below) if below else None)
    summed = [letter for letter in letters if letter not in places]
    if summed:
        body = Summed((body,), letters=tuple(spell[i] for i in summed))
    return Entries((body,), letters=tuple(spell[i] for i in places)) if out else body


def at_entries(part: Layout, letters: tuple[str, ...]) -> Layout:
    """Return an array's entry at some letters; of index words, what stands inside."""
    if isinstance(part, Entries) and part.letters == letters:
        return part.parts[0]
    return Indexed((part,), letters=letters) if letters else part


def _bound(layout: Layout) -> list[str]:
    """Return the letters that an entry is summed over; those inside an array are its own."""

    def step(part: Layout, inner: list[list[str]]) -> list[str]:
        if isinstance(part, Indexed | Entries):
            return []
        own = part.letters if isinstance(part, Summed) else ()
        return [*own, *chain.from_iterable(inner)]

    return fold(layout, step)


def _relabelled(layout: Layout, names: Mapping[str, str]) -> Layout:
    """Return an entry with other letters; those inside an array stay."""

    def step(part: Layout, inner: list[Layout]) -> Layout:
        if isinstance(part, Indexed | Summed):
            part = replace(part, letters=tuple(names.get(i, i) for i in part.letters))
        keeps = not inner or isinstance(part, Indexed | Entries)
        return part if keeps else replace(part, parts=tuple(inner))

    return fold(layout, step)


def _inside(layout: Layout) -> Layout:
    """Return the entry that index words are made of; any other layout as it is."""
    return layout.parts[0] if isinstance(layout, Entries) else layout


def _entry(factor: Factor, letters: tuple[str, ...], bound: Mapping[str, str]) -> Layout:
    """Return a factor at its letters, A_ik or A_ik²; of one over A, the entry of A.

    Index words take the letters themselves; those that they sum over are renamed as `bound` says.
    """
    if isinstance(factor.layout, Entries):
        names = {**bound, **dict(zip(factor.layout.letters, letters, strict=True))}
        return _relabelled(_inside(factor.layout), names)
    if factor.squared is not None:
        base = Indexed((factor.squared,), letters=letters)
        return Power((base,), exponent=sp.Integer(2))
    if not letters:
        return _relabelled(factor.layout, bound) if bound else factor.layout
    return Indexed((factor.layout,), letters=letters)


def _compacted(whole: Contraction) -> list[Factor]:
    """Return the factors with what hangs together between letters that stay joined to one."""
    large = (factor for factor in whole.factors if len(factor.word) > 2)
    stay = {*whole.out, *(letter for factor in large for letter in factor.word)}
    scalars = [factor for factor in whole.factors if not factor.word]
    factors: list[Factor] = []
    for block in joined([factor for factor in whole.factors if factor.word], stay):
        if any(letter in stay for factor in block for letter in factor.word):
            factors += _chain(block, stay, whole.dims)
            continue
        closed = matrix_form(block, (), whole.dims, False)
        if closed is None:
            factors += block
        else:
            late = any(factor.late for factor in block)
            scalars.append(Factor(closed, late=late, rank=3))
    return [*scalars, *factors]


def _chain(block: list[Factor], stay: Collection[int], dims: Shape) -> list[Factor]:
    """Return factors as one matrix or vector at the letters that stay, where they are such."""
    ends = tuple(dict.fromkeys(i for factor in block for i in factor.word if i in stay))
    if len(block) == 1 and set(block[0].word) == set(ends):
        return block
    ends = tuple(sorted(ends))
    found = [(matrix_form(block, word, dims, False), word) for word in {ends, ends[::-1]}]
    forms = [(form, word) for form, word in found if form is not None and len(word) <= 2]
    if not forms:
        return block
    form, word = min(forms, key=lambda pair: (_transposes(pair[0]), pair[1]))
    return [Factor(form, word, late=any(factor.late for factor in block))]


def _transposes(layout: Layout) -> int:
    """Return how many transposes a layout writes."""
    return fold(layout, lambda part, inner: sum(inner) + isinstance(part, Transposed))
