"""The layout of reshapes: Kronecker products, vec, and joined axes in general."""

from collections.abc import Sequence

from symbp.emit.indices import Contraction, spelled
from symbp.emit.kronecker import kronecker_form
from symbp.emit.layout import Applied, Layout, function
from symbp.ir import Expr
from symbp.notation import Call
from symbp.ops.kinds import Merge, Split
from symbp.ops.reshape import VEC


def merged(op: Merge, layout: Layout, whole: Contraction) -> Layout:
    """Return `A ⊗ B`, `vec(X)`, or `merge[ik, jl](…)` with the groups of axes that are joined.

    layout: the array whose axes are joined; whole: the same as a contraction of its factors.
    """
    if op.groups == VEC:
        return stacked(layout)
    found = kronecker_form(whole, op.groups)
    if found is not None:
        return found
    groups = _groups(op.groups)
    call = Call(f"merge[{groups}]", rf"\operatorname{{merge}}_{{{groups}}}")
    return Applied((layout,), call=call)


def is_vec(expr: Expr) -> bool:
    """Tell whether an expression is a matrix with its columns stacked."""
    return isinstance(expr.op, Merge) and expr.op.groups == VEC


def stacked(layout: Layout) -> Layout:
    """Return `vec(X)`."""
    return function("vec", layout)


def split(op: Split, layout: Layout) -> Layout:
    """Return `vec⁻¹(x)` or `split[ik, jl](…)`."""
    groups = _groups(op.groups)
    call = Call(f"split[{groups}]", rf"\operatorname{{split}}_{{{groups}}}")
    if op.groups == VEC:
        call = Call("vec⁻¹", r"\operatorname{vec}^{-1}")
    return Applied((layout,), call=call)


def _groups(groups: Sequence[Sequence[int]]) -> str:
    spell = spelled(range(1 + max((axis for group in groups for axis in group), default=0)))
    return ", ".join("".join(spell[axis] for axis in group) for group in groups)
