"""The adjoint sweeps of a program with loops, and how the loss and the output's seed enter them.

body    the lines that the output needs, without those of the head: the shared sweep
head    what only the output needs, as the softmax behind the logits that the loss reads
loss    the lines that the loss needs besides

A plain value that the loss or the head reads gets its adjoint from there as an argument; a family
what is given to its members.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from symbp.derive.forward import bar
from symbp.derive.gifts import Gifts
from symbp.derive.reverse import adjoint_steps
from symbp.derive.simplify import Lines
from symbp.ir import Examples, Expr, holder, is_holder, name_of, symbol, variable, variables, walk
from symbp.lower.carried import deferred
from symbp.lower.sweeps import Entry, completed
from symbp.ops.linear import add
from symbp.ops.rewrite import rename
from symbp.program import Binding, Program, needed

_NOTHING = variable("", ())
"""The output of a sweep that is entered by others alone."""


@dataclass(frozen=True)
class Adjoints:
    """The lines of the adjoint sweeps, and where the shared one is entered.

    lacking: the families whose members are given nothing unless by those who enter.
    """

    loss_bar: tuple[Binding, ...]
    head_bar: tuple[Binding, ...]
    adjoint: tuple[Binding, ...]
    inputs_bar: tuple[Binding, ...]
    entries: dict[Expr, Entry]
    lacking: tuple[Expr, ...] = ()


def looped_adjoints(
    single: Program, primal: Sequence[Binding], loss: Sequence[Binding]
) -> Adjoints:
    """Return the adjoint sweeps; `single` is the program for one example, its loss not joined."""
    names = {b.name for b in primal}
    last = [b for b in single.bindings if b.name in {b.name for b in loss} - names]
    used = {b.name for b in needed(single.bindings, [single.result])}
    body = [b for b in single.bindings if b.name in names & used]
    head = [b for b in single.bindings if b.name in names - used]
    from_loss = _entering(single, body, last) if last else ()
    from_head = _entering(replace(single, loss=None), body, head) if head else ()
    output = _NOTHING if head else single.output
    alone = replace(single, bindings=tuple(body), loss=None, output=output)
    shared = adjoint_steps(alone, Lines(body), entered=[*last, *head])
    entries, lines = _entries(alone, [s.binding for s in shared], (from_loss, from_head))
    seeds = {name_of(bar(v)): name_of(entry.seed) for v, entry in entries.items()}
    params, inputs = ([bar(v) for v in part] for part in (single.params, single.inputs))
    entered = [e.seed for e in entries.values() if is_holder(e.seed)]
    later = set(map(holder, variables(*(line.expr for line in needed(lines, inputs)))))
    shared_lines = needed(lines, [*params, *(seed for seed in entered if seed in later)])
    rest = needed([line for line in lines if line not in shared_lines], inputs)
    adjoint, inputs_bar = deferred(shared_lines, rest)
    return Adjoints(
        _called(from_loss, seeds),
        _called(from_head, seeds),
        completed(adjoint, params, single.families),
        completed(inputs_bar, inputs, single.families),
        entries,
        _lacking(alone, [*last, *head]),
    )


def _entering(
    program: Program, body: Sequence[Binding], lines: Sequence[Binding]
) -> tuple[Binding, ...]:
    """Return the reverse sweep of lines behind the body, up to what they read from it."""
    made = {b.name for b in body}
    read = dict.fromkeys(v for b in lines for v in variables(b.expr) if name_of(v) in made)
    plain = tuple(v for v in read if not symbol(v).index)
    sub = replace(
        program,
        bindings=tuple(lines),
        consts=(*program.consts, *plain),
        wrt=(*program.wrt, *read),
    )
    still = {name_of(v) for v in program.inputs if v not in program.wrt}
    steps = adjoint_steps(sub, Lines([*body, *lines]))
    wanted = (step for step in steps if symbol(step.target).of not in still)
    return tuple(step.binding for step in wanted if step.law != "no path")


def _entries(
    program: Program, lines: list[Binding], outside: Sequence[Sequence[Binding]]
) -> tuple[dict[Expr, Entry], list[Binding]]:
    """Return where the shared sweep is entered, and its lines with the seeds in them."""
    given = {name_of(v): v for v in program.given}
    known = {b.name: holder(b.target) for b in reversed(program.bindings)}
    by = [dict.fromkeys(symbol(line.target).of for line in group) for group in outside]
    names = [name for name in known if name in by[0] or name in by[1]]
    output = program.output if program.output is not None else _NOTHING
    if output is not _NOTHING and name_of(output) not in names:
        names.insert(0, name_of(output))
    entries: dict[Expr, Entry] = {}
    for name in names:
        var = known[name]
        seed, lines = _seeded(var, lines)
        by_output = name in by[1] or var is output
        entries[var] = Entry(seed, name in by[0], by_output)
    for name in (name for name in by[0] if name in given):
        terms = [line.expr for line in outside[0] if symbol(line.target).of == name]
        suffix = "direct" if any(map(_has_examples, terms)) else "penalty"
        var = given[name]
        seed = rename(bar(var), name=f"{name}_{suffix}")
        entries[var] = Entry(holder(seed), by_loss=True, by_output=False)
    return entries, lines


def _has_examples(term: Expr) -> bool:
    return term.batched or any(isinstance(part.op, Examples) for part in walk(term))


def _seeded(var: Expr, lines: list[Binding]) -> tuple[Expr, list[Binding]]:
    """Return the adjoint that comes from outside, and the lines that add to it what is inside."""
    whole = holder(bar(var)) if symbol(var).index else bar(var)
    own = [line for line in lines if line.target is whole]
    if symbol(var).index or not own:
        return whole, lines
    seed = rename(whole, name=f"{name_of(var)}_seed")
    if len(own) == 1 and not own[0].loops:
        joined = replace(own[0], expr=add(seed, own[0].expr), adds=False)
        return seed, [joined if line is own[0] else line for line in lines]
    return seed, [Binding(whole, seed), *(replace(x, adds=True) if x in own else x for x in lines)]


def _called(lines: Iterable[Binding], seeds: Mapping[str, str]) -> tuple[Binding, ...]:
    """Return lines whose targets are called as the shared sweep's seeds are."""
    made = []
    for line in lines:
        name = seeds.get(line.name, line.name)
        made.append(replace(line, target=rename(line.target, name=name)))
    return tuple(made)


def _lacking(program: Program, entered: Sequence[Binding]) -> tuple[Expr, ...]:
    moving = {name_of(v) for v in (*program.params, *program.inputs, *program.wrt)}
    names = Gifts(program, moving, entered).lacking()
    found = dict.fromkeys(holder(b.target) for b in program.bindings if b.name in names)
    return tuple(holder(bar(v)) for v in found)
