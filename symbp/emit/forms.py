"""What an expression comes out as: in matrices, or in index words."""

from symbp.emit.build import build
from symbp.emit.layout import Entries, Indexed, Layout, Summed, fold
from symbp.ir import Expr


def is_matrix_form(expr: Expr) -> bool:
    """Tell whether an expression is written in matrices alone, without an index."""

    def step(layout: Layout, inside: list[bool]) -> bool:
        return all(inside) and not isinstance(layout, Entries | Indexed | Summed)

    return fold(build(expr), step)
