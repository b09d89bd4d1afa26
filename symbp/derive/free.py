"""The free gradient by a symmetric matrix: its entries move one by one.

tr(A S) and tr(Aᵀ S) are the same number where S is symmetric, and have the free gradients Aᵀ and A:
which one is meant is said by the formula.  So derivatives are taken by a matrix of which nothing is
known, and that it is symmetric is used on what comes out.
"""

from collections.abc import Mapping
from dataclasses import replace

from symbp.derive.derivation import Derivation, Path, Step
from symbp.ir import Expr, symbol
from symbp.ops.rewrite import rename, substitute
from symbp.program import Binding, Program

Values = Mapping[Expr, Expr]


def free_matrices(program: Program) -> dict[Expr, Expr]:
    """Return for each symmetric matrix that is differentiated by one that may be any."""
    found = (v for v in program.wrt if symbol(v).symmetric)
    return {v: rename(v, symmetric=False) for v in found}


def in_program(program: Program, values: Values) -> Program:
    """Return a program with some of what it is given replaced."""

    def names(group: tuple[Expr, ...]) -> tuple[Expr, ...]:
        return tuple(values.get(v, v) for v in group)

    return replace(
        program,
        bindings=in_lines(program.bindings, values),
        inputs=names(program.inputs),
        targets=names(program.targets),
        params=names(program.params),
        consts=names(program.consts),
        wrt=names(program.wrt),
    )


def in_steps(steps: tuple[Step, ...], values: Values) -> tuple[Step, ...]:
    """Return the lines of a sweep with some names replaced, right of the sign of equality."""
    made = []
    for step in steps:
        paths = tuple(Path(p.consumer, substitute(p.term, values)) for p in step.paths)
        expr, rule = substitute(step.expr, values), substitute(step.rule, values)
        made.append(replace(step, expr=expr, rule=rule, paths=paths))
    return tuple(made)


def in_lines(lines: tuple[Binding, ...], values: Values) -> tuple[Binding, ...]:
    """Return lines with some names replaced, right of the sign of equality."""
    return tuple(replace(line, expr=substitute(line.expr, values)) for line in lines)


def in_derivation(derivation: Derivation, values: Values) -> Derivation:
    """Return a derivation with some of what its program is given replaced."""
    return replace(
        derivation,
        program=in_program(derivation.program, values),
        primal=in_steps(derivation.primal, values),
        tangent=in_steps(derivation.tangent, values),
        adjoint=in_steps(derivation.adjoint, values),
    )
