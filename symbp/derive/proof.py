"""Proofs: why an adjoint is what it is, in indices, from what the operations state.

A line z = f(v) is written entry by entry.  Its differential is linear in the direction v̇; with a
Kronecker delta for v̇ it is ∂z_k/∂v_ij, for the derivative of an entry by an entry is a delta.  The
chain rule sums over the entries of z, and the deltas leave the terms in which their indices agree.
Every right-hand side is an expression, with its axes named by letters, so each step can be
evaluated.  Source of the argument: 000 section 2, 001 problems 7.6 and 7.9, 002.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain, count, islice

import sympy as sp

from symbp.derive.forward import dot
from symbp.derive.partial import deltas, differential, jacobian, normal, partial, with_deltas
from symbp.errors import SymbpError
from symbp.ir import Expr, Size, Sum, Words, is_variable, name_of, node, variable, variables, walk
from symbp.ops.kinds import Elementwise, Merge, Nonlinear, Split
from symbp.ops.linear import add, combine, is_zero, number, parts, zeros
from symbp.ops.product import distributed, product, transpose
from symbp.ops.rewrite import substitute
from symbp.ops.rules import pullback
from symbp.ops.scalar import PLACES, from_scalar
from symbp.program import Binding, Loop

Label = tuple[str, ...]
"""The letters of one axis: one, or those of the axes that were joined to it."""

ALPHABET = "ijkmnpqrstuvwxyzabcfgh"
"""No l, which beside ℓ is misread, and neither d nor e, which mean something else."""

_DEFINITION = "definition"
_ITSELF = "the result, as it reads this itself"
_DIFFERENTIAL = "differential"
_DELTA = "an entry by an entry is a δ"
_PICK = "a δ picks equal indices"
_ORDER = "in order"
_CASES = "case by case"
_CHAIN = "chain rule"
_INSERT = "the derivative put in"
_WHOLE = "as an array"
_JACOBIAN = "Jacobian, output × input"
_TURNED = "the same, input × output"
_MEANING = "the function's formula"
_SLOPE = "derivative of the formula"
_OFF = ", off its kinks"
_STATED = "the same, as the rule's slope"


@dataclass(frozen=True)
class Equation:
    """`left = right`; equations with one left in a row are a chain.

    labels: the letters of the axes, where it is said of entries; None of whole arrays.
    cases: whether the right side is told case by case, by its one Kronecker delta.
    loops: the loops that it stands in.  alone: it is no link of a chain, and says its left again.
    """

    left: Expr
    right: Expr
    reason: str
    labels: tuple[Label, ...] | None = None
    cases: bool = False
    loops: tuple[Loop, ...] = ()
    alone: bool = False


@dataclass(frozen=True)
class Proof:
    """The steps to a derivative; `letters` are those for sums, in the order to take them in."""

    proved: Expr
    equations: tuple[Equation, ...]
    letters: tuple[str, ...]


def prove(lines: Sequence[Binding], var: Expr, result: Expr, avoid: Collection[str] = ()) -> Proof:
    """Return why ∂result/∂var is what it is.

    lines: those that read `var` and reach the result.  result: a scalar's name; where it is a
    line of `lines`, its derivative is the adjoint itself.  avoid: names that no index may have.
    """
    letters = index_letters((*lines, Binding(var, result)), avoid)
    lines, ends = _apart(lines, result, avoid)
    by = tuple((letter,) for letter in letters[: var.rank])
    rest = letters[var.rank :]
    found: list[Equation] = []
    for line in lines:
        steps = _local(line, var, _axes(line, rest), by)
        if line.target in ends[1:]:
            steps[0] = replace(steps[0], reason=_ITSELF)
        found += steps
    found += _chain(lines, var, ends, by)
    return Proof(partial(result, var), tuple(found), rest)


def _apart(
    lines: Sequence[Binding], result: Expr, avoid: Collection[str]
) -> tuple[list[Binding], tuple[Expr, ...]]:
    """Return the lines, and the names that the result has among them.

    Where the result reads a variable that other lines read too, its derivative with these held
    fixed is another than its derivative: it is called by a name of its own, L.
    """
    taken = {*avoid, *(name_of(v) for line in lines for v in variables(line.target, line.expr))}
    if len(lines) < 2:
        return list(lines), (result,)
    names = chain("LFG", (f"L_{k}" for k in count()))
    fresh = variable(next(name for name in names if name not in taken))
    parted = [replace(x, target=fresh) if x.target is result else x for x in lines]
    return parted, (result, fresh)


def index_letters(lines: Sequence[Binding], avoid: Collection[str] = ()) -> tuple[str, ...]:
    """Return letters that mean nothing in these lines, enough for all of their axes."""
    taken = set(avoid)
    axes = 4
    for line in lines:
        for part in walk(line.target, line.expr):
            taken |= {name_of(part)} if is_variable(part) else set()
            taken |= {str(part.op.dim)} if isinstance(part.op, Size) else set()
            taken |= {str(dim) for dim in part.shape}
            axes += len(part.op.dims) if isinstance(part.op, Words) else part.rank
    spelled = (c + (str(turn) if turn else "") for turn in count() for c in ALPHABET)
    return tuple(islice((letter for letter in spelled if letter not in taken), axes))


def _axes(line: Binding, letters: Sequence[str]) -> tuple[Label, ...]:
    """Return the letters of a line's axes; a joined axis has those of its parts."""
    op, left = line.expr.op, iter(letters)
    if not isinstance(op, Merge):
        return tuple((next(left),) for _ in range(line.target.rank))
    named = {axis: next(left) for axis in sorted(a for group in op.groups for a in group)}
    return tuple(tuple(named[axis] for axis in group) for group in op.groups)


