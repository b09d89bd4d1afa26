"""Families and loops, unrolled: one declaration or line for each member, under a plain name."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from symbp.errors import Span, SpecError
from symbp.spec.limits import too_many
from symbp.spec.names import CONSTANTS, Scope, integer
from symbp.spec.spelling import spelled
from symbp.spec.syntax import AssignLine, ForLine, Line, Member, Node, Ref, Shape, SumOver, children
from symbp.spec.walks import topdown

MEMBERS = 1001  # of a family or a loop: 0..1000


@dataclass(frozen=True, slots=True)
class Statement:
    """One line of the forward pass after unrolling: its plain name and the loop's numbers."""

    name: str
    line: AssignLine
    indices: Mapping[str, int]


def span_of(start: Node, stop: Node, scope: Scope) -> range:
    """Return the numbers `start..stop`, both ends included; none where stop lies below start."""
    numbers = range(integer(start, scope), integer(stop, scope) + 1)
    if len(numbers) > MEMBERS:
        help = "write fewer; every member is derived on its own"
        raise SpecError(f"{len(numbers):,} members; at most {MEMBERS:,} are read", stop.span, help)
    return numbers


def members(member: Member, scope: Scope) -> Iterator[tuple[str, int | None]]:
    """Yield the plain name of each member of a declared name, with its number.

    A name without a range is its own member, without a number.
    """
    if member.range is None:
        yield member.name, None
        return
    numbers = span_of(member.range.start, member.range.stop, scope)
    if numbers.start < 0:
        help = "write `[0..K]` or `[1..K]`"
        raise SpecError("members are numbered from 0", member.range.start.span, help)
    scope.families[member.name] = (numbers.start, numbers.stop - 1)
    for number in numbers:
        yield f"{member.name}_{number}", number


def letter(shape: Shape | None, scope: Scope) -> str | None:
    """Return the letter that stands for the member's number in a family's shape, `D[k-1]`.

    It needs no declaration: it is the one name in the indices that is no size.
    """
    pending: list[Node] = [
        index
        for dim in (shape.dims if shape else ())
        if isinstance(dim, Ref)
        for index in dim.index or ()
    ]
    found: dict[str, Span] = {}
    for node in pending:  # grows as it is read
        pending.extend(children(node))
        if isinstance(node, Ref) and node.index is None and node.name not in scope.sizes:
            found.setdefault(node.name, node.span)
    if len(found) > 1:
        first, second, *_ = found
        help = f"write `{first}` in both places: the number of the member"
        raise SpecError(f"two letters, `{first}` and `{second}`", found[second], help)
    return next(iter(found), None)


def check_letter(name: str, span: Span, scope: Scope) -> None:
    """Raise a SpecError where the letter of a loop already means something."""
    taken = {*scope.places, *scope.lines, *scope.coming, *scope.indices, *CONSTANTS}
    if name in taken:
        raise _taken(name, span)


def _taken(name: str, span: Span) -> SpecError:
    help = "choose another letter for the loop"
    return SpecError(f"the loop's letter `{name}` is already a name", span, help)


def statements(lines: Sequence[Line], scope: Scope) -> list[Statement]:
    """Return the lines of the forward pass, loops unrolled, each name once."""
    found: dict[str, Statement] = {}
    for line in lines:
        if isinstance(line, AssignLine):
            _add(found, line, {}, scope)
        elif isinstance(line, ForLine):
            check_letter(line.index, line.span, scope)
            for number in span_of(line.start, line.stop, scope):
                with scope.at({line.index: number}):
                    for inner in line.body:
                        _add(found, inner, {line.index: number}, scope)
    for line in lines:
        if isinstance(line, ForLine) and line.index in found:
            raise _taken(line.index, line.span)
    return list(found.values())


def weight(at: Node, scope: Scope) -> int:
    """Return how many nodes an expression has once its sums are written out, or fewer.

    Cheap, so that what asks for too much is refused before any of it is done.
    """
    weights: dict[int, int] = {}
    for part in reversed(topdown(at)):
        below = sum(weights[id(child)] for child in children(part))
        turns = _turns(part, scope) if isinstance(part, SumOver) else 1
        weights[id(part)] = 1 + below * max(turns, 1)
    return weights[id(at)]


def _turns(at: SumOver, scope: Scope) -> int:
    """Return how many terms a sum has; 1 where its bounds are wrong, or depend on a loop around."""
    try:
        return integer(at.stop, scope) - integer(at.start, scope) + 1
    except SpecError:
        return 1


def check_weight(expressions: Iterable[Node], scope: Scope) -> None:
    """Raise a SpecError where all expressions together have more nodes than are read."""
    room = scope.room
    for at in expressions:
        room -= weight(at, scope)
        if room < 0:
            raise too_many(at.span)


def _add(
    found: dict[str, Statement], line: AssignLine, indices: Mapping[str, int], scope: Scope
) -> None:
    scope.spend(line.span)
    _check_target(line.target, scope)
    name = scope.flat_name(line.target)
    if name in scope.places:
        where = scope.places[name].line
        what = f"`{spelled(line.target)}` is declared in line {where} and cannot be assigned"
        help = "call the computed value by a new name, or remove the declaration"
        raise SpecError(what, line.span, help)
    if name in found:
        before = found[name].line
        if before is line:
            loop = next(iter(indices))
            help = f"write `{line.target.name}[{loop}]`: one name for each {loop}"
            raise SpecError(f"`{spelled(line.target)}` is assigned in every turn", line.span, help)
        what = f"`{spelled(line.target)}` is already defined in line {before.span.line}"
        help = "a name is given one value; call the new value by a new name"
        raise SpecError(what, line.span, help)
    found[name] = Statement(name, line, indices)


def _check_target(target: Ref, scope: Scope) -> None:
    """Refuse names that no line can give a value."""
    if target.index is None and target.name in CONSTANTS:
        help = "choose another name"
        raise SpecError(f"`{target.name}` is a constant", target.span, help)
    if target.name in scope.families:
        what = f"`{target.name}` is declared as a family and cannot be assigned"
        help = "call the computed value by a new name, or remove the declaration"
        raise SpecError(what, target.span, help)
