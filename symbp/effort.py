"""What a derivation costs: operations of the ways to a gradient, and the numbers they store."""

from dataclasses import dataclass, replace
from functools import cached_property

import sympy as sp
from sympy.core.function import AppliedUndef

from symbp.derive.derivation import Derivation
from symbp.emit.trial import trial
from symbp.ir import Dim, name_of, size_symbol
from symbp.lower.batch import EXAMPLES
from symbp.lower.cost import in_symbols, line_operations
from symbp.lower.loopsum import equal_sizes, summed
from symbp.lower.naive import operations_apart
from symbp.lower.numbers import Given, Numbers
from symbp.lower.stored import Live, kept, live, scalars
from symbp.program import Binding, Program


@dataclass(frozen=True)
class Counts:
    """Operations and stored numbers, formulas in the sizes and in N, the number of examples.

    forward: the forward pass.  reverse: it and the reverse sweep, all gradients together.
    tangent: one tangent sweep.  parameters: how many numbers there are to differentiate by.
    naive: the forward pass, then each gradient worked out on its own from the loss.
    stored: what the forward pass keeps for the reverse sweep.
    live: what each line needs beside it; `known`: numbers for sizes.
    """

    program: Program
    forward: sp.Expr
    reverse: sp.Expr
    tangent: sp.Expr
    naive: sp.Expr
    parameters: sp.Expr
    stored: sp.Expr
    live: tuple[Live, ...]
    known: Numbers

    @property
    def by_forward_mode(self) -> sp.Expr:
        """The forward pass, and a tangent sweep for each parameter."""
        return self.forward + self.parameters * self.tangent

    @cached_property
    def widths(self) -> tuple[sp.Symbol, ...]:
        """The sizes of axes that are no family's members."""
        every = [*self.program.given, *(line.target for line in self.program.bindings)]
        found = {s for v in every for dim in v.shape for s in _plain_sizes(dim)}
        return tuple(sorted(found, key=str))

    def equal(self, count: sp.Expr) -> sp.Expr:
        """Return a count where all axes have one size, `width`."""
        return equal_sizes(count, self.widths, self.width)

    @property
    def width(self) -> sp.Symbol:
        """The size of all axes where they are taken to be equal: d, or a letter of no range."""
        ranges = {size_symbol(name) for name in self.program.sizes} - set(self.widths)
        return next(s for s in map(size_symbol, ("d", "w", "m", "width")) if s not in ranges)

    @cached_property
    def trial(self) -> Numbers:
        """Numbers for all sizes: those known, or small ones; one example where N has no number."""
        known, examples = _for_one(self.known), self.known.sizes.get(EXAMPLES, 1)
        if known.value(self.reverse).is_Integer and known.value(self.stored).is_Integer:
            return known
        found = Numbers.of(trial(self.program).sizes)
        return replace(found, sizes={**found.sizes, EXAMPLES: examples})

    @property
    def is_known(self) -> bool:
        """Whether all sizes have numbers."""
        return self.trial.members is self.known.members

    @property
    def ratio(self) -> float:
        """How many times the operations of the forward pass reverse mode takes, at `trial`."""
        forward = self.trial.value(self.forward)
        return float(self.trial.value(self.reverse) / forward) if forward else 0.0

    @property
    def largest_live(self) -> int:
        """How many values and tangents the largest line of forward mode needs, at `trial`."""
        found = (self.trial.largest(one.values, one.loops) for one in self.live)
        return 2 * int(max(found, default=0))

    def at(self, **sizes: Given) -> dict[str, sp.Expr]:
        """Return each count at numbers for sizes, `K=3, D=(784, 128, 10), N=32`.

        What has no number stays a symbol; N is 1 unless given.  Raises SymbpError for a name that
        is no size.
        """
        known = _for_one(self.known.among(self.program, sizes))
        return {name: known.value(getattr(self, name)) for name in COUNTS}


COUNTS = ("forward", "reverse", "by_forward_mode", "naive", "stored")
"""The counts of a derivation."""


def counts(derivation: Derivation) -> Counts:
    """Return what the two modes of a derivation cost, and the ways that nobody takes.

    Source: 000, section 2.2, on how often products are repeated; 001, problems 7.11 and 7.13.
    """
    program = derivation.program
    sizes = {size_symbol(name): k for name, k in program.sizes.items() if k is not None}
    counting = in_symbols(sizes)

    def worth(line: Binding) -> sp.Expr:
        return sp.S(line_operations(line, counting))

    primal, tangent, adjoint = (
        [step.binding for step in steps]
        for steps in (derivation.primal, derivation.tangent, derivation.adjoint)
    )
    forward = summed(primal, worth)
    return Counts(
        program,
        forward=forward,
        reverse=forward + summed(adjoint, worth),
        tangent=summed(tangent, worth),
        naive=forward + operations_apart(adjoint, {name_of(v) for v in program.given}, worth),
        parameters=scalars(program.wrt, program, counting),
        stored=kept(derivation, counting),
        live=live(primal, counting),
        known=Numbers(sizes),
    )


def _for_one(known: Numbers) -> Numbers:
    """Return numbers with one example, unless they say how many."""
    return replace(known, sizes={EXAMPLES: 1, **known.sizes})


def _plain_sizes(dim: Dim) -> set[sp.Symbol]:
    """Return the symbols of a size; of a member of a family of sizes, none."""
    members = dict.fromkeys(sp.S(dim).atoms(AppliedUndef), sp.Integer(1))
    return set(sp.S(dim).xreplace(members).free_symbols)
