"""Ranges and letters: turns over numbers one by one, a loop that is kept where there are none."""

from collections.abc import Iterable, Iterator

import sympy as sp

from symbp.errors import Span, SpecError
from symbp.ir import Dim
from symbp.program import Loop
from symbp.sizes import letter_symbol
from symbp.spec.entries import CONSTANTS
from symbp.spec.limits import too_many
from symbp.spec.names import Scope
from symbp.spec.ranges import never_negative, reachable, tidy
from symbp.spec.spelling import place_text
from symbp.spec.syntax import Member, Node, Ref, Shape, SumOver, children
from symbp.spec.walks import topdown

MEMBERS = 1001  # of a family or a loop: 0..1000


def span_of(start: Node, stop: Node, scope: Scope) -> range | tuple[Dim, Dim]:
    """Return the numbers `start..stop`, both ends included, or the bounds that are no numbers.

    There are no numbers where stop lies below start.  Raises a SpecError for more members than
    are read, and for bounds of which the second never reaches the first as sizes grow.
    """
    first, last = scope.place(start), scope.place(stop)
    if not (isinstance(first, int) and isinstance(last, int)):
        if not reachable(tidy(sp.S(last) - first)):
            what = f"the range {place_text(first)}..{place_text(last)} does not go up"
            help = "both ends are included: write `1..K`"
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


def members(
    member: Member, scope: Scope, name: str | None = None
) -> Iterator[tuple[str, Dim | None]]:
    """Yield the plain name of each member of a declared name, with its number.

    A name without a range is its own member, without a number.  A family of symbolic length has
    one, under its own name, with the letter of its range, which is shown as `name`, or as the small
    letter of the size that bounds it: t for T.
    """
    if member.range is None:
        yield member.name, None
        return
    numbers = span_of(member.range.start, member.range.stop, scope)
    ends = (numbers.start, numbers.stop - 1) if isinstance(numbers, range) else numbers
    if not never_negative(ends[0]):
        help = "write `[0..K]` or `[1..K]`"
        raise SpecError("members are numbered from 0", member.range.start.span, help)
    shown = name or _small_letter(member.range.stop, scope)
    found = Loop(letter_symbol(shown, -1 - len(scope.families)), *ends)
    scope.families[member.name] = found
    if not isinstance(numbers, range):
        yield member.name, found.letter
        return
    for number in numbers:
        yield f"{member.name}_{number}", number


def _small_letter(stop: Node, scope: Scope) -> str:
    """Return the small letter of a size of one letter, `k` where that means something already."""
    small = stop.name.lower() if isinstance(stop, Ref) and len(stop.name) == 1 else "k"
    return "k" if small in scope.places else small


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
    names = {*scope.places, *scope.lines, *scope.coming, *scope.indices, *CONSTANTS}
    if name in names:
        raise taken(name, span)


def taken(name: str, span: Span) -> SpecError:
    """Return the error for the letter of a loop that already means something."""
    help = "choose another letter for the loop"
    return SpecError(f"the loop's letter `{name}` is already a name", span, help)


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
