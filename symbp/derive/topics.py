"""The rules that can be asked for: a line with generic names for every operation there is.

A rule is an expression and no text: its proof, its other names and its place in the list all come
from the operation's own record or words.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import sympy as sp

from symbp.ir import Dim, Expr, node, size_symbol, variable
from symbp.ops import FUNCTIONS, OPS
from symbp.ops.kinds import Elementwise, Merge, Nonlinear
from symbp.ops.linear import add, subtract
from symbp.ops.matrix import EXPM
from symbp.ops.power import power
from symbp.ops.product import broadcast, contract, hadamard, inner, product, total, transpose
from symbp.program import Binding

M, N, K, P = map(size_symbol, "MNKP")
RESULT = variable("loss")
"""What every generic line is on the way to."""


@dataclass(frozen=True)
class Topic:
    """A rule: its line, and the arguments to differentiate by; `also` are further names."""

    name: str
    group: str
    line: Binding
    wrt: tuple[Expr, ...]
    also: tuple[str, ...] = ()


def topics() -> dict[str, Topic]:
    """Return every rule by its name, in the order of the list."""
    found = (*_products(), *_sums(), *_elementwise(), *_whole())
    return {topic.name: topic for topic in found}


def _array(name: str, *dims: Dim) -> Expr:
    return variable(name, dims)


def _line(name: str, expr: Expr) -> Binding:
    return Binding(variable(name, expr.shape), expr)


def _products() -> Iterator[Topic]:
    A, B, C = _array("A", M, N), _array("B", N, K), _array("C", K, P)
    S, X, Y = _array("S", N, N), _array("X", M, N), _array("Y", M, N)
    x, y, u = _array("x", N), _array("y", N), _array("u", M)
    c, Omega, h = _array("c"), _array("Omega", M, N), _array("h", N)
    right = _array("B", K, P)
    for name, target, expr, wrt, *also in (
        ("matmul", "Z", contract("ij,jk->ik", A, B), (A, B), "product", "matrix product"),
        ("matvec", "z", contract("ij,j->i", Omega, h), (Omega, h), "A x", "W x"),
        ("three-factors", "Z", contract("ij,jk,kl->il", A, B, C), (A, B, C)),
        ("outer", "Z", contract("i,j->ij", u, x), (u, x), "outer product"),
        ("inner", "s", inner(x, y), (x, y), "dot", "inner product"),
        ("bilinear", "s", contract("i,ij,j->", u, A, x), (u, A, x)),
        ("quadratic", "s", contract("i,ij,j->", x, S, x), (x, S), "quadratic form"),
        ("hadamard", "Z", hadamard(X, Y), (X, Y), "⊙", ".*", "elementwise product"),
        ("scale", "Z", hadamard(c, X), (c, X)),
        ("trace", "s", contract("ii->", S), (S,), "tr"),
        ("diag", "D", contract("i->ii", x), (x,)),
        ("diagonal", "d", contract("ii->i", S), (S,)),
        ("transpose", "Z", transpose(X), (X,), "T"),
        ("repeat", "z", broadcast(c, N), (c,), "broadcast"),
        ("repeat-rows", "Z", product([(x, (1,))], (0, 1), {0: M, 1: N}), (x,)),
        ("square", "Z", contract("ij,jk->ik", S, S), (S,)),
        ("gram", "Z", contract("ij,ik->jk", A, A), (A,)),
        ("kron", "Z", _kron(A, right), (A, right), "kronecker"),
        ("vec", "z", node(Merge(((1, 0),)), X), (X,), "reshape"),
    ):
        yield Topic(name, "Products", _line(target, expr), wrt, tuple(also))


def _kron(A: Expr, B: Expr) -> Expr:
    return node(Merge(((0, 1), (2, 3))), contract("ij,kl->ikjl", A, B))


def _sums() -> Iterator[Topic]:
    X, Y, b = _array("X", M, N), _array("Y", M, N), _array("beta", M)
    Omega, h, r, c = _array("Omega", M, N), _array("h", N), _array("r", N), _array("c")
    layer = add(b, contract("ij,j->i", Omega, h))
    squares = total(power(r, sp.Integer(2)))
    for name, target, expr, wrt, *also in (
        ("add", "Z", add(X, Y), (X, Y), "+", "sum"),
        ("subtract", "Z", subtract(X, Y), (X, Y), "-"),
        ("layer", "f", layer, (b, Omega, h), "bias", "linear"),
        ("add-number", "z", add(broadcast(c, N), h), (c, h)),
        ("total", "s", total(X), (X,)),
        ("norm", "s", squares, (r,), "norm2", "squares"),
    ):
        yield Topic(name, "Sums", _line(target, expr), wrt, tuple(also))


def _elementwise() -> Iterator[Topic]:
    places = tuple(_array(name, N) for name in "zwv")
    powers = {"reciprocal": sp.Integer(-1), "power": sp.Integer(3), "sqrt": sp.Rational(1, 2)}
    known = [name for name in FUNCTIONS if name in OPS]
    names = dict.fromkeys([*known, *(n for n, op in OPS.items() if isinstance(op, Elementwise))])
    for name in names:
        op = OPS[name]
        args = places[: len(op.slopes)] if isinstance(op, Elementwise) else ()
        yield Topic(name, "Elementwise", _line("h", node(op, *args)), args)
    for name, exponent in powers.items():
        expr = power(places[0], exponent)
        yield Topic(name, "Elementwise", _line("h", expr), places[:1])


def _whole() -> Iterator[Topic]:
    z, X = _array("z", N), _array("X", N, N)
    also = {"inv": ("inverse",), "det": ("determinant",), "logdet": ("log det",)}
    for name, op in OPS.items():
        if isinstance(op, Nonlinear) and op.name != EXPM.name:  # only its trace has a derivative
            arg = z if op.rank == 1 else X
            expr = node(op, arg)
            target = {0: "s", 1: "p", 2: "Y"}[expr.rank]
            yield Topic(
                name, "Whole vectors and matrices", _line(target, expr), (arg,), also.get(name, ())
            )
