"""The cost of what the command line names, formulas in symbols beside numbers that are set."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from symbp.errors import SymbpError, printable
from symbp.lower.numbers import Given, examples_letter, size_families
from symbp.pipeline import NOTHING, Declared, derive, read_program
from symbp.program import Program
from symbp.spending import Cost, cost


def cost_of(
    spec: str | None,
    text: str | None = None,
    wrt: Sequence[str] = (),
    declared: Declared = NOTHING,
) -> Cost:
    """Return the cost of a spec file, of an expression, or of `FILE.py:NAME`.

    Families of symbolic length stay so, though the sizes in their ranges have numbers.  N, or B
    where a size is called N, is the number of examples.  Raises SymbpError where the input is
    wrong.
    """
    program = read_program(spec, text, wrt, replace(declared, sizes=()))
    letter = examples_letter(program)
    examples = [item for item in declared.sizes if _name(item) == letter]
    others = [item for item in declared.sizes if item not in examples]
    found: dict[str, Given] = {}
    if others:
        sized = read_program(spec, text, wrt, replace(declared, sizes=others))
        matched = _numbers(program, sized) if program.families else None
        program, found = (sized, {}) if matched is None else (program, dict(matched))
    for item in examples:
        found[letter] = _whole(item)
    return cost(derive(program), **found)


def _numbers(program: Program, sized: Program) -> Mapping[str, Given] | None:
    """Return the numbers that a program has where it is read with numbers for some sizes.

    None where the two have other sizes, as where a loop was written out for other numbers.
    """
    known = {name: value for name, value in sized.sizes.items() if value is not None}
    found: dict[str, Given] = {}
    for family in size_families(program):
        start = int(program.families[family].start)
        members: list[int] = []
        while (name := f"{family}_{start + len(members)}") in known:
            members.append(known.pop(name))
        if members:
            found[family] = members if len(set(members)) > 1 else members[0]
    names = {*program.sizes, *size_families(program)}
    return {**known, **found} if set(known) <= names else None


def _name(item: str) -> str:
    return item.partition("=")[0].strip()


def _whole(item: str) -> int:
    """Return the number of `N=32`; raise SymbpError where there is none."""
    value = item.partition("=")[2].strip()
    if not re.fullmatch("[0-9]{1,9}", value):
        raise SymbpError(f"--set {printable(item)} is no number of examples", "write it as N=32")
    return int(value)
