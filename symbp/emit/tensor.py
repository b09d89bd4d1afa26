"""The formula of a dense derivative: as a matrix of stacked columns, and entry by entry."""

from collections.abc import Sequence

from symbp.derive.dense import Dense
from symbp.derive.reading import one_example
from symbp.emit.article import Line
from symbp.emit.build import build, build_words
from symbp.emit.forms import is_matrix_form
from symbp.emit.indices import axis_letters
from symbp.emit.layout import Derivative, Indexed, Layout, Named, Transposed, function
from symbp.emit.math import Style, shape_text, writer
from symbp.emit.names import Names
from symbp.ir import Expr, symbol

STACKED = "columns stacked"
ENTRIES = "entry by entry"


def formula_lines(found: Dense, style: Style, names: Names) -> list[Line]:
    """Return the lines `∂vec(F)/∂vec(X)ᵀ = Bᵀ ⊗ A` and `∂F_ij/∂X_kl = A_ik B_lj`.

    The first is left out where no matrix says it, the second where there is one axis at most.
    """
    write, expr = writer(style, names), one_example(found.reading.expr)
    lines = []
    matrix = found.laid_out(expr, "vec")
    if matrix.rank < 3 and is_matrix_form(matrix):
        law = STACKED if matrix.rank < expr.rank else ""
        left, right = _stacked(found), build(matrix)
        lines.append(Line(write(left), write(right), law, shape_text(matrix.shape, style)))
    if expr.rank > 1:
        shape = shape_text(expr.shape, style)
        lines.append(Line(write(_entries(found)), write(build_words(expr)), ENTRIES, shape))
    return lines


def _stacked(found: Dense) -> Layout:
    """Return the left side of the matrix: its rows are of the first array, columns of the last."""
    value, by = found.program.result, found.variables
    arrays = [v for v in (value, *by) if v.rank]
    above = _vec(value)
    if len(arrays) < 2:
        return Derivative((above, *map(_vec, by)))
    *first, last = by
    return Derivative((above, *map(_vec, first), Transposed((_vec(last),)) if last.rank else _vec(last)))


def _vec(var: Expr) -> Layout:
    name = Named(variable=symbol(var))
    return function("vec", name) if var.rank > 1 else name


def _entries(found: Dense) -> Layout:
    """Return the derivative of an entry by entries, letters in the order of the axes."""
    letters = list(axis_letters(sum(found.ranks)))
    arrays: Sequence[Expr] = (found.program.result, *found.variables)
    parts = []
    for var in arrays:
        own, letters = letters[: var.rank], letters[var.rank :]
        name = Named(variable=symbol(var))
        parts.append(Indexed((name,), letters=tuple(own)) if own else name)
    return Derivative(tuple(parts))
