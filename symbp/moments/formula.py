"""Expressions in one normal variable, as SymPy formulas."""

from collections.abc import Callable, Sequence
from typing import Any

import sympy as sp

from symbp.ir import Constant, Expr, Sum, Words, is_variable, name_of
from symbp.moments.known import Known
from symbp.ops.kinds import Elementwise, Z
from symbp.ops.scalar import PLACES, RECORDS

Lookup = Callable[[Expr], Known]


def formula_in(expr: Expr, known: Lookup) -> tuple[Any, Expr] | None:
    """Return a scalar expression as a formula in Z, and the normal variable that Z stands for.

    Numbers that are given stand in it as symbols of their names.  None where the expression is no
    function of one normal variable.
    """
    found: set[Expr] = set()
    formula = _formula(expr, known, found)
    if formula is None or len(found) != 1:
        return None
    return formula, found.pop()


def number_symbol(var: Expr) -> sp.Symbol:
    """Return the symbol of a number that is given, such as the slope of a leaky ReLU."""
    return sp.Symbol(name_of(var), real=True)


def _formula(expr: Expr, known: Lookup, found: set[Expr]) -> Any | None:
    op = expr.op
    if is_variable(expr):
        return _of_variable(expr, known, found)
    args = [_formula(arg, known, found) for arg in expr.args]
    if any(arg is None for arg in args):
        return None
    if isinstance(op, Sum):
        return sp.Add(*(_exact(c) * a for c, a in zip(op.coefficients, args, strict=True)))
    if isinstance(op, Words):
        return sp.Mul(*args)
    if isinstance(op, Constant):
        return op.value
    return _applied(op, args) if isinstance(op, Elementwise) else None


def _of_variable(var: Expr, known: Lookup, found: set[Expr]) -> Any | None:
    fact = known(var)
    if fact.normal:
        found.add(var)
        return Z
    if fact.fixed:
        return number_symbol(var)
    return None if fact.definition is None else _formula(fact.definition, known, found)


def _applied(op: Elementwise, args: Sequence[Any]) -> Any:
    """Return an operation's own function of formulas, so that SymPy sees tanh(−z) = −tanh(z)."""
    functions = (f for f, record in RECORDS.items() if record is op)
    function = next((f for f in functions if f not in (sp.Pow, sp.Piecewise)), None)
    if function is not None:
        return function(*args)
    return op.formula.xreplace(dict(zip(PLACES, args, strict=False)))


def _exact(value: Any) -> Any:
    return sp.Rational(value.numerator, value.denominator)
