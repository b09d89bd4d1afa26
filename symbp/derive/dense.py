"""Dense derivatives of a program: Jacobians of an array, Hessians of a scalar, over a batch too."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations_with_replacement
from typing import Literal, TypeAlias

from symbp.derive.derivation import Step
from symbp.derive.forward import bar
from symbp.derive.higher import Derivative, differentiate
from symbp.derive.jacobian import stacked
from symbp.derive.reverse import WEIGHT, loss_parts
from symbp.errors import SymbpError
from symbp.ir import Examples, Expr, name_of, node, symbol
from symbp.ops.linear import add, is_zero
from symbp.ops.product import product
from symbp.program import Binding, Program, needed

Layout: TypeAlias = Literal["array", "vec"]
"""The axes of the value, then those of each variable; or the columns of each stacked."""


@dataclass(frozen=True)
class Wanted:
    """What is asked for besides gradients and the two modes.

    jacobian: of an array; of a scalar it is the gradient.  hessian: of a scalar, with the products
    that hvp asks for alone.  layout: of what is dense.  both_halves: the gradient by a symmetric
    matrix is G + Gᵀ − G ⊙ I, else free, its entries moving one by one.  checkpoint: every how many
    turns of a loop are kept for the reverse sweep, 0 for the root of their number; None for all.
    watch: a function of every value of the forward pass and its adjoint.
    """

    jacobian: bool = False
    hessian: bool = False
    hvp: bool = False
    layout: Layout = "array"
    both_halves: bool = False
    checkpoint: int | None = None
    watch: bool = False

    def check(self, program: Program) -> None:
        """Raise SymbpError where what is asked for is not there."""
        asked = "--hessian" if self.hessian else "--hvp"
        if program.is_looped:
            self._check_lengths(program)
        if (self.hessian or self.hvp) and program.result.rank:
            what = f"{asked} is for a scalar, and {name_of(program.result)} is an array"
            raise SymbpError(what, "`--jacobian` gives its first derivative entry by entry")
        if self.hvp and program.params and program.loss is None:
            what = f"--hvp is for a loss, and {name_of(program.result)} is an output"
            raise SymbpError(what, "`--hessian` gives its second derivatives, or write a loss")
        if self.both_halves:
            self._check_halves(program)
        if self.checkpoint is not None:
            self._check_checkpoint(program)
        if self.watch and not program.params:
            what = f"--watch is for a network, and {program.name} has no parameters"
            raise SymbpError(what, "declare a `param`, or leave it out")
        if self.layout != "array" and not (self.jacobian or self.hessian):
            raise SymbpError(
                f"--layout {self.layout} is for a Jacobian or a Hessian",
                "add `--jacobian` or `--hessian`",
            )

    def _check_lengths(self, program: Program) -> None:
        """Raise SymbpError where what is dense would have a family among its axes."""
        asked = [
            (self.jacobian and program.result.rank > 0, "--jacobian"),
            (self.hessian, "--hessian"),
            (self.hvp, "--hvp"),
            (self.both_halves, "--both-halves"),
            (self.watch, "--watch"),
        ]
        for _, option in (pair for pair in asked if pair[0]):
            what, help = needs_lengths(option, program)
            if option == "--hvp" and program.params and program.loss is not None:
                help += "; `hvp` is in the module without being asked for"
            raise SymbpError(what, help)

    def _check_checkpoint(self, program: Program) -> None:
        """Raise SymbpError where there is no loop whose turns could be worked out again."""
        if not any(line.loops for line in program.bindings):
            what = "--checkpoint is for a loop of symbolic length, and every line stands alone here"
            raise SymbpError(what, "leave the length open, `size K`, and leave out `--set`")
        if program.loss is None:
            raise SymbpError("--checkpoint is for the gradient of a loss", "write `loss = …`")

    def _check_halves(self, program: Program) -> None:
        """Raise SymbpError where there is no gradient whose halves could move together."""
        if program.result.rank or program.params:
            what = "--both-halves is for a scalar expression"
            raise SymbpError(what, "leave it out: the entries move one by one")
        if not any(symbol(v).symmetric for v in program.wrt):
            raise SymbpError(
                "--both-halves is for the gradient by a symmetric matrix",
                "declare one: `--symmetric X`",
            )
        if self.hessian or self.hvp:
            what = "--both-halves is for the gradient alone"
            raise SymbpError(what, "leave it out: second derivatives move each entry by itself")


def needs_lengths(option: str, program: Program) -> tuple[str, str]:
    """Return what to say, and what to write, where an option is asked of a program with loops."""
    (*others, last) = program.lengths
    open_ = f"{', '.join(others)} and {last} are symbols" if others else f"{last} is a symbol"
    numbers = " ".join(f"--set {name}=3" for name in program.lengths)
    what = f"{option} is for loops of known length, and {open_}"
    return what, f"give a number: `{numbers}`, or in Python `symbp.unroll`"


GRADIENTS = Wanted()
"""Nothing besides."""


@dataclass(frozen=True)
class Dense:
    """A dense derivative: a Jacobian by one variable, a Hessian by two.

    reading: for one example, with its steps.
    """

    program: Program
    variables: tuple[Expr, ...]
    reading: Derivative

    @classmethod
    def of(cls, program: Program, variables: tuple[Expr, ...]) -> "Dense":
        """Return the derivative by these variables, one after the other."""
        return cls(program, variables, differentiate(_alone(program), variables))

    @cached_property
    def whole(self) -> Derivative:
        """The derivative for a batch: of the mean or the sum of the losses, plus the penalties.

        By what differs from example to example, each example has a block of its own.
        """
        program = _alone(self.program)
        data, penalty = loss_parts(program) if program.loss is not None else (None, None)
        if data is None or penalty is None or is_zero(data):
            return self.reading
        found = differentiate(_of_loss(program, data), self.variables)
        joined = _joined(found.expr, program, self.variables)
        if not is_zero(penalty):
            penalised = differentiate(_of_loss(program, penalty), self.variables)
            joined = add(joined, penalised.closed)
        return replace(found, expr=joined)

    @property
    def kind(self) -> str:
        """What it is called: `jacobian` or `hessian`."""
        return "jacobian" if len(self.variables) == 1 else "hessian"

    @property
    def is_batched(self) -> bool:
        """Whether each example has a block of its own."""
        outputs = self.program.loss is None and symbol(self.program.result).batched
        return outputs or any(symbol(v).batched for v in self.variables)

    @property
    def ranks(self) -> tuple[int, ...]:
        """How many axes the value has, and each variable."""
        return (self.program.result.rank, *(v.rank for v in self.variables))

    def laid_out(self, expr: Expr, layout: Layout) -> Expr:
        """Return a tensor of these axes in a layout."""
        return stacked(expr, *self.ranks) if layout == "vec" else expr

    @property
    def steps(self) -> tuple[Step, ...]:
        """The lines that lead from the value, or its gradient, to the derivative, which is last."""
        *before, last = self.reading.steps
        start = 0
        if len(self.variables) == 2:
            gradient = bar(self.variables[0])
            start = max((k + 1 for k, s in enumerate(before) if s.target is gradient), default=0)
        lines = [Binding(step.target, step.expr) for step in before[start:]]
        moved = [] if is_zero(last.expr) else [line.target for line in lines[-1:]]
        wanted = {b.target for b in needed(lines, [last.expr, *moved])}
        return (*(step for step in before[start:] if step.target in wanted), last)


def dense(program: Program, wanted: Wanted) -> tuple[Dense, ...]:
    """Return the dense derivatives that are asked for, by the program's variables in order.

    A Hessian has a block for each pair of variables, those that differ from example to example
    first; the block of a pair the other way round is its transpose.  The Jacobian of a scalar is
    its gradient and is left out.  Raises SymbpError as `Wanted.check` does.
    """
    wanted.check(program)
    return tuple(Dense.of(program, variables) for variables in _asked(program, wanted))


def products(program: Program, wanted: Wanted) -> tuple[Dense, ...]:
    """Return the Hessians by one variable each whose products alone are asked for."""
    alone = wanted.hvp and not wanted.hessian
    return tuple(Dense.of(program, (v, v)) for v in program.wrt) if alone else ()


def _asked(program: Program, wanted: Wanted) -> Iterator[tuple[Expr, ...]]:
    if wanted.jacobian and program.result.rank:
        yield from ((var,) for var in program.wrt)
    if wanted.hessian:
        order = sorted(program.wrt, key=lambda v: not symbol(v).batched)
        yield from combinations_with_replacement(order, 2)


def _alone(program: Program) -> Program:
    """Return the program with inputs that stay as they are, unless they are differentiated by."""
    return replace(program, kind="identity")


def _joined(expr: Expr, program: Program, variables: Sequence[Expr]) -> Expr:
    """Return the derivative of one example weighted, and summed where all examples share it."""
    letters = tuple(range(expr.rank))
    weighted = expr
    if program.reduction == "mean":
        weighted = product([(WEIGHT, ()), (expr, letters)], letters)
    own = is_zero(expr) or any(symbol(v).batched for v in variables)
    return weighted if own else node(Examples(), weighted)


def _of_loss(program: Program, loss: Expr) -> Program:
    """Return the program with another loss in the place of its own."""
    lines = [Binding(b.target, loss) if b.target is program.loss else b for b in program.bindings]
    return replace(program, bindings=tuple(lines))
