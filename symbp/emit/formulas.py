"""Functions on their own: each computes its results from what it is given, and no more."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import sympy as sp

from symbp.derive.simplify import Lines
from symbp.emit.arrays import Arrays
from symbp.emit.body import Body
from symbp.emit.fields import Fields
from symbp.emit.guards import guard
from symbp.emit.identifiers import Identifiers
from symbp.emit.shapes import type_text
from symbp.emit.sweeps import Function, count_line, read_in
from symbp.emit.text import indented, wrapped
from symbp.emit.unpacking import fields_unpacked
from symbp.ir import Dim, Expr, name_of, symbol, variables, walk
from symbp.lower.aliases import without_aliases
from symbp.lower.batch import Batch
from symbp.lower.reads import reads, sizes_for, symbols_of
from symbp.lower.share import share
from symbp.program import Binding, needed


class Formulas:
    """Writes functions of the same arguments.

    given: the arguments, for the whole batch.  moving: what of them derivatives are taken by.
    helpers: the names of the module's fixed texts that the functions call.  open: the sizes that
    no argument tells.  fields: what of the arguments is checked elsewhere, as fields of one.
    """

    fields: tuple[Expr, ...] = ()

    def __init__(
        self, given: Sequence[Expr], moving: Sequence[Expr], names: Identifiers, batch: Batch
    ) -> None:
        self.given, self.moving = list(given), list(moving)
        self.names, self.batch = names, batch
        self.helpers: set[str] = set()
        self.open: dict[sp.Symbol, None] = {}

    def label(self, var: Expr) -> str:
        """Return what an argument is called in messages and tables."""
        return self.names[var]

    def arguments(self, data: Sequence[Expr]) -> list[str]:
        """Return arguments with their types."""
        return [f"{self.names[v]}: {type_text(v)}" for v in data]

    def function(
        self, head: str, arguments: Sequence[str], kind: str, doc: str, body: Sequence[str]
    ) -> Function:
        """Return a function, `kind` the type of what it returns."""
        return Function(wrapped(f"def {head}(", arguments, f") -> {kind}:"), doc, indented(body))

    def lines(self, bindings: Iterable[Binding], roots: Sequence[Expr]) -> list[Binding]:
        """Return the batched lines that some results need, shared parts named."""
        wanted = _by_name(needed(bindings, roots))
        taken = {name_of(v) for v in self.given} | {b.name for b in wanted}
        kept = {name_of(root) for root in roots}
        sweeps = share({"primal": self.batch.lines(wanted)}, taken, kept)
        return list(without_aliases(sweeps, kept)["primal"])

    def body(
        self, lines: Sequence[Binding], returned: Sequence[Expr], *, guards: bool = True
    ) -> list[str]:
        """Return the statements of some lines, the guards of the arguments in front."""
        needs = reads(lines)
        sizes = sizes_for(lines, [*needs, *self.given], self.names)
        sizes |= self._untold(lines, sizes)
        arrays = Arrays(self.names, sizes, self.names.count)
        models = {line.target: self._model(line.target) or self._first() for line in lines}
        writer = Body(arrays, lines, set(returned), models, self._moved_by(lines))
        writer.annotated = returned[0] if len(returned) == 1 and guards else None
        statements = writer.statements()
        self.helpers |= arrays.helpers
        head = self.guards() if guards else []
        head += count_line(lines, [*needs, *self.given], self.names)
        return [*head, *([""] if len(statements) > 1 and head else []), *statements]

    def _untold(self, lines: Sequence[Binding], sizes: Mapping[Dim, str]) -> dict[Dim, str]:
        """Return the names of the sizes that no argument tells."""
        wanted = (s for line in lines for part in walk(line.expr) for s in symbols_of(part))
        untold = dict.fromkeys(s for s in sorted(wanted, key=str) if s not in sizes)
        self.open.update(untold)
        return {symbol: self.names.size(symbol) for symbol in untold}

    def results(self, bindings: Iterable[Binding], wanted: Sequence[Expr]) -> list[str]:
        """Return the statements that compute some results and return them."""
        targets = [self.batch.name(v) for v in wanted]
        body = self.body(self.lines(bindings, wanted), targets)
        return [*body, f"return {', '.join(self.names[t] for t in targets)}"]

    def _moved_by(self, lines: Sequence[Binding]) -> dict[Expr, frozenset[Expr]]:
        """Return for each value those that it depends on, of what is differentiated by."""
        moved_by = {v: frozenset([v]) & frozenset(self.moving) for v in self.given}
        for line in lines:
            read = [v for v in variables(line.expr) if symbol(v).role != "weight"]
            if all(v in moved_by for v in read):
                moved_by[line.target] = frozenset().union(*(moved_by[v] for v in read))
        return moved_by

    def _model(self, var: Expr) -> Expr | None:
        of = symbol(var).of
        return next((v for v in self.given if name_of(v) == of), None)

    def _first(self) -> Expr | None:
        """Return the argument whose type numbers take that are the derivative of nothing."""
        return next((v for v in self.given if symbol(v).encoding != "one_hot"), None)

    def guards(self) -> list[str]:
        """Return the lines that check the arguments' shapes, those of fields apart."""
        made, known = [], list(self.fields)
        for var in (v for v in self.given if v not in self.fields):
            made.append(guard(var, self.names, known))
            known.append(var)
        return made


class OfFields(Formulas):
    """Writes functions of a network: parameters are fields of `params`, unpacked where read."""

    def __init__(self, given: Sequence[Expr], fields: Fields, batch: Batch) -> None:
        super().__init__(given, given, fields.names, batch)
        self.whole, self.fields = fields, tuple(fields.members)

    def label(self, var: Expr) -> str:
        """Return what a variable is called in messages, a member of a family by its number."""
        return self.whole.label(var)

    def arguments(self, data: Sequence[Expr]) -> list[str]:
        """Return `params` and the other arguments with their types."""
        return ["params: ParamsLike", *super().arguments([v for v in data if v not in self.fields])]

    def results(self, bindings: Iterable[Binding], wanted: Sequence[Expr]) -> list[str]:
        """Return the statements, the parameters that they read taken out of `params` first."""
        return self.of_params(super().results(bindings, wanted))

    def of_params(self, body: Sequence[str]) -> list[str]:
        """Return statements behind those that take what they read out of `params`."""
        read = read_in([line for line in body if line])
        names = [self.names[v] if self.names[v] in read else "_" for v in self.whole.members]
        return ["params = as_params(params)", *fields_unpacked(names, "params", self.whole), *body]


def _by_name(lines: Sequence[Binding]) -> list[Binding]:
    """Return lines in which what an earlier one computes is called by its name."""
    known, made = Lines(()), list[Binding]()
    for line in lines:
        made.append(replace(line, expr=known.call_by_name(line.expr)))
        known.add(made[-1])
    return made
