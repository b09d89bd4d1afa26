"""What lines read: names, sizes, and whether any array of numbers is among them."""

from collections.abc import Collection, Iterable, Mapping

import sympy as sp

from symbp.ir import Dim, Expr, Size, Variable, Words, holder, symbol, variables, walk
from symbp.ops.kinds import Split
from symbp.ops.selection import Selection
from symbp.program import Binding


def is_number(line: Binding) -> bool:
    """Tell whether a line reads no array of numbers, so that its type comes from elsewhere."""
    read = (symbol(v) for v in variables(line.expr))
    return all(op.role == "weight" or op.encoding == "one_hot" for op in read)


def sizes_for(
    lines: Iterable[Binding], given: Iterable[Expr], names: Mapping[Expr, str]
) -> dict[Dim, str]:
    """Return Python expressions of the symbolic sizes that lines use, read off given arrays.

    A symbol that is no axis by itself is solved for where an axis has it: `m + n` tells n where
    m is known.  What cannot be told is left out.
    """
    dims = {dim for line in lines for part in walk(line.expr) for dim in dims_of(part)}
    wanted = {s for dim in dims if not isinstance(dim, int) for s in dim.free_symbols}
    texts: dict[Dim, str] = {}
    composite: dict[sp.Expr, str] = {}
    for var in given:
        known = var.shape[:-1] if symbol(var).encoding == "one_hot" else var.shape
        for axis, dim in enumerate(known):
            if isinstance(dim, int) or dim in texts:
                continue
            place = f"{names[var]}.shape[{axis}]" if axis else f"len({names[var]})"
            if dim in wanted or (dim in dims and not dim.is_Symbol):
                texts[dim] = place
            if not dim.is_Symbol or dim not in wanted:
                composite.setdefault(dim, place)
    return {**texts, **_solved(wanted - set(texts), texts, composite)}


def _solved(
    wanted: set[sp.Symbol], texts: Mapping[Dim, str], axes: Mapping[sp.Expr, str]
) -> dict[Dim, str]:
    """Return the wanted symbols that axes tell by their sums and products with known symbols."""
    found: dict[Dim, str] = {}
    known = {dim: text for dim, text in (*texts.items(), *axes.items()) if dim.is_Symbol}
    while True:
        told = [(dim, open_) for dim in axes if len(open_ := dim.free_symbols - set(known)) == 1]
        solved = [(s, text) for dim, (s,) in told if (text := _inverted(dim, s, known, axes[dim]))]
        if not solved or wanted <= set(found):
            return found
        known.update(solved[:1])
        found.update((s, text) for s, text in solved[:1] if s in wanted)


def _inverted(dim: sp.Expr, unknown: sp.Symbol, known: Mapping[Dim, str], place: str) -> str | None:
    """Return the text of the symbol that `dim`, an axis's size, is linear in; None of none."""
    factor, rest = dim.coeff(unknown, 1), dim.coeff(unknown, 0)
    if sp.expand(factor * unknown + rest - dim) != 0 or factor.has(unknown) or rest.has(unknown):
        return None

    def text(expr: sp.Expr) -> str:
        stand = {s: sp.Symbol(f"({known[s]})") for s in expr.free_symbols}
        return str(expr.subs(stand))

    above = place if rest == 0 else f"{place} - ({text(rest)})"
    return above if factor == 1 else f"({above}) // ({text(factor)})"


def dims_of(part: Expr) -> list[Dim]:
    """Return the sizes that code for a node may speak of."""
    op = part.op
    dims = [*part.shape, *(op.dims if isinstance(op, Words | Split | Selection) else ())]
    if isinstance(op, Selection):
        dims += [op.offset, *([op.offset + op.dims[1]] if len(op.dims) > 1 else [])]
    return dims + ([op.dim] if isinstance(op, Size) else [])


def made_of(lines: Iterable[Binding], given: Collection[Expr]) -> set[Expr]:
    """Return what some line makes of given values, or of what is made of them, alone.

    A family is held to be so where any of its members is.
    """
    lines, found, before = list(lines), set(given), -1
    while len(found) > before:
        before = len(found)
        for line in lines:
            read = (holder(v) for v in variables(line.expr) if symbol(v).role != "weight")
            if all(v in found for v in read):
                found.add(holder(line.target))
    return found - set(given)


def symbols_of(part: Expr) -> set[sp.Symbol]:
    """Return the symbolic sizes that code for a node may speak of."""
    dims = dims_of(part)
    return {s for dim in dims if not isinstance(dim, int) for s in dim.free_symbols}


def reads(lines: Iterable[Binding]) -> list[Expr]:
    """Return what some lines read and do not make themselves, without the weight of an example.

    A family is read, and made, as a whole.
    """
    lines = list(lines)
    made = {holder(line.target) for line in lines if symbol(line.target).index}
    found: dict[Expr, None] = {}
    for line in lines:
        held = dict.fromkeys(map(holder, variables(line.expr)))
        found.update(dict.fromkeys(v for v in held if v not in made))
        made.add(line.target)
    return [v for v in found if isinstance(v.op, Variable) and symbol(v).role != "weight"]
