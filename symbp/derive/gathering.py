"""A looped sweep as a person writes it: one line for each family, whatever turns it comes from.

The sweep passes adjoints on turn by turn, h[k-1] in turn k.  Read from the other end, that is a
recurrence, ∂ℓ/∂h[k] = Ω[k+1]ᵀ ∂ℓ/∂f[k+1]; a term that is not there for every k gets the bracket of
its range, and what all turns add to is a sum over them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import sympy as sp

from symbp.derive.derivation import Path, Step
from symbp.derive.recurrence import recurrences
from symbp.ir import Expr, name_of, symbol, variables
from symbp.ops.indexed import over
from symbp.ops.linear import add
from symbp.ops.rewrite import resize, substitute
from symbp.program import Loop, Program


def totals(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return a sweep in which what turns add to is one line, a sum over them.

    Families stay as they are where a range of their own letters speaks of a letter to sum over.
    """
    kept = {name_of(step.target) for step in steps if step.adds and _is_entwined(step)}
    summed = {
        step.target
        for step in steps
        if step.adds and _is_total(step) and name_of(step.target) not in kept
    }
    last = {step.target: k for k, step in enumerate(steps) if step.target in summed}
    parts: dict[Expr, list[Step]] = {}
    made = []
    for k, step in enumerate(steps):
        if step.target not in last:
            made.append(step)
            continue
        parts.setdefault(step.target, []).append(step)
        if last[step.target] == k:
            made.append(_total(parts[step.target]))
    return tuple(made)


def _is_total(step: Step) -> bool:
    letters = {s for place in symbol(step.target).index for s in sp.S(place).free_symbols}
    return any(loop.letter not in letters for loop in step.loops)


def _is_entwined(step: Step) -> bool:
    """Tell whether a loop of a member's own is bounded by the letter of one that is summed over."""
    ends = [sp.S(end) for x in step.loops if not _sums(step, x) for end in (x.start, x.stop)]
    return any(end.has(loop.letter) for loop in step.loops if _sums(step, loop) for end in ends)


def _total(steps: Sequence[Step]) -> Step:
    """Return the line of a target that several lines add to."""
    exprs, rules = [], []
    for step in steps:
        exprs.append(_summed(step, step.expr))
        rules.append(_summed(step, step.rule))
    home = [loop for loop in steps[-1].loops if not _sums(steps[-1], loop)]
    paths = tuple(
        Path(path.consumer, _summed(step, path.term)) for step in steps for path in step.paths
    )
    law = " + ".join(dict.fromkeys(step.law for step in steps))
    note = steps[0].note if len(steps) == 1 else ""
    whole = replace(steps[-1], expr=add(*exprs), rule=add(*rules), paths=paths, law=law, note=note)
    return replace(whole, loops=tuple(home), adds=False)


def _sums(step: Step, loop: Loop) -> bool:
    return not any(sp.S(place).has(loop.letter) for place in symbol(step.target).index)


def _summed(step: Step, expr: Expr) -> Expr:
    for loop in reversed(step.loops):
        if _sums(step, loop):
            expr = over(loop.letter, loop.start, loop.stop, expr)
    return expr


def gathered(steps: Sequence[Step], program: Program) -> tuple[Step, ...]:
    """Return a sweep with a line, or one for each range, for every family."""
    steps = totals(steps)
    groups: dict[str, list[tuple[int, Step]]] = {}
    for k, step in enumerate(steps):
        if symbol(step.target).index:
            groups.setdefault(name_of(step.target), []).append((k, step))
    placed: list[tuple[int, Step]] = [
        (k, step) for k, step in enumerate(steps) if not symbol(step.target).index
    ]
    for group in groups.values():
        placed += recurrences(group, program)
    return tuple(step for _, step in sorted(placed, key=lambda pair: pair[0]))


def filled(expr: Expr, values: Mapping[Expr, Expr]) -> Expr:
    """Return an expression with names replaced; a member stands for every place of its family."""
    known = {v: values[v] for v in variables(expr) if v in values}
    members = [v for v in variables(expr) if symbol(v).index and v not in known]
    families = {name_of(v): v for v in values if symbol(v).index} if members else {}
    for var in members:
        model = families.get(name_of(var))
        if model is None:
            continue
        pairs = zip(symbol(model).index, symbol(var).index, strict=True)
        known[var] = resize(values[model], dict(pairs))
    return substitute(expr, known) if known else expr
