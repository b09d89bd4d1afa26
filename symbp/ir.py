"""Expressions: what every pass reads and writes.

An expression is an operation applied to expressions, a tree that shares equal parts: building
the same node twice gives the same object, so equality is identity and a value used twice is one
node.

Vectors have one axis, matrices two, scalars none.  Everything is said for one example; a value
that depends on an input is marked `batched`, and `lower/` gives it the axis of the examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, TypeAlias

import sympy as sp

from symbp.expr import Expr as Expr
from symbp.expr import Op as Op
from symbp.expr import fingerprint
from symbp.expr import node as node
from symbp.expr import walk as walk
from symbp.sizes import Dim as Dim
from symbp.sizes import Shape as Shape
from symbp.sizes import shown
from symbp.sizes import size_symbol as size_symbol
from symbp.sizes import size_value as size_value
from symbp.words import is_own_transpose, spelling

Role: TypeAlias = Literal[
    "input", "target", "param", "const", "line", "tangent", "adjoint", "weight"
]


@dataclass(frozen=True)
class Variable(Op):
    """A name: something given, or a line of a program.

    `encoding` is "one_hot" for a target that is a unit vector in the mathematics and a class
    index in the code.  `of` is the name whose tangent or adjoint this is.  `index` is the place
    of a member in a family of symbolic length, `h[k-1]`, whose size may speak of it, `D[k-1]`.
    """

    name: str
    dims: Shape = ()
    role: Role = "line"
    batched: bool = False
    encoding: Literal["dense", "one_hot"] = "dense"
    symmetric: bool = False
    of: str = ""
    index: tuple[Dim, ...] = ()

    def shape(self, args: Sequence[Expr]) -> Shape:
        """Return the shape of the result."""
        return self.dims

    def canonical(self, args: Sequence[Expr]) -> str:
        """Return a text that is equal for equal values."""
        return f"{self.role} {self} {shown(self.dims)} {self.batched}"

    def kinds(self) -> frozenset[str]:
        """Return the role and the encoding besides the type."""
        return frozenset((type(self).__name__, self.role, self.encoding))

    def is_batched(self, args: Sequence[Expr]) -> bool:
        """Tell whether the name was declared to differ from example to example."""
        return self.batched

    def is_symmetric(self, args: Sequence[Expr]) -> bool:
        """Tell whether the matrix was declared, or is known, to be its own transpose."""
        return self.symmetric

    def __str__(self) -> str:
        return f"{self.name}[{', '.join(map(str, self.index))}]" if self.index else self.name


@dataclass(frozen=True)
class Constant(Op):
    """An irrational number: pi, euler, sqrt(2/pi).  Rational ones are the coefficients of `Sum`."""

    value: sp.Expr
    name: str = "constant"

    def shape(self, args: Sequence[Expr]) -> Shape:
        """Return the shape of the result."""
        return ()

    def __str__(self) -> str:
        return str(self.value)


@dataclass(frozen=True)
class Size(Op):
    """A symbolic size used as a number, as in `norm2(r)^2 / n`."""

    dim: sp.Expr
    name: str = "size"

    def shape(self, args: Sequence[Expr]) -> Shape:
        """Return the shape of the result."""
        return ()

    def __str__(self) -> str:
        return str(self.dim)


@dataclass(frozen=True)
class Sum(Op):
    """A linear combination c₁ a₁ + c₂ a₂ + …, linear jointly; no terms is zero."""

    coefficients: tuple[Fraction, ...]
    dims: Shape
    name: str = "sum"

    def shape(self, args: Sequence[Expr]) -> Shape:
        """Return the shape of the result."""
        return self.dims

    def canonical(self, args: Sequence[Expr]) -> str:
        """Return a text that is equal for equal values."""
        terms = sorted(f"{c}*{arg.digest}" for c, arg in zip(self.coefficients, args, strict=True))
        return f"sum{shown(self.dims)}[{'+'.join(terms)}]"

    def is_symmetric(self, args: Sequence[Expr]) -> bool:
        """Tell whether the terms are the same with each transposed, as of B + Bᵀ."""
        if all(arg.symmetric for arg in args):
            return True
        terms = list(zip(self.coefficients, args, strict=True))
        turned = sorted((c, _transposed_digest(arg)) for c, arg in terms)
        return turned == sorted((c, arg.digest) for c, arg in terms)

    def __str__(self) -> str:
        return f"Sum[{', '.join(map(str, self.coefficients))}]"


@dataclass(frozen=True)
class Words(Op):
    """A contraction: the product of all arguments, summed over the letters the result lacks.

    Each argument has a word, one letter an axis; letters are numbers, `dims[letter]` their size.
    `A B` is `ij,jk->ik`, `x yᵀ` is `i,j->ij`, the trace `ii->`.  A letter that stands twice in the
    result is a Kronecker delta, so `i->ii` is diag and `->ii` the identity; a letter that stands in
    the result alone repeats along that axis, so `->i` is a vector of ones.
    """

    words: tuple[tuple[int, ...], ...]
    out: tuple[int, ...]
    dims: Shape
    name: str = "product"

    def shape(self, args: Sequence[Expr]) -> Shape:
        """Return the shape of the result."""
        return tuple(self.dims[letter] for letter in self.out)

    @property
    def is_transpose(self) -> bool:
        """Whether the words are those of Aᵀ, the one argument turned."""
        return self.words == (self.out[::-1],) and len(set(self.out)) == 2

    def canonical(self, args: Sequence[Expr]) -> str:
        """Return a text that is equal for equal values."""
        return spelling(self._marked(args), self.words, self.out, self._sizes())

    def is_symmetric(self, args: Sequence[Expr]) -> bool:
        """Tell whether the words are the same with the two letters of the result exchanged."""
        return is_own_transpose(self._marked(args), self.words, self.out, self._sizes())

    def _sizes(self) -> list[str]:
        return [shown((dim,))[1:-2] for dim in self.dims]

    def _marked(self, args: Sequence[Expr]) -> list[tuple[str, bool]]:
        return [(arg.digest, arg.symmetric) for arg in args]

    def __str__(self) -> str:
        spell = "".join(chr(ord("i") + k) if k < 18 else f"<{k}>" for k in range(len(self.dims)))
        words = ",".join("".join(spell[i] for i in word) for word in self.words)
        return f"{words}->{''.join(spell[i] for i in self.out)}"


def _transposed_digest(matrix: Expr) -> str:
    """Return the fingerprint of a matrix with rows and columns exchanged."""
    op, args = matrix.op, matrix.args
    if matrix.symmetric:
        return matrix.digest
    if not isinstance(op, Words):
        op, args = Words(((0, 1),), (0, 1), matrix.shape), (matrix,)
    if op.is_transpose:
        return args[0].digest
    return fingerprint(Words(op.words, op.out[::-1], op.dims).canonical(args))


@dataclass(frozen=True)
class Examples(Op):
    """The sum over the examples of a batch; for one example, the value itself."""

    name: str = "examples"

    def shape(self, args: Sequence[Expr]) -> Shape:
        """Return the shape of the result."""
        return args[0].shape

    def is_batched(self, args: Sequence[Expr]) -> bool:
        """Return False: the examples were summed."""
        return False

    def is_symmetric(self, args: Sequence[Expr]) -> bool:
        """Tell whether the value of each example is."""
        return args[0].symmetric

    def __str__(self) -> str:
        return "examples"


def variable(name: str, dims: Shape = (), role: Role = "line", **more: Any) -> Expr:
    """Return the node of a name; `more` are the further fields of `Variable`."""
    return node(Variable(name, tuple(dims), role, **more))


def line_of(name: str, expr: Expr, index: Sequence[Dim] = ()) -> Expr:
    """Return the variable of a line whose value is an expression; `index` is its place."""
    return variable(
        name, expr.shape, batched=expr.batched, symmetric=expr.symmetric, index=tuple(index)
    )


def name_of(expr: Expr) -> str:
    """Return the name of a variable's node."""
    return symbol(expr).name


