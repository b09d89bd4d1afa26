"""The line of a gradient in a program with loops, of a family or of one of its members."""

import re
from collections.abc import Sequence
from dataclasses import replace

import sympy as sp

from symbp.derive.derivation import Derivation, Step
from symbp.derive.gathering import gathered
from symbp.derive.reading import for_one_example, read
from symbp.errors import SymbpError, printable
from symbp.ir import Dim, size_symbol, symbol
from symbp.ops.rewrite import rename, resize
from symbp.places import at_most
from symbp.program import Loop, Program

_MEMBER = re.compile(r"\s*(?P<name>\w+)\s*\[\s*(?P<place>[^\[\]]*?)\s*\]\s*")
_PLACE = re.compile(r"(?P<size>[^\W\d]\w*)?\s*(?:(?P<sign>[+-])?\s*(?P<number>\d{1,9}))?")


def gathered_line(derivation: Derivation, name: str) -> Step:
    """Return the line of ∂result/∂name as it is read.

    name: of a variable or family, or a member, `Omega[2]`, `Omega[K-1]` or `h[1,T]`.  Raises
    KeyError where nothing is so called, SymbpError where a family has no such member.
    """
    found = _MEMBER.fullmatch(name)
    family = found["name"] if found else name
    lines = _lines(derivation, family)
    if found is None:
        return next((step for step in lines if step.loops), lines[0])
    places = [_place(text.strip(), derivation.program) for text in found["place"].split(",")]
    known = [place for place in places if place is not None]
    if len(known) < len(places):
        what = f"{printable(found['place'])} is no place of a member"
        raise SymbpError(what, f"write `{family}[2]`, `{family}[K]` or `{family}[K-1]`")
    for certain in (True, False):  # Omega[2] is there where K is at least 2
        for step in lines:
            if _has(step, known, certain):
                return _at(step, known)
    own = derivation.program.families.get(family)
    members = f"its members are {family}[{own.start}] to {family}[{own.stop}]" if own else None
    raise SymbpError(f"there is no gradient of {family}[{found['place']}]", members)


def _lines(derivation: Derivation, name: str) -> list[Step]:
    """Return the lines of an adjoint; of one that is written in where it is read, its own."""
    for sweep in (
        read(derivation).adjoint,
        gathered(for_one_example(derivation).adjoint, derivation.program),
    ):
        lines = [step for step in sweep if symbol(step.target).of == name]
        if lines:
            return lines
    raise KeyError(name)


def _place(text: str, program: Program) -> Dim | None:
    """Return a place: a number, a size, or a size and a number; None for anything else."""
    found = _PLACE.fullmatch(text)
    if found is None or not text or (found["size"] and bool(found["number"]) > bool(found["sign"])):
        return None
    number = int(f"{found['sign'] or ''}{found['number'] or 0}")
    if not found["size"]:
        return number
    known = {*program.sizes, *program.lengths}
    return size_symbol(found["size"]) + number if found["size"] in known else None


def _has(step: Step, places: Sequence[Dim], certain: bool) -> bool:
    """Tell whether a line is, or may be, that of the member at some places."""
    index = symbol(step.target).index
    loops = {loop.letter: loop for loop in step.loops}
    if len(index) != len(places):
        return False
    return all(
        _is_in(loops[own], place, certain) if own in loops else sp.expand(sp.S(own) - place) == 0
        for own, place in zip(index, places, strict=True)
    )


def _is_in(loop: Loop, place: Dim, certain: bool) -> bool:
    if certain:
        return at_most(loop.start, place) and at_most(place, loop.stop)
    return not at_most(sp.S(place) + 1, loop.start) and not at_most(sp.S(loop.stop) + 1, place)


def _at(step: Step, places: Sequence[Dim]) -> Step:
    pairs = zip(symbol(step.target).index, places, strict=True)
    at = {own: place for own, place in pairs if own in {loop.letter for loop in step.loops}}
    if not at:
        return step
    target = rename(resize(step.target, at), index=tuple(places))
    expr, rule = resize(step.expr, at), resize(step.rule, at)
    return replace(step, target=target, expr=expr, rule=rule, paths=(), note="", loops=())
