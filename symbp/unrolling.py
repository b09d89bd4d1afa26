"""`symbp.unroll`: a program with loops at numbers for its sizes, every turn a line of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, SupportsIndex

from symbp.errors import SymbpError, did_you_mean, printable
from symbp.ir import name_of, size_symbol, size_value
from symbp.ops.unroll import written_out
from symbp.program import Init, Loop, Program

_EXAMPLE = "give numbers by name: `symbp.unroll(program, K=3, D=(2, 3, 4, 5))`"

Places = Mapping[Any, int]


def unroll(program: Program, **sizes: int | Sequence[int]) -> Program:
    """Return a program without loops: members have plain names, `Omega_2` for Omega[2].

    sizes: a number from 1 for each size that the length of a loop or family depends on, a sequence
    of numbers for a family of sizes; other sizes may be left open.  Raises SymbpError where a
    number is missing, is none, or where a member would be read that is not there.
    """
    widths = {name for name in program.families if name not in map(name_of, program.given)}
    _check_names(program, sizes, widths)
    single = {name: _number(name, sizes[name]) for name in sizes if name not in widths}
    places = {size_symbol(name): number for name, number in single.items()}
    for condition in program.least:
        if int(size_value(condition, places)) < 0:
            given = ", ".join(f"{name} = {single[name]}" for name in program.lengths)
            what = f"{program.name} reads a member that is not there at {given}"
            raise SymbpError(what, f"give numbers at which {condition} is not negative")
    members = dict[str, int | None]()
    for name in sorted(widths):
        turns = _range(program.families[name], places)
        members |= dict.fromkeys(_named(name, turns))
        members |= _members(name, sizes[name], turns) if name in sizes else {}
    made = written_out(program, places) if program.is_looped else program
    families = {name: loop for name, loop in program.families.items() if name not in widths}
    plain = {name: _named(name, _range(loop, places)) for name, loop in families.items()}
    inits = dict[str, Init]()
    for name, init in program.inits.items():
        inits |= dict.fromkeys(plain.get(name, (name,)), init)
    params = set(map(name_of, program.params))
    tuples = {name: names for name, names in plain.items() if name in params}
    known = {**program.sizes, **single, **members}
    return replace(made, sizes=known, inits=inits, tuples={**program.tuples, **tuples})


def _check_names(program: Program, sizes: Mapping[str, object], widths: set[str]) -> None:
    """Raise SymbpError where a name is no size, or a length has no number."""
    known = {*program.sizes, *program.lengths, *widths}
    for name in sizes:
        if name not in known:
            near = did_you_mean(name, known)
            listed = f"its sizes are {', '.join(sorted(known)) or 'none'}"
            what = f"{program.name} has no size {printable(name)}"
            raise SymbpError(what, f"did you mean `{near}`?" if near else listed)
    missing = [name for name in program.lengths if name not in sizes]
    if missing:
        what = f"{program.name} has loops whose length depends on {', '.join(missing)}"
        raise SymbpError(f"{what}, which has no number", _EXAMPLE)


def _number(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        raise SymbpError(f"{name} is one size and takes one number, not {value!r}", _EXAMPLE)
    number = value.__index__()
    if number < 1:
        raise SymbpError(f"{name} = {number}: a size is a whole number from 1", _EXAMPLE)
    return number


def _range(loop: Loop, places: Places) -> range:
    first, last = (int(size_value(end, places)) for end in (loop.start, loop.stop))
    return range(first, last + 1)


def _named(name: str, turns: range) -> tuple[str, ...]:
    return tuple(f"{name}_{k}" for k in turns)


def _members(name: str, values: object, turns: range) -> dict[str, int]:
    """Return the sizes of a family by their plain names."""
    if isinstance(values, str) or not isinstance(values, Sequence):
        what = f"{name} is a family of {len(turns)} sizes and takes as many numbers, not {values!r}"
        raise SymbpError(what, _EXAMPLE)
    if len(values) != len(turns):
        asked = f"{name}[{turns[0]}] to {name}[{turns[-1]}]" if turns else "none"
        what = f"{name} takes {len(turns)} numbers, {asked}, and was given {len(values)}"
        raise SymbpError(what, _EXAMPLE)
    pairs = zip(turns, values, strict=True)
    return {f"{name}_{k}": _number(f"{name}[{k}]", value) for k, value in pairs}
