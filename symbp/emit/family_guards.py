"""Guards of what a network with loops is given, of families member by member."""

from collections.abc import Mapping, Sequence

import sympy as sp
from sympy.core.function import AppliedUndef

from symbp.emit.dims import Dims
from symbp.emit.families import Families
from symbp.emit.shapes import dim_text
from symbp.emit.syntax import text
from symbp.emit.text import broken
from symbp.ir import Dim, Expr, holder, is_holder, name_of, symbol
from symbp.lower.batch import EXAMPLES


class FamilyGuards:
    """Writes the lines that check shapes.

    values: the variables of the forward pass by name.  available: the families that the code has as
    dicts.
    """

    def __init__(
        self, families: Families, values: Mapping[str, Expr], available: Sequence[Expr]
    ) -> None:
        self.families, self.names = families, families.names
        self.values, self.available = values, available

    def guard(self, var: Expr, known: Sequence[Expr]) -> str:
        """Return the line that checks an argument's shape, of a family those of all members."""
        loop = self.families.range_of(var)
        sizes = self.families.sizes({}, self.available)
        dims = var.shape[:-1] if symbol(var).encoding == "one_hot" else var.shape
        texts = [self._guarded(dim, sizes, known) for dim in dims]
        name = self.names[holder(var)]
        if loop is None:
            return f"{name} = _expect({', '.join([f'{chr(34)}{name}{chr(34)}', name, *texts])})"
        place, letter = self.names.place, self.names.letter(loop.letter)
        ends = f"{place(loop.start)}, {place(loop.stop + 1)}"
        texts = [
            f"{{{letter}: {x} for {letter} in range({ends})}}" if sp.S(d).has(loop.letter) else x
            for d, x in zip(dims, texts, strict=True)
        ]
        count = place(sp.expand(loop.stop - loop.start + 1))
        given = [f'"{name}"', place(loop.start), name, count, *texts]
        return "\n".join(broken(f"{name} = _family(", given, ")"))

    def _guarded(self, dim: Dim, sizes: Mapping[Dim, str], known: Sequence[Expr]) -> str:
        """Return the code of a size that is known, else a word for any."""
        if isinstance(dim, int):
            return str(dim)
        plain = [v for v in known if not symbol(v).index and not is_holder(v)]
        for var in plain:
            for axis, own in enumerate(var.shape):
                if own == dim:
                    name = self.names[var]
                    return f"{name}.shape[{axis}]" if axis else f"len({name})"
        for var in (v for v in known if symbol(v).index):
            member = self.values.get(name_of(var))
            if member is not None and dim in member.shape:
                axis = member.shape.index(dim)
                first = f"next(iter({self.names[holder(var)]}.values()))"
                return f"{first}.shape[{axis}]" if axis else f"len({first})"
        if dim == EXAMPLES:
            return '"N"'
        told = all(m in sizes for m in sp.S(dim).atoms(AppliedUndef))
        plain_ok = all(s in sizes for s in self._open_symbols(dim, sizes))
        return text(Dims(sizes).size(dim)) if told and plain_ok else f'"{dim_text(dim)}"'

    def _open_symbols(self, dim: Dim, sizes: Mapping[Dim, str]) -> list[sp.Symbol]:
        letters = {x.letter for x in self.families.ranges.values()}
        members = sp.S(dim).atoms(AppliedUndef)
        bare = sp.S(dim).xreplace(dict.fromkeys(members, sp.Integer(1))).free_symbols
        return [s for s in bare if s not in letters and self.families.owner(s) is None]
