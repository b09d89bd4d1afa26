"""From a syntax tree to a value: one walk, for files and for the command line."""

from itertools import groupby

from symbp.errors import SpecError
from symbp.ops.linear import add, number
from symbp.spec import functions
from symbp.spec.arithmetic import align, binary, chain, check_range, negative, transposed
from symbp.spec.catalogue import Site
from symbp.spec.loops import check_letter, span_of
from symbp.spec.names import Scope
from symbp.spec.spelling import spelled
from symbp.spec.syntax import Binary, Call, Node, Num, Ref, SumOver, Transpose, Unary
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
            return scope.read(at)
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
            made = chain(scope, group, made, (value(step.right, scope) for step in group))
            continue
        for step in group:
            made = binary(scope, step, made, value(step.right, scope))
    return made


def _sum_over(at: SumOver, scope: Scope) -> Value:
    check_letter(at.index, at.span, scope)
    terms: list[Value] = []
    for number_ in span_of(at.start, at.stop, scope):
        with scope.at({at.index: number_}):
            terms.append(value(at.body, scope))
            pair = align(scope, terms[0], terms[-1])
            if pair is None:
                first, last = scope.shape_text(terms[0]), scope.shape_text(terms[-1])
                what = f"{spelled(at)}: the first term is {first}, this one {last}"
                raise SpecError(what, at.span, "all terms of a sum have one shape")
    if not terms:
        what = f"{spelled(at)} has no terms"
        raise SpecError(what, at.span, "a range goes up, both ends included: `1..K`")
    return Value(add(*(term.expr for term in terms)), terms[0].row)
