"""The function `lsuv`: weights scaled on a batch, layer after layer, to lines of variance 1.

Source: Mishkin & Matas 2016, "All you need is a good init", algorithm 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from symbp.derive.derivation import Derivation
from symbp.emit.asked import Asked
from symbp.emit.network import Network
from symbp.emit.sweeps import Function
from symbp.emit.text import broken, documented
from symbp.emit.watch import Keeping, returning
from symbp.errors import SymbpError
from symbp.ir import Expr, Sum, Words, name_of, variables, walk
from symbp.ops.kinds import Elementwise
from symbp.program import Program


@dataclass(frozen=True)
class Row:
    """A line, the weights that are scaled for it, and of which degree it is in them."""

    line: Expr
    weights: tuple[Expr, ...]
    degree: Fraction


class UnitVariance:
    """Writes `lsuv` of a network, and the function of the values that it looks at."""

    def __init__(self, network: Network, derivation: Derivation) -> None:
        self.network, self.rows = network, scaled_rows(derivation.program)
        self.write = Keeping(network, network.forward_data)
        self.lines = [step.binding for step in derivation.primal]

    def asked(self) -> Asked:
        """Return the functions and what they call."""
        public, kept = self.functions()
        flags = {"degrees": any(row.degree != 1 for row in self.rows)}
        called = self.write.helpers
        return Asked([public], [kept], self.constants(), called, ["unit_variance"], flags)

    def functions(self) -> tuple[Function, Function]:
        """Return the functions, the public one first."""
        data, write = self.network.forward_data, self.write
        arguments, names = write.arguments(data), [self.network.name(v) for v in data]
        short = "Return params with the weights of `init lsuv` scaled to lines of variance 1"
        over = "over all entries and all examples of a batch (Mishkin & Matas 2016)"
        doc = documented(f"{short}, {over}", short, f"The variance is that {over}")
        call = f"_values({', '.join(['given', *names])})"
        public = [f"return _unit_variance(as_params(params), lambda given: {call})"]
        found = {self._key(row.line): row.line for row in self.rows}
        kept = "Return the lines that LSUV names."
        values = returning(write, self.lines, found)
        return (
            write.function("lsuv", arguments, "Params", doc, public),
            write.function("_values", arguments, "dict[str, Array]", kept, values),
        )

    def constants(self) -> list[str]:
        """Return the constants that say what is scaled for which line."""
        label, batched = self.network.fields.label, self.network.schedule.batched
        items = []
        for row in self.rows:
            weights = ", ".join(f'"{label(batched(v))}"' for v in row.weights)
            items.append(f'"{self._key(row.line)}": ({weights}{"," * (len(row.weights) == 1)})')
        made = broken("LSUV = {", items, "}  # the weights that are scaled for each line", 0)
        powers = [f'"{self._key(r.line)}": {r.degree}' for r in self.rows if r.degree != 1]
        tail = "}  # of lines in their weights, 1 of others"
        return [*made, *(broken("DEGREES = {", powers, tail, 0) if powers else [])]

    def _key(self, var: Expr) -> str:
        return self.network.names[self.network.schedule.batched(var)]


def scaled_rows(program: Program) -> list[Row]:
    """Return what is scaled for which line, in the order of the forward pass.

    It is the first line that reads the weight and differs from example to example; lines before
    it, such as V = W/√n, only hand the weight on.  Raises SymbpError where it reads a target.
    """
    kinds = {name: init.kind for name, init in program.inits.items()}
    open_ = [v for v in program.params if kinds.get(name_of(v)) == "lsuv"]
    handed: dict[Expr, tuple[Expr, ...]] = {v: (v,) for v in open_}
    degrees = dict.fromkeys(open_, Fraction(1))
    tainted, done, made = {*program.targets}, set[Expr](), list[Row]()
    for line in program.bindings:
        read = variables(line.expr)
        if not tainted.isdisjoint(read):
            tainted.add(line.target)
        weights = tuple(dict.fromkeys(w for v in read for w in handed.get(v, ())))
        if not weights:
            continue
        degree = _degree(line.expr, degrees)
        if program.inputs and not line.target.batched:
            handed[line.target], degrees[line.target] = weights, degree
            continue
        new = tuple(w for w in weights if w not in done)
        if new and (line.target in tainted or line.target is program.loss):
            raise _alone(new[0])
        made += [Row(line.target, new, degree)] if new else []
        done.update(new)
    if lost := [w for w in open_ if w not in done]:
        raise _alone(lost[0])
    return made


def _alone(weight: Expr) -> SymbpError:
    name = name_of(weight)
    what = f"`init lsuv` of {name}: no line without a target multiplies it by a value of the batch"
    return SymbpError(what, f"give the product a line, as `f = {name} @ x`, or choose another init")


def _degree(root: Expr, known: Mapping[Expr, Fraction]) -> Fraction:
    """Return of which degree an expression is in some variables, terms being of the highest."""
    done: dict[Expr, Fraction] = {}
    for part in walk(root):
        below = [done[arg] for arg in part.args]
        done[part] = known.get(part, max(below, default=Fraction(0)))
        if isinstance(part.op, Words):
            done[part] = sum(below, Fraction(0))
        elif isinstance(part.op, Elementwise) and part.op.exponent is not None:
            done[part] = below[0] * Fraction(str(part.op.exponent))
        elif isinstance(part.op, Sum):
            done[part] = max(below, default=Fraction(0))
    return done[root]
