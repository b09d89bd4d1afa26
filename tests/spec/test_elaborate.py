"""Syntax tree to program: names, shapes, values, and one well-placed error for each mistake."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest
import sympy as sp

from symbp.errors import SpecError
from symbp.ir import Words, name_of, size_symbol
from symbp.ops.evaluate import evaluate
from symbp.program import Init, Program
from symbp.spec import load, parse
from symbp.spec.elaborate import checked_name

SPECS = Path(__file__).parents[2] / "specs"

GIVEN = """\
size  n, m, D = 3
input x : n
target y : m
param W : m x n
param V : n x m
param S : n x n
param a, b
const c : m
"""
LINES = GIVEN.count("\n")

SIZES = {"n": 3, "m": 2, "D": 3}
RNG = np.random.default_rng(0)
VALUES = {
    "x": RNG.normal(size=3),
    "y": RNG.normal(size=2),
    "W": RNG.normal(size=(2, 3)),
    "V": RNG.normal(size=(3, 2)),
    "S": RNG.normal(size=(3, 3)) + 3 * np.eye(3),
    "a": np.array(0.7),
    "b": np.array(-1.3),
    "c": RNG.normal(size=2),
}


def run(program: Program, values: Mapping[str, object]) -> dict[str, np.ndarray]:
    """Return the value of every line."""
    known = dict(values)
    for binding in program.bindings:
        known[binding.name] = evaluate(binding.expr, known, sizes=SIZES)
        assert known[binding.name].ndim == binding.target.rank
    return known


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


x, y, W, V, S, a, b, c = (VALUES[name] for name in "xyWVSabc")

MEANINGS = [
    ("W @ x", W @ x),
    ("x' @ V", (x @ V)[None]),
    ("x' @ S @ x", x @ S @ x),
    ("x @ y'", np.outer(x, y)),
    ("(x @ y')'", np.outer(y, x)),
    ("x' + x' @ S", (x + x @ S)[None]),
    ("x'' + x", 2 * x),
    ("(x' @ x) @ y'", (x @ x * y)[None]),
    ("y @ (x' @ x)", y * (x @ x)),
    ("ones(1, n) + x'", (1 + x)[None]),
    ("ones(n, 1) .* x", x[:, None]),
    ("a + ones(1, n) @ x", a + x.sum()),
    ("a + ones(1)", a + 1),
    ("(ones(1, n) @ S @ ones(n, 1)) * x", S.sum() * x),
    ("W * a - b * W", (a - b) * W),
    ("x * (x' @ x) / a", x * (x @ x) / a),
    ("W .* W ./ (W .* W + ones(m, n))", W * W / (W * W + 1)),
    ("a .* x", a * x),
    ("1 ./ x", 1 / x),
    ("x.^2", x**2),
    ("2.^x", 2**x),
    ("x.^(1/1)", x),
    ("(x .* x).^(x)", (x * x) ** x),
    ("euler^a", np.exp(a)),
    ("a^2 + 2^a", a**2 + 2**a),
    ("-a^2", -(a**2)),
    ("2*pi*a", 2 * np.pi * a),
    ("0.1 * a", 0.1 * a),
    ("S^3", S @ S @ S),
    ("S^0", np.eye(3)),
    ("S^-1 @ x", np.linalg.solve(S, x)),
    ("S⁻² @ x", np.linalg.inv(S @ S) @ x),
    ("W'", W.T),
    ("(W @ S)ᵀ", (W @ S).T),
    ("‖W‖^2", (W**2).sum()),
    ("norm2(x)", np.linalg.norm(x)),
    ("norm1(W)", np.abs(W).sum()),
    ("norm2(x)^2 / n", (x @ x) / 3),
    ("sum(W)", W.sum()),
    ("sum(W, rows)", W.sum(1)),
    ("mean(W)", W.mean()),
    ("mean(W, rows)", W.mean(1)),
    ("mean(a)", a),
    ("mean(ones(4))", np.array(1.0)),
    ("dot(x, x')", x @ x),
    ("outer(x, y)", np.outer(x, y)),
    ("tr(S)", np.trace(S)),
    ("det(S)", np.linalg.det(S)),
    ("logdet(S)", np.linalg.slogdet(S)[1]),
    ("inv(S)", np.linalg.inv(S)),
    ("diag(x)", np.diag(x)),
    ("diag(S)", np.diag(S)),
    ("kron(W, V)", np.kron(W, V)),
    ("kron(x, y)", np.kron(x, y)),
    ("kron(x, y')", np.kron(x[:, None], y[None])),
    ("vec(W)", W.T.ravel()),
    ("softmax(x)", softmax(x)),
    ("softmax(x')", softmax(x)[None]),
    ("softmax(W, rows)", softmax(W)),
    ("log_softmax(W, rows)", np.log(softmax(W))),
    ("logsumexp(x)", np.log(np.exp(x).sum())),
    ("logsumexp(x')", np.log(np.exp(x).sum())),
    ("logsumexp(W, rows)", np.log(np.exp(W).sum(1))),
    ("eye(n) + zeros(n, n)", np.eye(3)),
    ("ones(2, n)", np.ones((2, 3))),
    ("max(x, 0)", np.maximum(x, 0)),
    ("max(0, x)", np.maximum(x, 0)),
    ("min(x, S @ x)", np.minimum(x, S @ x)),
    ("leaky_relu(x, 1/10)", np.where(x > 0, x, 0.1 * x)),
    ("leaky_relu(x, a)", np.where(x > 0, x, a * x)),
    ("relu(x')", np.maximum(x, 0)[None]),
    ("sqrt(x .* x)", np.abs(x)),
    ("squared_error(y, W @ x)", ((W @ x - y) ** 2).sum()),
    ("squared_error(a, b)", (a - b) ** 2),
    (
        "cross_entropy(y, sigmoid(c))",
        -(y * np.log(sigmoid(c)) + (1 - y) * np.log(1 - sigmoid(c))).sum(),
    ),
    ("cross_entropy(a, sigmoid(b))", -(a * np.log(sigmoid(b)) + (1 - a) * np.log(1 - sigmoid(b)))),
    ("softmax_cross_entropy(y, c)", -y @ np.log(softmax(c))),
    ("sum(k * a^k for k in 1..3)", a + 2 * a**2 + 3 * a**3),
    ("sum(x' for k in 1..D)", 3 * x[None]),
    ("sum(sum(j * k * a for j in 1..k) for k in 1..2)", a * (1 + 2 + 4)),
]


@pytest.mark.parametrize(("text", "meaning"), MEANINGS, ids=[text for text, _ in MEANINGS])
def test_meaning(text, meaning):
    found = run(parse(f"{GIVEN}r = {text}\n"), VALUES)["r"]
    assert found.shape == np.shape(meaning)
    np.testing.assert_allclose(found, meaning, rtol=1e-12, atol=1e-12)


MISTAKES = [  # text, column of the last line, length, words of the message, words of the help
    ("f = W @ y", 7, 1, "W is m x n, y is m", "`W' @ y`"),
    ("f = W @ V'", 7, 1, "W is m x n, V' is m x n", "`W' @ V'`"),
    ("f = x @ x", 7, 1, "x is n, x is n", "`x' @ x` for the inner product"),
    ("f = a @ x", 7, 1, "a is a scalar", "`a * x`"),
    ("f = W @ a", 7, 1, "a is a scalar", "`W * a`"),
    ("f = x' @ W", 8, 1, "x' is 1 x n, W is m x n", "`x' @ W'`"),
    ("f = W * V", 7, 1, "W is m x n, V is n x m", "`W @ V` for the matrix product, `W .* V`"),
    ("f = x * x", 7, 1, "needs a scalar", "`x' @ x`"),
    ("f = a + W", 7, 1, "W is m x n", "`a * ones(m, n) + W`"),
    ("f = x - 1", 7, 1, "1 is a scalar", "`x - 1 * ones(n)`"),
    ("f = W @ V + x", 11, 1, "W @ V is m x m, x is n", "one shape"),
    ("f = x' + x", 8, 1, "x' is 1 x n, x is n", "`x' + x'`"),
    ("f = ones(3) + ones(D)", 13, 1, "is 3, ones(D) is D (= 3)", "by name, not by number"),
    ("f = x .* y", 7, 2, "x is n, y is m", "one shape"),
    ("f = x / x", 7, 1, "x is n", "`x ./ x`"),
    ("f = W / S", 7, 1, "S is n x n", "`W @ inv(S)`"),
    ("f = 1 / (S + V @ W)", 7, 1, "S + V @ W is n x n", "`1 ./ (S + V @ W)`"),
    ("f = (W + W) * (V + V)", 13, 1, "needs a scalar", "`(W + W) @ (V + V)`"),
    ("f = a / (1 - 1)", 7, 1, "division by zero", "not zero"),
    ("f = x ./ 0", 7, 2, "division by zero", "not zero"),
    ("f = 0^-1 * a", 6, 1, "division by zero", "not zero"),
    ("f = sqrt(-1)", 5, 4, "root of a negative number", "sign"),
    ("f = x^2", 6, 1, "x is n", "`x.^2`"),
    ("f = W^2", 6, 1, "W is m x n", "square"),
    ("f = S^21", 6, 1, "S^21", "from -20 to 20"),
    ("f = S^a", 6, 1, "S^a", "whole number"),
    ("f = a^x", 6, 1, "x is n", "scalar"),
    ("f = 9^300 * 9^300", 11, 1, "too many digits", "rescale"),
    ("f = 1e-200 * 1e-200", 12, 1, "too many digits", "rescale"),
    ("f = tanhh(x)", 5, 5, "`tanhh` is no function", "`tanh`"),
    ("f = x(2)", 5, 1, "`x` is a value", "`x * (…)`"),
    ("f = leaky_relu(x)", 5, 10, "takes 2 arguments, not 1", "leaky_relu(z, w)"),
    ("f = sum(x, x)", 5, 3, "takes one argument, not 2", "sum(A, rows)"),
    ("f = exp(W, rows)", 5, 3, "no form with `, rows`", "exp(z)"),
    ("f = sum(x, rows)", 5, 3, "x is n", "sum(A, rows)"),
    ("f = max(x, y)", 5, 3, "x is n, y is m", "one shape"),
    ("f = softmax(W)", 5, 7, "W is m x n", "softmax(A, rows)"),
    ("f = det(W)", 5, 3, "W is m x n", "square"),
    ("f = dot(x, y)", 5, 3, "x is n, y is m", "one length"),
    ("f = diag(W)", 5, 4, "W is m x n", "square"),
    ("f = kron(a, W)", 5, 4, "a is a scalar", "two vectors or matrices"),
    ("f = cross_entropy(y, x)", 5, 13, "y is m, x is n", "one shape"),
    ("f = ones(1.5)", 10, 3, "no dimension", "whole number"),
    ("f = ones(x)", 10, 1, "`x` is no size", "`size x`"),
    ("f = W' @ x", 8, 1, "W' is n x m, x is n", "`W @ x`"),
    ("f = (W .* W) @ y", 14, 1, "W .* W is m x n, y is m", "`(W .* W)' @ y`"),
    ("f = (a + b) + x", 13, 1, "a + b is a scalar", "`(a + b) * ones(n) + x`"),
    ("f = a - (x + x)", 7, 1, "a is a scalar", "`a * ones(n) - (x + x)`"),
    ("f = eye(q)", 9, 1, "size `q` is not declared", "`size q`"),
    ("f = eye(n, n)", 5, 3, "takes one argument", "eye(n)"),
    ("f = Ww @ x", 5, 2, "`Ww` is not declared", "did you mean `W`?"),
    ("f = q", 5, 1, "`q` is not declared", "declare it"),
    ("f = W^T @ x", 7, 1, "`T` is not declared", "`W'`"),
    ("f = f + 1", 5, 1, "in the line that defines it", "above it"),
    ("g = x\nf = x\nf = a", 1, 1, f"already defined in line {LINES + 2}", "one value"),
    ("x = a", 1, 1, "declared in line 2", "new name"),
    ("pi = 3", 1, 2, "constant", "another name"),
    ("param x", 7, 1, "already declared in line 2", "another name"),
    ("size x", 6, 1, "already declared in line 2", "another name"),
    ("param loss", 7, 4, "`loss` names the line", "loss = expression"),
    ("param euler", 7, 5, "constant 2.71828", "euler_1"),
    ("f = x[1]", 5, 4, "no family", "entries cannot be read"),
    ("f = W[1, 2]", 5, 7, "no family", "entries cannot be read"),
    ("h[0-1] = x", 1, 6, "numbered from 0", "index"),
    ("h[1/2] = x", 4, 1, "`1 / 2` is no whole number", "whole numbers"),
    ("h[x] = x", 3, 1, "`x` is no whole number", "whole numbers"),
    ("h[kk] = x", 3, 2, "`kk` is not declared", "size kk"),
    ("loss = W @ x", 1, 4, "no scalar: it is m", "norm2"),
    ("f = x\nwrt y", 5, 1, "is a target", "param y"),
    ("f = x\nwrt c", 5, 1, "is a const", "param c"),
    ("f = x\nwrt f", 5, 1, "is a line", "`param` or an `input`"),
    ("f = x\nwrt Ww", 5, 2, "not declared", "did you mean `W`?"),
    ("f = x\noutput ff", 8, 2, "no line defines the output", "did you mean `f`?"),
    ("f = x\noutput x", 8, 1, "given, not computed", "output"),
    ("f = x\nbatch sum\nbatch mean", 7, 4, f"first is line {LINES + 2}", "remove"),
    ('f = x\nmodel numpy ""', 7, 5, "hide Python's own", "model my_name"),
    ('f = x\nmodel lambda ""', 7, 6, "cannot name a Python module", "model my_name"),
    ("param Q : m x n symmetric", 7, 1, "`Q` is m x n", "n x n"),
    ("param Q init hee", 14, 3, "`hee`", "did you mean `he`?"),
    ("param Q init he(2)", 14, 2, "takes no arguments", "`init he`"),
    ("param Q init normal", 14, 6, "its variance", "normal(0.01)"),
    ("param Q init normal(-1)", 21, 1, "`-1` is no variance", "normal(0.01)"),
    ("param Q : n init orthogonal", 18, 10, "only a matrix", "normal(1)"),
    ("param Q init normal(1, 2)", 14, 6, "its variance", "normal(0.01)"),
    ("param Q init normal(10^400)", 23, 1, "too many digits", "rescale"),
    ("param Q : n x n init orthogonal(1, 2)", 22, 10, "a variance or nothing", "orthogonal(0.01)"),
    ("param Q : n x n init orthogonal(-1)", 33, 1, "is no variance", "orthogonal(0.01)"),
    ("param Q init uniform", 14, 7, "its variance", "uniform(0.01)"),
    ("param Q init uniform(n)", 22, 1, "`n` is no variance", "uniform(0.01)"),
    ("param Q : n x n init sparse", 22, 6, "the share", "sparse(0.1, 0.01)"),
    ("param Q : n x n init sparse(1, 1, 1)", 22, 6, "the share", "sparse(0.1)"),
    ("param Q : n x n init sparse(0)", 29, 1, "`0` is no share of a row", "sparse(0.1)"),
    ("param Q : n x n init sparse(1.5)", 29, 3, "`1.5` is no share of a row", "sparse(0.1)"),
    ("param Q : n x n init sparse(1, -2)", 32, 1, "`-2` is no variance", "sparse(0.1, 0.01)"),
    ("param Q : n init sparse(0.1)", 18, 6, "only a matrix", "normal(1)"),
    ("param Q : n x n init sparse(1) symmetric", 22, 6, "symmetric matrix", "leave out"),
    ("param Q : n init lsuv", 18, 4, "only a matrix", "normal(1)"),
    ("param Q : n x n init lsuv(1)", 22, 4, "takes no arguments", "`init lsuv`"),
    ("param Q init auto(1)", 14, 4, "takes no arguments", "`init auto`"),
    ("input z : one_hot n", 11, 7, "for targets", "target"),
    ("param Q : k x n", 11, 1, "size `k` is not declared", "size k"),
    ("param Q[1..D] : E[k]", 17, 4, "`E[k]` is not declared (where k = 1)", "E[0..K]"),
    ("param Q[1..2000]", 12, 4, "2,000 members", "fewer"),
    ("op relu(z) = z", 4, 4, "already a function", "another name"),
    ("op f(z, w, v, u) = z", 15, 1, "at most 3 arguments", "constants"),
    ("op f(z, z) = z", 9, 1, "twice", "rename"),
    ("op f(z) = z * a", 15, 1, "no argument", "one more argument"),
    ("op f(z) = z / 0", 13, 1, "no real value", "zero"),
    ("op f(z) = z @ z", 13, 1, "not elementwise", "single entries"),
    ("op f(z) = softmax(z)", 11, 7, "not elementwise", "single entries"),
    ("op f(z) = tanhh(z)", 11, 5, "no function", "`tanh`"),
    ("op f(z) = max(z)", 11, 3, "takes 2 arguments, not 1", "comma"),
]


@pytest.mark.parametrize(
    ("text", "column", "length", "message", "help"), MISTAKES, ids=[case[0] for case in MISTAKES]
)
def test_mistake(text, column, length, message, help):
    source = f"{GIVEN}{text}\n"
    with pytest.raises(SpecError) as caught:
        parse(source, filename="a.symbp")
    error = caught.value
    assert (error.span.column, error.span.length) == (column, length)
    assert error.span.line == source.count("\n")
    assert message in error.message
    assert error.help is not None
    assert help in error.help
    assert (error.source, error.filename) == (source, "a.symbp")


PLACED = [  # text alone, line, column, words of the message, words of the help
    ("input x\n", 1, 1, "nothing to derive", "name = expression"),
    ("const c\nf = c\n", 2, 1, "nothing to differentiate by", "param"),
    ("input x\nf = g\ng = f\n", 2, 5, "before line 3 defines it", "need each other"),
    ("input x\nfor k in 1..3:\n    f = x\n", 3, 5, "in every turn (where k = 2)", "`f[k]`"),
    ("input x\nfor k in 1..2:\n    h[k] = h[k+1]\n", 3, 12, "`h[k+1]` is used before", "h[k-1]"),
    ("input x\nfor k in 1..2:\n    h[k] = g[k]\n", 3, 12, "`g[k]` is not declared", "declare"),
    ("input x\nfor x in 1..2:\n    h[x] = 1\n", 2, 1, "letter `x`", "another letter"),
    ("input x\nk = x\nfor k in 1..2:\n    h[k] = x\n", 3, 1, "letter `k`", "another letter"),
    ("input x\nf = sum(x for pi in 1..2)\n", 2, 5, "letter `pi`", "another letter"),
    ("input x\nf = sum(x for k in 2..1)\n", 2, 5, "no terms", "1..K"),
    ("param O[1..2]\nf = O[3]\n", 2, 5, "member 3 of `O[1..2]`", "declare more"),
    ("param O[1..2]\nfor k in 1..3:\n    f[k] = O[k]\n", 3, 12, "(where k = 3)", "index"),
    ("param O[1..2]\nf = O[1, 2]\n", 2, 5, "one index", "`O[k]`"),
    ("param O[1..2]\nf = O\n", 2, 5, "`O` is a family", "`O[1]`"),
    ("param O[1..2]\nO[1] = 2\n", 2, 1, "family and cannot be assigned", "new name"),
    ("param O[1..2]\nparam O_1\nf = O_1\n", 2, 7, "`O_1` is already declared in line 1", "name"),
    ("param O[1..2]\nparam O\nf = O_1\n", 2, 7, "`O` is already declared", "name"),
    ("param O[0-1..2]\nf = O_1\n", 1, 10, "numbered from 0", "[0..K]"),
    ("size D[0..2]\nparam W[1..2] : D[k] x D[j]\nf = W[1]\n", 2, 26, "letters, `k` and `j`", "k"),
    ("size D[0..2]\nparam W[1..3] : D[k]\nf = W[1]\n", 2, 17, "member 3 of `D[0..2]`", "index"),
    (
        "size D[0..2]\ninput x : D[0]\nparam W[1..2] : D[k] x D[k-1]\nh[0] = x\n"
        "for k in 1..2:\n    h[k] = W[k]' @ h[k-1]\n",
        6, 18, "is D_0 x D_1, h[k-1] is D_0 (where k = 1)", "W[k]",
    ),
    ("input x\nf = sum(x * x for k in 1..1000) + sum(x * x * x for k in 1..1000)"
     " + sum(sum(x for j in 1..1000) for k in 1..1000)\n", 2, 67, "100,000", "lines"),
    ("param a\nop f(z) = z @ z + z\ny = f(a)\n", 2, 13, "not elementwise", "single entries"),
    ("param a\nop f(z) = " + "tanh(" * 190 + "z" + ")" * 190 + "\ny = f(a)\n",
     2, 4, "nested too deeply", "op"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "column", "message", "help"), PLACED)
def test_placed_mistake(text, line, column, message, help):
    start = perf_counter()
    with pytest.raises(SpecError) as caught:
        parse(text)
    assert perf_counter() - start < 1
    assert (caught.value.span.line, caught.value.span.column) == (line, column)
    assert message in caught.value.message
    assert help in (caught.value.help or "")


@pytest.mark.parametrize("name", ["", "my-net", "3d", "a b", "class", "random", "numpy", "Ω"])
def test_name_that_is_no_module(name):
    with pytest.raises(SpecError, match="module"):
        parse("input x\nf = x\n", name=name)


def test_name_that_is_a_module():
    assert checked_name("mlp_2") == "mlp_2"


FAMILY = """\
model deep "Any depth"
size   K = 3, D[0..K]
input  x : D[0]
target y : D[K]
param  Omega[1..K] : D[k] x D[k-1]   init he
param  beta[1..K]  : D[k]            init normal(0.5)
h[0] = x
for k in 1..K-1:
    f[k] = beta[k] + Omega[k] @ h[k-1]
    h[k] = relu(f[k])
