"""The fields of `Params`: an array for a parameter, a tuple of arrays for a family of them.

Inside a function every member has its plain name, `Omega_2`.  A message and a table of the module
call it as the spec does, `Omega[2]`; in the tuple it stands at the place that is counted from 0.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from symbp.emit.identifiers import Identifiers
from symbp.emit.text import Item, Nested, broken
from symbp.ir import Expr, holder, name_of
from symbp.lower.batch import Batch
from symbp.program import Loop


@dataclass(frozen=True)
class Field:
    """One field: its name, and the parameters in it as variables of the whole batch.

    first: the number that the spec gives to the first member of a family, None for an array.
    loop: the range of a family of symbolic length, whose one member is that at the range's letter.
    """

    name: str
    members: tuple[Expr, ...]
    first: int | None = None
    loop: Loop | None = None

    @property
    def labels(self) -> list[str]:
        """The members as the spec calls them; an array, or an open family, by its name."""
        if self.first is None or self.loop is not None:
            return [self.name]
        return [f"{self.name}[{self.first + k}]" for k in range(len(self.members))]

    def reads(self, whole: str) -> list[str]:
        """Return the code of each member, `params.Omega[0]`, of what is called `whole`."""
        if self.first is None or self.loop is not None:
            return [f"{whole}.{self.name}"]
        return [f"{whole}.{self.name}[{k}]" for k in range(len(self.members))]

    def given(self, values: Sequence[str]) -> Item:
        """Return the argument that gives the field the values of its members."""
        if self.first is None or self.loop is not None:
            return f"{self.name}={values[0]}"
        return Nested(f"{self.name}=(", tuple(values), ")")

    def taken(self, rest: str, count: str) -> str:
        """Return the argument that gives the field the next arrays of an iterator.

        count: the code of how many an open family has.
        """
        if self.first is None:
            return f"{self.name}=next({rest})"
        if self.loop is not None:
            return f"{self.name}=tuple(next({rest}) for _ in range({count}))"
        return f"{self.name}=tuple(next({rest}) for _ in range({len(self.members)}))"

    def changed(self, whole: str, values: Mapping[Expr, str]) -> Item:
        """Return the argument that gives some members other values and keeps the rest."""
        if self.first is None or self.loop is not None:
            return self.given([values[self.members[0]]])
        parts: list[str] = []
        for kept, run in groupby(range(len(self.members)), lambda k: self.members[k] not in values):
            places = list(run)
            if not kept:
                parts += [values[self.members[k]] for k in places]
            elif len(places) == 1:
                parts.append(f"{whole}.{self.name}[{places[0]}]")
            else:
                parts.append(f"*{whole}.{self.name}[{self._slice(places)}]")
        return self.given(parts)

    def _slice(self, places: Sequence[int]) -> str:
        start, stop = places[0], places[-1] + 1
        return f"{start or ''}:{stop if stop < len(self.members) else ''}"


class Fields:
    """All fields in their order."""

    def __init__(self, batch: Batch, names: Identifiers) -> None:
        self.names = names
        program = batch.program
        params = {name_of(v): batch.name(v) for v in program.params}
        family_of = {name: family for family, all_ in program.tuples.items() for name in all_}
        self.all: list[Field] = []
        for key in dict.fromkeys(family_of.get(name, name) for name in params):
            loop = program.families.get(key)
            if loop is not None:
                self.all.append(Field(names[holder(params[key])], (params[key],), loop.start, loop))
            elif key in program.tuples:
                plain = program.tuples[key]
                first = int(plain[0].rpartition("_")[2])
                members = tuple(params[name] for name in plain)
                self.all.append(Field(names.family(key), members, first))
            else:
                self.all.append(Field(names[params[key]], (params[key],)))
        self.families = [field for field in self.all if field.first is not None]
        self.open = [field for field in self.all if field.loop is not None]
        self._field_of = {v: field for field in self.all for v in field.members}
        self._labels = {
            v: label for f in self.all for v, label in zip(f.members, f.labels, strict=True)
        }

    @property
    def members(self) -> list[Expr]:
        """The parameters, field after field."""
        return [v for field in self.all for v in field.members]

    def label(self, var: Expr) -> str:
        """Return what a parameter is called in messages; any other variable by its name."""
        return self._labels.get(var) or self.names[var]

    def chosen(self, some: Iterable[Expr]) -> list[str]:
        """Return the names of some parameters, by field where all of it is among them.

        What else is among them comes first, by its own name.
        """
        wanted = dict.fromkeys(some)
        made = [self.names[v] for v in wanted if v not in self._labels]
        for field in self.all:
            found = [v for v in field.members if v in wanted]
            whole = len(found) == len(field.members)
            made += [field.name] if whole else [self.label(v) for v in found]
        return made

    def given(self, values: Mapping[Expr, str]) -> list[Item]:
        """Return the arguments of `Params` that give every parameter its value."""
        return [field.given([values[v] for v in field.members]) for field in self.all]

    def added(self, grad: str, terms: Mapping[Expr, str], depth: int = 1) -> list[str]:
        """Return the lines that add terms to the gradients of some parameters, none of none.

        grad: what the gradient is called.  depth: how far the lines are indented.
        """
        if not terms:
            return []
        read = self.reads(grad)
        sums = {var: self._sum(var, read[var], term) for var, term in terms.items()}
        some = dict.fromkeys(self._field_of[var] for var in sums)
        changed = [field.changed(grad, sums) for field in some]
        return broken(f"{grad} = {grad}._replace(", changed, ")", depth)

    def _sum(self, var: Expr, read: str, term: str) -> str:
        """Return the code of a gradient and a term; of an open family, of each member."""
        loop = self._field_of[var].loop
        if loop is None:
            return f"{read} + {term}"
        letter, first = self.names.letter(loop.letter), self.names.place(loop.start)
        return f"tuple(bar + {term}[{letter}] for {letter}, bar in enumerate({read}, {first}))"

    def filled(self) -> list[str]:
        """Return the statement that makes Params of arrays, taken from `rest` one by one."""
        counts = {field: f"counts[{k}]" for k, field in enumerate(self.families)}
        taken = [field.taken("rest", counts.get(field, "")) for field in self.all]
        return broken("return Params(", taken, ")")

    def reads(self, whole: str) -> dict[Expr, str]:
        """Return the code of every parameter, or of what a gradient holds in its place."""
        pairs = (zip(field.members, field.reads(whole), strict=True) for field in self.all)
        return {var: code for pair in pairs for var, code in pair}
