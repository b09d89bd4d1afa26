"""From a syntax tree to a value: one walk, for files and for the command line."""

from itertools import chain, combinations, groupby
from string import ascii_lowercase

import sympy as sp

from symbp.errors import SpecError
from symbp.ir import name_of, variable
from symbp.ops.linear import add, number
from symbp.program import Binding
from symbp.spec import arithmetic, functions, members
from symbp.spec.arithmetic import align, binary, check_range, negative, transposed
from symbp.spec.catalogue import Site
from symbp.spec.loops import check_letter, loops_of
from symbp.spec.names import Scope
from symbp.spec.ranges import lowest, tidy
from symbp.spec.spelling import spelled
from symbp.spec.syntax import Binary, Call, Node, Num, Ref, SumOver, Transpose, Unary
from symbp.spec.twins import twins
from symbp.spec.values import Value
from symbp.spec.walks import spine


def value(at: Node, scope: Scope) -> Value:
    """Return what an expression means; raise a SpecError where it means nothing."""
    if not isinstance(at, Binary):
        scope.spend(at.span)
    match at:
        case Num(value=exact):
            made = Value(number(exact))
            check_range(made.expr, at.span)
            return made
        case Ref():
            return members.read(at, scope)
        case Unary(arg=arg):
            return negative(value(arg, scope))
        case Transpose(arg=arg):
            return transposed(value(arg, scope))
        case Binary():
            return _binary(at, scope)
        case Call(name=name) if name in functions.FILLED:
            return functions.filled(scope, at)
        case Call(args=args):
            function = functions.find(scope, at)
            values = tuple([value(arg, scope) for arg in args])
            return functions.call(function, Site(scope, at, values))
        case SumOver():
            return _sum_over(at, scope)


def _binary(at: Binary, scope: Scope) -> Value:
    """Return the value of a chain of operations, from its left end; sums are joined at once."""
    steps = spine(at)
    made = value(steps[0].left, scope)
    for sums, run in groupby(steps, key=lambda step: step.op in ("+", "-")):
        group = list(run)
        for step in group:
            scope.spend(step.span)
        if sums:
            made = arithmetic.chain(
                scope, group, made, (value(step.right, scope) for step in group)
            )
            continue
        for step in group:
            made = binary(scope, step, made, value(step.right, scope))
    return made


def _sum_over(at: SumOver, scope: Scope) -> Value:
    check_letter(at.index, at.span, scope)
    terms: list[Value] = []
    for index, loops in loops_of(at.index, at.start, at.stop, scope):
        with scope.at({at.index: index}, tuple(loops)):
            made = value(at.body, scope)
            terms.append(_added_up(made, at, scope) if loops else made)
            pair = align(scope, terms[0], terms[-1])
            if pair is None:
                first, last = scope.shape_text(terms[0]), scope.shape_text(terms[-1])
                what = f"{spelled(at)}: the first term is {first}, this one {last}"
                raise SpecError(what, at.span, _ONE_SHAPE)
    if not terms:
        what = f"{spelled(at)} has no terms"
        raise SpecError(what, at.span, "a range goes up, both ends included: `1..K`")
    return Value(add(*(term.expr for term in terms)), terms[0].row)


_ONE_SHAPE = "all terms of a sum have one shape"


def _added_up(term: Value, at: SumOver, scope: Scope) -> Value:
    """Return the sum over the innermost loop, the value of a hidden line that adds to it.

    There must be a term, as where the terms are written out.
    """
    *around, loop = scope.loops
    if any(loop.letter in sp.S(dim).free_symbols for dim in term.dims):
        what = f"{spelled(at)}: the terms are {scope.shape_text(term)}"
        raise SpecError(what, at.span, _ONE_SHAPE)
    scope.least.append(lowest(tidy(sp.S(loop.stop) - loop.start), around))
    total = variable(
        _free_name(scope),
        term.expr.shape,
        batched=term.expr.batched,
        index=tuple(outer.letter for outer in around),
    )
    scope.sums.append(name_of(total))
    scope.hidden.append(Binding(total, term.expr, False, scope.loops, True))
    return Value(total, term.row)


def _free_name(scope: Scope) -> str:
    """Return a name for a sum that nothing has, or is printed like: `s`, or `s_a` and so on."""
    taken = [*scope.places, *scope.lines, *scope.coming, *scope.computed, *scope.sums]
    taken += [*scope.indices, *scope.sizes]
    letters = ("".join(part) for n in range(1, 5) for part in combinations(ascii_lowercase, n))
    names = chain(["s"], (f"s_{letter}" for letter in letters))
    return next(name for name in names if all(_differs(name, other) for other in taken))


def _differs(name: str, other: str) -> bool:
    return name != other and twins((other, name)) is None and not other.startswith(f"{name}_")