def _local(
    line: Binding, var: Expr, out: tuple[Label, ...], by: tuple[Label, ...]
) -> list[Equation]:
    """Return the steps to the derivative of a line by a variable it reads."""
    found = [Equation(line.target, line.expr, _DEFINITION, out)]
    found += _written_out(line, out)
    along = differential(line, var)
    if not is_zero(along) and _is_worth_saying(line.expr, var):
        found.append(Equation(dot(line.target), along, _DIFFERENTIAL, out))
    name, axes = partial(line.target, var), (*out, *by)
    slope = _sympy_slope(line, var, axes)
    raw = with_deltas(along, var)
    made = normal(raw)
    if slope is None:
        found += [Equation(name, raw, _DELTA, axes), Equation(name, made, _PICK, axes)]
    else:
        found += [slope, Equation(name, made, _STATED, axes)]
    if deltas(made) == 1 and made.args:
        found.append(Equation(name, made, _CASES, axes, cases=True))
    if line.target.rank == var.rank == 1:
        found += _matrices(name, _distributed(made))
    return found


def _matrices(name: Expr, made: Expr) -> list[Equation]:
    """Return the Jacobian of a vector by a vector as a matrix, in both layouts."""
    turned = combine([(c, transpose(term)) for c, term in parts(made)], made.shape[::-1])
    found = [Equation(name, made, _JACOBIAN)]
    if turned.digest != made.digest:
        found.append(Equation(transpose(name), turned, _TURNED))
    return found


def _distributed(expr: Expr) -> Expr:
    """Return a product over a sum that holds a Kronecker delta as a sum of products."""
    for k, arg in enumerate(expr.args if isinstance(expr.op, Words) else ()):
        if isinstance(arg.op, Sum) and any(deltas(part) for part in walk(arg)):
            return combine(distributed(expr, k), expr.shape)
    return expr


def _is_worth_saying(expr: Expr, var: Expr) -> bool:
    """Tell whether a differential is more than the line with v̇ for v and a slope in front."""
    if any(isinstance(part.op, Nonlinear) for part in walk(expr)):
        return True
    return sum(arg is var for part in walk(expr) for arg in part.args) > 1


def _written_out(line: Binding, out: tuple[Label, ...]) -> list[Equation]:
    """Return an elementwise function as its formula, where operations can say it."""
    op = line.expr.op
    if not isinstance(op, Elementwise) or line.target.rank != len(out):
        return []
    made = _scalar(line, _smooth(op.formula))
    known = made is None or made is line.expr
    return [] if known or made is None else [Equation(line.target, made, _MEANING, out)]


