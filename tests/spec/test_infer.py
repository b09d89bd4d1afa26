"""One expression without declarations: what its letters say, and what its operators say."""

from time import perf_counter

import numpy as np
import pytest

from symbp.errors import SpecError, SymbpError
from symbp.ir import name_of
from symbp.ops.evaluate import evaluate
from symbp.spec import expression, inferred
from symbp.spec.infer import rank_of

RANKS = {
    0: "a g b_1 alpha beta_2 lambda lambda_1 omega omega2 xi _c delta_o epsilon fan",
    1: "h x z w_1 value lambdas mux _x hidden",
    2: "W A Omega Sigma_1 Pi X_hat _B",
}


@pytest.mark.parametrize(
    ("name", "rank"), [(name, rank) for rank, names in RANKS.items() for name in names.split()]
)
def test_rank_by_first_letter(name, rank):
    assert rank_of(name) == rank


TABLES = [  # expression, shapes asked for, table
    ("norm2(A @ W @ B + C)^2", {}, "A: m x n, W: n x p, B: p x q, C: m x q"),
    ("x' @ A @ x", {}, "x: n, A: n x n"),
    ("x' @ A @ z", {}, "x: m, A: m x n, z: n"),
    ("tr(A @ B @ C)", {}, "A: m x n, B: n x p, C: p x m"),
    ("x + z + a * h", {}, "x: n, z: n, a: , h: n"),
    ("A .* B + C'", {}, "A: m x n, B: m x n, C: n x m"),
    ("A^2 @ X", {}, "A: m x m, X: m x n"),
    ("det(A @ B)", {}, "A: m x n, B: n x m"),
    ("dot(x, W @ z)", {}, "x: m, W: m x n, z: n"),
    ("max(x, z)", {}, "x: n, z: n"),
    ("vec(A) + x", {}, "A: m x n, x: m*n"),
    ("x + vec(A)", {}, "x: m*n, A: m x n"),
    ("kron(A, B) @ x", {}, "A: m x n, B: p x q, x: n*q"),
    ("sum(x[k] for k in 1..2)", {}, "x_1: n, x_2: n"),
    ("ones(s) + x", {}, "x: s"),
    ("m' @ A @ n", {}, "m: p, A: p x q, n: q"),
    ("Ω @ h", {}, "Omega: m x n, h: n"),
    ("W @ x", {"W": "3x4"}, "W: 3 x 4, x: 4"),
    ("W @ x", {"W": "3 x 4"}, "W: 3 x 4, x: 4"),
    ("W @ x", {"x": "m"}, "W: n x m, x: m"),
    ("W @ x + a", {"W": "p,q", "a": "p"}, "W: p x q, x: q, a: p"),
    ("W @ h", {"W": "p × q"}, "W: p x q, h: q"),
    ("x * z", {"x": "scalar"}, "x: , z: n"),
    ("norm2(x)^2 / N", {"x": "N"}, "x: N"),
    ("Ω @ h", {"Ω": "3xn"}, "Omega: 3 x n, h: n"),
]


@pytest.mark.parametrize(("text", "shapes", "table"), TABLES, ids=[case[0] for case in TABLES])
def test_table(text, shapes, table):
    program = expression(text, shapes=shapes)
    assert ", ".join(f"{name}: {shape}" for name, _, shape in inferred(program)) == table
    kinds = {0: "scalar", 1: "vector", 2: "matrix"}
    assert [kind for _, kind, _ in inferred(program)] == [kinds[v.rank] for v in program.consts]
    symbols = {
        str(s) for v in program.consts for d in v.shape for s in getattr(d, "free_symbols", ())
    }
    assert program.sizes == dict.fromkeys(sorted(symbols, key=list(program.sizes).index))


def test_a_scalar_is_the_loss():
    program = expression("norm2(A @ W @ B + C)^2", ["W"])
    assert (program.name, program.kind) == ("expression", "identity")
    assert (name_of(program.loss), program.output) == ("loss", None)
    assert [name_of(var) for var in program.wrt] == ["W"]
    assert [name_of(var) for var in program.consts] == ["A", "W", "B", "C"]
    assert not any(var.batched for var in program.given)
    rng = np.random.default_rng(0)
    shapes = {"A": (2, 3), "W": (3, 4), "B": (4, 5), "C": (2, 5)}
    values = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    meaning = np.sum((values["A"] @ values["W"] @ values["B"] + values["C"]) ** 2)
    np.testing.assert_allclose(evaluate(program.bindings[0].expr, values), meaning)


