"""Forward mode: one tangent line for each line of the program, in the same order."""

from symbp.derive.derivation import Step
from symbp.derive.laws import forward_law
from symbp.derive.simplify import Lines
from symbp.ir import Expr, name_of, variable
from symbp.ops.linear import is_zero
from symbp.ops.rules import tangent
from symbp.program import Binding, Program


def dot(of: Expr) -> Expr:
    """Return the tangent's variable: v_dot for v."""
    name = name_of(of)
    return variable(f"{name}_dot", of.shape, "tangent", batched=of.batched, of=name)


def tangent_steps(program: Program, lines: Lines) -> tuple[Step, ...]:
    """Return v_dot for every line v that depends on what is differentiated by.

    Source: Griewank & Walther 2008, table 3.4.
    """
    dots = {var: dot(var) for var in moving(program)}
    return tangents_of(program.bindings, dots, lines)


def tangents_of(
    bindings: tuple[Binding, ...], dots: dict[Expr, Expr], lines: Lines
) -> tuple[Step, ...]:
    """Return the tangent lines of some lines; `dots` gains the tangent of each."""
    steps = []
    for binding in bindings:
        rule = tangent(binding.expr, dots)
        if is_zero(rule):
            continue
        expr, laws = lines.simplify(rule)
        dots[binding.target] = dot(binding.target)
        law = ", ".join([forward_law(binding.expr), *laws])
        steps.append(Step(dots[binding.target], expr, rule, law, shown=binding.shown))
    return tuple(steps)


def moving(program: Program) -> tuple[Expr, ...]:
    """Return what tangents are given for: the inputs of a network, and what `wrt` names.

    A parameter that `wrt` does not name is frozen: a constant to every derivative.
    """
    if program.kind == "identity" or not program.params:
        return program.wrt
    wrt = set(program.wrt)
    free = (v for v in program.params if v in wrt)
    return tuple(dict.fromkeys((*free, *program.inputs, *program.wrt)))
