"""A formula of one variable as smooth pieces: intervals of the line, and what holds on each."""

from itertools import pairwise
from typing import Any

import sympy as sp
from sympy.core.relational import Relational

from symbp.ops.kinds import Z
from symbp.ops.scalar import PLACES, RECORDS

_CHOICES = (sp.Max, sp.Min, sp.Abs, sp.sign)


def in_plain_functions(formula: Any) -> Any:
    """Return a formula with the operations of ours written as what they mean, kinks as choices."""

    def opened(part: Any) -> Any:
        record = RECORDS[type(part)]
        return record.formula.xreplace(dict(zip(PLACES, part.args, strict=False)))

    while found := formula.atoms(*_ours()):
        formula = formula.xreplace({part: opened(part) for part in found})
    choices = [kind for kind in _CHOICES if formula.has(kind)]
    return formula.rewrite(choices, sp.Piecewise) if choices else formula


def _ours() -> tuple[type, ...]:
    """Return the functions that SymPy does not know, among them those a user has stated."""
    return tuple(kind for kind in RECORDS if not kind.__module__.startswith("sympy"))


def turns(formula: Any) -> list[Any]:
    """Return what the choices in a formula of plain functions compare with zero."""
    conditions = [c for choice in formula.atoms(sp.Piecewise) for _, c in choice.args]
    relations = {one for condition in conditions for one in condition.atoms(Relational)}
    sides = {sp.expand(one.lhs - one.rhs) for one in relations}
    return sorted((side for side in sides if side.has(Z)), key=sp.default_sort_key)


def _kinks(formula: Any) -> list[Any] | None:
    """Return the places at which the choices turn over, in order; None where one is not exact."""
    found: set[Any] = set()
    for side in turns(formula):
        if not side.is_polynomial(Z) or side.free_symbols != {Z}:
            return None
        try:
            found |= set(sp.real_roots(sp.Poly(side, Z)))
        except (sp.PolynomialError, NotImplementedError):
            return None
    return sorted(found, key=float)


def pieces(formula: Any) -> list[tuple[Any, Any, Any]] | None:
    """Return (start, stop, formula) for each interval; None where a kink is at an unknown place."""
    plain = in_plain_functions(formula)
    places = _kinks(plain)
    if places is None:
        return None
    ends = [-sp.oo, *places, sp.oo]
    return [(a, b, _at(plain, _inside(a, b))) for a, b in pairwise(ends)]


def _inside(start: Any, stop: Any) -> Any:
    if start == -sp.oo:
        return sp.Integer(0) if stop == sp.oo else stop - 1
    return start + 1 if stop == sp.oo else (start + stop) / 2


def _at(formula: Any, place: Any) -> Any:
    """Return a formula with each choice decided as it is at a place."""

    def decided(choice: Any) -> Any:
        holding = (value for value, condition in choice.args if condition.subs(Z, place) == sp.true)
        return next(holding, sp.nan)

    while formula.has(sp.Piecewise):
        formula = formula.replace(lambda part: isinstance(part, sp.Piecewise), decided)
    return formula
