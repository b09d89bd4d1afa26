"""The elementwise operations, one record each.

A record is the meaning as a SymPy scalar, the slope in the argument z or the value h, and the
NumPy code.  The slope at a kink is the one of 001 problem 7.1: 1[z > 0], so relu'(0) = 0.
"""

from collections.abc import Callable, Sequence
from typing import Any

import sympy as sp

from symbp.notation import Call, Choice, Fence, Indicator
from symbp.ops.kinds import POWER, Elementwise, H, W, Z
from symbp.ops.scalar import PLACES, RECORDS, scalar_function


def elementwise(function: Any, formula: Any, *slopes: Any, **more: Any) -> Elementwise:
    """State a record and enter it under the SymPy function class that means it."""
    name = more.pop("name", function.__name__)
    more.setdefault("notation", call(name))
    record = Elementwise(name, sp.S(formula), tuple(map(sp.S, slopes)), **more)
    RECORDS[function] = record
    return record


def call(name: str) -> Call:
    """Return the notation of a named function."""
    known = name in {"sin", "cos", "tan", "exp", "log", "tanh", "max", "min"}
    return Call(name, rf"\{name}" if known else rf"\operatorname{{{name}}}")


def user_operation(name: str, arity: int, formula: sp.Expr) -> type[sp.Function]:
    """State an operation of the user's own, f(z, w, v); its slopes are derived from the formula."""
    places = PLACES[:arity]

    slopes = [slope_of(formula, place) for place in places]

    def slope(index: int, value: Any, *args: Any) -> Any:
        put = dict(zip(places, args, strict=True))
        return slopes[index].subs(put, simultaneous=True)

    function = scalar_function(name, slope)
    smooth = not formula.has(*KINKED)
    elementwise(function, formula, *slopes, notation=Call(name, ""), analytic=smooth)
    return function


def slope_of(formula: Any, place: sp.Symbol) -> Any:
    """Return the derivative of a formula; sign is flat, as SIGN states it, also at its step."""
    return sp.diff(formula.replace(sp.sign, _flat_sign), place).replace(_flat_sign, sp.sign)


def _fixed(*slopes: Any) -> Callable[..., Any]:
    """Return the derivative rule of slopes written in Z, W and H."""

    def slope(index: int, value: Any, *args: Any) -> Any:
        put = dict(zip(PLACES, args, strict=False)) | {H: value}
        return sp.S(slopes[index]).subs(put, simultaneous=True)

    return slope


def _step(condition: Any, then: Any, otherwise: Any) -> sp.Piecewise:
    return sp.Piecewise((then, condition), (otherwise, True))


_flat_sign = scalar_function("flat_sign", _fixed(0))
positive = scalar_function("positive", _fixed(0))
heaviside = scalar_function("heaviside", _fixed(0))
rect = scalar_function("rect", _fixed(0))
sigmoid = scalar_function("sigmoid", _fixed(H * (1 - H)))
softplus = scalar_function("softplus", _fixed(sigmoid(Z)))
relu = scalar_function("relu", _fixed(positive(Z)))
maximum = scalar_function("max", _fixed(positive(Z - W), 1 - positive(Z - W)))
minimum = scalar_function("min", _fixed(positive(W - Z), 1 - positive(W - Z)))

