"""The functions of whole arrays, one record each: what it takes, what it means in the IR."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import sympy as sp

from symbp.errors import SpecError
from symbp.ir import Dim, Expr, Size, Variable, node
from symbp.ops import MATRIX_FUNCTIONS, RECORDS
from symbp.ops.linear import add, negate, number, ones, subtract
from symbp.ops.power import power, reciprocal
from symbp.ops.product import contract, hadamard, inner, total
from symbp.ops.reshape import merge, vec
from symbp.ops.scalar import apply
from symbp.spec.arithmetic import align, raised
from symbp.spec.names import Scope, ShapeError
from symbp.spec.spelling import spelled
from symbp.spec.syntax import Call
from symbp.spec.values import Value, as_matrix, scalar


@dataclass(frozen=True, slots=True)
class Site:
    """A call being read: its place and its arguments."""

    scope: Scope
    call: Call
    args: tuple[Value, ...]

    def refused(self, takes: str) -> SpecError:
        """Return the error for arguments of a wrong shape: all shapes, and what it takes."""
        pairs = zip(self.call.args, self.args, strict=True)
        shapes = ", ".join(f"{spelled(at)} is {self.scope.shape_text(arg)}" for at, arg in pairs)
        turn = self.scope.in_turn(*self.args)
        return ShapeError(f"{spelled(self.call)}: {shapes}{turn}", self.call.span, takes)


@dataclass(frozen=True, slots=True)
class Function:
    """A function of whole arrays.

    takes: the help of every error.  build: the value, None where the shapes are wrong.
    by_rows: the same with `, rows`, None where there is no such form.
    """

    takes: str
    arity: int
    build: Callable[[Site], Value | None]
    by_rows: Callable[[Site], Value | None] | None = None


def _sqrt(site: Site) -> Value:
    (arg,) = site.args
    return Value(raised(arg.expr, number(Fraction(1, 2)), site.call.span), arg.row)


# Sums and norms, over all entries or over each row


def _sum(site: Site) -> Value:
    return Value(total(site.args[0].expr))


def _sum_rows(site: Site) -> Value | None:
    (arg,) = site.args
    return Value(contract("ij->i", arg.expr)) if arg.kind == "matrix" else None


def _mean(site: Site) -> Value:
    (arg,) = site.args
    return Value(_over(total(arg.expr), *arg.expr.shape))


def _mean_rows(site: Site) -> Value | None:
    (arg,) = site.args
    if arg.kind != "matrix":
        return None
    return Value(_over(contract("ij->i", arg.expr), arg.expr.shape[1]))


def _over(expr: Expr, *dims: Dim) -> Expr:
    """Return an expression divided by the number of entries of a shape."""
    counts = [number(int(d)) if isinstance(d, int | sp.Integer) else node(Size(d)) for d in dims]
    return hadamard(expr, *map(reciprocal, counts)) if counts else expr


def _norm1(site: Site) -> Value:
    return Value(total(apply(RECORDS[sp.Abs], site.args[0].expr)))


def _squares(expr: Expr) -> Expr:
    return total(power(expr, sp.Integer(2)))


def _norm2(site: Site) -> Value:
    return Value(power(_squares(site.args[0].expr), sp.Rational(1, 2)))


def _vectors(site: Site) -> bool:
    """Tell whether all arguments are vectors, standing or lying."""
    return all(arg.kind in ("vector", "row") for arg in site.args)


def _dot(site: Site) -> Value | None:
    one, other = site.args
    if not _vectors(site) or not site.scope.agree(one.expr.shape[0], other.expr.shape[0]):
        return None
    return Value(inner(one.expr, other.expr))


def _outer(site: Site) -> Value | None:
    one, other = site.args
    return Value(contract("i,j->ij", one.expr, other.expr)) if _vectors(site) else None


# Functions of matrices


def _square(site: Site) -> bool:
    (arg,) = site.args
    return arg.kind == "matrix" and site.scope.agree(*arg.expr.shape)


def _trace(site: Site) -> Value | None:
    return Value(contract("ii->", site.args[0].expr)) if _square(site) else None


def _of_square(site: Site) -> Value | None:
    op = MATRIX_FUNCTIONS[site.call.name]
    return Value(node(op, site.args[0].expr)) if _square(site) else None


def _diag(site: Site) -> Value | None:
    if _vectors(site):
        return Value(contract("i->ii", site.args[0].expr))
    return Value(contract("ii->i", site.args[0].expr)) if _square(site) else None


def _kron(site: Site) -> Value | None:
    one, other = site.args
    if "scalar" in (one.kind, other.kind):
        return None
    if one.kind == other.kind == "vector":
        return Value(merge(((0, 1),), contract("i,j->ij", one.expr, other.expr)))
    blocks = contract("ij,kl->ikjl", as_matrix(one), as_matrix(other))
    return Value(merge(((0, 1), (2, 3)), blocks))


def _vec(site: Site) -> Value | None:
    (arg,) = site.args
    if arg.kind == "matrix":
        return Value(vec(arg.expr))
    return Value(arg.expr) if _vectors(site) else None


# softmax and its relatives


def _of_vector(site: Site) -> Value | None:
    (arg,) = site.args
    if not _vectors(site):
        return None
    made = node(MATRIX_FUNCTIONS[site.call.name], arg.expr)
    return Value(made, arg.row and bool(made.rank))


def _of_rows(site: Site) -> Value | None:
    (arg,) = site.args
    op = replace(MATRIX_FUNCTIONS[site.call.name], leading=1)
    return Value(node(op, arg.expr)) if arg.kind == "matrix" else None


# Losses


def _pair(site: Site) -> tuple[Expr, Expr] | None:
    """Return target and prediction as expressions of one shape."""
    one, other = site.args
    if one.single and other.single:
        return scalar(one), scalar(other)
    pair = align(site.scope, one, other)
    return pair and pair[:2]


def _cross_entropy(site: Site) -> Value | None:
    if (pair := _pair(site)) is None:
        return None
    y, a = pair
    one, log = ones(*y.shape), RECORDS[sp.log]
    hit = hadamard(y, apply(log, a))
    miss = hadamard(subtract(one, y), apply(log, subtract(one, a)))
    return Value(negate(total(add(hit, miss))))


def _softmax_cross_entropy(site: Site) -> Value | None:
    pair = align(site.scope, *site.args) if _vectors(site) else None
    if pair is None:
        return None
    y, z, _ = pair
    if isinstance(y.op, Variable) and y.op.encoding == "one_hot":
        return Value(subtract(node(MATRIX_FUNCTIONS["logsumexp"], z), inner(y, z)))
    return Value(negate(inner(y, node(MATRIX_FUNCTIONS["log_softmax"], z))))


def _squared_error(site: Site) -> Value | None:
    if (pair := _pair(site)) is None:
        return None
    y, f = pair
    return Value(_squares(subtract(f, y)))


_ROWS = "a vector, `{0}(z)`; `{0}(A, rows)` takes each row of a matrix"
_ANY = "a scalar, a vector or a matrix, `{0}(A)`"
_SQUARE = "a square matrix, `{0}(A)`"
_TWO = "`{0}(x, y)` of two vectors{1}"

TABLE: dict[str, Function] = {
    "sqrt": Function("`sqrt(z)`, entry by entry: a scalar or an array", 1, _sqrt),
    "sum": Function(_ANY.format("sum") + ", or `sum(A, rows)`", 1, _sum, _sum_rows),
    "mean": Function(_ANY.format("mean") + ", or `mean(A, rows)`", 1, _mean, _mean_rows),
    "norm1": Function(_ANY.format("norm1"), 1, _norm1),
    "norm2": Function(_ANY.format("norm2"), 1, _norm2),
    "dot": Function(_TWO.format("dot", " of one length; `sum(A .* B)` of matrices"), 2, _dot),
    "outer": Function(_TWO.format("outer", ""), 2, _outer),
    "tr": Function(_SQUARE.format("tr"), 1, _trace),
    "det": Function(_SQUARE.format("det"), 1, _of_square),
    "logdet": Function(_SQUARE.format("logdet"), 1, _of_square),
    "inv": Function(_SQUARE.format("inv"), 1, _of_square),
    "expm": Function(_SQUARE.format("expm"), 1, _of_square),
    "diag": Function("`diag(x)` of a vector, or `diag(A)` of a square matrix", 1, _diag),
    "kron": Function("`kron(A, B)` of two vectors or matrices", 2, _kron),
    "vec": Function("a matrix, `vec(A)`: its columns stacked", 1, _vec),
    "softmax": Function(_ROWS.format("softmax"), 1, _of_vector, _of_rows),
    "log_softmax": Function(_ROWS.format("log_softmax"), 1, _of_vector, _of_rows),
    "logsumexp": Function(_ROWS.format("logsumexp"), 1, _of_vector, _of_rows),
    "cross_entropy": Function(
        "`cross_entropy(y, a)`: targets and probabilities of one shape", 2, _cross_entropy
    ),
    "softmax_cross_entropy": Function(
        "`softmax_cross_entropy(y, z)`: a target and logits, two vectors of one length",
        2,
        _softmax_cross_entropy,
    ),
    "squared_error": Function(
        "`squared_error(y, f)`: a target and a prediction of one shape", 2, _squared_error
    ),
}
