"""Programs: lines of expressions in the user's own names, a Wengert list.

Between lines a value is referred to by its name, so that cost grows with the number of lines and
never with the written-out expression (Griewank & Walther 2008, section 2.2).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from symbp.ir import Expr, name_of, variables


@dataclass(frozen=True)
class Binding:
    """One line `target = expr`.  `shown` is false for a helper line that a reader need not see."""

    target: Expr
    expr: Expr
    shown: bool = True

    @property
    def name(self) -> str:
        """The name of the line."""
        return name_of(self.target)


@dataclass(frozen=True)
class Init:
    """How a parameter is drawn: `he`, `xavier`, `lecun`, `orthogonal`, `zero` or `normal`."""

    kind: str
    variance: Fraction | None = None


@dataclass(frozen=True)
class Program:
    """A network or an identity: what is given, the lines, and what to differentiate.

    `loss` is a scalar line (None where there is none), `output` what `forward` returns.
    `reduction` says how the losses of the examples are joined.  `wrt` are the names to
    differentiate by.  `kind` is "network" (emitted with Params) or "identity" (value and grad).
    """

    name: str
    bindings: tuple[Binding, ...]
    inputs: tuple[Expr, ...] = ()
    targets: tuple[Expr, ...] = ()
    params: tuple[Expr, ...] = ()
    consts: tuple[Expr, ...] = ()
    output: Expr | None = None
    loss: Expr | None = None
    wrt: tuple[Expr, ...] = ()
    title: str = ""
    reduction: Literal["mean", "sum"] = "mean"
    sizes: Mapping[str, int | None] = field(default_factory=dict)
    inits: Mapping[str, Init] = field(default_factory=dict)
    kind: Literal["network", "identity"] = "network"
    source: str = ""
    origin: str = ""

    @property
    def given(self) -> tuple[Expr, ...]:
        """Everything the program is given: inputs, targets, consts, params."""
        return (*self.inputs, *self.targets, *self.consts, *self.params)

    @property
    def result(self) -> Expr:
        """What is differentiated: the loss, or the output where there is no loss."""
        result = self.loss if self.loss is not None else self.output
        assert result is not None
        return result

    def definition(self, target: Expr) -> Expr | None:
        """Return the expression of a line, None for what is given."""
        return next((b.expr for b in self.bindings if b.target is target), None)


def needed(bindings: Iterable[Binding], roots: Iterable[Expr]) -> list[Binding]:
    """Return the bindings that the roots depend on, in their order."""
    wanted = set(variables(*roots))
    kept: list[Binding] = []
    for binding in reversed(list(bindings)):
        if binding.target in wanted:
            kept.append(binding)
            wanted.update(variables(binding.expr))
    return kept[::-1]