SIN = elementwise(sp.sin, sp.sin(Z), sp.cos(Z), ufunc="np.sin")
COS = elementwise(sp.cos, sp.cos(Z), -sp.sin(Z), ufunc="np.cos")
TAN = elementwise(sp.tan, sp.tan(Z), 1 + H**2, ufunc="np.tan")
ATAN = elementwise(sp.atan, sp.atan(Z), 1 / (1 + Z**2), ufunc="np.arctan")
EXP = elementwise(sp.exp, sp.exp(Z), H, ufunc="np.exp")
LOG = elementwise(sp.log, sp.log(Z), 1 / Z, ufunc="np.log")
TANH = elementwise(sp.tanh, sp.tanh(Z), 1 - H**2, ufunc="np.tanh")
ABS = elementwise(
    sp.Abs,
    sp.Abs(Z),
    sp.sign(Z),
    name="abs",
    ufunc="np.abs",
    notation=Fence("|", "|", r"\left|", r"\right|"),
    analytic=False,
)
SIGN = elementwise(sp.sign, sp.sign(Z), 0, ufunc="np.sign", analytic=False)
ERF = elementwise(
    sp.erf, sp.erf(Z), 2 / sp.sqrt(sp.pi) * sp.exp(-(Z**2)), code="_erf({z})", helper="erf"
)
ERFC = elementwise(
    sp.erfc,
    sp.erfc(Z),
    -2 / sp.sqrt(sp.pi) * sp.exp(-(Z**2)),
    code="(1 - _erf({z}))",
    helper="erf",
)
POW = elementwise(
    sp.Pow, Z**W, W * Z ** (W - 1), sp.log(Z) * H, name="pow", ufunc="np.power", notation=POWER
)
SELECT = elementwise(
    sp.Piecewise,
    _step(Z > 0, W, PLACES[2]),
    0,
    positive(Z),
    1 - positive(Z),
    name="select",
    code="np.where({z} > 0, {w}, {v})",
    notation=Choice(),
    analytic=False,
)
POSITIVE = elementwise(
    positive,
    _step(Z > 0, 1, 0),
    0,
    code="({z} > 0).astype({z}.dtype)",
    notation=Indicator(" > 0", " > 0"),
    analytic=False,
    idempotent=True,
)
HEAVISIDE = elementwise(
    heaviside, _step(Z >= 0, 1, 0), 0, code="np.heaviside({z}, 1)", analytic=False, idempotent=True
)
RECT = elementwise(
    rect,
    _step((Z >= 0) & (Z <= 1), 1, 0),
    0,
    code="(np.abs({z} - 0.5) <= 0.5).astype({z}.dtype)",
    analytic=False,
    idempotent=True,
)
SIGMOID = elementwise(
    sigmoid,
    1 / (1 + sp.exp(-Z)),
    H * (1 - H),
    code="_sigmoid({z})",
    helper="sigmoid",
    notation=Call("σ", r"\sigma"),
)
SOFTPLUS = elementwise(
    softplus, sp.log(1 + sp.exp(Z)), sigmoid(Z), code="_softplus({z})", helper="softplus"
)
RELU = elementwise(
    relu, sp.Max(Z, 0), positive(Z), code="np.maximum({z}, 0)", ufunc="np.maximum", analytic=False
)
MAX = elementwise(
    maximum,
    sp.Max(Z, W),
    positive(Z - W),
    1 - positive(Z - W),
    ufunc="np.maximum",
    analytic=False,
)
MIN = elementwise(
    minimum,
    sp.Min(Z, W),
    positive(W - Z),
    1 - positive(W - Z),
    ufunc="np.minimum",
    analytic=False,
)

_SELU_SCALE, _SELU_ALPHA = sp.Rational("1.0507009873554805"), sp.Rational("1.6732632423543772")
"""Klambauer et al. 2017, to double precision."""

_PHI = (1 + sp.erf(Z / sp.sqrt(2))) / 2
_GAUSS = sp.exp(-(Z**2) / 2) / sp.sqrt(2 * sp.pi)

gelu = scalar_function("gelu", _fixed(_PHI + Z * _GAUSS))
silu = scalar_function("silu", _fixed(sigmoid(Z) + H * (1 - sigmoid(Z))))
elu = scalar_function("elu", _fixed(_step(Z > 0, 1, H + 1)))
selu = scalar_function("selu", _fixed(_step(Z > 0, _SELU_SCALE, H + _SELU_SCALE * _SELU_ALPHA)))
leaky_relu = scalar_function("leaky_relu", _fixed(_step(Z > 0, 1, W), _step(Z > 0, 0, Z)))

GELU = elementwise(gelu, Z * _PHI, _PHI + Z * _GAUSS)
SILU = elementwise(silu, Z * sigmoid(Z), sigmoid(Z) + H * (1 - sigmoid(Z)))
ELU = elementwise(
    elu,
    _step(Z > 0, Z, sp.exp(Z) - 1),
    _step(Z > 0, 1, H + 1),
    code="_elu({z})",
    helper="elu",
    analytic=False,
)
SELU = elementwise(
    selu,
    _step(Z > 0, _SELU_SCALE * Z, _SELU_SCALE * _SELU_ALPHA * (sp.exp(Z) - 1)),
    _step(Z > 0, _SELU_SCALE, H + _SELU_SCALE * _SELU_ALPHA),
    code="_selu({z})",
    helper="selu",
    analytic=False,
)
LEAKY_RELU = elementwise(
    leaky_relu,
    _step(Z > 0, Z, W * Z),
    _step(Z > 0, 1, W),
    _step(Z > 0, 0, Z),
    code="np.where({z} > 0, {z}, {w} * {z})",
    analytic=False,
)

KINKED: Sequence[Any] = tuple(f for f, record in RECORDS.items() if not record.analytic)

FUNCTIONS: dict[str, Any] = {
    "sin": sp.sin,
    "cos": sp.cos,
    "tan": sp.tan,
    "atan": sp.atan,
    "exp": sp.exp,
    "log": sp.log,
    "sqrt": sp.sqrt,
    "abs": sp.Abs,
    "tanh": sp.tanh,
    "sigmoid": sigmoid,
    "relu": relu,
    "leaky_relu": leaky_relu,
    "elu": elu,
    "selu": selu,
    "gelu": gelu,
    "silu": silu,
    "softplus": softplus,
    "heaviside": heaviside,
    "rect": rect,
    "sign": sp.sign,
    "max": maximum,
    "min": minimum,
    "erf": sp.erf,
}
"""The elementwise functions of the language, as SymPy functions; `RECORDS` has their records."""
