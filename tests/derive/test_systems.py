"""The systems of the notes: what each derivation must show."""

from pathlib import Path

import numpy as np
import pytest

from symbp.api import Derivation
from symbp.derive.derive import derive
from symbp.derive.reading import closed_form, for_one_example, read
from symbp.emit.math import unicode
from symbp.emit.trial import draw, trial
from symbp.ir import name_of, symbol, variables
from symbp.ops.evaluate import evaluate
from symbp.report import names_of, text
from symbp.spec import expression, load

SPECS = Path(__file__).parent.parent.parent / "specs"
EVERY = sorted(path.stem for path in SPECS.glob("*.symbp"))


def lines(name: str, part: str = "adjoint") -> list[str]:
    """Return the equations of one sweep, as printed."""
    found = derive(load(SPECS / f"{name}.symbp"))
    names = names_of(found.program)
    steps = [step for step in getattr(read(found), part) if step.shown]
    return [f"{unicode(s.target, names)} = {unicode(s.expr, names)}" for s in steps]


def test_toy_shows_the_intermediate_derivatives_then_the_eight_gradients():
    lefts = [line.partition(" = ")[0] for line in lines("toy")]
    inner = ["f₃", "h₃", "f₂", "h₂", "f₁", "h₁", "f₀"]  # 001 (7.9)
    assert lefts[:7] == [f"∂ℓ/∂{name}" for name in inner]
    assert sorted(lefts[7:]) == sorted(f"∂ℓ/∂{g}{k}" for g in "βω" for k in "₀₁₂₃")
    assert lines("toy")[:3] == [
        "∂ℓ/∂f₃ = 2 (f₃ − y)",
        "∂ℓ/∂h₃ = ω₃ ∂ℓ/∂f₃",
        "∂ℓ/∂f₂ = −sin(f₂) ∂ℓ/∂h₃",
    ]


def test_the_closed_form_of_omega_0_is_7_7():
    found = derive(load(SPECS / "toy.symbp"))
    whole = closed_form(found, found.step_of_gradient("omega_0").expr)
    rng = np.random.default_rng(0)
    names = [name_of(v) for v in found.program.given]
    v = {name: float(rng.standard_normal()) for name in names}
    inner = np.exp(v["beta_1"] + v["omega_1"] * np.sin(v["beta_0"] + v["omega_0"] * v["x"]))
    outer = v["beta_2"] + v["omega_2"] * inner
    error = v["beta_3"] + v["omega_3"] * np.cos(outer) - v["y"]
    weights = v["omega_1"] * v["omega_2"] * v["omega_3"] * v["x"]
    start = np.cos(v["beta_0"] + v["omega_0"] * v["x"])
    expected = -2 * error * weights * start * inner * np.sin(outer)
    assert evaluate(whole, v) == pytest.approx(expected, rel=1e-12)


def test_two_layer_scalar_shows_thirteen_derivatives():
    lefts = {line.partition(" = ")[0] for line in lines("two_layer_scalar")}
    names = ["φ₀", "φ₁", "φ₂", "ψ₀₁", "ψ₁₁", "ψ₂₁", "ψ₀₂", "ψ₁₂", "ψ₂₂", "θ₀₁", "θ₁₁", "θ₀₂", "θ₁₂"]
    assert {f"∂y/∂{name}" for name in names} <= lefts


def test_dag_runs_in_the_orders_of_7_44_and_7_45():
    reverse = [line.partition(" = ")[0] for line in lines("dag")]
    assert reverse == ["∂y/∂f₅", "∂y/∂f₄", "∂y/∂f₃", "∂y/∂f₂", "∂y/∂f₁", "∂y/∂x"]
    forward = [line.partition(" = ")[0] for line in lines("dag", "tangent")]
    assert forward == ["ḟ₁", "ḟ₂", "ḟ₃", "ḟ₄", "ḟ₅", "ẏ"]


def test_two_paths_says_the_sum_in_words():
    shown = text(derive(load(SPECS / "two_paths.symbp")))
    assert "∂ŷ/∂A   = c ∂ŷ/∂z_D + a ∂ŷ/∂z_B   sum over 2 paths" in shown
    assert "A reaches ŷ along 2 paths, through z_D and z_B: their terms add." in shown


def test_scalar_relu_shows_the_single_operations():
    lefts = [line.partition(" = ")[0] for line in lines("scalar_relu")]
    assert lefts[:6] == [f"∂L/∂{name}" for name in ("e", "o", "m_o", "h", "z_h", "m_h")] or lefts[
        :6
    ] == [f"∂ℓ/∂{name}" for name in ("L", "e", "o", "m_o", "h", "z_h")]


