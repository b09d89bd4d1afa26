"""Terms that stand in a part of an array alone: a block, a row, an entry of it."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from symbp.emit.arrays import Arrays
from symbp.emit.dims import Dims
from symbp.emit.syntax import name, text
from symbp.ir import Expr, Words
from symbp.ops.linear import combine, opened
from symbp.ops.product import subproduct
from symbp.ops.selection import Selection

Word = tuple[int, ...]


@dataclass(frozen=True)
class Placed:
    """coefficient · value, at the places of the array that `index` says."""

    coefficient: Fraction
    value: Expr
    index: ast.expr


def placed(expr: Expr, dims: Dims) -> tuple[list[tuple[Fraction, Expr]], list[Placed]]:
    """Return the terms of a sum that fill the array, and those that stand in a part of it."""
    if "Selection" not in expr.kinds:
        return opened(expr), []
    whole: list[tuple[Fraction, Expr]] = []
    found: dict[str, Placed] = {}
    for coefficient, term in opened(expr):
        part = _place(coefficient, term, dims)
        if part is None:
            whole.append((coefficient, term))
            continue
        same = found.setdefault(ast.dump(part.index), part)
        if same is not part:
            value = combine([(p.coefficient, p.value) for p in (same, part)], part.value.shape)
            found[ast.dump(part.index)] = Placed(Fraction(1), value, part.index)
    return whole, list(found.values())


def written(target: str, part: Placed, arrays: Arrays, *, alone: bool) -> str:
    """Return the statement that puts a term in its place, adds it where it is not alone there."""
    coefficient = part.coefficient if alone else abs(part.coefficient)
    sign = "" if alone else "-" if part.coefficient < 0 else "+"
    place = text(ast.Subscript(name(target), part.index, ast.Load()))
    return f"{place} {sign}= {text(arrays.term(coefficient, part.value).code)}"


def _place(coefficient: Fraction, term: Expr, dims: Dims) -> Placed | None:
    """Return a term's value without the selections that place it, None where none does."""
    op = term.op
    if not isinstance(op, Words) or len(set(op.out)) < len(op.out):
        return None
    pairs = list(zip(term.args, op.words, strict=True))
    index: list[ast.expr] = [ast.Slice(None, None, None) for _ in op.out]
    out: list[int | None] = list(op.out)
    rest = []
    for k, (arg, word) in enumerate(pairs):
        others = [w for j, (_, w) in enumerate(pairs) if j != k]
        if not isinstance(arg.op, Selection) or not _places(word, op.out, others):
            rest.append((arg, word))
            continue
        axis = op.out.index(word[0])
        if len(word) == 1:
            index[axis], out[axis] = dims.size(arg.op.offset), None
        else:
            index[axis] = dims.piece(arg.op.offset, arg.op.dims[1], arg.op.dims[0])
            out[axis] = word[1]
    if len(rest) == len(pairs):
        return None
    kept = tuple(letter for letter in out if letter is not None)
    inner = index[0] if len(index) == 1 else ast.Tuple(index, ast.Load())
    return Placed(coefficient, subproduct(rest, kept, op.dims), inner)


def _places(word: Word, out: Word, others: Sequence[Word]) -> bool:
    """Tell whether a selection says where along an axis of the result its product stands."""
    read = {i for other in others for i in other}
    if word[0] not in out or word[0] in read:
        return False
    return len(word) == 1 or (word[1] not in out and word[1] != word[0] and word[1] in read)
