"""A family of parameters in a module: one field of Params, a tuple of arrays."""

import re
import subprocess
import sys

import numpy as np
import pytest
from running import CLEAN, assert_clean

from symbp.check import certify
from symbp.check.tree import arrays
from symbp.derive.dense import Wanted
from symbp.pipeline import compile_module, derive, emit
from symbp.spec import parse

DEEP = """size D[0..3] = 4
input x : D[0]
target y : D[3]
param Omega[1..3] : D[k] x D[k-1] init he
param beta[1..3] : D[k] init zero
param c : D[3]
h[0] = x
for k in 1..2:
    f[k] = beta[k] + Omega[k] @ h[k-1]
    h[k] = tanh(f[k])
f[3] = beta[3] + Omega[3] @ h[2] + c
loss = norm2(f[3] - y)^2
"""
PENALTIES = """size D[0..5]
input x : D[0]
target y : D[5]
param Omega[1..5] : D[k] x D[k-1]
param beta[1..5] : D[k]
h[0] = x
for k in 1..4:
    f[k] = beta[k] + Omega[k] @ h[k-1]
    h[k] = relu(f[k])
f[5] = beta[5] + Omega[5] @ h[4]
loss = norm2(f[5] - y)^2 + sum(norm2(Omega[k])^2 for k in 2..3) / 9 + norm2(beta[3])^2
"""
FROZEN = """size D = 3
input x : D
target y : D
param W[1..3] : D x D
param b[1..3] : D
param lambda[2..3] : D
h[0] = x
for k in 1..3:
    h[k] = tanh(W[k] @ h[k-1] + b[k])
loss = squared_error(h[3] + lambda[2] .* lambda[3], y) + norm2(W[2])^2
wrt W[2], b, lambda[3], x
"""
SPECS = {
    "deep": DEEP,
    "penalties": PENALTIES,
    "frozen": FROZEN,
    "forty": DEEP.replace("3", "40").replace("..2", "..39").replace("[2]", "[39]"),
    "one": "size n = 3\ninput x : n\ntarget y : n\nparam W[1..1] : n x n\n"
    "loss = squared_error(W[1] @ x, y) + norm2(W[1])^2\n",
    "scalars": "input x\ntarget y\nparam beta[0..3], omega[0..3]\nh[0] = x\nfor k in 0..3:\n"
    "    f[k] = beta[k] + omega[k] * h[k]\n    h[k+1] = sin(f[k])\nloss = (f[3] - y)^2\n",
    "orthogonal": "size n = 3\ninput x : n\ntarget y : n\nparam W[0..2] : n x n init orthogonal\n"
    "h[0] = x\nfor k in 1..3:\n    h[k] = sin(W[k-1] @ h[k-1])\nloss = squared_error(h[3], y)\n",
    "symmetric": "size n\ninput x : n\ntarget y : n\nparam S[1..2] : n x n symmetric\nparam b : n\n"
    "loss = squared_error(S[2] @ tanh(S[1] @ x + b), y)\n",
    "output": "size n = 3\ninput x : n\nparam W[1..2] : n x n\nparam b : n\n"
    "g = W[2] @ tanh(W[1] @ x + b) + W[1] @ x\noutput g\n",
    "taken": DEEP.replace("Omega", "lambda").replace("beta", "grad"),
}
TEXTS = {name: emit(derive(parse(text, f"{name}_"))) for name, text in SPECS.items()}


def module_of(name, wanted=None):
    more = {} if wanted is None else {"wanted": wanted}
    return compile_module(derive(parse(SPECS[name], f"{name}_")), **more)


def sample(module):
    params, data = module.sample(np.random.default_rng(3))
    return params, *data


def assert_certified(module):
    certificate = certify(module)
    assert certificate.ok, certificate.format()
    assert all(error <= bound for _, error, bound in module.check())
    return {row.quantity for row in certificate.rows}


@pytest.mark.parametrize("name", SPECS)
def test_every_derivative_is_right(name):
    assert_certified(module_of(name))


@pytest.mark.parametrize("command", CLEAN)
def test_the_text_is_clean(command, tmp_path):
    for name, text in TEXTS.items():
        (tmp_path / f"{name}_.py").write_text(text)
    assert_clean(tmp_path, command)


def test_a_family_is_one_field_in_the_order_of_declaration():
    module = module_of("deep")
    assert module.Params._fields == ("Omega", "beta", "c")
    assert "Omega: tuple[Array, ...]  # (4, 4), (4, 4), (4, 4)\n" in TEXTS["deep"]
    assert "Omega: tuple[Array, ...]  # (4, 4), …, (4, 4)\n" in TEXTS["forty"]
    assert "beta: tuple[Array, ...]  # (D_1,), (D_2,), (D_3,), (D_4,)" in TEXTS["penalties"]
    params = module.init_params(np.random.default_rng(0), np.float32)
    assert [a.shape for a in params.Omega] == [(4, 4)] * 3
    assert {a.dtype for a in arrays(params)} == {np.dtype(np.float32)}


