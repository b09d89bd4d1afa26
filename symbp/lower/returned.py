"""What the functions of a module return, and so which lines stay and under which names."""

from heapq import heappop, heappush

from symbp.derive.forward import bar, dot
from symbp.ir import Expr, name_of, variables
from symbp.lower.batch import Batch
from symbp.lower.sections import Sections
from symbp.lower.sweeps import Sweeps
from symbp.program import Binding, Program, needed


def gradients_early(lines: tuple[Binding, ...], program: Program) -> tuple[Binding, ...]:
    """Put each parameter's gradient right behind the adjoint it is made of, as 001 (7.24) does."""
    if any(line.loops for line in lines):
        return lines
    params = {name_of(v) for v in program.params}
    targets = {line.target for line in lines}
    lacks: dict[int, set[Expr]] = {}
    readers: dict[Expr, list[int]] = {}
    for k, line in enumerate(lines):
        if _base(line) in params:
            lacks[k] = {v for v in variables(line.expr) if v in targets}
            for v in lacks[k]:
                readers.setdefault(v, []).append(k)
    ready = [k for k, missing in lacks.items() if not missing]
    others = (k for k in range(len(lines)) if k not in lacks)
    order: dict[int, None] = {}
    while (k := heappop(ready) if ready else next(others, -1)) >= 0:
        order[k] = None
        target = lines[k].target
        for gradient in readers.get(target, ()):
            lacks[gradient].discard(target)
            if not lacks[gradient]:
                heappush(ready, gradient)
    return tuple(lines[k] for k in (*order, *(k for k in lacks if k not in order)))


def _base(line: Binding) -> str:
    """Return what a line is the gradient of."""
    return line.name.removesuffix("_dot").removesuffix("_bar") if "_bar" in line.name else ""


def kept_names(program: Program, cut: Sections, output: Expr, loss: Expr | None) -> set[str]:
    """Return the names of the lines that functions return."""
    names = {name_of(v) for v in (output, loss, dot(output)) if v is not None}
    if loss is not None:
        names.add(name_of(dot(loss)))
    for entry in cut.entries.values():
        names |= {name_of(entry.seed), f"{name_of(entry.seed)}_dot"}
    for var in (*program.params, *program.inputs, *program.wrt):
        names |= {name_of(bar(var)), f"{name_of(bar(var))}_dot"}
    return names


def pruned(sweeps: Sweeps, cut: Sections, program: Program, batch: Batch) -> Sweeps:
    """Drop the lines that nothing returned depends on."""
    returned = _returned(sweeps, cut, program, batch)
    every = [line for lines in sweeps.values() for line in lines]
    alive = set(needed(every, returned))
    return {name: tuple(b for b in lines if b in alive) for name, lines in sweeps.items()}


def _returned(sweeps: Sweeps, cut: Sections, program: Program, batch: Batch) -> list[Expr]:
    seeds = [entry.seed for entry in cut.entries.values()]
    last = [lines[-1].target for name in ("primal", "loss") if (lines := sweeps[name])]
    dots = [line.target for name in ("tangent", "loss_dot") for line in sweeps[name][-1:]]
    bars = [bar(v) for v in (*program.params, *program.inputs, *program.wrt)]
    output = program.output if program.output is not None else program.result
    mine = [batch.name(v) for v in (*seeds, *bars, output, dot(output))]
    names = {name_of(v) for v in (*seeds, *bars)}
    second = [
        b.target
        for name in ("loss_bar_dot", "adjoint_dot")
        for b in sweeps[name]
        if b.name.removesuffix("_dot") in names
    ]
    return [*mine, *second, *last, *dots, *cut.lacking]
