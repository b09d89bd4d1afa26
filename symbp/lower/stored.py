"""How many numbers the sweeps keep: for reverse mode the tape, for forward mode what is live."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import sympy as sp

from symbp.derive.derivation import Derivation
from symbp.ir import Expr, holder, is_holder, name_of, symbol, variables
from symbp.lower.cost import Counting, entries
from symbp.lower.loopsum import over_turns, summed
from symbp.lower.schedule import schedule
from symbp.program import Binding, Loop, Program


@dataclass(frozen=True)
class Live:
    """What a line and the lines that it reads hold together, in a turn of some loops."""

    values: sp.Expr
    loops: tuple[Loop, ...]


def scalars(given: Sequence[Expr], program: Program, counting: Counting) -> sp.Expr:
    """Return how many numbers are given, each member of a family counted."""
    total = sp.Integer(0)
    for var in given:
        family = program.families.get(name_of(var)) if symbol(var).index else None
        own = sp.S(entries(var, counting))
        total += over_turns(family, own) if family else own
    return total


def kept(derivation: Derivation, counting: Counting) -> sp.Expr:
    """Return how many numbers the forward pass keeps for the reverse sweep.

    They are what the module's tape and what its loss saves hold, inputs among them, and the output
    where the adjoint of the loss reads it.
    """
    program = replace(derivation.program, sizes=dict.fromkeys(derivation.program.sizes))
    plan = schedule(replace(derivation, program=program))
    lines = [line for sweep in ("primal", "loss") for line in plan.sweeps[sweep]]
    targets = {holder(line.target) for line in lines}
    read = (v for v in plan.reads("loss_bar") if holder(v) in targets)
    total = sp.Integer(0)
    for var in dict.fromkeys((*plan.kept["tape"], *plan.kept["saved"], *read)):
        made = [line for line in lines if holder(line.target) is var]
        given = [v for v in program.given if holder(v) is var]
        if made and is_holder(var):
            total += summed(made, lambda line: sp.prod(map(sp.S, line.target.shape)))
        elif given:
            total += scalars(given, program, counting)
        else:
            total += sp.prod(map(sp.S, var.shape))
    return total


def live(lines: Sequence[Binding], counting: Counting) -> tuple[Live, ...]:
    """Return for each line how many numbers it and the lines that it reads hold together."""
    made = {holder(line.target) for line in lines}
    found: dict[Live, None] = {}
    for line in lines:
        read = dict.fromkeys(v for v in variables(line.expr) if holder(v) in made)
        total = sum(sp.S(entries(v, counting)) for v in (line.target, *read))
        found.setdefault(Live(sp.expand(total), line.loops))
    return tuple(found)
