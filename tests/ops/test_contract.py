"""What every operation must keep: one walk over the records, and the laws of the constructors."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp

from symbp.errors import SymbpError
from symbp.ir import Examples, Expr, node, variable, variables
from symbp.ops import OPS
from symbp.ops.evaluate import evaluate
from symbp.ops.kinds import Elementwise, Merge, Split
from symbp.ops.linear import scale, subtract, zeros
from symbp.ops.power import power_op
from symbp.ops.product import broadcast, contract, transpose
from symbp.ops.rewrite import lift
from symbp.ops.rules import pullback, tangent
from symbp.ops.selection import block, unit

EXACT, STEP, FIVE_POINT = 1e-11, 1e-30, 1e-8


@dataclass(frozen=True)
class Case:
    """An expression, the shape it must have, and whether a complex step passes it."""

    expr: Expr
    shape: tuple
    analytic: bool = True


def elementwise_case(op: Elementwise, shape=(2, 3)) -> Case:
    return Case(
        node(op, *(variable(name, shape) for name in "zwv"[: len(op.slopes)])), shape, op.analytic
    )


def nonlinear_case(op) -> Case:
    dims = (3,) * op.rank
    return Case(node(op, variable("z", dims)), op.result(dims))


z, w, v = variable("z", (3, 3)), variable("w", (3, 2)), variable("v", (3,))
s = variable("s")
CASES = {
    name: elementwise_case(op) if isinstance(op, Elementwise) else nonlinear_case(op)
    for name, op in OPS.items()
}
CASES |= {
    f"power {p}": elementwise_case(power_op(sp.Rational(p)))
    for p in ("2", "3", "-1", "-2", "1/2", "-1/2", "5/3")
}
CASES |= {
    "sum": Case(subtract(scale(2, v), scale(Fraction(1, 3), contract("ij,j->i", z, v))), (3,)),
    "matmul": Case(contract("ij,jk->ik", z, w), (3, 2)),
    "matmul of itself": Case(contract("ij,jk->ik", z, z), (3, 3)),
    "cube": Case(contract("ij,jk,ki->", z, z, z), ()),
    "transpose": Case(transpose(w), (2, 3)),
    "outer": Case(contract("i,j->ij", v, v), (3, 3)),
    "diag": Case(contract("i->ii", v), (3, 3)),
    "diagonal of": Case(contract("ii->i", z), (3,)),
    "trace": Case(contract("ii->", z), ()),
    "scalar times": Case(contract(",ij,j->i", s, z, v), (3,)),
    "repeat": Case(broadcast(s, 3, 2), (3, 2)),
    "three axes": Case(contract("ij,ik->ijk", z, w), (3, 3, 2)),
    "vec": Case(node(Merge(((1, 0),)), w), (6,)),
    "split": Case(node(Split(((1, 0),), (3, 2)), variable("u", (6,))), (3, 2)),
    "kron": Case(node(Merge(((0, 1), (2, 3))), contract("ij,kl->ikjl", z, w)), (9, 6)),
    "examples": Case(node(Examples(), contract("i,i->", v, v)), ()),
    "element": Case(contract("ij,i,j->", z, unit(3, 1), unit(3, 2)), ()),
    "block": Case(contract("ai,ij,bj->ab", block(5, 3, 1), w, block(4, 2, 2)), (5, 4)),
    "nothing": Case(zeros(3), (3,)),
}  # fmt: skip


def of(case: Case) -> list[Expr]:
    return sorted(variables(case.expr), key=str)


def point_of(names: list[Expr], seed: int = 5) -> dict[str, np.ndarray]:
    """Return values off the kinks, positive, with matrices of positive determinant."""
    rng = np.random.default_rng(seed)
    values = {}
    for name in names:
        value = rng.uniform(0.2, 1.8, name.shape)
        values[name.op.name] = value + 2 * np.eye(3) if name.shape == (3, 3) else value
    return values


def dots_of(names: list[Expr], suffix: str) -> tuple[dict[Expr, Expr], dict[str, np.ndarray]]:
    rng = np.random.default_rng(len(suffix))
    dots = {name: variable(name.op.name + suffix, name.shape) for name in names}
    return dots, {dot.op.name: rng.normal(size=dot.shape) for dot in dots.values()}


def differences(case: Case, point, direction) -> np.ndarray:
    """Return the directional derivative: a complex step, or the 5-point formula."""

    def at(step):
        return evaluate(case.expr, {k: x + step * direction[k] for k, x in point.items()})

    if case.analytic:
        return at(STEP * 1j).imag / STEP
    h = 1e-3
    return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)


@pytest.fixture(params=CASES)
def case(request) -> Case:
    return CASES[request.param]


REFUSED = {"first": {"expm"}, "second": {"expm", "trexpm"}}
"""The operations that have no first, or no second, derivative of finitely many products."""


def refused(case: Case, order: str) -> None:
    """Skip what has no derivative; `test_what_has_no_derivative_refuses` looks at it."""
    if str(case.expr.op) in REFUSED[order]:
        pytest.skip(f"{case.expr.op} has no {order} derivative")


@pytest.mark.parametrize("name", sorted(REFUSED["second"]))
def test_what_has_no_derivative_refuses(name):
    expr = node(OPS[name], z)
    dots, _ = dots_of([z], "_dot")
    if name not in REFUSED["first"]:
        expr = tangent(expr, dots)
    again, _ = dots_of([z], "_dot_2")
    for derive in (lambda: tangent(expr, again), lambda: pullback(expr, expr, [z])):
        with pytest.raises(SymbpError, match="the derivative of expm is no finite product"):
            derive()
    assert tangent(expr, {}) is zeros(*expr.shape)  # a constant has one


def test_the_shape_is_stated_and_true(case):
    assert case.expr.shape == case.shape
    assert evaluate(case.expr, point_of(of(case))).shape == case.shape


@pytest.mark.parametrize("sign", [1, -1])
def test_the_tangent_is_the_slope(case, sign):
    refused(case, "first")
    names = of(case)
    point = point_of(names)
    if not case.analytic:
        point = {k: sign * x for k, x in point.items()}
    dots, direction = dots_of(names, "_dot")
    got = evaluate(tangent(case.expr, dots), point | direction)
    expected = differences(case, point, {k: direction[k + "_dot"] for k in point})
    np.testing.assert_allclose(got, expected, rtol=FIVE_POINT, atol=1e-9)
    if case.analytic:
        np.testing.assert_allclose(got, expected, rtol=EXACT, atol=1e-11)


def test_the_two_modes_agree(case):
    refused(case, "first")
    names = of(case)
    point = point_of(names)
    dots, direction = dots_of(names, "_dot")
    seed = variable("seed", case.shape)
    values = point | direction | {"seed": np.random.default_rng(9).normal(size=case.shape)}
    forward = np.sum(values["seed"] * evaluate(tangent(case.expr, dots), values))
    bars = pullback(case.expr, seed, names)
    backward = sum(
        np.sum(evaluate(bar, values) * direction[name.op.name + "_dot"])
        for name, bar in bars.items()
    )
    assert all(bar.shape == name.shape for name, bar in bars.items())
    np.testing.assert_allclose(forward, backward, rtol=EXACT, atol=1e-12)


def test_the_second_application_is_the_second_derivative(case):
    refused(case, "second")
    names = of(case)
    point = point_of(names)
    dots, direction = dots_of(names, "_dot")
    first = tangent(case.expr, dots)
    again, second = dots_of(names, "_dot_2")
    got = evaluate(tangent(first, again), point | direction | second)
    assert np.all(np.isfinite(got))
    moved = {k: second[k + "_dot_2"] for k in point}
    fixed = Case(first, case.shape, case.analytic)

    def at(step):
        return evaluate(fixed.expr, direction | {k: x + step * moved[k] for k, x in point.items()})

    step = 1e-4
    expected = at(STEP * 1j).imag / STEP if case.analytic else (at(step) - at(-step)) / (2 * step)
    np.testing.assert_allclose(got, expected, rtol=1e-9 if case.analytic else 1e-5, atol=1e-6)


def test_a_leading_axis_is_stacked_single_examples(case):
    names = of(case)
    for moving in [names, names[:1], names[1:]]:
        if not moving or isinstance(case.expr.op, Examples):
            continue
        points = [point_of(names, seed) for seed in (1, 2, 3, 4)]
        still = {name.op.name for name in names if name not in moving}
        values = {
            k: points[0][k] if k in still else np.stack([p[k] for p in points]) for k in points[0]
        }
        lifted = {name: variable(name.op.name, (4, *name.shape)) for name in moving}
        got = evaluate(lift(case.expr, lifted, 4), values)
        rows = [
            evaluate(case.expr, {k: points[0][k] if k in still else p[k] for k in p})
            for p in points
        ]
        np.testing.assert_allclose(got, rows, rtol=EXACT)


@pytest.mark.parametrize("name", ["inv", "softmax", "det", "kron", "relu"])
def test_a_lifted_operation_has_a_tangent(name):
    case = CASES[name]
    names = of(case)
    points = [point_of(names, seed) for seed in (1, 2)]
    values = {k: np.stack([p[k] for p in points]) for k in points[0]}
    lifted = {name: variable(name.op.name, (2, *name.shape)) for name in names}
    both = Case(lift(case.expr, lifted, 2), (2, *case.shape), case.analytic)
    dots, direction = dots_of(list(lifted.values()), "_dot")
    got = evaluate(tangent(both.expr, dots), values | direction)
    expected = differences(both, values, {k: direction[k + "_dot"] for k in values})
    np.testing.assert_allclose(got, expected, rtol=FIVE_POINT, atol=1e-9)


def test_the_sum_over_examples_becomes_a_sum():
    lifted = variable("v", (4, 3))
    values = np.random.default_rng(0).normal(size=(4, 3))
    expr = node(Examples(), contract("i,i->", v, v))
    got = evaluate(lift(expr, {v: lifted}, 4), {"v": values})
    np.testing.assert_allclose(got, np.sum(values**2))
    matrix = np.random.default_rng(1).normal(size=(3, 3))
    several = lift(node(Examples(), contract("ij,j->i", z, v)), {v: lifted}, 4)
    got = evaluate(several, {"v": values, "z": matrix})
    np.testing.assert_allclose(got, np.sum(values @ matrix.T, axis=0))
