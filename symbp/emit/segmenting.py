"""The code of loops that are run in segments, and run again before the reverse sweep needs them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

import sympy as sp

from symbp.emit.fields import Fields
from symbp.emit.identifiers import Identifiers
from symbp.emit.looped import LoopedSweep
from symbp.emit.shapes import dim_text
from symbp.emit.text import broken, tuple_text
from symbp.ir import Expr, holder, is_holder, symbol
from symbp.lower.batch import EXAMPLES
from symbp.lower.schedule import Schedule
from symbp.lower.segments import Forgotten, Segment
from symbp.program import Binding
from symbp.sizes import Dim, letter_name, size_symbol

FIRST, LAST = size_symbol("first"), size_symbol("last")
ENDS = ("first", "last")
"""The ends of a segment."""


def turns_name(segment: Segment) -> str:
    """Return the name of the function that runs a segment's turns."""
    return f"turns_{segment.letter.name.replace('@', '_')}"


def segment_note(segment: Segment, every: int | None) -> str:
    """Return the sentences of a module's docstring on what is stored and what is done again."""
    letter = letter_name(segment.letter)
    often = f"{every} turns" if every else f"√n of its n turns (n = {_turns_text(segment)})"
    carried = [_said(one.family, letter) for one in segment.values if one.carried]
    again = [_said(one.family, letter) for one in segment.values]
    whole = f"loss_and_grad runs the loop over {letter} in segments of {often}"
    if every == 1:
        whole = f"loss_and_grad runs the loop over {letter} turn by turn"
    kept = (
        f"Stored is {_listed(carried)} of the last turn of each" if carried else "Nothing is stored"
    )
    redone = f"{_listed(again)} of the other turns are worked out again, segment by segment"
    return f"{whole}. {kept}; {redone}, from the last to the first, before the adjoints read them."


def _turns_text(segment: Segment) -> str:
    return dim_text(sp.expand(segment.loop.stop - segment.loop.start + 1))


def _said(family: Expr, letter: str) -> str:
    return f"{symbol(family).name}[{letter}]"


