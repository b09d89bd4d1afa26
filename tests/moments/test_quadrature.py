"""Quadrature: against a trapezoid of our own, mpmath, closed forms; what has no number says so."""

import math
from collections.abc import Callable

import mpmath
import numpy as np
import pytest
import sympy as sp

from symbp.errors import SymbpError
from symbp.gain import gain
from symbp.moments.quadrature import quadrature
from symbp.ops.kinds import Z

Function = Callable[[np.ndarray], np.ndarray]


def formula(text: str) -> sp.Expr:
    return gain(text).activation.formula


def trapezoid(function: Function, variance: float) -> float:
    """Return E[function] by a trapezoid in u, z = σ sinh(u)/10⁶: fine near zero, wide beyond."""
    u, step = np.linspace(-np.arcsinh(39e6), np.arcsinh(39e6), 40_001, retstep=True)
    t, width = np.sinh(u) / 1e6, np.cosh(u) / 1e6 * step
    with np.errstate(over="ignore"):
        values = function(np.sqrt(variance) * t)
    return float(np.sum(values * np.exp(-(t**2) / 2) * width) / np.sqrt(2 * np.pi))


def sigmoid(z: np.ndarray) -> np.ndarray:
    return np.exp(-np.logaddexp(0, -z))


SMOOTH: dict[str, Function] = {
    "tanh(z)^2": lambda z: np.tanh(z) ** 2,
    "sigmoid(z)": sigmoid,
    "sigmoid(z)^2": lambda z: sigmoid(z) ** 2,
    "silu(z)": lambda z: z * sigmoid(z),
    "silu(z)^2": lambda z: (z * sigmoid(z)) ** 2,
    "softplus(z)": lambda z: np.logaddexp(0, z),
    "softplus(z)^2": lambda z: np.logaddexp(0, z) ** 2,
    "atan(z)^2": lambda z: np.arctan(z) ** 2,
    "log(1 + z^2)": lambda z: np.log1p(z**2),
    "1/(1 + z^2)": lambda z: 1 / (1 + z**2),
    "tanh(50*z)^2": lambda z: np.tanh(50 * z) ** 2,
    "tanh(5000*z)^2": lambda z: np.tanh(5000 * z) ** 2,
    "z*tanh(z)": lambda z: z * np.tanh(z),
}


@pytest.mark.parametrize("variance", [1e-4, 1e-2, 1.0, 30.0, 1e4])
@pytest.mark.parametrize("text", SMOOTH)
def test_smooth_functions(text: str, variance: float) -> None:
    wanted = trapezoid(SMOOTH[text], variance)
    assert quadrature(formula(text), variance) == pytest.approx(wanted, rel=1e-10)


@pytest.mark.parametrize("variance", [0.04, 1.0, 9.0])
@pytest.mark.parametrize(
    ("text", "function", "kinks"),
    [
        ("relu(sin(z))", lambda z: max(mpmath.sin(z), 0), [k * mpmath.pi for k in range(-14, 15)]),
        ("abs(tanh(z) - 1/2)", lambda z: abs(mpmath.tanh(z) - 0.5), [mpmath.atanh(0.5)]),
        ("max(tanh(z), 0)^2", lambda z: max(mpmath.tanh(z), 0) ** 2, [0]),
        ("abs(exp(z) - 2)", lambda z: abs(mpmath.exp(z) - 2), [mpmath.log(2)]),
    ],
    ids=str,
)
def test_functions_with_kinks(
    text: str, function: Callable[[float], float], kinks: list[float], variance: float
) -> None:
    deviation = math.sqrt(variance)
    ends = sorted({-14 * deviation, *(k for k in kinks if abs(k) < 14 * deviation), 14 * deviation})

    def weighed(z: float) -> float:
        return function(z) * mpmath.exp(-(z**2) / (2 * variance))

    wanted = mpmath.quad(weighed, ends) / math.sqrt(2 * math.pi * variance)
    assert quadrature(formula(text), variance) == pytest.approx(float(wanted), rel=1e-10)


@pytest.mark.parametrize("variance", [100.0, 1e4])
def test_many_kinks(variance: float) -> None:
    """E[relu(sin z)] is E|sin z|/2, 1/π up to e^(−2v)."""
    assert quadrature(formula("relu(sin(z))"), variance) == pytest.approx(1 / math.pi, rel=1e-12)


@pytest.mark.parametrize("variance", [1e-3, 1.0, 1e3, 1e6, 1e8])
def test_rules_that_agree_on_a_wrong_value(variance: float) -> None:
    """Two Gauss-Hermite rules take the narrow dip of erf(z)² for nothing."""
    wanted = 2 / math.pi * math.atan(2 * variance / math.sqrt(1 + 4 * variance))
    assert quadrature(formula("erf(z)^2"), variance) == pytest.approx(wanted, rel=1e-12)


def test_a_narrow_peak_between_the_nodes() -> None:
    wanted = 1 / math.sqrt(1 + 2e6)
    assert quadrature(sp.exp(-(10**6) * Z**2), 1.0) == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize(
    ("formula_", "variance", "wanted"),
    [
        (sp.exp(Z), 500.0, math.exp(250)),
        (sp.exp(2 * Z), 300.0, math.exp(600)),
        (sp.exp(Z), 1e4, math.inf),
        (sp.sin(50 * Z) ** 2, 1e4, 0.5),
    ],
    ids=str,
)
def test_a_closed_form_steps_in(formula_: sp.Expr, variance: float, wanted: float) -> None:
    """The integrand passes what a double holds, or swings too fast; the mean is known."""
    assert quadrature(formula_, variance) == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "variance", "says"),
    [
        ("exp(z^2)", 1.0, "is not finite"),
        ("exp(z^2/4)^2", 1.0, "is not finite"),
        ("exp(z^2/2)", 1.0001, "is not finite"),
        ("exp(exp(z))", 1.0, "is not finite"),
        ("tan(z)^2", 1.0, "two orders differ"),
        ("1/z^2", 1.0, "two orders differ"),
        ("1/z", 1.0, "two orders differ"),
        ("log(z)", 1.0, "no number for every z"),
        ("sqrt(z)", 1.0, "no number for every z"),
        ("1/z", 0.0, "at z = 0 is"),
        ("log(z)", 0.0, "at z = 0 is"),
    ],
)
def test_what_has_no_mean_is_named(text: str, variance: float, says: str) -> None:
    found = formula(text)
    with pytest.raises(SymbpError, match=says) as refused:
        quadrature(found, variance)
    assert str(found) in str(refused.value)
    assert "help: " in str(refused.value)


def test_a_mean_just_below_divergence() -> None:
    assert quadrature(formula("exp(z^2/4)^2"), 0.9) == pytest.approx(10**0.5, rel=1e-10)


@pytest.mark.parametrize(
    ("text", "wanted"), [("tanh", 0.0), ("softplus", math.log(2)), ("sigmoid^2", 0.25), ("cos", 1)]
)
def test_no_variance(text: str, wanted: float) -> None:
    found = formula("sigmoid(z)^2" if text == "sigmoid^2" else text)
    assert quadrature(found, 0.0) == pytest.approx(wanted, rel=1e-15)
