"""Jacobians, Hessians and products with them, as functions of a module: right, and well made."""

import ast
import tracemalloc
from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest

from symbp.check import certify
from symbp.derive.dense import Wanted
from symbp.pipeline import Declared, compile_module, derive, emit, read_program
from symbp.spec import parse

JACOBIAN, HESSIAN = Wanted(jacobian=True), Wanted(hessian=True)


def program(text: str, wrt: Sequence[str] = (), symmetric: Sequence[str] = ()):
    return read_program(None, text, wrt, Declared(symmetric=symmetric))


def module(text: str, wanted: Wanted, wrt: Sequence[str] = (), symmetric: Sequence[str] = ()):
    return compile_module(derive(program(text, wrt, symmetric)), wanted=wanted)


def function(text: str, name: str) -> str:
    """Return the source of one function of a module."""
    found = (n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef) and n.name == name)
    return ast.unparse(next(found))


def assert_certified(made) -> None:
    certificate = certify(made)
    assert certificate.ok, str(certificate)
    failed = [row for row in made.check() if not row[1] <= row[2]]
    assert failed == []


ARRAYS = ["A @ X @ B", "X @ w", "a * x", "inv(X)", "softmax(A @ x)", "tanh(A @ x) .* x", "X' @ X",
          "x / norm2(x)", "diag(x) @ A", "exp(a) * A", "A * 2", "x @ y'"]  # fmt: skip
SCALARS = ["x' @ A @ x", "norm2(A @ x - y)^2", "logdet(X' @ X)", "tr(A @ X @ B @ X')", "a * sin(b)",
           "sum(softplus(X @ w))", "a * sum(x)", "logsumexp(A @ x)", "x' @ inv(A) @ y",
           "sum(x .* x .* x)", "tr(X)"]  # fmt: skip
LAYOUTS = ["array", "vec"]


@pytest.mark.parametrize(("text", "layout"), [*product(ARRAYS, LAYOUTS)])
def test_every_jacobian_is_certified(text: str, layout) -> None:
    assert_certified(module(text, Wanted(jacobian=True, layout=layout)))


@pytest.mark.parametrize(("text", "layout"), [*product(SCALARS, LAYOUTS)])
def test_every_hessian_is_certified(text: str, layout) -> None:
    assert_certified(module(text, Wanted(hessian=True, layout=layout)))


SYMMETRIC = [("logdet(S) + x' @ S @ x", HESSIAN), ("x' @ inv(S) @ x", HESSIAN),
             ("tr(A @ S @ S)", Wanted(hessian=True, layout="vec")), ("S @ A @ S", JACOBIAN),
             ("logdet(S) + tr(A @ S)", Wanted(both_halves=True))]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), SYMMETRIC)
def test_symmetric_matrices_are_drawn_and_moved_as_such(text: str, wanted: Wanted) -> None:
    made = module(text, wanted, symmetric=["S"])
    drawn = made.sample(np.random.default_rng(0))[made.ARGUMENTS.index("S")]
    np.testing.assert_array_equal(drawn, drawn.T)
    assert_certified(made)


def test_both_halves_are_the_derivative_by_the_lower_triangle() -> None:
    made = module("tr(A @ S @ S)", Wanted(both_halves=True), ["S"], ["S"])
    A, S = made.sample(np.random.default_rng(0))
    step = np.zeros_like(S)
    step[1, 0] = step[0, 1] = 1e-6
    slope = (made.value(A, S + step) - made.value(A, S - step)) / 2e-6
    assert made.grad_S(A, S)[1, 0] == pytest.approx(slope)


def test_axes_of_the_value_come_first_then_those_of_the_variable() -> None:
    A, X, B = (
        np.random.default_rng(k).standard_normal(s) for k, s in enumerate([(2, 3), (3, 4), (4, 5)])
    )
    made = module("A @ X @ B", JACOBIAN, ["X"]).jacobian_X(A, X, B)
    np.testing.assert_allclose(made, np.einsum("ik,lj->ijkl", A, B))
    stacked = module("A @ X @ B", Wanted(jacobian=True, layout="vec"), ["X"]).jacobian_X(A, X, B)
    np.testing.assert_allclose(stacked, np.kron(B.T, A))


