"""The private functions of a network's module: one a sweep, so that each formula stands once."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from symtable import symtable

import sympy as sp

from symbp.emit.arrays import Arrays
from symbp.emit.body import Body
from symbp.emit.fields import Fields
from symbp.emit.guards import guard
from symbp.emit.identifiers import Identifiers
from symbp.emit.lines import can_leave_out
from symbp.emit.segmented import Segmented
from symbp.emit.shapes import type_text
from symbp.emit.text import Item, broken, indented, tuple_text, wrapped
from symbp.emit.unpacking import fields_unpacked, unpacked
from symbp.ir import Expr, Variable, name_of, symbol, variables, walk
from symbp.lower.batch import EXAMPLES
from symbp.lower.reads import sizes_for, symbols_of
from symbp.lower.schedule import ABOUT_LOSS, AFTER_ALL, KEEPERS, Schedule
from symbp.lower.sweeps import BEFORE
from symbp.program import Binding

GROUPS = ("params", "tape", "saved", "loss_bars", "bars", "params_dot", "tape_dot", "saved_dot")
"""What is handed on as one tuple, in the order of the arguments."""


@dataclass(frozen=True)
class Function:
    """A function of the module, ready for the template: its parts are text."""

    signature: str
    doc: str
    body: str


class Sweep:
    """One private function: what it takes, its statements, and what it returns."""

    def __init__(self, schedule: Schedule, name: str, fields: Fields) -> None:
        self.schedule, self.name, self.fields = schedule, name, fields
        self.names = fields.names
        self.lines = schedule.sweeps[name]
        self.segmented: dict[sp.Symbol, Segmented] = {}
        self.results = schedule.results(name)
        self.keeper = KEEPERS.get(name, "")
        self.keeps = schedule.kept.get(self.keeper, ())
        self.params = {name_of(v) for v in schedule.program.params}
        self.handed = self._handed()
        self.groups: dict[str, list[Expr]] = {}
        self.named: list[Expr] = list(schedule.always(name))
        self.needs = self._needs()
        for var in self.needs:
            group = self._group(var)
            if group:
                self.groups.setdefault(group, []).append(var)
            elif var not in self.named:
                self.named.append(var)
        self.optional = self._optional()
        self.helpers: set[str] = set()

    def _needs(self) -> list[Expr]:
        """Return what the function reads, what it only hands on included."""
        made = {line.target for line in self.lines}
        found = dict.fromkeys(self.schedule.reads(self.name))
        passed = (*self.results, *self.keeps, *self.schedule.models(self.name), *self._stand_ins())
        found.update((v, None) for v in passed if v not in made)
        found.update(dict.fromkeys(self._witness(found)))
        return list(found)

    def _witness(self, found: Iterable[Expr]) -> list[Expr]:
        """Return arrays that tell the sizes which the lines want and what they read does not."""
        parts = [part for line in self.lines for part in walk(line.expr)]
        wanted = dict.fromkeys(s for part in parts for s in symbols_of(part))
        if any(isinstance(part.op, Variable) and part.op.role == "weight" for part in parts):
            wanted[EXAMPLES] = None
        told = {dim for v in self._tellers(found) for dim in v.shape}
        values = self.schedule.values.values()
        order = sorted(values, key=lambda v: ROLES.index(symbol(v).role))
        tellers = (next((v for v in order if s in v.shape), None) for s in wanted if s not in told)
        return [v for v in tellers if v is not None]

    def _stand_ins(self) -> list[Expr]:
        """Return the inputs whose tangents a caller may leave out: zeros take their shape."""
        if self.name != "tangent":
            return []
        inputs = {name_of(v) for v in self.schedule.program.inputs}
        dots = [v for v in self.schedule.reads(self.name) if symbol(v).of in inputs]
        if all(can_leave_out(line.expr, dots) for line in self.lines):
            return []
        return [v for dot in dots if (v := self.schedule.model(dot)) is not None]

    def _tellers(self, found: Iterable[Expr]) -> list[Expr]:
        """Return the arrays that sizes are read off: not the tangents that may be left out."""
        inputs = {name_of(v) for v in self.schedule.program.inputs}
        return [v for v in found if symbol(v).role != "tangent" or symbol(v).of not in inputs]

    def _group(self, var: Expr) -> str:
        op, schedule = var.op, self.schedule
        assert isinstance(op, Variable)
        if op.role == "param":
            return "params"
        if op.role == "tangent" and op.of in self.params:
            return "params_dot"
        if self.name in ABOUT_LOSS and schedule.is_output(var):
            return ""
        return self.handed.get(var, "")

    def _handed(self) -> dict[Expr, str]:
        """Return the group in which earlier sweeps hand on each value that they keep."""
        ran = (*BEFORE.get(self.name, ()), *AFTER_ALL.get(self.name, ()))
        groups = [group for sweep, group in KEEPERS.items() if sweep in ran]
        return {var: group for group in reversed(groups) for var in self.schedule.kept[group]}

    def _optional(self) -> list[Expr]:
        """Return the tangents of inputs, which a caller may leave out."""
        inputs = {name_of(v) for v in self.schedule.program.inputs}
        return [v for v in self.named if symbol(v).role == "tangent" and symbol(v).of in inputs]

    def signature(self) -> list[str]:
        """Return the arguments with their types."""
        types = {"params": "Params", "params_dot": "Params"}
        made = [f"{group}: {types.get(group, 'Tape')}" for group in GROUPS if group in self.groups]
        return made + [f"{self.names[v]}: {self.annotation(v)}" for v in self.named]

    def annotation(self, var: Expr) -> str:
        """Return the type of an argument."""
        if var in self.optional:
            return "Array | None"
        return type_text(var)

    def arguments(self) -> list[str]:
        """Return the arguments of a call."""
        return [*(g for g in GROUPS if g in self.groups), *(self.names[v] for v in self.named)]

    def function(self, doc: str, guards: Sequence[str] = ()) -> Function:
        """Return the function's text."""
        tellers = self._tellers(self.needs)
        sizes = sizes_for(self.lines, tellers, self.names)
        counted = count_line(self.lines, tellers, self.names)
        arrays = Arrays(self.names, sizes, self.names.count)
        models = {line.target: self.schedule.typed_like(line) for line in self.lines}
        real = dict.fromkeys(self.schedule.real, frozenset[Expr]())
        body = Body(arrays, self.lines, {*self.results, *self.keeps}, models, real)
        alone = len(self.results) == 1 and not self.keeps and "adjoint" not in self.name
        body.annotated = self.results[0] if alone else None
        missing = body.make_optional(self.optional)
        statements = body.statements()
        self.helpers |= arrays.helpers
        zeros = [
            f"if {self.names[v]} is None:\n    {self.names[v]} = np.zeros_like({self.names[model]})"
            for v in missing
            if (model := self.schedule.model(v)) is not None
        ]
        last, kind = self.returned()
        rest = [*guards, *counted, *zeros, *statements, *last]
        head = [*self.unpacked(read_in(rest)), *guards, *counted, *zeros]
        gap = [""] if head and len(statements) > 1 else []
        signature = wrapped(f"def _{self.name}(", self.signature(), f") -> {kind}:")
        return Function(signature, doc, indented([*head, *gap, *statements, *last]))

    def returned(self) -> tuple[list[str], str]:
        """Return the lines that return, and the type of what they return."""
        kept = tuple_text([self.names[v] for v in self.keeps]) if self.keeps else ""
        kept = f"({kept})" if len(self.keeps) > 1 else kept
        if self.name in ("adjoint", "adjoint_dot"):
            lines = broken("return Params(", self._gradients(), ")")
            if not self.keeps:
                return lines, "Params"
            if len(lines) == 1 and len(lines[0]) + len(kept) < 94:
                return [f"{lines[0]}, {kept}"], "tuple[Params, Tape]"
            made = [lines[0].replace("return", "grad =", 1), *lines[1:]]
            return [*made, *self._with_kept("return grad", kept)], "tuple[Params, Tape]"
        names = [self.result_text(v) for v in self.results]
        value, kinds = ", ".join(names), [self.result_type(v) for v in self.results]
        kind = kinds[0] if len(kinds) == 1 else f"tuple[{', '.join(kinds)}]"
        if len(value) > 60 and len(names) > 1:
            head = broken("seeds = (", names, ")")
            several = (
                "tuple[Array, ...]" if set(kinds) == {"Array"} else f"tuple[{', '.join(kinds)}]"
            )
            if not kept:
                return [*head, "return seeds"], several
            return [*head, *self._with_kept("return seeds", kept)], f"tuple[{several}, Tape]"
        if not self.keeps:
            return [f"return {value}"], kind
        if not self.results:
            names = [self.names[v] for v in self.keeps]
            return broken("return (", names, ")") if len(names) > 1 else [f"return {kept}"], "Tape"
        value = value if len(self.results) == 1 else f"({value})"
        return self._with_kept(f"return {value}", kept), f"tuple[{kind}, Tape]"

    def guard(self, var: Expr, known: Sequence[Expr]) -> str:
        """Return the line that checks an argument's shape against what is known."""
        return guard(var, self.names, known)

    def result_text(self, var: Expr) -> str:
        """Return the code of what is returned."""
        return self.names[var]

    def result_type(self, var: Expr) -> str:
        """Return the type of what is returned."""
        return "Array"

    def _with_kept(self, line: str, kept: str) -> list[str]:
        """Return the lines that return something and, behind it, what is kept."""
        if len(line) + len(kept) <= 94:
            return [f"{line}, {kept}"]
        return [*broken("tape = (", [self.names[v] for v in self.keeps], ")"), f"{line}, tape"]

    def _gradients(self) -> list[Item]:
        """Return the fields of a gradient; an array that is not ours alone is copied."""
        made = {line.target for line in self.lines}
        seen: set[Expr] = {*self.keeps}
        texts = {}
        for param, result in zip(self.schedule.group("params"), self.results, strict=True):
            alone = result in made and result not in seen
            texts[param] = self.names[result] if alone else f"np.copy({self.names[result]})"
            seen.add(result)
        return self.fields.given(texts)

    def unpacked(self, read: Collection[str]) -> list[str]:
        """Return the lines that take the groups apart; `read` are the names that the body reads."""
        lines = []
        for group in GROUPS:
            if group not in self.groups:
                continue
            whole, wanted = self.schedule.group(group), set(self.groups[group])
            names = [self.names[v] if v in wanted else "_" for v in whole]
            names = [own if own in read else "_" for own in names]
            if group.startswith("params"):
                lines += self._taken_apart(group, names)
            elif set(names) != {"_"}:
                lines.append(unpacked(names, group))
        return lines

    def _taken_apart(self, group: str, names: Sequence[str]) -> list[str]:
        """Return the lines that take parameters or their tangents out of fields."""
        return fields_unpacked(names, group, self.fields)


def read_in(statements: Sequence[str]) -> set[str]:
    """Return the names that statements read, and those that they write in place."""
    body = indented(statements, "    ").join(("def _():\n", "\n"))
    found: set[str] = set()
    pending = symtable(body, "body", "exec").get_children()
    while pending:
        table = pending.pop()
        found.update(table.get_identifiers())
        pending += table.get_children()
    return found


ROLES = ("param", "input", "const", "target", "line")
"""From which kind of array a size is read off first."""


def count_line(lines: Sequence[Binding], needs: Sequence[Expr], names: Identifiers) -> list[str]:
    """Return the line that counts the examples, where a statement divides by their number."""
    weighted = [v for line in lines for v in variables(line.expr) if symbol(v).role == "weight"]
    if not weighted:
        return []
    several = next(v for v in needs if symbol(v).batched)
    size = f"len({names[several]})" if several.rank > 1 else f"np.size({names[several]})"
    return [f"{names.count} = max({size}, 1)"]
