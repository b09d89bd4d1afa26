"""Members of computed families: that a line above defines them, and what shape they have."""

import sympy as sp

from symbp.errors import SpecError
from symbp.ir import Dim, Shape, variable
from symbp.spec.families import Definition, Family, Places, covering
from symbp.spec.names import Scope, ShapeError
from symbp.spec.ranges import put, settled, tidy, worst
from symbp.spec.spelling import dims_text, place_text, spelled, turn_text
from symbp.spec.syntax import Ref
from symbp.spec.values import Value


class Undecided(Exception):
    """The shape of a family's members is not decided yet, and one of `candidates`."""

    def __init__(self, family: Family, candidates: list[Shape]) -> None:
        super().__init__()
        self.family, self.candidates = family, candidates


def read(ref: Ref, scope: Scope) -> Value:
    """Return the value of a name in an expression, a member of a computed family among them.

    Raises a SpecError where nothing above defines it, `Undecided` where its shape is open.
    """
    if ref.index is None or ref.name not in scope.computed:
        return scope.read(ref)
    name, places = scope.named(ref)
    family = scope.computed[name]
    conditions = defined(places, family, scope)
    if conditions is None:
        raise _undefined(ref, places, family, scope)
    scope.least += conditions
    dims = _shape(family, places, scope)
    return Value(variable(name, dims, batched=name in scope.batched, index=places))


def defined(places: Places, family: Family, scope: Scope) -> list[Dim] | None:
    """Return what must not be negative for a member to be defined here; None where it never is."""
    boxes = [
        box
        for definition in family.definitions
        if definition.may_define(places)
        for box in definition.boxes(places, scope.loops, scope.statement)
    ]
    return covering(places, boxes, scope.loops)


def _undefined(ref: Ref, places: Places, family: Family, scope: Scope) -> SpecError:
    """Return the error for a member that is not there in some turn, or not yet."""
    start = settled(worst(0, scope.loops))
    first = tuple(put(place, start) for place in places)
    later = [d for d in family.definitions if covering(first, [d.whole(first)], ()) is not None]
    inside = [d for d in later if set(d.loops) & set(scope.loops)]
    if inside and scope.statement <= max(d.number for d in inside):
        what = f"`{spelled(ref)}` is used before the loop defines it"
        help = "a turn of the loop may use the turns before it, such as `h[k-1]` for `h[k]`"
        return SpecError(what, ref.span, help)
    if later and scope.statement <= min(d.number for d in later):
        line = later[0].line.span.line
        help = f"move line {line} up; two lines that need each other have no value"
        return SpecError(f"`{spelled(ref)}` is used before line {line} defines it", ref.span, help)
    turn, found = _first_missing(places, family, scope)
    shown = f"{family.name}[{','.join(map(place_text, found))}]"
    what = f"no line above defines `{shown}`"
    if turn:
        what = f"`{spelled(ref)}`: {turn} needs {shown}, which no line above defines"
    help = f"write a line `{shown} = expression` above, or change the range of the loop"
    return SpecError(what, ref.span, help)


def _first_missing(places: Places, family: Family, scope: Scope) -> tuple[str, Places]:
    """Return a turn in which a member is missing, and that member's places.

    It is where some place is lowest or highest.
    """
    corners = [worst(0, scope.loops)]
    for place in places:
        corners += [worst(place, scope.loops), worst(tidy(-sp.S(place)), scope.loops)]
    for corner in map(settled, corners):
        found = tuple(put(place, corner) for place in places)
        boxes = [definition.whole(found) for definition in family.definitions]
        if covering(found, boxes, ()) != []:
            break
    spoken = sp.Tuple(*places)
    return turn_text(spoken, corner), found


def _shape(family: Family, places: Places, scope: Scope) -> Shape:
    """Return the shape of a member that is defined."""
    if family.name in scope.templates:
        return family.at(scope.templates[family.name], places)
    known = [d for d in family.definitions if d in scope.shapes]
    for definition in known:
        if definition.places == places:
            return scope.shapes[definition]
    candidates = [shape for d in known for shape in family.candidates(d, scope.shapes[d])]
    raise Undecided(family, list(dict.fromkeys(candidates)))


def enter(definition: Definition, dims: Shape, scope: Scope) -> None:
    """Note the shape of what a line gives; raise a ShapeError where it is not the family's."""
    family = scope.computed[definition.line.target.name]
    own = family.template(definition, dims)
    template = scope.templates.get(family.name, own)
    if template is not None and family.name not in scope.templates:
        suppose(family, template, scope)
    if template is not None:
        _check_shape(definition, dims, family.at(template, definition.places), scope)
    scope.shapes[definition] = dims


def suppose(family: Family, template: Shape, scope: Scope) -> None:
    """Take a shape for that of any member; raise a ShapeError where a line above gives another."""
    scope.templates[family.name] = template
    for definition in family.definitions:
        if definition in scope.shapes:
            meant = family.at(template, definition.places)
            _check_shape(definition, scope.shapes[definition], meant, scope)


def _check_shape(line: Definition, dims: Shape, meant: Shape, scope: Scope) -> None:
    if dims == meant:
        return
    target = line.line.target
    one, other = (dims_text(shape, scope.sizes) or "a scalar" for shape in (dims, meant))
    what = f"`{spelled(target)}` is {one}, and as a member of `{target.name}` it would be {other}"
    help = "the members of a family have one shape, up to their own sizes: `D[k]` for `h[k]`"
    raise ShapeError(what, line.line.span, help)
