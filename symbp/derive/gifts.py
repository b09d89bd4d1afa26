"""Who gives to whom in a reverse sweep with loops: which adjoints are one line, which add up."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import sympy as sp

from symbp.derive.derivation import Step
from symbp.derive.forward import bar, reached
from symbp.ir import Dim, Expr, name_of, symbol, variables
from symbp.ops.linear import zeros
from symbp.places import Box, Range, are_apart, box, covered, is_full, is_one_to_one
from symbp.program import Binding, Loop, Program, blocks


def down(loops: Iterable[Loop]) -> tuple[Loop, ...]:
    """Return loops run backwards."""
    return tuple(replace(loop, down=not loop.down) for loop in loops)


@dataclass(frozen=True)
class _Gift:
    """A place where an adjoint gets a share: members of a name, by a line in some loops.

    outside: the line is none of the program's.
    """

    var: Expr
    loops: tuple[Loop, ...]
    outside: bool = False

    @property
    def box(self) -> Box:
        return box(symbol(self.var).index, _ranges(self.loops))

    @property
    def is_one_to_one(self) -> bool:
        return is_one_to_one(symbol(self.var).index, _ranges(self.loops))

    @property
    def is_full(self) -> bool:
        return is_full(symbol(self.var).index, _ranges(self.loops))


class Gifts:
    """What each name of a program is given by the lines that read it.

    names: what depends on the sources and reaches the result.  entered: lines outside the program
    that give to what they read, in whatever way.
    """

    def __init__(
        self, program: Program, sources: set[str], entered: Sequence[Binding] = ()
    ) -> None:
        self.program = program
        active = reached(program.bindings, sources)
        made = {b.name for b in program.bindings}
        read = [(v, line.loops) for line in entered for v in variables(line.expr)]
        outside = [(v, loops) for v, loops in read if name_of(v) in made]
        self.names = active & _reaching(program, [name_of(v) for v, _ in outside])
        self.entered = {name_of(v) for v, _ in outside} & self.names
        self.homes = {b.target: b.loops[: self.depth(b)] for b in program.bindings}
        self._given = set(program.given)
        self._gifts: dict[str, Counter[_Gift]] = {}
        for run in _runs(program.bindings):
            found = (_Gift(var, line.loops) for line in run for var in self._read(line))
            self._note(dict.fromkeys(found))
        self._note(_Gift(var, loops, outside=True) for var, loops in outside)
        self._last: dict[Binding, list[Expr]] = {}

    def _note(self, gifts: Iterable[_Gift]) -> None:
        """Count in how many runs of lines each gift is given."""
        for gift in gifts:
            self._gifts.setdefault(name_of(gift.var), Counter())[gift] += 1

    def _read(self, line: Binding) -> list[Expr]:
        if line.name not in self.names and line.target is not self.program.result:
            return []
        return [v for v in variables(line.expr) if name_of(v) in self.names]

    def is_given(self, var: Expr) -> bool:
        """Tell whether a variable, or the family it is a member of, is given."""
        return var in self._given or (
            bool(symbol(var).index) and symbol(var).role in ("param", "input", "const")
        )

    def depth(self, line: Binding) -> int:
        """Return in how many of its loops a line's target is one and the same."""
        if not line.adds:
            return len(line.loops)
        letters = {s for place in symbol(line.target).index for s in _symbols(place)}
        apart = [k for k, loop in enumerate(line.loops) if loop.letter not in letters]
        return apart[0] if apart else len(line.loops)

    def last_chance(self, line: Binding, run: Sequence[Binding]) -> list[Expr]:
        """Return what no line of its run above a line reads, and the line does, from elsewhere."""
        if line not in self._last:
            seen: set[Expr] = set()
            for one in run:
                own = [v for v in self._read(one) if v not in seen and not is_beside(v, one, self)]
                seen.update(own)
                self._last[one] = own
        return self._last[line]

    def reach(self, target: Expr) -> bool:
        """Tell whether a line's target may be given something from elsewhere."""
        return any(not are_apart(own, gift.box) for own, gift in self._elsewhere(target))

    def _elsewhere(self, target: Expr) -> Iterator[tuple[Box, _Gift]]:
        home = self.homes.get(target, ())
        own = box(symbol(target).index, _ranges(home))
        for gift in self._gifts.get(name_of(target), {}):
            if gift != _Gift(target, home):
                yield own, gift

    def adds(self, var: Expr, loops: Sequence[Loop]) -> bool:
        """Tell whether a share of an adjoint may come to what another gave, or was set to zero."""
        mine = _Gift(var, down(loops))
        gifts = self._gifts.get(name_of(var), Counter())
        others = [gift for gift in gifts if gift != mine]
        if not mine.is_one_to_one or gifts[mine] > 1 or name_of(var) in self._zeroed:
            return True
        return any(not are_apart(mine.box, gift.box) for gift in others)

    @cached_property
    def _zeroed(self) -> set[str]:
        return {name_of(b.target) for b in self._uncovered}

    @cached_property
    def _uncovered(self) -> list[Binding]:
        """The lines of families some of whose members may be read by nothing, others being read."""
        found = []
        families = self.program.families
        given = [v for v in self.program.given if name_of(v) in families]
        whole = [Binding(v, v, loops=(families[name_of(v)],)) for v in given]
        for line in (*self.program.bindings, *whole):
            if not symbol(line.target).index or line.name not in self.names or line.adds:
                continue
            gifts: Iterable[_Gift] = self._gifts.get(line.name, {})
            own = box(symbol(line.target).index, _ranges(line.loops))
            met = [gift for gift in gifts if not are_apart(own, gift.box)]
            full = [gift.box for gift in met if gift.is_full]
            if met and not covered(own, full + self._seeded(line)):
                found.append(line)
        return found

    def _seeded(self, line: Binding) -> list[Box]:
        """Return the place of the member that a sweep starts at, where that is an output."""
        result = self.program.result
        is_seed = self.program.loss is None and line.name == name_of(result)
        return [box(symbol(result).index, [])] if is_seed else []

    def lacking(self) -> set[str]:
        """Return the families that are entered, and some of whose members get nothing inside."""
        found = set()
        for line in self.program.bindings:
            if line.name not in self.entered or not symbol(line.target).index:
                continue
            own = box(symbol(line.target).index, _ranges(line.loops))
            inside = [g for g in self._gifts.get(line.name, {}) if not g.outside and g.is_full]
            if not covered(own, [gift.box for gift in inside]):
                found.add(line.name)
        return found

    def zero_lines(self) -> list[Step]:
        """Return the lines that set adjoints to zero which may be given nothing."""
        made = []
        for line in self._uncovered:
            if line.name in self.entered:
                continue  # whoever enters the sweep sets them
            target, expr = bar(line.target), zeros(*line.target.shape)
            law = "zero before the first term"
            made.append(Step(target, expr, expr, law, loops=down(line.loops)))
        return made


def is_beside(var: Expr, line: Binding, gifts: Gifts) -> bool:
    """Tell whether what a line reads is made, or given, beside it: in the same loops and turn."""
    if var in gifts.homes:
        return gifts.homes[var] == line.loops
    return not symbol(var).index and not line.loops


def _ranges(loops: Iterable[Loop]) -> list[Range]:
    return [(loop.letter, loop.start, loop.stop) for loop in loops]


def _symbols(place: Dim) -> set[sp.Symbol]:
    return set() if isinstance(place, int) else place.free_symbols


def _runs(lines: Sequence[Binding], depth: int = 0) -> Iterator[Sequence[Binding]]:
    """Yield the lines that stand together in the same loops."""
    for loop, group in blocks(lines, depth):
        if loop is None:
            yield group
        else:
            yield from _runs(group, depth + 1)


def _reaching(program: Program, entered: Iterable[str]) -> set[str]:
    """Return the names that the result depends on, or what enters besides."""
    found, before = {name_of(program.result), *entered}, -1
    while len(found) > before:
        before = len(found)
        for binding in reversed(program.bindings):
            if binding.name in found:
                found.update(name_of(v) for v in variables(binding.expr))
        if not any(binding.loops for binding in program.bindings):
            break
    return found
