"""Lines and formulas at numbers for all sizes: what a loop means, written out.

A member is called by its plain name then, h_2 for h[k-1] where k is 3, and a member of a family of
sizes is a size of its own, D_3 for D[k].
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import sympy as sp
from sympy.core.function import AppliedUndef

from symbp.ir import Dim, Expr, Variable, node, size_symbol, size_value, symbol
from symbp.ops.indexed import Chain, Over, When, when
from symbp.ops.linear import add, zeros
from symbp.ops.product import contract
from symbp.ops.rewrite import resized
from symbp.program import Binding, Loop, Program, blocks

Places = Mapping[sp.Symbol, int]
"""Numbers for sizes and for the letters of loops."""


def plain(expr: Expr, places: Places) -> Expr:
    """Return an expression at numbers, sums and products over letters written out.

    What stands beside a bracket that does not hold is zero and left out.
    """

    def change(dim: Dim) -> Dim:
        return _plain_dim(size_value(dim, places))

    done: dict[Expr, Expr] = {}
    for part in _outside(expr):
        op = part.op
        if isinstance(op, Over):
            terms = _at_turns(part, op, places)
            done[part] = add(*terms) if terms else zeros(*map(change, part.shape))
        elif isinstance(op, Chain):
            done[part] = _multiplied(_at_turns(part, op, places), done[part.args[1]])
        elif isinstance(op, Variable):
            marks = [str(size_value(place, places)) for place in op.index]
            name, of = "_".join([op.name, *marks]), "_".join([op.of, *marks]) if op.of else ""
            dims = tuple(map(change, op.dims))
            done[part] = node(replace(op, name=name, dims=dims, index=(), of=of))
        elif isinstance(op, When):
            done[part] = when(
                size_value(op.left, places), op.relation, size_value(op.right, places)
            )
        else:
            done[part] = resized(part, tuple(done[arg] for arg in part.args), change)
    return done[expr]


def _outside(expr: Expr) -> Iterator[Expr]:
    """Yield the nodes below, arguments first, but none that is said at the letter of a sum."""
    seen: set[Expr] = set()
    pending = [(expr, False)]
    while pending:
        part, ready = pending.pop()
        if ready and part not in seen:
            seen.add(part)
            yield part
        elif part not in seen:
            pending.append((part, True))
            apart = 1 if isinstance(part.op, Over | Chain) else 0
            pending.extend((arg, False) for arg in part.args[apart:])


def _at_turns(part: Expr, op: Over | Chain, places: Places) -> list[Expr]:
    """Return what is summed or multiplied over a letter, turn by turn."""
    turns = _turns(Loop(op.letter, op.start, op.stop), places)
    return [plain(part.args[0], turn) for turn in turns]


def _multiplied(factors: Sequence[Expr], value: Expr) -> Expr:
    """Return the product of factors and a value, worked out from the right."""
    for factor in reversed(factors):
        value = contract("ij,j->i" if value.rank else ",->", factor, value)
    return value


def unrolled(lines: Sequence[Binding], places: Places) -> list[Binding]:
    """Return lines at numbers, loops written out; a target that is added to has one line."""
    made = list(_written_out(lines, places, 0))
    totals: dict[Expr, list[Expr]] = {}
    for line in made:
        if line.adds:
            totals.setdefault(line.target, []).append(line.expr)
    last = {line.target: k for k, line in enumerate(made)}
    whole = []
    for k, line in enumerate(made):
        if line.target not in totals:
            whole.append(line)
        elif last[line.target] == k:
            whole.append(replace(line, expr=add(*totals[line.target]), adds=False))
    return whole


def written_out(program: Program, places: Places) -> Program:
    """Return a program at numbers for the sizes that its ranges speak of, without loops."""

    def given(group: Sequence[Expr]) -> tuple[Expr, ...]:
        return tuple(v for one in group for v in _members(one, program, places))

    def result(found: Expr | None) -> Expr | None:
        return None if found is None else plain(found, places)

    free = {k: v for k, v in program.sizes.items() if size_symbol(k) not in places}
    return replace(
        program,
        bindings=tuple(unrolled(program.bindings, places)),
        inputs=given(program.inputs),
        targets=given(program.targets),
        params=given(program.params),
        consts=given(program.consts),
        wrt=given(program.wrt),
        output=result(program.output),
        loss=result(program.loss),
        sizes={**free, **{s.name: int(v) for s, v in places.items()}},
        families={},
        least=(),
        inits={},
    )


def _members(var: Expr, program: Program, places: Places) -> list[Expr]:
    family = program.families.get(symbol(var).name) if symbol(var).index else None
    turns = _turns(family, places) if family else [places]
    return [plain(var, turn) for turn in turns]


def _written_out(lines: Sequence[Binding], places: Places, depth: int) -> Iterator[Binding]:
    """Yield the lines of each turn; `depth` is how many loops around have their number."""
    for loop, group in blocks(lines, depth):
        if loop is None:
            for line in group:
                target, expr = plain(line.target, places), plain(line.expr, places)
                yield replace(line, target=target, expr=expr, loops=())
        else:
            for turn in _turns(loop, places):
                yield from _written_out(group, turn, depth + 1)


def _turns(loop: Loop, places: Places) -> list[Places]:
    first, last = (int(size_value(bound, places)) for bound in (loop.start, loop.stop))
    turns = range(first, last + 1)
    return [{**places, loop.letter: k} for k in (reversed(turns) if loop.down else turns)]


def _plain_dim(dim: Dim) -> Dim:
    """Return the size D_3 for the member D[3], within whatever formula."""
    if isinstance(dim, int) or not dim.has(sp.Function):
        return dim
    members = dim.atoms(AppliedUndef)
    return dim.xreplace(
        {m: size_symbol("_".join([m.func.__name__, *map(str, m.args)])) for m in members}
    )
