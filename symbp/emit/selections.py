"""Unit vectors and blocks of the identity in a product: they select what they are summed with."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field

from symbp.emit.contract import Term
from symbp.emit.dims import Dims
from symbp.emit.syntax import literal, ratio
from symbp.ops.selection import Selection

Word = tuple[int, ...]


@dataclass
class _Piece:
    """A factor and the index of each of its axes that is cut."""

    term: Term
    unit: tuple[Selection, Word] | None = None
    cuts: dict[int, ast.expr] = field(default_factory=dict)

    def cut(self, letter: int, index: ast.expr, into: int | None) -> None:
        """Index the axes of a letter; a slice's axis gets the letter `into`, a place's has none."""
        self.unit = None
        for axis, own in enumerate(self.term.letters):
            if own != letter:
                continue
            if axis in self.cuts:  # a piece of a piece
                self.term, self.cuts = self.made(), {}
                self.cut(letter, index, into)
                return
            self.cuts[axis] = index
            letters = list(self.term.letters)
            letters[axis] = into
            self.term = Term(
                self.term.code,
                tuple(letters),
                is_mask=self.term.is_mask,
                divisor=self.term.divisor,
                like=self.term.like,
            )

    def made(self) -> Term:
        """Return the factor with its axes cut: `X[i, :]`, `X[:m, n:]`."""
        term = self.term
        if not self.cuts:
            return term
        index = [self.cuts.get(k, ast.Slice(None, None, None)) for k in range(len(term.letters))]
        inner = index[0] if len(index) == 1 else ast.Tuple(index, ast.Load())

        def cut(code: ast.expr) -> ast.expr:
            return ast.Subscript(code, inner, ast.Load())

        kept = [
            letter for axis, letter in enumerate(term.letters) if isinstance(index[axis], ast.Slice)
        ]
        divisor = None if term.divisor is None else cut(term.divisor)
        code = cut(term.code) if divisor is None else ratio(literal(1), divisor)
        return Term(code, tuple(kept), is_mask=term.is_mask, divisor=divisor, like=term.like)


def selected(
    terms: Sequence[Term], units: Sequence[tuple[Selection, Word]], out: Word, dims: Dims
) -> list[Term]:
    """Return the factors of a product, those cut that a selection is summed with.

    terms: the other factors, with letters.  units: the selections and their words.  A selection
    that is summed with nothing stays an array, a row or a block of the identity.
    """
    pieces = [_Piece(term) for term in terms]
    pieces += [_Piece(Term(unit_code(op, dims), word), (op, word)) for op, word in units]
    for piece in list(pieces):
        if piece.unit is None:
            continue
        op, word = piece.unit
        others = [p for p in pieces if p is not piece and word[0] in p.term.word]
        if word[0] in out or not others or len(set(word)) < len(word):
            continue
        pieces.remove(piece)
        for other in others:
            if len(word) == 1:
                other.cut(word[0], dims.size(op.offset), None)
            else:
                other.cut(word[0], dims.piece(op.offset, op.dims[1], op.dims[0]), word[1])
    return [piece.made() for piece in pieces]


def unit_code(op: Selection, dims: Dims) -> ast.expr:
    """Return code for a selection by itself: `np.eye(n)[i]`, `np.eye(N, n, -offset)`."""
    if len(op.dims) == 1:
        return ast.Subscript(dims.eye(op.dims[0]), dims.size(op.offset), ast.Load())
    return dims.eye(op.dims[0], op.dims[1], op.offset)
