"""The law of blocks: E_iᵀ picks the block i of a matrix that is put together from blocks."""

from symbp.ir import Expr, Sum, Words, walk
from symbp.ops.linear import combine
from symbp.ops.product import distributed
from symbp.ops.rewrite import transform
from symbp.ops.selection import Selection


def pick_blocks(expr: Expr) -> Expr:
    """Return an expression in which E_kᵀ (… + E_k B Fᵀ + …) is B Fᵀ, the other blocks gone."""
    return transform(expr, _picked, ("Selection",))


def _picked(part: Expr) -> Expr | None:
    op = part.op
    if not isinstance(op, Words):
        return None
    picking = {
        w[0] for a, w in zip(part.args, op.words, strict=True) if isinstance(a.op, Selection)
    }
    for k, (arg, word) in enumerate(zip(part.args, op.words, strict=True)):
        if isinstance(arg.op, Sum) and picking & set(word) and _has_blocks(arg):
            terms = distributed(part, k)
            return combine([(c, _picked(term) or term) for c, term in terms], part.shape)
    return None


def _has_blocks(matrix: Expr) -> bool:
    return any(isinstance(part.op, Selection) for part in walk(matrix))
