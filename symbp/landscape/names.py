"""Numbers by the names of the spec: `w`, and `W[1,2]` for an entry of a matrix.

`Omega[2]` is a member of a family and `Omega[2][1,2]` an entry of one.  Entries are counted from 1,
as in the mathematics.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from symbp.errors import SymbpError, did_you_mean, printable
from symbp.landscape.point import Entry, Index, Point, Slot
from symbp.spec.glyphs import plain_name

SHOWN = 6
"""Of more numbers for one name, the first is shown and the rest are counted."""


@dataclass(frozen=True)
class _Named:
    """What a name means: the slots of a family's members, or one and perhaps an entry of it."""

    said: str  # how messages begin, `--at W[1,2]=3`
    slots: Sequence[Slot]
    index: Index | None

    @property
    def count(self) -> int:
        """How many numbers it has."""
        return sum(slot.array.size for slot in self.slots) if self.index is None else 1

    @property
    def name(self) -> str:
        """It as it is written: of all members of a family, that of the family."""
        return self.slots[0].owner if len(self.slots) > 1 else self.slots[0].name + self.where

    @property
    def kind(self) -> str:
        """What it is, in words."""
        slot = self.slots[0]
        if self.index is not None:
            return f"{self.name} is one number"
        several = len(self.slots) > 1
        return f"{self.name} is a family of {len(self.slots)}" if several else slot.kind

    @property
    def where(self) -> str:
        """The entry as it is written, `[1,2]`; nothing for all of them."""
        return f"[{_listed(k + 1 for k in self.index)}]" if self.index else ""


def entry_of(point: Point, text: str) -> Entry:
    """Return the one number of a parameter that a text names; raise SymbpError where it does not.

    A name alone is that of a scalar.
    """
    params = {name: slot for name, slot in point.slots.items() if slot.place is not None}
    named = _named(f"--param {printable(text)}", text, params)
    slot = named.slots[0]
    if len(named.slots) > 1:
        raise SymbpError(f"{named.said}: {named.kind}", f"name a member, `{slot.name}`")
    if named.index is None and slot.array.ndim:
        help = f"name one entry, `{slot.name}[{_listed([1] * slot.array.ndim)}]`"
        raise SymbpError(f"{named.said}: {named.kind}", help)
    return Entry(named.name, slot, named.index or ())


def give(point: Point, text: str, moving: Entry) -> None:
    """Write what `NAME=VALUE` says into the point.

    VALUE is one number, for every entry, or a number for each, row by row.  What is given later
    holds for an entry of what was given before.  Raises SymbpError where
    the name, the numbers or how many they are is wrong, and where it is what moves.
    """
    name, sign, value = text.partition("=")
    said = f"--at {printable(text)}"
    if not sign:
        raise SymbpError(f"{said} gives no number", "write it as x=1 or x=1,0.5")
    named = _named(said, name, point.slots)
    moves = moving.slot.mirrored(moving.index)
    if named.slots[0] is moving.slot and (named.index or ()) in moves:
        raise SymbpError(f"{said}: {moving.name} is what moves", "leave it out")
    numbers = [_number(said, part) for part in value.split(",")]
    if len(numbers) not in (1, named.count):
        what = f"{said}: {named.kind}, and {len(numbers)} numbers are given"
        more = "" if named.count == 1 else f", for all, or {named.count}, row by row"
        raise SymbpError(what, f"give one number{more}")
    if named.name in point.given:
        raise SymbpError(f"{said}: {named.name} has a number", "give it once")
    more = f" and {len(numbers) - 1} more" if len(numbers) > SHOWN else ""
    shown = numbers[:1] if more else numbers
    point.given[named.name] = ",".join(f"{number:g}" for number in shown) + more
    rest = numbers * (named.count if len(numbers) == 1 else 1)
    for slot in named.slots:
        size = slot.array.size if named.index is None else 1
        _fill(said, slot, named.index, rest[:size])
        rest = rest[size:]


def _fill(said: str, slot: Slot, index: Index | None, numbers: Sequence[float]) -> None:
    if slot.classes is not None and numbers[0] not in range(slot.classes):
        help = f"write a whole number from 0 to {slot.classes - 1}"
        raise SymbpError(f"{said}: {slot.name} is a class index", help)
    if index is not None:
        for place in slot.mirrored(index):
            slot.array[place] = numbers[0]
        return
    made = np.reshape(numbers, slot.array.shape)
    if slot.symmetric and np.any(made != made.T):
        what = f"{said}: {slot.name} equals its transpose, and these numbers do not"
        raise SymbpError(what, "give two mirrored entries the same number")
    slot.array[...] = made


_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")


def _named(said: str, text: str, slots: Mapping[str, Slot]) -> _Named:
    match = _NAME.fullmatch(text.strip())
    if match is None:
        help = "write w, W[1,2], Omega[2] or Omega[2][1,2]"
        raise SymbpError(f"{said} names no number", help)
    name, places = plain_name(match[1].strip()), re.findall(r"\[([^\[\]]*)\]", match[2])
    members = {slot.name: slot for slot in slots.values() if slot.owner == name != slot.name}
    if members and not places:
        return _Named(said, list(members.values()), None)
    if members:
        name = f"{name}[{places.pop(0).strip()}]"
    if name not in slots:
        near = did_you_mean(name, (slot.name for slot in slots.values()))
        owners = ", ".join(dict.fromkeys(slot.owner for slot in slots.values()))
        help = f"did you mean `{near}`?" if near else f"its names are {owners}"
        kind = "param" if said.startswith("--param") else "param, input, const or target"
        raise SymbpError(f"{said}: no {kind} of that name", help)
    return _Named(said, [slots[name]], _index(said, slots[name], places) if places else None)


def _index(said: str, slot: Slot, places: Sequence[str]) -> Index:
    """Return where an entry stands, counted from 0; raise SymbpError where there is none."""
    shape = slot.array.shape
    numbers = [part.strip() for part in places[0].split(",")]
    known = [{str(k): k - 1 for k in range(1, size + 1)} for size in shape]
    pairs = zip(known, numbers, strict=False)
    index = tuple(axis[number] for axis, number in pairs if number in axis)
    if len(places) > 1 or not len(shape) == len(numbers) == len(index):
        first, last = f"{slot.name}[{_listed([1] * len(shape))}]", f"{slot.name}[{_listed(shape)}]"
        help = f"its entries are {first} to {last}" if shape else f"write `{slot.name}`"
        raise SymbpError(f"{said}: no such entry; {slot.kind}", help)
    return index


def _number(said: str, part: str) -> float:
    try:
        number = float(part)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        what = f"{said}: {printable(part.strip()) or 'nothing'} is no finite number"
        raise SymbpError(what, "write it as 1, -0.5 or 1e-3")
    return number


def _listed(numbers: Iterable[int]) -> str:
    return ",".join(map(str, numbers))
