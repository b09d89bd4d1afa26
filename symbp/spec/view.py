"""A SymPy matrix as one of our expressions: which axes it has, and what surrounds its reading.

Every SymPy matrix has rows and columns; a column of SymPy is a vector of ours, and a 1×1 matrix a
scalar.  A `View` keeps both: the two sizes, and the axes that the expression really has.  An axis
that it lacks has size 1.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import sympy as sp

from symbp.errors import SymbpError
from symbp.ir import Dim, Expr, Shape
from symbp.ops.product import product

Dims: TypeAlias = tuple[Dim, Dim]


@dataclass(frozen=True)
class View:
    """An expression read as a matrix of `dims`; `axes` are those it has, 0 rows, 1 columns."""

    expr: Expr
    dims: Dims
    axes: tuple[int, ...]

    def word(self, row: int, column: int) -> tuple[int, ...]:
        """Return the expression's word, given a letter for the rows and one for the columns."""
        return tuple((row, column)[axis] for axis in self.axes)

    def along(self, axes: tuple[int, ...]) -> Expr:
        """Return the matrix as an expression with these axes; the others have size 1."""
        return product([(self.expr, self.word(0, 1))], axes, dict(enumerate(self.dims)))

    @property
    def long(self) -> tuple[int, ...]:
        """The axes that are longer than 1."""
        return tuple(axis for axis in (0, 1) if self.dims[axis] != 1)

    @property
    def canonical(self) -> Expr:
        """The expression in its final form: 1×1 a scalar, n×1 a vector, else a matrix."""
        if self.dims == (1, 1):
            return self.along(())
        return self.along((0,) if self.dims[1] == 1 else (0, 1))


def view(expr: Expr, dims: Dims) -> View:
    """Read an expression as a matrix of `dims`.  Raises SymbpError where its shape is another."""
    axes: tuple[int, ...] = {0: (), 1: (1,) if dims[1] != 1 else (0,), 2: (0, 1)}.get(expr.rank, ())
    if expr.shape != tuple(dims[axis] for axis in axes):
        raise SymbpError(f"{expr} has shape {expr.shape}, and {dims[0]} x {dims[1]} is meant")
    if any(dims[axis] != 1 for axis in {0, 1} - set(axes)):
        raise SymbpError(f"{expr} has shape {expr.shape}, and {dims[0]} x {dims[1]} is meant")
    return View(expr, dims, axes)


def dim(size: Any) -> Dim:
    """Return a SymPy size as ours."""
    exact = sp.sympify(size, strict=True)  # strict: a text is refused, never run
    return int(exact) if exact.is_Integer else exact


def dims_of(matrix: Any) -> Dims:
    """Return the rows and columns of a SymPy matrix."""
    rows, columns = matrix.shape
    return dim(rows), dim(columns)


@dataclass(frozen=True)
class Context:
    """What a SymPy expression is read in.

    names: the expression that each symbol means.
    sizes: the symbols that are sizes, which may stand as numbers.
    matrix: the reader of matrices.
    shape, indices: inside a sum over indices or an `applyfunc`, the axes that run, and the axis
    of each index.
    """

    names: Mapping[Any, Expr]
    sizes: frozenset[Any]
    matrix: "Callable[[Any, Context], View]"
    shape: Shape = ()
    indices: Mapping[Any, int] = field(default_factory=dict)

    @property
    def outside(self) -> "Context":
        """The same without the running axes."""
        return replace(self, shape=(), indices={})

    def within(self, shape: Shape, names: Mapping[Any, Expr]) -> "Context":
        """Return the context of a formula over arrays of a shape, its symbols given."""
        return replace(self, shape=shape, indices={}, names={**self.names, **names})

    def along(self, axes: tuple[int, ...]) -> "Context":
        """Return the context of what depends on some of the indices alone."""
        kept = {i: axes.index(axis) for i, axis in self.indices.items() if axis in axes}
        return replace(self, shape=tuple(self.shape[axis] for axis in axes), indices=kept)

    def summing(self, ranges: Mapping[Any, Dim]) -> "Context":
        """Return the context of what is summed over more indices."""
        start = len(self.shape)
        more = {index: start + k for k, index in enumerate(ranges)}
        return replace(
            self, shape=(*self.shape, *ranges.values()), indices={**self.indices, **more}
        )


ACCEPTED = (
    "accepted: symbols, numbers, pi, E, + * / **, exp log sqrt, sin cos tan, their inverses and "
    "hyperbolic forms, Abs sign erf Max Min Heaviside Piecewise and symbp's own functions of "
    "scalars; MatrixSymbol, MatMul, MatAdd, Transpose, Adjoint, Inverse, whole MatPow, Trace, "
    "Determinant, HadamardProduct, HadamardPower, applyfunc, DiagMatrix, DiagonalOf, "
    "DiagonalMatrix, OneMatrix, ZeroMatrix, Identity, KroneckerProduct, BlockMatrix, explicit "
    "matrices, slices and elements; Sum over ranges of axes"
)


def refused(node: Any, why: str = "is not accepted") -> SymbpError:
    """Return the error that names a SymPy node, or a place in one."""
    shown = str(node)
    shown = shown if len(shown) <= 60 else f"{shown[:57]}…"
    return SymbpError(f"{type(node).__name__} {why}, in {shown}", ACCEPTED)


def check_dims(node: Any, left: Any, right: Any) -> None:
    """Raise SymbpError where two sizes that must agree do not."""
    if left != right:
        raise SymbpError(
            f"the sizes {left} and {right} do not agree in {type(node).__name__} {node}",
            "declare both with the same size",
        )
