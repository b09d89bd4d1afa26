"""The reference interpreter against NumPy written by hand, and its refusals."""

import math
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp

from symbp.errors import SymbpError
from symbp.ir import Constant, Examples, Op, Size, Sum, Words, node, variable
from symbp.ops import MATRIX_FUNCTIONS, OPS, RECORDS
from symbp.ops.evaluate import evaluate
from symbp.ops.formula import evaluate_formula
from symbp.ops.kinds import Largest, Merge, Solve, Split, Z
from symbp.ops.linear import scale
from symbp.ops.matrix import DETERMINANT_SIGN
from symbp.ops.power import power_op
from symbp.ops.selection import block, unit

n, m = sp.symbols("n m")
RNG = np.random.default_rng(3)
A, B, X = RNG.normal(size=(3, 2)), RNG.normal(size=(2, 4)), RNG.normal(size=(3, 3))
x, y = RNG.normal(size=3), RNG.normal(size=2)
POINT = {"A": A, "B": B, "X": X, "x": x, "y": y, "s": 0.5}
VA, VB, VX = variable("A", (n, m)), variable("B", (m, 4)), variable("X", (3, 3))
Vx, Vy, Vs = variable("x", (n,)), variable("y", (m,)), variable("s")


def expm(matrix):
    """Return the matrix exponential by the eigenvalues."""
    roots, basis = np.linalg.eig(matrix)
    return np.real(basis * np.exp(roots) @ np.linalg.inv(basis))


def words(spelled, *args, **dims):
    left, out = spelled.split("->")
    order = dict.fromkeys(left.replace(",", "") + out)
    letter = {c: k for k, c in enumerate(order)}
    sizes = {
        c: d
        for a, w in zip(args, left.split(","), strict=False)
        for c, d in zip(w, a.shape, strict=True)
    }
    spelt = tuple(tuple(letter[c] for c in w) for w in (left.split(",") if args else []))
    return node(
        Words(spelt, tuple(letter[c] for c in out), tuple((sizes | dims)[c] for c in order)), *args
    )


CASES = {
    "variable": (VA, A),
    "number": (Vs, 0.5),
    "constant": (node(Constant(sp.sqrt(2 / sp.pi))), math.sqrt(2 / math.pi)),
    "sum": (node(Sum((Fraction(2), Fraction(-1, 3)), (n,)), Vx, Vx), 5 / 3 * x),
    "zero": (node(Sum((), (2, 3))), np.zeros((2, 3))),
    "matmul": (words("ij,jk->ik", VA, VB), A @ B),
    "outer": (words("i,j->ij", Vx, Vy), np.outer(x, y)),
    "trace": (words("ii->", VX), np.trace(X)),
    "scaled": (words(",ij->ji", Vs, VA), 0.5 * A.T),
    "diagonal of": (words("ii->i", VX), np.diag(X)),
    "diag": (words("i->ii", Vx), np.diag(x)),
    "diag product": (words("i,i,->ii", Vx, Vx, Vs), np.diag(x * x / 2)),
    "delta block": (words("i,jk->iij", Vx, VA), np.einsum("il,i,jk->ilj", np.eye(3), x, A)),
    "identity": (words("->ii", i=3), np.eye(3)),
    "ones": (words("->ij", i=2, j=3), np.ones((2, 3))),
    "repeat": (words("i->ji", Vx, j=2), np.vstack([x, x])),
    "unused letter": (node(Words((), (), (3,))), 3.0),
    "one": (words("->"), 1.0),
    "merge": (node(Merge(((1, 0),)), VA), A.T.ravel()),
    "split": (node(Split(((1, 0),), (3, 2)), variable("v", (6,))), A),
    "split of three": (
        node(Split(((1, 2, 0),), (2, 3, 2)), variable("c", (12,))),
        np.arange(12.0).reshape(3, 2, 2).transpose(2, 0, 1),
    ),
    "largest": (node(Largest(), VA), A.max(axis=1)),
    "examples": (node(Examples(), Vs), 0.5),
    "unit": (unit(3, 1), np.eye(3)[1]),
    "block": (block(4, 2, 1), np.eye(4)[:, 1:3]),
    "power": (node(power_op(sp.Integer(-3)), Vx), x**-3.0),
    "root": (node(power_op(sp.Rational(1, 3)), Vs), 0.5 ** (1 / 3)),
    "det": (node(OPS["det"], VX), np.linalg.det(X)),
    "inv": (node(OPS["inv"], VX), np.linalg.solve(X, np.eye(3))),
    "solve": (node(Solve(), VX, Vx), np.linalg.solve(X, x)),
    "sign of det": (node(DETERMINANT_SIGN, VX), np.sign(np.linalg.det(X))),
    "expm": (node(OPS["expm"], VX), expm(X)),
    "expm of much": (node(OPS["expm"], scale(20, VX)), expm(20 * X)),
    "trexpm": (node(OPS["trexpm"], VX), np.trace(expm(X))),
    "logdet": (node(OPS["logdet"], VX), math.log(abs(np.linalg.det(X)))),
    "softmax": (node(OPS["softmax"], Vx), np.exp(x) / np.exp(x).sum()),
    "logsumexp": (node(OPS["logsumexp"], Vx), math.log(np.exp(x).sum())),
    "log_softmax": (node(OPS["log_softmax"], Vx), np.log(np.exp(x) / np.exp(x).sum())),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_value_is_numpys(name):
    expr, expected = CASES[name]
    got = evaluate(expr, POINT | {"v": A.T.ravel(), "c": np.arange(12.0)})
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-14)
    assert got.shape == np.shape(expected)


