"""The value of a count at numbers for its sizes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sympy as sp
from sympy.core.function import AppliedUndef

from symbp.errors import SymbpError, did_you_mean
from symbp.ir import name_of, size_symbol, symbol
from symbp.lower.batch import EXAMPLES
from symbp.lower.loopsum import outermost, over_turns
from symbp.program import Loop, Program

Given = int | Sequence[int]
"""A number, or one for each member of a family."""


@dataclass(frozen=True)
class Numbers:
    """Numbers for sizes; a size without a number stays a symbol.

    sizes: of symbols.  members: of members of a family, by name and place.  same: of all members
    of a family.
    """

    sizes: Mapping[sp.Symbol, int] = field(default_factory=dict)
    members: Mapping[tuple[str, int], int] = field(default_factory=dict)
    same: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, sizes: Mapping[sp.Expr, int]) -> "Numbers":
        """Return numbers for symbols and for members of families, as a trial has them."""
        plain = {s: k for s, k in sizes.items() if isinstance(s, sp.Symbol)}
        members = {s: k for s, k in sizes.items() if not isinstance(s, sp.Symbol)}
        return cls(plain, {(str(s.func), int(s.args[0])): k for s, k in members.items()})

    def among(self, program: Program, sizes: Mapping[str, Given]) -> "Numbers":
        """Return these numbers and more, by the names of a program's sizes.

        The number of examples is called as `examples_letter` says.  Raises
        SymbpError for a name that is no size, and for numbers that do not fit.
        """
        plain, members, same = dict(self.sizes), dict(self.members), dict(self.same)
        for name, value in sizes.items():
            if name in size_families(program):
                if isinstance(value, int):
                    same[name] = _size(name, value)
                else:
                    first = int(program.families[name].start)
                    members |= {(name, k): _size(name, n) for k, n in enumerate(value, first)}
            elif name in plain_sizes(program):
                plain[size_symbol(name)] = _size(name, value)
            elif name == examples_letter(program):
                plain[EXAMPLES] = _size(name, value)
            else:
                raise _no_size(name, program)
        return Numbers(plain, members, same)

    def value(self, expr: sp.Expr) -> sp.Expr:
        """Return a formula with numbers in place of sizes, sums written out where they can be."""
        return self._value(sp.S(expr), dict(self.sizes))

    def largest(self, expr: sp.Expr, loops: Sequence[Loop]) -> sp.Expr:
        """Return the largest value of a formula over the turns of loops; 0 where there are none.

        The bounds of the loops have numbers.
        """
        return max(
            (self._value(expr, places) for places in self._turns(loops, dict(self.sizes))),
            default=sp.Integer(0),
        )

    def _turns(
        self, loops: Sequence[Loop], places: dict[sp.Symbol, int]
    ) -> list[dict[sp.Symbol, int]]:
        if not loops:
            return [places]
        first, last = (int(self._value(sp.S(e), places)) for e in (loops[0].start, loops[0].stop))
        turns = [{**places, loops[0].letter: k} for k in range(first, last + 1)]
        return [inner for turn in turns for inner in self._turns(loops[1:], turn)]

    def _value(self, expr: sp.Expr, places: Mapping[sp.Symbol, int]) -> sp.Expr:
        if expr.is_Symbol:
            return sp.S(places.get(expr, expr))
        if isinstance(expr, AppliedUndef):
            place = self._value(expr.args[0], places)
            name = str(expr.func)
            found = self.same.get(name)
            if place.is_Integer:
                found = self.members.get((name, int(place)), found)
            return expr.func(place) if found is None else sp.Integer(found)
        if isinstance(expr, sp.Sum):
            return self._sum(expr, places)
        if not expr.args:
            return expr
        return expr.func(*(self._value(arg, places) for arg in expr.args))

    def _knows(self, expr: sp.Expr) -> bool:
        """Tell whether there are numbers for the families of sizes in a formula."""
        names = {name for name, _ in self.members} | set(self.same)
        return all(str(found.func) in names for found in expr.atoms(AppliedUndef))

    def _sum(self, expr: sp.Sum, places: Mapping[sp.Symbol, int]) -> sp.Expr:
        body, (letter, start, stop) = outermost(expr)
        first, last = self._value(start, places), self._value(stop, places)
        term = self._value(body, {s: k for s, k in places.items() if s != letter})
        is_short = (last - first).is_Integer and last - first < SHORT
        has_places = any(letter in found.free_symbols for found in term.atoms(AppliedUndef))
        is_long = not (first.is_Integer and last.is_Integer and (is_short or self._knows(body)))
        if is_long or not has_places:
            return over_turns(Loop(letter, first, last), term)
        turns = range(int(first), int(last) + 1)
        return sp.Add(*(self._value(body, {**places, letter: k}) for k in turns))


SHORT = 6
"""A sum of no more terms than these is written out even where its sizes have no numbers."""


def plain_sizes(program: Program) -> list[str]:
    """Return the names of the sizes of a program that are no family."""
    every = [*program.given, *(line.target for line in program.bindings)]
    dims = (sp.S(dim) for v in every for dim in v.shape)
    found = dict.fromkeys(s.name for dim in dims for s in sorted(dim.free_symbols, key=str))
    letters = {loop.letter.name for line in program.bindings for loop in line.loops}
    letters |= {loop.letter.name for loop in program.families.values()}
    return [*program.sizes, *(name for name in found if name not in {*program.sizes, *letters})]


def size_families(program: Program) -> list[str]:
    """Return the names of the families of sizes, of symbolic length, of a program."""
    every = [*program.given, *(line.target for line in program.bindings)]
    names = {name_of(v) for v in every if symbol(v).index}
    return [name for name in program.families if name not in names]


def examples_letter(program: Program) -> str:
    """Return the letter of the number of examples: N, or one that no size has."""
    taken = {*plain_sizes(program), *size_families(program)}
    names = (str(EXAMPLES), "B", *(f"{EXAMPLES}_{k}" for k in range(len(taken))))
    return next(name for name in names if name not in taken)


def _size(name: str, value: Given) -> int:
    if not isinstance(value, int) or value < 1:
        raise SymbpError(f"{name} cannot be {value}", "a size is a whole number from 1 on")
    return value


def _no_size(name: str, program: Program) -> SymbpError:
    known = [*plain_sizes(program), *size_families(program), examples_letter(program)]
    near = did_you_mean(name, known)
    help = f"did you mean `{near}`?" if near else f"its sizes are {', '.join(known)}"
    return SymbpError(f"{program.name} has no size `{name}`", help)