f[K] = beta[K] + Omega[K] @ h[K-1]
loss = norm2(f[K] - y)^2
"""


def names(expressions):
    return [name_of(expr) for expr in expressions]


def test_family_is_unrolled():
    program = parse(FAMILY)
    assert (program.name, program.title, program.kind) == ("deep", "Any depth", "network")
    assert list(program.sizes.items()) == [
        ("K", 3), ("D_0", None), ("D_1", None), ("D_2", None), ("D_3", None)
    ]  # fmt: skip
    assert names(program.params) == [f"Omega_{k}" for k in (1, 2, 3)] + [
        f"beta_{k}" for k in (1, 2, 3)
    ]
    assert program.params[1].shape == (size_symbol("D_2"), size_symbol("D_1"))
    lines = [binding.name for binding in program.bindings]
    assert lines == ["h_0", "f_1", "h_1", "f_2", "h_2", "f_3", "loss"]
    assert program.inits["Omega_2"] == Init("he")
    assert program.inits["beta_3"] == Init("normal", Fraction(1, 2))
    assert program.output is program.bindings[-2].target
    assert program.wrt == program.params
    assert (program.source, program.reduction) == (FAMILY, "mean")


@pytest.mark.parametrize(
    ("text", "init"),
    [
        ("auto", Init("auto")),
        ("lsuv", Init("lsuv")),
        ("orthogonal", Init("orthogonal")),
        ("orthogonal(1/4)", Init("orthogonal", Fraction(1, 4))),
        ("uniform(2 * 3)", Init("uniform", Fraction(6))),
        ("sparse(0.1)", Init("sparse", None, Fraction(1, 10))),
        ("sparse(1, 0)", Init("sparse", Fraction(0), Fraction(1))),
    ],
)
def test_how_a_matrix_starts(text, init):
    program = parse(f"size n\ninput x : n\nparam W : n x n init {text}\nf = W @ x\noutput f\n")
    assert program.inits == {"W": init}


def test_a_loop_may_be_empty():
    program = parse(FAMILY.replace("K = 3", "K = 1"))
    assert [binding.name for binding in program.bindings] == ["h_0", "f_1", "loss"]


def test_wrt_of_a_family_is_every_member():
    program = parse(FAMILY + "wrt x, Omega, beta[2]\n")
    assert names(program.wrt) == ["x", "Omega_1", "Omega_2", "Omega_3", "beta_2"]


def test_roles_and_batch():
    program = parse(GIVEN + "batch sum\nr = W @ S\nz = r @ x\nq = norm2(W)^2\nloss = sum(z) + q\n")
    batched = {binding.name: binding.target.batched for binding in program.bindings}
    assert batched == {"r": False, "z": True, "q": False, "loss": True}
    assert program.reduction == "sum"
    assert names(program.consts) == ["c"]
    assert names(program.targets) == ["y"]
    assert name_of(program.output) == "q"
    assert program.inits == {}


def test_sizes_stay_symbols():
    program = parse("size n = 4\ninput x : n\nparam W : 3 x n symmetric\nf = W @ x\n".replace(
        "3 x n symmetric", "n x n symmetric"))  # fmt: skip
    assert program.sizes == {"n": 4}
    assert program.params[0].shape == (size_symbol("n"),) * 2
    assert program.params[0].op.symmetric
    assert program.params[0].shape[0] == sp.Symbol("n", positive=True, integer=True)


def test_literal_dimensions_are_numbers():
    program = parse("input x : 4\nparam W : 3 x 4\nf = W @ x\n")
    assert program.bindings[0].target.shape == (3,)


def test_defaults_without_loss_and_params():
    program = parse("input x, z\nf = x * z\ng = f^2\n")
    assert (program.loss, name_of(program.output), program.kind) == (None, "g", "identity")
    assert program.wrt == program.inputs


def test_loss_alone_has_no_output():
    assert parse("input x\nparam w\nloss = (w * x)^2\n").output is None


def test_output_as_asked():
    program = parse("param w\nf = w^2\ng = f^2\nloss = g\noutput f\n")
    assert name_of(program.output) == "f"


def test_a_loss_of_one_entry_is_a_scalar():
    program = parse("size n\ninput x : n\nparam W : 1 x n\nloss = W @ x\n")
    assert program.loss.shape == ()


def test_one_hot_target():
    program = parse("size D\nparam z : D\ntarget y : one_hot D\nloss = softmax_cross_entropy(y, z)")
    assert program.targets[0].op.encoding == "one_hot"
    z = np.array([1.0, 2.0, -1.0])
    found = run(program, {"z": z, "y": np.array([0, 1, 0])})["loss"]
    np.testing.assert_allclose(found, np.log(np.exp(z).sum()) - 2.0)


def test_squared_norm_is_a_sum_of_squares():
    expr = parse(GIVEN + "loss = ‖W‖²\n").bindings[0].expr
    assert isinstance(expr.op, Words)
    assert expr is parse(GIVEN + "loss = sum(W.^2)\n").bindings[0].expr


def test_greek_and_python_words_are_plain_names():
    program = parse("param Ω₁, lambda, N, S, I, E\nf = Omega_1 * lambda * N * S * I * E\n")
    assert names(program.params) == ["Omega_1", "lambda", "N", "S", "I", "E"]


def test_a_sum_turns_into_a_matrix_of_one_column():
    program = parse("size n\nparam x : n\nconst M : n x 1\nf = x + 2 * x + M - x\n")
    values = {"x": VALUES["x"], "M": VALUES["x"][:, None] ** 2}
    np.testing.assert_allclose(
        run(program, values)["f"], 2 * VALUES["x"][:, None] + VALUES["x"][:, None] ** 2
    )


@pytest.mark.parametrize(
    ("body", "slope"),
    [
        ("z * sign(z)", "sign(z)"),
        ("abs(sigmoid(z))", "(1 - sigmoid(z))*sigmoid(z)*sign(sigmoid(z))"),
        ("abs(relu(z) - 1)", "positive(z)*sign(relu(z) - 1)"),
        ("sign(z)^2", "0"),
        (" + ".join(["z"] * 2_000), "2000"),
        (" * ".join(["2 / 2"] * 1_000 + ["z"]), "1"),
    ],
    ids=lambda text: text[:20],
)
def test_slope_of_an_own_operation(body, slope):
    program = parse(f"param a\nop f(z) = {body}\ny = f(a)\n")
    (derived,) = program.bindings[0].expr.op.slopes
    assert str(derived) == slope


def test_own_operations():
    text = "param a\nop swish(z) = z * sigmoid(z)\nop both(z, w) = swish(z) + {}\nf = both(a, 2)\n"
    values = {"a": np.array(0.3)}
    swish = 0.3 * sigmoid(0.3)
    one = parse(text.format("w^2"))
    other = parse(text.format("max(w, z) * pi"))
    np.testing.assert_allclose(run(one, values)["f"], swish + 4)
    np.testing.assert_allclose(run(other, values)["f"], swish + 2 * np.pi)
    np.testing.assert_allclose(run(one, values)["f"], swish + 4)


EXPECTED = {  # spec: names of the lines, what is differentiated by
    "toy": ("f_0 h_1 f_1 h_2 f_2 h_3 f_3 loss", 8),
    "two_layer_scalar": ("f_1 f_2 h_1 h_2 g_1 g_2 a_1 a_2 y", 13),
    "dag": ("f_1 f_2 f_3 f_4 f_5 y", 1),
    "two_paths": ("A B D y_hat", 1),
    "scalar_relu": ("m_h z_h h m_o o e L loss", 4),
    "mlp": ("f_0 h_1 f_1 h_2 f_2 loss", 6),
    "figure_7_8": ("f_0 h_1 f_1 h_2 f_2 loss", 6),
    "problem_7_17": ("f_0 h_1 f_1 h_2 f_2 a loss", 6),
    "leaky": ("f_0 h_1 f_1 loss", 4),
    "sigmoid_network": ("z_1 a_1 z_2 a_2 z_3 a_3 loss", 6),
    "classifier": ("h z loss", 4),
    "two_layer_linear": ("h y_hat e loss", 2),
    "matrix_factorisation": ("H E loss", 2),
    "awb": ("E loss", 1),
    "residual": ("u v loss", 2),
    "kinks": ("f_0 h_1 f_1 h_2 f_2 loss", 6),
    "deep": ("h f h f loss", 2),
    "energy": ("h h loss", 1),
    "vanishing": ("a z a f loss", 3),
    "figure_7_7": ("h f h f_o loss", 4),
    "figure_2_1": ("h_0 h_1 h_2 h_3 h_4 h_5 h_6 h_7 loss", 1),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_specs(name):
    program = load(SPECS / f"{name}.symbp")
    lines, count = EXPECTED[name]
    assert " ".join(binding.name for binding in program.bindings) == lines
    assert len(program.wrt) == count
    assert (program.name, program.origin) == (name, str(SPECS / f"{name}.symbp"))
    assert program.source.startswith("# 00") or name == "classifier"


def test_every_spec_is_expected():
    assert {path.stem for path in SPECS.glob("*.symbp")} == EXPECTED.keys()
