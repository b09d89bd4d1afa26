"""One function on its own: the NumPy text of a single formula."""

from collections.abc import Sequence
from dataclasses import dataclass

from symbp.emit.formulas import Formulas
from symbp.emit.identifiers import Identifiers
from symbp.emit.math import plain
from symbp.emit.render import template
from symbp.emit.shapes import shape_tuple
from symbp.emit.sweeps import Function
from symbp.ir import Expr, line_of, variables, walk
from symbp.lower.batch import Batch
from symbp.lower.reads import symbols_of
from symbp.program import Binding, Program


@dataclass(frozen=True)
class FunctionText:
    """The text of a module with one function, and the names of its arguments.

    arguments: the variables it takes, in order.  sizes: the sizes that no argument tells, which
    it takes by name; both as the program calls them.
    """

    name: str
    text: str
    arguments: tuple[Expr, ...]
    sizes: tuple[str, ...]


def function_text(program: Program, name: str, expr: Expr, what: str) -> FunctionText:
    """Return a function `name` of the value of an expression in what a program is given.

    It takes what the expression reads, and arrays that tell its sizes.  what: a phrase for the
    docstring, such as `∂f/∂X`.
    """
    batch, given = Batch(program), _arguments(program, expr)
    names = Identifiers([*program.given], list(program.sizes))
    result = line_of("derivative", expr)
    write = Formulas(given, given, names, batch)
    body = write.results([Binding(result, expr)], [result])
    keywords = [f"{names.size(symbol)}: int" for symbol in write.open]
    arguments = [*write.arguments(given), *(["*", *keywords] if keywords else [])]
    doc = f"Return {what}, of shape {shape_tuple(result)}." if expr.rank else f"Return {what}."
    made: Function = write.function(name, arguments, "Array", doc, body)
    guards = [guard for guard in ("expect", "numbers") if f"_{guard}(" in made.body]
    view = {"docstring": _docstring(what, expr), "function": made}
    view["helpers"] = [*sorted(write.helpers), *guards]
    text = template("numpy/function.py.jinja").render(module=view)
    return FunctionText(name, text, tuple(given), tuple(symbol.name for symbol in write.open))


def _docstring(what: str, expr: Expr) -> str:
    formula = plain(expr).replace("\\", "\\\\")
    line = f"{what} = {formula}"
    return f"{line}." if len(line) < 90 else f"{what}."


def _arguments(program: Program, expr: Expr) -> Sequence[Expr]:
    """Return what an expression reads, and what tells the sizes that nothing of it tells."""
    read = set(variables(expr))
    told = {dim for v in read for dim in v.shape}
    wanted = {s for part in walk(expr) for s in symbols_of(part)} - told
    tellers = {next((v for v in program.given if s in v.shape), None) for s in wanted}
    return [v for v in program.given if v in read or v in tellers]
