"""The private functions of a network with loops: families go in and out as dicts by places."""

from collections.abc import Collection, Sequence
from itertools import islice

from symbp.derive.forward import dot
from symbp.emit.arrays import Arrays
from symbp.emit.families import Families
from symbp.emit.family_guards import FamilyGuards
from symbp.emit.fields import Fields
from symbp.emit.looping import LoopedBody
from symbp.emit.sweeps import Function, count_line, read_in
from symbp.emit.text import Item, indented, wrapped
from symbp.emit.witnesses import WitnessedSweep
from symbp.ir import Dim, Expr, holder, is_holder, name_of, symbol, variables
from symbp.lower.reads import made_of, sizes_for
from symbp.lower.schedule import ABOUT_LOSS, Schedule


class LoopedSweep(WitnessedSweep):
    """One private function of a network with loops."""

    def __init__(self, schedule: Schedule, name: str, fields: Fields) -> None:
        given_late = [] if name in ABOUT_LOSS else schedule.program.targets
        self.families = Families(schedule.batch, fields.names, given_late)
        super().__init__(schedule, name, fields)

    @property
    def called(self) -> str:
        """The name of the function, without its underscore."""
        return self.name

    def _needs(self) -> list[Expr]:
        made = {holder(line.target) for line in self.lines}
        entered = set(self.schedule.always(self.name))
        found = dict.fromkeys(self.schedule.reads(self.name))
        models = map(holder, self.schedule.models(self.name))
        plain = [v for v in self.results if not is_holder(v)]  # the others are begun here
        passed = (*plain, *self.keeps, *models, *self._begun(), *self._stand_ins())
        found.update((v, None) for v in passed if v not in made or v in entered)
        found.update(dict.fromkeys(self._witness(found)))
        return list(found)

    def signature(self) -> list[str]:
        """Return the arguments with their types."""
        return [*super().signature(), *(["sparse: bool = False"] if self.segmented else [])]

    def _begun(self) -> list[Expr]:
        """Return the values that the adjoints begin like that are added to, or filled up."""
        models = map(holder, self.schedule.begun_like(self.name))
        values = {name_of(v): v for v in self.schedule.values.values()}
        lacking = (symbol(v).of.removesuffix("_bar") for v in self._lacking())
        return [*models, *(holder(values[of]) for of in lacking)]

    def _lacking(self) -> list[Expr]:
        """Return the families that this function fills with zeros where they were given nothing."""
        if self.name == "adjoint":
            return list(self.schedule.lacking)
        if self.name == "inputs_bar":  # what the sweep before was given, and does not hand on
            read = self.schedule.reads(self.name)
            return [v for v in self.schedule.lacking if v in read and v not in self._handed_on()]
        if self.name != "adjoint_dot":
            return []
        here = {*self.schedule.always(self.name), *(holder(line.target) for line in self.lines)}
        return [v for v in map(dot, self.schedule.lacking) if v in here]

    def _handed_on(self) -> set[Expr]:
        """Return the families that the adjoint sweep makes or fills for later sweeps."""
        return set(self.schedule.kept["bars"])

    def _stand_ins(self) -> list[Expr]:
        if self.name != "tangent":
            return []
        inputs = {name_of(v): v for v in self.schedule.program.inputs}
        dots = [v for v in self.schedule.reads(self.name) if symbol(v).of in inputs]
        return [holder(self.schedule.batched(inputs[symbol(v).of])) for v in dots]

    def annotation(self, var: Expr) -> str:
        """Return the type of an argument."""
        if not is_holder(var) or name_of(var) in self.schedule.carried:
            return super().annotation(var)
        given = symbol(var).role in ("input", "const", "target") or var in self.optional
        return f"{'Family' if given else 'Members'}{' | None' if var in self.optional else ''}"

    def function(self, doc: str, guards: Sequence[str] = ()) -> Function:
        """Return the function's text."""
        self.families.enter(self.turns)
        tellers = [v for v in self._tellers(self._needs()) if not is_holder(v)]
        plain = {**self._examples(), **sizes_for(self.lines, tellers, self.names)}
        available = [v for v in self._needs() if is_holder(v)]
        arrays = Arrays(self.names, self.families.sizes(plain, available), self.names.count)
        models = {line.target: self._model(line.target) for line in self.lines}
        returned = {*self.results, *self.keeps}
        carried = self.schedule.carried
        body = LoopedBody(self.names, arrays, self.lines, returned, models, carried)
        body.segmented, body.moved_by = self.segmented, self._moved_by()
        alone = len(self.results) == 1 and not self.keeps and "adjoint" not in self.name
        body.annotated = self.results[0] if alone and not is_holder(self.results[0]) else None
        statements = [*self._families_begun(), *body.statements()]
        self.helpers |= arrays.helpers
        last, kind = self.returned()
        first = [*guards, *self._counted(), *self._still()]
        first = [*self._raw(guards, read_in([*first, *statements, *last])), *first]
        rest = [*first, *statements, *last]
        sizes = self._sizes(read_in(rest))
        head = [*self.unpacked(read_in([*sizes, *rest])), *sizes, *first]
        gap = [""] if head and len(statements) > 1 else []
        signature = wrapped(f"def _{self.called}(", self.signature(), f") -> {kind}:")
        return Function(signature, doc, indented([*head, *gap, *statements, *last]))

    def _moved_by(self) -> dict[Expr, frozenset[Expr]]:
        """Return what makes values complex: of what is given nothing, of some members themselves.

        They are the tangents that may be left out, and families in which some members are real.
        """
        still, mixed = set(map(holder, self.schedule.real)), set(self.optional)
        lines = [line for sweep in self.schedule.sweeps.values() for line in sweep]
        mixed |= made_of(lines, still | mixed)
        used = [v for line in self.lines for v in (line.target, *variables(line.expr))]
        known = (v for v in used if holder(v) in still | mixed)
        return {v: frozenset() if holder(v) in still else frozenset({v}) for v in known}

    def _examples(self) -> dict[Dim, str]:
        """Return the code of the number of examples where no argument tells it by itself."""
        return {}

    def _model(self, target: Expr) -> Expr | None:
        line = next(line for line in self.lines if line.target is target)
        return self.schedule.model(target) or self.schedule.typed_like(line)

    def _counted(self) -> list[str]:
        """Return the line that counts the examples."""
        needs = self._tellers(self._needs())
        plain = [v for v in needs if not is_holder(v)]
        if any(symbol(v).batched for v in plain):
            return count_line(self.lines, plain, self.names)
        read = (v for line in self.lines for v in variables(line.expr))
        family = next((v for v in needs if is_holder(v) and symbol(v).batched), None)
        if family is None or all(symbol(v).role != "weight" for v in read):
            return []
        return [f"{self.names.count} = max(len(next(iter({self.names[family]}.values()))), 1)"]

    def _raw(self, guards: Sequence[str], read: Collection[str]) -> list[str]:
        """Return the lines that number the members of what comes as the caller gave it, if read."""
        given = [v for v in self.named if symbol(v).role in ("input", "const", "target")]
        raw = [v for v in given if is_holder(v) and v not in self.optional]
        guarded = [line.partition(" = ")[0] for line in guards]
        return [
            f"{name} = {self._numbered(v)}"
            for v in raw
            if (name := self.names[v]) not in guarded and name in read
        ]

    def _still(self) -> list[str]:
        """Return the lines that put zeros for the tangents that are not given."""
        made = []
        inputs = {name_of(v): v for v in self.schedule.program.inputs}
        for moved in self.optional:
            name, var = self.names[moved], inputs[symbol(moved).of]
            value = self.names[holder(self.schedule.batched(var))]
            if is_holder(moved):
                self.helpers.add("tangents")
                made.append(f"{name} = _tangents({name}, {value})")
            else:
                made.append(f"if {name} is None:\n    {name} = np.zeros_like({value})")
        return made

    def _numbered(self, family: Expr) -> str:
        loop = self.families.range_of(family)
        assert loop is not None
        return f"dict(enumerate({self.names[family]}, {self.names.place(loop.start)}))"

    def _families_begun(self) -> list[str]:
        """Return the lines that begin the dicts of the families that this function makes."""
        entered = {v for v in self.schedule.always(self.name) if is_holder(v)}
        made = []
        for family in dict.fromkeys(holder(b.target) for b in self.lines if symbol(b.target).index):
            name = self.names[family]
            if name_of(family) in self.schedule.carried or family in self.groups.get("bars", []):
                continue
            if family not in entered:
                made.append(f"{name}: Members = {{}}")
            elif family not in self._lacking():
                made.append(f"{name} = dict({name})  # others give to it as well")
        values = {name_of(v): v for v in self.schedule.values.values()}
        made += [
            f"{self.names[v]}: Members = {{}}"
            for v in self.results
            if is_holder(v) and v not in {holder(b.target) for b in self.lines} | entered
        ]
        for family in self._lacking():
            of = symbol(family).of.removesuffix("_bar")
            name, value = self.names[family], self.names[holder(values[of])]
            made.append(f"{name} = _completed({name}, {value})")
            self.helpers.add("completed")
        return made

    def _taken_apart(self, group: str, names: Sequence[str]) -> list[str]:
        """Return the lines that take parameters out of fields; families become dicts."""
        lines: list[str] = []
        rest = iter(names)
        for field in self.fields.all:
            own = [*islice(rest, len(field.members))]
            if field.loop is None:
                places = field.reads(group)
                used = [f"{n} = {p}" for n, p in zip(own, places, strict=True) if n != "_"]
                lines += used
            elif own != ["_"]:
                start = self.names.place(field.loop.start)
                lines.append(f"{own[0]} = dict(enumerate({group}.{field.name}, {start}))")
        return lines

    def result_text(self, var: Expr) -> str:
        """Return the code of what is returned: a family that is given, as a tuple in order."""
        loop = self.families.range_of(var) if is_holder(var) else None
        if loop is None or "loss_bar" in self.name:
            return self.names[var]
        place, letter = self.names.place, self.names.letter(loop.letter)
        ends = f"{place(loop.start)}, {place(loop.stop + 1)}"
        return f"tuple({self.names[var]}[{letter}] for {letter} in range({ends}))"

    def _numbered_by(self, known: Sequence[Expr]) -> list[Expr]:
        """Return the families that are dicts when those that are known have been checked."""
        done = set(map(holder, known))
        raw = {v for v in self.named if symbol(v).role in ("input", "const", "target")} - done
        return [v for v in self._needs() if is_holder(v) and v not in raw]

    def guard(self, var: Expr, known: Sequence[Expr]) -> str:
        """Return the line that checks an argument's shape, of a family those of all members."""
        guards = FamilyGuards(self.families, self.schedule.values, self._numbered_by(known))
        return guards.guard(var, known)

    def result_type(self, var: Expr) -> str:
        """Return the type of what is returned."""
        if not is_holder(var):
            return "Array"
        return "Members" if self.result_text(var) == self.names[var] else "tuple[Array, ...]"

    def _gradients(self) -> list[Item]:
        """Return the fields of a gradient; an array that is not ours alone is copied."""
        made = {line.target for line in self.lines}
        seen: set[Expr] = {*self.keeps}
        texts: dict[Expr, str] = {}
        params = map(self.schedule.batched, self.schedule.program.params)
        for param, result in zip(params, self.results, strict=True):
            alone = is_holder(result) or (result in made and result not in seen)
            texts[param] = self.result_text(result) if alone else f"np.copy({self.names[result]})"
            seen.add(result)
        return self.fields.given(texts)
