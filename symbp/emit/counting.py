"""The counts of families, from which a function with loops knows how many turns there are."""

from collections.abc import Collection, Sequence

import sympy as sp

from symbp.emit.families import Families
from symbp.emit.sweeps import Sweep
from symbp.errors import SymbpError
from symbp.ir import Dim, Expr, holder, is_holder, symbol


class CountingSweep(Sweep):
    """A function that counts the members of families."""

    families: Families

    def _sizes(self, read: Collection[str]) -> list[str]:
        """Return the lines that count the members of families, for the sizes that are read."""
        made: list[str] = []
        plain = [v for v in self._tellers(self._needs()) if not is_holder(v)]
        spoken = [*self.families.read_by(self.lines), *self._in_results(), *self._in_guards()]
        for size in dict.fromkeys(spoken):
            owner = self.families.owner(size)
            name = self.names.size(size)
            line = f"{name} = "
            if name not in read:
                continue
            if owner is None:
                made.append(line + self._told(size, plain))
                continue
            var = self.families.members[owner]
            whole = self.names[holder(var)]
            whole = f"params.{whole}" if symbol(var).role == "param" else whole
            made.append(line + self.families.count(owner, size, whole))
        return made

    def _told(self, size: sp.Symbol, plain: Sequence[Expr]) -> str:
        """Return the code of a size that is an axis of an array; raise SymbpError if it is not."""
        for var in plain:
            if size in var.shape:
                axis = var.shape.index(size)
                return f"{self.names[var]}.shape[{axis}]" if axis else f"len({self.names[var]})"
        what = f"nothing that the module is given tells {size}, which says how many turns there are"
        help = f"give it a number, `--set {size}=3`, or a family, `param b[1..{size}] : n`"
        raise SymbpError(what, help)

    def _in_guards(self) -> list[sp.Symbol]:
        """Return the sizes that tell how many members the families have which are checked here."""
        program = self.schedule.program
        given = {"primal": (*program.inputs, *program.consts), "loss": program.targets}
        loops = [self.families.range_of(v) for v in given.get(self.name, ())]
        return [s for x in loops if x for s in _free(sp.expand(x.stop - x.start))]

    def _in_results(self) -> list[sp.Symbol]:
        loops = [self.families.range_of(v) for v in self.results]
        return [s for x in loops if x for b in (x.start, x.stop) for s in _free(b)]


def _free(dim: Dim) -> list[sp.Symbol]:
    return sorted(sp.S(dim).free_symbols, key=str)
