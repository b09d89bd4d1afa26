"""Shapes as a module says them: in docstrings, in comments, in guards."""

from collections.abc import Mapping

import sympy as sp
from sympy.core.function import AppliedUndef

from symbp.ir import Dim, Expr, Variable, symbol
from symbp.sizes import letter_name


def dim_text(dim: Dim) -> str:
    """Return a size as text: `N`, `784`, `D_1`, `D[k-1]`."""
    if isinstance(dim, int):
        return str(dim)
    named = {letter: sp.Symbol(letter_name(letter)) for letter in dim.free_symbols}
    shown = dim.xreplace(named)
    members = {
        member: sp.Symbol(f"{member.func}[{','.join(map(_place_text, member.args))}]")
        for member in shown.atoms(AppliedUndef)
    }
    return str(shown.xreplace(members))


def _place_text(place: sp.Expr) -> str:
    return str(place).replace(" ", "")


def shape_tuple(var: Expr) -> str:
    """Return an array's shape as text: `(N, 784)`; class indices have no class axis."""
    assert isinstance(var.op, Variable)
    dims = var.shape[:-1] if symbol(var).encoding == "one_hot" else var.shape
    texts = [dim_text(dim) for dim in dims]
    return f"({texts[0]},)" if len(texts) == 1 else f"({', '.join(texts)})"


def type_text(var: Expr) -> str:
    """Return the type of an array as the module names it."""
    return "Labels" if symbol(var).encoding == "one_hot" else "Array"


def array_text(var: Expr, names: Mapping[Expr, str]) -> str:
    """Return a name with its shape: `f3 (N, 10)`."""
    assert isinstance(var.op, Variable)
    if not var.rank:
        return names[var]
    return f"{names[var]} {shape_tuple(var)}"
