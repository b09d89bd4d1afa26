"""`symbp.gain`: what an activation does to variances."""

import math

import pytest
import sympy as sp

import symbp
from symbp.errors import SymbpError
from symbp.moments.activation import selu

KNOWN = [  # text, E[φ²], E[φ′²] at variance 1
    ("relu", 0.5, 0.5),
    ("z", 1.0, 1.0),
    ("z^2", 3.0, 4.0),
    ("sin", (1 - math.exp(-2)) / 2, (1 + math.exp(-2)) / 2),
    ("exp", math.exp(2), math.exp(2)),
    ("leaky_relu(z, 1/10)", 0.505, 0.505),
    ("gelu", 0.4252214825702, 0.4558508656493),
    ("selu", 1.0, 1.0715749924558),
    ("tanh", 0.3942944903978, 0.4644029024480),
    ("z * sigmoid(z)", 0.3557755198173, 0.3794823516330),
]


@pytest.mark.parametrize(("text", "forward", "backward"), KNOWN)
def test_gains(text: str, forward: float, backward: float) -> None:
    found = symbp.gain(text)
    assert found.forward == pytest.approx(forward, abs=1e-11)
    assert found.backward == pytest.approx(backward, abs=1e-11)
    assert "E[φ(z)²]" in str(found)
    assert r"\begin{document}" in found.latex()


def test_a_symbol_stays_one() -> None:
    assert "= (1 + α²)/2" in str(symbp.gain("leaky_relu(z, alpha)"))
    with pytest.raises(SymbpError, match="alpha has no number"):
        symbp.gain("leaky_relu(z, alpha)").curves()


def test_the_numbers_of_selu_solve_its_two_equations() -> None:
    scale, alpha = (float(sp.N(value, 20)) for value in selu())
    assert scale == pytest.approx(1.0507009873554805, abs=1e-14)
    assert alpha == pytest.approx(1.6732632423543772, abs=1e-14)


def test_the_table_of_pytorch() -> None:
    tanh = symbp.gain("tanh")
    assert tanh.activation.fixed_point(5 / 3) == pytest.approx(1.17848, abs=1e-5)
    assert "`calculate_gain` returns 5/3, where the gain above is 1.59254" in str(tanh)
    assert "returns 1.41421, the gain above" in str(symbp.gain("relu"))


@pytest.mark.parametrize(("text", "growth"), [("gelu", 1.14406), ("tanh", 0.461071), ("relu", 1)])
def test_growth(text: str, growth: float) -> None:
    assert symbp.gain(text).activation.growth(1.0) == pytest.approx(growth, abs=1e-5)


@pytest.mark.parametrize(
    "text", ["", "mish", "3", "exp(z^2)", "1/z", "z +", "log(z)", None, "exp(800*z)"]
)
def test_what_has_no_gain_is_refused(text: str) -> None:
    with pytest.raises(SymbpError):
        str(symbp.gain(text))
