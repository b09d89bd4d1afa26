"""Families whose members are alike: where one differs from example to example, all are said to."""

from dataclasses import replace

from symbp.ir import Expr, name_of, symbol, variables
from symbp.ops.rewrite import rename, substitute
from symbp.program import Program


def uniform(program: Program) -> Program:
    """Return the program with every member of a family batched where one of them is."""
    read = [v for b in program.bindings for v in (b.target, *variables(b.expr))]
    members = dict.fromkeys(v for v in read if symbol(v).index)
    names = {name_of(v) for v in members if v.batched}
    names |= {b.name for b in program.bindings if symbol(b.target).index and b.expr.batched}
    values = {v: rename(v, batched=True) for v in members if name_of(v) in names and not v.batched}
    if not values:
        return program
    lines = tuple(
        replace(b, target=values.get(b.target, b.target), expr=substitute(b.expr, values))
        for b in program.bindings
    )
    output: Expr | None = program.output
    output = output if output is None else values.get(output, output)
    changed = replace(program, bindings=lines, output=output)
    return uniform(changed)  # what reads a member may itself be one
