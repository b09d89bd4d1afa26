"""Numbers given to the sizes of a spec from outside: `K=3`, `D=784,128,10`."""

import operator
import re
from collections.abc import Mapping, Sequence
from typing import SupportsIndex, TypeAlias

import sympy as sp

from symbp.errors import SymbpError, did_you_mean, printable
from symbp.ir import Dim, size_symbol
from symbp.program import Loop
from symbp.spec.glyphs import plain_name
from symbp.spec.indices import place_of
from symbp.spec.ranges import terms, tidy
from symbp.spec.spelling import place_text, range_text
from symbp.spec.syntax import Range, Ref, Size, SizeLine, SpecText

Number: TypeAlias = SupportsIndex | str | Sequence[SupportsIndex]
"""A number for a size; of a family one for all members, or one for each."""

_EXAMPLE = "write `K=3`, or `D=784,128,10` for each member of a family"


def numbers_of(spec: SpecText, asked: Mapping[str, Number]) -> dict[str, int | tuple[int, ...]]:
    """Return the numbers of sizes by their plain names, one for each member where a list is given.

    The length of a list says what the size in its range is, unless that is asked for as well.
    Raises a SymbpError for what is no size, and for what is no whole number from 1.
    """
    sizes = {
        size.member.name: size
        for line in spec.lines
        if isinstance(line, SizeLine)
        for size in line.sizes
    }
    found: dict[str, int | tuple[int, ...]] = {}
    for written, value in asked.items():
        name = plain_name(written)
        if name not in sizes:
            near = did_you_mean(name, sizes)
            names = f"its sizes are {', '.join(sizes)}" if sizes else "it has no sizes"
            help = f"did you mean `{near}`?" if near else names
            raise SymbpError(f"the spec has no size `{printable(written)}`", help)
        if name in found:
            raise SymbpError(f"two numbers for the size `{name}`", "give it one")
        found[name] = _numbers(name, value, sizes[name])
    for name, numbers in list(found.items()):
        range_ = sizes[name].member.range
        if isinstance(numbers, tuple) and range_ is not None:
            found = {**_implied(range_, len(numbers), found, sizes), **found}
    return found


def wrong_count(name: str, loop: Loop, count: int) -> SymbpError:
    """Return the error for a list of numbers that is not as long as its family."""
    length = tidy(sp.S(loop.stop) - loop.start + 1)
    what = f"{name} has members {range_text(loop)}: {place_text(length)} numbers, got {count}"
    help = "give a number for each member, or one for all; the sizes in its range may be set too"
    return SymbpError(what, help)


def _numbers(name: str, value: Number, size: Size) -> int | tuple[int, ...]:
    """Return a number from 1, or several of them for a family."""
    parts: Sequence[object] = [value]
    if isinstance(value, str):
        parts = value.split(",")
    elif isinstance(value, Sequence):
        parts = list(value)
    several = len(parts) != 1 or not isinstance(value, str | SupportsIndex)
    if several and size.member.range is None:
        raise SymbpError(f"`{name}` is one size and takes one number, not {len(parts)}", _EXAMPLE)
    found = tuple(_whole(name, part) for part in parts)
    return found if several else found[0]


def _whole(name: str, part: object) -> int:
    """Return a whole number from 1."""
    text = str(part).strip()
    if isinstance(part, str):
        number = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0
    else:
        number = operator.index(part) if isinstance(part, SupportsIndex) else 0
    if number < 1:
        what = f"`{printable(text)}` is no number for the size `{name}`: a whole number from 1"
        raise SymbpError(what, _EXAMPLE)
    return number


def _implied(
    range_: Range, count: int, found: Mapping[str, object], sizes: Mapping[str, Size]
) -> dict[str, int]:
    """Return the size that the range of a family has where it has this many members, if one."""

    def known(ref: Ref) -> Dim:
        value = found.get(ref.name, sizes[ref.name].value if ref.name in sizes else None)
        return value if isinstance(value, int) and ref.index is None else size_symbol(ref.name)

    start, stop = place_of(range_.start, known), place_of(range_.stop, known)
    length = tidy(sp.S(stop) - start + 1 - count)
    free = [part for part in terms(length) if part != 1]
    if len(free) != 1 or abs(terms(length)[free[0]]) != 1 or str(free[0]) not in sizes:
        return {}
    name = str(free[0])
    number = tidy(-(sp.S(length) - terms(length)[free[0]] * free[0]) * terms(length)[free[0]])
    if not isinstance(number, int) or number < 1:
        what = (
            f"{count} members make `{name}` {place_text(number)}: a size is a whole number from 1"
        )
        raise SymbpError(what, "give more numbers")
    return {name: number}
