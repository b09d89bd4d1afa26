"""What the code computes once: a shared part gets a line of its own.

It does where one sweep reads it twice, or where a later sweep reads what an earlier one computes
anyway; a function of a whole vector or matrix always does.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from symbp.ir import (
    Expr,
    Sum,
    Words,
    is_variable,
    name_of,
    variables,
    walk,
)
from symbp.lower.aliases import without_aliases
from symbp.lower.expand import expanded, folded
from symbp.lower.solve import solved
from symbp.lower.sweeps import BEFORE, Sweeps
from symbp.ops.kinds import Elementwise, Largest, Nonlinear, Solve
from symbp.ops.linear import is_ones
from symbp.ops.rewrite import rebuild
from symbp.program import Binding, named_part, place_for


def share(sweeps: Sweeps, taken: set[str], kept: set[str]) -> Sweeps:
    """Return the sweeps with expansions written out and shared parts named.

    `taken` are names in use; `kept` are lines that must stay, because a function returns them.
    """
    made = _named(solved(folded(sweeps, kept), kept), taken, always=True)
    made = _named(expanded(made), taken, always=False)
    return without_aliases(made, kept)


def _named(sweeps: Sweeps, taken: set[str], *, always: bool) -> Sweeps:
    """Give a line to each part that is read twice in a sweep, or again in a later one.

    With `always`, instead to each function of a whole vector or matrix, read twice or not.
    """
    wanted = _nonlinear_parts(sweeps) if always else _shared_parts(sweeps)
    names: dict[str, Expr] = {}
    made: Sweeps = {}
    for sweep, lines in sweeps.items():
        own = {digest for before in BEFORE[sweep] for digest in wanted.get(before, ())}
        new: list[Binding] = []
        for line in lines:
            for one in _cut(line, (wanted[sweep], own), names, taken):
                new.insert(place_for(one, new, line), one)
        made[sweep] = tuple(new)
    return made


def _cut(
    line: Binding, shared: tuple[set[str], set[str]], names: dict[str, Expr], taken: set[str]
) -> list[Binding]:
    """Return the line with the shared parts called by name, after those that it needs first."""
    wanted, have = shared
    new: list[Binding] = []
    done: dict[Expr, Expr] = {}
    for part in _outside(line.expr, have):
        if part.digest in have and part is not line.expr:
            done[part] = names[part.digest]
            continue
        made = rebuild(part, tuple(done[arg] for arg in part.args))
        if part is not line.expr and part.digest in wanted:
            if part.digest not in names:
                name = _fresh(_describe(part), taken)
                names[part.digest] = named_part(name, part, line).target
            new.append(replace(named_part("", part, line), target=names[part.digest], expr=made))
            have.add(part.digest)
            made = names[part.digest]
        done[part] = made
    whole = done[line.expr]
    if isinstance(line.expr.op, Nonlinear | Solve) and line.expr.digest in (wanted | have):
        known = names.setdefault(line.expr.digest, line.target)
        if known is not line.target:  # it has another name, of this sweep or of one beside it
            if line.expr.digest not in have:
                new.append(Binding(known, whole, loops=line.loops))
            whole = known
        have.add(line.expr.digest)
    return [*new, line.saying(whole)]


def _outside(root: Expr, have: set[str]) -> list[Expr]:
    """Return the parts of an expression, arguments first, not going into those that have a name."""
    order: dict[Expr, None] = {}
    pending: list[tuple[Expr, bool]] = [(root, False)]
    while pending:
        part, ready = pending.pop()
        if part in order:
            continue
        if ready or (part.digest in have and part is not root):
            order[part] = None
            continue
        pending.append((part, True))
        pending.extend((arg, False) for arg in reversed(part.args))
    return list(order)


def _nonlinear_parts(sweeps: Sweeps) -> dict[str, set[str]]:
    lines_of = [line for lines in sweeps.values() for line in lines]
    counts = Counter(part.digest for line in lines_of for part in walk(line.expr))
    wanted: dict[str, set[str]] = {}
    for sweep, lines in sweeps.items():
        earlier = {digest for before in BEFORE[sweep] for digest in wanted[before]}
        parts = [part for line in lines for part in walk(line.expr)]
        found = {part.digest for part in parts if _is_whole(part, counts)}
        wanted[sweep] = found - earlier
    return wanted


def _is_whole(part: Expr, lines: Mapping[str, int]) -> bool:
    """Tell whether a part is a function of a whole array; a system, where two lines have it."""
    if isinstance(part.op, Solve):
        return lines[part.digest] > 1
    return isinstance(part.op, Nonlinear)


def _shared_parts(sweeps: Sweeps) -> dict[str, set[str]]:
    """Return for each sweep the digests of the parts that it names."""
    made: dict[str, set[str]] = {}
    wanted: dict[str, set[str]] = {sweep: set() for sweep in sweeps}
    for sweep, lines in sweeps.items():
        made[sweep] = set()
        pending = [arg for line in reversed(lines) for arg in reversed(line.expr.args)]
        while pending:
            part = pending.pop()
            if is_worth_naming(part):
                origins = [s for s in (*BEFORE[sweep], sweep) if part.digest in made[s]]
                if origins:
                    wanted[origins[0]].add(part.digest)
                    continue
                made[sweep].add(part.digest)
            pending.extend(reversed(part.args))
    return wanted


def is_worth_naming(part: Expr) -> bool:
    """Tell whether computing a part twice costs more than a name."""
    op = part.op
    if not part.rank and part.size < SMALL and not variables(part):
        return False  # a number of sizes alone, as √n
    if isinstance(op, Largest | Nonlinear | Solve):
        return True
    if isinstance(op, Elementwise):
        return not op.idempotent and op.exponent not in (-1, 2)
    if isinstance(op, Sum):
        return len(part.args) > 1 and part.rank > 0 and not any(map(is_ones, part.args))
    if not isinstance(op, Words) or not part.args:
        return False
    return len(part.args) > 1 or len(op.out) < len(op.words[0])


def _describe(part: Expr) -> str:
    """Return a name that says what a part is: softmax_z, exp_z, sum_exp_z, one_minus_y."""
    op = part.op
    if not part.args:
        return name_of(part) if is_variable(part) else "one"
    first = next((arg for arg in part.args if variables(arg)), part.args[0])
    inner = _describe(first)
    if isinstance(op, Largest):
        return f"max_{inner}"
    if isinstance(op, Nonlinear) and op.name in _MATRIX:
        return _MATRIX[op.name].format("Z" if inner == "t" else inner)
    if isinstance(op, Solve):
        return f"{inner}_inv_{_describe(part.args[1])}"
    if isinstance(op, Elementwise | Nonlinear):
        argument = _describe(first.args[0]) if _is_shift(first) else inner
        exponent = getattr(op, "exponent", None)
        return f"{_POWERS.get(str(exponent), op.name)}_{argument}"
    if isinstance(op, Words) and len(part.args) == 1 and len(op.out) < len(op.words[0]):
        return f"sum_{inner}"
    if isinstance(op, Words) and len(part.args) == 1:
        return inner  # with its axes moved
    if _is_shift(part):
        return f"shifted_{inner}"
    if isinstance(op, Sum) and len(part.args) == 2 and all(_is_plain(arg) for arg in part.args):
        sign = "minus" if op.coefficients[1] < 0 else "plus"
        return f"{_describe(part.args[0])}_{sign}_{_describe(part.args[1])}"
    return "t"


def _is_plain(part: Expr) -> bool:
    return not part.args


def _is_shift(part: Expr) -> bool:
    """Tell whether a part is z − max z."""
    if not isinstance(part.op, Sum) or len(part.args) != 2:
        return False
    return any(isinstance(below.op, Largest) for below in (part.args[1], *part.args[1].args))


_MATRIX = {"inv": "{}_inv", "det": "det_{}", "logdet": "logdet_{}", "detsign": "sign_{}"}
SMALL = 8
"""Fewer nodes than these may be a number of sizes alone; larger ones are not looked through."""

_POWERS = {"2": "squared", "1/2": "sqrt", "-1": "inverse"}


def _fresh(stem: str, taken: set[str]) -> str:
    name, k = stem, 2
    while name in taken:
        name, k = f"{stem}_{k}", k + 1
    taken.add(name)
    return name
