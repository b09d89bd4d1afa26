"""`op` lines: elementwise operations of the user's own, as SymPy scalar formulas.

The formula is built from the syntax tree, node by node; no text is ever evaluated.
"""

from collections.abc import Mapping, Sequence
from functools import reduce
from itertools import groupby
from typing import Any

import sympy as sp

from symbp.errors import SpecError, SymbpError, did_you_mean
from symbp.ir import variable
from symbp.ops import FUNCTIONS, RECORDS
from symbp.ops.pointwise import user_operation
from symbp.ops.scalar import PLACES, from_scalar
from symbp.spec.entries import CONSTANTS, UserOperation
from symbp.spec.functions import names
from symbp.spec.names import Scope
from symbp.spec.spelling import spelled
from symbp.spec.syntax import Binary, Call, Node, Num, OpLine, Ref, SumOver, Transpose, Unary
from symbp.spec.walks import spine

_INFINITE = (sp.zoo, sp.oo, -sp.oo, sp.nan, sp.I)
_ELEMENTWISE = "an operation works on single entries: numbers, its arguments, elementwise functions"


def state(line: OpLine, scope: Scope) -> None:
    """Enter the operation of an `op` line in the scope; raise a SpecError where it is none."""
    if line.name in names(scope):
        help = "choose another name for the operation"
        raise SpecError(f"`{line.name}` is already a function", line.span, help)
    if len(line.args) > len(PLACES):
        what = f"an operation takes at most {len(PLACES)} arguments"
        raise SpecError(what, line.args[len(PLACES)].span, "make constants of the others")
    places: dict[str, sp.Symbol] = {}
    for arg, place in zip(line.args, PLACES, strict=False):
        if arg.name in places:
            raise SpecError(f"the argument `{arg.name}` twice", arg.span, "rename one of the two")
        places[arg.name] = place
    try:
        formula = _formula(line.body, places, scope)
        _check_finite(formula, line.body)
        function = user_operation(line.name, len(line.args), formula)
        record = RECORDS[function]
        stands = {place: variable(f"_{place}") for place in PLACES}
        for written in (formula, *record.slopes):
            from_scalar(written, stands, ())
    except RecursionError:
        help = "state a part of it as an `op` of its own"
        raise SpecError(f"`{line.name}` is nested too deeply", line.span, help) from None
    except SpecError:
        raise
    except (SymbpError, TypeError, ValueError):
        help = "write it with smooth functions, or with `relu`, `max` and `min`"
        what = f"the slope of `{line.name}` cannot be written as a formula"
        raise SpecError(what, line.span, help) from None
    scope.operations[line.name] = UserOperation(function, record, len(line.args))


def _check_finite(formula: Any, at: Node) -> None:
    if formula.has(*_INFINITE):
        help = "check for a division by zero, or a root or logarithm of a negative number"
        raise SpecError(f"`{spelled(at)}` has no real value", at.span, help)


def _formula(at: Node, places: Mapping[str, sp.Symbol], scope: Scope) -> Any:
    match at:
        case Num(value=value):
            return sp.Rational(value.numerator, value.denominator)
        case Ref():
            return _name(at, places)
        case Unary(arg=arg):
            return -_formula(arg, places, scope)
        case Binary(op=op) if op != "@":
            return _chain(spine(at), places, scope)
        case Call(args=args, rows=False):
            function = _function(at, scope)
            return function(*(_formula(arg, places, scope) for arg in args))
        case Binary() | Call() | Transpose() | SumOver():
            raise SpecError(f"`{spelled(at)}` is not elementwise", at.span, _ELEMENTWISE)


def _name(ref: Ref, places: Mapping[str, sp.Symbol]) -> Any:
    known = {**CONSTANTS, **places}
    if ref.index is None and ref.name in known:
        return known[ref.name]
    near = did_you_mean(ref.name, known)
    help = f"did you mean `{near}`?" if near else "make it one more argument of the operation"
    raise SpecError(f"`{spelled(ref)}` is no argument of this operation", ref.span, help)


def _chain(steps: Sequence[Binary], places: Mapping[str, sp.Symbol], scope: Scope) -> Any:
    """Return the formula of a chain; terms and factors are joined at once."""
    made = _formula(steps[0].left, places, scope)
    for join, run in groupby(steps, key=lambda step: _JOINS.get(step.op)):
        right = [_operand(step, _formula(step.right, places, scope)) for step in run]
        made = join(made, *right) if join else reduce(sp.Pow, right, made)
    return made


_JOINS: dict[str, Any] = dict.fromkeys("+-", sp.Add) | dict.fromkeys(("*", ".*", "/", "./"), sp.Mul)


def _operand(step: Binary, right: Any) -> Any:
    """Return what is added, multiplied by or raised to: `- b` adds -b, `/ b` multiplies by 1/b."""
    if step.op == "@":
        raise SpecError(f"`{spelled(step)}` is not elementwise", step.span, _ELEMENTWISE)
    if step.op == "-":
        return -right
    return 1 / right if step.op in ("/", "./") else right


def _function(at: Call, scope: Scope) -> Any:
    if at.name in scope.operations:
        function: Any = scope.operations[at.name].function
        arity = scope.operations[at.name].arity
    elif at.name in FUNCTIONS:
        function = FUNCTIONS[at.name]
        arity = len(RECORDS[function].slopes) if function in RECORDS else 1
    elif at.name in names(scope):
        raise SpecError(f"`{at.name}` is not elementwise", at.span, _ELEMENTWISE)
    else:
        near = did_you_mean(at.name, [*FUNCTIONS, *scope.operations])
        help = f"did you mean `{near}`?" if near else _ELEMENTWISE
        raise SpecError(f"`{at.name}` is no function of the language", at.span, help)
    if len(at.args) != arity:
        what = f"`{at.name}` takes {arity} arguments, not {len(at.args)}"
        raise SpecError(what, at.span, "arguments are separated by commas")
    return function
