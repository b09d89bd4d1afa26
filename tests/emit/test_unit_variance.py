"""`lsuv`: every line that a weight makes gets variance 1 on a batch, whatever comes behind it."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import sympy as sp
from running import CLEAN, assert_clean, run, same

import symbp
from symbp.check import certify
from symbp.check.tree import arrays
from symbp.derive.dense import Wanted
from symbp.emit.unit_variance import scaled_rows
from symbp.ir import name_of
from symbp.pipeline import compile_module, derive, emit
from symbp.program import Init
from symbp.spec import parse

GOLDEN = Path(__file__).parent / "golden"
WATCH = Wanted(watch=True)
DEEP = """size K = 30, D[0..K] = 40
input x : D[0]
target y : D[K]
param Omega[1..K] : D[k] x D[k-1] init lsuv
param beta[1..K] : D[k] init {bias}
h[0] = x
for k in 1..K-1:
    f[k] = beta[k] + Omega[k] @ h[k-1]
    h[k] = {act}(f[k])
f[K] = beta[K] + Omega[K] @ h[K-1]
loss = squared_error(f[K], y)
"""
TWO = """model unit_variance "LSUV and the derived compromise"
size n, m = 8
input x : n
target y : m
param A : m x n init lsuv
param B : m x m init auto
param C : m x m init lsuv
param c : m init auto
f = A @ x
h = relu(f)
g = B @ h + c
v = C @ relu(g)
loss = squared_error(v, y)
"""
GIVEN = "size n = 8\ninput x : n\ntarget y : n\nparam A, B : n x n init lsuv\n"
MET = {
    "one line": "f = A @ x + B @ sin(x)\n",
    "a product": "f = A @ B @ x\n",
    "twice": "f = A' @ A @ x + B @ x\n",
    "not at once": "V = A / 3\nW = V @ B\nf = W @ x\n",
    "again": "g = A @ x\nh = tanh(g)\nf = A @ h + B @ h\n",
}


@cache
def module_of(text):
    return compile_module(derive(parse(text)))


def point(module, rng, examples=200, dtype=np.float64):
    params = module.init_params(rng, dtype)
    _, (x, *_) = module.sample(rng, examples, dtype)
    return params, x


def variances(module, params, x):
    return {line: float(np.var(value)) for line, value in module._values(params, x).items()}


@pytest.mark.parametrize("act", ["relu", "tanh", "gelu", "leaky"])
@pytest.mark.parametrize("bias", ["zero", "normal(0.04)"])
@pytest.mark.parametrize("scale", [1, 1e-3, 50])
def test_every_layer_of_a_deep_network(act, bias, scale):
    op = "op leaky(z) = max(z, 0.1 * z)\n" if act == "leaky" else ""
    module = module_of(op + DEEP.format(act=act, bias=bias))
    params, x = point(module, np.random.default_rng(0))
    x = scale * x
    scaled = module.lsuv(params, x)
    found = variances(module, scaled, x)
    assert [*found] == [f"f_{k}" for k in range(1, 31)]
    assert max(abs(v - 1) for v in found.values()) <= 1e-2
    before = variances(module, params, x)
    assert min(before.values()) < 0.9 or max(before.values()) > 1.1
    for one, other in zip(scaled.beta, params.beta, strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(scaled.Omega, params.Omega, strict=True):
        ratio = one / other
        np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_and_arguments_stay(dtype):
    module = module_of(DEEP.format(act="relu", bias="zero"))
    params, x = point(module, np.random.default_rng(0), dtype=dtype)
    given = [array.copy() for array in arrays((params, x))]
    for array in arrays((params, x)):
        array.setflags(write=False)
    assert {array.dtype for array in arrays(module.lsuv(params, x))} == {np.dtype(dtype)}
    for before, after in zip(given, arrays((params, x)), strict=True):
        np.testing.assert_array_equal(before, after)
    assert isinstance(module.lsuv(params._asdict(), x.tolist()), module.Params)


@pytest.mark.parametrize("name", MET)
def test_weights_that_meet(name):
    module = module_of(f"{GIVEN}{MET[name]}loss = squared_error(f, y)\n")
    params, x = point(module, np.random.default_rng(0))
    found = variances(module, module.lsuv(params, 9 * x), 9 * x)
    assert max(abs(v - 1) for v in found.values()) <= 1e-2


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("one line", [("f", "AB", 1)]),
        ("a product", [("f", "AB", 2)]),
        ("twice", [("f", "AB", 2)]),
        ("not at once", [("f", "AB", 2)]),
        ("again", [("g", "A", 1), ("f", "B", 1)]),
    ],
)
def test_what_is_scaled_for_which_line(name, rows):
    program = parse(f"{GIVEN}{MET[name]}loss = squared_error(f, y)\n")
    found = scaled_rows(program)
    made = [(name_of(r.line), "".join(map(name_of, r.weights)), r.degree) for r in found]
    assert made == rows


def test_a_const_is_an_argument():
    text = "size n = 4\ninput x : n\nconst C : n x n\nparam A : n x n init lsuv\n"
    module = module_of(f"{text}f = A @ C @ x\noutput f\n")
    rng = np.random.default_rng(0)
    params, (x, C) = module.sample(rng, 50)
    assert abs(np.var(module.forward(module.lsuv(params, x, C), x, C)) - 1) <= 1e-2


# ---- what cannot be scaled


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p, x: (p, 0 * x), r"cannot scale Omega\[1\]: the variance of f_1 .* is 0.0"),
        (lambda p, x: (p, np.nan * x), r"cannot scale Omega\[1\]: the variance of f_1 .* is nan"),
        (
            lambda p, x: (p._replace(Omega=(*p.Omega[:2], 0 * p.Omega[2], *p.Omega[3:])), x),
            r"\[3\].*f_3",
        ),
    ],
)
def test_no_variance_names_the_layer(change, message):
    module = module_of(DEEP.format(act="relu", bias="zero"))
    params, x = change(*point(module, np.random.default_rng(0)))
    with pytest.raises(ValueError, match=message):
        module.lsuv(params, x)


OPEN = DEEP.format(act="tanh", bias="zero").replace("K = 30", "K")
REFUSED = [
    (OPEN, "`init lsuv` is for loops of known length.*\n.*--set K=3"),
    (f"{GIVEN}f = A @ x\nloss = squared_error(f, y) + norm2(B)^2\n", "of B.*\n.*`f = B @ x`"),
    (f"{GIVEN}f = A @ x\nr = B @ y - f\nloss = norm2(r)^2\n", "`init lsuv` of B.*\n"),
    (f"{GIVEN}f = A @ x\nloss = squared_error(f, y)\n", "`init lsuv` of B"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_what_has_no_line_is_refused(text, message):
    with pytest.raises(symbp.SymbpError, match=message):
        emit(derive(parse(text)))


def test_the_command_line_refuses_before_it_derives(tmp_path):
    spec = tmp_path / "deep.symbp"
    spec.write_text(OPEN)
    result = run("derive", spec, "-o", tmp_path)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert run("derive", spec, "-o", tmp_path, "--set", "K=3").exit_code == 0


# ---- the text


def derived():
    """Return the derivation of two ways to start, that of `auto` given."""
    program = parse(TWO)
    gains = (sp.Rational(1, 2), sp.Rational(1, 2))
    inits = {**program.inits, "B": Init("auto", gains=gains)}
    return derive(replace(program, inits=inits))


def test_the_text_of_a_module():
    same(GOLDEN / "unit_variance.py", emit(derived()))


def test_the_module_is_certified():
    for wanted in (Wanted(), WATCH):
        assert certify(compile_module(derived(), wanted=wanted)).ok


def test_nothing_of_it_is_there_unasked():
    text = emit(derive(parse(DEEP.format(act="tanh", bias="zero").replace("lsuv", "he"))))
    assert "lsuv" not in text.lower()
    assert "_values" not in text


@pytest.mark.parametrize("command", CLEAN, ids=[command[0] for command in CLEAN])
def test_modules_are_clean(command, tmp_path):
    specs = {name: f"{GIVEN}{lines}loss = squared_error(f, y)\n" for name, lines in MET.items()}
    specs["deep"] = DEEP.format(act="relu", bias="zero")
    for k, text in enumerate(specs.values()):
        (tmp_path / f"m{k}.py").write_text(emit(derive(parse(text)), wanted=WATCH))
    (tmp_path / "two.py").write_text(emit(derived()))
    assert_clean(tmp_path, command)
