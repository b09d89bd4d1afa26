"""What `symbp.initialization` returns: variances forward and backward, and the gains of weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import sympy as sp

from symbp.api import Formula
from symbp.derive.derivation import Derivation
from symbp.derive.derive import derive
from symbp.emit.article import Format
from symbp.emit.math import Names
from symbp.errors import SymbpError
from symbp.ir import Expr, name_of
from symbp.moments.choice import Choice, choices
from symbp.moments.line import Moments
from symbp.moments.start import compromise, over
from symbp.moments.terms import size
from symbp.moments.travel import Travel, travel
from symbp.ops.linear import add, scale
from symbp.ops.product import product
from symbp.program import Init, Program
from symbp.report import page_names
from symbp.variances import lines_of, text


@dataclass(frozen=True)
class Moment:
    """The moments of a line's entries, as formulas in those of the lines that it reads.

    missing: why they are not derived, nothing where they are.
    """

    mean: Formula
    second: Formula
    variance: Formula
    missing: str = ""


@dataclass(frozen=True)
class WeightGain:
    """What keeps variances at a weight: E[φ(z)²] and E[φ′(z)²], and the variances that follow.

    forward, backward: gains at Var[z] = 1, in closed form where there is one, else floats; where
    several products are added each may bring its share, which the gains include.
    forward_variance, backward_variance, compromise: of the weight's entries, in the sizes.
    """

    forward: Any
    backward: Any
    forward_variance: Formula
    backward_variance: Formula
    compromise: Formula


@dataclass(frozen=True)
class Step:
    """One equation of the derivation, with the assumption or the law that it uses."""

    left: str
    right: str
    law: str

    def __str__(self) -> str:
        return f"{self.left} = {self.right}   {self.law}"


@dataclass(frozen=True)
class Initialization:
    """How variances travel through a program at the start, and which weights keep them.

    `forward` and `backward` have the moments of each line and of its adjoint, by the line's name;
    `gains` those of each weight, by the parameter's; `steps` every equation.
    """

    found: Travel
    chosen: tuple[Choice, ...]

    @property
    def program(self) -> Program:
        """The program."""
        return self.found.program

    @cached_property
    def names(self) -> Names:
        """How names are printed."""
        return page_names(self.program)

    @cached_property
    def forward(self) -> Mapping[str, Moment]:
        """The moments of each line up to the output."""
        return {str(line.target.op): self._moment(line) for line in self.found.forward}

    @cached_property
    def backward(self) -> Mapping[str, Moment]:
        """The moments of the derivative by each line, by the line's name."""
        return {_of(line): self._moment(line) for line in self.found.backward}

    @cached_property
    def gradients(self) -> Mapping[str, Moment]:
        """The moments of the derivative by each parameter, for one example."""
        return {_of(line): self._moment(line) for line in self.found.gradients}

    @cached_property
    def gains(self) -> Mapping[str, WeightGain]:
        """The gains of each matrix of weights."""
        return {name_of(choice.weight): self._gain(choice) for choice in self.chosen}

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Every equation, in the order in which they are printed."""
        return tuple(Step(*row) for row in lines_of(self.found, self.chosen))

    def text(self, format: Format) -> str:
        """Return the derivation as Unicode text, as a LaTeX article or as Markdown."""
        return text(self.found, self.chosen, format)

    def unicode(self) -> str:
        """Return the derivation as text for a terminal."""
        return self.text("unicode")

    def latex(self) -> str:
        """Return the derivation as a LaTeX article."""
        return self.text("latex")

    def markdown(self) -> str:
        """Return the derivation as Markdown with mathematics between dollar signs."""
        return self.text("markdown")

    def __str__(self) -> str:
        return self.unicode()

    def _moment(self, line: Moments) -> Moment:
        mean, second, variance = (
            self._formula(expr, line) for expr in (line.mean, line.second, line.variance)
        )
        return Moment(mean, second, variance, line.missing)

    def _formula(self, expr: Expr, line: Moments) -> Formula:
        return Formula(expr, self.names, line.loops)

    def _gain(self, choice: Choice) -> WeightGain:
        gains = (choice.forward, choice.backward)
        counts = (choice.fan_in, choice.fan_out)
        counted = [product([(gain.expr, ()), (size(n), ())], ())
                   for gain, n in zip(gains, counts, strict=True)]  # fmt: skip
        numbers = (choice.forward.whole, choice.backward.whole)
        known = not any(gain.missing for gain in gains)
        both = compromise(numbers, *counts) if known else scale(2, over(add(*counted)))
        found = (*map(over, counted), both)
        return WeightGain(*numbers, *(Formula(one, self.names, choice.loops) for one in found))


def _of(line: Moments) -> str:
    op: Any = line.target.op
    return str(replace(op, name=op.of))


def initialization(program: Program) -> Initialization:
    """Return how variances travel through a program at the start, and which weights keep them."""
    return of_derivation(derive(program))


def of_derivation(derivation: Derivation) -> Initialization:
    """Return the same from a derivation that is there."""
    found = travel(derivation)
    chosen = tuple(choices(found))
    return Initialization(replace(found, program=_with_gains(found.program, chosen)), chosen)


def resolved(program: Program, derivation: Derivation | None = None) -> Program:
    """Return a program whose `init auto` has its gains: the derived compromise.

    Raises SymbpError where a gain depends on what has no number.
    """
    if not any(_is_open(program.init_of(v)) for v in program.params):
        return program
    found = of_derivation(derivation or derive(program))
    for choice in found.chosen:
        if _is_open(_init_of(program, choice)):
            _check_closed(choice)
    return replace(program, inits=found.program.inits)


def _init_of(program: Program, choice: Choice) -> Init:
    """Return how the weight of a choice is drawn."""
    name = name_of(choice.weight)
    return next(program.init_of(v) for v in program.params if name_of(v) == name)


def _with_gains(program: Program, chosen: Sequence[Choice]) -> Program:
    """Return a program whose `init auto` has gains where they are numbers; 1 where none acts."""
    gains = {
        name_of(choice.weight): None
        if choice.forward.missing or choice.backward.missing
        else choice.gains
        for choice in chosen
    }
    one = (sp.Integer(1), sp.Integer(1))
    inits = dict(program.inits)
    for var in program.params:
        init = program.init_of(var)
        if _is_open(init):
            inits[name_of(var)] = replace(init, gains=gains.get(name_of(var), one))
    return replace(program, inits=inits)


def _check_closed(choice: Choice) -> None:
    """Raise SymbpError where the gains of a weight depend on what has no number."""
    missing = next((g.missing for g in (choice.forward, choice.backward) if g.missing), "")
    unknown = sorted({str(s) for gain in choice.gains for s in sp.S(gain).free_symbols})
    if unknown:
        missing = f"{', '.join(unknown)} has no number"
    if missing:
        what = f"`init auto` of {name_of(choice.weight)} has no variance: {missing}"
        raise SymbpError(what, "write a number in its place, or another `init`")


def _is_open(init: Init) -> bool:
    return init.kind == "auto" and init.gains is None
