"""What a value is multiplied by in an expression that is linear in it: M of M x."""

from symbp.ir import Expr, Sum, Words, variables
from symbp.ops.linear import combine, ones
from symbp.ops.product import diagonal_delta, product


def factor_of(expr: Expr, var: Expr) -> Expr | None:
    """Return M of `expr = M x`, for scalars or vectors; None where there is no such form.

    Every term must have x as a factor once: what is added to M x, or x² , has no M.
    """
    if expr.rank != var.rank or var.rank > 1:
        return None
    if expr is var:
        return diagonal_delta(var.shape[0]) if var.rank else ones()
    op = expr.op
    if isinstance(op, Sum):
        shape = expr.shape + var.shape
        factors = [factor_of(arg, var) for arg in expr.args]
        terms = [(c, m) for c, m in zip(op.coefficients, factors, strict=True) if m is not None]
        return combine(terms, shape) if terms and len(terms) == len(factors) else None
    if isinstance(op, Words):
        return _of_product(expr, op, var)
    return None


def _of_product(expr: Expr, op: Words, var: Expr) -> Expr | None:
    holding = [k for k, arg in enumerate(expr.args) if var in variables(arg)]
    if len(holding) != 1:
        return None
    (position,) = holding
    inner = factor_of(expr.args[position], var)
    if inner is None:
        return None
    fresh = tuple(len(op.dims) + k for k in range(var.rank))
    factors = list(zip(expr.args, op.words, strict=True))
    factors[position] = (inner, (*op.words[position], *fresh))
    dims = dict(enumerate(op.dims)) | dict(zip(fresh, var.shape, strict=True))
    return product(factors, (*op.out, *fresh), dims)
