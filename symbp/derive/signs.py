"""The laws of signs and masks, entry by entry: z sign(z) = |z|, 1[z > 0] relu(z) = relu(z).

√(z²) is |z| as well, and z²/|z|.
"""

from symbp.ir import Expr, Words, node
from symbp.ops.kinds import Elementwise
from symbp.ops.pointwise import ABS, POSITIVE, RELU, SIGN
from symbp.ops.power import base_and_exponent, power
from symbp.ops.product import Factor, hadamard, product
from symbp.ops.rewrite import transform


def absorb(expr: Expr) -> Expr:
    """Return an expression in which signs and masks went into the factors beside them."""
    return transform(expr, _absorbed, _SIGNED)


_SIGNED = {ABS.name, POSITIVE.name, SIGN.name, "root"}


def _absorbed(part: Expr) -> Expr | None:
    op = part.op
    if isinstance(op, Elementwise) and op.exponent is not None and part.args[0].op is ABS:
        return power(part.args[0].args[0], op.exponent) if op.exponent % 2 == 0 else None
    if isinstance(op, Elementwise) and op.exponent is not None and op.exponent.q == 2:
        base, exponent = base_and_exponent(part.args[0])
        return power(node(ABS, base), exponent * op.exponent) if exponent == 2 else None
    if not isinstance(op, Words):
        return None
    factors = list(zip(part.args, op.words, strict=True))
    for k, (factor, word) in enumerate(factors):
        for j, (other, place) in enumerate(factors):
            made = _together(factor, other) if j != k and place == word else None
            if made is not None:
                rest: list[Factor] = [f for n, f in enumerate(factors) if n not in (j, k)]
                joined = product([*rest, (made, word)], op.out, dict(enumerate(op.dims)))
                return _absorbed(joined) or joined
    return None


def _together(factor: Expr, other: Expr) -> Expr | None:
    """Return what a sign or a mask makes of the factor beside it, None where it stays."""
    base, exponent = base_and_exponent(other)
    if factor.op is SIGN and exponent >= 1 and base is factor.args[0]:
        return hadamard(node(ABS, base), power(base, exponent - 1))
    if factor.op is SIGN and exponent == -1 and base.op is ABS and base.args[0] is factor.args[0]:
        return power(factor.args[0], exponent)
    outer, below = base_and_exponent(factor)
    if outer.op is ABS and below == -1 and base is outer.args[0] and exponent == 2:
        return node(ABS, base)
    if factor.op is POSITIVE and exponent > 0 and base.op is RELU:
        return other if base.args[0] is factor.args[0] else None
    return None
