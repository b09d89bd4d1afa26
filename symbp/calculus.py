"""`symbp.diff`: the derivative of a SymPy expression, where `expr.diff(X)` stood before."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np
import sympy as sp
from numpy.typing import ArrayLike, NDArray

from symbp.api import Line
from symbp.derive.derivation import Step
from symbp.derive.higher import differentiate
from symbp.derive.jacobian import at_entry, stacked, structured
from symbp.derive.simplify import Lines
from symbp.emit.forms import is_matrix_form
from symbp.emit.function import FunctionText, function_text
from symbp.emit.math import Names, latex, unicode, words
from symbp.errors import SymbpError, did_you_mean, printable
from symbp.ir import Expr, name_of, variable
from symbp.ops.product import product
from symbp.pipeline import module_of
from symbp.program import Program
from symbp.report import names_of
from symbp.spec.from_sympy import sympified
from symbp.spec.place import Place, counted, program_of
from symbp.spec.to_sympy import to_sympy

Layout: TypeAlias = Literal["array", "vec"]
Array: TypeAlias = NDArray[Any]


@contextmanager
def _nested() -> Iterator[None]:
    """Refuse what nests deeper than Python's stack, over which SymPy walks."""
    try:
        yield
    except RecursionError:
        help = "put a symbol for a part of it, and join the derivatives by the chain rule"
        raise SymbpError("the expression nests too deep", help) from None


@_nested()
def diff(
    expr: Any,
    *variables: Any,
    layout: Layout = "array",
    symmetric: Iterable[Any] = (),
    free: bool = True,
) -> "Derivative":
    """Return the derivative of a SymPy expression by one variable, or by several in turn.

    expr: a scalar or a matrix expression; 1×1 is a scalar, n×1 a vector.
    variables: Symbols, MatrixSymbols, elements `X[i, j]`, or names; `X, 2` and `(X, 2)` are X
    twice, as in `sympy.diff`.  A symbol that the expression lacks gives zero, a name an error.
    layout: "array" has the axes of the value first, then those of each variable; a vector has one
    axis, a scalar none, so a gradient has the shape of its variable.  "vec" stacks the columns of
    each: a Jacobian is the matrix ∂vec(F)/∂vec(X), a Hessian ∂²f/∂vec(X)∂vec(Y).
    symmetric: the symbols that equal their transposes, or their names; one may stand alone.
    free: whether their entries move one by one; with False both halves move together,
    G + Gᵀ − G ⊙ I (a scalar by one matrix).

    Raises SymbpError that names the node, the variable or the sizes it cannot take.
    """
    if layout not in ("array", "vec"):
        raise SymbpError(f"no layout {printable(repr(layout))}", 'write "array" or "vec"')
    expr = sympified(expr)
    asked = [Place.of(item, expr) for item in counted(variables)]
    program, symbols = program_of(expr, asked, _listed(symmetric))
    known = {name_of(v): v for v in program.given}
    by = [known[v.name] for v in asked]
    found = differentiate(program, by)
    tensor = found.closed if free else _both_halves(found.closed, program, by)
    ranks = [program.result.rank]
    for v, of in zip(asked, by, strict=True):
        tensor = at_entry(tensor, sum(ranks), v.index[: of.rank])
        ranks.append(0 if v.index else of.rank)
    lines = [*found.steps]
    if any(v.index for v in asked):
        lines.append(_at_entry(asked, by, tensor))
        tensor = lines[-1].expr
    steps = tuple(Line.of(step, names_of(program)) for step in lines)
    return Derivative(program, tuple(by), tensor, tuple(ranks), layout, steps, symbols)


def _at_entry(asked: Sequence[Place], by: Sequence[Expr], tensor: Expr) -> Step:
    """Return the line that takes the entries which are differentiated by."""
    places = " ".join(_place(v, of.rank) for v, of in zip(asked, by, strict=True))
    expr, _ = Lines(()).simplify(tensor)
    target = variable(f"{places}_bar", expr.shape, "adjoint", of=places)
    return Step(target, expr, tensor, "at an entry")


def _place(asked: Place, rank: int) -> str:
    """Return the name of a variable; of an entry with its place, `X[0,1]`."""
    place = ",".join(str(index).replace(" ", "") for index in asked.index[:rank])
    return f"{asked.name}[{place}]" if place else asked.name


