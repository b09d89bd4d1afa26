"""The systems of the notes: what each must show, on the trees and in print."""

from pathlib import Path

import numpy as np
import pytest
from reference import close, point, run_steps

from symbp.api import Derivation
from symbp.derive.derive import derive
from symbp.derive.reading import closed_form, read
from symbp.derive.reverse import loss_parts
from symbp.emit.math import unicode
from symbp.ir import name_of, variables
from symbp.ops.evaluate import evaluate
from symbp.pipeline import certify, compile_module
from symbp.spec import expression, load, parse

SPECS = Path(__file__).resolve().parents[2] / "specs"


def derivation_of(name):
    return derive(load(SPECS / f"{name}.symbp"))


def lines(name, sweep="adjoint"):
    """Return the printed right-hand sides of a sweep by name, in order."""
    return {step.name: unicode(step.expr) for step in getattr(read(derivation_of(name)), sweep)}


def test_toy_in_the_order_of_the_notes():
    order = ["f_3", "h_3", "f_2", "h_2", "f_1", "h_1", "f_0"]
    printed = lines("toy")
    assert [n for n in printed if n[0] in "fh"] == [f"{name}_bar" for name in order]
    assert printed["f_3_bar"] == "2 (f₃ − y)"
    assert printed["f_2_bar"] == "−sin(f₂) ∂ℓ/∂h₃"
    assert printed["h_2_bar"] == "ω₂ ∂ℓ/∂f₂"
    for k, value in enumerate(["x", "h₁", "h₂", "h₃"]):
        assert printed[f"beta_{k}_bar"] == f"∂ℓ/∂f{'₀₁₂₃'[k]}"
        assert printed[f"omega_{k}_bar"] == f"{value} ∂ℓ/∂f{'₀₁₂₃'[k]}"


def test_toy_closed_form_is_7_7():
    derivation = derivation_of("toy")
    at = point(derivation.program, 1, seed=2)
    given = {name_of(v): at.example(0)[name_of(v)] for v in derivation.program.given}
    found = closed_form(derivation, derivation.step("omega_0_bar").expr)
    b, o = ([given[f"{s}_{k}"] for k in range(4)] for s in ("beta", "omega"))
    x, y = given["x"], given["y"]
    f0 = b[0] + o[0] * x
    f1 = b[1] + o[1] * np.sin(f0)
    f2 = b[2] + o[2] * np.exp(f1)
    f3 = b[3] + o[3] * np.cos(f2)
    inner = o[1] * o[2] * o[3] * x * np.cos(f0) * np.exp(f1) * np.sin(f2)
    close(evaluate(found, given), -2 * (f3 - y) * inner, "(7.7)")
    text = unicode(found)
    for factor in ("cos(β₀ + ω₀ x)", "exp(", "sin(β₂ + ω₂ exp(", "ω₁", "ω₂", "ω₃", "(y − β₃"):
        assert factor in text, text


def test_two_layer_scalar_has_all_thirteen_derivatives():
    derivation = derivation_of("two_layer_scalar")
    assert len(derivation.program.wrt) == 13
    printed = lines("two_layer_scalar")
    assert printed["phi_0_bar"] == "1"
    assert printed["psi_21_bar"] == "h₂ ∂ℓ/∂g₁"
    assert printed["h_2_bar"] == "ψ₂₂ ∂ℓ/∂g₂ + ψ₂₁ ∂ℓ/∂g₁"
    assert all(f"{name_of(v)}_bar" in printed for v in derivation.program.wrt)


def test_dag_in_the_order_of_7_44_and_7_45():
    assert lines("dag") == {
        "f_5_bar": "1",
        "f_4_bar": "1",
        "f_3_bar": "cos(f₃) ∂ℓ/∂f₅ + f₄ ∂ℓ/∂f₄",
        "f_2_bar": "∂ℓ/∂f₃",
        "f_1_bar": "∂ℓ/∂f₃ + 2 f₁ ∂ℓ/∂f₂",
        "x_bar": "f₁ ∂ℓ/∂f₁",
    }
    order = [step.name for step in derivation_of("dag").tangent]
    assert order == ["f_1_dot", "f_2_dot", "f_3_dot", "f_4_dot", "f_5_dot", "y_dot"]


def test_two_paths_says_that_the_terms_add():
    derivation = derivation_of("two_paths")
    step = derivation.step("A_bar")
    assert len(step.paths) == 2
    assert unicode(step.expr) == "c ∂ℓ/∂z_D + a ∂ℓ/∂z_B"
    assert "2 paths" in step.note
    assert "the terms add" in step.note
    assert "sum over 2 paths" in step.law
    for frozen in "abcd":
        with pytest.raises(KeyError):
            derivation.step(f"{frozen}_bar")


def test_scalar_relu_operation_by_operation():
    derivation = derivation_of("scalar_relu")
    assert [s.name for s in derivation.primal[:7]] == ["m_h", "z_h", "h", "m_o", "o", "e", "L"]
    printed = lines("scalar_relu")
    assert printed["e_bar"] == "2 e ∂ℓ/∂L"
    assert printed["z_h_bar"] == "1[z_h > 0] ∂ℓ/∂h"
    assert printed["o_bar"] == "−∂ℓ/∂e"


def test_mlp_is_the_recursion_of_7_24():
    printed = lines("mlp")
    assert printed["f_2_bar"] == "2 (f₂ − y)"
    for k, later in ((1, 2), (0, 1)):
        one, two = "₀₁₂"[k], "₀₁₂"[later]
        assert printed[f"f_{k}_bar"] == f"1[f{one} > 0] ⊙ (Ω{two}ᵀ ∂ℓ/∂f{two})"
    for k, value in enumerate(("x", "h₁", "h₂")):
        delta = f"∂ℓ/∂f{'₀₁₂'[k]}"
        assert printed[f"beta_{k}_bar"] == delta
        assert printed[f"Omega_{k}_bar"] == f"{delta} {value}ᵀ"
    assert "h_1_bar" not in printed


