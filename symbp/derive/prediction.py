"""An output that needs no target, where the spec names none.

The line before the loss may read a target, or there may be none: then the last line that reads
no target is the output.  Where there is no such line, the largest part that reads no target gets
one: `loss = (w*x + b - y)^2` becomes `f = w x + b` and `loss = (f - y)^2`.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeAlias

from symbp.ir import Expr, Sum, is_variable, line_of, name_of, variables, walk
from symbp.ops.linear import add, combine, is_zero, parts, subtract
from symbp.ops.rewrite import substitute
from symbp.program import Binding, Program, needed

Found: TypeAlias = tuple[Expr, tuple[Expr, Expr] | None]
"""A part; and where it is part of a sum, that sum and what is left of it."""


def with_output(program: Program) -> Program:
    """Return the program with an output that `forward` can compute from the inputs alone."""
    if program.loss is None or not program.params:
        return program
    tainted = set(program.targets)
    for binding in program.bindings:
        if tainted & set(variables(binding.expr)):
            tainted.add(binding.target)
    if program.output not in (None, program.loss) and program.output not in tainted:
        return program
    lines = needed(program.bindings, [program.loss])
    free = [b.target for b in lines if b.target not in tainted and b.target is not program.loss]
    if free:
        return replace(program, output=free[-1])
    return _with_line(program, tainted)


def _with_line(program: Program, tainted: set[Expr]) -> Program:
    """Return the program with a line for the largest part that reads no target."""
    for binding in needed(program.bindings, [program.result]):
        data, penalty = (
            _data(binding.expr) if binding.target is program.loss else (binding.expr, None)
        )
        found = _prediction(data, tainted)
        if found is not None:
            return _named(program, binding, found, (data, penalty))
    return program


def _named(
    program: Program, binding: Binding, found: Found, split: tuple[Expr, Expr | None]
) -> Program:
    part, rest = found
    data, penalty = split
    taken = {name_of(v) for v in program.given} | {b.name for b in program.bindings}
    name = next(name for name in _names() if name not in taken)
    target = line_of(name, part)
    changed = substitute(data, {rest[0]: add(target, rest[1])} if rest else {part: target})
    changed = changed if penalty is None else add(changed, penalty)
    lines: list[Binding] = []
    for other in program.bindings:
        if other is binding:
            lines += [Binding(target, part), replace(binding, expr=changed)]
        else:
            lines.append(other)
    return replace(program, bindings=tuple(lines), output=target)


def _data(loss: Expr) -> tuple[Expr, Expr | None]:
    """Return the terms of a loss that depend on examples, and the others."""
    data = combine([(c, t) for c, t in parts(loss) if t.batched], ())
    return (loss, None) if is_zero(data) else (data, subtract(loss, data))


def _prediction(expr: Expr, tainted: set[Expr]) -> Found | None:
    """Return the largest part that reads nothing tainted."""
    if not tainted & set(variables(expr)):
        return expr, None
    best: Found | None = None
    for part in walk(expr):
        read = set(variables(part))
        if isinstance(part.op, Sum) and tainted & read:
            terms = [(c, a, set(variables(a))) for c, a in parts(part)]
            free = [(c, a) for c, a, names in terms if names and not tainted & names]
            if free:
                found = combine(free, part.shape)
                best = _larger(best, (found, (part, subtract(part, found))))
        elif read and not tainted & read and not is_variable(part):
            best = _larger(best, (part, None))
    return best


def _larger(best: Found | None, other: Found) -> Found:
    return other if best is None or other[0].size > best[0].size else best


def _names() -> Iterator[str]:
    yield from ("f", "f_hat", "prediction")
    yield from (f"prediction_{k}" for k in range(1, 1000))
