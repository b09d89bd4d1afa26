"""The moments of every line of a derivation: forward, backward, and of the weights' gradients."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from symbp.derive.derivation import Derivation, Step
from symbp.derive.proof import index_letters
from symbp.derive.reading import read
from symbp.ir import Expr, holder, name_of, symbol, variables
from symbp.moments.knowledge import Knowledge, Turn
from symbp.moments.known import Known, NotDerived
from symbp.moments.line import LineMoments, Moments, learnt
from symbp.ops.expectation import mean, one_entry, square
from symbp.program import Binding, Program, needed


@dataclass(frozen=True)
class Travel:
    """How moments travel through a program.

    forward: each line up to the output.  backward: the adjoint of each line, from the output on.
    gradients: the adjoints of the parameters.  start: the adjoint that the backward lines start
    from.  letters: those of the axes, then of sums.
    """

    program: Program
    forward: tuple[Moments, ...]
    backward: tuple[Moments, ...]
    gradients: tuple[Moments, ...]
    start: Expr | None
    letters: tuple[str, ...]
    knowledge: Knowledge

    @property
    def lines(self) -> tuple[Moments, ...]:
        """Every line, in the order in which moments are found."""
        return (*self.forward, *self.backward, *self.gradients)


def travel(derivation: Derivation) -> Travel:
    """Return the moments of every line that can be derived, and why of the others."""
    program, reading = derivation.program, read(derivation)
    output = program.output if program.output is not None else program.result
    bindings = [step.binding for step in derivation.primal]
    wanted = {b.target for b in needed(bindings, [output])}
    forward = [s for s in reading.primal if s.target in wanted and s.target is not s.expr]
    adjoints = [s for s in reading.adjoint if s.shown]
    own = {holder(s.target) for s in forward}
    names = {(symbol(v).name) for v in own}
    backward = [s for s in adjoints if symbol(s.target).of in names]
    params = {name_of(v) for v in program.params}
    gradients = [s for s in adjoints if symbol(s.target).of in params]
    lines = [Binding(s.target, s.expr) for s in (*forward, *adjoints)]
    letters = index_letters(lines, _loop_letters((*forward, *adjoints)))
    walk = _Walk(program, letters)
    ahead, back, last = walk.settled(forward, backward, gradients)
    start = backward[0].target if backward else None
    return Travel(program, ahead, back, last, start, letters, walk.knowledge)


def _loop_letters(steps: Sequence[Step]) -> set[str]:
    return {loop.letter.name for step in steps for loop in step.loops}


class _Walk:
    """Goes through the lines; members of families are as all the lines say that define one."""

    def __init__(self, program: Program, letters: tuple[str, ...]) -> None:
        self.program, self.letters = program, letters
        self.families: dict[Expr, Known] = {}
        self.turns: dict[Expr, tuple[Turn, ...]] = {}

    def settled(self, *parts: Sequence[Step]) -> list[tuple[Moments, ...]]:
        """Return the moments of each part, once what is known of families changes no more.

        A family's members are first taken to be centred and normal; a line that makes one another
        takes that back (the greatest fixed point).
        """
        for _ in range(_PASSES):
            self.knowledge = Knowledge(given(self.program), self.families, self.turns)
            self.axes: dict[Expr, int] = {}
            made = [tuple(self._moments(step, part is parts[0]) for step in part) for part in parts]
            before = (self.families, self.turns)
            self.families, self.turns = self._families(), self._turns()
            if before == (self.families, self.turns):
                break
        return made

    def _moments(self, step: Step, ahead: bool) -> Moments:
        entry = one_entry(step.target)
        try:
            line = LineMoments(step.target, step.expr, self.knowledge, self.letters)
            made = line.moments()
            found = learnt(line, made)
            if ahead:
                self._check_axes(found[entry])
            self.knowledge.facts |= found
        except NotDerived as reason:
            made = Moments(entry, step.expr, mean(entry), mean(square(entry)), (), str(reason))
            self.knowledge.facts[entry] = Known(roots=self._roots(step))
        return replace(made, loops=step.loops)

    def _roots(self, step: Step) -> frozenset[Expr]:
        """Return what a line that is not derived may depend on."""
        read = (self.knowledge.roots(var) for var in variables(step.expr))
        return frozenset((one_entry(step.target),)).union(*read)

    def _check_axes(self, known: Known) -> None:
        """Raise NotDerived where the forward pass has a weight and its transpose."""
        for one in known.products:
            name = symbol(one.weight)
            if name.symmetric and one.weight in self.axes:
                raise NotDerived(f"{name} is its own transpose, and not independent of it")
            if one.read is None:
                continue
            if self.axes.setdefault(one.weight, one.axis) != one.axis:
                raise NotDerived(f"{name} and its transpose meet, and are not independent")

    def _turns(self) -> dict[Expr, tuple[Turn, ...]]:
        """Return what each line in a loop says of the member at its letters."""
        found: dict[Expr, tuple[Turn, ...]] = {}
        for entry, known in self.knowledge.facts.items():
            index = symbol(entry).index
            if index and symbol(entry).role in ("line", "adjoint"):
                found[holder(entry)] = (*found.get(holder(entry), ()), (index, known))
        return found

    def _families(self) -> dict[Expr, Known]:
        """Return what holds for all members of each family that a line defines."""
        found: dict[Expr, Known] = {}
        for entry, known in self.knowledge.facts.items():
            if not symbol(entry).index or symbol(entry).role not in ("line", "adjoint"):
                continue
            family = holder(entry)
            before = found.get(family, Known(True, normal=True))
            found[family] = Known(
                before.centred and known.centred,
                normal=before.normal and known.normal,
                roots=frozenset((family,)),
            )
        return found


_PASSES = 10
"""Through the lines; what is known of members settles in two or three."""


def given(program: Program) -> dict[Expr, Known]:
    """Return what is known of what a program is given.

    Inputs are taken as standard normal, weights as independent with mean zero.
    """
    found: dict[Expr, Known] = {}
    arrays = any(line.target.rank for line in program.bindings)
    for var in program.given:
        entry, role = one_entry(var), symbol(var).role
        key = holder(entry) if symbol(entry).index else entry
        alone = not var.rank and arrays and role in ("param", "const")
        roots = frozenset() if alone else frozenset((key,))
        if role == "param":
            zero = var.rank < 2 and program.init_of(var).kind in ("zero", "auto")
            found[key] = Known(not alone, zero and not alone, fixed=alone, roots=roots)
        elif role == "input":
            found[key] = Known(True, normal=True, roots=roots)
        elif role == "const":
            found[key] = Known(fixed=alone, roots=roots)
        else:
            found[key] = Known(roots=roots)
    return found
