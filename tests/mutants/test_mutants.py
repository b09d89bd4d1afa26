"""Wrong derivations: each mutant of an emitted module is flagged, with the parameter by name."""

from pathlib import Path

import pytest

from symbp.check import certify
from symbp.derive.dense import Wanted
from symbp.pipeline import compile_module, derive, emit
from symbp.spec import load

SPECS = Path(__file__).resolve().parents[2] / "specs"

MUTANTS = {
    "wrong factor": ("mlp", "f_2_bar: Array = 2 * r", "f_2_bar: Array = r", "Omega_0"),
    "wrong sign": ("mlp", "h_2_bar = f_2_bar @ Omega_2", "h_2_bar = -f_2_bar @ Omega_2", "beta_1"),
    "transposed": ("residual", "u_bar = z_v_bar @ W", "u_bar = z_v_bar @ W.T", "W"),
    "lost branch": ("residual", "    u_bar += v_bar\n", "", "b"),
    "lost place of W": ("residual", "    W_bar += z_u_bar.T @ x\n", "", "W"),
    "lost penalty": ("residual", "W_penalty = W / 50", "W_penalty = 0 * W", "W"),
    "lost weight": ("residual", "v_bar = 2 / n_ * r", "v_bar = 2 * r", "b"),
    "lost batch sum": (
        "mlp", "beta_1_bar = f_1_bar.sum(axis=0)", "beta_1_bar = f_1_bar[0]", "beta_1"
    ),
    "mean for sum": (
        "mlp", "beta_0_bar = f_0_bar.sum(axis=0)", "beta_0_bar = f_0_bar.mean(axis=0)", "beta_0"
    ),
    "slope at the wrong point": (
        "sigmoid_network", "z_2_bar = a_2 * (1 - a_2)", "z_2_bar = a_2 * (1 - a_1)", "W_2"
    ),
    "slope of the wrong layer": (
        "residual", "z_u_bar = (1 - u**2) * u_bar", "z_u_bar = (1 - h_v**2) * u_bar", "b"
    ),
    "mask of the wrong layer": (
        "mlp", "np.multiply(h_1_bar, h_1 > 0", "np.multiply(h_1_bar, h_2 > 0", "Omega_0"
    ),
    "mask turned round": (
        "mlp", "np.multiply(h_2_bar, h_2 > 0", "np.multiply(h_2_bar, h_2 <= 0", "Omega_1"
    ),
    "label left out": ("classifier", "    z_bar[np.arange(len(y)), y] -= 1\n", "", "b_2"),
    "stale activation": (
        "mlp", "Omega_2_bar = f_2_bar.T @ h_2", "Omega_2_bar = f_2_bar.T @ h_1", "Omega_2"
    ),
    "sign of a const": ("awb", "W_bar = A.T @ E_bar @ B.T", "W_bar = A.T @ E_bar @ -B.T", "W"),
}  # fmt: skip


def damaged(name):
    """Return the module of a mutant, and the parameter whose gradient is wrong."""
    spec, right, wrong, parameter = MUTANTS[name]
    derivation = derive(load(SPECS / f"{spec}.symbp"))
    text = emit(derivation)
    head, mark, body = text.partition("\ndef _adjoint(")
    if right not in body.partition("\n\n\n")[0]:
        head, mark, body = text.partition("\ndef _loss_bar(")
    assert right in body, name
    return compile_module(derivation, text=head + mark + body.replace(right, wrong, 1)), parameter


@pytest.mark.parametrize("name", MUTANTS)
def test_the_certificate_names_the_parameter(name):
    module, parameter = damaged(name)
    failures = [row for row in certify(module).failures if row.mode == "gradient"]
    assert parameter in {row.quantity for row in failures}


@pytest.mark.parametrize("name", MUTANTS)
def test_the_module_s_own_check_names_the_parameter(name):
    module, parameter = damaged(name)
    failed = {what for what, error, bound in module.check() if not error <= bound}
    assert f"∂loss/∂{parameter}" in failed


@pytest.mark.parametrize("spec", sorted({spec for spec, *_ in MUTANTS.values()}))
def test_the_module_as_it_is_passes(spec):
    module = compile_module(derive(load(SPECS / f"{spec}.symbp")))
    assert certify(module).ok
    assert all(error <= bound for _, error, bound in module.check())


FORWARD = {
    "tangent": ("_tangent", "h_1_dot @ Omega_1.T", "h_1_dot @ -Omega_1.T", "jvp"),
    "second sweep": ("_adjoint_dot", "h_2_bar_dot += f_2_bar_dot @ Omega_2", "pass", "hvp"),
    "loss": ("_loss_dot", "2 * np.sum(r * f_2_dot)", "np.sum(r * f_2_dot)", "loss_and_dot"),
    "x_bar": ("_inputs_bar", "f_0_bar @ Omega_0", "f_0_bar @ -Omega_0", "vjp"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORWARD)
def test_a_wrong_sweep_is_flagged_where_it_is_used(name):
    function, right, wrong, mode = FORWARD[name]
    derivation = derive(load(SPECS / "mlp.symbp"))
    head, mark, body = emit(derivation).partition(f"\ndef {function}(")
    assert right in body.partition("\n\n\n")[0]
    module = compile_module(derivation, text=head + mark + body.replace(right, wrong, 1))
    assert mode in {row.mode for row in certify(module).failures}
    named = {what for what, error, bound in module.check() if not error <= bound}
    assert {"jvp": "jvp", "vjp": "inner product"}.get(mode, mode) in named


SECOND = {
    "factor": ("matrix_factorisation", "hessian_U_V", "Array = 2 *", "Array = 3 *"),
    "entry": ("matrix_factorisation", "hessian_U", "return hessian", "hessian[0, 0, 0, 0] += 1e-3\n"
              "    return hessian"),
    "batch sum": ("two_layer_linear", "hessian_U", "/ n", "/ 1"),
}  # fmt: skip


@pytest.mark.parametrize("name", SECOND)
def test_a_wrong_hessian_is_refused_by_both_judges(name):
    spec, function, right, wrong = SECOND[name]
    derivation, wanted = derive(load(SPECS / f"{spec}.symbp")), Wanted(hessian=True)
    head, mark, body = emit(derivation, wanted=wanted).partition(f"\ndef {function}(")
    assert right in body.partition("\n\n\n")[0]
    module = compile_module(derivation, text=head + mark + body.replace(right, wrong, 1))
    (row,) = certify(module).failures
    assert (row.mode, row.quantity) == ("hessian", ", ".join(function.split("_")[1:]))
    assert [what for what, error, bound in module.check() if not error <= bound] == [function]