@dataclass(frozen=True)
class Derivative:
    """A derivative as one formula in what the expression is given: printed, in SymPy, in NumPy.

    tensor: the formula, an axis for each of the value, then of each variable.
    ranks: how many axes the value and each variable have.  steps: the lines that led to it.
    symbols: the user's own symbol of each name.
    """

    program: Program
    variables: tuple[Expr, ...]
    tensor: Expr
    ranks: tuple[int, ...]
    layout: Layout
    steps: tuple[Line, ...]
    symbols: Mapping[str, Any]

    @property
    def names(self) -> Names:
        """What the printer has to know about the names."""
        return names_of(self.program)

    @cached_property
    def formula(self) -> Expr:
        """The formula in its layout."""
        return self.tensor if self.layout == "array" else stacked(self.tensor, *self.ranks)

    @property
    def shape(self) -> tuple[Any, ...]:
        """The sizes of the axes."""
        return self.formula.shape

    @cached_property
    def expr(self) -> Any:
        """The derivative in SymPy; None where SymPy has no matrix expression for it.

        Vectors are n×1, and of more than two axes those of size 1 are left out; three axes have
        no matrix expression unless they are stacked.
        """
        try:
            return to_sympy(_squeezed(self.formula), self.symbols)
        except SymbpError:
            return None

    def _printed(self) -> Expr:
        """Return what is printed: a matrix form, of the layout or stacked; else index words."""
        for form in (self.formula, stacked(self.tensor, *self.ranks)):
            plain = _squeezed(form)
            if plain.rank < 3 and is_matrix_form(plain):
                return plain
        return _squeezed(self.tensor)

    def unicode(self) -> str:
        """Return the formula as a person writes it.

        Three axes and more are printed stacked, `Bᵀ ⊗ A`, where that is a matrix form; else in
        index words.
        """
        return unicode(self._printed(), self.names)

    def latex(self) -> str:
        """Return the formula in LaTeX (amsmath, amssymb, bm), without dollar signs."""
        return latex(self._printed(), self.names)

    def words(self) -> str:
        """Return the entry of the derivative at i, j, k, … in index words, in the array layout."""
        return words(self.tensor, self.names)

    @cached_property
    def _function(self) -> FunctionText:
        of = [name_of(v) for v in self.variables]
        kind = {1: "jacobian" if self.program.result.rank else "grad", 2: "hessian"}
        name = "_".join([kind.get(len(of), "derivative"), *dict.fromkeys(of)])
        what = self.steps[-1].left.unicode()
        return function_text(self.program, name, self.formula, what)

    @property
    def source(self) -> str:
        """The text of a module with one NumPy function of the derivative."""
        return self._function.text

    def numpy(self, **values: ArrayLike) -> Array:
        """Return the derivative at some values, an array or number for each name.

        A vector may be given as (n,) or (n, 1); a gradient comes in the shape its variable was
        given in.  What the derivative does not read may be left out.  Sizes that no array tells
        are given by name as well.  Raises SymbpError for a name that is missing or unknown.
        """
        function = self._function
        known = [name_of(v) for v in self.program.given]
        for name in values:
            if name not in known and name not in function.sizes:
                near = did_you_mean(name, known)
                help = f"did you mean {near}?" if near else f"its names are {', '.join(known)}"
                raise SymbpError(f"the derivative has no {printable(name)}", help)
        wanted = [*(name_of(v) for v in function.arguments), *function.sizes]
        missing = [name for name in wanted if name not in values]
        if missing:
            raise SymbpError(f"no value for {', '.join(missing)}", f"`numpy({missing[0]}=…)`")
        given = [_value(v, values[name_of(v)]) for v in function.arguments]
        sizes = {name: values[name] for name in function.sizes}
        run = getattr(module_of(function.text, function.name), function.name)
        made = np.asarray(run(*given, **sizes))
        of = name_of(self.variables[0])
        if self.ranks == (0, self.variables[0].rank) and self.layout == "array" and of in values:
            like = np.shape(values[of])
            made = made.reshape(like) if made.size == np.prod(like, dtype=int) else made
        return made

    def __str__(self) -> str:
        return self.unicode()

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self.latex().replace(chr(92) + 'bm{', chr(92) + 'boldsymbol{')}$"


def _listed(symmetric: Any) -> tuple[Any, ...]:
    """Return the symmetric symbols; a MatrixSymbol and a text iterate, but are one of them."""
    if isinstance(symmetric, str | sp.Basic) and not isinstance(symmetric, sp.Tuple):
        return (symmetric,)
    if not isinstance(symmetric, Iterable):
        raise SymbpError(f"symmetric={printable(repr(symmetric))} holds no symbols", "`[X]`")
    return tuple(symmetric)


def _both_halves(tensor: Expr, program: Program, by: Sequence[Expr]) -> Expr:
    """Return the gradient by a symmetric matrix, both halves moving together."""
    if program.result.rank or len(by) != 1 or by[0].rank != 2:
        what = "`free=False` is for a scalar by one matrix"
        raise SymbpError(what, "leave it out: the entries move one by one")
    rows, columns = by[0].shape
    if rows != columns:
        what = f"`free=False` is for a symmetric matrix, and {name_of(by[0])} is {rows} x {columns}"
        raise SymbpError(what, "leave it out: the entries move one by one")
    return structured(tensor)


def _squeezed(expr: Expr) -> Expr:
    """Return an array of more than two axes without those of size 1."""
    letters = tuple(range(expr.rank))
    kept = tuple(k for k in letters if expr.shape[k] != 1)
    return expr if expr.rank < 3 else product([(expr, letters)], kept)


def _value(var: Expr, value: ArrayLike) -> Array:
    """Return an array of the variable's number of axes; (n, 1) is a vector, (1, 1) a scalar."""
    try:
        array = np.asarray(value)
    except ValueError as error:  # rows of unequal lengths
        raise SymbpError(f"the value of {name_of(var)} is no array: {error}") from error
    if array.dtype.kind not in "biufc":
        raise SymbpError(f"the value of {name_of(var)} holds no numbers, but {array.dtype.name}")
    wanted = array.shape[: var.rank]
    fits = var.rank < 2 and array.size == np.prod(wanted, dtype=int)
    return array.reshape(wanted) if fits else array
