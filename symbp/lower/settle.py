"""Members of families that stand alone, under plain names.

The pre-activation f[K] behind a loop, which no turn of a loop reads, is a variable like any other:
f_K.  So is what a loop makes and reads in the same turn alone, f_k.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from symbp.ir import Dim, Expr, name_of, symbol, variables
from symbp.lower.sweeps import Sweeps
from symbp.ops.rewrite import rename, substitute
from symbp.places import are_apart, box
from symbp.program import Binding, Loop, Program


def settled(program: Program) -> Program:
    """Return a program in which members that stand alone, and the output, have plain names."""
    taken = {name_of(v) for v in program.given} | {b.name for b in program.bindings}
    values: dict[Expr, Expr] = {}
    for line in program.bindings:
        if symbol(line.target).index and not line.loops and _is_alone(line, program):
            values[line.target] = plain_member(line.target, taken)
    made = _renamed(program, values)
    output = made.output
    if output is None or not symbol(output).index:
        return made
    alias = plain_member(output, taken)
    lines = [
        line if line.loops else replace(line, expr=substitute(line.expr, {output: alias}))
        for line in made.bindings
    ]
    last = max(k for k, line in enumerate(lines) if line.name == name_of(output))
    lines.insert(last + 1, Binding(alias, output))
    return replace(made, bindings=tuple(lines), output=alias)


def _is_alone(line: Binding, program: Program) -> bool:
    """Tell whether what reads a member outside loops calls it so, and nothing else reads it."""
    own = box(symbol(line.target).index, ())
    for other in program.bindings:
        for var in variables(other.expr):
            if name_of(var) != line.name or (var is line.target and not other.loops):
                continue
            if not are_apart(own, box(symbol(var).index, ranges(other.loops))):
                return False
    return True


def _renamed(program: Program, values: Mapping[Expr, Expr]) -> Program:
    lines = [
        replace(
            line,
            target=values.get(line.target, line.target),
            expr=substitute(line.expr, values),
        )
        for line in program.bindings
    ]
    output = program.output
    return replace(
        program,
        bindings=tuple(lines),
        output=output if output is None else values.get(output, output),
    )


def plain_member(member: Expr, taken: set[str]) -> Expr:
    """Return a variable of its own for a member: f_K for f[K]."""
    op = symbol(member)
    base, marks = _MARKED.fullmatch(op.name).groups() if op.of else (op.name, "")  # type: ignore
    name = "_".join([base, *map(_word, op.index)]) + marks
    while name in taken:
        name += "_"
    taken.add(name)
    return rename(member, name=name, index=())


_MARKED = re.compile(r"(.+?)((?:_bar|_dot)*)")


def _word(place: Dim) -> str:
    """Return a place as part of a name: `K`, `K_minus_1`."""
    signs = str(place).replace("-", " minus ").replace("+", " plus ").replace("*", " times ")
    return "_".join(letter.partition("@")[0] for letter in re.findall(r"[\w@]+", signs))


def ranges(loops: Iterable[Loop]) -> list[tuple[Dim, Dim, Dim]]:
    """Return the letter of each loop with the ends of its range."""
    return [(loop.letter, loop.start, loop.stop) for loop in loops]


def localised(sweeps: Sweeps, kept: Collection[str], taken: set[str]) -> Sweeps:
    """Return the sweeps with plain names for members that one turn makes and alone reads.

    `kept` are the names that leave the sweep; `taken` names in use.
    """
    places: dict[str, set[tuple[str, tuple[Loop, ...], Expr]]] = {}
    adding = set(kept)
    for sweep, lines in sweeps.items():
        for line in lines:
            adding |= {line.name} if line.adds else set()
            for var in (line.target, *variables(line.expr)):
                if symbol(var).index:
                    places.setdefault(name_of(var), set()).add((sweep, line.loops, var))
    alone = {name: next(iter(found)) for name, found in places.items() if len(found) == 1}
    local = {var: var for name, (_, _, var) in alone.items() if name not in adding}
    made = [b.target for lines in sweeps.values() for b in lines if b.target in local]
    values = {var: plain_member(var, taken) for var in dict.fromkeys(made)}
    return {
        sweep: tuple(
            replace(b, target=values.get(b.target, b.target), expr=substitute(b.expr, values))
            for b in lines
        )
        for sweep, lines in sweeps.items()
    }
