"""Lines that factorise a matrix: what NumPy says of their types, and two values of one call."""

from collections.abc import Sequence

from symbp.emit.arrays import Arrays
from symbp.emit.syntax import text
from symbp.ir import Expr
from symbp.ops.kinds import Nonlinear, Solve
from symbp.ops.matrix import DETERMINANT_SIGN, INVERSE, LOG_DETERMINANT
from symbp.program import Binding


def is_factorised(expr: Expr) -> bool:
    """Tell whether an expression is an inverse or the solution of a system."""
    op = expr.op
    return isinstance(op, Solve) or (isinstance(op, Nonlinear) and op.name == INVERSE.name)


def determinants(line: Binding, lines: Sequence[Binding]) -> tuple[Binding, Binding] | None:
    """Return the lines of sign and logarithm of a determinant, where `line` is one of them."""
    names = (DETERMINANT_SIGN.name, LOG_DETERMINANT.name)
    if not isinstance(line.expr.op, Nonlinear) or line.expr.op.name not in names:
        return None
    same = [b for b in lines if b.expr.args == line.expr.args and isinstance(b.expr.op, Nonlinear)]
    found = {str(b.expr.op.name): b for b in same}
    return (found[names[0]], found[names[1]]) if set(names) <= set(found) else None


def slogdet(sign: Binding, size: Binding, arrays: Arrays) -> str:
    """Return the statement of the sign and the logarithm of a determinant."""
    targets = ", ".join(arrays.names[line.target] for line in (sign, size))
    matrix = text(arrays.code(size.expr.args[0]).code)
    return f"{targets} = np.linalg.slogdet({matrix})"
