"""The code of families of symbolic length: how many members they have, and how large these are."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import sympy as sp
from sympy.core.function import AppliedUndef

from symbp.emit.identifiers import Identifiers
from symbp.errors import SymbpError
from symbp.ir import (
    Dim,
    Expr,
    Size,
    Sum,
    Variable,
    Words,
    holder,
    is_holder,
    name_of,
    symbol,
    variables,
    walk,
)
from symbp.lower.batch import EXAMPLES, Batch
from symbp.ops.kinds import Split
from symbp.ops.selection import Selection
from symbp.places import Range, at_most, span
from symbp.program import Binding, Loop

_HELP = "`param b[1..K] : n`; or give the size a number, `--set K=3`"


class Families:
    """What is given as families, and how code reads sizes off them.

    members: for each name the member at the letter of the family's range, for the whole batch.
    """

    def __init__(self, batch: Batch, names: Identifiers, without: Sequence[Expr] = ()) -> None:
        """Take the families of a program, `without` those that come later."""
        self.names, self.ranges = names, batch.program.families
        self.loops: list[Range] = []
        program = batch.program
        order = (*program.params, *program.inputs, *program.consts, *program.targets)
        there = [v for v in order if name_of(v) in self.ranges and v not in without]
        self.members = {name_of(v): batch.name(v) for v in there}

    def check_told(self, lines: Iterable[Binding]) -> None:
        """Raise SymbpError where no family that is given tells a size that places speak of.

        The numbers of members are read in the order of declaration, each telling one size more.
        """
        known: set[sp.Symbol] = set()
        for name in self.members:
            loop = self.ranges[name]
            new = sp.S(loop.stop - loop.start).free_symbols - known
            if len(new) > 1 or any(self._rest(name, size) is None for size in new):
                said = " and ".join(sorted(map(str, new)))
                what = f"the number of members of {name} does not tell {said} by itself"
                raise SymbpError(what, f"declare families that do above it: {_HELP}")
            known |= new
        lines = list(lines)
        ends = [b for line in lines for x in line.loops for b in (x.start, x.stop)]
        ends += [b for loop in self.ranges.values() for b in (loop.start, loop.stop)]
        for var in (v for line in lines for v in (line.target, *variables(line.expr))):
            ends += symbol(var).index
        sizes = {s for end in ends for s in sp.S(end).free_symbols if s.is_positive}
        for size in sorted(sizes - known, key=str):
            what = f"no number of members that the module is given tells {size}"
            raise SymbpError(what, f"declare a family of {size} members: {_HELP}")

    def range_of(self, var: Expr) -> Loop | None:
        """Return the range of a family that is given, or of its tangents and adjoints."""
        if not symbol(var).index:
            return None
        of = symbol(var).of or name_of(var)
        return self.ranges.get(of) or self.ranges.get(of.removesuffix("_bar"))

    def enter(self, lines: Iterable[Binding]) -> None:
        """Note the ranges of the letters that places in some lines speak of."""
        loops = dict.fromkeys(loop for line in lines for loop in line.loops)
        given = [(x.letter, x.start, x.stop) for x in self.ranges.values()]
        self.loops = [*given, *((x.letter, x.start, x.stop) for x in loops)]

    def read_by(self, lines: Iterable[Binding]) -> list[sp.Symbol]:
        """Return the sizes that bounds, places and shapes in some lines speak of, in code."""
        lines = list(lines)
        dims: list[Dim] = [b for line in lines for x in line.loops for b in (x.start, x.stop)]
        for line in lines:
            for var in (line.target, *variables(line.expr)):
                dims += [] if is_holder(var) else symbol(var).index
        dims += [dim for line in lines for part in walk(line.expr) for dim in _spoken(part)]
        found = {s for dim in dims for s in sp.S(dim).free_symbols if s.is_positive}
        return sorted(found, key=str)

    def tellers(self, lines: Sequence[Binding], told: Iterable[Dim]) -> list[Expr]:
        """Return the families that sizes have to be read off; `told` are those known otherwise."""
        known = set(told)
        wanted = [s for s in self.read_by(lines) if s not in known]
        found = [owner for s in wanted if (owner := self.owner(s)) is not None]
        spoken = (dim for line in lines for part in walk(line.expr) for dim in _spoken(part))
        parts = (sp.S(dim) for dim in spoken)
        for size in (s for dim in parts for s in (*dim.atoms(AppliedUndef), *dim.free_symbols)):
            if size not in known and self.is_read_off(size):
                axes = self._axes(size)
                found += [name for name, _, place in axes if self._is_there(name, place)][:1]
        return [holder(self.members[name]) for name in dict.fromkeys(found)]

    def owner(self, size: sp.Expr) -> str | None:
        """Return the name of the first family whose number of members tells a size."""
        return next((name for name in self.members if self._rest(name, size) is not None), None)

    def tells(self, size: sp.Expr) -> bool:
        """Tell whether a size is how many members a family has, or how long their axes are."""
        return self.owner(size) is not None or any(True for _ in self._axes(size))

    def count(self, name: str, size: sp.Symbol, whole: str) -> str:
        """Return the code of a size, given that of all members of a family that tells it."""
        rest = self._rest(name, size)
        assert rest is not None
        if rest == 0:
            return f"len({whole})"
        return f"len({whole}) {'-' if rest > 0 else '+'} {abs(rest)}"

    def _rest(self, name: str, size: sp.Expr) -> sp.Expr | None:
        """Return how many members more than a size a family has, None where that is no number."""
        loop = self.ranges[name]
        rest = sp.expand(loop.stop - loop.start + 1 - size)
        return rest if rest.is_Integer else None

    def _is_there(self, name: str, place: Dim) -> bool:
        """Tell whether a family has a member at a place, whatever turn the loops are in.

        It has its first one: a family without members is refused.
        """
        first, last = span(place, self.loops)
        loop = self.ranges[name]
        if place == loop.start:
            return True
        return at_most(loop.start, first) and at_most(last, loop.stop)

    def _axes(self, size: sp.Expr) -> Iterator[tuple[str, int, Dim]]:
        """Yield the axes that have a size as their length: family, axis, place."""
        for name, var in self.members.items():
            loop = self.ranges[name]
            lacks = symbol(var).encoding == "one_hot"  # class indices have no class axis
            for axis, dim in enumerate(var.shape[:-1] if lacks else var.shape):
                if not isinstance(size, AppliedUndef) and dim == size:
                    yield name, axis, loop.start
                if isinstance(dim, AppliedUndef) and dim.func == size.func:
                    offset = sp.expand(dim.args[0] - loop.letter)
                    if not offset.has(loop.letter):
                        yield name, axis, sp.expand(size.args[0] - offset)

    def sizes(self, plain: Mapping[Dim, str], available: Iterable[Expr]) -> Mapping[Dim, str]:
        """Return the code of sizes: those known, letters, counts, and members of families.

        available: the families that the code has as dicts.
        """
        return _Told(self, plain, {name_of(v) for v in available})

    def is_read_off(self, size: sp.Expr) -> bool:
        """Tell whether a size is the length of axes, not a number of members, nor a letter."""
        is_size = isinstance(size, AppliedUndef) or size == EXAMPLES or size.is_positive
        return bool(is_size) and self.owner(size) is None

    def place_of(self, member: sp.Expr, available: set[str]) -> str | None:
        """Return the code of a member of a family of sizes, read off a family that is there."""
        for name, axis, place in self._axes(member):
            if name in available and self._is_there(name, place):
                whole = self.names[holder(self.members[name])]
                return f"{whole}[{self.names.place(place)}].shape[{axis}]"
        return None


class _Told(dict[Dim, str]):
    """Code of sizes by the size; what is not there is found when it is asked for."""

    def __init__(self, families: Families, plain: Mapping[Dim, str], available: set[str]) -> None:
        super().__init__(plain)
        self.families, self.available = families, available

    def __contains__(self, dim: object) -> bool:
        return super().__contains__(dim) or self._found(dim) is not None

    def __missing__(self, dim: Dim) -> str:
        found = self._found(dim)
        if found is None:
            raise KeyError(dim)
        return found

    def _found(self, dim: object) -> str | None:
        if not isinstance(dim, AppliedUndef | sp.Symbol):
            return None
        if self.families.is_read_off(dim):
            return self.families.place_of(dim, self.available)
        return self.families.names.known_sizes(dim)[dim]


def _spoken(part: Expr) -> list[Dim]:
    """Return the sizes that the code of a node cannot do without."""
    op = part.op
    if isinstance(op, Variable):
        return [*op.dims[-1:]] if op.encoding == "one_hot" else []
    if isinstance(op, Size):
        return [op.dim]
    if isinstance(op, Sum) and not part.args:
        return list(op.dims)
    if isinstance(op, Words):
        read = {letter for word in op.words for letter in word}
        return [op.dims[letter] for letter in set(op.out) - read]
    if isinstance(op, Selection):
        return [*op.dims, op.offset]
    return list(op.dims) if isinstance(op, Split) else []