def test_sweeps_unpack_what_they_read():
    assert "    Omega_1, Omega_2, Omega_3 = params.Omega\n" in TEXTS["deep"]
    assert "Omega=(Omega_1_bar, Omega_2_bar, Omega_3_bar)" in TEXTS["deep"]
    assert re.search(r"def _adjoint\(.*\n.*\n    _, Omega_2, Omega_3 = params.Omega", TEXTS["deep"])


def test_penalties_are_added_to_their_members():
    for code in ("*grad.Omega[3:]", "grad.Omega[0]", "(*grad.beta[:2], grad.beta[2] + "):
        assert code in TEXTS["penalties"]


def test_a_flat_vector_goes_field_after_field():
    module = module_of("penalties")
    params, *data = sample(module)
    flat = np.concatenate([a.ravel() for a in (*params.Omega, *params.beta)])
    np.testing.assert_array_equal(module.ravel(params), flat)
    back = module.unravel(flat, **module.SIZES)
    assert isinstance(back.Omega, tuple)
    for one, other in zip(arrays(back), arrays(params), strict=True):
        np.testing.assert_array_equal(one, other)
    fun, jac, _ = module.flat(*data, **module.SIZES)
    value, grad = module.loss_and_grad(params, *data)
    assert fun(flat) == value
    np.testing.assert_array_equal(jac(flat), module.ravel(grad))


def test_parameters_in_any_form():
    module = module_of("deep")
    params, *data = sample(module)
    value = module.loss(params, *data)
    lists = {field: np.array(v).tolist() for field, v in params._asdict().items()}
    for form in (params._asdict(), list(params), [list(params.Omega), *params[1:]], lists):
        assert module.loss(form, *data) == value
    stacked = params._replace(Omega=np.stack(params.Omega))
    assert module.loss(stacked, *data) == value


@pytest.mark.parametrize("name", ["deep", "penalties"])
def test_a_wrong_family_is_told_by_its_member(name):
    module = module_of(name)
    params, *data = sample(module)
    whole = params.Omega
    for Omega, message in [
        ((whole[0], whole[1][:, :1], *whole[2:]), r"Omega\[2\] must have shape \(\d, 4\), got"),
        (whole[:-1], rf"members of Omega must be {len(whole)}, got {len(whole) - 1}"),
        (3.0, rf"members of Omega must be {len(whole)}, got 1"),
    ]:
        with pytest.raises(ValueError, match=message):
            module.loss_and_grad(params._replace(Omega=Omega), *data)


def test_members_are_numbered_as_in_the_spec():
    assert module_of("scalars").FIRST == {"beta": 0, "omega": 0}
    assert {"beta[0]", "omega[3]"} <= assert_certified(module_of("scalars"))
    assert {"Omega[1]", "Omega[3]", "c"} <= assert_certified(module_of("deep"))
    assert "Omega[0]" not in assert_certified(module_of("deep"))


def test_some_members_may_be_frozen():
    module = module_of("frozen")
    assert module.MOVING == ("W[2]", "b", "lambda_[3]")
    params, *data = sample(module)
    _, grad = module.loss_and_grad(params, *data)
    assert [bool(a.any()) for a in grad.W] == [False, True, False]
    assert [what for what, *_ in module.check()][:3] == [f"∂loss/∂{name}" for name in module.MOVING]
    quantities = assert_certified(module)
    assert "W[2]" in quantities
    assert "W[1]" not in quantities


WANTED = [Wanted(hessian=True), Wanted(hessian=True, layout="vec")]
SMALL = {
    "loss": "size n = 2\ninput x : n\ntarget y : n\nparam W[1..2] : n x n\nparam b[0..1] : n\n"
    "loss = squared_error(W[2] @ tanh(W[1] @ x + b[0]) + b[1], y)\n",
    "symmetric": SPECS["symmetric"],
    "frozen": FROZEN.replace("size D = 3", "size D = 2"),
}


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("wanted", WANTED)
def test_hessians_by_members(name, wanted):
    module = compile_module(derive(parse(SMALL[name], "small")), wanted=wanted)
    assert_certified(module)
    assert all("[" in of or len(of) == 1 for pair in module.HESSIANS.values() for of in pair)


def test_jacobians_by_members():
    module = module_of("output", Wanted(jacobian=True))
    assert module.JACOBIANS["jacobian_W_2"] == ("W[2]",)
    assert_certified(module)


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("deep", "Omega=(Omega_1_bar, Omega_2_bar,", "Omega=(Omega_2_bar, Omega_1_bar,"),
        ("penalties", "grad.beta[2] + ", "0 * grad.beta[2] + "),
    ],
)
def test_a_damaged_module_says_so(name, right, wrong, tmp_path):
    damaged = TEXTS[name].replace(right, wrong)
    assert damaged != TEXTS[name]
    assert not certify(compile_module(derive(parse(SPECS[name])), text=damaged)).ok
    (tmp_path / "damaged.py").write_text(damaged)
    command = [sys.executable, "-I", str(tmp_path / "damaged.py")]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "FAILED" in result.stdout
