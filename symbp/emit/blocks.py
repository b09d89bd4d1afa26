"""The functions of dense derivatives: `jacobian_X`, `hessian_X`, and `hessian_X_Y` for a pair."""

from collections.abc import Mapping, Sequence
from math import prod

from symbp.derive.dense import Dense, Wanted, dense
from symbp.emit.formulas import Formulas, OfFields
from symbp.emit.network import Network
from symbp.emit.shapes import shape_tuple
from symbp.emit.sweeps import Function
from symbp.emit.text import broken, documented, wrapped
from symbp.errors import SymbpError
from symbp.ir import Expr, name_of, size_symbol, size_value, symbol, variable
from symbp.program import Binding

LARGEST = 10**8
"""Above this many entries a dense derivative is not written."""


class Blocks:
    """Writes a function for each dense derivative, under names that are not taken.

    slopes: code of what each is the derivative of, by variable the gradients, by None the value;
    each a function of all arguments.  table: kind, function and variables, for the module's judge.
    """

    def __init__(
        self,
        write: Formulas,
        found: Sequence[Dense],
        wanted: Wanted,
        slopes: Mapping[Expr | None, str],
    ) -> None:
        self.write, self.wanted, self.slopes = write, wanted, slopes
        self.names, self.batch = write.names, write.batch
        self.table: list[tuple[str, str, tuple[str, ...]]] = []
        for one in found:
            _check_size(one)
        self.named = [(self._name(one), one) for one in found]

    def _name(self, found: Dense) -> str:
        of = [self._of(v) for v in found.variables]
        name = "_".join([found.kind, *dict.fromkeys(of)])
        while any(name == other for _, other, _ in self.table):
            name += "_"
        labels = [self.write.label(self.batch.name(v)) for v in found.variables]
        self.table.append((found.kind, name, tuple(labels)))
        return name

    def _of(self, var: Expr) -> str:
        return self.names[self.batch.name(var)]

    def functions(self) -> list[Function]:
        """Return the functions in the order of the table."""
        return [self._function(name, found) for name, found in self.named]

    def constants(self) -> list[str]:
        """Return the constants that say which function is dense, by what, and in which layout."""
        made = []
        for kind, title in (("jacobian", "JACOBIANS"), ("hessian", "HESSIANS")):
            items = [f'"{name}": {_quoted(of)}' for k, name, of in self.table if k == kind]
            if items:
                made += broken(f"{title}: dict[str, tuple[str, ...]] = {{", items, "}", 0)
        if made and self.wanted.layout == "vec":
            made.append('LAYOUT = "vec"  # of them: the columns of each array stacked')
        return made

    def checked(self, products: Sequence[Expr]) -> dict[str, object]:
        """Return what `check` compares: each function, and whose slope by which argument it is.

        products: the variables whose product with the Hessian has a function.
        """
        dense = [self._compared(name, found) for name, found in self.named]
        made = [self._row(f"hvp_{self._of(v)}", self.slopes[v], v) for v in products]
        order = "F" if self.wanted.layout == "vec" else "C"
        return {"dense": dense, "products": made, "order": order}

    def helpers(self, products: Sequence[Expr] = ()) -> list[str]:
        """Return the fixed texts that compare them, where there are any."""
        return ["check_second"] if self.table or products else []

    def _compared(self, name: str, found: Dense) -> str:
        *of, by = found.variables
        slope = self.slopes[of[0] if of else None]
        each = of and found.program.loss is None and symbol(found.program.result).batched
        if each and not any(symbol(v).batched for v in found.variables) and "vjp(" in slope:
            return self._row(name, slope, by, f"lambda *given: {name}(*given).sum(axis=0)")
        return self._row(name, slope, by)

    def _row(self, name: str, slope: str, by: Expr, function: str = "") -> str:
        place = self.write.given.index(self.batch.name(by))
        items = [f'"{name}"', slope, str(place), function or name]
        return wrapped("(", items, "),", " " * 8)

    def _function(self, name: str, found: Dense) -> Function:
        expr = found.laid_out(found.whole.expr, self.wanted.layout)
        of = name_of(found.variables[-1])
        target = variable(found.kind, expr.shape, "adjoint", batched=found.is_batched, of=of)
        body = self.write.results([*found.whole.lines, Binding(target, expr)], [target])
        doc = self._doc(found, self.batch.name(target))
        return self.write.function(name, self.write.arguments(self.write.given), "Array", doc, body)

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
        if found.kind == "hessian" and by[0] == by[-1]:
            axes = axes if self.wanted.layout == "vec" else f"the axes of {by[0]}, twice"
            below = f"∂{stacked[0]}²"
        else:
            below = "".join(f"∂{name}" for name in stacked)
        order = "²" if found.kind == "hessian" else ""
        what = f"Return ∂{order}{above}/{below}{each}"
        shape = shape_tuple(target) if target.rank else "a scalar"
        return documented(f"{what}, {shape}: {axes}", what, f"Shape {shape}: {axes}")


def network_blocks(network: Network, wanted: Wanted) -> Blocks:
    """Return the dense derivatives of a network; the slopes are those of its own functions."""
    names, batched = network.names, network.schedule.batched
    params, fields = set(network.program.params), network.fields
    write = OfFields([*fields.members, *network.data], fields, network.schedule.batch)
    bars = network.sweeps["inputs_bar"].results
    slopes: dict[Expr | None, str] = {None: "forward"}
    pulled = "vjp(p, *d)[1](np.ones_like(forward(p, *d)))"
    places = fields.reads(f"{pulled}[0]" if network.loss is None else "loss_and_grad(p, *d)[1]")
    for var in network.program.wrt:
        if var not in params and network.loss is None:
            place = 1 + bars.index(batched(network.schedule.bar(var)))
            slopes[var] = f"lambda p, *d: {pulled}[{place}]"
        elif var not in params:
            slopes[var] = f"grad_{names[batched(var)]}"
        else:
            slopes[var] = f"lambda p, *d: {places[batched(var)]}"
    return Blocks(write, dense(network.program, wanted), wanted, slopes)


def _check_size(found: Dense) -> None:
    """Raise SymbpError where the array would not fit a machine, sizes being known."""
    known = {size_symbol(n): v for n, v in found.program.sizes.items() if v is not None}
    dims = [size_value(dim, known) for dim in found.reading.expr.shape]
    count = prod(dim for dim in dims if isinstance(dim, int))
    if count > LARGEST:
        by = " and ".join(dict.fromkeys(name_of(v) for v in found.variables))
        products = "`--hvp` gives" if found.kind == "hessian" else "`jvp` and `vjp` give"
        what = f"the {found.kind} by {by} has {count:,} entries"
        raise SymbpError(what, f"{products} its product with a direction")


def _quoted(names: Sequence[str]) -> str:
    return f"({', '.join(map(repr, names))}{',' * (len(names) == 1)})".replace("'", '"')


def _vec(name: str, var: Expr) -> str:
    return f"vec({name})" if var.rank > 1 else name
