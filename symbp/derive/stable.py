"""Stable forms, recognised in the forward list: neither value nor gradient overflows or cancels.

log softmax(z), log σ(z), log(1 − σ(z)), log(1 + exp z), log Σ exp(z) and log det(X) are put in
place of the composition, also where the inner value is a line of its own.  The derivative then
comes out as the field writes it: softmax(z) − y, a − y.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction

from symbp.ir import Expr, Sum, Words, node
from symbp.ops.kinds import Nonlinear
from symbp.ops.linear import is_ones, negate
from symbp.ops.matrix import DETERMINANT, LOG_DETERMINANT, LOG_SOFTMAX, LOGSUMEXP, SOFTMAX
from symbp.ops.pointwise import ABS, EXP, LOG, SIGMOID, SOFTPLUS
from symbp.ops.rewrite import transform
from symbp.program import Binding, Program

Definitions = Mapping[Expr, Expr]


def stabilise(program: Program) -> tuple[Program, dict[str, str]]:
    """Return the program with stable forms in its lines, and for each changed line the law."""
    definitions: dict[Expr, Expr] = {}
    laws: dict[str, str] = {}
    lines: list[Binding] = []
    for binding in program.bindings:
        used: list[str] = []
        expr = transform(binding.expr, _recogniser(definitions, used))
        definitions[binding.target] = expr
        lines.append(replace(binding, expr=expr))
        if used:
            laws[binding.name] = ", ".join(dict.fromkeys(used))
    return replace(program, bindings=tuple(lines)), laws


def _recogniser(definitions: Definitions, used: list[str]) -> Callable[[Expr], Expr | None]:
    def change(part: Expr) -> Expr | None:
        if part.op is not LOG:
            return None
        for law, form in _FORMS:
            found = form(part.args[0], definitions)
            if found is not None:
                used.append(law)
                return found
        return None

    return change


def _resolve(expr: Expr, definitions: Definitions) -> Expr:
    return definitions.get(expr, expr)


def _log_softmax(arg: Expr, definitions: Definitions) -> Expr | None:
    arg = _resolve(arg, definitions)
    if isinstance(arg.op, Nonlinear) and arg.op.name == SOFTMAX.name:
        return node(replace(LOG_SOFTMAX, leading=arg.op.leading), *arg.args)
    return None


def _log_sigmoid(arg: Expr, definitions: Definitions) -> Expr | None:
    arg = _resolve(arg, definitions)
    if arg.op is SIGMOID:
        return negate(node(SOFTPLUS, negate(arg.args[0])))
    return None


def _log_one_minus_sigmoid(arg: Expr, definitions: Definitions) -> Expr | None:
    pair = _one_and(arg, Fraction(-1))
    if pair is not None and _resolve(pair, definitions).op is SIGMOID:
        return negate(node(SOFTPLUS, _resolve(pair, definitions).args[0]))
    return None


def _log_one_plus_exp(arg: Expr, definitions: Definitions) -> Expr | None:
    pair = _one_and(arg, Fraction(1))
    if pair is not None and _resolve(pair, definitions).op is EXP:
        return node(SOFTPLUS, *_resolve(pair, definitions).args)
    return None


def _one_and(arg: Expr, coefficient: Fraction) -> Expr | None:
    """Return v where the expression is 1 + coefficient · v."""
    if not isinstance(arg.op, Sum) or len(arg.args) != 2:
        return None
    terms = sorted(zip(arg.op.coefficients, arg.args, strict=True), key=lambda t: not is_ones(t[1]))
    (first, one), (second, value) = terms
    return value if is_ones(one) and first == 1 and second == coefficient else None


def _logsumexp(arg: Expr, definitions: Definitions) -> Expr | None:
    arg = _resolve(arg, definitions)
    if not isinstance(arg.op, Words) or len(arg.args) != 1 or arg.op.out or arg.args[0].rank != 1:
        return None
    inner = _resolve(arg.args[0], definitions)
    return node(LOGSUMEXP, *inner.args) if inner.op is EXP else None


def _logdet(arg: Expr, definitions: Definitions) -> Expr | None:
    arg = _resolve(arg, definitions)
    if arg.op is ABS:
        arg = _resolve(arg.args[0], definitions)
    if isinstance(arg.op, Nonlinear) and arg.op.name == DETERMINANT.name:
        return node(replace(LOG_DETERMINANT, leading=arg.op.leading), *arg.args)
    return None


_FORMS: tuple[tuple[str, Callable[[Expr, Definitions], Expr | None]], ...] = (
    ("log softmax(z) = z − logsumexp(z)", _log_softmax),
    ("log σ(z) = −softplus(−z)", _log_sigmoid),
    ("log(1 − σ(z)) = −softplus(z)", _log_one_minus_sigmoid),
    ("log(1 + exp z) = softplus(z)", _log_one_plus_exp),
    ("log Σ exp(z) = logsumexp(z)", _logsumexp),
    ("log(det X) = logdet(X)", _logdet),
)
