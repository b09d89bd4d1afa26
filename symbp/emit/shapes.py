"""Shapes as a module says them: in docstrings, in comments, in guards."""

from collections.abc import Mapping

from symbp.ir import Dim, Expr, Variable, symbol


def dim_text(dim: Dim) -> str:
    """Return a size as text: `N`, `784`, `D_1`."""
    return str(dim)


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
