"""What a loop hands from one turn to the next, and what its last turns need not do.

An adjoint h_bar[k-1] that turn k makes, and the next turn alone reads, needs no family: one name,
which every turn writes anew, does.  What the first turns give to, only the adjoints of the inputs
read: these turns are left to that sweep.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import sympy as sp

from symbp.ir import Expr, name_of, symbol, variables
from symbp.lower.settle import ranges
from symbp.lower.sweeps import Sweeps
from symbp.places import at_most, span
from symbp.program import Binding, Loop
from symbp.sizes import Dim


def deferred(
    adjoint: Sequence[Binding], inputs_bar: Sequence[Binding]
) -> tuple[tuple[Binding, ...], tuple[Binding, ...]]:
    """Return the two sweeps; turns of lines that the first does not read are left to the second."""
    made, later = [], []
    wanted = {name_of(v) for line in inputs_bar for v in variables(line.expr)}
    for line in adjoint:
        first = _first_read(line, adjoint)
        if first is None:
            made.append(line)
            continue
        made.append(replace(line, since=first))
        if line.name in wanted:
            loop = line.loops[-1]
            last = sp.Min(loop.stop, first - 1)
            later.append(replace(line, loops=(*line.loops[:-1], replace(loop, stop=last))))
    return tuple(made), (*later, *inputs_bar)


def _first_read(line: Binding, sweep: Iterable[Binding]) -> Dim | None:
    """Return the first turn what a line makes in which is read in the sweep, None for the first."""
    index = symbol(line.target).index
    if len(index) != 1 or len(line.loops) != 1 or not line.loops[0].down:
        return None
    loop = line.loops[0]
    offset = sp.expand(index[0] - loop.letter)
    if offset.free_symbols or offset >= 0:
        return None
    firsts = [
        span(symbol(v).index[0], ranges(other.loops))[0]
        for other in sweep
        for v in variables(other.expr)
        if name_of(v) == line.name
    ]
    least = [a for a in firsts if all(at_most(a, b) for b in firsts)]
    skipped = sp.expand(least[0] - offset - loop.start) if least else sp.Integer(0)
    return loop.start + skipped if skipped.is_Integer and skipped > 0 else None


def carried(sweeps: Sweeps, kept: Iterable[str]) -> set[str]:
    """Return the names of families of which a turn hands one member to the next.

    `kept` are the names that leave a sweep as families.
    """
    found: set[str] = set()
    for sweep, other in (("adjoint", "inputs_bar"), ("adjoint_dot", "")):
        names = dict.fromkeys(line.name for line in sweeps[sweep] if symbol(line.target).index)
        found |= {n for n in names if n not in kept and _is_handed_on(n, sweep, other, sweeps)}
    return found


def _is_handed_on(name: str, sweep: str, other: str, sweeps: Sweeps) -> bool:
    for one, lines in sweeps.items():
        if one not in (sweep, other) and any(name_of(v) == name for x in lines for v in _all(x)):
            return False
    lines = sweeps[sweep]
    makers = [line for line in lines if line.name == name]
    inside = [line for line in makers if line.loops]
    before = [line for line in makers if not line.loops]
    if len(inside) != 1 or len(before) != 1 or any(line.adds for line in makers):
        return False
    (maker,), (start,) = inside, before
    if len(maker.loops) != 1 or not maker.loops[0].down or lines.index(start) > lines.index(maker):
        return False
    loop = maker.loops[0]
    hands = sp.expand(symbol(maker.target).index[0] - loop.letter + 1) == 0
    begins = sp.expand(symbol(start.target).index[0] - loop.stop) == 0
    readers = [line for line in lines if _read(line, name)]
    at_turn = all(
        line.loops == maker.loops
        and lines.index(line) < lines.index(maker)
        and all(symbol(v).index == (loop.letter,) for v in _read(line, name))
        for line in readers
    )
    later = sweeps.get(other, ())
    return hands and begins and at_turn and all(_reads_last(x, name, loop) for x in later)


def _reads_last(line: Binding, name: str, loop: Loop) -> bool:
    """Tell whether a line of the later sweep reads what the last turn handed on, if any of it."""
    read = _read(line, name)
    last = sp.expand(loop.start - 1)
    return all(sp.expand(symbol(v).index[0] - last) == 0 and not line.loops for v in read)


def _read(line: Binding, name: str) -> list[Expr]:
    return [v for v in variables(line.expr) if name_of(v) == name]


def _all(line: Binding) -> list[Expr]:
    return [line.target, *variables(line.expr)]
