"""Entries, slices and block matrices in code: slices that select, assignments that place."""

import re

import numpy as np
import pytest
import sympy as sp
from running import CLEAN, assert_clean

import symbp
from symbp.check import certify
from symbp.pipeline import compile_module, derive, emit

m, n = sp.symbols("m n", positive=True, integer=True)
A, B = sp.MatrixSymbol("A", m, m), sp.MatrixSymbol("B", n, n)
X, Y, S = sp.MatrixSymbol("X", m, n), sp.MatrixSymbol("Y", m + n, n), sp.MatrixSymbol("S", 4, 4)


def piece(matrix, rows, columns):
    return sp.MatrixSlice(matrix, rows, columns)


EXPRESSIONS = {
    "an entry": (X[0, 1] ** 2, X),
    "an entry and the rest": (sp.Trace(X * X.T) + 3 * X[0, 1], X),
    "entries": (S[0, 1] * S[2, 3] - S[1, 1] ** 3, S),
    "a block to the end": (sp.Trace(piece(Y, (m, m + n), (0, n)) * B), Y),
    "a block and the whole": (sp.Trace(piece(Y, (0, n), (0, n)) * B) - sp.Trace(Y * Y.T), Y),
    "blocks that overlap": (
        sp.Trace(piece(S, (0, 3), (0, 3)) ** 2) + sp.Trace(piece(S, (1, 4), (1, 4)) ** 2), S,
    ),
    "a block and its transpose": (
        sp.Trace((piece(S, (0, 2), (0, 2)) + piece(S, (0, 2), (0, 2)).T) ** 2), S,
    ),
    "a sum of pieces": (
        sp.Trace((piece(Y, (0, n), (0, n)) + piece(Y, (m, m + n), (0, n))) ** 2), Y,
    ),
    "a block matrix": (sp.Trace(sp.BlockMatrix([[A, X], [X.T, B]]) ** 2), X),
    "a block matrix of another": (sp.Trace(sp.BlockMatrix([[A, X], [X.T, B]]) ** 2), A),
    "an inverse's entry": (sp.Inverse(B)[0, 1], B),
}  # fmt: skip
PROGRAMS = {
    name: symbp.from_sympy(expr, wrt=[wrt], name="made")
    for name, (expr, wrt) in EXPRESSIONS.items()
}


def body(name, function):
    text = emit(derive(PROGRAMS[name]))
    return re.search(rf"\ndef {function}\(.*?(?=\n\n\n)", text, re.DOTALL).group()


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_derivative_is_right_and_no_argument_is_written_to(name):
    module = compile_module(derive(PROGRAMS[name]))
    assert all(error <= bound for _, error, bound in module.check()), module.check()
    assert certify(module).ok
    data = module.sample(np.random.default_rng(1))
    for array in data:
        array.setflags(write=False)
    single = [array.astype(np.float32) for array in data]
    for variable in module.VARIABLES:
        found = getattr(module, f"value_and_grad_{variable}")(*data)
        assert not any(np.shares_memory(part, array) for part in found for array in data)
        for part in getattr(module, f"value_and_grad_{variable}")(*single):
            assert np.asarray(part).dtype == np.float32


@pytest.mark.parametrize(
    ("name", "function", "lines"),
    [
        ("an entry", "value", ["r = X[0, 1]"]),
        ("an entry", "grad_X", ["X_bar: Array = np.zeros_like(X)", "X_bar[0, 1] = r_bar"]),
        ("an entry and the rest", "grad_X", ["X_bar: Array = 2 * X", "X_bar[0, 1] += 3"]),
        ("a block to the end", "grad_Y", ["Y_bar[len(Y) - len(B) :, :] = B.T"]),
        ("a block matrix", "value", ["T[: len(A), len(A) :] += X", "T[len(A) :, : len(A)] += X.T"]),
        ("a block and its transpose", "grad_S", ["S_bar[:2, :2] = 2 * R_bar"]),
        ("blocks that overlap", "grad_S", ["S_bar[:3, :3] += 2 * S[:3, :3].T"]),
        ("an inverse's entry", "value", ["solve(B, np.eye(len(B), dtype=B.dtype)[1])[0]"]),
    ],
)  # fmt: skip
def test_code_is_as_a_person_writes_it(name, function, lines):
    for line in lines:
        assert line in body(name, function)


@pytest.mark.parametrize("command", CLEAN, ids=" ".join)
def test_the_modules_are_clean(tmp_path, command):
    for k, program in enumerate(PROGRAMS.values()):
        (tmp_path / f"module_{k}.py").write_text(emit(derive(program)))
    assert_clean(tmp_path, command)
