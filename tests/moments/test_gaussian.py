"""Closed forms of expectations: against quadrature, SymPy's own integrals and textbook values."""

import math

import pytest
import sympy as sp

from symbp.gain import gain
from symbp.moments.activation import Activation
from symbp.moments.gaussian import V, expectation
from symbp.moments.pieces import pieces
from symbp.moments.quadrature import quadrature
from symbp.ops.kinds import Z

VARIANCES = (1e-3, 0.3, 1.0, 7.0)
ALPHA = sp.Symbol("alpha", real=True)

CLOSED = [
    "z", "2*z + 1", "relu", "abs", "z^2", "z^3", "sin", "cos", "exp", "gelu", "elu", "erf",
    "(exp(z) - exp(-z))/2", "(exp(z) + exp(-z))/2", "heaviside", "rect", "sign", "max(z, 1)",
    "max(1, z)", "min(z, 1/2)", "min(z, -2)", "z*exp(-z^2)", "exp(-z^2)", "exp(-abs(z))",
    "z*sin(z)", "z^2*cos(z)", "sin(z)*cos(z)", "exp(z)*sin(z)", "z*erf(z)", "erf(2*z)",
    "relu(z)^2", "relu(z)*exp(-z)", "abs(z - 1)", "abs(z)^3", "abs(z^2 - 2)", "max(z^3 - z, 0)",
    "max(min(z, 1), -1)", "relu(z - 1) + relu(-z - 2)", "heaviside(z - 1) - heaviside(z + 1)",
    "leaky_relu(z - 1, 1/4)",
]  # fmt: skip
"""Functions whose mean, mean square and mean square of the slope all have closed forms."""

OPEN = ["tanh", "sigmoid", "silu", "softplus", "atan", "log(z^2 + 1)", "1/(1 + z^2)", "gelu(z)^2"]
"""Functions whose mean square has none."""


def moments(activation: Activation) -> dict[str, sp.Expr]:
    formula, slope = activation.formula, activation.slope
    return {"mean": formula, "second": formula**2, "slope": slope**2}


@pytest.mark.parametrize("text", CLOSED)
def test_closed_forms_are_what_quadrature_finds(text: str) -> None:
    activation = gain(text).activation
    closed = activation.closed()
    for name, formula in moments(activation).items():
        for variance in VARIANCES:
            found = float(sp.S(closed[name]).subs(V, variance).evalf(30))
            wanted = quadrature(formula, variance)
            assert found == pytest.approx(wanted, rel=1e-9, abs=1e-13), (name, variance)


@pytest.mark.parametrize("alpha", [-1.0, 0.0, 0.01, 0.3, 1.0, 3.0])
def test_leaky_relu_in_a_symbol(alpha: float) -> None:
    activation = gain("leaky_relu(z, alpha)").activation
    closed = activation.closed()
    assert activation.open == ("alpha",)
    for name, formula in moments(activation).items():
        (symbol,) = formula.free_symbols - {Z}
        for variance in VARIANCES:
            found = float(closed[name].subs({V: variance, symbol: alpha}))
            wanted = quadrature(formula.xreplace({symbol: sp.Float(alpha)}), variance)
            assert found == pytest.approx(wanted, rel=1e-9, abs=1e-13), (name, variance)


def test_selu_in_its_two_numbers() -> None:
    closed = gain("selu").activation.closed()
    assert {s.name for s in closed["second"].free_symbols} == {"alpha", "lambda", "v"}
    values = {"alpha": 1.6732632423543772, "lambda": 1.0507009873554805}
    for name, formula in moments(gain("selu").activation).items():
        put = {s: values[s.name] for s in closed[name].free_symbols - {V}}
        for variance in VARIANCES:
            found = float(closed[name].subs({**put, V: variance}).evalf(30))
            assert found == pytest.approx(quadrature(formula, variance), rel=1e-9, abs=1e-13)


@pytest.mark.parametrize("text", OPEN)
def test_what_has_no_closed_form(text: str) -> None:
    assert expectation(gain(text).activation.formula ** 2) is None


@pytest.mark.parametrize(
    ("formula", "wanted"),
    [
        (Z**2, V),
        (Z**4, 3 * V**2),
        (Z**6, 15 * V**3),
        (sp.Abs(Z), sp.sqrt(2 * V / sp.pi)),
        (sp.Max(Z, 0), sp.sqrt(V / (2 * sp.pi))),
        (sp.Max(Z, 0) ** 2, V / 2),
        (sp.sin(Z) ** 2, (1 - sp.exp(-2 * V)) / 2),
        (sp.cos(Z) ** 2, (1 + sp.exp(-2 * V)) / 2),
        (sp.exp(Z), sp.exp(V / 2)),
        (sp.exp(2 * Z), sp.exp(2 * V)),
        (sp.erf(Z) ** 2, 2 / sp.pi * sp.asin(2 * V / (1 + 2 * V))),
        (Z * sp.sin(Z), V * sp.exp(-V / 2)),
        (sp.exp(-(Z**2)), 1 / sp.sqrt(1 + 2 * V)),
    ],
    ids=str,
)
def test_textbook_values(formula: sp.Expr, wanted: sp.Expr) -> None:
    """Moments, log-normal means, and Williams 1997 for erf."""
    found = expectation(formula)
    for variance in VARIANCES:
        assert float((found - wanted).subs(V, variance).evalf(30)) == pytest.approx(0, abs=1e-14)


def test_the_gain_of_gelu() -> None:
    """E[z² Φ(z)²] by parts twice, with E[Φ(z)²] = 1/3 for a uniform Φ(z)."""
    found = gain("gelu").activation.closed()["second"].subs(V, 1)
    assert float(found) == pytest.approx(1 / 3 + 1 / (2 * math.pi * math.sqrt(3)), rel=1e-14)


@pytest.mark.parametrize(
    "formula", [Z**3 * sp.sinh(Z), sp.cos(3 * Z), sp.exp(-(Z**2)) * Z**2], ids=str
)
def test_sympy_finds_the_same_integral(formula: sp.Expr) -> None:
    v = sp.Rational(3, 2)
    density = sp.exp(-(Z**2) / (2 * v)) / sp.sqrt(2 * sp.pi * v)
    wanted = sp.integrate(formula * density, (Z, -sp.oo, sp.oo))
    assert float(expectation(formula).subs(V, v)) == pytest.approx(float(wanted), rel=1e-12)


@pytest.mark.parametrize(
    "formula", [sp.exp(Z**2), sp.exp(Z**2 / 4) ** 2, sp.log(1 + Z**2)], ids=str
)
def test_what_is_not_finite_or_unknown_is_none(formula: sp.Expr) -> None:
    assert expectation(formula) is None


def test_pieces_meet_at_every_kink() -> None:
    made = pieces(sp.Max(Z**2 - 2, sp.Abs(Z)))
    assert made is not None
    stops = [stop for _, stop, _ in made]
    assert [start for start, _, _ in made] == [-sp.oo, *stops[:-1]]
    assert stops[-1] == sp.oo
    assert {-2, 0, 2} <= set(stops[:-1])
    for start, stop, piece in made:
        inside = [x for x in (-3.5, -1.5, -0.5, 0.5, 1.5, 3.5) if start < x < stop]
        assert inside
        for x in inside:
            assert float(piece.subs(Z, x)) == pytest.approx(max(x**2 - 2, abs(x)))


def test_kinks_at_no_exact_place_have_no_pieces() -> None:
    assert pieces(sp.Max(sp.sin(Z), 0)) is None
    assert pieces(sp.Max(Z, ALPHA)) is None
