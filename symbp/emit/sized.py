"""Where a function of a network with loops reads sizes off: arrays, and numbers of members."""

from collections.abc import Collection, Iterable, Sequence

import sympy as sp

from symbp.emit.families import Families
from symbp.emit.sweeps import ROLES, Sweep
from symbp.ir import Dim, Expr, Variable, holder, symbol, walk
from symbp.lower.batch import EXAMPLES
from symbp.lower.reads import symbols_of
from symbp.lower.schedule import ABOUT_LOSS
from symbp.program import Binding


class SizedSweep(Sweep):
    """A private function that is told its sizes by what it takes."""

    families: Families

    @property
    def turns(self) -> Sequence[Binding]:
        """The lines, in loops that say which turns there are."""
        return self.lines

    def _witness(self, found: Iterable[Expr]) -> list[Expr]:
        found = list(found)
        self.families.enter(self.turns)
        wanted: list[Dim] = [*self.families.read_by(self.lines)]
        parts = [part for line in self.lines for part in walk(line.expr)]
        several = any(symbol(v).batched for v in self._tellers(found))
        if not several and any(_counts_examples(part) for part in parts):
            wanted.append(EXAMPLES)
        told = {dim for v in self._tellers(found) for dim in v.shape}
        values = [v for v in self.schedule.values.values() if not symbol(v).index]
        order = sorted(values, key=lambda v: ROLES.index(symbol(v).role))
        order = [v for v in order if v not in self._ahead()]
        wanted = [s for s in wanted if s not in told]
        plain = [next((v for v in order if s in v.shape), None) for s in wanted]
        of_lines = [v is not None and symbol(v).role == "line" for v in plain]
        pairs = zip(wanted, plain, of_lines, strict=True)
        plain = [v for s, v, made in pairs if not (made and self.families.tells(sp.S(s)))]
        told |= {dim for v in plain if v is not None for dim in v.shape}
        made = [v for v in plain if v is not None]
        return [*made, *self.families.tellers(self.lines, told)]

    def _ahead(self) -> set[Expr]:
        """Return the values that are not there yet when the function is called."""
        sweeps = self.schedule.sweeps
        names = () if self.name in ABOUT_LOSS else ("loss",)
        ahead = {line.target for name in (*names, self.name) for line in sweeps[name]}
        return ahead | (set(self._targets()) if names else set())

    def _targets(self) -> list[Expr]:
        return [self.schedule.batched(v) for v in self.schedule.program.targets]

    def _sizes(self, read: Collection[str]) -> list[str]:
        """Return the lines that count the members of families, for the sizes that are read."""
        made: list[str] = []
        for size in self.families.read_by(self.lines) + self._in_results():
            owner = self.families.owner(size)
            name = self.names.size(size)
            line = f"{name} = "
            if owner is None or name not in read or any(m.startswith(line) for m in made):
                continue
            var = self.families.members[owner]
            whole = self.names[holder(var)]
            whole = f"params.{whole}" if symbol(var).role == "param" else whole
            made.append(line + self.families.count(owner, size, whole))
        return made

    def _in_results(self) -> list[sp.Symbol]:
        loops = [self.families.range_of(v) for v in self.results]
        return [s for x in loops if x for b in (x.start, x.stop) for s in _free(b)]


def _counts_examples(part: Expr) -> bool:
    """Tell whether the code of a node may speak of how many examples there are."""
    is_weight = isinstance(part.op, Variable) and part.op.role == "weight"
    return is_weight or EXAMPLES in symbols_of(part)


def _free(dim: Dim) -> list[sp.Symbol]:
    return sorted(sp.S(dim).free_symbols, key=str)