def symbol(expr: Expr) -> Variable:
    """Return what a variable's node says of the name: role, batched, encoding, of."""
    assert isinstance(expr.op, Variable), expr
    return expr.op


_ALL = sp.Symbol("…")


def holder(var: Expr) -> Expr:
    """Return the variable that holds a variable: a family for each of its members, else itself."""
    op = symbol(var)
    if not op.index:
        return var
    return variable(op.name, (), op.role, batched=op.batched, of=op.of, index=(_ALL,))


def is_holder(var: Expr) -> bool:
    """Tell whether a variable is a whole family."""
    return symbol(var).index == (_ALL,)


def is_variable(expr: Expr) -> bool:
    """Tell whether a node is a name."""
    return isinstance(expr.op, Variable)


def letters_of(*roots: Expr) -> set[sp.Basic]:
    """Return the symbols that the indices below the roots speak of, and sizes that are numbers."""
    places: list[Dim] = []
    for part in walk(*roots):
        op = part.op
        places += op.index if isinstance(op, Variable) else ()
        places += [op.dim] if isinstance(op, Size) else ()
        places += op.dims if isinstance(op, Words) else ()
    return {letter for place in places for letter in sp.S(place).free_symbols}


def variables(*roots: Expr) -> list[Expr]:
    """Return the names below the roots, in the order in which they are first read."""
    if len(roots) > 1:
        return list(dict.fromkeys(v for root in roots for v in variables(root)))
    for root in roots:
        if is_variable(root):
            return [root]
        if root.names is None:
            root.names = tuple(found for found in walk(root) if is_variable(found))
        return list(root.names)
    return []