def test_anything_else_is_the_value():
    program = expression("x' @ A")
    assert (program.loss, name_of(program.output)) == (None, "value")
    assert [str(dim) for dim in program.output.shape] == ["1", "n"]
    assert program.wrt == program.consts


def test_one_entry_is_a_scalar():
    assert expression("W @ x", shapes={"W": "1x4"}).loss is not None


@pytest.mark.parametrize("text", ["tr(X^3)", "det(X^2)", "logdet(X^2) + 1", "tr(X @ X^-2)"])
def test_a_power_of_a_matrix_of_one_entry_is_a_matrix(text):
    made = expression(text, shapes={"X": "1x1"})
    symbolic = expression(text, shapes={"X": "n,n"})
    at = {"X": np.array([[3.0]])}
    ours, truth = (evaluate(program.bindings[-1].expr, at) for program in (made, symbolic))
    assert ours == pytest.approx(truth)


def test_logits_of_one_class_lose_nothing():
    loss = expression("softmax_cross_entropy(y, z)", shapes={"y": "1", "z": "1"})
    at = {"y": np.ones(1), "z": np.array([3.0])}
    assert evaluate(loss.bindings[-1].expr, at) == pytest.approx(0)


def test_wrt_in_the_order_asked_for_each_once():
    program = expression("W @ x", ["x", "W", "x"])
    assert [name_of(var) for var in program.wrt] == ["x", "W"]


MISTAKES = [  # expression, shapes, column, words of the message, words of the help
    ("W @ x", {"W": "3x4", "x": "5"}, 3, "W is 3 x 4, x is 5", "--shape x=n"),
    ("W @ x + V @ x + V' @ x", {"W": "3x4"}, 20, "V' is 4 x 3, x is 4", "`V @ x`"),
    ("A @ x + b", {}, 7, "A @ x is m, b is a scalar", "b * ones(m)"),
    ("x * y", {}, 3, "x is m, y is n", "`x .* y`"),
    ("A + x", {}, 3, "A is m x n, x is p", "one shape"),
    ("tanhh(x)", {}, 1, "no function", "`tanh`"),
    ("A x", {}, 3, "no operator", "`@`"),
    ("x / n + ones(n)", {}, 3, "x is m, n is p", "./"),
    ("x + ones(x)", {}, 10, "`x` is no size", "size"),
    ("vec(A) + vec(B)", {}, 8, "vec(A) is m*n, vec(B) is p*q", "one shape"),
    ("sum(sum(j*k*a for j in 1..1000) for k in 1..1000)", {}, 1, "100,000", "lines"),
    ("+".join(f"x{k}" for k in range(51)), {}, 191, "more than 50 names", "spec file"),
    ("9^9^9^9", {}, 4, "tower", "number"),
]


@pytest.mark.parametrize(("text", "shapes", "column", "message", "help"), MISTAKES)
def test_mistake(text, shapes, column, message, help):
    start = perf_counter()
    with pytest.raises(SpecError) as caught:
        expression(text, shapes=shapes)
    assert perf_counter() - start < 1
    error = caught.value
    assert (error.span.line, error.span.column) == (1, column)
    assert message in error.message
    assert help in (error.help or "")
    assert (error.source, error.filename) == (text, "<expression>")


OPTIONS = [  # expression, wrt, shapes, words of the error
    ("W @ x", ["Ww"], {}, "did you mean `W`?"),
    ("W @ x", ["q"], {}, "its names are W, x"),
    ("W @ x", [], {"Z": "3"}, "`Z` has a shape"),
    ("W @ x", [], {"W": "3x4x5"}, "`3x4x5` is no shape"),
    ("W @ x", [], {"W": "0x4"}, "`0x4` is no shape"),
    ("W @ x", [], {"W": ""}, "`` is no shape"),
    ("W @ x", [], {"W": 'a"\n'}, "is no shape"),
    ("W @ x", [], {"W": "matrix"}, "gives no sizes"),
    ("2 + 3", [], {}, "no name to differentiate by"),
    ("norm2(loss)", [], {}, "`loss` names the result"),
]


@pytest.mark.parametrize(("text", "wrt", "shapes", "words"), OPTIONS)
def test_wrong_options(text, wrt, shapes, words):
    with pytest.raises(SymbpError) as caught:
        expression(text, wrt, shapes)
    assert words in str(caught.value)
    assert caught.value.help