def test_docstrings_say_the_layout() -> None:
    text = emit(derive(program("A @ X @ B", ["X"])), wanted=JACOBIAN)
    assert '"""Return ∂value/∂X, (m, q, n, p): the axes of value, then those of X."""' in text
    text = emit(derive(program("x' @ A @ x", ["x"])), wanted=HESSIAN)
    assert '"""Return ∂²loss/∂x², (n, n): the axes of x, twice."""' in text
    vec = Wanted(hessian=True, layout="vec")
    text = emit(derive(program("tr(X' @ X)", ["X"])), wanted=vec)
    assert '"""Return ∂²loss/∂vec(X)², (m*n, m*n): columns stacked."""' in text


def test_nothing_is_written_unasked() -> None:
    text = emit(derive(program("x' @ A @ x")))
    for word in ("hessian", "hvp", "jacobian", "_check_second", "SYMMETRIC"):
        assert word not in text


def test_a_scalar_has_no_jacobian_beside_its_gradient() -> None:
    assert emit(derive(program("sum(x)")), wanted=JACOBIAN) == emit(derive(program("sum(x)")))


def test_a_logistic_regression_is_built_from_its_factors() -> None:
    text = emit(derive(program("sum(softplus(X @ w))", ["w"])), wanted=HESSIAN)
    body = function(text, "hessian_w")
    assert "X.T @" in body or "X.T * " in body
    assert "[:, :, None" not in body


def test_a_product_never_builds_the_hessian() -> None:
    made = module("sum(softplus(X @ w))", Wanted(hvp=True), ["w"])
    n = 2000
    X, w = np.random.default_rng(0).standard_normal((3, n)), np.zeros(n)
    made.hvp_w(X, w, w)
    tracemalloc.start()
    made.hvp_w(X, w, w + 1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * n * n / 50


def test_a_zero_product_has_the_variable_s_type() -> None:
    made = module("tr(A @ X)", Wanted(hvp=True), ["X"])
    A, X = (np.ones((3, 3), np.float32) for _ in range(2))
    assert [a.dtype for a in made.hvp_X(A, X, X)] == [np.float32, np.float32]


def test_names_that_meet_are_told_apart() -> None:
    made = module("x' @ y * sum(x_y)", HESSIAN, ["x", "y", "x_y"])
    names = {name: of for name, of in made.HESSIANS.items() if name.startswith("hessian_x_y")}
    assert sorted(map(len, map(set, names.values()))).count(1) == 1
    assert len(made.HESSIANS) == 6
    assert_certified(made)


# networks

NETWORKS = {
    "penalty": "input x : 3\ntarget y : 2\nparam W : 2 x 3\nparam b : 2\n"
    "loss = norm2(W @ x + b - y)^2 + norm2(W)^2 / 3\nwrt W, b, x",
    "sum": "input x : 3\ntarget y : 2\nparam W : 2 x 3\nbatch sum\n"
    "loss = norm2(sigmoid(W @ x) - y)^2",
    "frozen": "input x : 3\ntarget y : 2\nparam W : 2 x 3\nparam b : 2\n"
    "loss = norm2(tanh(W @ x + b) - y)^2\nwrt b",
    "labels": "input x : 3\ntarget y : one_hot 4\nparam W : 4 x 3\n"
    "loss = softmax_cross_entropy(y, W @ x)",
    "symmetric": "param S : 3 x 3 symmetric\nparam w : 3\nloss = logdet(S) + w' @ inv(S) @ w",
    "output": "input x : 3\nparam W : 2 x 3\nh = tanh(W @ x)\noutput h\nwrt W, x",
    "number": "input x : 3\nparam w : 3\ny = exp(w' @ x)\noutput y\nwrt w, x",
}


@pytest.mark.parametrize(("name", "layout"), [*product(NETWORKS, LAYOUTS)])
def test_networks(name: str, layout) -> None:
    found = parse("model net\n" + NETWORKS[name])
    array = found.result.rank > 0
    wanted = Wanted(jacobian=array, hessian=not array, layout=layout)
    assert_certified(compile_module(derive(found), wanted=wanted))


def test_a_network_s_jacobian_has_the_examples_first() -> None:
    made = compile_module(derive(parse("model net\n" + NETWORKS["output"])), wanted=JACOBIAN)
    params, (x,) = made.sample(np.random.default_rng(0))
    assert made.jacobian_W(params, x).shape == (len(x), 2, 2, 3)
    assert made.jacobian_x(params, x).shape == (len(x), 2, 3)
