"""The matrix form of a product whose axes are joined: `Bᵀ ⊗ A`, `(A ⊗ B) K`, `vec(P) vec(Q)ᵀ`.

Each factor of the product ties some row letters to some column letters.  What ties one row letter
to one column letter is a factor of a Kronecker product; where the pairs cross, a commutation
matrix stands behind it.  What ties row letters among themselves is a diagonal matrix in front, and
where nothing ties rows to columns the whole is a column times a row (Magnus & Neudecker 2019,
chapters 2 and 3).  For anything else there is no such form.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from symbp.emit.indices import Contraction
from symbp.emit.layout import (
    IDENTITY,
    Commutation,
    Kronecker,
    Layout,
    function,
    row,
    transposed,
)
from symbp.emit.matricise import joined, matrix_form
from symbp.emit.number import constant
from symbp.emit.strand import Factor
from symbp.ir import Shape

Word = tuple[int, ...]
Groups = Sequence[Sequence[int]]

_LAST = 9
"""The place of the array among the scalars in front of it."""


def kronecker_form(whole: Contraction, groups: Groups) -> Layout | None:
    """Return the matrix form of a contraction whose axes are joined by groups, None if it has none.

    groups: the axes of the rows and those of the columns, the slowest first; for a column alone,
    those of the rows.
    """
    if not 1 <= len(groups) <= 2:
        return None
    blocks = joined([factor for factor in whole.factors if factor.word], whole.out)
    tied = [block for block in blocks if _ends(block, whole.out)]
    scalars = [f for f in whole.factors if not any(f in block for block in tied)]
    rows, *columns = (tuple(whole.out[axis] for axis in group) for group in groups)
    body = _Joined(rows, columns[0] if columns else (), whole.dims, tied).form()
    if body is None:
        return None
    last = Factor(row(*body), late=True, rank=_LAST)
    return matrix_form([*scalars, last], (), whole.dims, False)


def _ends(block: Iterable[Factor], letters: Iterable[int]) -> set[int]:
    """Return which of some letters a block of factors has."""
    return {letter for factor in block for letter in factor.word} & set(letters)


@dataclass(frozen=True)
class _Part:
    """What hangs together: factors, and the row and column letters they have, one an axis."""

    factors: tuple[Factor, ...]
    rows: Word
    columns: Word

    @property
    def is_identity(self) -> bool:
        """Tell whether it is the identity matrix."""
        return not self.factors and bool(self.rows) and self.rows == self.columns

    @property
    def free(self) -> tuple[bool, bool]:
        """Tell whether nothing says how many rows there are, and how many columns."""
        held = {letter for factor in self.factors for letter in factor.word}
        return not held.issuperset(self.rows), not held.issuperset(self.columns)

    def extends(self, before: "_Part") -> bool:
        """Tell whether 𝟏 or I stands beside another of its kind, which makes one that is larger."""
        if self.factors or before.factors:
            return False
        if self.is_identity or before.is_identity:
            return self.is_identity and before.is_identity
        return [not self.rows, not self.columns] == [not before.rows, not before.columns]


class _Joined:
    """A product with its axes joined to rows and columns; the letters of each, slowest first."""

    def __init__(self, rows: Word, columns: Word, dims: Shape, blocks: list[list[Factor]]) -> None:
        self.rows, self.columns, self.dims = rows, columns, dims
        self.left = [f for block in blocks if self._spans(block, rows) for f in block]
        self.right = [
            f
            for block in blocks
            if self._spans(block, columns) and not self._spans(block, rows)
            for f in block
        ]
        within = (*self.left, *self.right)
        rest = [f for block in blocks for f in block if f not in within]
        self.parts = self._parts(joined(rest))

    def _spans(self, block: list[Factor], group: Word) -> bool:
        """Tell whether a block of factors ties letters of one group, and no others."""
        ends = _ends(block, (*self.rows, *self.columns))
        return len(ends) > 1 and ends <= set(group)

    def _parts(self, groups: list[list[Factor]]) -> list[_Part]:
        held = {letter for group in groups for factor in group for letter in factor.word}
        parts = [(group, {i for factor in group for i in factor.word}) for group in groups]
        free = dict.fromkeys(i for i in (*self.rows, *self.columns) if i not in held)
        parts += [([], {letter}) for letter in free]
        return [
            _Part(
                tuple(group),
                tuple(i for i in self.rows if i in letters),
                tuple(i for i in self.columns if i in letters),
            )
            for group, letters in parts
        ]

    def form(self) -> tuple[Layout, ...] | None:
        """Return the matrix form as a juxtaposition."""
        if not any(part.rows and part.columns for part in self.parts):
            return self._outer()
        if any(len(part.rows) > 1 or len(part.columns) > 1 for part in self.parts):
            return None
        middle = self._kronecker()
        front, behind = (
            self._diagonal(self.left, self.rows),
            self._diagonal(self.right, self.columns),
        )
        if front is None or middle is None or behind is None:
            return None
        return (*front, *middle, *behind) or (IDENTITY,)

    def _outer(self) -> tuple[Layout, ...] | None:
        """Return a column times a row, each of one group of letters; a column alone without any."""
        above = self._column(self.left, self.rows)
        if above is None or not self.columns:
            return None if above is None else (above,)
        beside = self._column(self.right, self.columns)
        return None if beside is None else (above, transposed(beside))

    def _column(self, tied: Sequence[Factor], group: Word) -> Layout | None:
        """Return what has the letters of one group alone: vec(P), or u ⊗ v."""
        parts = [part for part in self.parts if {*part.rows, *part.columns} <= set(group)]
        factors = [*tied, *(factor for part in parts for factor in part.factors)]
        if len(group) == 1 or (not factors and len(set(group)) == len(group)):
            return matrix_form(factors, group[:1], self.dims, False)
        if tied or len(set(group)) < len(group):
            return self._stacked(factors, group)
        parts.sort(key=lambda part: group.index(*part.rows, *part.columns))
        return self._product([_Part(p.factors, p.rows or p.columns, ()) for p in parts])

    def _stacked(self, factors: Sequence[Factor], group: Word) -> Layout | None:
        """Return vec(P), its columns' letter the slower one."""
        matrix = matrix_form(factors, group[::-1], self.dims, False) if len(group) == 2 else None
        return None if matrix is None else function("vec", matrix)

    def _diagonal(self, factors: Sequence[Factor], group: Word) -> tuple[Layout, ...] | None:
        """Return diag(vec(P)); of no factors, nothing."""
        if not factors:
            return ()
        stacked = self._stacked(factors, group)
        return None if stacked is None else (function("diag", stacked),)

    def _kronecker(self) -> tuple[Layout, ...] | None:
        """Return A ⊗ B, or (A ⊗ B) K where the pairs of letters cross; nothing for identities."""
        behind: tuple[Layout, ...] = ()
        order = self._order(self.columns)
        if order is None and len(self.columns) == 2:
            slow, fast = self.columns
            order = self._order((fast, slow))
            behind = (Commutation((constant(self.dims[fast]), constant(self.dims[slow]))),)
        if order is None:
            return None
        if all(part.is_identity for part in order):
            return behind
        whole = self._product(_paired(order))
        return None if whole is None else (whole, *behind)

    def _product(self, parts: list[_Part]) -> Layout | None:
        """Return A ⊗ B ⊗ …, the factor itself where it is alone; None where one has no form.

        None also where a reader could not tell the sizes of 𝟏 and I from that of the whole.
        """
        parts = [part for k, part in enumerate(parts) if not k or not part.extends(parts[k - 1])]
        if not _are_sized(parts):
            return None
        cells = [self._cell(part) for part in parts]
        known = tuple(cell for cell in cells if cell is not None)
        if len(known) < len(cells):
            return None
        return known[0] if len(known) == 1 else Kronecker(known)

    def _order(self, columns: Word) -> list[_Part] | None:
        """Return the parts as rows and columns name them, None where the two orders cross."""
        rows, order = list(self.rows), list[_Part]()
        left = list(columns)
        while rows or left:
            following = (
                part
                for part in self.parts
                if part not in order
                and all(letter == left[0] for letter in part.columns)
                and all(letter == rows[0] for letter in part.rows)
            )
            part = next(following, None)
            if part is None:
                return None
            order.append(part)
            del rows[: len(part.rows)], left[: len(part.columns)]
        return order

    def _cell(self, part: _Part) -> Layout | None:
        """Return a part as a matrix, a column or a row."""
        if part.rows:
            return matrix_form(part.factors, (*part.rows, *part.columns), self.dims, False)
        single = len(self.dims)  # a letter of size 1 for the one row
        return matrix_form(part.factors, (single, *part.columns), (*self.dims, 1), False)


def _paired(parts: Sequence[_Part]) -> list[_Part]:
    """Return u ⊗ vᵀ, a column beside a row, as the one matrix u vᵀ that it is."""
    made: list[_Part] = []
    for part in parts:
        last = made[-1] if made else part
        if len(last.rows + part.rows) == 1 == len(last.columns + part.columns):
            factors = last.factors + part.factors
            made[-1] = _Part(factors, last.rows + part.rows, last.columns + part.columns)
        else:
            made.append(part)
    return made


def _are_sized(parts: Sequence[_Part]) -> bool:
    """Tell whether the size of a Kronecker product says those of its factors."""
    identities = sum(part.is_identity for part in parts)
    rows, columns = (
        sum(part.free[axis] and not part.is_identity for part in parts) for axis in (0, 1)
    )
    return max(rows, columns) <= 1 and identities + min(rows, columns) <= 1
