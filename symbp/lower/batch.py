"""From one example to a batch: the letter of the examples, and numbers in place of sizes.

A value that depends on an input gets a leading axis, one row an example; the sum over the
examples, which the derivation writes as an operation, becomes a sum over that axis.  So
`W h` is `ni,mi->nm` and δ hᵀ is `nm,ni->mi`: nothing is derived anew.
"""

from collections.abc import Sequence
from dataclasses import replace

import sympy as sp

from symbp.ir import Expr, Variable, is_holder, size_symbol, variables
from symbp.ops.rewrite import lift, rename, repeat, resize
from symbp.program import Binding, Program

EXAMPLES = sp.Symbol("N", integer=True, nonnegative=True)  # no user's size: those are positive
"""The number of examples of a batch."""


class Batch:
    """Lines of a program, rewritten for a batch of examples at the program's sizes."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.sizes: dict[sp.Expr, int] = {
            size_symbol(name): value for name, value in program.sizes.items() if value is not None
        }
        self.sized: dict[Expr, Expr] = {}
        self.lifted: dict[Expr, Expr] = {}
        self.known: dict[Expr, Expr] = {}
        self.names: dict[Expr, Expr] = {}

    def expr(self, expr: Expr) -> Expr:
        """Return an expression for the whole batch."""
        sized = resize(expr, self.sizes, self.sized)
        grown = {v: self._grow(v) for v in variables(sized) if v.batched}
        return lift(sized, grown, EXAMPLES, self.lifted)

    def name(self, var: Expr) -> Expr:
        """Return the variable that holds a variable's values of the whole batch."""
        if var not in self.names:
            self.names[var] = var if is_holder(var) else self.expr(var)
        return self.names[var]

    def lines(self, bindings: Sequence[Binding]) -> tuple[Binding, ...]:
        """Return lines for the whole batch."""
        return tuple(self._line(binding) for binding in bindings)

    def _line(self, binding: Binding) -> Binding:
        target, expr = self.name(binding.target), self.expr(binding.expr)
        if expr.rank < target.rank:
            expr = repeat(expr, EXAMPLES)
        return replace(binding, target=target, expr=expr)

    def _grow(self, var: Expr) -> Expr:
        if var not in self.known:
            assert isinstance(var.op, Variable)
            self.known[var] = rename(var, dims=(EXAMPLES, *var.shape))
        return self.known[var]
