"""Loops that are run in segments, so that only what one segment hands to the next is kept.

The forward pass keeps what turn `last` of each segment hands on; the reverse sweep runs a segment
again before it goes back through it (001 problem 7.11; Griewank & Walther 2008, chapter 12).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sympy as sp

from symbp.ir import Expr, holder, name_of, symbol, variables
from symbp.lower.reads import is_number, reads
from symbp.lower.sweeps import Sweeps
from symbp.places import are_apart
from symbp.program import Binding, Loop, blocks
from symbp.sizes import Dim

_READERS = ("primal", "loss", "loss_bar", "adjoint")
"""The sweeps that run for the loss and its gradient."""


@dataclass(frozen=True)
class Forgotten:
    """A family of which only some members are kept.

    carried: how many of the last turns of a segment the next one reads.  pinned: the places that
    others read.  ahead: how far before its own place a turn writes.
    """

    family: Expr
    carried: int
    pinned: tuple[Dim, ...]
    ahead: int


@dataclass(frozen=True)
class Segment:
    """A loop of the forward pass, and of the reverse sweep, that is run in segments.

    values, bars: the families of the two sweeps that are forgotten on the way.
    """

    loop: Loop
    lines: tuple[Binding, ...]
    values: tuple[Forgotten, ...]
    bars: tuple[Forgotten, ...]

    @property
    def letter(self) -> sp.Symbol:
        """The letter of the loop."""
        return self.loop.letter

    @property
    def needs(self) -> list[Expr]:
        """What the turns read and make, families as wholes."""
        made = dict.fromkeys(holder(b.target) for b in self.lines if symbol(b.target).index)
        return [*dict.fromkeys((*reads(self.lines), *made))]


def segments(sweeps: Sweeps, kept: Iterable[str]) -> tuple[Segment, ...]:
    """Return the loops of the forward pass that can be run in segments.

    kept: the names of families that leave a sweep whole.
    """
    found = []
    lasting = set(kept)
    for loop, group in blocks(sweeps["primal"]):
        if loop is None:
            continue
        if any(x.adds and not _has(x.target, loop) for x in group):
            continue  # a total of all turns, which no segment has
        back = [x for x in sweeps["adjoint"] if x.loops and x.loops[0].letter == loop.letter]
        values = _forgotten(group, loop, sweeps, lasting)
        bars = _forgotten(back, loop, sweeps, lasting)
        again = {one.family for one in values if not (one.carried or one.pinned)}
        added = {holder(line.target) for line in group if line.adds}  # twice would be too much
        if values and back and added <= again:
            found.append(Segment(loop, tuple(group), values, bars))
    return tuple(found)


def _forgotten(
    lines: Sequence[Binding], loop: Loop, sweeps: Sweeps, lasting: set[str]
) -> tuple[Forgotten, ...]:
    made = dict.fromkeys(b.target for b in lines if symbol(b.target).index)
    names = dict.fromkeys(name_of(v) for v in made if name_of(v) not in lasting)
    found = []
    for name in names:
        target = next(v for v in made if name_of(v) == name)
        ahead = [sp.expand(symbol(v).index[0] - loop.letter) for v in made if name_of(v) == name]
        steady = len(set(ahead)) == 1 and ahead[0].is_Integer
        one = _one(target, int(ahead[0]), loop, sweeps) if steady else None
        if one is not None:
            found.append(one)
    return tuple(found)


def _one(member: Expr, ahead: int, loop: Loop, sweeps: Sweeps) -> Forgotten | None:
    """Return what is kept of a family, None where others read all of it."""
    carried, pinned, family = 0, [], holder(member)
    zeros = (line for line in sweeps["adjoint"] if line.loops and is_number(line))
    if any(symbol(line.target).of == name_of(family) for line in zeros):
        return None  # zeros take the shapes of all members
    if any(_is_made_beside(line, family, loop) for line in sweeps["primal"]):
        return None  # running the turns again would not make them again
    for sweep in _READERS:
        for line in sweeps[sweep]:
            for var in (v for v in variables(line.expr) if name_of(v) == name_of(family)):
                place = sp.S(symbol(var).index[0])
                again = sweep in ("primal", "adjoint")  # where a segment's turns are run
                inside = again and bool(line.loops) and line.loops[0].letter == loop.letter
                behind = sp.expand(loop.letter - place)
                if inside and behind.is_Integer and behind >= -ahead:
                    carried = max(carried, int(behind))
                elif not inside and not _letters(line.loops) & place.free_symbols:
                    pinned.append(place)
                else:
                    return None
    return Forgotten(family, carried, tuple(dict.fromkeys(pinned)), ahead)


def _is_made_beside(line: Binding, family: Expr, loop: Loop) -> bool:
    """Tell whether a line outside a loop may make members at places of its turns."""
    if line.name != name_of(family) or (line.loops and line.loops[0].letter == loop.letter):
        return False
    first = last = sp.S(symbol(line.target).index[0])
    for own in line.loops:
        ends = (own.start, own.stop) if first.coeff(own.letter) > 0 else (own.stop, own.start)
        first, last = first.subs(own.letter, ends[0]), last.subs(own.letter, ends[1])
    turns = (loop.start, loop.stop)
    return not are_apart(((sp.expand(first), sp.expand(last)),), (turns,))


def _has(var: Expr, loop: Loop) -> bool:
    return any(sp.S(place).has(loop.letter) for place in symbol(var).index)


def _letters(loops: Iterable[Loop]) -> set[sp.Symbol]:
    return {loop.letter for loop in loops}
