"""What a function of a network with loops is given for the sake of the sizes it tells."""

from collections.abc import Iterable, Sequence

import sympy as sp

from symbp.emit.counting import CountingSweep
from symbp.emit.sweeps import ROLES
from symbp.ir import Dim, Expr, Variable, holder, symbol, walk
from symbp.lower.batch import EXAMPLES
from symbp.lower.reads import symbols_of
from symbp.lower.schedule import ABOUT_LOSS, KEEPERS
from symbp.lower.sweeps import BEFORE
from symbp.program import Binding


class WitnessedSweep(CountingSweep):
    """A private function whose arguments tell the sizes that its lines speak of."""

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
        values = [v for v in self.schedule.values.values() if self._may_tell(v)]
        order = sorted(values, key=lambda v: ROLES.index(symbol(v).role))
        order = [v for v in order if v not in self._ahead()]
        wanted = [s for s in wanted if s not in told]
        plain = [next((v for v in order if s in v.shape), None) for s in wanted]
        of_lines = [v is not None and symbol(v).role == "line" for v in plain]
        pairs = zip(wanted, plain, of_lines, strict=True)
        plain = [v for s, v, made in pairs if not (made and self.families.tells(sp.S(s)))]
        told |= {dim for v in plain if v is not None for dim in v.shape}
        made = [v for v in plain if v is not None]
        owners = [self.families.owner(s) for s in self._in_guards() if s not in told]
        counted = [holder(self.families.members[x]) for x in owners if x is not None]
        return [*made, *counted, *self.families.tellers(self.lines, told)]

    def _ahead(self) -> set[Expr]:
        """Return the values that are not there yet when the function is called."""
        sweeps = self.schedule.sweeps
        names = () if self.name in ABOUT_LOSS else ("loss",)
        ahead = {line.target for name in (*names, self.name) for line in sweeps[name]}
        return ahead | (set(self._targets()) if names else set())

    def _targets(self) -> list[Expr]:
        return [self.schedule.batched(v) for v in self.schedule.program.targets]

    def _may_tell(self, var: Expr) -> bool:
        """Tell whether a plain value is there where the function is called, to read sizes off."""
        before = BEFORE.get(self.name, ())
        if symbol(var).index:
            return False
        if symbol(var).role == "target":
            return self.name in ABOUT_LOSS
        kept = (v for sweep in before for v in self.schedule.kept.get(KEEPERS.get(sweep, ""), ()))
        made = [self.schedule.output, *kept] if before else []
        return symbol(var).role in ("input", "param", "const") or var in made


def _counts_examples(part: Expr) -> bool:
    """Tell whether the code of a node may speak of how many examples there are."""
    is_weight = isinstance(part.op, Variable) and part.op.role == "weight"
    return is_weight or EXAMPLES in symbols_of(part)
