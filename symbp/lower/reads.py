"""What lines read: names, sizes, and whether any array of numbers is among them."""

from collections.abc import Iterable, Mapping

import sympy as sp

from symbp.ir import Dim, Expr, Size, Variable, Words, symbol, variables, walk
from symbp.ops.kinds import Split
from symbp.program import Binding


def is_number(line: Binding) -> bool:
    """Tell whether a line reads no array of numbers, so that its type comes from elsewhere."""
    read = (symbol(v) for v in variables(line.expr))
    return all(op.role == "weight" or op.encoding == "one_hot" for op in read)


def sizes_for(
    lines: Iterable[Binding], given: Iterable[Expr], names: Mapping[Expr, str]
) -> dict[Dim, str]:
    """Return Python expressions of the symbolic sizes that lines use, read off given arrays."""
    wanted = {s for line in lines for part in walk(line.expr) for s in symbols_of(part)}
    texts: dict[Dim, str] = {}
    for var in given:
        known = var.shape[:-1] if symbol(var).encoding == "one_hot" else var.shape
        for axis, dim in enumerate(known):
            if dim in wanted and dim not in texts:
                texts[dim] = f"{names[var]}.shape[{axis}]" if axis else f"len({names[var]})"
    return texts


def dims_of(part: Expr) -> list[Dim]:
    """Return the sizes that code for a node may speak of."""
    dims = [*part.shape, *(part.op.dims if isinstance(part.op, Words | Split) else ())]
    return dims + ([part.op.dim] if isinstance(part.op, Size) else [])


def symbols_of(part: Expr) -> set[sp.Symbol]:
    """Return the symbolic sizes that code for a node may speak of."""
    dims = dims_of(part)
    return {s for dim in dims if not isinstance(dim, int) for s in dim.free_symbols}


def reads(lines: Iterable[Binding]) -> list[Expr]:
    """Return what some lines read and do not make themselves, without the weight of an example."""
    made: set[Expr] = set()
    found: dict[Expr, None] = {}
    for line in lines:
        found.update(dict.fromkeys(v for v in variables(line.expr) if v not in made))
        made.add(line.target)
    return [v for v in found if isinstance(v.op, Variable) and symbol(v).role != "weight"]
