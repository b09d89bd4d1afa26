"""How much a module that runs its loops in segments holds at most: a function of the sizes."""

import ast
from collections import Counter
from collections.abc import Iterable, Sequence

import sympy as sp

from symbp.emit.looped_parameters import LoopedParameters
from symbp.emit.sweeps import Function
from symbp.emit.syntax import WIDTH, assigned
from symbp.emit.text import indented, wrapped
from symbp.ir import Expr, is_holder, name_of, symbol
from symbp.lower.schedule import Schedule
from symbp.lower.segments import Segment
from symbp.program import Binding


class Peak:
    """The function `peak_numbers` of a network with one loop that is run in segments."""

    def __init__(self, schedule: Schedule, parameters: LoopedParameters) -> None:
        self.schedule, self.parameters, self.names = schedule, parameters, parameters.names
        self.segment: Segment = schedule.segments[0]
        self.letter = self.names.letter(self.segment.letter)

    def function(self) -> Function | None:
        """Return the function, None where what is held cannot be told turn by turn."""
        if len(self.schedule.segments) > 1 or any(len(x.loops) > 1 for x in self._lines()):
            return None
        sizes = self.parameters.every_size
        arguments = ["examples: int", *(["*", *self.parameters.typed(sizes)] if sizes else [])]
        signature = wrapped("def peak_numbers(", arguments, ") -> int:")
        doc = "Return how many numbers loss_and_grad holds at its peak, its arguments not counted."
        body = [*self.parameters.told(sizes), *self._counted(), *self._largest()]
        return Function(signature, doc, indented(body))

    def _lines(self) -> list[Binding]:
        sweeps = self.schedule.sweeps
        return [line for name in ("primal", "loss", "loss_bar", "adjoint") for line in sweeps[name]]

    def _counted(self) -> list[str]:
        """Return the lines that count what a turn hands on, holds and leaves behind."""
        values, bars = self.segment.values, self.segment.bars
        carried = [one.family for one in values if one.carried]
        held = [one.family for one in (*values, *bars)]
        grads = [v for v in self.schedule.results("adjoint") if is_holder(v)]
        lines = [*self._each("handed_on", carried), *self._each("of_turn", held)]
        lines += self._each("gradients", grads)
        rest = _total(map(self._numbers, self._others({*held, *grads})))
        return [*lines, *assigned("rest", ast.parse(rest, mode="eval").body)]

    def _each(self, name: str, families: Sequence[Expr]) -> list[str]:
        members = [v for family in families if (v := self._member(family)) is not None]
        total, turns = _total(map(self._numbers, members)), f"for {self.letter} in {self._turns()}"
        line = f"{name} = {{{self.letter}: {total} {turns}}}"
        if len(line) <= WIDTH:
            return [line]
        return [f"{name} = {{", f"    {self.letter}: {total}", f"    {turns}", "}"]

    def _turns(self) -> str:
        loop, place = self.segment.loop, self.names.place
        return f"range({place(loop.start)}, {place(loop.stop + 1)})"

    def _member(self, family: Expr) -> Expr | None:
        """Return a member of a family at the turn's place, as the loop's lines have it."""
        for line in self._lines():
            target = line.target
            own = bool(line.loops) and line.loops[0].letter == self.segment.letter
            if own and name_of(target) == name_of(family) and symbol(target).index:
                behind = sp.expand(symbol(target).index[0] - self.segment.letter)
                if behind == 0:
                    return target
        return None

    def _others(self, counted: Iterable[Expr]) -> list[Expr]:
        """Return what else stays until the end: plain arrays, and members outside the loop."""
        names = {name_of(v) for v in counted}
        found: dict[Expr, None] = {}
        for line in self._lines():
            inside = bool(line.loops)
            member = bool(symbol(line.target).index)
            kept = not inside and (not member or name_of(line.target) in names)
            if kept and line.target.rank and line.expr.args:
                found[line.target] = None
        return list(found)

    def _numbers(self, var: Expr) -> str:
        return " * ".join(self.parameters.dims(var)) or "1"

    def _largest(self) -> list[str]:
        loop, place, k = self.segment.loop, self.names.place, self.letter
        start, end = place(loop.start), place(loop.stop + 1)
        return [
            f"step = _every({place(loop.stop - loop.start + 1)})",
            "most = 0",
            f"for first in range({start}, {end}, step):",
            f"    last = min(first + step, {end}) - 1",
            f"    held = sum(handed_on[{k}] for {k} in range({self._first_end()}, first, step))",
            f"    held += sum(of_turn[{k}] for {k} in range(first, last + 1))",
            f"    held += sum(gradients[{k}] for {k} in range(first, {end}))",
            "    most = max(most, held)",
            "work = max(of_turn.values(), default=0)",
            "numbers: int = most + rest + work",
            "return numbers",
        ]

    def _first_end(self) -> str:
        before = sp.S(self.segment.loop.start) - 1
        return "step" if before == 0 else f"{self.names.place(before)} + step"


def _total(terms: Iterable[str]) -> str:
    """Return the code of a sum, equal terms counted."""
    counts = Counter(terms)
    return " + ".join(t if n == 1 else f"{n} * {t}" for t, n in counts.items()) or "0"
