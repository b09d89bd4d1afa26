"""The function `watch`: every value of the forward pass and its adjoint, each kept and named.

The sweeps give the storage of a dead value to the next one and keep what later sweeps read; here
the same lines of the derivation are written once more, with nothing given away.
"""

from collections.abc import Mapping, Sequence

from symbp.derive.derivation import Derivation
from symbp.derive.forward import bar
from symbp.derive.reverse import join_examples
from symbp.emit.asked import Asked
from symbp.emit.formulas import OfFields
from symbp.emit.lines import is_view
from symbp.emit.network import Network
from symbp.emit.sweeps import Function
from symbp.emit.text import broken, documented
from symbp.errors import SymbpError
from symbp.ir import Expr, is_variable, name_of, variables
from symbp.ops.rewrite import rename
from symbp.program import Binding, Program, needed


class Watch:
    """Writes `watch` of a network, and what its judge must know."""

    def __init__(self, network: Network, derivation: Derivation) -> None:
        self.network, self.program = network, derivation.program
        self.write = Keeping(network, network.data)
        self.primal, self.loss = _joined(derivation)
        self.values = shown_values(derivation)
        made = {step.target: step.binding for step in derivation.adjoint}
        watched = [*self.values, *self.program.inputs] if self.loss is not None else []
        self.adjoints = [v for v in watched if bar(v) in made]
        self.lines = [*self.primal, *made.values()]

    def asked(self) -> Asked:
        """Return the function and what judges it.

        Raises SymbpError where a line has the name of the adjoint of another.
        """
        keys = [*(f'found["{self._key(v)}_bar"]' for v in self.program.inputs)]
        flags = {
            "watch": "adjoints" if self.adjoints else "values",
            "watched_inputs": broken("bars = [", keys, "]") if self.adjoints and keys else [],
            "beside": bool(self.beside()),
        }
        function = self.function()
        called = self.write.helpers
        return Asked([function], [], self.constants(), called, ["check_watch"], flags)

    def function(self) -> Function:
        """Return the function."""
        results = {self._key(v): v for v in self.values}
        results |= {"loss": self.loss} if self.loss is not None else {}
        for var in self.adjoints:
            key = f"{self._key(var)}_bar"
            if key in results:
                what = f"`watch` returns the adjoint of {name_of(var)} as {key}, which is a line"
                raise SymbpError(what, "give that line another name")
            results[key] = bar(var)
        body = returning(self.write, self.lines, results)
        doc = "Return every value of the forward pass by its name."
        if self.adjoints:
            rest = "as v_bar, ∂loss/∂v of each and of each input"
            doc = documented(f"{doc[:-1]} and, {rest}", doc[:-1], f"Besides, {rest}")
        arguments = self.write.arguments(self.write.given)
        return self.write.function("watch", arguments, "dict[str, Array]", doc, body)

    def constants(self) -> list[str]:
        """Return the constant that tells the judge which values to leave alone, if any."""
        items = [f'"{value}": "{param}"' for value, param in self.beside().items()]
        tail = "}  # passed by on the way to the loss, unless from this parameter"
        return broken("BESIDE = {", items, tail, 0) if items else []

    def beside(self) -> dict[str, str]:
        """Return the values that what the inputs do to the loss does not come through whole.

        Behind each is a parameter of which it does, or nothing.
        """
        program, wrt = self.program, set(self.program.wrt)
        past = [v for v in passed_by(program, program.inputs or program.wrt) if v in self.adjoints]
        found = dict.fromkeys(past, "")
        for param in (v for v in program.params if past and v in wrt):
            left = {*passed_by(program, [param])}
            label = self.network.fields.label(self.network.schedule.batched(param))
            found |= {v: label for v, known in found.items() if not known and v not in left}
        return {self._key(v): label for v, label in found.items()}

    def _key(self, var: Expr) -> str:
        return self.network.names[self.network.schedule.batched(var)]


class Keeping(OfFields):
    """Writes functions of a network's parameters and of some data, as its sweeps are written."""

    def __init__(self, network: Network, data: Sequence[Expr]) -> None:
        fields = network.fields
        super().__init__([*fields.members, *data], fields, network.schedule.batch)
        self.real = network.schedule.real

    def _moved_by(self, lines: Sequence[Binding]) -> dict[Expr, frozenset[Expr]]:
        return dict.fromkeys(self.real, frozenset[Expr]())


def shown_values(derivation: Derivation) -> list[Expr]:
    """Return what the lines that a reader sees make, the loss left out."""
    loss = derivation.program.loss
    return [step.target for step in derivation.primal if step.shown and step.target is not loss]


def returning(
    write: Keeping, lines: Sequence[Binding], results: Mapping[str, Expr | None]
) -> list[str]:
    """Return the statements that make some values and return them by name, each an own array."""
    wanted = [v for v in results.values() if v is not None]
    batched = write.lines(lines, wanted)
    shared = {line.target for line in batched if is_variable(line.expr) or is_view(line.expr)}
    targets = [write.batch.name(v) for v in wanted]
    items = []
    for key, var in zip(results, targets, strict=True):
        name = write.names[var]
        name = f"np.copy({name})" if var in shared else name
        items.append(f'"{key}": {name if var.rank else f"np.asarray({name})"}')
    return write.of_params([*write.body(batched, targets), *broken("return {", items, "}")])


def _joined(derivation: Derivation) -> tuple[list[Binding], Expr | None]:
    """Return the lines of the forward pass with the loss of the whole batch, and the loss."""
    program = derivation.program
    lines = [step.binding for step in derivation.primal]
    joined = join_examples(program)
    if joined is None or program.loss is None:
        return lines, None
    total = rename(program.loss, batched=False)
    return [Binding(total, joined) if b.target is program.loss else b for b in lines], total


def passed_by(program: Program, sources: Sequence[Expr]) -> list[Expr]:
    """Return the lines that some path from a source to the loss passes by, or that are off all.

    A line is passed where a line behind it reads what the sources move and what stands before it.
    """
    loss = program.loss
    lines = needed(program.bindings, [loss]) if loss is not None else []
    last = {v: k for k, line in enumerate(lines) for v in variables(line.expr)}
    moved, found = set(sources), list[Expr]()
    furthest = max((last[v] for v in moved if v in last), default=-1)
    for k, line in enumerate(lines[:-1]):
        moves = not moved.isdisjoint(variables(line.expr))
        if furthest > k or not moves:
            found.append(line.target)
        if moves:
            moved.add(line.target)
            furthest = max(furthest, last[line.target])
    return found
