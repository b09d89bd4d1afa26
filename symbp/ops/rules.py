"""The two modes, from the one rule each operation states.

`tangent` pushes directions forward through an expression, `pullback` pulls an adjoint back to
its variables (Griewank & Walther 2008, chapter 3).  Both treat the inside of one line; the
sweeps over the lines of a program are in `derive/`.
"""

from collections.abc import Collection, Mapping

from symbp.ir import Examples, Expr, Op, Sum, Words, node, variable, walk
from symbp.ops.kinds import Elementwise, Merge, Nonlinear, Split
from symbp.ops.linear import add, combine, is_zero, zeros
from symbp.ops.product import hadamard, product
from symbp.ops.reshape import merge, split
from symbp.ops.rewrite import lift, rename, repeat, substitute
from symbp.ops.scalar import slope


def tangent(expr: Expr, dots: Mapping[Expr, Expr]) -> Expr:
    """Return the derivative of an expression along `dots`, a tangent for some of its variables."""
    done: dict[Expr, Expr] = {}
    for part in walk(expr):
        if part in dots:
            done[part] = dots[part]
        elif any(not is_zero(done[arg]) for arg in part.args):
            done[part] = _push(part, [done[arg] for arg in part.args])
        else:
            done[part] = zeros(*part.shape)
    return done[expr]


def pullback(expr: Expr, seed: Expr, wanted: Collection[Expr]) -> dict[Expr, Expr]:
    """Return the adjoints of the wanted variables of an expression whose own adjoint is `seed`.

    Raises ValueError where the seed has not the expression's shape.
    """
    if seed.shape != expr.shape:
        raise ValueError(f"a seed of shape {seed.shape} for a value of shape {expr.shape}")
    order = list(walk(expr, last_first=True))  # so that terms come as their factors stand
    active = set(wanted)
    for part in order:
        if any(arg in active for arg in part.args):
            active.add(part)
    terms: dict[Expr, list[Expr]] = {expr: [seed]}
    for part in reversed(order):
        if part not in active or part in wanted or part not in terms:
            continue
        bar = add(*terms.pop(part))
        for position, arg in enumerate(part.args):
            if arg in active:
                terms.setdefault(arg, []).append(_pull(part, position, bar))
    return {var: add(*bars) for var, bars in terms.items() if var in wanted}


def _push(part: Expr, dots: list[Expr]) -> Expr:
    op = part.op
    if isinstance(op, Sum):
        return combine(zip(op.coefficients, dots, strict=True), part.shape)
    if isinstance(op, Words):
        moving = [k for k, dot in enumerate(dots) if not is_zero(dot)]
        return add(*(_words_with(part, op, k, dots[k]) for k in moving))
    if isinstance(op, Elementwise):
        moving = [k for k, dot in enumerate(dots) if not is_zero(dot)]
        return add(*(hadamard(slope(part, k), dots[k]) for k in moving))
    if isinstance(op, Nonlinear):
        return _differential(part, op, dots[0])
    if isinstance(op, Merge):
        return merge(op.groups, dots[0])
    if isinstance(op, Split):
        return split(op.groups, op.dims, dots[0])
    if isinstance(op, Examples):
        return node(op, dots[0])
    raise _no_rule(op)


def _words_with(part: Expr, op: Words, position: int, dot: Expr) -> Expr:
    """Return a product with one of its factors replaced: a term of the product rule."""
    args = [*part.args[:position], dot, *part.args[position + 1 :]]
    return product(zip(args, op.words, strict=True), op.out, dict(enumerate(op.dims)))


def _pull(part: Expr, position: int, bar: Expr) -> Expr:
    op = part.op
    if isinstance(op, Sum):
        return combine([(op.coefficients[position], bar)], part.shape)
    if isinstance(op, Words):
        others = [k for k in range(len(part.args)) if k != position]
        factors = [(part.args[k], op.words[k]) for k in others]
        return product([*factors, (bar, op.out)], op.words[position], dict(enumerate(op.dims)))
    if isinstance(op, Elementwise):
        return hadamard(slope(part, position), bar)
    if isinstance(op, Nonlinear):
        return _transposed_differential(part, op, bar)
    if isinstance(op, Merge):
        return split(op.groups, part.args[0].shape, bar)
    if isinstance(op, Split):
        return merge(op.groups, bar)
    if isinstance(op, Examples):
        return bar
    raise _no_rule(op)


def _no_rule(op: Op) -> TypeError:
    return TypeError(f"{op} ({type(op).__name__}) states no derivative rule")


def _differential(part: Expr, op: Nonlinear, dz: Expr) -> Expr:
    z, p, direction = _core(part, op)
    return _instantiate(
        op, op.differential(direction, z, p), {z: part.args[0], p: part, direction: dz}
    )


def _transposed_differential(part: Expr, op: Nonlinear, bar: Expr) -> Expr:
    """Run the adjoint sweep over the differential, which is linear in the direction."""
    z, p, direction = _core(part, op)
    seed = variable("_seed", p.shape)
    adjoint = pullback(op.differential(direction, z, p), seed, {direction})[direction]
    return _instantiate(op, adjoint, {z: part.args[0], p: part, seed: bar})


def _core(part: Expr, op: Nonlinear) -> tuple[Expr, Expr, Expr]:
    """Return stand-ins for argument, value and direction, without the leading axes."""
    dims = part.args[0].shape[op.leading :]
    return variable("_z", dims), variable("_p", op.result(dims)), variable("_dz", dims)


def _instantiate(op: Nonlinear, expr: Expr, values: dict[Expr, Expr]) -> Expr:
    """Put the real values, with their leading axes, where the stand-ins are."""
    axes = next(iter(values.values())).shape[: op.leading]
    stands = {stand: stand for stand in values}
    for axis in reversed(axes):
        before = expr
        grown = {s: rename(s, dims=(axis, *s.shape)) for s in stands.values()}
        expr = lift(expr, grown, axis)
        if expr is before:
            expr = repeat(expr, axis)
        stands = {first: grown[s] for first, s in stands.items()}
    return substitute(expr, {stands[first]: value for first, value in values.items()})
