"""Forward mode: one tangent line for each line of the program, in the same order."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from symbp.derive.derivation import Step
from symbp.derive.laws import forward_law
from symbp.derive.simplify import Lines
from symbp.ir import Expr, Role, name_of, symbol, variable, variables
from symbp.ops.linear import is_zero
from symbp.ops.rules import tangent
from symbp.program import Binding, Program


def dot(of: Expr) -> Expr:
    """Return the tangent's variable: v_dot for v."""
    return _companion(of, "dot", "tangent")


def bar(of: Expr) -> Expr:
    """Return the adjoint's variable: v_bar for v."""
    return _companion(of, "bar", "adjoint")


def _companion(of: Expr, mark: str, role: Role) -> Expr:
    op = symbol(of)
    name = f"{op.name}_{mark}"
    return variable(name, of.shape, role, batched=of.batched, of=op.name, index=op.index)


def tangent_steps(program: Program, lines: Lines) -> tuple[Step, ...]:
    """Return v_dot for every line v that depends on what is differentiated by.

    Source: Griewank & Walther 2008, table 3.4.
    """
    dots = {var: dot(var) for var in moving(program)}
    return tangents_of(program.bindings, dots, lines)


def tangents_of(
    bindings: tuple[Binding, ...], dots: dict[Expr, Expr], lines: Lines
) -> tuple[Step, ...]:
    """Return the tangent lines of some lines; `dots` gains the tangent of each.

    Where one member of a family moves, each has a tangent, though it be zero.
    """
    families = _moving_families(bindings, dots)
    steps = []
    for binding in bindings:
        rule = tangent(binding.expr, _with_members(binding.expr, dots, families))
        if is_zero(rule) and (binding.adds or binding.name not in families):
            continue
        expr, laws = lines.simplify(rule)
        dots[binding.target] = dot(binding.target)
        law = ", ".join([forward_law(binding.expr), *laws])
        made = Step(dots[binding.target], expr, rule, law, shown=binding.shown)
        steps.append(replace(made, loops=binding.loops, adds=binding.adds))
    return tuple(steps)


def followed(
    bindings: Iterable[Binding], dots: dict[Expr, Expr], known: Mapping[Expr, Expr]
) -> None:
    """Add to `dots` the tangents of the lines that move, their rules left unsimplified.

    known: the tangents where more moves; a line all of whose arguments move in both does in both.
    """
    for binding in bindings:
        read = variables(binding.expr)
        if all((v in dots) == (v in known) for v in read):
            moves = binding.target in known
        else:
            moves = not is_zero(tangent(binding.expr, dots))
        if moves:
            dots[binding.target] = dot(binding.target)


def _moving_families(bindings: Iterable[Binding], dots: dict[Expr, Expr]) -> set[str]:
    """Return the names of the families any member of which has a tangent."""
    targets = (binding.target for binding in bindings)
    families = {name_of(v) for v in (*dots, *targets) if symbol(v).index}
    return families & reached(bindings, map(name_of, dots)) if families else families


def reached(bindings: Iterable[Binding], sources: Iterable[str]) -> set[str]:
    """Return the sources, and the names of the lines that depend on any of them."""
    found, before = set(sources), -1
    while len(found) > before:  # a loop reads what stands below, a turn before
        before = len(found)
        looped = False
        for binding in bindings:
            looped = looped or bool(binding.loops)
            if any(name_of(v) in found for v in variables(binding.expr)):
                found.add(binding.name)
        if not looped:
            break
    return found


def _with_members(
    expr: Expr, dots: dict[Expr, Expr], families: Collection[str]
) -> dict[Expr, Expr]:
    """Return the tangents of what an expression reads."""
    if not families:
        return dots
    members = (v for v in variables(expr) if symbol(v).index and name_of(v) in families)
    return {**dots, **{v: dot(v) for v in members}}


def moving(program: Program) -> tuple[Expr, ...]:
    """Return what tangents are given for: the inputs of a network, and what `wrt` names.

    A parameter that `wrt` does not name is frozen: a constant to every derivative.
    """
    if program.kind == "identity" or not program.params:
        return program.wrt
    wrt = set(program.wrt)
    free = (v for v in program.params if v in wrt)
    return tuple(dict.fromkeys((*free, *program.inputs, *program.wrt)))
