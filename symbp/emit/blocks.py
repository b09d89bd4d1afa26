"""The functions of dense derivatives: `jacobian_X`, `hessian_X`, and `hessian_X_Y` for a pair."""

from collections.abc import Sequence

from symbp.derive.dense import Dense, Wanted
from symbp.emit.formulas import Formulas
from symbp.emit.guards import guard
from symbp.emit.identifiers import Identifiers
from symbp.emit.shapes import shape_tuple
from symbp.emit.sweeps import Function, read_in
from symbp.emit.text import documented, indented
from symbp.ir import Expr, name_of, symbol, variable
from symbp.lower.batch import Batch
from symbp.program import Binding


class Blocks:
    """Writes a function for each dense derivative, under names that are not taken.

    table: the kind, the function and the variables of each, for the judge of the module.
    """

    def __init__(self, write: Formulas, found: Sequence[Dense], wanted: Wanted) -> None:
        self.write, self.wanted = write, wanted
        self.names, self.batch = write.names, write.batch
        self.table: list[tuple[str, str, tuple[str, ...]]] = []
        self.named = [(self._name(one), one) for one in found]

    def _name(self, found: Dense) -> str:
        of = [self._of(v) for v in found.variables]
        name = "_".join([found.kind, *dict.fromkeys(of)])
        while any(name == other for _, other, _ in self.table):
            name += "_"
        self.table.append((found.kind, name, tuple(of)))
        return name

    def _of(self, var: Expr) -> str:
        return self.names[self.batch.name(var)]

    def functions(self) -> list[Function]:
        """Return the functions in the order of the table."""
        return [self._function(name, found) for name, found in self.named]

    def _function(self, name: str, found: Dense) -> Function:
        expr = found.laid_out(found.whole.expr, self.wanted.layout)
        of = name_of(found.variables[-1])
        target = variable(found.kind, expr.shape, "adjoint", batched=found.is_batched, of=of)
        body = self.write.results([*found.whole.lines, Binding(target, expr)], [target])
        doc = self._doc(found, self.batch.name(target))
        return self.write.function(
            name, self.write.arguments(self.write.given), "Array", doc, body
        )

    def _doc(self, found: Dense, target: Expr) -> str:
        """Return the docstring: what it is, its shape, and which axis is which."""
        value, by = found.program.result, [self._of(v) for v in found.variables]
        result = name_of(value)
        each = ", for each example" if symbol(target).batched else ""
        if self.wanted.layout == "vec":
            stacked = [_vec(name, v) for name, v in zip(by, found.variables, strict=True)]
            above = _vec(result, value)
            axes = "columns stacked"
        else:
            stacked, above = by, result
            axes = f"the axes of {result if found.kind == 'jacobian' else by[0]}, "
            axes += f"then those of {by[-1]}"
        order = "²" if found.kind == "hessian" else ""
        what = f"Return ∂{order}{above}/{''.join(f'∂{name}' for name in stacked)}{each}"
        shape = shape_tuple(target) if target.rank else "a scalar"
        return documented(f"{what}, {shape}: {axes}", what, f"Shape {shape}: {axes}")


def _vec(name: str, var: Expr) -> str:
    return f"vec({name})" if var.rank > 1 else name


class OfFields(Formulas):
    """Writes functions of a network: parameters are fields of `params`, what is read is unpacked."""

    def __init__(self, given: Sequence[Expr], names: Identifiers, batch: Batch) -> None:
        super().__init__(given, given, names, batch)
        self.fields = [v for v in given if symbol(v).role == "param"]

    def arguments(self, data: Sequence[Expr]) -> list[str]:
        """Return `params` and the other arguments with their types."""
        return ["params: ParamsLike", *super().arguments([v for v in data if v not in self.fields])]

    def guards(self) -> list[str]:
        """Return the lines that check the data's shapes."""
        made, known = [], list(self.fields)
        for var in self.given:
            if var not in self.fields:
                made.append(guard(var, self.names, known))
                known.append(var)
        return made

    def results(self, bindings: Sequence[Binding], wanted: Sequence[Expr]) -> list[str]:
        """Return the statements, the parameters that they read taken out of `params` first."""
        body = super().results(bindings, wanted)
        read = read_in([line for line in body if line])
        taken = [f"{self.names[v]} = params.{self.names[v]}" for v in self.fields
                 if self.names[v] in read]  # fmt: skip
        return ["params = as_params(params)", *taken, *body]
