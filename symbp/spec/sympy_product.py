"""Contractions as SymPy matrix expressions, by eliminating one summed letter after the other.

A factor with one letter is a column, with two a matrix, rows first.  A summed letter goes when it
joins at most two matrices; what is left carries the letters of the result.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import sympy as sp
from sympy.matrices.expressions.diagonal import DiagMatrix, DiagonalOf
from sympy.matrices.expressions.hadamard import HadamardPower, hadamard_product
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.matrices.expressions.slice import MatrixSlice

from symbp.errors import SymbpError

Word = tuple[int, ...]


@dataclass(frozen=True)
class SympyFactor:
    """A SymPy scalar, column or matrix, and its letters."""

    value: Any
    word: Word


def total(matrix: Any) -> Any:
    """Return the sum of the entries, as a scalar."""
    rows, columns = matrix.shape
    summed = sp.MatMul(sp.OneMatrix(1, rows), matrix)
    return sp.Trace(summed if columns == 1 else sp.MatMul(summed, sp.OneMatrix(columns, 1)))


def contraction(factors: Sequence[SympyFactor], out: Word, dims: Sequence[Any]) -> Any:
    """Return Π factors, summed over the letters `out` lacks.

    Raises SymbpError where that is no scalar, and no matrix expression either.
    """
    if len(out) > 2 or any(len(factor.word) > 2 for factor in factors):
        raise SymbpError("SymPy has no matrix expression with three axes or more")
    held = _reached(factors, set(out))
    scalars, rest = [], [f for f in factors if not held & set(f.word)]
    while rest:
        group = _reached(rest, set(rest[0].word))
        together = [f for f in rest if f is rest[0] or group & set(f.word)]
        scalars.append(_scalar(together, dims))
        rest = [f for f in rest if all(f is not other for other in together)]
    work = _Elimination([f for f in factors if held & set(f.word)], out, dims)
    if not work.run():
        words = ",".join("".join(map(str, f.word)) for f in factors)
        raise SymbpError(f"SymPy has no matrix expression for the words {words}")
    work.scalars += scalars
    return work.result()


def _reached(factors: Sequence[SympyFactor], letters: set[int]) -> set[int]:
    """Return the letters that hang together with the given ones."""
    reached = set(letters)
    while True:
        more = {i for f in factors if reached & set(f.word) for i in f.word} - reached
        if not more:
            return reached
        reached |= more


def _scalar(factors: Sequence[SympyFactor], dims: Sequence[Any]) -> Any:
    """Return factors that hang together, summed over all of their letters."""
    first = factors[0]
    if not first.word:
        return first.value
    if len(factors) == 1 and isinstance(first.value, HadamardPower) and first.value.exp == 2:
        return _norm(first)
    element = _elements(factors)
    if element is not None:
        return element
    work = _Elimination(factors, (), dims)
    return work.result() if work.run() else _indexed(factors, dims)


def _norm(factor: SympyFactor) -> Any:
    """Return Σ m² as tr(Mᵀ M); on a diagonal, of the diagonal."""
    base = factor.value.base
    column = DiagonalOf(base) if len(factor.word) > len(set(factor.word)) else base
    return sp.Trace(_multiplied(column.T, column))


class _Elimination:
    """The factors left over, and the scalars split off."""

    def __init__(self, factors: Sequence[SympyFactor], out: Word, dims: Sequence[Any]) -> None:
        self.out, self.dims = out, dims
        self.scalars: list[Any] = []
        self.factors = list(factors)

    def run(self) -> bool:
        """Eliminate the summed letters; tell whether all of them went."""
        while pending := {i for f in self.factors for i in f.word} - set(self.out):
            ready = [i for i in sorted(pending) if len(self._matrices(i)) <= 2]
            if ready:
                self._eliminate(min(ready, key=lambda i: len(self._matrices(i))))
            elif not self._join_parallel():
                return False
        return True

    def result(self) -> Any:
        """Return what carries the letters of the result, times the scalars."""
        scalar = sp.Mul(*self.scalars)
        if not self.out:
            return scalar
        while self._join_parallel():
            pass
        made = self._diagonal(self.out[0]) if len(set(self.out)) == 1 else self._outer()
        return made if scalar == 1 else sp.MatMul(scalar, made).doit(deep=False)

    def _diagonal(self, letter: int) -> Any:
        """Return the column of a letter, or the diagonal matrix of it."""
        column = self._take_column(letter)
        if len(self.out) == 1:
            return sp.OneMatrix(self.dims[letter], 1) if column is None else column
        return sp.Identity(self.dims[letter]) if column is None else DiagMatrix(column)

    def _outer(self) -> Any:
        """Return diag(u) M diag(v), or u vᵀ where there is no matrix."""
        row, column = self.out
        left, right = self._take_column(row), self._take_column(column)
        if self.factors:
            made = _oriented(self.factors[0], row)
            before = [] if left is None else [DiagMatrix(left)]
            after = [] if right is None else [DiagMatrix(right)]
            return _multiplied(*before, made, *after)
        if left is None and right is None:
            return sp.OneMatrix(self.dims[row], self.dims[column])
        first = sp.OneMatrix(self.dims[row], 1) if left is None else left
        second = sp.OneMatrix(self.dims[column], 1) if right is None else right
        return _multiplied(first, second.T)

    def _matrices(self, letter: int) -> list[SympyFactor]:
        return [f for f in self.factors if letter in f.word and len(set(f.word)) == 2]

    def _columns(self, letter: int) -> list[Any]:
        """Take the columns and the diagonals of a letter out of the factors."""
        found = [f for f in self.factors if set(f.word) == {letter}]
        self.factors = [f for f in self.factors if set(f.word) != {letter}]
        return [f.value if len(f.word) == 1 else DiagonalOf(f.value) for f in found]

    def _take_column(self, letter: int) -> Any:
        columns = self._columns(letter)
        return reduce(hadamard_product, columns) if columns else None

    def _eliminate(self, letter: int) -> None:
        """Sum over a letter that at most two matrices have."""
        matrices = self._matrices(letter)
        if not matrices:
            self.scalars.append(self._summed(letter))
            return
        column = self._take_column(letter)
        self._drop(*matrices)
        others = [next(i for i in f.word if i != letter) for f in matrices]
        if len(matrices) == 1:
            one = sp.OneMatrix(self.dims[letter], 1) if column is None else column
            value = _multiplied(_oriented(matrices[0], others[0]), one)
        else:
            if matrices[0].word[0] == letter and matrices[1].word[1] == letter:
                matrices, others = matrices[::-1], others[::-1]
            middle = [] if column is None else [DiagMatrix(column)]
            left = _oriented(matrices[0], others[0])
            value = _multiplied(left, *middle, _oriented(matrices[1], letter))
        self.factors.append(SympyFactor(value, tuple(others)))

    def _summed(self, letter: int) -> Any:
        """Return the sum over a letter that no matrix has, as a scalar."""
        alone = [f for f in self.factors if f.word == (letter, letter)]
        if len(alone) == 1 and all(letter not in f.word for f in self.factors if f is not alone[0]):
            self._drop(alone[0])
            return sp.Trace(alone[0].value)
        *columns, last = self._columns(letter)
        if not columns:
            return total(last)
        first = reduce(hadamard_product, columns)
        products = (_multiplied(first.T, last), _multiplied(last.T, first))
        return sp.Trace(min(products, key=lambda product: int(product.count(sp.Transpose))))

    def _drop(self, *gone: SympyFactor) -> None:
        self.factors = [f for f in self.factors if all(f is not other for other in gone)]

    def _join_parallel(self) -> bool:
        """Join two matrices of the same letters entry by entry; tell whether there were two."""
        for k, factor in enumerate(self.factors):
            for other in self.factors[k + 1 :]:
                if len(factor.word) == 2 and set(factor.word) == set(other.word):
                    self._drop(factor, other)
                    flipped = _oriented(other, factor.word[0])
                    value = hadamard_product(factor.value, flipped)
                    self.factors.append(SympyFactor(value, factor.word))
                    return True
        return False


def _oriented(factor: SympyFactor, row: int) -> Any:
    """Return a matrix whose rows have the given letter."""
    return factor.value if factor.word[0] == row else factor.value.T


def _multiplied(*matrices: Any) -> Any:
    return sp.MatMul(*matrices).doit(deep=False)


def _elements(factors: Sequence[SympyFactor]) -> Any:
    """Return the product of elements M[i, j] where a unit vector fixes every letter, or None."""
    fixed: dict[int, Any] = {}
    for factor in factors:
        if len(factor.word) == 1 and _is_unit(factor.value) and factor.word[0] not in fixed:
            fixed[factor.word[0]] = factor.value.colslice[0]
    rest = [f for f in factors if not (len(f.word) == 1 and _is_unit(f.value))]
    units = len(factors) - len(rest)
    if units != len(fixed) or any(i not in fixed for f in rest for i in f.word):
        return None
    return sp.Mul(*(_entry(f, fixed) for f in rest))


def _is_unit(value: Any) -> bool:
    return isinstance(value, MatrixSlice) and isinstance(value.parent, sp.Identity)


def _entry(factor: SympyFactor, index: Mapping[int, Any]) -> Any:
    """Return the entry of a factor, an index for each letter; a column has the column 0."""
    if not factor.word:
        return factor.value
    row, column = (*(index[i] for i in factor.word), sp.Integer(0))[:2]
    return MatrixElement(factor.value, row, column)


def _indexed(factors: Sequence[SympyFactor], dims: Sequence[Any]) -> Any:
    """Return an explicit sum over indices."""
    used = sorted({i for factor in factors for i in factor.word})
    index = {i: sp.Dummy(f"i_{i}", integer=True, nonnegative=True) for i in used}
    ranges = [(index[i], 0, dims[i] - 1) for i in used]
    return sp.Sum(sp.Mul(*(_entry(f, index) for f in factors)), *ranges)
