"""The variance of weights that keeps variances, forward and backward: 001 (7.31) to (7.33), 003.

A line f = W φ(z) + … has Var[f] = N E[φ(z)²] Var[W] for a W that reads N units, and its adjoint
gives Var[∂ℓ/∂z] = N' E[φ′(z)²] Var[W] Var[∂ℓ/∂f] for a W that feeds N'.  Each equals what it came
from for one variance of W, and the compromise takes the mean of both conditions.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import sympy as sp

from symbp.errors import SymbpError
from symbp.ir import Dim, Expr, holder, is_variable, name_of, symbol, variables
from symbp.moments.formula import formula_in
from symbp.moments.gaussian import V, expectation
from symbp.moments.known import Known, Product
from symbp.moments.line import Moments
from symbp.moments.quadrature import quadrature
from symbp.moments.start import exact
from symbp.moments.travel import Travel
from symbp.ops.expectation import mean, one_entry
from symbp.ops.kinds import Z
from symbp.ops.linear import scale
from symbp.ops.pointwise import slope_of
from symbp.ops.rewrite import resize
from symbp.ops.scalar import from_scalar
from symbp.program import Loop


@dataclass(frozen=True)
class Gain:
    """E[φ(z)²] or E[φ′(z)²] for z ~ N(0, 1): `exact` in closed form, a float where none is known.

    missing: why there is no number, where `exact` is nan.
    shares: how many terms of this kind are added, so that each may bring a share of the whole.
    moment: the same as an expression, for z of any variance.  scales: it is the same for all.
    """

    exact: Any
    shares: int
    moment: Expr
    scales: bool
    missing: str = ""

    @property
    def value(self) -> float:
        """The number, times how many terms of their kind are added."""
        return float(self.exact) * self.shares

    @property
    def known(self) -> bool:
        """Whether there is a closed form."""
        return not (self.missing or sp.S(self.exact).is_Float)

    @property
    def expr(self) -> Expr:
        """The gain times the shares, by the expectation's name where it has no number."""
        return scale(self.shares, self.moment) if self.missing else exact(self.whole)

    @property
    def whole(self) -> Any:
        """The gain times the shares, in closed form where there is one."""
        return self.exact * self.shares


@dataclass(frozen=True)
class Choice:
    """What the two conditions ask of a weight.

    weight, line, operand: entries, as scalars: `line` is the sum of weight · operand.  argument:
    the normal variable that the operand is a function of, None where it is none.  function: that
    function, in Z.  fan_in, fan_out: how many units it reads and feeds.  turned: it is read as Wᵀ.
    """

    weight: Expr
    line: Expr
    operand: Expr
    argument: Expr | None
    function: Any
    fan_in: Dim
    fan_out: Dim
    forward: Gain
    backward: Gain
    loops: tuple[Loop, ...] = ()
    turned: bool = False

    @property
    def gains(self) -> tuple[Any, Any]:
        """The gains for the weight's columns and for its rows."""
        both = (self.forward.whole, self.backward.whole)
        return both[::-1] if self.turned else both

    @property
    def before(self) -> Expr:
        """What the line's variance is compared with."""
        return self.operand if self.argument is None else self.argument

    @property
    def scales(self) -> bool:
        """Whether the conditions are the same at every variance."""
        return self.forward.scales and self.backward.scales


def choices(found: Travel) -> list[Choice]:
    """Return what the conditions ask of each weight, at the line that first multiplies by it.

    In a family whose members do not all stand alike, the line in a loop speaks for all.
    """
    weights = {holder(one_entry(v)): v for v in found.program.params if v.rank == 2}
    readers = Counter(
        (holder(var), line.loops)
        for line in found.forward
        for one in _products(found, line.target)
        for var in variables(one.operand)
    )
    made: dict[Expr, Choice] = {}
    for line in sorted(found.forward, key=lambda line: not line.loops):
        products = _products(found, line.target)
        for one in products:
            var = weights.get(holder(one.weight)) or weights.get(one.weight)
            if var is None or one.read is None:
                continue
            if name_of(var) in {name_of(choice.weight) for choice in made.values()}:
                continue
            uses = max(readers[holder(v), line.loops] for v in variables(one.operand))
            made[one.weight] = _choice(
                found, line, replace(one, operand=one.read), var, (len(products), uses)
            )
    order = {name_of(v): k for k, v in enumerate(found.program.params)}
    return sorted(made.values(), key=lambda choice: order[name_of(choice.weight)])