def test_leaky_has_its_slope():
    assert lines("leaky")["f_0_bar"] == "(1 where f₀ > 0, else α) ⊙ (Ω₁ᵀ ∂ℓ/∂f₁)"


def test_sigmoid_network_begins_with_a_minus_y():
    printed = lines("sigmoid_network")
    assert printed["z_3_bar"] == "a₃ − y"
    assert printed["z_2_bar"] == "a₂ ⊙ (1 − a₂) ⊙ (W₃ᵀ ∂ℓ/∂z₃)"
    assert printed["W_1_bar"] == "∂ℓ/∂z₁ xᵀ"


def test_classifier_begins_with_softmax_minus_y():
    printed = lines("classifier")
    assert printed["z_bar"] == "softmax(z) − y"
    assert printed["W_2_bar"] == "∂ℓ/∂z hᵀ"
    assert printed["b_2_bar"] == "∂ℓ/∂z"


def closed_gradient(name, var):
    """Return the closed form of a gradient, its value at a point, and the values there."""
    derivation = derivation_of(name)
    at = point(derivation.program, 1, seed=1)
    found = closed_form(derivation, derivation.step(f"{var}_bar").expr)
    given = {name_of(v): at.example(0)[name_of(v)] for v in derivation.program.given}
    assert {name_of(v) for v in variables(found)} <= set(given)
    return found, evaluate(found, given, sizes=at.sizes), given


def test_awb_is_one_line():
    found, value, v = closed_gradient("awb", "W")
    assert unicode(found) == "2 Aᵀ (A W B + C) Bᵀ"
    close(value, 2 * v["A"].T @ (v["A"] @ v["W"] @ v["B"] + v["C"]) @ v["B"].T)
    derivation = derive(expression("norm2(A @ W @ B + C)^2", ["W"]))
    form = closed_form(derivation, derivation.step("W_bar").expr)
    assert unicode(form) == "2 Aᵀ (A W B + C) Bᵀ"


def test_two_layer_linear_is_2_u_e_x():
    _, value, v = closed_gradient("two_layer_linear", "V")
    error = v["U"] @ v["V"] @ v["x"] - v["y"]
    close(value, 2 * np.outer(v["U"].T @ error, v["x"]))
    found, value, v = closed_gradient("matrix_factorisation", "V")
    assert unicode(found) == "2 Uᵀ (U V − Y)"
    close(value, 2 * v["U"].T @ (v["U"] @ v["V"] - v["Y"]))


def test_residual_has_the_penalty_and_every_place_of_w():
    derivation = derivation_of("residual")
    step = derivation.step("W_bar")
    assert unicode(step.expr).replace("∂ℓ/∂", "δ_") == "W/50 + δ_z_v uᵀ + δ_z_u xᵀ"
    assert [name_of(path.consumer) for path in step.paths] == ["loss", "z_v", "z_u"]
    assert lines("residual")["u_bar"] == "∂ℓ/∂v + Wᵀ ∂ℓ/∂z_v"


def test_kinks_pass_no_gradient_and_say_so():
    derivation = derivation_of("kinks")
    for name in ("Omega_0", "beta_0", "Omega_1", "beta_1"):
        assert unicode(derivation.step(f"{name}_bar").expr) == "0"
    assert unicode(derivation.step("beta_2_bar").expr) != "0"
    text = " ".join(derivation.warnings)
    assert "rect in the line h_1 is flat" in text
    assert "heaviside in the line h_2 is flat" in text
    assert "no gradient passes" in text
    for name in ("Omega_0", "beta_0", "Omega_1", "beta_1"):
        assert name in text


def test_a_term_with_the_penalty_s_coefficient_is_no_penalty():
    spec = "param W\ninput x\nbatch sum\nloss = (W * x)^2 / 2 + W^2 / 2\n"
    data, penalty = loss_parts(parse(spec))
    assert unicode(data) == "W² x²/2" or "x" in unicode(data)
    assert unicode(penalty) == "W²/2"


def test_a_frozen_parameter_is_a_constant():
    derivation = derivation_of("two_paths")
    at = point(derivation.program, 1)
    given = {name_of(v): at.example(0)[name_of(v)] for v in derivation.program.given}
    dots = {f"{n}_dot": np.ones(()) for n in given}
    values = run_steps(derivation, given | dots, at.sizes)
    assert "a_bar" not in values
    assert not any(name_of(v) == "a_dot" for s in derivation.tangent for v in variables(s.expr))


@pytest.mark.parametrize(
    "loss",
    [
        "loss = (w' @ x - y)^2 / 2",
        "loss = (w' @ x - y)^2 + 1/10 * norm2(w)^2",
        "e = w' @ x - y\nloss = e^2",
        "loss = sum(w .* x)",
        "loss = norm2(w .* x)^2",
    ],
)
def test_a_loss_alone_has_an_output_that_needs_no_target(loss):
    given = "size n\ninput x : n\ntarget y\nparam w : n\n"
    module = compile_module(Derivation.of(derive(parse(given + loss))))
    assert certify(module).ok
    params, data = module.sample(np.random.default_rng(0))
    assert len(module.forward(params, data[0])) == 5


def test_a_loss_of_inputs_alone_is_averaged_in_both_modes():
    module = compile_module(Derivation.of(derive(parse("size n\ninput x : n\nloss = norm2(x)^2"))))
    assert certify(module).ok