def test_mlp_shows_the_recursion_of_7_24():
    found = lines("mlp")
    assert "∂ℓ/∂f₁ = 1[f₁ > 0] ⊙ (Ω₂ᵀ ∂ℓ/∂f₂)" in found
    assert "∂ℓ/∂f₀ = 1[f₀ > 0] ⊙ (Ω₁ᵀ ∂ℓ/∂f₁)" in found
    assert "∂ℓ/∂Ω₁ = ∂ℓ/∂f₁ h₁ᵀ" in found
    assert "∂ℓ/∂β₁ = ∂ℓ/∂f₁" in found
    assert not any("∂ℓ/∂h" in line for line in found)


def test_leaky_shows_the_slope_alpha():
    assert "∂ℓ/∂f₀ = (1 where f₀ > 0, else α) ⊙ (Ω₁ᵀ ∂ℓ/∂f₁)" in lines("leaky")


def test_sigmoid_network_cancels_to_a_minus_y():
    found = lines("sigmoid_network")
    assert found[0] == "∂ℓ/∂z₃ = a₃ − y"
    assert found[1] == "∂ℓ/∂z₂ = a₂ ⊙ (1 − a₂) ⊙ (W₃ᵀ ∂ℓ/∂z₃)"


def test_classifier_is_softmax_minus_y():
    assert lines("classifier")[0] == "∂ℓ/∂z = softmax(z) − y"


@pytest.mark.parametrize(
    ("spec", "name", "expected"),
    [
        ("awb", "W", "2 Aᵀ (A W B + C) Bᵀ"),
        ("two_layer_linear", "V", "2 Uᵀ (U V x − y) xᵀ"),
        ("matrix_factorisation", "V", "2 Uᵀ (U V − Y)"),
    ],
)
def test_closed_forms_are_the_notes_own(spec, name, expected):
    found = Derivation.of(derive(load(SPECS / f"{spec}.symbp")))
    assert str(found.gradient(name)) == expected


def test_residual_keeps_the_penalty():
    assert "∂ℓ/∂W = W/50 + ∂ℓ/∂z_v uᵀ + ∂ℓ/∂z_u xᵀ" in lines("residual")


def test_kinks_pass_no_gradient_and_say_so():
    found = derive(load(SPECS / "kinks.symbp"))
    assert "∂ℓ/∂Ω₀ = 0" in lines("kinks")
    assert sum("no gradient passes" in warning for warning in found.warnings) == 2


def test_an_expression_comes_out_as_in_the_book():
    found = Derivation.of(derive(expression("norm2(A @ W @ B + C)^2", ["W"])))
    assert str(found.gradient("W")) == "2 Aᵀ (A W B + C) Bᵀ"


@pytest.mark.parametrize("name", EVERY)
def test_every_line_equals_what_its_rule_gave(name):
    program = load(SPECS / f"{name}.symbp")
    found = for_one_example(derive(program))
    choice, rng = trial(found.program), np.random.default_rng(1)
    sizes = {size.name: value for size, value in choice.sizes.items()}
    given = [*found.program.given]
    values = {name_of(v): draw(choice, v, rng) for v in given}
    for step in found.steps:
        if symbol(step.target).role == "tangent":
            values.update(_missing_tangents(step.rule, choice, rng, values))
        if found.program.loss is None:
            seed = found.program.result
            values.setdefault(f"{name_of(seed)}_bar", rng.standard_normal(draw_shape(seed, choice)))
        ours = evaluate(step.expr, values, sizes=sizes)
        np.testing.assert_allclose(ours, evaluate(step.rule, values, sizes=sizes), 1e-10, 1e-12)
        if step.paths:
            total = sum(evaluate(path.term, values, sizes=sizes) for path in step.paths)
            np.testing.assert_allclose(ours, total, 1e-10, 1e-12)
        values[step.name] = ours


def draw_shape(var, choice) -> tuple[int, ...]:
    return tuple(d if isinstance(d, int) else int(d.subs(choice.sizes)) for d in var.shape)


def _missing_tangents(rule, choice, rng, values):
    wanted = [v for v in variables(rule) if symbol(v).role == "tangent"]
    return {
        name_of(v): rng.standard_normal(draw_shape(v, choice))
        for v in wanted
        if name_of(v) not in values
    }
