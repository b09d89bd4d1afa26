"""The gains of one activation: what it does to the variance of a normal variable, and to slopes."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy as sp

from symbp.errors import SymbpError
from symbp.moments.gaussian import V, expectation
from symbp.moments.quadrature import quadrature
from symbp.ops.kinds import Z
from symbp.ops.pointwise import selu as SELU
from symbp.ops.pointwise import slope_of

TABLE = {"relu": sp.sqrt(2), "tanh": sp.Rational(5, 3), "sigmoid": sp.Integer(1),
         "selu": sp.Rational(3, 4), "linear": sp.Integer(1)}  # fmt: skip
"""What `torch.nn.init.calculate_gain` returns; 003 shows it."""

_LEAST, _MOST = 1e-8, 1e8
"""Between these variances a fixed point is looked for."""


@dataclass(frozen=True)
class Activation:
    """An activation φ as a SymPy formula in Z."""

    formula: Any

    @cached_property
    def slope(self) -> Any:
        """φ′."""
        return slope_of(self.formula, Z)

    @property
    def open(self) -> tuple[str, ...]:
        """The names in it that are no numbers."""
        return tuple(sorted(s.name for s in self.formula.free_symbols - {Z}))

    def closed(self) -> dict[str, Any]:
        """Return E[φ], E[φ²] and E[φ′²] for Z ~ N(0, V) in closed form, None for what has none."""
        formula = in_symbols(self.formula)
        slope = in_symbols(self.slope) if formula == self.formula else slope_of(formula, Z)
        squares = {"mean": formula, "second": formula**2, "slope": slope**2}
        return {name: expectation(square) for name, square in squares.items()}

    def mean(self, spread: float) -> float:
        """Return E[φ(z)] for z ~ N(0, spread)."""
        return self._moment(self.formula, spread)

    def second(self, spread: float) -> float:
        """Return E[φ(z)²]."""
        return self._moment(self.formula**2, spread)

    def slope_second(self, spread: float) -> float:
        """Return E[φ′(z)²]."""
        return self._moment(self.slope**2, spread)

    def growth(self, spread: float) -> float:
        """Return d log E[φ(z)²] / d log Var[z]: below 1, a variance is drawn back."""
        whole = self.second(spread)
        moved = self._moment(Z**2 * self.formula**2, spread) - spread * whole
        return moved / (2 * spread * whole)

    def fixed_point(self, gain: float) -> float | None:
        """Return a variance at which gain² E[φ(z)²] = Var[z]; None for none, and for all."""

        def above(log: float) -> float:
            return gain**2 * self.second(math.exp(log)) / math.exp(log) - 1

        low, high = math.log(_LEAST), math.log(_MOST)
        first, last = above(low), above(high)
        if first * last >= 0 or max(abs(first), abs(last)) < 1e-9:
            return None
        for _ in range(80):
            middle = (low + high) / 2
            low, high = (middle, high) if above(middle) * first > 0 else (low, middle)
        return math.exp((low + high) / 2)

    def _moment(self, formula: Any, spread: float) -> float:
        if formula.free_symbols - {Z}:
            raise SymbpError(
                f"{', '.join(self.open)} has no number", "write the number in its place"
            )
        return quadrature(formula, spread)


def in_symbols(formula: Any) -> Any:
    """Return a formula with λ and α for the two numbers of SELU."""
    return formula.replace(SELU, lambda z: _SCALE * _bent(z))


_SCALE, _ALPHA = sp.symbols("lambda alpha", positive=True)


def _bent(z: Any) -> Any:
    return sp.Piecewise((z, z > 0), (_ALPHA * (sp.exp(z) - 1), True))


def selu() -> tuple[Any, Any]:
    """Return the λ and α for which λ elu_α keeps E[φ] = 0 and E[φ²] = 1 at Var[z] = 1.

    elu_α(z) is z above zero and α (e^z − 1) below: Klambauer et al. 2017, equations 3 and 4.
    """
    first, second = (sp.S(expectation(_bent(Z) ** power)).subs(V, 1) for power in (1, 2))
    (found,) = sp.solve(first, _ALPHA)
    return 1 / sp.sqrt(second.subs(_ALPHA, found)), found
