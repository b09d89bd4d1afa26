"""Stable forms, recognised in the forward list: neither value nor gradient overflows or cancels.

log softmax(z), log σ(z), log(1 − σ(z)), log(1 + exp z), log Σ exp(z) and log det(X) are put in
place of the composition, also where the inner value is a line of its own; so is tr expm(X), which
has a derivative where expm(X) has none.  The derivative then
comes out as the field writes it: softmax(z) − y, a − y.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from symbp.ir import Expr, Sum, Words, node, variables
from symbp.ops.kinds import Elementwise, Nonlinear
from symbp.ops.linear import is_ones, negate
from symbp.ops.matrix import (
    DETERMINANT,
    EXPM,
    LOG_DETERMINANT,
    LOG_SOFTMAX,
    LOGSUMEXP,
    SOFTMAX,
    TRACE_EXPM,
)
from symbp.ops.pointwise import ABS, EXP, LOG, SIGMOID, SOFTPLUS
from symbp.ops.product import subproduct
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
    return replace(program, bindings=_read(program, lines)), laws


def _read(program: Program, lines: Sequence[Binding]) -> tuple[Binding, ...]:
    """Return the lines without the matrix exponentials of which traces alone were read."""
    left = {v for line in lines for v in variables(line.expr)} | {program.result}
    left |= {v for v in (program.output, program.loss) if v is not None}
    return tuple(b for b in lines if b.expr.op is not EXPM or b.target in left)


def _recogniser(definitions: Definitions, used: list[str]) -> Callable[[Expr], Expr | None]:
    def change(part: Expr) -> Expr | None:
        if isinstance(part.op, Words):
            traced = _trace_expm(part, definitions)
            used.extend(["tr expm(X) is one function of X"] if traced is not None else [])
            return traced
        if isinstance(part.op, Elementwise) and part.op.exponent == -1:
            found = _sigmoid(part.args[0], definitions)
            if found is not None:
                used.append("1/(1 + exp(−z)) = σ(z)")
            return found
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


def _sigmoid(arg: Expr, definitions: Definitions) -> Expr | None:
    pair = _one_and(arg, Fraction(1))
    if pair is not None and _resolve(pair, definitions).op is EXP:
        return node(SIGMOID, negate(_resolve(pair, definitions).args[0]))
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


def _trace_expm(part: Expr, definitions: Definitions) -> Expr | None:
    """Return a product with the trace of a matrix exponential as one factor."""
    op = part.op
    assert isinstance(op, Words)
    factors = list(zip(part.args, op.words, strict=True))
    changed = False
    for k, (arg, word) in enumerate(factors):
        inner = _resolve(arg, definitions)
        others = {*op.out, *(i for j, w in enumerate(op.words) if j != k for i in w)}
        if inner.op is EXPM and word[0] == word[1] not in others:
            factors[k], changed = (node(TRACE_EXPM, *inner.args), ()), True
    return subproduct(factors, op.out, op.dims) if changed else None


_FORMS: tuple[tuple[str, Callable[[Expr, Definitions], Expr | None]], ...] = (
    ("log softmax(z) = z − logsumexp(z)", _log_softmax),
    ("log σ(z) = −softplus(−z)", _log_sigmoid),
    ("log(1 − σ(z)) = −softplus(z)", _log_one_minus_sigmoid),
    ("log(1 + exp z) = softplus(z)", _log_one_plus_exp),
    ("log Σ exp(z) = logsumexp(z)", _logsumexp),
    ("log(det X) = logdet(X)", _logdet),
)
