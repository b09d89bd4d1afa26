"""Laws of lowering: stable expansions, masks and choices in the form that NumPy computes best.

Softmax and log-sum-exp are written out in operations that neither overflow nor cancel; both begin
with exp(z − max z), and so the loss and its gradient share that.
"""

from collections.abc import Callable, Collection

from symbp.ir import Expr, Sum, Words, is_variable, symbol, variable, variables
from symbp.lower.sweeps import Sweeps
from symbp.ops.kinds import Elementwise, Nonlinear
from symbp.ops.linear import combine
from symbp.ops.pointwise import POSITIVE, RELU, SELECT
from symbp.ops.product import product, with_factor
from symbp.ops.rewrite import lift, rebuild, rename, substitute, transform
from symbp.ops.scalar import PLACES, apply, from_scalar


def expanded(sweeps: Sweeps) -> Sweeps:
    """Return the sweeps with what NumPy has no function for written out."""
    made = _masks_from_values(_changed(sweeps, _expand, "Elementwise", "Nonlinear"))
    return _changed(_changed(made, _select_outside, SELECT.name), _sum_outside, "Sum")


def folded(sweeps: Sweeps, kept: Collection[str]) -> Sweeps:
    """Write the lines that are one number everywhere into the lines that read them."""
    return written_in(sweeps, kept, lambda expr: not _given(expr))


def _given(expr: Expr) -> bool:
    """Tell whether an expression reads anything but the weight of an example."""
    return any(symbol(v).role != "weight" for v in variables(expr))


def written_in(sweeps: Sweeps, kept: Collection[str], goes: Callable[[Expr], bool]) -> Sweeps:
    """Write the lines whose value `goes` into the lines that read them; `kept` lines stay."""
    put: dict[Expr, Expr] = {}
    made: Sweeps = {}
    for sweep, lines in sweeps.items():
        new = []
        for line in lines:
            expr = substitute(line.expr, put)
            stays = line.name in kept or line.loops or line.adds or symbol(line.target).index
            if not stays and goes(expr):
                put[line.target] = expr
            else:
                new.append(line.saying(expr))
        made[sweep] = tuple(new)
    return made


def written_out(part: Expr) -> Expr | None:
    """Return a function of a whole array in simpler operations, None where it has no such form."""
    op = part.op
    if not isinstance(op, Nonlinear) or op.expansion is None:
        return None
    z = variable("_z", part.args[0].shape[op.leading :])
    expr = op.expansion(z)
    for axis in reversed(part.args[0].shape[: op.leading]):
        grown = rename(z, dims=(axis, *z.shape))
        expr = lift(expr, {z: grown}, axis)
        z = grown
    return substitute(expr, {z: part.args[0]})


def _expand(part: Expr) -> Expr | None:
    op = part.op
    if isinstance(op, Elementwise) and op.exponent is None and not (op.code or op.ufunc):
        values = dict(zip(PLACES, part.args, strict=False))
        return transform(from_scalar(op.formula, values, part.shape), _expand)
    return written_out(part)


def _masks_from_values(sweeps: Sweeps) -> Sweeps:
    """Read 1[f > 0] from h = relu(f): equal, and f's storage may then be h's."""
    rectified = {
        line.expr.args[0]: line.target
        for lines in sweeps.values()
        for line in lines
        if line.expr.op is RELU and is_variable(line.expr.args[0])
    }

    def change(part: Expr) -> Expr | None:
        if part.op is POSITIVE and part.args[0] in rectified:
            return rebuild(part, (rectified[part.args[0]],))
        return None

    return _changed(sweeps, change, POSITIVE.name)


def _changed(sweeps: Sweeps, change: Callable[[Expr], Expr | None], *among: str) -> Sweeps:
    return {
        name: tuple(b.saying(transform(b.expr, change, among)) for b in lines)
        for name, lines in sweeps.items()
    }


def _select_outside(part: Expr) -> Expr | None:
    """Write select(c, a, b) ⊙ d as select(c, a ⊙ d, b ⊙ d), which no number's type can widen."""
    op = part.op
    if not isinstance(op, Words) or len(part.args) < 2 or len(set(op.out)) < len(op.out):
        return None
    for k, arg in enumerate(part.args):
        if arg.op is SELECT and op.words[k] == op.out:
            condition, *choices = arg.args
            return apply(SELECT, condition, *(with_factor(part, k, choice) for choice in choices))
    return None


def _sum_outside(part: Expr) -> Expr | None:
    """Write Σ a + Σ b as Σ (a + b) where both sum products entry by entry over the same axes."""
    op = part.op
    if not isinstance(op, Sum) or len(part.args) < 2:
        return None
    inside, out = [], None
    for coefficient, arg in zip(op.coefficients, part.args, strict=True):
        words = arg.op
        if not isinstance(words, Words) or not arg.args or len(words.out) == len(words.dims):
            return None
        full = tuple(range(len(words.dims)))
        if any(word not in (full, ()) for word in words.words) or full not in words.words:
            return None
        inside.append((coefficient, product(zip(arg.args, words.words, strict=True), full)))
        if out not in (None, words.out) or inside[0][1].shape != inside[-1][1].shape:
            return None
        out = words.out
    total = combine(inside, inside[0][1].shape)
    return product([(total, tuple(range(total.rank)))], out or ())
