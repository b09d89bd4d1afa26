"""What a derivation is: the lines of each sweep, and the law that made each line."""

from dataclasses import dataclass
from functools import cached_property

from symbp.ir import Expr, name_of, symbol
from symbp.program import Binding, Loop, Program


@dataclass(frozen=True)
class Path:
    """One of the ways along which a value reaches the result: through `consumer`."""

    consumer: Expr
    term: Expr


@dataclass(frozen=True)
class Step:
    """One line of a sweep, `target = expr`.

    rule: the right-hand side as the operation's rule gave it; equal to `expr` in value.
    law: what made the line, as a reader would cite it.
    paths: for an adjoint, the terms of the sum and the lines they come through.
    note: a sentence for the reader, or nothing.
    loops, adds: the loops that the line stands in, and whether it adds to its target; as in
    `Binding`.
    """

    target: Expr
    expr: Expr
    rule: Expr
    law: str
    paths: tuple[Path, ...] = ()
    note: str = ""
    shown: bool = True
    loops: tuple[Loop, ...] = ()
    adds: bool = False

    @property
    def name(self) -> str:
        """The name of the line."""
        return name_of(self.target)

    @property
    def binding(self) -> Binding:
        """The line as a program has it."""
        return Binding(self.target, self.expr, self.shown, self.loops, self.adds)


@dataclass(frozen=True)
class Derivation:
    """A program with the lines of both modes.

    program: the program derived, with helper lines named and stable forms put in.
    primal, tangent, adjoint: the sweeps, each line in the order of evaluation.
    warnings: sentences a user must see, such as that no gradient passes.
    """

    program: Program
    primal: tuple[Step, ...]
    tangent: tuple[Step, ...]
    adjoint: tuple[Step, ...]
    warnings: tuple[str, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every line: the forward pass, forward mode, reverse mode."""
        return (*self.primal, *self.tangent, *self.adjoint)

    def step(self, name: str) -> Step:
        """Return the line of a name (`f1`, `f1_dot`, `f1_bar`).  Raises KeyError."""
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)

    def step_of_gradient(self, name: str) -> Step:
        """Return the line of ∂result/∂name.  Raises KeyError where there is none."""
        return self._gradients[name]

    @cached_property
    def _gradients(self) -> dict[str, Step]:
        """The lines of the reverse sweep by what each is the adjoint of, the first of several."""
        return {symbol(step.target).of: step for step in reversed(self.adjoint)}
