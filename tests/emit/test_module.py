"""The contract of an emitted module: storage, work, precision, guards, and how it is called."""

import ast
import math
import os
import re
import subprocess
import sys
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from symbp.check import certify
from symbp.check.tree import arrays, transform
from symbp.pipeline import compile_module, derive, emit
from symbp.spec import load, parse

SPECS = sorted((Path(__file__).resolve().parents[2] / "specs").glob("*.symbp"))
TEXTS = {path.stem: emit(derive(load(path))) for path in SPECS}
NETWORKS = [name for name, text in TEXTS.items() if "class Params" in text]
LOSSES = [name for name in NETWORKS if "\ndef loss(" in TEXTS[name]]


def module_of(spec):
    """Return the module of a spec's name, or of a spec's text."""
    program = parse(spec) if "\n" in spec else load(SPECS[0].parent / f"{spec}.symbp")
    return compile_module(derive(program))


def body(text, function):
    """Return the statements of one function of a text."""
    found = re.search(rf"\ndef {function}\(.*?(?=\n\n\n)", text, re.DOTALL)
    assert found, function
    return found.group()


def calls(module, args):
    """Return every public function of a network with arguments for it."""
    params, *data = args
    given = data[: module.FORWARD_ARGS]
    found = [(module.forward, (params, *given)), (module.jvp, (params, *given, params))]
    found.append(
        (lambda *a: module.vjp(*a[:-1])[1](a[-1]), (params, *given, module.forward(params, *given)))
    )
    if hasattr(module, "loss"):
        found += [(f, (params, *data)) for f in (module.loss, module.loss_and_grad)]
        found += [(f, (params, *data, params)) for f in (module.loss_and_dot, module.hvp)]
    return found


def sample(module, **more):
    params, data = module.sample(np.random.default_rng(3), **more)
    return (params, *data)


# ---- arguments, storage, work


@pytest.mark.parametrize("name", NETWORKS)
def test_no_argument_is_written_to(name):
    module = module_of(name)
    for function, args in calls(module, sample(module)):
        kept = [array.copy() for array in arrays(args)]
        for array in arrays(args):
            array.setflags(write=False)
        function(*args)
        for before, after in zip(kept, arrays(args), strict=True):
            np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_share_no_storage_with_anything(name):
    module = module_of(name)
    args = sample(module)
    _, grad = module.loss_and_grad(*args)
    owned = arrays(grad)
    for k, array in enumerate(owned):
        others = [*arrays(args), *owned[:k], *owned[k + 1 :]]
        assert not any(np.shares_memory(array, other) for other in others)


def test_dead_storage_is_used_again():
    text = TEXTS["mlp"]
    for function, lines in {
        "_primal": ["h_1 = np.maximum(f_0, 0, out=f_0)", "h_2 = np.maximum(f_1, 0, out=f_1)"],
        "_adjoint": ["f_1_bar = np.multiply(h_2_bar, h_2 > 0, out=h_2_bar)"],
        "_tangent": ["h_1_dot = np.multiply(f_0_dot, h_1 > 0, out=f_0_dot)"],
    }.items():
        for line in lines:
            assert line in body(text, function)
    assert "f_0 += beta_0" in body(text, "_primal")


def test_a_mask_is_multiplied_with_once():
    for function in ("_adjoint", "_tangent", "_adjoint_dot"):
        masks = Counter(re.findall(r"h_\d > 0", body(TEXTS["mlp"], function)))
        assert masks == {"h_1 > 0": 1, "h_2 > 0": 1}


@pytest.mark.parametrize("name", TEXTS)
def test_no_statement_of_a_function_is_there_twice(name):
    for function in re.findall(r"\ndef (_\w+)\(", TEXTS[name]):
        code = ast.parse(body(TEXTS[name], function))
        values = [ast.dump(n.value) for n in ast.walk(code) if isinstance(n, ast.Assign)]
        products = [v for v in values if "MatMult" in v or "exp" in v]
        assert len(products) == len(set(products)), function


def test_x_bar_is_for_vjp_alone():
    text = TEXTS["mlp"]
    for function in ("loss_and_grad", "hvp", "loss", "_adjoint", "_adjoint_dot"):
        assert "_inputs_bar(" not in body(text, function)
        assert not re.search(r"\bx_bar\b", body(text, function))
    assert "x_bar = _inputs_bar(" in body(text, "vjp")


