"""Families and loops: those over numbers written out, under plain names, the others kept."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import sympy as sp

from symbp.errors import Span, SpecError
from symbp.ir import Dim
from symbp.program import Loop
from symbp.sizes import letter_symbol
from symbp.spec.entries import CONSTANTS
from symbp.spec.families import Definition, Family, Places, apart
from symbp.spec.limits import too_many
from symbp.spec.names import Scope
from symbp.spec.ranges import never_negative, reachable, terms, tidy
from symbp.spec.spelling import place_text, spelled
from symbp.spec.syntax import AssignLine, ForLine, Line, Member, Node, Ref, Shape, SumOver, children
from symbp.spec.walks import topdown

MEMBERS = 1001  # of a family or a loop: 0..1000


@dataclass(frozen=True, slots=True)
class Statement:
    """One line of the forward pass: its plain name, and the loops around.

    indices: the letters of loops that are written out, with their numbers, and of the others.
    definition: what it gives of a family of symbolic length, whose name it has; None where the
    name is one of its own.
    """

    name: str
    line: AssignLine
    indices: Mapping[str, Dim]
    loops: tuple[Loop, ...]
    definition: Definition | None = None


def span_of(start: Node, stop: Node, scope: Scope) -> range | tuple[Dim, Dim]:
    """Return the numbers `start..stop`, both ends included, or the bounds that are no numbers.

    There are no numbers where stop lies below start.  Raises a SpecError for more members than
    are read, and for bounds of which the second never lies above the first.
    """
    first, last = scope.place(start), scope.place(stop)
    if not (isinstance(first, int) and isinstance(last, int)):
        if not reachable(tidy(sp.S(last) - first)):
            what = f"no number lies in {place_text(first)}..{place_text(last)}, whatever the sizes"
            help = "a range goes up, both ends included: `1..K`"
            raise SpecError(what, start.span, help)
        return first, last
    numbers = range(first, last + 1)
    if len(numbers) > MEMBERS:
        help = "write fewer; every member is derived on its own"
        raise SpecError(f"{len(numbers):,} members; at most {MEMBERS:,} are read", stop.span, help)
    return numbers


def loops_of(name: str, start: Node, stop: Node, scope: Scope) -> Iterator[tuple[Dim, list[Loop]]]:
    """Yield the letter's number in each turn of a loop; or the letter once, with the loop itself.

    Raises a SpecError where the letter or the bounds are wrong.
    """
    numbers = span_of(start, stop, scope)
    if isinstance(numbers, range):
        yield from ((number, []) for number in numbers)
    else:
        letter = scope.letter(name)
        yield letter, [Loop(letter, *numbers)]


def members(member: Member, scope: Scope, name: str = "k") -> Iterator[tuple[str, Dim | None]]:
    """Yield the plain name of each member of a declared name, with its number.

    A name without a range is its own member, without a number.  A family of symbolic length has
    one, under its own name, with the letter of its range, which is shown as `name`.
    """
    if member.range is None:
        yield member.name, None
        return
    numbers = span_of(member.range.start, member.range.stop, scope)
    ends = (numbers.start, numbers.stop - 1) if isinstance(numbers, range) else numbers
    if not never_negative(ends[0]):
        help = "write `[0..K]` or `[1..K]`"
        raise SpecError("members are numbered from 0", member.range.start.span, help)
    found = Loop(letter_symbol(name, -1 - len(scope.families)), *ends)
    scope.families[member.name] = found
    if not isinstance(numbers, range):
        yield member.name, found.letter
        return
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
    """Return the lines of the forward pass, each name once; loops over numbers are written out."""
    written = list(_written(lines, scope))
    long = {line.target.name for line, places, *_ in written if not all_numbers(places)}
    found: dict[str, Statement] = {}
    made: list[Statement] = []
    for line, places, indices, loops in written:
        with scope.at(indices, loops):
            scope.spend(line.span)
            if line.target.name in long:
                made.append(_of_family(line, places, len(made), scope))
            else:
                made.append(_alone(found, line, places, scope))
    for loop in _headers(lines):
        if loop.index in {*found, *long}:
            raise _taken(loop.index, loop.span)
    return made


def _headers(lines: Sequence[Line]) -> Iterator[ForLine]:
    for line in lines:
        if isinstance(line, ForLine):
            yield line
            yield from _headers(line.body)


def all_numbers(places: Places) -> bool:
    """Tell whether all places are numbers."""
    return all(isinstance(place, int) for place in places)


_Written: TypeAlias = tuple[AssignLine, Places, Mapping[str, Dim], tuple[Loop, ...]]


def _written(lines: Sequence[Line], scope: Scope) -> Iterator[_Written]:
    """Yield each line with the places of its target, the letters and the loops around."""
    for line in lines:
        if isinstance(line, AssignLine):
            _check_target(line.target, scope)
            yield line, scope.places_of(line.target), dict(scope.indices), scope.loops
        elif isinstance(line, ForLine):
            check_letter(line.index, line.span, scope)
            for index, loops in loops_of(line.index, line.start, line.stop, scope):
                with scope.at({line.index: index}, tuple(loops)):
                    yield from _written(line.body, scope)


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
        numbers = span_of(at.start, at.stop, scope)
    except SpecError:
        return 1
    return len(numbers) if isinstance(numbers, range) else 1


def check_weight(expressions: Iterable[Node], scope: Scope) -> None:
    """Raise a SpecError where all expressions together have more nodes than are read."""
    room = scope.room
    for at in expressions:
        room -= weight(at, scope)
        if room < 0:
            raise too_many(at.span)


def _alone(
    found: dict[str, Statement], line: AssignLine, places: Places, scope: Scope
) -> Statement:
    """Return a line whose target has a plain name of its own."""
    name = scope.flat_name(line.target, places)
    if name in scope.places:
        raise _declared(name, line, scope)
    if name in found and found[name].line is not line:
        raise already(line, found[name].line)
    if name in found or scope.loops:
        raise _every_turn(line, scope)
    found[name] = Statement(name, line, dict(scope.indices), scope.loops)
    return found[name]


def already(line: AssignLine, before: AssignLine, turn: str = "") -> SpecError:
    """Return the error for a value that a line above defines; in a turn of the loop around it."""
    what = f"`{spelled(line.target)}` is already defined in line {before.span.line}{turn}"
    help = "a name is given one value; call the new value by a new name"
    return SpecError(what, line.span, help)


def _every_turn(line: AssignLine, scope: Scope) -> SpecError:
    letters = ",".join(scope.indices)
    help = f"write `{line.target.name}[{letters}]`: one name for each {letters}"
    what = f"`{spelled(line.target)}` is assigned in every turn"
    return SpecError(what, line.span, help)


def _of_family(line: AssignLine, places: Places, number: int, scope: Scope) -> Statement:
    """Return a line that defines members of a family of symbolic length, and note which."""
    name = line.target.name
    if name in scope.places:
        raise _declared(name, line, scope)
    if not places:
        help = "choose another name for one of the two"
        raise SpecError(f"`{name}` is also a family, `{name}[…]`", line.span, help)
    axes = tuple(sp.Dummy("k", integer=True) for _ in places)
    family = scope.computed.setdefault(name, Family(name, axes))
    definition = Definition(line, places, scope.loops, number)
    if len(places) != len(family.axes):
        what = f"`{spelled(line.target)}` has another number of indices than the line above"
        raise SpecError(what, line.span, f"write {len(family.axes)} of them")
    _check_places(definition, scope)
    for before in family.definitions:
        conditions = apart(before, definition)
        if conditions is None:
            raise already(line, before.line)
        scope.least += conditions
    family.definitions.append(definition)
    return Statement(name, line, dict(scope.indices), scope.loops, definition)


def _check_places(definition: Definition, scope: Scope) -> None:
    """Refuse a target whose member does not tell in which turn it is defined."""
    letters = {loop.letter for loop in definition.loops}
    spoken = []
    for place in definition.places:
        found = [(part, factor) for part, factor in terms(place).items() if part in letters]
        if len(found) > 1 or any(abs(factor) != 1 for _, factor in found):
            what = f"`{place_text(place)}` does not tell which turn defines a member"
            help = "an index of what a line defines is one letter and a whole number: `h[k+1]`"
            raise SpecError(what, definition.line.target.span, help)
        spoken += [part for part, _ in found]
    if len(spoken) != len(set(spoken)) or set(spoken) != letters:
        raise _every_turn(definition.line, scope)


def _declared(name: str, line: AssignLine, scope: Scope) -> SpecError:
    where = scope.places[name].line
    what = f"`{spelled(line.target)}` is declared in line {where} and cannot be assigned"
    help = "call the computed value by a new name, or remove the declaration"
    return SpecError(what, line.span, help)


def _check_target(target: Ref, scope: Scope) -> None:
    """Refuse names that no line can give a value."""
    if target.index is None and target.name in CONSTANTS:
        help = "choose another name"
        raise SpecError(f"`{target.name}` is a constant", target.span, help)
    if target.name in scope.families:
        what = f"`{target.name}` is declared as a family and cannot be assigned"
        help = "call the computed value by a new name, or remove the declaration"
        raise SpecError(what, target.span, help)
