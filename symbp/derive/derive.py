"""From a program to its derivation: names, stable forms, then the two sweeps."""

from dataclasses import replace

from symbp.derive.derivation import Derivation, Step
from symbp.derive.forward import tangent_steps
from symbp.derive.free import free_matrices, in_derivation, in_program
from symbp.derive.laws import forward_law
from symbp.derive.naming import name_parts
from symbp.derive.prediction import with_output
from symbp.derive.reverse import adjoint_steps
from symbp.derive.simplify import Lines
from symbp.derive.stable import stabilise
from symbp.derive.uniform import uniform
from symbp.errors import SymbpError
from symbp.ir import name_of, symbol, walk
from symbp.ops.kinds import Elementwise
from symbp.ops.linear import is_zero
from symbp.program import Program


def derive(program: Program) -> Derivation:
    """Return the program's derivation: forward pass, forward mode, reverse mode.

    Raises SymbpError where there is nothing to differentiate by.
    """
    if not program.wrt:
        raise SymbpError(
            f"{program.name} has nothing to differentiate by",
            help="declare a `param`, or name an input in `wrt`",
        )
    program = uniform(program)
    symmetric = free_matrices(program)
    if symmetric:
        free = derive(in_program(program, symmetric))
        return in_derivation(free, {v: known for known, v in symmetric.items()})
    named, primal = forward_pass(program)
    tangent = tangent_steps(named, Lines(named.bindings))
    one_line = len(program.bindings) == 1  # its parts have no order but that of the formula
    adjoint = adjoint_steps(named, Lines(named.bindings), as_written=one_line)
    return Derivation(named, primal, tangent, adjoint, _warnings(named, adjoint))


def forward_pass(program: Program) -> tuple[Program, tuple[Step, ...]]:
    """Return the program with stable forms and helper lines, and the lines of its forward pass."""
    given = {b.name: b.expr for b in program.bindings}
    stable, laws = stabilise(program)
    named = name_parts(with_output(stable))
    primal = []
    for binding in named.bindings:
        rule = given.get(binding.name, binding.expr)
        law = laws.get(binding.name) or forward_law(binding.expr)
        rule = rule if binding.name in laws else binding.expr
        made = Step(binding.target, binding.expr, rule, law, shown=binding.shown)
        primal.append(replace(made, loops=binding.loops, adds=binding.adds))
    return named, tuple(primal)


def _warnings(program: Program, adjoint: tuple[Step, ...]) -> tuple[str, ...]:
    found = []
    for binding in program.bindings:
        for part in walk(binding.expr):
            if isinstance(part.op, Elementwise) and part.op.flat:
                found.append(
                    f"{part.op.name} in the line {binding.name} is flat: its slope is 0 wherever "
                    "it has one, so no gradient passes through it (001 problem 7.8)."
                )
    wrt = {name_of(v) for v in program.wrt}
    zero = [symbol(step.target).of for step in adjoint if is_zero(step.expr)]
    given = {symbol(step.target).of for step in adjoint if not is_zero(step.expr)}
    unreached = [name for name in zero if name in wrt and name not in given]
    if unreached:
        found.append(f"Zero everywhere: the gradient with respect to {', '.join(unreached)}.")
    return tuple(dict.fromkeys(found))
