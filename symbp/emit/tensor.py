"""The formula of a dense derivative: as a matrix of stacked columns, and entry by entry."""

from collections.abc import Sequence
from dataclasses import dataclass

from symbp.derive.dense import Dense, Layout
from symbp.derive.reading import one_example
from symbp.emit.article import Line
from symbp.emit.build import build, build_words
from symbp.emit.forms import is_matrix_form
from symbp.emit.indices import axis_letters
from symbp.emit.layout import Derivative, Entries, Indexed, Named, Transposed, function
from symbp.emit.layout import Layout as Drawn
from symbp.emit.math import Style, shape_text, writer
from symbp.emit.names import Names
from symbp.ir import Expr, symbol

STACKED = "columns stacked"
"""What made a matrix of an array of three or four axes."""


@dataclass(frozen=True)
class Tensor:
    """A dense derivative to be printed, in a layout; `closed` in what is given alone."""

    dense: Dense
    layout: Layout = "array"
    closed: bool = False


def formula_lines(tensor: Tensor, style: Style, names: Names) -> list[Line]:
    """Return the lines `∂F_ij/∂X_kl = A_ik B_lj` and `∂vec(F)/∂vec(X)ᵀ = Bᵀ ⊗ A`.

    The second is left out where no matrix says it, the first where there are two axes at most and
    the second says it; in the layout "vec" the first stands where the second does not.
    """
    write, found = writer(style, names), tensor.dense
    expr = found.reading.closed if tensor.closed else one_example(found.steps[-1].expr)
    law = "" if tensor.closed else found.steps[-1].law
    matrix = found.laid_out(expr, "vec")
    lines = []
    if matrix.rank < 3 and is_matrix_form(matrix):
        shape = shape_text(matrix.shape, style)
        left, right = _stacked(found), build(matrix)
        stacked = STACKED if matrix.rank < expr.rank else ""
        both = expr.rank > 2 and tensor.layout == "array"
        laws = [stacked] if both else [law, stacked]
        lines = [Line(write(left), write(right), ", ".join(filter(None, laws)), shape)]
    if lines and (expr.rank < 3 or tensor.layout == "vec"):
        return lines
    shape = shape_text(expr.shape, style)
    return [Line(write(_entries(found)), write(_entry(expr)), law, shape), *lines]


def _entry(expr: Expr) -> Drawn:
    """Return the entry of an array; of three axes and more with chains joined, `(X Z⁻¹)_il`."""
    drawn = build(expr)
    return drawn.parts[0] if isinstance(drawn, Entries) else build_words(expr)


def _stacked(found: Dense) -> Drawn:
    """Return the left side of the matrix: its rows are of the first array, columns of the last."""
    value, *by = found.program.result, *found.variables
    if not any(v.rank for v in (value, *by)):
        return build(found.reading.target)
    parts = [_vec(v) for v in (value, *by)]
    if sum(v.rank > 0 for v in (value, *by)) > 1:
        parts[-1] = Transposed((parts[-1],))
    return Derivative(tuple(parts))


def _vec(var: Expr) -> Drawn:
    name = Named(variable=symbol(var))
    return function("vec", name) if var.rank > 1 else name


def _entries(found: Dense) -> Drawn:
    """Return the derivative of an entry by entries, letters in the order of the axes."""
    letters = list(axis_letters(sum(found.ranks)))
    arrays: Sequence[Expr] = (found.program.result, *found.variables)
    parts = []
    for var in arrays:
        own, letters = letters[: var.rank], letters[var.rank :]
        name = Named(variable=symbol(var))
        parts.append(Indexed((name,), letters=tuple(own)) if own else name)
    return Derivative(tuple(parts))
