"""Expressions: what every pass reads and writes.

An expression is an operation applied to expressions, a tree that shares equal parts: building
the same node twice gives the same object, so equality is identity and a value used twice is one
node.

Vectors have one axis, matrices two, scalars none.  Everything is said for one example; a value
that depends on an input is marked `batched`, and `lower/` gives it the axis of the examples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from hashlib import blake2b
from typing import Any, Literal, TypeAlias
from weakref import WeakValueDictionary

import sympy as sp

from symbp.words import spelling

Dim: TypeAlias = int | sp.Expr
Shape: TypeAlias = tuple[Dim, ...]
Role: TypeAlias = Literal[
    "input", "target", "param", "const", "line", "tangent", "adjoint", "weight"
]


def size_symbol(name: str) -> sp.Symbol:
    """Return the symbol of a size; sizes are positive whole numbers."""
    return sp.Symbol(name, positive=True, integer=True)


def size_value(dim: Dim, sizes: Mapping[sp.Symbol, int]) -> Dim:
    """Return a size with numbers in place of symbols; an int where none is left."""
    if isinstance(dim, int):
        return dim
    value = sizes.get(dim, dim) if dim.is_Symbol else dim.subs(sizes)
    return int(value) if isinstance(value, int) or value.is_Integer else value


class Op:
    """What a node does to its arguments.  Frozen dataclasses: equal fields, equal operations."""

    name: str

    def shape(self, args: Sequence[Expr]) -> Shape:
        """Return the shape of the result; the arguments were checked by the builder."""
        raise NotImplementedError(type(self).__name__)

    def canonical(self, args: Sequence[Expr]) -> str:
        """Return a text that is equal for equal values, whatever the order they were written in."""
        return f"{self!r}({','.join(arg.digest for arg in args)})"

    def is_symmetric(self, args: Sequence[Expr]) -> bool:
        """Tell whether a square result is seen to be its own transpose."""
        return False

    def normal(self, args: Sequence[Expr]) -> Expr | None:
        """Return the expression that stands for the node; None where the node is that itself."""
        return None


class Expr:
    """One node: an operation and its arguments.  Built by `node`, never directly."""

    __slots__ = ("__weakref__", "_digest", "args", "batched", "op", "shape", "size", "symmetric")

    op: Op
    args: tuple[Expr, ...]
    shape: Shape
    batched: bool
    size: int
    symmetric: bool
    _digest: str | None

    @property
    def rank(self) -> int:
        """The number of axes: 0 for a scalar, 1 for a vector, 2 for a matrix."""
        return len(self.shape)

    @property
    def digest(self) -> str:
        """A fingerprint of the value: equal up to the order of sums and products."""
        if self._digest is None:
            pending = [self]
            while pending:
                top = pending[-1]
                missing = [arg for arg in top.args if arg._digest is None]
                if missing:
                    pending.extend(missing)
                    continue
                pending.pop()
                text = top.op.canonical(top.args)
                top._digest = blake2b(text.encode(), digest_size=12).hexdigest()
        assert self._digest is not None
        return self._digest

    def __repr__(self) -> str:
        if not self.args:
            return str(self.op)
        return (
            f"{self.op}({', '.join(map(repr, self.args))})" if self.size < 40 else f"{self.op}(…)"
        )


_NODES: WeakValueDictionary[tuple[Any, ...], Expr] = WeakValueDictionary()


def node(op: Op, *args: Expr) -> Expr:
    """Return the one node of `op` applied to `args`, or the normal form that stands for it."""
    key = (op, *map(id, args))
    found = _NODES.get(key) or op.normal(args)
    if found is not None:
        return found
    made = Expr.__new__(Expr)
    made.op, made.args = op, args
    made.shape = op.shape(args)
    made.batched = _is_batched(op, args)
    made.size = 1 + sum(arg.size for arg in args)
    made._digest = None
    made.symmetric = _is_square(made.shape) and op.is_symmetric(args)
    _NODES[key] = made
    return made


def _is_square(shape: Shape) -> bool:
    return len(shape) == 2 and shape[0] == shape[1]


def _is_batched(op: Op, args: Sequence[Expr]) -> bool:
    if isinstance(op, Variable):
        return op.batched
    if isinstance(op, Examples):
        return False
    return any(arg.batched for arg in args)


@dataclass(frozen=True)
class Variable(Op):
    """A name: something given, or a line of a program.

    `encoding` is "one_hot" for a target that is a unit vector in the mathematics and a class
    index in the code.  `of` is the name whose tangent or adjoint this is.
    """

    name: str
    dims: Shape = ()
    role: Role = "line"
    batched: bool = False
    encoding: Literal["dense", "one_hot"] = "dense"
    symmetric: bool = False
    of: str = ""

    def shape(self, args: Sequence[Expr]) -> Shape:
        """Return the shape of the result."""
        return self.dims

    def canonical(self, args: Sequence[Expr]) -> str:
        """Return a text that is equal for equal values."""
        return f"{self.role} {self.name} {self.dims} {self.batched}"

    def is_symmetric(self, args: Sequence[Expr]) -> bool:
        """Tell whether the matrix was declared, or is known, to be its own transpose."""
        return self.symmetric

    def __str__(self) -> str:
        return self.name


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
        return f"sum{self.dims}[{'+'.join(terms)}]"

    def is_symmetric(self, args: Sequence[Expr]) -> bool:
        """Tell whether every term is its own transpose."""
        return all(arg.symmetric for arg in args)

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

    def canonical(self, args: Sequence[Expr]) -> str:
        """Return a text that is equal for equal values."""
        return spelling(self._marked(args), self.words, self.out, [str(dim) for dim in self.dims])

    def is_symmetric(self, args: Sequence[Expr]) -> bool:
        """Tell whether the words are the same with the two letters of the result exchanged."""
        row, column = self.out
        if row == column:
            return True
        ends = [sum(word.count(letter) for word in self.words) for letter in self.out]
        if ends[0] != ends[1]:
            return False
        factors, dims = self._marked(args), [str(dim) for dim in self.dims]
        one, other = (spelling(factors, self.words, o, dims) for o in (self.out, self.out[::-1]))
        return one == other

    def _marked(self, args: Sequence[Expr]) -> list[tuple[str, bool]]:
        return [(arg.digest, arg.symmetric) for arg in args]

    def __str__(self) -> str:
        spell = "".join(chr(ord("i") + k) if k < 18 else f"<{k}>" for k in range(len(self.dims)))
        words = ",".join("".join(spell[i] for i in word) for word in self.words)
        return f"{words}->{''.join(spell[i] for i in self.out)}"


@dataclass(frozen=True)
class Examples(Op):
    """The sum over the examples of a batch; for one example, the value itself."""

    name: str = "examples"

    def shape(self, args: Sequence[Expr]) -> Shape:
        """Return the shape of the result."""
        return args[0].shape

    def is_symmetric(self, args: Sequence[Expr]) -> bool:
        """Tell whether the value of each example is."""
        return args[0].symmetric

    def __str__(self) -> str:
        return "examples"


def variable(name: str, dims: Shape = (), role: Role = "line", **more: Any) -> Expr:
    """Return the node of a name; `more` are the further fields of `Variable`."""
    return node(Variable(name, tuple(dims), role, **more))


def line_of(name: str, expr: Expr) -> Expr:
    """Return the variable of a line whose value is an expression."""
    return variable(name, expr.shape, batched=expr.batched, symmetric=expr.symmetric)


def name_of(expr: Expr) -> str:
    """Return the name of a variable's node."""
    return symbol(expr).name


def symbol(expr: Expr) -> Variable:
    """Return what a variable's node says of the name: role, batched, encoding, of."""
    assert isinstance(expr.op, Variable), expr
    return expr.op


def is_variable(expr: Expr) -> bool:
    """Tell whether a node is a name."""
    return isinstance(expr.op, Variable)


def walk(*roots: Expr, last_first: bool = False) -> Iterator[Expr]:
    """Yield every node below the roots once, arguments before what uses them.

    last_first: of two arguments the last one is met first.
    """
    step = 1 if last_first else -1
    seen: set[Expr] = set()
    pending: list[tuple[Expr, bool]] = [(root, False) for root in reversed(roots)]
    while pending:
        top, ready = pending.pop()
        if top in seen:
            continue
        if ready:
            seen.add(top)
            yield top
            continue
        pending.append((top, True))
        pending.extend((arg, False) for arg in top.args[::step] if arg not in seen)


def variables(*roots: Expr) -> list[Expr]:
    """Return the names below the roots, in the order in which they are first read."""
    return [found for found in walk(*roots) if is_variable(found)]