def _listed(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


class Turns(LoopedSweep):
    """The function that runs some turns of a loop: the lines of the forward pass."""

    def __init__(self, schedule: Schedule, segment: Segment, fields: Fields) -> None:
        self.segment = segment
        whole = {**schedule.sweeps, "turns": _from_first_to_last(segment)}
        super().__init__(replace(schedule, sweeps=whole), "turns", fields)

    @property
    def called(self) -> str:
        """The name of the function, without its underscore."""
        return turns_name(self.segment)

    @property
    def turns(self) -> Sequence[Binding]:
        """The lines in the loop as it stands in the spec."""
        return self.segment.lines

    def _needs(self) -> list[Expr]:
        found = dict.fromkeys(v for v in self.segment.needs)
        witness = self._witness(found)  # of these the reverse sweep has the parameters at hand
        found.update((v, None) for v in witness if symbol(v).role == "param")
        return list(found)

    def _group(self, var: Expr) -> str:
        return "params" if symbol(var).role == "param" else ""

    def _families_begun(self) -> list[str]:
        return []

    def annotation(self, var: Expr) -> str:
        """Return the type of an argument."""
        return "Members" if is_holder(var) else super().annotation(var)

    def signature(self) -> list[str]:
        """Return the arguments with their types."""
        return [*super().signature(), *(f"{n}: int" for n in (*self._lengths(), *ENDS))]

    def _lengths(self) -> list[str]:
        """Return the sizes that no parameter tells, and that the functions around it hand on."""
        sizes = (s for s in self.families.read_by(self.lines) if s not in (FIRST, LAST))
        owners = {s: self.families.owner(s) for s in sizes}
        told = {s: name for s, name in owners.items() if name is not None}
        members = self.families.members
        return [self.names.size(s) for s, n in told.items() if symbol(members[n]).role != "param"]

    def _sizes(self, read: Collection[str]) -> list[str]:
        given = {self.names.size(FIRST), self.names.size(LAST), *self._lengths()}
        return super()._sizes(set(read) - given)

    def _examples(self) -> dict[Dim, str]:
        outside = [x for x in self.schedule.sweeps["primal"] if x not in self.segment.lines]
        there = {holder(x.target) for x in outside if symbol(x.target).index}
        known = [v for v in self.segment.needs if v in there and symbol(v).batched]
        first = f"next(iter({self.names[known[0]]}.values()))" if known else ""
        return {EXAMPLES: f"len({first})"} if known else {}

    def _raw(self, guards: Sequence[str], read: Iterable[str]) -> list[str]:
        return []

    def _counted(self) -> list[str]:
        return []

    def returned(self) -> tuple[list[str], str]:
        """Return nothing: the families that the turns make are filled."""
        return [], "None"

    def call(self) -> list[str]:
        """Return the statement that runs the turns of a segment."""
        return broken(f"_{self.called}(", [*self.arguments(), *self._lengths(), *ENDS], ")")


def _from_first_to_last(segment: Segment) -> tuple[Binding, ...]:
    loop = replace(segment.loop, start=FIRST, stop=LAST)
    return tuple(replace(line, loops=(loop, *line.loops[1:])) for line in segment.lines)


class Segmented:
    """What stands in the place of a loop that is run in segments."""

    def __init__(self, segment: Segment, names: Identifiers, call: Sequence[str]) -> None:
        self.segment, self.names, self.call = segment, names, list(call)

    def forward(self) -> list[str]:
        """Return the statements of the forward pass."""
        made = self._header(back=False)
        inner = [*self.call, "if sparse:"]
        inner += [f"    {self._forget(one, one.carried)}" for one in self.segment.values]
        return [*made, *(f"    {line}" for line in self._last() + inner)]

    def backward(self, body: Sequence[str]) -> list[str]:
        """Return the statements of the reverse sweep around those of a turn."""
        made = self._header(back=True)
        letter = self.names.letter(self.segment.letter)
        inner = [*self._last(), "if sparse:", *(f"    {line}" for line in self.call)]
        inner += [f"for {letter} in range(last, first - 1, -1):", *(f"    {x}" for x in body)]
        every = (*self.segment.values, *self.segment.bars)
        inner += ["if sparse:", *(f"    {self._forget(one, 0, back=True)}" for one in every)]
        return [*made, *(f"    {line}" for line in inner)]

    def _header(self, *, back: bool) -> list[str]:
        start, stop = self._ends()
        place = self.names.place
        whole = f"range({place(start)}, {place(stop + 1)}, step)"
        turns = place(stop - start + 1)
        step = f"step = _every({turns}) if sparse else max({turns}, 1)"
        return [step, f"for first in {f'reversed({whole})' if back else whole}:"]

    def _last(self) -> list[str]:
        _, stop = self._ends()
        return [f"last = min(first + step, {self.names.place(stop + 1)}) - 1"]

    def _ends(self) -> tuple[Dim, Dim]:
        return self.segment.loop.start, self.segment.loop.stop

    def _forget(self, one: Forgotten, carried: int, *, back: bool = False) -> str:
        """Return the statement that drops what a segment's turns made, but for what is kept.

        carried: how many of the last turns are read by the next segment; `back` where none are.
        """
        first = _plus("first", one.ahead)
        last = _plus("last", one.ahead if back else -carried)
        pinned = tuple_text([self.names.place(place) for place in one.pinned])
        kept = f", kept=({pinned})" if len(one.pinned) > 1 else f", kept={pinned}"
        return f"_forget({self.names[one.family]}, {first}, {last}{kept if one.pinned else ''})"


def _plus(name: str, more: int) -> str:
    if not more:
        return name
    return f"{name} {'+' if more > 0 else '-'} {abs(more)}"
