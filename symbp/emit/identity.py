"""The module of an identity: no parameters, each function a formula on its own.

`value`, and for each variable v it is differentiated by `grad_v` and `value_and_grad_v`; a value
that is no scalar has a pullback instead.  When asked, `hvp_v`, and what is dense.  Each function
does what it needs and no more.
"""

from collections.abc import Sequence
from dataclasses import replace

from symbp.derive.dense import Wanted, dense
from symbp.derive.derivation import Derivation
from symbp.derive.forward import bar, dot, tangents_of
from symbp.derive.jacobian import structured
from symbp.derive.reverse import join_examples
from symbp.derive.simplify import Lines
from symbp.emit.blocks import Blocks
from symbp.emit.formulas import Formulas
from symbp.emit.guards import guard_like
from symbp.emit.identifiers import Identifiers
from symbp.emit.shapes import array_text
from symbp.emit.sweeps import Function
from symbp.errors import SymbpError
from symbp.ir import Expr, name_of, symbol, variables
from symbp.lower.aliases import without_aliases
from symbp.lower.batch import Batch
from symbp.lower.reads import reads
from symbp.lower.share import share
from symbp.ops.linear import number, zeros
from symbp.ops.rewrite import rename, substitute
from symbp.program import Binding, needed


class Identity:
    """Everything callable in the module of an identity."""

    def __init__(
        self, derivation: Derivation, names: Identifiers, batch: Batch, wanted: Wanted
    ) -> None:
        self.program, self.names, self.batch = derivation.program, names, batch
        program = self.program
        self.given = [batch.name(v) for v in (*program.inputs, *program.consts, *program.targets)]
        self.wrt = list(program.wrt)
        self.result = program.result
        self.primal = [Binding(s.target, s.expr) for s in derivation.primal]
        joined = join_examples(program)
        if joined is not None:
            self.result = rename(program.result, batched=False)
            self.primal = [
                Binding(self.result, joined) if b.target is program.result else b
                for b in self.primal
            ]
        self.tangent = [Binding(s.target, s.expr) for s in derivation.tangent]
        if joined is not None:
            self.tangent = self._joined_tangent(joined)
        seed = {} if program.loss is not None or self.result.rank else {bar(self.result): number(1)}
        self.adjoint = [Binding(s.target, substitute(s.expr, seed)) for s in derivation.adjoint]
        if wanted.both_halves:
            halves = {bar(v) for v in self.wrt if symbol(v).symmetric}
            self.adjoint = [
                replace(b, expr=structured(b.expr)) if b.target in halves else b
                for b in self.adjoint
            ]
        self.write = Formulas(self.given, self.wrt_batched(), names, batch)
        self.wanted = wanted
        slopes: dict[Expr | None, str] = {v: f"grad_{names[batch.name(v)]}" for v in self.wrt}
        slopes[None] = "value"
        self.blocks = Blocks(self.write, dense(self.program, wanted), wanted, slopes)

    def _joined_tangent(self, joined: Expr) -> list[Binding]:
        """Return the tangent lines, that of the loss for the whole batch."""
        moving = {b.target for b in self.tangent} | {dot(v) for v in self.wrt}
        dots = {v: dot(v) for v in variables(joined) if dot(v) in moving}
        last = tangents_of((Binding(self.result, joined),), dots, Lines(self.program.bindings))
        rest = [b for b in self.tangent if b.target is not dot(self.program.result)]
        return [*rest, *(Binding(step.target, step.expr) for step in last)]

    @property
    def helpers(self) -> set[str]:
        """The names of the module's fixed texts that the functions call."""
        return self.write.helpers

    @property
    def is_scalar(self) -> bool:
        """Tell whether there is a gradient: the value is a scalar, for each example at least."""
        return self.result.rank == 0

    def functions(self) -> list[Function]:
        """Return the functions in the order of the module.

        Raises SymbpError where a size stands in the shape of nothing that is given.
        """
        made = self._functions()
        if self.write.open:
            size = next(iter(self.write.open)).name
            what = f"the size {size} stands in the shape of nothing that is given"
            raise SymbpError(what, "give it a number, or an argument that has it")
        return made

    def _functions(self) -> list[Function]:
        made = [self.value()]
        if self.is_scalar:
            for var in self.wrt:
                made += [self.grad(var), self.value_and_grad(var)]
        made.append(self.jvp())
        if not self.is_scalar:
            made.append(self.vjp())
        made += [self.hvp(var) for var in self.products()]
        return [*made, *self.blocks.functions()]

    def products(self) -> list[Expr]:
        """Return the variables whose product with the Hessian has a function."""
        return self.wrt if self.wanted.hessian or self.wanted.hvp else []

    def _sweeps(self, bars: Sequence[Expr]) -> tuple[list[Binding], list[Binding], list[Expr]]:
        """Return the lines of value and pullback, and what the pullback reads of the value's."""
        adjoint = needed(self.adjoint, bars)
        read = {v for line in adjoint for v in variables(line.expr)}
        roots = [self.result, *(b.target for b in self.primal if b.target in read)]
        lines = {
            "primal": self.batch.lines(needed(self.primal, roots)),
            "adjoint": self.batch.lines(adjoint),
        }
        taken = {name_of(v) for v in self.program.given}
        taken |= {b.name for own in lines.values() for b in own}
        kept = {name_of(v) for v in (self.result, *bars)}
        sweeps = without_aliases(share(lines, taken, kept), kept)
        primal, pulled = list(sweeps["primal"]), list(sweeps["adjoint"])
        made = {line.target for line in primal}
        outside = [v for v in reads(pulled) if v in made]
        return needed(primal, [self.batch.name(self.result), *outside]), pulled, outside

    def value(self) -> Function:
        """Return `value`."""
        doc = f"Return {array_text(self.batch.name(self.result), self.names)}."
        body = self.write.results(self.primal, [self.result])
        return self.write.function("value", self.write.arguments(self.given), "Array", doc, body)

    def _gradient(self, var: Expr, *, with_value: bool) -> list[str]:
        wanted = [*([self.result] if with_value else []), bar(var)]
        return self.write.results([*self.primal, *self.adjoint], wanted)

    def grad(self, var: Expr) -> Function:
        """Return `grad_v`."""
        name, result = self.names[self.batch.name(var)], name_of(self.result)
        shape = array_text(self.batch.name(var), self.names)
        doc = f"Return ∂{result}/∂{name}, in the shape of {shape}."
        body = self._gradient(var, with_value=False)
        return self.write.function(
            f"grad_{name}", self.write.arguments(self.given), "Array", doc, body
        )

    def value_and_grad(self, var: Expr) -> Function:
        """Return `value_and_grad_v`."""
        name, result = self.names[self.batch.name(var)], name_of(self.result)
        body = self._gradient(var, with_value=True)
        doc = f"Return {result} and ∂{result}/∂{name}; what both need is computed once."
        arguments = self.write.arguments(self.given)
        return self.write.function(
            f"value_and_grad_{name}", arguments, "tuple[Array, Array]", doc, body
        )

    def jvp(self) -> Function:
        """Return `jvp`."""
        dots = [self.batch.name(dot(v)) for v in self.wrt]
        target, moved = self.result, dot(self.result)
        lines = self.write.lines([*self.primal, *self._tangents(moved)], [target, moved])
        outs = [self.batch.name(target), self.batch.name(moved)]
        body = self.write.body(lines, outs)
        guards = [
            guard_like(d, v, self.names) for d, v in zip(dots, self.wrt_batched(), strict=True)
        ]
        place = len(self.write.guards())
        body = [*body[:place], *guards, *body[place:]]
        arguments = [*self.write.arguments(self.given), *self.write.arguments(dots)]
        text = [self.names[v] for v in outs]
        doc = (
            f"Return {text[0]} and its derivative along ({', '.join(self.names[d] for d in dots)})."
        )
        return self.write.function(
            "jvp", arguments, "tuple[Array, Array]", doc, [*body, f"return {', '.join(text)}"]
        )

    def hvp(self, var: Expr) -> Function:
        """Return `hvp_v`: the tangent of the adjoint sweep, forward over reverse."""
        lines = (*self.primal, *self.adjoint)
        moved = tangents_of(lines, {var: dot(var)}, Lines(self.program.bindings))
        gradient, along = bar(var), dot(bar(var))
        made = {step.target: step.expr for step in moved}
        if along not in made:
            along = rename(along, of=name_of(var))  # zeros of the variable's type
            made[along] = zeros(*along.shape)
        every = [*lines, *(Binding(target, expr) for target, expr in made.items())]
        outs = [self.batch.name(gradient), self.batch.name(along)]
        body = self.write.body(self.write.lines(every, [gradient, along]), outs)
        direction, value = self.batch.name(dot(var)), self.batch.name(var)
        place = len(self.write.guards())
        body = [*body[:place], guard_like(direction, value, self.names), *body[place:]]
        name, moving = self.names[value], self.names[direction]
        doc = f"Return ∂{name_of(self.result)}/∂{name} and the Hessian times {moving}, never built."
        return self.write.function(
            f"hvp_{name}",
            [*self.write.arguments(self.given), *self.write.arguments([direction])],
            "tuple[Array, Array]",
            doc,
            [*body, f"return {', '.join(self.names[v] for v in outs)}"],
        )

    def _tangents(self, moved: Expr) -> list[Binding]:
        have = {b.target for b in self.tangent}
        return (
            self.tangent if moved in have else [*self.tangent, Binding(moved, zeros(*moved.shape))]
        )

    def wrt_batched(self) -> list[Expr]:
        """Return the variables differentiated by, for the batch."""
        return [self.batch.name(v) for v in self.wrt]

    def vjp(self) -> Function:
        """Return `vjp` of a value that is no scalar."""
        target, seed = self.batch.name(self.result), self.batch.name(bar(self.result))
        bars = [bar(v) for v in self.wrt]
        primal, pulled, outside = self._sweeps(bars)
        before = self.write.body(primal, [target, *outside])
        outs = [self.batch.name(b) for b in bars]
        inner = self.write.body(pulled, outs, guards=False)
        kind = f"tuple[{', '.join(['Array'] * len(outs))}]"
        names = [self.names[b] for b in outs]
        values = f"({names[0]},)" if len(names) == 1 else ", ".join(names)
        doc = (
            f'"""Return the adjoints of {", ".join(self.names[v] for v in self.wrt_batched())}."""'
        )
        nested = [doc, *inner, f"return {values}"]
        body = [
            *before,
            "",
            f"def pullback({self.names[seed]}: Array) -> {kind}:",
            *("    " + line for line in nested),
            "",
            f"return {self.names[target]}, pullback",
        ]
        arrow = f"{self.names[seed]} ↦ ({', '.join(names)})"
        return self.write.function(
            "vjp",
            self.write.arguments(self.given),
            f"tuple[Array, Callable[[Array], {kind}]]",
            f"Return {self.names[target]} and the pullback {arrow}.",
            body,
        )
