"""The statements of a sweep with loops.

A family is a dict by places, so that `h[k - 1]` is written as it is said; what one turn makes and
alone reads is a plain name.  What is added to begins with zeros in front of the loop.
"""

from collections.abc import Collection, Mapping, Sequence

import sympy as sp

from symbp.emit.arrays import Arrays
from symbp.emit.body import Body
from symbp.emit.fitting import fitted
from symbp.emit.identifiers import Identifiers
from symbp.emit.lines import count, is_view
from symbp.emit.segmented import Segmented
from symbp.emit.syntax import WIDTH, text
from symbp.ir import Expr, holder, is_variable, name_of, symbol, variables
from symbp.lower.reads import is_number
from symbp.program import Binding, Loop, blocks


class LoopedBody(Body):
    """Writes lines as statements, loops as blocks of them."""

    def __init__(
        self,
        names: Identifiers,
        arrays: Arrays,
        lines: Sequence[Binding],
        returned: Collection[Expr],
        models: Mapping[Expr, Expr | None],
        carried: Collection[str],
    ) -> None:
        super().__init__(arrays, lines, returned, models)
        fresh = {line.name for line in lines if line.name in carried}
        self.carried = fresh - {x.name for x in lines if not x.expr.args or is_view(x.expr)}
        self.places = names
        members = (line.target for line in lines if symbol(line.target).index)
        self.last.update(dict.fromkeys(members, len(lines)))
        self.home = {line.target: line.loops for line in lines}
        self.begun = {line.target for line in lines if not line.adds}
        self.segmented: Mapping[sp.Symbol, Segmented] = {}

    def statements(self) -> list[str]:
        """Return the statements in order."""
        return self._block(list(enumerate(self.lines)), 0)

    def _block(
        self, lines: Sequence[tuple[int, Binding]], depth: int, further: int = 0
    ) -> list[str]:
        """Return the statements of lines in `depth` loops; `further` is how much deeper they go."""
        made: list[str] = []
        position = 0
        for loop, group in blocks([line for _, line in lines], depth):
            own = lines[position : position + len(group)]
            position += len(group)
            if loop is None:
                for place, line in own:
                    made += self._guarded(line, place, WIDTH - 4 * (depth + further))
                continue
            made += [x for line in group for x in self._begun(line, depth)]
            is_turn = not depth and not all(map(is_number, group))  # zeros alone want no values
            inner = self.segmented.get(loop.letter) if is_turn else None
            if inner is not None:
                turn = self._block(own, depth + 1, 1) if loop.down else []
                made += inner.backward(turn) if loop.down else inner.forward()
                continue
            made.append(f"for {self.places.letter(loop.letter)} in {self._range(loop)}:")
            made += [f"    {line}" for line in self._block(own, depth + 1, further)]
        return made

    def _guarded(self, line: Binding, position: int, room: int) -> list[str]:
        """Return the statements of a line, under a condition where some turns leave it out."""
        if line.since is None:
            return fitted(self.statement(line, position), self.taken, room)
        letter = self.places.letter(line.loops[-1].letter)
        made = fitted(self.statement(line, position), self.taken, room - 4)
        head = f"if {letter} > {self.places.place(line.since - 1)}:"
        return [head, *(f"    {x}" for x in made)]

    def _range(self, loop: Loop) -> str:
        place = self.places.place
        if loop.down:
            return f"range({place(loop.stop)}, {place(loop.start - 1)}, -1)"
        return f"range({place(loop.start)}, {place(loop.stop + 1)})"

    def _begun(self, line: Binding, depth: int) -> list[str]:
        """Return the line with zeros that a sum over a loop begins with, in front of that loop."""
        target = line.target
        if not line.adds or symbol(target).index or target in self.begun:
            return []
        self.begun.add(target)
        model, name = self.models.get(target), self.arrays.names[target]
        if symbol(target).role != "line" and "bar" in symbol(target).name and model is not None:
            typed = ": Array" if target is self.annotated else ""
            return [f"{name}{typed} = np.zeros_like({self.arrays.names[model]})"]
        return [f"{name}: Any = 0.0"]

    def statement(self, line: Binding, position: int) -> list[str]:
        """Return the statements of one line."""
        made = self._adding(line) if line.adds else super().statement(line, position)
        if symbol(line.target).index or line.adds:
            self.owned.discard(line.target)
        if is_variable(line.expr):
            self.owned.discard(line.expr)  # it has two names now
        return made

    def _beside(self, line: Binding) -> Sequence[Binding]:
        return [other for other in self.lines if other.loops == line.loops]

    def _adding(self, line: Binding) -> list[str]:
        self.arrays.like = self._like(line)
        code = text(self._filled(line).code)
        target = line.target
        name = self.arrays.names[target]
        if not symbol(target).index:
            model = self.models.get(target)  # one that is no parameter's may have to turn complex
            of_param = model is not None and symbol(model).role == "param"
            in_place = of_param and symbol(target).role == "adjoint"
            return [f"{name} += {code}" if in_place else f"{name} = {name} + {code}"]
        self.arrays.helpers.add("added")
        places = ", ".join(map(self.places.place, symbol(target).index))
        places = f"({places})" if len(symbol(target).index) > 1 else places
        return [f"_add({self.arrays.names[holder(target)]}, {places}, {code})"]

    def _dead(self, expr: Expr, line: Binding, position: int) -> bool:
        if is_variable(expr) and name_of(expr) in self.carried and line.loops:
            alike = expr.shape == line.target.shape and self._holds(expr, [line.expr])
            return alike and self._last_read(expr) == position and count(line.expr, expr) == 1
        same_turn = self.home.get(expr) == line.loops
        return same_turn and super()._dead(expr, line, position)

    def _last_read(self, var: Expr) -> int:
        """Return the position of the last line that reads a variable."""
        return max(k for k, line in enumerate(self.lines) if var in variables(line.expr))
