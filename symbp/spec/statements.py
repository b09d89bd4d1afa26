"""The lines of the forward pass, found before they are read: which names and members they define.

Loops over numbers are written out, each line under a plain name; the others are kept.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import sympy as sp

from symbp.errors import SpecError
from symbp.ir import Dim
from symbp.program import Loop
from symbp.spec.entries import CONSTANTS
from symbp.spec.families import Definition, Family, Places, apart
from symbp.spec.loops import check_letter, loops_of, taken
from symbp.spec.names import Scope
from symbp.spec.ranges import holds, lowest, terms
from symbp.spec.spelling import place_text, spelled, turn_text
from symbp.spec.syntax import AssignLine, ForLine, Line, Ref


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


def statements(lines: Sequence[Line], scope: Scope) -> list[Statement]:
    """Return the lines of the forward pass, each name once; loops over numbers are written out."""
    written = list(_written(lines, scope))
    long = {line.target.name for line, places, *_ in written if not _all_numbers(places)}
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
            raise taken(loop.index, loop.span)
    return made


def _headers(lines: Sequence[Line]) -> Iterator[ForLine]:
    for line in lines:
        if isinstance(line, ForLine):
            yield line
            yield from _headers(line.body)


def _all_numbers(places: Places) -> bool:
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


def _alone(
    found: dict[str, Statement], line: AssignLine, places: Places, scope: Scope
) -> Statement:
    """Return a line whose target has a plain name of its own."""
    name = scope.flat_name(line.target, places)
    if name in scope.places:
        raise _declared(name, line, scope)
    if name in found and found[name].line is not line:
        raise _already(line, found[name].line)
    if name in found or scope.loops:
        raise _every_turn(line, scope)
    found[name] = Statement(name, line, dict(scope.indices), scope.loops)
    return found[name]


def _already(line: AssignLine, before: AssignLine, turn: str = "") -> SpecError:
    """Return the error for a value that a line above defines; in a turn of the loop around it."""
    what = f"`{spelled(line.target)}` is already defined in line {before.span.line}{turn}"
    help = "a name is given one value; call the new value by a new name"
    return SpecError(what, line.span, help)


def _every_turn(line: AssignLine, scope: Scope) -> SpecError:
    letters = list(scope.indices)
    help = f"write `{line.target.name}[{','.join(letters)}]`: one name for each "
    help += " and ".join(letters)
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
    if name == "loss":
        help = "write one line for each term, and `loss = sum(term[k] for k in 1..K)`"
        raise SpecError("`loss` is one value, and this line defines a family", line.span, help)
    axes = tuple(sp.Dummy("k", integer=True) for _ in places)
    family = scope.computed.setdefault(name, Family(name, axes))
    definition = Definition(line, places, scope.loops, number)
    if len(places) != len(family.axes):
        what = f"`{spelled(line.target)}` has another number of indices than the line above"
        raise SpecError(what, line.span, f"write {len(family.axes)} of them")
    _check_places(definition, scope)
    scope.least += [lowest(place, scope.loops) for place in places if not holds(place, scope.loops)]
    for before in family.definitions:
        conditions = apart(before, definition)
        if conditions is None:
            raise _already(line, before.line, _turn_in_both(before, definition))
        scope.least += conditions
    family.definitions.append(definition)
    return Statement(name, line, dict(scope.indices), scope.loops, definition)


def _turn_in_both(one: Definition, other: Definition) -> str:
    """Return in which turn a loop defines what a line outside defines, empty where both loop."""
    loop, line = (one, other) if one.loops else (other, one)
    turn = "" if line.loops else turn_text(sp.Tuple(*loop.places), loop.turn(line.places))
    return f" (for {turn})" if turn else ""


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
