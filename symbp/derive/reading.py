"""A derivation as a person reads it: for one example, without the lines that only save work.

Helper lines that are as short as their names are written in (`2 (f − y)`), and so is the adjoint of
an activation where nothing but the pre-activation's adjoint reads it: 001 (7.24) has one line for
both.  Expressions are only ever substituted, so each line stays something to evaluate.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from symbp.derive.derivation import Derivation, Step
from symbp.derive.forward import bar, dot
from symbp.derive.gathering import filled, gathered, totals
from symbp.derive.reverse import WEIGHT
from symbp.derive.simplify import Lines
from symbp.ir import Examples, Expr, holder, name_of, symbol, variables
from symbp.ops.kinds import Elementwise
from symbp.ops.linear import number
from symbp.ops.rewrite import substitute, transform
from symbp.places import Box, Range, box, covered


@dataclass(frozen=True)
class Reading:
    """The sweeps for a reader: forward pass, reverse mode, forward mode."""

    primal: tuple[Step, ...]
    adjoint: tuple[Step, ...]
    tangent: tuple[Step, ...]


def read(derivation: Derivation) -> Reading:
    """Return the derivation for one example, short helper lines written in."""
    plain = _looped(for_one_example(derivation))
    hidden = {step.target: step.expr for step in plain.primal if not step.shown}
    primal = written_in(plain.primal, hidden)
    tangent_hidden = {s.target: s.expr for s in plain.tangent if not s.shown}
    tangent = written_in(plain.tangent, {**hidden, **tangent_hidden, **_unit(derivation)})
    given = {name_of(v) for v in derivation.program.given}
    whole = _written_whole(plain.adjoint)
    steps = tuple(
        s
        if s.shown or s.target in whole or symbol(s.target).of in given
        else replace(s, shown=True)
        for s in plain.adjoint
    )
    short = {s.target: s.expr for s in steps if not s.shown and symbol(s.target).of not in given}
    adjoint = written_in(steps, {**hidden, **short})
    fused = _fused(adjoint, derivation)
    return Reading(primal, written_in(adjoint, fused), tangent)


def _looped(plain: Derivation) -> Derivation:
    """Return a derivation with each family's adjoint as a recurrence, and sums over turns."""
    if not plain.program.is_looped:
        return plain
    return replace(
        plain,
        primal=totals(plain.primal),
        tangent=totals(plain.tangent),
        adjoint=gathered(plain.adjoint, plain.program),
    )


def _unit(derivation: Derivation) -> dict[Expr, Expr]:
    """Return the tangent 1 of the one scalar that everything is differentiated by, if it is so."""
    program = derivation.program
    if program.params or len(program.wrt) != 1 or program.wrt[0].rank:
        return {}
    return {dot(program.wrt[0]): number(1)}


def for_one_example(derivation: Derivation) -> Derivation:
    """Return the derivation with the weight 1 and the sum over the examples left out."""
    parts = (derivation.primal, derivation.tangent, derivation.adjoint)
    primal, tangent, adjoint = (tuple(_alone(step) for step in part) for part in parts)
    program = derivation.program
    if program.loss is None and not program.result.rank:
        adjoint = written_in(adjoint, {bar(program.result): number(1)})
    return replace(derivation, primal=primal, tangent=tangent, adjoint=adjoint)


def one_example(expr: Expr) -> Expr:
    """Return an expression for one example."""

    def change(part: Expr) -> Expr | None:
        if part is WEIGHT:
            return number(1)
        return part.args[0] if isinstance(part.op, Examples) else None

    return transform(expr, change, ("Examples", "weight"))


def _alone(step: Step) -> Step:
    paths = tuple(replace(path, term=one_example(path.term)) for path in step.paths)
    return replace(step, expr=one_example(step.expr), rule=one_example(step.rule), paths=paths)


def written_in(steps: Sequence[Step], values: dict[Expr, Expr]) -> tuple[Step, ...]:
    """Return the other steps with some lines written in where they are read."""
    full: dict[Expr, Expr] = {}
    for target, expr in values.items():
        full[target] = filled(expr, full)
    laws = {step.target: step.law for step in steps if step.target in values}
    made = []
    for step in steps:
        if step.target in values:
            continue
        law = laws.get(step.expr, step.law)
        paths = tuple(replace(path, term=filled(path.term, full)) for path in step.paths)
        expr, rule = filled(step.expr, full), filled(step.rule, full)
        made.append(replace(step, expr=expr, rule=rule, paths=paths, law=law))
    return tuple(made)


def _fused(steps: Sequence[Step], derivation: Derivation) -> dict[Expr, Expr]:
    """Return the adjoints of activations that only the adjoint of the pre-activation reads.

    A family that has a start and a recurrence keeps them, the start a line or the sweep's seed.
    """
    looped = any(step.loops for step in steps)
    shown = [step for step in steps if step.shown or not looped]
    uses = Counter(holder(v) for step in shown for v in variables(step.expr))
    lines = {b.name: b.expr for b in derivation.program.bindings}
    found = {}
    whole = _written_whole(steps)
    for step in steps:
        of = symbol(step.target).of
        line = lines.get(of)
        if line is None or not isinstance(line.op, Elementwise) or not step.target.rank:
            continue
        if uses[holder(step.target)] == 1 and len(step.paths) == 1 and step.target in whole:
            found[step.target] = step.expr
    return found


def _written_whole(steps: Sequence[Step]) -> set[Expr]:
    """Return what can be written in: of a family, what one line has for all that is read."""
    if not any(step.loops for step in steps):
        return {step.target for step in steps}
    count = Counter(holder(step.target) for step in steps)
    reads: dict[Expr, list[Box]] = {}
    for step in steps:
        for var in variables(step.expr):
            if symbol(var).index:
                place = box(symbol(var).index, _ranges(step))
                reads.setdefault(holder(var), []).append(place)
    found = set()
    for step in steps:
        own, family = box(symbol(step.target).index, _ranges(step)), holder(step.target)
        if count[family] == 1 and all(covered(one, [own]) for one in reads.get(family, [])):
            found.add(step.target)
    return found


def _ranges(step: Step) -> list[Range]:
    return [(loop.letter, loop.start, loop.stop) for loop in step.loops]


def closed_form(derivation: Derivation, expr: Expr, limit: int = 4000) -> Expr | None:
    """Return an expression in what is given alone; None where it would be too long to write.

    `limit` bounds the nodes of the written-out expression, not of the shared one.
    """
    plain = for_one_example(derivation)
    program = derivation.program
    values: dict[Expr, Expr] = {}
    if program.loss is None and not program.result.rank:
        values[bar(program.result)] = number(1)
    for step in (*plain.primal, *plain.adjoint):
        if step.expr.size > limit:
            return None
        values[step.target] = substitute(step.expr, values)
        if values[step.target].size > limit:
            return None
    return Lines(()).simplify(substitute(one_example(expr), values))[0]
