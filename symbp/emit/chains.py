"""The layout of a product over a letter: its first factor, dots, its last factor."""

from symbp.emit.layout import Applied, Layout, Row, Transposed
from symbp.emit.strand import Chain as Links
from symbp.emit.strand import Link
from symbp.ir import Expr
from symbp.ops.indexed import Chain
from symbp.ops.rewrite import resize


def ends_of(part: Expr) -> tuple[Expr, Expr]:
    """Return the first and the last factor of a product over a letter."""
    op, factor = part.op, part.args[0]
    assert isinstance(op, Chain)
    return resize(factor, {op.letter: op.start}), resize(factor, {op.letter: op.stop})


def links_of(factor: Layout) -> Links:
    """Return a factor as the matrices it is a product of; each may be transposed with the rest."""
    parts = factor.parts if isinstance(factor, Row) else (factor,)
    return tuple(map(_link, parts))


def _link(part: Layout) -> Link:
    if isinstance(part, Transposed):
        return Link(part.parts[0], flipped=True)
    is_diagonal = isinstance(part, Applied) and part.call.unicode == "diag"
    return Link(part, fixed=is_diagonal)
