"""The lines of the forward pass, one after the other; loops with the shapes their turns fit."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from symbp.errors import Span, SpecError
from symbp.ir import Expr, line_of, variable
from symbp.ops.product import total
from symbp.program import Binding
from symbp.spec.expressions import value
from symbp.spec.loops import check_weight
from symbp.spec.members import Undecided, enter, suppose
from symbp.spec.names import Scope
from symbp.spec.statements import Statement, statements
from symbp.spec.syntax import Line
from symbp.spec.twins import alike, twins
from symbp.spec.values import Value, assigned


def bindings(lines: Sequence[Line], scope: Scope) -> list[Binding]:
    """Return the lines of the forward pass in their order; raise a SpecError where one is wrong.

    A family is batched as soon as one of its members is: the lines are read again until none is
    found to be.
    """
    found = statements(lines, scope)
    if not found:
        at = lines[-1].span if lines else Span(1, 1)
        help = "write a line `name = expression`; the loss is `loss = expression`"
        raise SpecError("there is nothing to derive: no line computes a value", at, help)
    _check_names(scope, found)
    check_weight((statement.line.expr for statement in found), scope)
    scope.coming = {statement.name: statement.line.span.line for statement in found}
    start = scope.kept()
    while True:
        made = [line for group in _groups(found) for line in _tried(group, scope)]
        names = {line.name for line in made if line.expr.batched} & scope.computed.keys()
        if names <= scope.batched:
            return made
        scope.batched |= names
        scope.restore(start)


def _groups(found: Sequence[Statement]) -> Iterator[list[tuple[int, Statement]]]:
    """Yield the lines of each outermost loop, and the others one by one, with their numbers."""

    def outermost(numbered: tuple[int, Statement]) -> object:
        number, statement = numbered
        return statement.loops[0] if statement.loops else number

    for _, group in groupby(enumerate(found), key=outermost):
        yield list(group)


def _tried(group: Sequence[tuple[int, Statement]], scope: Scope) -> list[Binding]:
    """Return the lines of a loop, whose members have the first shape with which it is right.

    Raises the error of the first of them where there is none.
    """
    start = scope.kept()
    try:
        return [line for number, one in group for line in _binding(one, number, scope)]
    except Undecided as undecided:
        family, candidates = undecided.family, undecided.candidates
    first: SpecError | None = None
    for candidate in candidates:
        scope.restore(start)
        try:
            suppose(family, candidate, scope)
            return _tried(group, scope)
        except SpecError as error:
            first = first or error
    assert first is not None
    raise first


def _check_names(scope: Scope, found: Sequence[Statement]) -> None:
    """Refuse names that are printed alike; a member of a family stands where the family does."""
    places = scope.places | {statement.name: statement.line.span for statement in found}
    pair = twins(places)
    if pair is not None:
        message, help = alike(*pair)
        raise SpecError(message, places[pair[1]], help)
    for name, span in places.items():
        family, _, number = name.partition("_")
        long = family in scope.computed or (family in scope.given and family in scope.families)
        if long and number.replace("_", "").isdigit():
            what = f"`{name}` and `{family}[{number.replace('_', ',')}]` are printed alike"
            raise SpecError(what, span, "choose another name for one of the two")


def _binding(statement: Statement, number: int, scope: Scope) -> list[Binding]:
    """Return the line of a statement, after those of the sums in it."""
    scope.statement, scope.hidden = number, []
    with scope.at(statement.indices, statement.loops):
        made = value(statement.line.expr, scope)
        expr = _loss(made, statement, scope) if statement.name == "loss" else assigned(made)
        definition = statement.definition
        if definition is not None:
            enter(definition, expr.shape, scope)
            batched = statement.name in scope.batched
            target = variable(statement.name, expr.shape, batched=batched, index=definition.places)
        else:
            target = scope.lines[statement.name] = line_of(statement.name, expr)
            scope.coming.pop(statement.name, None)
    return [*scope.hidden, Binding(target, expr, loops=statement.loops)]


def _loss(made: Value, statement: Statement, scope: Scope) -> Expr:
    if not made.single:
        what = f"the loss is no scalar: it is {scope.shape_text(made)}"
        help = "sum it up: `norm2(…)^2`, `sum(…)`, `dot(…)` or `cross_entropy(y, a)`"
        raise SpecError(what, statement.line.span, help)
    return total(made.expr)
