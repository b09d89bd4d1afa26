"""Inverses and determinants in code: one factorisation a matrix, a system solved where one is."""

import re
from collections import Counter

import numpy as np
import pytest
from running import CLEAN, assert_clean

from symbp.check import certify
from symbp.ops.evaluate import evaluate
from symbp.pipeline import compile_module, derive, emit, read_program
from symbp.spec import parse

EXPRESSIONS = {
    "y' @ inv(X) @ y": "X",
    "dot(z, inv(X) @ y)": "y",
    "inv(X) @ B": "B",
    "B @ inv(X)": "B",
    "A @ inv(X) @ B": "X",
    "inv(X)": "X",
    "tr(inv(X) @ A)": "X",
    "tr(inv(X) @ A @ inv(X) @ B)": "A",
    "inv(X) .* A": "X",
    "inv(X) @ A @ inv(Z)": "Z",
    "inv(X)' @ y": "y",
    "tr(inv(X))": "X",
    "diag(inv(X))": "X",
    "dot(z, inv(X' @ X + A) @ y)": "X",
    "inv(A + B @ inv(X) @ B) @ y": "X",
    "logdet(X)": "X",
    "det(X)": "X",
    "det(X) + logdet(X)": "X",
    "det(X)^2 * tr(inv(X) @ A)": "X",
    "logdet(A @ X) * det(A @ X)": "X",
    "tr(expm(X))": "X",
    "a * tr(expm(A @ X))^2": "X",
    "expm(X) @ y": "y",
}
SPECS = {
    "vectors of a batch": "const X : n x n\ninput b : n\nvalue = inv(X) @ b\nwrt b",
    "a stack of systems": "input X : n x n\ninput b : n\nvalue = inv(X) @ b\nwrt b",
    "forms of a stack": "input X : n x n\ninput b : n\nvalue = b' @ inv(X) @ b\nwrt b",
    "matrices of a stack": "input X : n x n\ninput B : n x m\nvalue = inv(X)' @ B\nwrt B",
    "determinants of a stack": "input X : n x n\nvalue = det(X) + logdet(X)\nwrt X",
    "a line of its own": "input X : n x n\ninput b : n\nP = inv(X)\nvalue = P @ b\nwrt b",
    "traces of a stack": "input X : n x n\nE = expm(X / 2)\nvalue = tr(E)\nwrt X",
    "a network": (
        "param X : n x n\ninput b : n\ntarget y : n\n"
        "loss = squared_error(y, inv(X) @ b) + logdet(X) + det(X)"
    ),
}  # fmt: skip


def _programs():
    for text, wrt in EXPRESSIONS.items():
        yield pytest.param(read_program(None, text, [wrt]), id=text)
    for name, text in SPECS.items():
        yield pytest.param(parse(f"size n = 3, m = 2\n{text}"), id=name)


PROGRAMS = list(_programs())


def functions(text):
    """Return the body of each function of a module by name, helpers left out."""
    found = re.findall(r"\ndef (\w+)\(.*?(?=\n\n\n)", text, re.DOTALL)
    bodies = {f: re.search(rf"\ndef {f}\(.*?(?=\n\n\n)", text, re.DOTALL).group() for f in found}
    return {f: body for f, body in bodies.items() if f != "_expm"}


def calls(body):
    """Return how often a function factorises each matrix, by the family of what it calls."""
    made = re.findall(r"(?:np\.linalg\.(solve|inv|det|slogdet)|(_expm))\((\w+|\(?[^,()]*\)?)", body)
    families = {"solve": "solve", "inv": "solve", "det": "det", "slogdet": "det"}
    return Counter(
        (families.get(name, "expm"), matrix.removesuffix(".T")) for name, _, matrix in made
    )


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_derivative_is_right(program):
    module = compile_module(derive(program))
    assert all(error <= bound for _, error, bound in module.check()), module.check()
    assert certify(module).ok


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_function_factorises_each_matrix_once(program):
    for name, body in functions(emit(derive(program))).items():
        assert not [key for key, count in calls(body).items() if count > 1], (name, body)