def test_symbolic_sizes_are_read_off_the_arrays_or_given():
    assert evaluate(words("->ij", i=n, j=m), {}, sizes={"n": 2, "m": 3}).shape == (2, 3)
    total = node(Sum((Fraction(1), Fraction(1)), ()), node(Size(n * m)), words("ij->", VA))
    np.testing.assert_allclose(evaluate(total, POINT), 6 + A.sum())
    assert evaluate(block(n + 1, n, 1), {}, sizes={"n": 2}).shape == (3, 2)


NUMBERS = np.array([-750.0, -30.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0, 30.0, 750.0])
BY_HAND = {
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "relu": lambda z: np.maximum(z, 0),
    "positive": lambda z: (z > 0) * 1.0,
    "heaviside": lambda z: (z >= 0) * 1.0,
    "rect": lambda z: ((z >= 0) & (z <= 1)) * 1.0,
    "elu": lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    "abs": np.abs,
    "sign": np.sign,
    "erf": np.vectorize(math.erf),
    "tanh": np.tanh,
    "silu": lambda z: z / (1 + np.exp(-z)),
    "gelu": lambda z: z * (1 + np.vectorize(math.erf)(z / math.sqrt(2))) / 2,
}


@pytest.mark.parametrize("name", BY_HAND)
def test_elementwise_meaning_on_a_grid_with_extremes(name):
    with np.errstate(over="ignore"):
        expected = BY_HAND[name](NUMBERS)
    got = evaluate(node(OPS[name], variable("z", (10,))), {"z": NUMBERS})
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("op", [op for op in RECORDS.values() if op.analytic], ids=str)
def test_analytic_operations_pass_a_complex_step(op):
    args = [variable(name, (2,)) for name in "zw"[: len(op.slopes)]]
    point = {"z": np.array([0.3, 1.7]), "w": np.array([1.2, 0.4])}
    for name in "zw"[: len(args)]:
        stepped = evaluate(node(op, *args), {**point, name: point[name] + 1e-30j}).imag / 1e-30
        ahead, behind = (
            evaluate(node(op, *args), {**point, name: point[name] + h}) for h in (1e-5, -1e-5)
        )
        np.testing.assert_allclose(stepped, (ahead - behind) / 2e-5, rtol=1e-8)


def test_erf_away_from_the_real_line():
    z = sp.Rational(1, 2) + 2 * sp.I
    got = evaluate_formula(sp.erf(Z), {Z: np.array([0.5 + 2j])})
    np.testing.assert_allclose(got, [complex(sp.N(sp.erf(z)))], rtol=1e-13)


@pytest.mark.parametrize("op", MATRIX_FUNCTIONS.values(), ids=str)
def test_leading_axes_are_stacked_single_values(op):
    stacked = RNG.normal(size=(2, 4, 3, 3)[: 2 + op.rank])
    plain = variable("z", stacked.shape[2:])
    expected = [[evaluate(node(op, plain), {"z": one}) for one in row] for row in stacked]
    got = evaluate(node(replace(op, leading=2), variable("z", stacked.shape)), {"z": stacked})
    np.testing.assert_allclose(got, expected, rtol=1e-12)


@pytest.mark.parametrize("op", [op for op in MATRIX_FUNCTIONS.values() if op.expansion], ids=str)
def test_an_expansion_has_the_same_value(op):
    z = variable("z", (3,) * op.rank)
    point = {"z": RNG.normal(size=z.shape)}
    got = evaluate(op.expansion(z), point)
    np.testing.assert_allclose(got, evaluate(node(op, z), point), rtol=1e-12)


@dataclass(frozen=True)
class Strange(Op):
    name: str = "strange"

    def shape(self, args):
        return ()


@pytest.mark.parametrize(
    ("expr", "point", "message"),
    [
        (Vx, {}, "no value for x"),
        (Vx, {"x": A}, "the value of x has shape"),
        (VX, {"X": A}, "the value of X has shape"),
        (words("ij,i->j", VA, Vx), {"A": A, "x": y}, "the value of x has shape"),
        (node(Strange()), {}, r"Strange.* \(Strange\) has no numeric meaning"),
        (words("->i", i=n), {}, "the size n is not known"),
    ],
)
def test_what_has_no_value_is_named(expr, point, message):
    with pytest.raises(SymbpError, match=message):
        evaluate(expr, point)


def test_an_unknown_formula_is_named():
    with pytest.raises(SymbpError, match="LambertW"):
        evaluate_formula(1 + sp.LambertW(Z), {Z: np.ones(2)})
