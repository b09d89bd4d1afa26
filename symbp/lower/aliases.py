"""Lines that only rename: one of the two names stands for both."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from symbp.ir import Expr, is_variable, symbol
from symbp.lower.sweeps import Sweeps
from symbp.ops.rewrite import substitute
from symbp.program import Binding


def without_aliases(sweeps: Sweeps, kept: set[str]) -> Sweeps:
    """Drop the lines `v = u`: one of the two names stands for both, `v` where it must stay."""
    renamed: dict[Expr, Expr] = {}
    made: Sweeps = {}
    targets = {line.target for lines in sweeps.values() for line in lines}
    totals = {line.target for lines in sweeps.values() for line in lines if line.adds}
    for sweep, lines in sweeps.items():
        own = {line.target for line in lines}
        fixed = {line.target for line in lines if line.name in kept}
        for line in lines:
            source = renamed.get(line.expr, line.expr)
            if not is_variable(source) or _may_be_left_out(source, targets):
                continue
            if line.loops or symbol(source).index or symbol(line.target).index:
                continue  # what is read by another index may be this very member
            if line.target in totals or source in totals:
                continue  # the line is where the one begins, and others add to it
            if line.target not in fixed:
                renamed[line.target] = source
            elif source in own and source not in fixed and _reads_like(source, line.target):
                renamed[source] = line.target
                fixed.add(source)
        made[sweep] = lines
    final = {v: _follow(v, renamed) for v in renamed}
    return {sweep: _renamed(lines, final) for sweep, lines in made.items()}


def _may_be_left_out(var: Expr, targets: set[Expr]) -> bool:
    """Tell whether a variable is an input's tangent, for which a caller may give nothing."""
    op = symbol(var)
    return op.role == "tangent" and op.batched and var not in targets


def _reads_like(source: Expr, target: Expr) -> bool:
    return source.shape == target.shape and source.batched == target.batched


def _follow(var: Expr, renamed: Mapping[Expr, Expr]) -> Expr:
    while var in renamed:
        var = renamed[var]
    return var


def _renamed(lines: Sequence[Binding], final: Mapping[Expr, Expr]) -> tuple[Binding, ...]:
    made = []
    for line in lines:
        target, expr = final.get(line.target, line.target), substitute(line.expr, final)
        if target is not expr:
            made.append(replace(line, target=target, expr=expr))
    return tuple(made)
