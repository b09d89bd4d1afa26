"""Derivatives of any order by any variables, a stage each.

The first derivative of a scalar is its adjoint sweep; everything else is the differential of what
the stage before gave, along the unit directions.  So a Hessian is the Jacobian of a gradient,
forward mode over reverse mode.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from symbp.derive.derivation import Step
from symbp.derive.derive import derive, forward_pass
from symbp.derive.forward import bar, tangent_steps
from symbp.derive.free import free_matrices, in_lines, in_program, in_steps
from symbp.derive.jacobian import jacobian
from symbp.derive.reading import one_example, read, written_in
from symbp.derive.simplify import Lines
from symbp.ir import Expr, name_of, symbol, variable
from symbp.ops.linear import is_zero, number
from symbp.ops.rewrite import substitute
from symbp.program import Binding, Program

UNITS = "unit directions"
"""The law by which a differential becomes a Jacobian."""


@dataclass(frozen=True)
class Derivative:
    """A derivative: `expr` of the shape of the value, then of each variable, in the lines' names.

    lines: what of the forward pass it speaks of.  steps: the lines of all stages, in order.
    """

    target: Expr
    expr: Expr
    lines: tuple[Binding, ...]
    steps: tuple[Step, ...]

    @property
    def closed(self) -> Expr:
        """The derivative in what the program is given alone."""
        known: dict[Expr, Expr] = {}
        for line in self.lines:
            known[line.target] = substitute(line.expr, known)
        return Lines(()).simplify(substitute(self.expr, known))[0]


def differentiate(program: Program, variables: Sequence[Expr]) -> Derivative:
    """Return the derivative of a program's result by one or more variables, one after the other.

    Everything is for one example.  The result has the axes of the value first, then those of each
    variable; a variable that the program does not read gives zero.
    """
    symmetric = free_matrices(replace(program, wrt=tuple(variables)))
    if symmetric:
        free = in_program(program, symmetric)
        made = differentiate(free, [symmetric.get(v, v) for v in variables])
        back = {v: known for known, v in symmetric.items()}
        expr, lines = substitute(made.expr, back), in_lines(made.lines, back)
        return Derivative(made.target, expr, lines, in_steps(made.steps, back))
    first, *rest = variables
    if program.result.rank:
        made = _jacobian(program, first, ())
    else:
        made = _gradient(replace(program, wrt=(first,)), first)
    for var in rest:
        lines = (*made.lines, Binding(made.target, made.expr))
        stage = replace(program, bindings=lines, output=made.target, loss=None)
        made = _jacobian(stage, var, made.steps)
    return made


def _gradient(program: Program, of: Expr) -> Derivative:
    """Return the derivative of a scalar, from the reverse sweep."""
    derivation = derive(program)
    reading = read(derivation)
    known: dict[Expr, Expr] = {}
    if program.loss is None:
        known[bar(derivation.program.result)] = number(1)
    for step in derivation.adjoint:
        known[step.target] = substitute(one_example(step.expr), known)
    lines = tuple(Binding(s.target, one_example(s.expr), s.shown) for s in derivation.primal)
    wanted = derivation.step_of_gradient(name_of(of)).target
    return Derivative(wanted, known[wanted], lines, (*reading.primal, *reading.adjoint))


def _jacobian(program: Program, of: Expr, before: tuple[Step, ...]) -> Derivative:
    """Return the derivative of an array or of a derivative, from its differential."""
    named, primal = forward_pass(replace(program, wrt=(of,)))
    tangent = tangent_steps(named, Lines(named.bindings))
    *lines, last = named.bindings
    expr, laws = Lines(named.bindings).simplify(jacobian(last.expr, of, lines))
    of_names = " ".join(filter(None, (symbol(last.target).of, name_of(of))))
    target = variable(f"{of_names}_bar", expr.shape, "adjoint", of=of_names)
    law = "no path" if is_zero(expr) else ", ".join([UNITS, *laws])
    known = {step.target for step in before}
    new = [step for step in primal if step.target not in known]
    found = [*new, *tangent, Step(target, expr, expr, law)]
    hidden = {step.target: step.expr for step in (*primal, *tangent) if not step.shown}
    return Derivative(target, expr, named.bindings, (*before, *written_in(found, hidden)))
