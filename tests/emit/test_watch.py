"""`watch`: every value and every adjoint, held against the gradient by something added there."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from running import CLEAN, SPECS, assert_clean, run, same

import symbp
from symbp.check import certify
from symbp.check.tree import arrays
from symbp.derive.dense import Wanted
from symbp.emit.watch import passed_by
from symbp.ir import name_of
from symbp.pipeline import compile_module, derive, emit
from symbp.spec import load, parse

GOLDEN = Path(__file__).parent / "golden"
WATCH = Wanted(watch=True)
RESIDUAL = """model watched "A skip, and a penalty"
size n = 4, m
input x : n
target y : n
param A : m x n init he
param B : n x m init he
param b : m init zero
f = A @ x + b
h = relu(f)
v = B @ h + x
loss = squared_error(v, y) + norm2(A)^2 / 10
"""
PROGRAMS = {
    "residual": RESIDUAL,
    "classifier": "size n, m, c\ninput x : n\ntarget y : one_hot c\nparam U : m x n\n"
    "param V : c x m\nf = U @ x\nh = tanh(f)\nz = V @ h\na = softmax(z)\n"
    "loss = softmax_cross_entropy(y, z)\noutput a\n",
    "inputs": "size n, m\ninput x : n\ninput u : m\nconst C : m x n\ntarget y : m\n"
    "param W : m x m\np = C @ x\nq = sin(p) .* u\nr = W @ q + p\ns = W' @ r\n"
    "loss = squared_error(s, y) + sum(r)\nbatch sum\n",
    "scalars": "input x\ntarget y\nparam a, b\ns = a * x\nt = exp(s) + b\nloss = (t - y)^2 / s\n",
    "family": "size K = 3, D[0..K]\ninput x : D[0]\ntarget y : D[K]\n"
    "param W[1..K] : D[k] x D[k-1]\nh[0] = x\n"
    "for k in 1..K:\n    f[k] = W[k] @ h[k-1]\n    h[k] = silu(f[k])\n"
    "loss = squared_error(h[K], y)\n",
    "alias": "size n\ninput x : n\ntarget y : n\nparam W : n x n\nu = W @ x\nv = u\nw = v + x\n"
    "loss = squared_error(w, y)\n",
    "shared": "size n\ninput x : n\ntarget y : n\nparam W : n x n\nV = W @ W / 2\nu = V @ x\n"
    "loss = squared_error(u, y)\n",
    "frozen": "size n\ninput x : n\ntarget y : n\nparam W, V : n x n\nu = tanh(W @ x)\nv = V @ u\n"
    "loss = squared_error(v, y)\nwrt V\n",
    "no input": "size n, m\nparam A : n x m\nparam B : m x n\ntarget Y : n x n\nP = A @ B\n"
    "loss = norm2(Y - P)^2\n",
}
REFUSED = ("dag", "deep", "energy", "figure_7_7", "vanishing")  # no parameters, or any length
FREE = (*PROGRAMS, *(p.stem for p in SPECS.glob("*.symbp") if p.stem not in REFUSED))


def text_of(name):
    return PROGRAMS.get(name) or (SPECS / f"{name}.symbp").read_text()


def drawn(module, **more):
    params, data = module.sample(np.random.default_rng(1), **more)
    return (params, *data)


def adjoints_by_addition(name):
    """Return ∂loss/∂v of every line v that differs by examples: the gradient by e in v + e."""
    changed, program = text_of(name), parse(text_of(name))
    lines = [b for b in program.bindings if b.target is not program.loss and b.target.batched]
    names, given = [line.name for line in lines], ""
    for line in lines:
        shape = " x ".join(map(str, line.target.shape))
        given += f"input e_{line.name}{f' : {shape}' if shape else ''}\n"
        added = rf"{line.name} = (\1) + e_{line.name}"
        changed, count = re.subn(rf"(?m)^{line.name} = (.*)$", added, changed)
        assert count == 1
    place = changed.index(f"{names[0]} = ")
    wrt = ", ".join([*map(name_of, program.wrt), *(f"e_{name}" for name in names)])
    changed = re.sub(r"(?m)^wrt .*\n", "", f"{changed[:place]}{given}{changed[place:]}")
    return compile_module(derive(parse(f"{changed}wrt {wrt}\n"))), names


ADDED = ("residual", "classifier", "inputs", "scalars", "alias", "shared", "frozen")


@pytest.mark.parametrize("name", ADDED)
def test_an_adjoint_is_the_gradient_by_what_is_added(name):
    module = compile_module(derive(parse(text_of(name))), wanted=WATCH)
    added, names = adjoints_by_addition(name)
    params, *data = drawn(module)
    found = module.watch(params, *data)
    inputs = data[: module.INPUTS_DIFFERENTIABLE]
    still = [np.zeros_like(found[n]) for n in names]
    rest = data[len(inputs) :]
    compared = 0
    for line in names:
        truth = getattr(added, f"grad_e_{line}")(params, *inputs, *still, *rest)
        if f"{line}_bar" in found:
            compared += 1
            np.testing.assert_allclose(found[f"{line}_bar"], truth, rtol=1e-12, atol=1e-13)
        else:
            assert not np.any(truth), line
    assert compared


@pytest.mark.parametrize("name", FREE)
def test_it_is_certified(name):
    module = compile_module(derive(parse(text_of(name))), wanted=WATCH)
    certificate = certify(module)
    assert certificate.ok, certificate.format()
    assert any(row.mode == "watch" for row in certificate.rows) or not hasattr(module, "loss")
    assert all(error <= bound for _, error, bound in module.check())


@pytest.mark.parametrize("name", FREE)
def test_every_array_is_the_callers_own(name):
    module = compile_module(derive(parse(text_of(name))), wanted=WATCH)
    args = drawn(module)
    found = [np.asarray(value) for value in module.watch(*args).values()]
    for k, array in enumerate(found):
        assert not any(np.shares_memory(array, other) for other in [*arrays(args), *found[:k]])


@pytest.mark.parametrize("name", FREE)
def test_float32_stays(name):
    module = compile_module(derive(parse(text_of(name))), wanted=WATCH)
    found = module.watch(*drawn(module, dtype=np.float32))
    assert {np.asarray(value).dtype for value in found.values()} == {np.dtype(np.float32)}


def test_what_is_returned_and_in_which_order():
    module = compile_module(derive(load(SPECS / "mlp.symbp")), wanted=WATCH)
    params, x, y = drawn(module, examples=7)
    found = module.watch(params, x, y)
    values = ["f_0", "h_1", "f_1", "h_2", "f_2"]
    assert [*found] == [*values, "loss", *(f"{v}_bar" for v in values), "x_bar"]
    assert found["h_1"].shape == found["h_1_bar"].shape == (7, 40)
    np.testing.assert_array_equal(found["f_2"], module.forward(params, x))
    assert found["loss"] == module.loss(params, x, y)
    _, grad = module.loss_and_grad(params, x, y)
    np.testing.assert_allclose(found["f_1_bar"].sum(axis=0), grad.beta_1, rtol=1e-12)


def test_without_a_loss_there_are_values_alone():
    spec = "size n\ninput x : n\nparam W : n x n\nf = W @ x\nh = tanh(f)\noutput h\n"
    module = compile_module(derive(parse(spec)), wanted=WATCH)
    params, x = drawn(module)
    assert [*module.watch(params, x)] == ["f", "h"]
    assert certify(module).ok
    assert "watch: output" in [what for what, *_ in module.check()]


def test_the_text():
    same(GOLDEN / "watched.py", emit(derive(parse(RESIDUAL)), wanted=WATCH))


@pytest.mark.parametrize("command", CLEAN, ids=[command[0] for command in CLEAN])
def test_modules_are_clean(command, tmp_path):
    for name in FREE:
        text = emit(derive(parse(text_of(name))), wanted=WATCH)
        (tmp_path / f"w_{name.replace(' ', '_')}.py").write_text(text)
    assert_clean(tmp_path, command)


# ---- what is wrong is seen


DAMAGE = [
    ("mlp", '"h_1": h_1,', '"h_1": f_0,'),
    ("mlp", '"f_1": f_1,', '"f_1": f_0,'),
    ("mlp", '"f_0_bar": f_0_bar,', '"f_0_bar": h_1_bar,'),
    ("mlp", '"f_1_bar": f_1_bar,', '"f_1_bar": f_1_bar * 1.001,'),
    ("mlp", '"h_2_bar": h_2_bar,', '"h_2_bar": -h_2_bar,'),
    ("mlp", '"x_bar": x_bar,', '"x_bar": x_bar / 5,'),
    ("mlp", '"loss": np.asarray(value),', '"loss": np.asarray(2 * value),'),
    ("mlp", '"f_2": f_2,', '"f_2": f_2 + 1,'),
    ("mlp", "f_1_bar = h_2_bar * (h_2 > 0)", "f_1_bar = h_2_bar * (h_2 >= 0)"),
    ("no input", '"P_bar": ', '"P_bar": 2 * '),
]


def damaged(name, right, wrong):
    derivation = derive(parse(text_of(name)))
    text = emit(derivation, wanted=WATCH)
    start = text.index("\ndef watch(")
    changed = text[:start] + text[start:].replace(right, wrong, 1)
    assert changed != text
    return compile_module(derivation, text=changed)


@pytest.mark.parametrize(("name", "right", "wrong"), DAMAGE)
def test_damage_is_seen(name, right, wrong):
    module = damaged(name, right, wrong)
    failures = certify(module).failures
    assert failures
    assert {row.mode for row in failures} <= {"watch", "value"}
    assert any(not error <= bound for _, error, bound in module.check())


def test_damage_beside_the_way_of_the_inputs_is_seen():
    module = damaged("residual", '"h_bar": h_bar,', '"h_bar": 2 * h_bar,')
    assert module.BESIDE == {"f": "b", "h": "b"}
    (row,) = certify(module).failures
    assert (row.quantity, row.mode) == ("h_bar", "watch")


def test_a_watch_that_raises_is_a_row():
    module = compile_module(derive(parse(RESIDUAL)), wanted=WATCH)
    module.watch = lambda params, x, y: {}["f"]
    assert {row.mode for row in certify(module).failures} >= {"watch", "value"}


# ---- what is passed by


@pytest.mark.parametrize(
    ("lines", "past"),
    [
        ("f = W @ x\nh = tanh(f)\nloss = squared_error(h, y)", []),
        ("f = W @ x\nh = tanh(f)\nv = h + x\nloss = squared_error(v, y)", ["f", "h"]),
        ("f = W @ x\nh = tanh(f)\nv = h + f\nloss = squared_error(v, y)", ["h"]),
        ("f = W @ x\ng = sin(f)\nh = cos(f)\nv = g .* h\nloss = squared_error(v, y)", ["g", "h"]),
        ("f = W @ x\nh = tanh(f)\nloss = squared_error(h, y) + sum(f)", ["h"]),
        ("V = W @ W\nf = V @ x\nloss = squared_error(f, y)", ["V"]),
        ("f = W @ x\nloss = squared_error(f, y)\nh = tanh(f)\noutput h", []),
    ],
)
def test_what_a_path_passes_by(lines, past):
    program = parse(f"size n\ninput x : n\ntarget y : n\nparam W : n x n\n{lines}\n")
    assert [name_of(v) for v in passed_by(program, program.inputs)] == past


# ---- asking for it


def test_the_option_writes_it(tmp_path):
    spec = tmp_path / "watched.symbp"
    spec.write_text(RESIDUAL)
    result = run("derive", spec, "--watch", "-o", tmp_path)
    assert result.exit_code == 0, result.output
    assert "\ndef watch(" in (tmp_path / "watched.py").read_text()
    assert run("check", tmp_path / "watched.py").exit_code == 0
    done = subprocess.run([sys.executable, "-I", tmp_path / "watched.py"], capture_output=True)
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            PROGRAMS["family"].replace("K = 3", "K"),
            r"--watch is for loops of known length.*\n.*--set K=3",
        ),
        ("size n\ninput x : n\ny = tanh(x)\noutput y\n", "has no parameters"),
        (
            RESIDUAL.replace("h = relu(f)", "f_bar = relu(f)").replace("@ h", "@ f_bar"),
            "another name",
        ),
    ],
)
def test_where_it_is_refused(text, message):
    with pytest.raises(symbp.SymbpError, match=message):
        emit(derive(parse(text)), wanted=WATCH)


def test_nothing_of_it_is_there_unasked():
    assert "watch" not in emit(derive(load(SPECS / "mlp.symbp"))).replace("watched", "")
