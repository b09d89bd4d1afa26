"""The variance of each parameter's entries at the start, as its `init` says."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import sympy as sp

from symbp.ir import Dim, Expr, variable
from symbp.moments.closed import written
from symbp.moments.terms import size
from symbp.ops.expectation import one_entry, variance
from symbp.ops.linear import add, number, scale
from symbp.ops.power import power
from symbp.ops.product import product
from symbp.program import Program


def start(program: Program, var: Expr) -> Expr:
    """Return the variance of a parameter's entries at the start, in its sizes."""
    init = program.init_of(var)
    fan_out, fan_in = fans(var)
    if init.variance is not None:
        return number(init.variance)
    if init.kind == "auto" and var.rank > 1:
        if init.gains is None:  # it stays open
            return variance(one_entry(var))
        return compromise(init.gains, fan_in, fan_out)
    if init.kind in ("orthogonal", "lsuv") and var.rank == 2:
        return _widest(fan_in, fan_out)
    ways: Mapping[str, Any] = {
        "he": lambda: scale(2, over(size(fan_in))),
        "lecun": lambda: over(size(fan_in)),
        "sparse": lambda: over(size(fan_in)),
        "xavier": lambda: scale(2, over(add(size(fan_in), size(fan_out)))),
        "normal": lambda: number(1),
        "uniform": lambda: number(1),
    }
    return ways[init.kind]() if init.kind in ways else number(0)


def fans(var: Expr) -> tuple[Dim, Dim]:
    """Return how many units a parameter feeds, and how many it reads."""
    return (var.shape[0], var.shape[-1]) if var.rank else (1, 1)


def compromise(gains: tuple[Any, Any], fan_in: Dim, fan_out: Dim) -> Expr:
    """Return 2 / (forward · fan_in + backward · fan_out), the mean of both: 001 (7.33)."""
    forward, backward = map(sp.S, gains)
    common = forward if forward == backward else sp.Integer(1)
    if forward.is_Rational and backward.is_Rational:
        common = sp.gcd(forward, backward)
    counted = (
        product([(exact(gain / common), ()), (size(n), ())], ())
        for gain, n in ((forward, fan_in), (backward, fan_out))
    )
    return scale(2, product([(over(exact(common)), ()), (over(add(*counted)), ())], ()))


def exact(value: Any) -> Expr:
    """Return a gain as an expression, in closed form where it is one."""
    closed = sp.S(value)
    if closed.is_Float:
        return number(Fraction(repr(float(closed))))
    return written(closed, {s: variable(s.name) for s in closed.free_symbols})


def over(value: Expr) -> Expr:
    """Return 1/value."""
    return power(value, sp.Integer(-1))


def _widest(fan_in: Dim, fan_out: Dim) -> Expr:
    """Return the variance of an orthogonal matrix's entries, one over the larger size."""
    if fan_in == fan_out:
        return over(size(fan_in))
    return over(size(sp.Max(sp.S(fan_in), sp.S(fan_out))))