def _products(found: Travel, target: Expr) -> tuple[Product, ...]:
    return found.knowledge.known(target).products


def _choice(
    found: Travel, line: Moments, one: Product, var: Expr, shares: tuple[int, int]
) -> Choice:
    direct = set(variables(one.operand))
    resolved = formula_in(
        one.operand, lambda v: _near(found, v) if v in direct else found.knowledge.known(v)
    )
    alone = resolved is None or (is_variable(one.operand) and resolved[1] is one.operand)
    place = symbol(one.weight).index
    dims = var.shape
    if place:
        letter = found.program.families[name_of(var)].letter
        dims = tuple(dim if isinstance(dim, int) else dim.subs(letter, place[0]) for dim in dims)
    fan_in, fan_out = dims[one.axis], dims[1 - one.axis]
    function, argument = (Z, one.operand) if alone or resolved is None else resolved
    squares = (function**2, slope_of(function, Z) ** 2)
    ahead, back = (
        _gain(found, square, argument, share, Z**2 if k == 0 else sp.Integer(1))
        for k, (square, share) in enumerate(zip(squares, shares, strict=True))
    )
    return Choice(one.weight, line.target, one.operand, None if function == Z else argument,
                  function, fan_in, fan_out, ahead, back, line.loops, one.axis == 0)  # fmt: skip


def _gain(found: Travel, square: Any, argument: Expr, shares: int, unit: Any) -> Gain:
    """Return E[square] at variance 1; `unit` is what it would be for φ(z) = z."""
    closed = expectation(square)
    moment = mean(from_scalar(square, {Z: argument} | found.knowledge.fixed(), ()))
    found.knowledge.integrals.setdefault(moment, (square, argument))
    if closed is None:
        return _by_quadrature(square, shares, moment)
    scales = not sp.simplify(closed / expectation(unit)).has(V)
    return Gain(sp.simplify(closed.subs(V, 1)), shares, moment, scales)


def _by_quadrature(square: Any, shares: int, moment: Expr) -> Gain:
    open_ = sorted(s.name for s in square.free_symbols - {Z})
    missing = f"{', '.join(open_)} has no number" if open_ else ""
    try:
        number = math.nan if open_ else quadrature(square, 1.0)
    except SymbpError as error:
        number, missing = math.nan, error.message
    return Gain(sp.Float(number, 17), shares, moment, False, missing)


def _near(found: Travel, var: Expr) -> Known:
    """Return what is known of a variable; of a member from another turn, as this one defines it."""
    knowledge = found.knowledge
    index = symbol(var).index
    if var in knowledge.facts or not index:
        return knowledge.known(var)
    for other, known in knowledge.facts.items():
        if holder(other) is holder(var) and known.definition is not None:
            moved = _moved(symbol(other).index, index)
            if moved is not None:
                return Known(
                    known.centred, definition=resize(known.definition, moved), roots=known.roots
                )
    return knowledge.known(var)


def second_of(found: Travel, var: Expr) -> Expr | None:
    """Return E[z²] of an activation in what it is made of, of a member from another turn as well.

    None for what is no function of entries at its place.
    """
    for line in found.forward:
        known = found.knowledge.known(line.target)
        if line.missing or known.products or holder(line.target) is not holder(var):
            continue
        here, there = symbol(line.target).index, symbol(var).index
        moved = {} if here == there else _moved(here, there)
        if moved is not None:
            return resize(line.second, moved)
    return None


def _moved(here: Iterable[Dim], there: Iterable[Dim]) -> dict[Any, Any] | None:
    """Return what to put for the letters of places to be at others; None for places without."""
    made = {}
    for one, other in zip(here, there, strict=True):
        if not (isinstance(one, sp.Symbol)):
            return None
        made[one] = other
    return made
