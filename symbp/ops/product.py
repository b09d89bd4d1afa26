"""Contractions: the only way a `Words` is built, so that every product is in one normal form.

Nested products are opened, identities and diagonals absorbed, numbers taken out, equal factors
joined to powers.  So transposes of products, `diag(u) v = u ⊙ v`, `tr(AB) = tr(BA)` and
`x · 1/x = 1` need no rule of their own: both sides are the same words.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

import sympy as sp

from symbp.ir import Constant, Dim, Expr, Shape, Size, Sum, Words, node
from symbp.ops.inverse import Pair, inverse_pair
from symbp.ops.joined import apart, turned
from symbp.ops.kinds import Elementwise
from symbp.ops.linear import ONE, negate, ones, parts, scale, zeros
from symbp.ops.power import base_and_exponent, power
from symbp.ops.selection import block_pair, one_of_each
from symbp.words import closed

Word = tuple[int, ...]
Factor = tuple[Expr, Word]


def contract(pattern: str, *args: Expr, **dims: Dim) -> Expr:
    """Return the contraction that a pattern such as `ij,jk->ik` says, one letter an axis.

    `dims` gives the sizes of letters that stand in the result alone.
    """
    left, right = pattern.replace(" ", "").split("->")
    words = left.split(",") if args else []
    letters = {letter: k for k, letter in enumerate(dict.fromkeys(left.replace(",", "") + right))}
    sizes = {letters[letter]: dim for letter, dim in dims.items()}
    factors = [(arg, tuple(letters[c] for c in w)) for arg, w in zip(args, words, strict=True)]
    return product(factors, tuple(letters[letter] for letter in right), sizes)


def product(factors: Iterable[Factor], out: Word, sizes: dict[int, Dim] | None = None) -> Expr:
    """Return Π factors, summed over the letters `out` lacks, in normal form."""
    opened = _Opened(list(factors), sizes or {})
    shape = tuple(opened.dims[letter] for letter in out)
    if opened.coefficient == 0:
        return zeros(*shape)
    out = tuple(opened.root(letter) for letter in out)
    pair = inverse_pair(opened.factors, out) or block_pair(opened.factors, out)
    if pair is not None:
        return scale(opened.coefficient, _without(pair, out, opened))
    roots = {i: dim for i, dim in opened.dims.items() if opened.root(i) == i}
    separate = apart(opened.factors, out, roots)
    if separate is not None:
        return scale(opened.coefficient, product(separate[0], out, separate[1]))
    chosen = one_of_each(opened.factors, out)
    if chosen is None:
        return zeros(*shape)
    chosen = _powers(chosen, out)
    for letter in _letters(opened.factors) - _letters(chosen) - set(out):
        del opened.dims[letter], roots[letter]
    merged = _merge(chosen)
    if any(_opens(factor) for factor, _ in merged):
        return scale(opened.coefficient, product(merged, out, roots))
    coefficient, merged = _count(merged, out, opened)
    return scale(coefficient, settled(merged, out, opened.dims))


def subproduct(factors: Sequence[Factor], out: Word, dims: Mapping[int, Dim] | Shape) -> Expr:
    """Return the product of some factors of another, whose letters have the sizes `dims`.

    A letter that none of them has, nor `out`, is gone with the others: it is not summed over.
    """
    known = dict(enumerate(dims)) if isinstance(dims, tuple) else dims
    return product(factors, out, {letter: known[letter] for letter in _letters(factors) | {*out}})


def distributed(expr: Expr, position: int) -> list[tuple[Fraction, Expr]]:
    """Return the terms of a product with the sum at a position multiplied out."""
    op = expr.op
    assert isinstance(op, Words)
    return [(c, with_factor(expr, position, term)) for c, term in parts(expr.args[position])]


def with_factor(expr: Expr, position: int, factor: Expr) -> Expr:
    """Return a product with another factor at a position."""
    op = expr.op
    assert isinstance(op, Words)
    args = [*expr.args[:position], factor, *expr.args[position + 1 :]]
    return product(zip(args, op.words, strict=True), op.out, dict(enumerate(op.dims)))


def settled(factors: Sequence[Factor], out: Word, dims: Mapping[int, Dim]) -> Expr:
    """Return the product of factors that nothing joins any more; a factor alone is itself."""
    if len(factors) == 1 and len(set(out)) == len(out):
        ((factor, word),) = factors
        if word == out or (factor.symmetric and word == out[::-1]):
            return factor
        joined = turned(factor, word, out)
        if joined is not None:
            return joined
    letters = dict.fromkeys([i for _, word in factors for i in word] + [*out])
    spelled = {letter: k for k, letter in enumerate(letters)}
    op = Words(
        tuple(tuple(spelled[i] for i in word) for _, word in factors),
        tuple(spelled[i] for i in out),
        tuple(dims[i] for i in letters),
    )
    return node(op, *(factor for factor, _ in factors))


def _without(pair: Pair, out: Word, opened: "_Opened") -> Expr:
    """Return the product in which a matrix and its inverse became the identity."""
    turn = {pair.other: pair.one}
    rest = [(factor, tuple(turn.get(i, i) for i in word)) for factor, word in pair.rest]
    sizes = {i: dim for i, dim in opened.dims.items() if opened.root(i) == i}
    sizes = {i: dim for i, dim in sizes.items() if i not in pair.gone and i not in turn}
    sizes.setdefault(pair.one, opened.dims[pair.one])
    return product(rest, tuple(turn.get(i, i) for i in out), sizes)


def _opens(factor: Expr) -> bool:
    """Tell whether joining powers uncovered a number or a product to open in turn."""
    op = factor.op
    if isinstance(op, Sum):
        return len(op.coefficients) == 1 and op.coefficients[0] != 1
    return isinstance(op, Words)


class _Opened:
    """Factors with nested products opened: `factors`, `coefficient`, `dims` and letter classes."""

    def __init__(self, factors: list[Factor], sizes: dict[int, Dim]) -> None:
        self.parent: dict[int, int] = {}
        self.dims: dict[int, Dim] = dict(sizes)
        self.coefficient = ONE
        self.factors: list[Factor] = []
        for factor, word in factors:
            for letter, dim in zip(word, factor.shape, strict=True):
                known = self.dims.setdefault(letter, dim)
                if known != dim:
                    raise ValueError(f"one letter of a product has sizes {known} and {dim}")
        self.fresh = 1 + max([*self.dims, *(i for _, word in factors for i in word), -1])
        pending = factors[::-1]
        while pending:
            self._open(*pending.pop(), pending)
        if self.parent:
            self.factors = [(f, tuple(map(self.root, word))) for f, word in self.factors]
        self._join_constants()

    def root(self, letter: int) -> int:
        while letter in self.parent:
            letter = self.parent[letter]
        return letter

    def _open(self, factor: Expr, word: Word, pending: list[Factor]) -> None:
        op = factor.op
        if isinstance(op, Sum) and len(op.coefficients) < 2:
            self.coefficient *= op.coefficients[0] if op.coefficients else 0
            pending.extend((arg, word) for arg in factor.args)
        elif isinstance(op, Sum) and max(op.coefficients) < 0:
            self.coefficient *= -1
            pending.append((negate(factor), word))
        elif isinstance(op, Words):
            names = {k: self.fresh + k for k in range(len(op.dims))}
            self.fresh += len(op.dims)
            self.dims.update({names[k]: dim for k, dim in enumerate(op.dims)})
            for inner, outer in zip(op.out, word, strict=True):
                self._join(names[inner], outer)
            inside = zip(factor.args, op.words, strict=True)
            pending.extend([(arg, tuple(names[i] for i in w)) for arg, w in inside][::-1])
        else:
            self.factors.append((factor, word))

    def _join_constants(self) -> None:
        """Write irrational numbers as one: √2 · (1/√π) is √2/√π, √2 · (1/√2) nothing."""
        values = [f.op.value for f, _ in self.factors if isinstance(f.op, Constant)]
        if len(values) < 2:
            return
        rational, rest = sp.Mul(*values).as_coeff_Mul(rational=True)
        self.coefficient *= Fraction(int(rational.p), int(rational.q))
        self.factors = [factor for factor in self.factors if not isinstance(factor[0].op, Constant)]
        if rest != 1:
            self.factors.append((node(Constant(rest)), ()))

    def _join(self, one: int, other: int) -> None:
        one, other = self.root(one), self.root(other)
        if one != other:
            self.parent[one] = other


def _merge(factors: Sequence[Factor]) -> list[Factor]:
    """Join factors of equal base and equal word: x · x = x², x · 1/x = 1."""
    turned = [(f, tuple(sorted(word)) if f.symmetric else word) for f, word in factors]
    bases = {(base_and_exponent(f)[0].digest, word) for f, word in turned}
    if len(bases) == len(turned) and not any(_is_idempotent_power(f) for f, _ in turned):
        return turned
    exponents: dict[tuple[str, Word], tuple[Expr, sp.Rational]] = {}
    for factor, word in turned:
        base, exponent = base_and_exponent(factor)
        first, before = exponents.get((base.digest, word), (base, sp.Integer(0)))
        exponents[base.digest, word] = (first, before + exponent)
    merged = []
    for (_, word), (base, exponent) in exponents.items():
        if isinstance(base.op, Elementwise) and base.op.idempotent and exponent > 0:
            exponent = sp.Integer(1)
        if exponent != 0:
            merged.append((power(base, exponent), word))
    return merged


def _is_idempotent_power(factor: Expr) -> bool:
    base, _ = base_and_exponent(factor)
    return base is not factor and isinstance(base.op, Elementwise) and base.op.idempotent


def _powers(factors: list[Factor], out: Word) -> list[Factor]:
    """Write scalars that stand several times, tr(A) tr(A), as one factor each, to be powers."""
    if sum(not set(word) & set(out) for _, word in factors) < 2:
        return factors
    groups = closed([word for _, word in factors], out)
    scalars = [[factors[k] for k in group] for group in groups if factors[group[0]][1]]
    known = [base_and_exponent(f)[0] for f, word in factors if not word]
    if len(scalars) + sum(isinstance(base.op, Words) for base in known) < 2:
        return factors
    values = [product(part, ()) for part in scalars]
    times = Counter(value.digest for value in (*values, *known))
    again = [(v, part) for v, part in zip(values, scalars, strict=True) if times[v.digest] > 1]
    gone = [factor for _, part in again for factor in part]
    kept = [f for f in factors if all(f is not other for other in gone)]
    return [*kept, *((value, ()) for value, _ in again)]


def _letters(factors: Iterable[Factor]) -> set[int]:
    return {letter for _, word in factors for letter in word}


def _count(factors: list[Factor], out: Word, opened: _Opened) -> tuple[Fraction, list[Factor]]:
    """Replace a sum over a letter that no factor has by the number of its terms."""
    used = {letter for _, word in factors for letter in word} | set(out)
    coefficient = opened.coefficient
    for letter, dim in opened.dims.items():
        if opened.root(letter) != letter or letter in used:
            continue
        if isinstance(dim, int | sp.Integer):
            coefficient *= int(dim)
        else:
            factors = [*factors, (node(Size(dim)), ())]
    return coefficient, factors


def broadcast(scalar: Expr, *dims: Dim) -> Expr:
    """Return an array that holds a scalar everywhere."""
    if scalar.rank:
        raise ValueError(f"only a scalar is repeated, not shape {scalar.shape}")
    return product([(scalar, ())], tuple(range(len(dims))), dict(enumerate(dims)))


def repeated(expr: Expr) -> Expr | None:
    """Return the scalar that an array holds everywhere, None where it is no such array."""
    terms = parts(expr)
    if len(terms) != 1 or not isinstance(terms[0][1].op, Words):
        return None
    ((coefficient, term),) = terms
    op = term.op
    assert isinstance(op, Words)
    if len(set(op.out)) < len(op.out) or {i for word in op.words for i in word} & set(op.out):
        return None
    used = {i: dim for i, dim in enumerate(op.dims) if i not in op.out}
    return scale(coefficient, product(zip(term.args, op.words, strict=True), (), used))


def hadamard(*args: Expr) -> Expr:
    """Return the product entry by entry; scalars among the arguments are repeated."""
    shape = max((arg.shape for arg in args), key=len)
    letters = tuple(range(len(shape)))
    return product([(a, letters if a.rank else ()) for a in args], letters, dict(enumerate(shape)))


def inner(a: Expr, b: Expr) -> Expr:
    """Return ⟨a, b⟩, the sum of the products of the entries."""
    letters = tuple(range(a.rank))
    return product([(a, letters), (b, letters)], ())


def total(a: Expr) -> Expr:
    """Return the sum of all entries."""
    return product([(a, tuple(range(a.rank)))], ())


def transpose(a: Expr) -> Expr:
    """Return Aᵀ; a vector becomes a matrix of one row."""
    return contract("ij->ji", a) if a.rank == 2 else contract("i,k->ki", a, ones(1))


def diagonal_delta(dim: Dim) -> Expr:
    """Return the identity matrix."""
    return product([], (0, 0), {0: dim})
