"""The law a reader would cite for a line: which operations lie between a value and its consumer."""

from collections.abc import Sequence

from symbp.ir import Examples, Expr, Sum, Words, is_variable, walk
from symbp.ops.kinds import Elementwise, Merge, Nonlinear, Split


def forward_law(expr: Expr) -> str:
    """Return the name of what a line of the forward pass does."""
    op = expr.op
    if isinstance(op, Sum):
        inner = [forward_law(arg) for arg in expr.args if arg.args and _kind(arg)]
        return inner[0] if len(set(inner)) == 1 and inner[0] != "elementwise" else "sum"
    if len(expr.args) == 1 and isinstance(op, Words):
        return "norm" if _kind(expr.args[0]) == "power" else "sum"
    return _kind(expr) or ("alias" if is_variable(expr) else "constant")


def law_between(expr: Expr, var: Expr) -> str:
    """Return the law by which the adjoint of a line reaches one of its variables.

    Sums pass an adjoint on as it is and are cited only where nothing else is on the way.
    """
    if expr is var:
        return "alias"
    found: dict[Expr, dict[str, None]] = {}
    for part in walk(expr):
        if part is var:
            found[part] = {"": None}
            continue
        inner = {law: None for arg in part.args for law in found.get(arg, ())}
        kind = _kind(part)
        if kind in ("", "sum"):
            found[part] = inner
        else:
            found[part] = {" of ".join(filter(None, (kind, law))): None for law in inner}
    return " + ".join(filter(None, found[expr])) or "sum"


def _kind(part: Expr) -> str:
    op = part.op
    if isinstance(op, Sum):
        return "sum"
    if isinstance(op, Words):
        return _product_kind(op, part.args)
    if isinstance(op, Examples):
        return ""
    if isinstance(op, Elementwise):
        return "power" if op.exponent is not None else "elementwise"
    if isinstance(op, Nonlinear):
        return op.name
    if isinstance(op, Merge | Split):
        return "reshape"
    return ""


def _product_kind(op: Words, args: Sequence[Expr]) -> str:
    if len(args) > 1:
        return "product"
    if set(op.words[0]) - set(op.out) if op.words else False:
        return ""
    return "" if not op.words or len(op.out) == len(op.words[0]) else "repeat"