class Counting(np.ndarray):
    """An array that counts the multiplications of matrix products."""

    multiplications = 0

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **more):
        plain = [np.asarray(x) for x in inputs]
        if ufunc is np.matmul:
            left, right = plain
            Counting.multiplications += left.size * (right.size // right.shape[0])
        into = tuple(np.asarray(x) for x in out) if out else None
        result = getattr(ufunc, method)(*plain, **more, **({"out": into} if into else {}))
        return np.asarray(result).view(Counting)


def multiplications(function, *args):
    """Return the multiplications of the matrix products of a call."""
    Counting.multiplications = 0
    params, *data = transform(args, lambda array: np.asarray(array).view(Counting))
    function(params, *data)
    return Counting.multiplications


def test_chains_of_products_are_taken_in_the_cheap_order():
    spec = "size n = 400, m = 300\nparam U : n x m\nparam V : m x n\ninput x : n\nconst C : n x n\n"
    spec += "target y : n\nloss = norm2(C @ U @ V @ x - y)^2\n"
    module = compile_module(derive(parse(spec)))
    # _expect makes plain arrays of its arguments, so the sweeps are counted behind the guards
    module._expect = lambda name, value, *shape: value
    args = sample(module)
    n, m, examples = 400, 300, 5
    vector = examples * (2 * n * m + n * n)  # V x, U (V x), C (U V x)
    assert multiplications(module.loss, *args) == vector
    left = examples * (n * n + 2 * n * m)  # Cᵀ r, V x, (Cᵀ r) (V x)ᵀ
    right = examples * (n * n + 2 * n * m)  # Cᵀ r, Uᵀ (Cᵀ r), Uᵀ Cᵀ r xᵀ
    assert multiplications(module.loss_and_grad, *args) == vector + left + right


# ---- precision and limits


@pytest.mark.parametrize("name", NETWORKS)
def test_float32_stays_float32(name):
    module = module_of(name)
    for function, args in calls(module, sample(module, dtype=np.float32)):
        result = function(*args)
        leaves = [result] if not isinstance(result, tuple) else result
        for leaf in leaves:
            if not isinstance(leaf, float):
                assert {a.dtype for a in arrays(leaf)} == {np.dtype(np.float32)}


def stable(line, loss):
    given = "size n = 3\ninput x : n\ntarget y : n\nparam b : n\n"
    return f"{given}z = x + b\n{line}\nloss = {loss}\n"


TOP = 1e4 + math.log(2)


LIMITS = {
    "sigmoid": (stable("a = sigmoid(z)", "sum(a)"), [1e4, -1e4, 0], [1, 0, 0.5], 1.5),
    "softplus": (stable("a = softplus(z)", "sum(a)"), [1e4, -1e4, 0], [1e4, 0, math.log(2)], None),
    "log(1 + exp)": (
        stable("a = log(ones(n) + exp(z))", "sum(a)"),
        [1e4, -1e4, 0],
        None,
        1e4 + math.log(2),
    ),
    "log of sigmoid": (
        stable("a = sigmoid(z)", "-sum(log(a))"),
        [1e4, -1e4, 0],
        None,
        1e4 + math.log(2),
    ),
    "log-softmax": (stable("a = log_softmax(z)", "-sum(a)"), [1e4, -1e4, 0], [0, -2e4, -1e4], 3e4),
    "log of softmax": (stable("a = softmax(z)", "-sum(log(a))"), [1e4, -1e4, 0], [1, 0, 0], 3e4),
    "logsumexp": (stable("a = z", "log(sum(exp(z)))"), [1e4, -1e4, 0], None, 1e4),
    "silu": (stable("a = silu(z)", "sum(a)"), [1e4, -1e4, 0], [1e4, 0, 0], 1e4),
    "elu": (stable("a = elu(z)", "sum(a)"), [1e4, -1e4, 0], [1e4, -1, 0], 9999),
    "gelu": (stable("a = gelu(z)", "sum(a)"), [1e4, -1e4, 0], [1e4, 0, 0], 1e4),
}


@pytest.mark.parametrize("name", LIMITS)
def test_limits_at_large_logits_without_a_warning(name):
    spec, logits, output, loss = LIMITS[name]
    module = module_of(spec)
    x, y = np.array([logits], float), np.zeros((1, 3))
    params = module.Params(np.zeros(3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value, grad = module.loss_and_grad(params, x, y)
        _, product = module.hvp(params, x, y, params._replace(b=np.ones(3)))
    assert all(np.all(np.isfinite(a)) for a in (value, grad.b, product.b))
    if output is not None:
        np.testing.assert_allclose(module.forward(params, x)[0], output, atol=1e-12)
    if loss is not None:
        assert math.isclose(value, loss, rel_tol=1e-12)


@pytest.mark.parametrize("target", [0, 1, 2])
def test_cross_entropies_at_large_logits(target):
    logits = np.array([[1e4, -1e4, 0]])
    spec = stable("a = sigmoid(z)", "cross_entropy(y, a)")
    module = module_of(spec)
    y = np.eye(3)[[target]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value, grad = module.loss_and_grad([np.zeros(3)], logits, y)
        labels = module_of(
            stable("", "softmax_cross_entropy(y, z)").replace("y : n", "y : one_hot n")
        )
        other, slope = labels.loss_and_grad([np.zeros(3)], logits, np.array([target]))
    np.testing.assert_allclose(grad.b, [1, 0, 0.5] - y[0], atol=1e-12)
    truth = sum(
        max(z, 0) - z * t + math.log1p(math.exp(-abs(z)))
        for z, t in zip(logits[0], y[0], strict=True)
    )
    assert math.isclose(value, truth, rel_tol=1e-12)
    assert math.isclose(other, 1e4 - logits[0, target], rel_tol=1e-12, abs_tol=1e-12)
    np.testing.assert_allclose(slope.b, [1, 0, 0] - y[0], atol=1e-12)


def test_erf_is_that_of_the_library():
    module = module_of("size n\ninput x : n\nparam b : n\na = erf(x + b)\noutput a\n")
    z = np.concatenate([np.linspace(-7, 7, 4001), [0.46875, 0.5, 4, -0.46875, 26, -40, 1e-300, 0]])
    truth = np.array([math.erf(v) for v in z])
    np.testing.assert_allclose(module._erf(z), truth, rtol=1e-15, atol=1e-300)
    assert module._erf(z.astype(np.float32)).dtype == np.float32


# ---- parameters, guards, flat vectors


@pytest.mark.parametrize("name", ["mlp", "classifier", "residual"])
def test_parameters_in_any_form(name):
    module = module_of(name)
    params, *data = sample(module)
    truth = module.loss_and_grad(params, *data)
    for form in (params._asdict(), list(params), tuple(params), params):
        value, grad = module.loss_and_grad(form, *data)
        assert value == truth[0]
        assert isinstance(grad, module.Params)
    assert module.loss({k: v.tolist() for k, v in params._asdict().items()}, *data) == truth[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p, x, y: (p, x[:, :-1], y), r"x must have shape \(N, 10\), got \(5, 9\)"),
        (lambda p, x, y: (p, x[0], y), r"x must have shape \(N, 10\), got \(10,\)"),
        (lambda p, x, y: (p, x, y[:1]), r"y must have shape \(5, 5\), got \(1, 5\)"),
        (lambda p, x, y: (p, x, y[:, 0]), r"y must have shape \(5, 5\), got \(5,\)"),
        (lambda p, x, y: (p._replace(beta_0=p.beta_0[:, None]), x, y), r"\(40,\), got \(40, 1\)"),
        (lambda p, x, y: (p._replace(Omega_1=p.Omega_1[:1]), x, y), r"\(40, 40\), got \(1, 40\)"),
    ],
)
def test_wrong_shapes_are_told_with_both_shapes(change, message):
    module = module_of("mlp")
    args = change(*sample(module))
    for function in (module.loss, module.loss_and_grad):
        with pytest.raises(ValueError, match=message):
            function(*args)


def test_labels_of_a_wrong_shape_are_told():
    module = module_of("classifier")
    params, x, y = sample(module)
    with pytest.raises(ValueError, match=r"y must have shape \(5,\), got \(4,\)"):
        module.loss(params, x, y[:4])
    with pytest.raises(ValueError, match=r"theta must have shape \(\d+,\), got \(3,\)"):
        module.unravel(np.zeros(3))


@pytest.mark.parametrize("name", LOSSES)
def test_flat_is_what_an_optimiser_takes(name):
    module = module_of(name)
    params, *data = sample(module)
    sizes = getattr(module, "SIZES", {})
    fun, jac, hessp = module.flat(*data, **sizes)
    theta = module.ravel(params)
    p = np.random.default_rng(0).standard_normal(theta.shape)
    value, grad = module.loss_and_grad(params, *data)
    assert fun(theta) == value
    np.testing.assert_array_equal(jac(theta), module.ravel(grad))
    product = module.hvp(params, *data, module.unravel(p, **sizes))[1]
    np.testing.assert_array_equal(hessp(theta, p), module.ravel(product))
    lower = theta - 1e-4 * jac(theta) / max(1, np.linalg.norm(jac(theta)))
    assert fun(lower) <= fun(theta)
    for one, other in zip(arrays(module.unravel(theta, **sizes)), arrays(params), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_pullback_may_be_called_twice(name):
    module = module_of(name)
    args = sample(module)[: 1 + module.FORWARD_ARGS]
    value, pullback = module.vjp(*args)
    bar = np.random.default_rng(0).standard_normal(np.shape(value))
    first = [array.copy() for array in arrays(pullback(bar))]
    for one, other in zip(first, arrays(pullback(bar)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_input_s_tangent_may_be_left_out():
    for name in ("mlp", "sigmoid_network", "residual", "two_paths"):
        module = module_of(name)
        params, x, *_ = sample(module)
        _, still = module.jvp(params, x, params)
        np.testing.assert_array_equal(still, module.jvp(params, x, params, np.zeros_like(x))[1])


# ---- frozen parameters and gradients of inputs


FROZEN = """
size n = 3, m = 2
input x : n
input s
target y : m
param W : m x n
param b : m
param c
h = tanh(W @ x + b) * s
loss = squared_error(y, c * h) + dot(x, x) / 7 + norm2(W)^2 / 10
wrt W, c, x, s
"""


def test_a_frozen_parameter_gets_zeros_and_no_work():
    module = module_of(FROZEN)
    assert module.MOVING == ("W", "c")
    args = sample(module)
    value, grad = module.loss_and_grad(*args)
    assert not grad.b.any()
    assert grad.b.shape == (2,)
    free = module_of(FROZEN.replace("wrt W, c, x, s", ""))
    whole_value, whole = free.loss_and_grad(*args)
    assert value == whole_value
    np.testing.assert_allclose(grad.W, whole.W)
    np.testing.assert_allclose(grad.c, whole.c)
    text = emit(derive(parse(FROZEN)))
    assert "b_bar = np.zeros_like(b)" in text
    assert "b_dot" not in body(text, "_tangent")
    assert certify(module).ok


def test_the_gradient_of_an_input():
    module = module_of(FROZEN)
    params, x, s, y = sample(module)
    for name, k in (("x", 0), ("s", 1)):
        found = getattr(module, f"grad_{name}")(params, x, s, y)
        data = [x, s, y]
        assert found.shape == data[k].shape
        for index in np.ndindex(data[k].shape):
            moved = [a.copy() for a in data]
            step = []
            for h in (1e-5, -1e-5):
                moved[k] = data[k].copy()
                moved[k][index] += h
                step.append(module.loss(params, *moved))
            assert math.isclose(
                found[index], (step[0] - step[1]) / 2e-5, rel_tol=1e-6, abs_tol=1e-8
            )


def test_all_parameters_may_be_frozen():
    module = module_of(FROZEN.replace("wrt W, c, x, s", "wrt x"))
    assert module.MOVING == ()
    assert certify(module).ok
    assert all(error <= bound for _, error, bound in module.check())


@pytest.mark.parametrize("wrong", ["x_direct", "x_bar"])
def test_a_wrong_gradient_of_an_input_is_flagged(wrong):
    text = emit(derive(parse(FROZEN)))
    damaged = text.replace("return x_bar + x_direct", f"return {wrong}")
    assert damaged != text
    certificate = certify(compile_module(derive(parse(FROZEN)), text=damaged))
    assert "x" in {row.quantity for row in certificate.failures}


def test_a_gradient_of_what_is_frozen_is_flagged():
    text = emit(derive(parse(FROZEN)))
    damaged = text.replace("b_bar = np.zeros_like(b)", "b_bar = np.ones_like(b)")
    assert damaged != text
    assert not certify(compile_module(derive(parse(FROZEN)), text=damaged)).ok


# ---- the file by itself


def run_alone(path):
    """Run a module with NumPy and without symbp; return the exit status and what it prints."""
    hidden = "import runpy, sys; sys.modules['symbp'] = None; "
    hidden += "runpy.run_path(sys.argv[1], run_name='__main__')"
    command = [sys.executable, "-I", "-c", hidden, str(path)]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    return result.returncode, result.stdout + result.stderr


@pytest.mark.parametrize("name", ["mlp", "awb", "dag", "two_layer_scalar"])
def test_a_module_runs_with_numpy_alone(name, tmp_path):
    (tmp_path / "alone.py").write_text(TEXTS[name])
    status, printed = run_alone(tmp_path / "alone.py")
    assert status == 0, printed
    assert "ok" in printed
    assert "symbp" not in printed


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("mlp", "f_2_bar: Array = 2 * r", "f_2_bar: Array = 3 * r"),
        ("awb", "W_bar = A.T @ E_bar @ B.T", "W_bar = -(A.T @ E_bar @ B.T)"),
        ("dag", "f_3_bar = np.cos(f_3) + f_4", "f_3_bar = np.sin(f_3) + f_4"),
    ],
)
def test_a_damaged_module_says_so(name, right, wrong, tmp_path):
    assert right in TEXTS[name]
    (tmp_path / "damaged.py").write_text(TEXTS[name].replace(right, wrong))
    status, printed = run_alone(tmp_path / "damaged.py")
    assert status == 1, printed
    assert "FAILED" in printed


def test_a_gradient_that_equals_an_inputs_adjoint_does_not_take_it_away():
    text = """
    size g
    input n : g
    input y : g x g
    param W : g
    target E : g
    T = diag(y) - n - W
    b = 2 * T
    loss = squared_error(E, T)
    output b
    """
    module = compile_module(derive(parse("\n".join(map(str.strip, text.split("\n"))), "shared")))
    assert certify(module).ok