@pytest.mark.parametrize("text", [text for text in EXPRESSIONS if "@" in text or "X" in text])
def test_the_value_is_that_of_the_reference_in_either_precision(text):
    program = read_program(None, text, [EXPRESSIONS[text]])
    module = compile_module(derive(program))
    data = module.sample(np.random.default_rng(2))
    values = dict(zip(module.ARGUMENTS, data, strict=True))
    for binding in program.bindings:
        values[binding.name] = evaluate(binding.expr, values)
    truth = values[program.bindings[-1].name]
    np.testing.assert_allclose(module.value(*data), truth, rtol=1e-9, atol=1e-12)
    single = [np.asarray(value, np.float32) for value in data]
    for found in (module.value(*single), *module.jvp(*single, *_dots(module, single))):
        assert np.asarray(found).dtype == np.float32


def _dots(module, data):
    return [data[module.ARGUMENTS.index(name)] for name in module.VARIABLES]


def body(text, wrt, function):
    return functions(emit(derive(read_program(None, text, [wrt]))))[function]


@pytest.mark.parametrize(
    ("text", "wrt", "function", "line"),
    [
        ("y' @ inv(X) @ y", "X", "value", "np.dot(y, np.linalg.solve(X, y))"),
        ("B @ inv(X)", "B", "value", "np.linalg.solve(X.T, B.T).T"),
        ("inv(X)' @ y", "y", "value", "np.linalg.solve(X.T, y)"),
        ("y' @ inv(X) @ y", "X", "grad_X", "X_inv: Array = np.linalg.inv(X)"),
        ("dot(z, inv(X) @ y)", "y", "value_and_grad_y", "y_bar: Array = np.linalg.solve(X.T, z)"),
        ("dot(z, inv(X' @ X + A) @ y)", "X", "grad_X", "Z_inv: Array = np.linalg.inv(Z)"),
        ("det(X) + logdet(X)", "X", "value", "sign_X, logdet_X = np.linalg.slogdet(X)"),
        ("det(X)", "X", "value", "np.linalg.det(X)"),
        ("logdet(X)", "X", "value", "np.linalg.slogdet(X)[1]"),
        ("tr(expm(X))", "X", "value_and_grad_X", "expm_X = _expm(X)"),
    ],
)
def test_code_is_as_a_person_writes_it(text, wrt, function, line):
    assert line in body(text, wrt, function)


def test_vectors_of_a_batch_are_columns_of_one_system():
    program = parse(f"size n = 3\n{SPECS['vectors of a batch']}")
    assert "np.linalg.solve(X, b.T).T" in functions(emit(derive(program)))["value"]


def test_the_exponential_is_that_of_the_eigenvalues():
    module = compile_module(derive(read_program(None, "tr(expm(X))", ["X"])))
    rng = np.random.default_rng(0)
    for scale in (0, 1e-8, 0.1, 1, 30):
        basis, roots = rng.normal(size=(2, 4, 4)) + np.eye(4), scale * rng.normal(size=(2, 4))
        stack = basis * roots[:, None, :] @ np.linalg.inv(basis)
        truth = basis * np.exp(roots)[:, None, :] @ np.linalg.inv(basis)
        np.testing.assert_allclose(module._expm(stack), truth, rtol=1e-8, atol=1e-10)
    turn = np.array([[0, -np.pi], [np.pi, 0]])
    np.testing.assert_allclose(module._expm(turn), -np.eye(2), atol=1e-14)
    np.testing.assert_allclose(module._expm(1j * turn), np.cosh(np.pi) * np.eye(2) + 1j * np.sinh(
        np.pi) * turn / np.pi, rtol=1e-13)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of the modules of this file."""
    path = tmp_path_factory.mktemp("factorised")
    for k, parameter in enumerate(PROGRAMS):
        (path / f"module_{k}.py").write_text(emit(derive(parameter.values[0])))
    return path


@pytest.mark.parametrize("command", CLEAN, ids=" ".join)
def test_the_modules_are_clean(folder, command):
    assert_clean(folder, command)