def _sympy_slope(line: Binding, var: Expr, axes: tuple[Label, ...]) -> Equation | None:
    """Return the derivative that SymPy finds of an elementwise function's formula."""
    op = line.expr.op
    if not isinstance(op, Elementwise) or line.expr.args.count(var) != 1:
        return None
    place = PLACES[line.expr.args.index(var)]
    slope = _scalar(line, sp.diff(_smooth(op.formula), place))
    if slope is None:
        return None
    letters = tuple(range(var.rank))
    made = product([(slope, letters)], (*letters, *letters))
    reason = _SLOPE if op.analytic else _SLOPE + _OFF
    return Equation(partial(line.target, var), made, reason, axes)


def _smooth(formula: sp.Expr) -> sp.Expr:
    """Return a formula with its kinks as choices between smooth pieces."""
    kinds = [kind for kind in (sp.Max, sp.Min, sp.Abs, sp.sign) if formula.has(kind)]
    return formula.rewrite(kinds, sp.Piecewise) if kinds else formula


def _scalar(line: Binding, formula: sp.Expr) -> Expr | None:
    """Return a scalar formula in a line's arguments; None where no operation means a part of it."""
    if formula.has(sp.And, sp.Or):
        return None
    values = dict(zip(PLACES, line.expr.args, strict=False))
    try:
        return from_scalar(formula, values, line.expr.shape)
    except SymbpError:
        return None


def _chain(
    lines: Sequence[Binding], var: Expr, ends: tuple[Expr, ...], by: tuple[Label, ...]
) -> list[Equation]:
    """Return the steps from the derivatives of the lines to that of the result."""
    gradient = partial(ends[0], var)
    inner = [partial(line.target, var) for line in lines]
    whole = add(*(_adjoint(line, ends, var) for line in lines))
    found = []
    if inner != [gradient]:
        pairs = list(zip(lines, inner, strict=True))
        named = _plain_sum([_pulled(line, name, ends) for line, name in pairs])
        put = _plain_sum([_pulled(line, jacobian(line, var), ends) for line in lines])
        reason = _PICK if any(deltas(part) for part in walk(put)) else _ORDER
        found.append(Equation(gradient, named, _CHAIN, by))
        found.append(Equation(gradient, put, _INSERT, by))
        found.append(Equation(gradient, whole, reason, by))
    return [*found, Equation(gradient, whole, _WHOLE)] if by else found


def _adjoint(line: Binding, ends: tuple[Expr, ...], var: Expr) -> Expr:
    """Return what reverse mode gives to a variable through a line, its value called by its name."""
    seed = number(1) if line.target in ends else partial(ends[0], line.target)
    made = pullback(line.expr, seed, {var}).get(var, zeros(*var.shape))
    return made if is_variable(line.expr) else substitute(made, {line.expr: line.target})


def _plain_sum(terms: Sequence[Expr]) -> Expr:
    if len(terms) == 1:
        return terms[0]
    return node(Sum((Fraction(1),) * len(terms), terms[0].shape), *terms)


def _pulled(line: Binding, derivative: Expr, ends: tuple[Expr, ...]) -> Expr:
    """Return Σ ∂result/∂z_k ∂z_k/∂v_ij, as it stands; for the result itself, its derivative."""
    if line.target in ends:
        return derivative
    seed, op = partial(ends[0], line.target), line.expr.op
    by = derivative.shape[line.target.rank :]
    if isinstance(op, Merge):  # summed over the axes that were joined, each with its letter
        dims, axes = line.expr.args[0].shape, len(line.expr.args[0].shape)
        more = tuple((axes + k,) for k in range(len(by)))
        seed = node(Split(op.groups, dims), seed)
        derivative = node(Split((*op.groups, *more), (*dims, *by)), derivative)
    out = tuple(range(seed.rank))
    rest = tuple(range(seed.rank, derivative.rank))
    return node(Words((out, (*out, *rest)), rest, derivative.shape), seed, derivative)
