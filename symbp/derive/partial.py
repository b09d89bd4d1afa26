"""Derivatives of entries by entries: a line's differential with Kronecker deltas for its direction.

Every operation of a differential is linear in the direction v̇, and v̇_ab = ∂v_ab/∂v_ij is
δ_ai δ_bj.  So the same words with more letters are the array of all derivatives.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from symbp.derive.forward import dot
from symbp.ir import Dim, Examples, Expr, Sum, Variable, Words, is_variable, node, symbol, walk
from symbp.ops.kinds import Merge, Split
from symbp.ops.linear import combine, zeros
from symbp.ops.product import product
from symbp.ops.rewrite import rebuild, substitute
from symbp.ops.rules import tangent
from symbp.program import Binding

_NOBODY = Variable("")


@dataclass(frozen=True)
class Partial(Variable):
    """The name ∂top/∂by of an array of derivatives: the axes of `top`, then those of `by`."""

    top: Variable = _NOBODY
    by: Variable = _NOBODY


def partial(top: Expr, by: Expr) -> Expr:
    """Return the name of the derivatives of the entries of one variable by those of another."""
    above, below = symbol(top), symbol(by)
    name, dims = f"d {above.name} / d {below.name}", (*above.dims, *below.dims)
    return node(Partial(name, dims, "adjoint", above.batched, top=above, by=below))


def jacobian(line: Binding, var: Expr) -> Expr:
    """Return ∂line/∂var in normal form: the axes of the line, then those of the variable."""
    return normal(with_deltas(differential(line, var), var))


def normal(expr: Expr) -> Expr:
    """Return an expression with every sum and product in normal form: deltas are absorbed."""
    done: dict[Expr, Expr] = {}
    for part in walk(expr):
        op, args = part.op, tuple(done[arg] for arg in part.args)
        if isinstance(op, Words):
            factors = zip(args, op.words, strict=True)
            done[part] = product(factors, op.out, dict(enumerate(op.dims)))
        elif isinstance(op, Sum):
            done[part] = combine(zip(op.coefficients, args, strict=True), op.dims)
        else:
            done[part] = rebuild(part, args)
    return done[expr]


def deltas(expr: Expr) -> int:
    """Return how many Kronecker deltas a product has in front of its factors."""
    op = expr.op
    return len(op.out) - len(set(op.out)) if isinstance(op, Words) else 0


def differential(line: Binding, var: Expr) -> Expr:
    """Return the differential of a line along v̇, its own value called by its name."""
    along = tangent(line.expr, {var: dot(var)})
    return along if is_variable(line.expr) else substitute(along, {line.expr: line.target})


def with_deltas(along: Expr, var: Expr) -> Expr:
    """Return a differential with a Kronecker delta for the direction, nothing simplified.

    The result has the axes of the differential, then those of the variable.
    """
    direction, done = dot(var), dict[Expr, Expr]()
    letters = tuple(range(var.rank))
    done[direction] = node(Words((), (*letters, *letters), var.shape))
    for part in walk(along):
        if part is not direction and any(arg in done for arg in part.args):
            done[part] = _carried(part, done, var.shape)
    return done.get(along, zeros(*along.shape, *var.shape))


def _carried(part: Expr, done: dict[Expr, Expr], dims: Sequence[Dim]) -> Expr:
    """Return a linear operation of what has further axes, which it leaves alone."""
    op, args = part.op, [done.get(arg, arg) for arg in part.args]
    if isinstance(op, Sum):
        return node(Sum(op.coefficients, (*op.dims, *dims)), *args)
    if isinstance(op, Words):
        more = tuple(range(len(op.dims), len(op.dims) + len(dims)))
        grown = [arg in done for arg in part.args]
        words = tuple((*w, *more) if g else w for w, g in zip(op.words, grown, strict=True))
        return node(Words(words, (*op.out, *more), (*op.dims, *dims)), *args)
    if isinstance(op, Merge | Split):
        first = sum(map(len, op.groups))
        groups = (*op.groups, *((first + k,) for k in range(len(dims))))
        return node(
            Merge(groups) if isinstance(op, Merge) else Split(groups, (*op.dims, *dims)), *args
        )
    if isinstance(op, Examples):
        return node(op, *args)
    raise TypeError(f"{op} ({type(op).__name__}) is not linear in a direction")


def kind(line: Binding, var: Expr) -> str:
    """Return a text that is equal for lines whose derivative by a variable has one form.

    Names and sizes are left out: what a layer does is told apart, not which layer it is.
    """
    made = jacobian(line, var)
    numbers = {part: k for k, part in enumerate(walk(made))}
    texts = []
    for part in numbers:
        op = part.op
        if isinstance(op, Variable):
            what = f"{'v' if part is var else 'z' if part is line.target else ''}{part.rank}"
        elif isinstance(op, Words):
            what = f"{op.words}->{op.out}"
        else:
            what = f"{op}{part.rank}"
        texts.append(f"{what}{[numbers[arg] for arg in part.args]}")
    return " ".join(texts)
