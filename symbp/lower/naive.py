"""Each gradient worked out on its own: the lines of the reverse sweep it needs, again and again.

This is the product of Jacobians of 000 (2.3d), from the loss down to one parameter; the lines that
two parameters need are counted for both.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

import sympy as sp

from symbp.ir import Expr, holder, symbol, variables
from symbp.lower.loopsum import Worth, over_turns, summed
from symbp.program import Binding, Loop
from symbp.sizes import letter_name, letter_symbol


def operations_apart(sweep: Sequence[Binding], given: set[str], worth: Worth) -> sp.Expr:
    """Return what the reverse sweep is worth when each gradient has a sweep to itself.

    given: the names of what gradients are taken by; each member of a family has its own.
    """
    chains = Chains(sweep)
    made: dict[Expr, list[int]] = {}
    for k, line in enumerate(sweep):
        if symbol(line.target).of in given:
            made.setdefault(line.target, []).append(k)
    total = sp.Integer(0)
    for places in made.values():
        last = sweep[places[-1]]
        fixed = _own_loops(last)
        own = sum(summed([sweep[k]], worth, len(fixed)) for k in places)
        others = chains.worth_of(places, fixed, worth) - own
        letters = _letters(last)
        for loop in reversed(last.loops[len(fixed) :]):
            others = over_turns(loop, others) if loop.letter in letters else others
        one = own + others
        for loop in reversed(fixed):
            one = over_turns(loop, one)
        total += one
    return total


def _own_loops(line: Binding) -> tuple[Loop, ...]:
    """Return the loops around a line each turn of which makes a value of its own."""
    letters = _letters(line)
    apart = [k for k, loop in enumerate(line.loops) if loop.letter not in letters]
    return line.loops[: apart[0]] if apart else line.loops


def _letters(line: Binding) -> set[sp.Symbol]:
    """Return the symbols in the place of a line's target."""
    return {s for place in symbol(line.target).index for s in sp.S(place).free_symbols}


class Chains:
    """What the lines of a sweep need of each other.

    Within a turn a line needs what the turn has made.  What it reads from other turns is taken to
    need the lines in question in all turns that have run.
    """

    def __init__(self, sweep: Sequence[Binding]) -> None:
        self.sweep = sweep
        self.reads = [
            [v for v in variables(line.expr) if symbol(v).role == "adjoint"] for line in sweep
        ]

        self.makers: dict[Expr, list[int]] = {}
        for k, line in enumerate(sweep):
            self.makers.setdefault(line.target, []).append(k)
        self.families: dict[Expr, list[int]] = {}
        for k, line in enumerate(sweep):
            self.families.setdefault(holder(line.target), []).append(k)

    def worth_of(self, places: list[int], fixed: tuple[Loop, ...], worth: Worth) -> sp.Expr:
        """Return what the lines at some places are worth, with all that they need, in one turn.

        fixed: the loops of the turn; their letters stay in what is returned.
        """
        here, before = self._needed(places, fixed)
        total = sp.Integer(0)
        for k in sorted(here):
            line = self.sweep[k]
            total += summed([line], worth, _common(line, fixed))
        for k in sorted(before):
            line = self.sweep[k]
            for depth in range(_common(line, fixed)):
                turns = _turns_before(fixed[depth])
                one = summed([line], worth, depth + 1)
                total += over_turns(turns, one.xreplace({fixed[depth].letter: turns.letter}))
        return total

    def _needed(self, places: list[int], fixed: tuple[Loop, ...]) -> tuple[set[int], set[int]]:
        """Return the lines needed in the turn itself, or outside, and those in turns before."""
        groups = (set(places), set[int]())
        pending = [(k, True) for k in places]
        while pending:
            reader, is_here = pending.pop()
            for var in self.reads[reader]:
                for maker in self.makers.get(var) or self.families.get(holder(var), []):
                    for now in self._when(maker, reader if is_here else None, var, fixed):
                        group = groups[0 if now else 1]
                        if maker not in group:
                            group.add(maker)
                            pending.append((maker, now))
        return groups

    def _when(
        self, maker: int, reader: int | None, var: Expr, fixed: tuple[Loop, ...]
    ) -> tuple[bool, ...]:
        """Tell whether a line is needed in the turn itself (True), in turns before, or in both.

        reader: the line of this turn that reads the variable, None for one of the turns before.
        """
        line = self.sweep[maker]
        if not fixed or _common(line, fixed) < len(fixed):
            return (True,)
        if reader is None:
            return (False,)
        if line.target is var and maker < reader:
            return (True, False) if line.adds else (True,)
        return (True, False) if len(line.loops) > len(fixed) else (False,)


def _common(line: Binding, fixed: tuple[Loop, ...]) -> int:
    """Return how many of the loops of a turn a line stands in."""
    both = zip(line.loops, fixed, strict=False)
    return len([1 for _ in takewhile(lambda pair: pair[0] == pair[1], both)])


def _turns_before(loop: Loop) -> Loop:
    """Return the loop over the turns that have run before one, under a letter of its own."""
    letter = letter_symbol(letter_name(loop.letter), _FRESH)
    here = loop.letter
    ends = (here + 1, loop.stop) if loop.down else (loop.start, here - 1)
    return replace(loop, letter=letter, start=ends[0], stop=ends[1])


_FRESH = 10**6
"""Tells the letter of the turns before from all letters of a program."""
