"""What an operation states: one record each, of four kinds.

Sums and contractions are `ir.Sum` and `ir.Words`: their derivative follows from their form.
Here are the records of the other kinds.  Each states one derivative rule; the other mode is
derived from it in `rules.py`, so forward and reverse mode cannot disagree.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import sympy as sp

from symbp.ir import Dim, Expr, Op, Shape
from symbp.notation import Call, Exponent, Notation

Z, W, H = sp.symbols("z w h", real=True)
"""An elementwise operation's first and second argument, and its value."""


@dataclass(frozen=True)
class Elementwise(Op):
    """f(z) or f(z, w), entry by entry, of arguments of one shape.

    formula: the meaning, a SymPy scalar expression in Z and W.
    slopes: ∂f/∂z and ∂f/∂w, in Z, W and the value H.
    code: NumPy text with `{z}` and `{w}`; None where the formula is written out instead.
    ufunc: the NumPy function that does it with `out=`, where there is one.
    """

    name: str
    formula: sp.Expr
    slopes: tuple[sp.Expr, ...]
    code: str | None = None
    ufunc: str | None = None
    notation: Notation = field(default=Call("", ""))
    analytic: bool = True
    idempotent: bool = False
    exponent: sp.Rational | None = None
    helper: str | None = None

    @property
    def flat(self) -> bool:
        """Tell whether the slope is zero everywhere, so that no gradient passes."""
        return all(slope == 0 for slope in self.slopes)

    def shape(self, args: Sequence[Expr]) -> Shape:
        """Return the shape of the result."""
        if len(args) != len(self.slopes) or len({arg.shape for arg in args}) != 1:
            raise ValueError(f"{self.name} of shapes {[arg.shape for arg in args]}")
        return args[0].shape

    def canonical(self, args: Sequence[Expr]) -> str:
        """Return a text that is equal for equal values."""
        exponent = "" if self.exponent is None else f"^{self.exponent}"
        return f"{self.name}{exponent}({','.join(arg.digest for arg in args)})"

    def __hash__(self) -> int:
        return hash((self.name, self.exponent))

    def kinds(self) -> frozenset[str]:
        """Return the name, of a power "power" or "root"."""
        root = self.exponent is not None and self.exponent.q == 2
        return frozenset(("Elementwise", "root" if root else self.name))

    def is_symmetric(self, args: Sequence[Expr]) -> bool:
        """Tell whether every argument is its own transpose."""
        return all(arg.symmetric for arg in args)

    def __str__(self) -> str:
        return self.name if self.exponent is None else f"power {self.exponent}"


@dataclass(frozen=True)
class Nonlinear(Op):
    """A function of a whole vector or matrix, applied to each of the `leading` axes' slices.

    rank: how many axes one argument has, without the leading ones.
    result: the shape of the value from the shape of the argument.
    differential: dp from (dz, z, p), linear in dz.
    expansion: the value in simpler operations that neither overflow nor cancel, for the code.
    analytic: whether the code takes complex numbers, so that the complex step applies.
    of_transpose: f(Xᵀ) = f(X)ᵀ, so that the value of a symmetric matrix is symmetric.
    simpler: another form of f(z), None where f(z) is the normal form.
    helper: the function of the module that the code calls, where NumPy has none.
    """

    name: str
    rank: int
    result: Callable[[Shape], Shape]
    differential: Callable[[Expr, Expr, Expr], Expr]
    notation: Notation
    expansion: Callable[[Expr], Expr] | None = None
    code: str | None = None
    analytic: bool = True
    of_transpose: bool = False
    simpler: Callable[[Expr], Expr | None] | None = None
    helper: str | None = None
    leading: int = 0

    def shape(self, args: Sequence[Expr]) -> Shape:
        """Return the shape of the result."""
        (arg,) = args
        if len(arg.shape) != self.rank + self.leading:
            raise ValueError(f"{self.name} of an argument of shape {arg.shape}")
        return arg.shape[: self.leading] + self.result(arg.shape[self.leading :])

    def canonical(self, args: Sequence[Expr]) -> str:
        """Return a text that is equal for equal values."""
        return f"{self.name}/{self.leading}({args[0].digest})"

    def __hash__(self) -> int:
        return hash((self.name, self.leading))

    def kinds(self) -> frozenset[str]:
        """Return the name besides the type."""
        return frozenset(("Nonlinear", self.name))

    def is_symmetric(self, args: Sequence[Expr]) -> bool:
        """Tell whether the argument is its own transpose and the function keeps it so."""
        return self.of_transpose and args[0].symmetric

    def normal(self, args: Sequence[Expr]) -> Expr | None:
        """Return the simpler form, where there is one."""
        return None if self.leading or self.simpler is None else self.simpler(args[0])

    def __str__(self) -> str:
        return self.name if not self.leading else f"{self.name}, rows"


@dataclass(frozen=True)
class Largest(Op):
    """The largest entry along the last axis: only ever a shift that leaves the value unchanged."""

    name: str = "largest"

    def shape(self, args: Sequence[Expr]) -> Shape:
        """Return the shape of the result."""
        return args[0].shape[:-1]


@dataclass(frozen=True)
class Solve(Op):
    """The solution X of M X = B, a matrix of columns or a vector: M⁻¹ B, which only code writes.

    Leading axes of both are those of a stack.
    """

    name: str = "solve"

    def shape(self, args: Sequence[Expr]) -> Shape:
        """Return the shape of the result."""
        return args[1].shape


@dataclass(frozen=True)
class Merge(Op):
    """Axes joined into longer ones, each group's first axis the slowest; linear.

    `vec` is the group (1, 0): columns stacked.  The adjoint is `Split`.
    """

    groups: tuple[tuple[int, ...], ...]
    name: str = "merge"

    def shape(self, args: Sequence[Expr]) -> Shape:
        """Return the shape of the result."""
        return tuple(_product([args[0].shape[axis] for axis in group]) for group in self.groups)


@dataclass(frozen=True)
class Split(Op):
    """Axes taken apart again, `dims` the shape to return to; the inverse of `Merge`."""

    groups: tuple[tuple[int, ...], ...]
    dims: Shape
    name: str = "split"

    def shape(self, args: Sequence[Expr]) -> Shape:
        """Return the shape of the result."""
        return self.dims


def _product(dims: Sequence[Dim]) -> Dim:
    size: Dim = 1
    for dim in dims:
        size = size * dim
    return size


POWER = Exponent()
