"""What a network with families of symbolic length does with its parameters."""

from collections.abc import Iterable, Sequence
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef

from symbp.emit.dims import Dims
from symbp.emit.families import Families
from symbp.emit.fields import Field
from symbp.emit.identifiers import Identifiers
from symbp.emit.parameters import Parameters
from symbp.emit.shapes import dim_text
from symbp.emit.sweeps import Function
from symbp.emit.syntax import text
from symbp.emit.text import Nested, broken, indented
from symbp.emit.trial import Trial, depths
from symbp.emit.widths import GivenSizes, only_read, refusal, tuple_of
from symbp.ir import Dim, Expr, name_of
from symbp.lower.batch import EXAMPLES, Batch
from symbp.program import Loop


class LoopedParameters(Parameters):
    """The functions about parameters: `init_params`, `as_params`, `sample`.

    A family of sizes is a sequence of numbers, `D=(784, 128, 10)`, and tells how long others are.
    """

    def __init__(self, batch: Batch, names: Identifiers) -> None:
        self.families = Families(batch, names)
        self.families.check_told(batch.program.bindings)
        self.first = {}
        for name, loop in batch.program.families.items():
            if name not in self.families.members:
                self.first[name] = loop
        super().__init__(batch, names)
        given = [v for v in batch.program.given if v not in batch.program.params]
        self.every_size = self._sizes_of([*batch.program.params, *given])

    def _free_sizes(self) -> list[str]:
        return self._sizes_of(self.program.params)

    def _sizes_of(self, given: Iterable[Expr]) -> list[str]:
        """Return the Python names of the sizes that tell the shapes and numbers of arrays."""
        dims: list[Dim] = []
        for var in given:
            dims += self.batch.name(var).shape
            loop = self.families.range_of(var)
            dims += [loop.start, loop.stop] if loop else []
        members = {m for dim in dims for m in sp.S(dim).atoms(AppliedUndef)}
        widths = [name for name in self.first if any(m.func.__name__ == name for m in members)]
        places = [place for m in members for place in m.args]
        found = {s for dim in (*dims, *places) for s in sp.S(dim).free_symbols if s.is_positive}
        told = {s for s in found if any(self._rest(self.first[w], s) is not None for w in widths)}
        plain = sorted((s for s in found - told if s != EXAMPLES), key=str)
        names = [self.names.size(sp.Symbol(w)) for w in widths]
        return [*names, *(self.names.size(s) for s in plain)]

    def _rest(self, loop: Loop, size: sp.Symbol) -> sp.Expr | None:
        rest = sp.expand(loop.stop - loop.start + 1 - size)
        return rest if rest.is_Integer else None

    def _is_width(self, name: str) -> bool:
        return name in {self.names.size(sp.Symbol(w)) for w in self.first}

    def typed(self, sizes: Sequence[str]) -> list[str]:
        """Return sizes as arguments with their types."""
        return [f"{n}: {'Sequence[int]' if self._is_width(n) else 'int'}" for n in sizes]

    def sample_sizes(self) -> list[tuple[str, Any]]:
        """Return the sizes by their Python names, with numbers to try the module at."""
        return [(name, self._tried(name)) for name in self.sizes]

    def all_sizes(self) -> list[tuple[str, str]]:
        """Return the sizes that `sample` takes, with their types and defaults."""
        typed = (t.partition(": ")[2] for t in self.typed(self.every_size))
        return [
            (name, f"{kind} = {self._tried(name)}")
            for name, kind in zip(self.every_size, typed, strict=True)
        ]

    def lengths(self) -> list[str]:
        """Return the constant of the other sizes that the module is judged at."""
        items = []
        for said, choice in depths(self.program):
            given = [f'"{name}": {self._tried(name, choice)}' for name in self.every_size]
            items.append(f'"{said}": {{{", ".join(given)}}}')
        tail = "}  # what `sample` takes to try other lengths"
        return broken("LENGTHS: dict[str, dict[str, Any]] = {", items, tail, 0) if items else []

    def _tried(self, name: str, choice: Trial | None = None) -> str:
        choice = choice or self.trial
        for width in self.first:
            if self.names.size(sp.Symbol(width)) == name:
                found = {
                    int(s.args[0]): v
                    for s, v in choice.sizes.items()
                    if isinstance(s, AppliedUndef) and s.func.__name__ == width
                }
                return tuple_of([str(found[k]) for k in sorted(found)])
        known = {self.names.size(s): v for s, v in choice.sizes.items() if s.is_Symbol}
        return str(known[name])

    def told(self, sizes: Iterable[str]) -> list[str]:
        """Return the lines that tell sizes by how many members a family of sizes has.

        They refuse sizes with which a family of parameters would be empty.
        """
        made, known = [], {*sizes}
        for width, loop in self.first.items():
            name = self.names.size(sp.Symbol(width))
            if name not in sizes:
                continue
            for size in sorted(sp.S(loop.stop - loop.start).free_symbols, key=str):
                rest = self._rest(loop, size)
                if rest is not None:
                    more = f" {'-' if rest > 0 else '+'} {abs(rest)}" if rest else ""
                    made.append(f"{self.names.size(size)} = len({name}){more}")
                    known.add(self.names.size(size))
        spans = [f.loop.stop - f.loop.start for f in self.fields.open if f.loop is not None]
        return made + self._least(known, [*self.program.least, *spans])

    def _dim(self, dim: Dim) -> str:
        if isinstance(dim, int):
            return str(dim)
        return text(Dims(GivenSizes(self.names, self.first)).size(dim))

    def every(self, field: Field, value: str) -> str:
        """Return the tuple of a value for each member of an open family."""
        loop = field.loop
        assert loop is not None
        ends = f"{self.names.place(loop.start)}, {self.names.place(loop.stop + 1)}"
        return f"tuple({value} for {self.names.letter(loop.letter)} in range({ends}))"

    def init_params(self) -> Function:
        """Return `init_params`, as the spec's `init` says."""
        made = super().init_params()
        return Function(made.signature, made.doc, self._after_told(made.body, self.sizes))

    def _after_told(self, body: str, sizes: Sequence[str]) -> str:
        told = indented(self.told(sizes))
        return f"{told}\n{body}" if told else body

    def _drawn(self, var: Expr) -> str:
        return self._each(var, super()._drawn(var))

    def _datum(self, var: Expr) -> str:
        return self._each(var, super()._datum(var))

    def _each(self, var: Expr, value: str) -> str:
        loop = self.families.range_of(var)
        return self.every(Field(name_of(var), (var,), 0, loop), value) if loop else value

    def declared(self) -> list[str]:
        """Return the fields of `Params` with their types and shapes."""
        made = super().declared()
        return [self._declared(f, x) for f, x in zip(self.fields.all, made, strict=True)]

    def _declared(self, field: Field, plain: str) -> str:
        if field.loop is None:
            return plain
        place, letter = self.names.place, self.names.letter(field.loop.letter)
        shape = tuple_of(self.dims(field.members[0])) or "()"
        ends = f"{letter} = {place(field.loop.start)} .. {place(field.loop.stop)}"
        return f"{field.name}: tuple[Array, ...]  # {shape} for {ends}"

    def shapes(self) -> str:
        """Return the tuple of the parameters' shapes, field after field."""
        texts = []
        for field in self.fields.all:
            shapes = [tuple_of(self.dims(v)) for v in field.members]
            if field.loop is not None:
                texts.append(f"*{self.every(field, shapes[0]).removeprefix('tuple')}")
            else:
                texts += shapes
        if len(texts) == 1:
            return f"({texts[0]},)"
        return "\n    ".join(broken("shapes = (", texts, ")")).removeprefix("shapes = ")

    def as_params(self) -> Function:
        """Return `as_params`, the guard of the parameters."""
        lines = ["given = Params(**params) if isinstance(params, Mapping) else Params(*params)"]
        known: set[str] = set()
        for field in self.fields.open:
            lines += self._opened(field, known)
        lines += self._least(known, self.program.least)
        lines += self._widths()
        for field in self.fields.all:
            if field.loop is None:
                missing = {name for name in self.sizes if name not in known}
                lines += self._told_by(field, missing)
                known |= set(self.sizes) - missing
            else:
                lines += self._plain_sizes(field, known)
        checked = [self._checked(field) for field in self.fields.all]
        lines = only_read(lines, [str(item) for item in checked])
        doc = (
            "Return params as Params, from a mapping or a sequence in the same order; check shapes."
        )
        signature = "def as_params(params: ParamsLike) -> Params:"
        return Function(signature, doc, indented([*lines, *broken("return Params(", checked, ")")]))

    def _opened(self, field: Field, known: set[str]) -> list[str]:
        """Return the lines that take a family apart, and tell the sizes its length tells first."""
        loop = field.loop
        assert loop is not None
        place = self.names.place
        symbols = sorted(sp.S(loop.stop - loop.start).free_symbols, key=str)
        new = [s for s in symbols if self.names.size(s) not in known]
        count = place(sp.expand(loop.stop - loop.start + 1)) if not new else "None"
        words = [f'"{dim_text(dim)}"' for dim in field.members[0].shape]
        given = [f'"{field.name}"', place(loop.start), f"given.{field.name}", count, *words]
        made = broken(f"{field.name} = _family(", given, ")")
        for size in new:
            name = self.names.size(size)
            known.add(name)
            owner = name_of(field.members[0])
            made.append(f"{name} = {self.families.count(owner, size, field.name)}")
        return made

    def _least(self, known: set[str], bounds: Iterable[sp.Expr]) -> list[str]:
        """Return the lines that refuse sizes with which a member that is read is not there."""
        made, bounds = [], list(dict.fromkeys(bounds))
        for bound in bounds:
            if any((bound - other).is_positive for other in bounds):
                continue
            names = {self.names.size(symbol) for symbol in bound.free_symbols}
            made += refusal(bound, self.names) if names and names <= known else []
        return made

    def _widths(self) -> list[str]:
        """Return the lines that read families of sizes off the shapes of the parameters."""
        made = []
        for width in self.first:
            found = []
            for field in self.fields.open:
                var, loop = field.members[0], field.loop
                assert loop is not None
                for axis, dim in enumerate(var.shape):
                    if isinstance(dim, AppliedUndef) and dim.func.__name__ == width:
                        letter = self.names.letter(loop.letter)
                        key = self.names.place(dim.args[0])
                        value = f"array.shape[{axis}]"
                        pairs = f"for {letter}, array in {field.name}.items()"
                        found.append(f"{{{key}: {value} {pairs}}}")
            name = self.names.size(sp.Symbol(width))
            if found:
                made += (
                    broken(f"{name} = (", [" | ".join(found)], ")")
                    if len(found) == 1
                    else [f"{name} = {found[0]}", *(f"{name} |= {more}" for more in found[1:])]
                )
        return made

    def _plain_sizes(self, field: Field, known: set[str]) -> list[str]:
        """Return the lines that read sizes that all members share off the first one."""
        made, loop = [], field.loop
        assert loop is not None
        for axis, dim in enumerate(field.members[0].shape):
            if isinstance(dim, sp.Symbol) and self.names.size(dim) not in known:
                name = self.names.size(dim)
                known.add(name)
                made.append(f"{name} = {field.name}[{self.names.place(loop.start)}].shape[{axis}]")
        return made

    def _checked(self, field: Field) -> str | Nested:
        if field.loop is None:
            return super()._checked(field)
        letter = self.names.letter(field.loop.letter)
        dims = self._found_dims(field.members[0])
        given = [f'f"{field.name}[{{{letter}}}]"', "array", *dims]
        pairs = f"for {letter}, array in {field.name}.items()"
        return f"{field.name}=tuple(_expect({', '.join(given)}) {pairs})"

    def _found_dims(self, var: Expr) -> list[str]:
        zero = {
            name: Loop(loop.letter, sp.Integer(0), loop.stop) for name, loop in self.first.items()
        }
        return [text(Dims(GivenSizes(self.names, zero)).size(dim)) for dim in var.shape]

    def counts(self) -> str:
        """Return the numbers of members of the families of parameters, as further arguments."""
        texts = []
        for field in self.fields.families:
            loop = field.loop
            if loop is None:
                texts.append(str(len(field.members)))
            else:
                texts.append(self.names.place(sp.expand(loop.stop - loop.start + 1)))
        return "".join(f", {count}" for count in texts)
