import accused
import numpy as np
import pytest
from verdicts import flagged, only

from symbp.check import Certificate, certify

SEEDS = range(50)


# ---- correct code is not flagged


@pytest.mark.parametrize(
    "build",
    [
        accused.network,
        lambda: accused.network(accused.relu, accused.relu_slopes),
        accused.classifier,
        accused.identity,
        accused.scalars,
        accused.matrices,
    ],
    ids=["tanh", "relu", "classifier", "identity", "scalars", "matrices"],
)
def test_correct_modules_pass_on_all_seeds(build):
    for seed in SEEDS:
        certificate = certify(build(), seed=seed)
        assert certificate.ok, certificate.format()


@pytest.mark.parametrize(
    "name", ["jvp", "vjp", "hvp", "loss_and_dot", "loss", "forward", "loss_and_grad"]
)
def test_a_missing_function_is_not_judged(name):
    module = accused.network()
    delattr(module, name)
    certificate = certify(module)
    assert certificate.ok, certificate.format()
    assert name not in {row.quantity for row in certificate.rows}


@pytest.mark.parametrize("name", ["loss_and_grad", "hvp", "loss_and_dot", "loss", "forward"])
def test_a_function_alone_is_judged_as_far_as_can_be(name):
    module = accused.network()
    for other in {"loss", "loss_and_grad", "forward", "jvp", "vjp", "loss_and_dot", "hvp"} - {name}:
        delattr(module, other)
    certificate = certify(module)
    assert certificate.ok, certificate.format()


def test_analytic_is_found_out_when_not_said():
    module = accused.network()
    del module.ANALYTIC
    assert certify(module).rows[0].method == "complex step"
    module = accused.network(lambda f: np.abs(f), lambda f, h: (np.sign(f), 0 * f))
    del module.ANALYTIC
    certificate = certify(module)
    assert certificate.rows[0].method == "5-point"
    assert certificate.ok, certificate.format()


# ---- mutants of a gradient


def with_gradient(change):
    """Return the module whose gradient went through `change(grad, params)`."""
    right = accused.network().loss_and_grad

    def loss_and_grad(params, x, y):
        value, grad = right(params, x, y)
        return value, change(grad, params)

    return accused.network(loss_and_grad=loss_and_grad)


MUTANTS = {
    "factor": (lambda g, p: g._replace(W1=2 * g.W1), "W1", 2, "factor 2"),
    "half": (lambda g, p: g._replace(b1=0.5 * g.b1), "b1", 0.5, "factor 0.5"),
    "sign": (lambda g, p: g._replace(W2=-g.W2), "W2", -1, "sign"),
    "transpose": (lambda g, p: g._replace(W1=g.W1.T), "W1", None, "transpose"),
    "penalty": (lambda g, p: g._replace(W1=g.W1 - 0.1 * p.W1), "W1", None, "term is lost"),
    "zero": (lambda g, p: g._replace(b1=0 * g.b1), "b1", 0, "branch is lost"),
    "mean": (lambda g, p: g._replace(b2=g.b2 / 5), "b2", 1 / 5, "batch sum"),
    "sum": (lambda g, p: g._replace(W2=5 * g.W2), "W2", 5, "number of examples"),
}


@pytest.mark.parametrize("mutant", MUTANTS)
@pytest.mark.parametrize("seed", range(5))
def test_wrong_gradient_is_flagged(mutant, seed):
    change, name, ratio, hint = MUTANTS[mutant]
    row = flagged(certify(with_gradient(change), seed=seed), "gradient", name)
    assert row.worst is not None
    assert hint in row.hint
    if ratio is not None:
        assert row.ratio == pytest.approx(ratio, rel=1e-6)


def test_one_wrong_entry_is_located():
    def change(grad, params):
        W2 = grad.W2.copy()
        W2[1, 2] *= 1.001
        return grad._replace(W2=W2)

    row = flagged(certify(with_gradient(change)), "gradient", "W2")
    assert row.worst == (1, 2)
    assert row.ratio == pytest.approx(1.001)
    assert "1 of 6" in row.hint


def test_wrong_shape_is_flagged():
    row = flagged(certify(with_gradient(lambda g, p: g._replace(W2=g.W2.T))), "gradient", "W2")
    assert "transposed: shape (3, 2), expected (2, 3)" in row.hint


def test_slope_at_the_wrong_point_is_flagged():
    module = accused.network(slopes=lambda f, h: (1 - f * f, -2 * h * (1 - h * h)))
    certificate = certify(module)
    row = flagged(certificate, "gradient", "W1")
    assert "wrong point" in row.hint
    flagged(certificate, "jvp", "W1")
    flagged(certificate, "vjp", "x")
    assert not [r for r in certificate.failures if r.quantity in ("W2", "b2") and r.mode != "hvp"]


def test_relu_with_the_wrong_mask_is_flagged():
    module = accused.network(accused.relu, lambda f, h: (0 * f + 1, 0 * f))
    assert flagged(certify(module), "gradient", "W1").method == "5-point"


def test_labels_off_by_one_are_flagged():
    right = accused.classifier()

    def loss_and_grad(params, x, y):
        return right.loss(params, x, y), right.loss_and_grad(params, x, (y + 1) % 3)[1]

    certificate = certify(accused.classifier(loss_and_grad=loss_and_grad))
    for name in ("W1", "W2", "b2"):
        flagged(certificate, "gradient", name)


