"""The moments of every line as numbers, one line after the other."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from symbp.ir import Expr, symbol, variable, walk
from symbp.moments.formula import number_symbol
from symbp.moments.quadrature import quadrature
from symbp.moments.start import start
from symbp.moments.travel import Travel
from symbp.ops.evaluate import evaluate
from symbp.ops.expectation import Moment, mean, one_entry, square, variance
from symbp.ops.rewrite import substitute


@dataclass(frozen=True)
class Number:
    """A line's moments as numbers: nan where they are not derived."""

    mean: float
    second: float

    @property
    def variance(self) -> float:
        """Var[z]."""
        return self.second - self.mean**2


UNKNOWN = Number(math.nan, math.nan)


@dataclass
class Table:
    """Numbers for moments, by the entry that they are of.

    sizes: numbers for the sizes.  fixed: numbers for what is given as one, such as the slope of a
    leaky ReLU.
    """

    found: Travel
    sizes: Mapping[str, int]
    fixed: Mapping[str, float] = field(default_factory=dict)
    known: dict[Expr, Number] = field(default_factory=dict)
    moments: dict[Expr, float] = field(default_factory=dict)

    def enter(self, entry: Expr, number: Number) -> None:
        """Take the moments of an entry as known."""
        self.known[entry] = number
        self.moments[mean(entry)] = number.mean
        self.moments[mean(square(entry))] = number.second
        self.moments[variance(entry)] = number.variance

    def value(self, expr: Expr) -> float:
        """Return an expression in moments as a number."""
        if expr in self.found.knowledge.integrals:
            return self._integral(*self.found.knowledge.integrals[expr])
        values: dict[str, float] = {}
        put: dict[Expr, Expr] = {}
        for part in walk(expr):
            if isinstance(part.op, Moment):
                name = f"m{len(put)}"
                put[part], values[name] = variable(name), self._moment(part)
        return float(evaluate(substitute(expr, put), values | dict(self.fixed), sizes=self.sizes))

    def _moment(self, part: Expr) -> float:
        assert isinstance(part.op, Moment)
        integral = self.found.knowledge.integrals.get(part)
        if integral is not None:
            return self._integral(*integral)
        if part in self.moments:
            return self.moments[part]
        return math.nan  # of what is not derived

    def _integral(self, formula: Any, var: Expr) -> float:
        open_ = {number_symbol_of(name): value for name, value in self.fixed.items()}
        second = self.known.get(var, UNKNOWN).second
        return quadrature(formula.xreplace(open_), second) if math.isfinite(second) else math.nan


def number_symbol_of(name: str) -> Any:
    """Return the symbol that stands for a number of that name."""
    return number_symbol(variable(name))


def numbers(
    found: Travel,
    sizes: Mapping[str, int],
    given: Mapping[str, Number],
    *,
    variances: Mapping[str, float] | None = None,
    seed: Number | None = None,
    fixed: Mapping[str, float] | None = None,
) -> dict[str, Number]:
    """Return the moments of every line by its name.

    given: those of the inputs and targets.  variances: those of weights, instead of what the
    spec's `init` gives.  seed: those of the adjoint that the backward lines start from, where the
    loss does not tell.
    """
    table = Table(found, sizes, fixed or {})
    for var in found.program.given:
        if symbol(var).name in given:
            table.enter(one_entry(var), given[symbol(var).name])
    for var in found.program.params:
        name = symbol(var).name
        second = (variances or {}).get(name)
        spread = table.value(start(found.program, var)) if second is None else second
        table.enter(one_entry(var), Number(0.0, spread))
    made: dict[str, Number] = {}
    for line in found.lines:
        if line.missing:
            own = seed if seed is not None and _is_start(found, line.target) else UNKNOWN
        else:
            own = Number(_value(table, line.mean), _value(table, line.second))
        made[symbol(line.target).name] = own
        table.enter(line.target, own)
    return made


def _is_start(found: Travel, target: Expr) -> bool:
    return found.start is not None and one_entry(found.start) is target


def _value(table: Table, expr: Expr) -> float:
    try:
        return table.value(expr)
    except OverflowError:
        return math.inf