# ---- mutants of the modes


def test_lost_branch_in_the_pullback_only():
    right = accused.network()

    def vjp(params, x):
        value, pullback = right.vjp(params, x)

        def skipless(bar):
            params_bar, x_bar = pullback(bar)
            return params_bar, x_bar - bar @ params.W2

        return value, skipless

    certificate = certify(accused.network(vjp=vjp))
    flagged(certificate, "vjp", "x")
    flagged(certificate, "inner product", "x")
    only(certificate, ("vjp", "x"), ("inner product", "x"))


def test_pullback_that_spends_its_tape():
    right = accused.network()

    def vjp(params, x):
        value, pullback = right.vjp(params, x)
        tape = [1.0]

        def once(bar):
            params_bar, x_bar = pullback(bar)
            x_bar, tape[0] = x_bar * tape[0], 0.0
            return params_bar, x_bar

        return value, once

    assert flagged(certify(accused.network(vjp=vjp)), "vjp", "x").ratio == 0


def test_jvp_that_forgets_a_parameter():
    right = accused.network().jvp

    def jvp(params, x, params_dot, x_dot):
        return right(params, x, params_dot._replace(b2=0 * params_dot.b2), x_dot)

    certificate = certify(accused.network(jvp=jvp))
    assert flagged(certificate, "jvp", "b2").ratio == 0
    only(certificate, ("jvp", "b2"), ("inner product", "b2"))


def test_loss_and_dot_without_the_penalty():
    right = accused.network().loss_and_dot

    def loss_and_dot(params, x, y, v):
        value, dot = right(params, x, y, v)
        return value, dot - 0.1 * np.sum(params.W1 * v.W1)

    certificate = certify(accused.network(loss_and_dot=loss_and_dot))
    flagged(certificate, "loss_and_dot", "W1")
    only(certificate, ("loss_and_dot", "W1"))


def test_wrong_hvp_is_flagged():
    right = accused.network().hvp

    def hvp(params, x, y, v):
        grad, product = right(params, x, y, v)
        return grad, product._replace(W1=product.W1 - 0.1 * v.W1 + 0.1 * v.W1.T)

    certificate = certify(accused.network(hvp=hvp))
    assert flagged(certificate, "hvp", "W1").worst is not None
    only(certificate, ("hvp", "W1"))


def test_unsymmetric_hvp_is_flagged():
    right = accused.network().hvp

    def hvp(params, x, y, v):
        grad, product = right(params, x, y, v)
        return grad, product._replace(b1=product.b1 + v.b1[::-1] * [1, 2, 3])

    flagged(certify(accused.network(hvp=hvp)), "hvp", "all")


# ---- mutants of manners


def test_float64_from_float32_is_flagged_by_leaf():
    module = with_gradient(lambda g, p: g._replace(b1=g.b1.astype(np.float64)))
    module.ANALYTIC = False
    row = flagged(certify(module), "float32", "loss_and_grad[1].b1")
    assert row.hint == "dtype float64, expected float32"


def test_float32_inside_is_flagged_in_float64():
    module = with_gradient(lambda g, p: g._replace(b1=g.b1.astype(np.float32).astype(g.b1.dtype)))
    module.ANALYTIC = False
    assert flagged(certify(module), "gradient", "b1").error < 1e-6


@pytest.mark.parametrize("name", ["x", "W1"])
def test_an_argument_written_to_is_flagged(name):
    right = accused.network().forward

    def forward(params, x):
        value = right(params, x)
        target = x if name == "x" else params.W1
        target += 1
        return value

    leaf = "[1]" if name == "x" else "[0].W1"
    module = accused.network(forward=forward)
    row = flagged(certify(module), "arguments", f"forward, argument{leaf}")
    assert row.ours == pytest.approx(row.reference + 1)
    assert row.worst is not None


def test_a_value_that_differs_between_functions():
    right = accused.network()

    def loss_and_grad(*args):
        return right.loss(*args) + 1, right.loss_and_grad(*args)[1]

    certificate = certify(accused.network(loss_and_grad=loss_and_grad))
    flagged(certificate, "value", "loss_and_grad")
    only(certificate, ("value", "loss_and_grad"))


def test_division_by_no_example():
    def loss(params, x, y):
        return float(len(x)) / len(x) + accused.network().loss(params, x, y) - 1

    row = flagged(certify(accused.network(loss=loss, ANALYTIC=False)), "N = 0", "loss")
    assert "ZeroDivisionError" in row.hint


def test_what_is_raised_becomes_a_row():
    def jvp(*args):
        raise RuntimeError("out of order")

    row = flagged(certify(accused.network(jvp=jvp)), "jvp", "all")
    assert row.hint == "raises RuntimeError: out of order"


def test_the_table_is_aligned_and_worst_is_the_worst():
    certificate = certify(with_gradient(lambda g, p: g._replace(W1=2 * g.W1)))
    lines = certificate.format().splitlines()
    column = lines[0].index("against")
    assert all(line[column - 1] == " " for line in lines[: len(certificate.rows) + 1])
    assert certificate.worst().quantity == "W1"
    assert not Certificate(()).ok
    with pytest.raises(ValueError, match="nothing was judged"):
        Certificate(()).worst()
