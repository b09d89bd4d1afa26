"""The operators: what they do to scalars, vectors, rows and matrices, and what they refuse."""

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

import sympy as sp

from symbp.errors import Span, SpecError
from symbp.ir import Constant, Expr, node
from symbp.ops import MATRIX_FUNCTIONS, RECORDS
from symbp.ops.linear import combine, negate, rational
from symbp.ops.power import power, reciprocal
from symbp.ops.product import broadcast, contract, diagonal_delta, hadamard, product
from symbp.ops.scalar import apply
from symbp.spec.limits import EXPONENT
from symbp.spec.names import Scope, ShapeError
from symbp.spec.spelling import atom, dims_text, flipped, spelled, term
from symbp.spec.syntax import Binary
from symbp.spec.values import Value, as_matrix, is_one, scalar

CHAIN = 20  # factors of an integer power of a matrix
_BITS = 4000  # of a number that is computed while reading

_LEFT = {"scalar": (), "vector": (0,), "row": (1,), "matrix": (0, 1)}
_RIGHT = {"scalar": (), "vector": (1,), "row": (2,), "matrix": (1, 2)}


def binary(scope: Scope, at: Binary, left: Value, right: Value) -> Value:
    """Return `left op right`, no sum; raise a SpecError at the operator where shapes forbid it."""
    value = _OPERATORS[at.op](scope, at, left, right)
    check_range(value.expr, at.span)
    return value


def negative(value: Value) -> Value:
    """Return -value."""
    return Value(negate(value.expr), value.row)


def transposed(value: Value) -> Value:
    """Return the transpose; that of a vector is a row, that of a row the vector again."""
    if value.kind == "matrix":
        return Value(contract("ij->ji", value.expr))
    return Value(value.expr, value.kind == "vector")


def align(scope: Scope, left: Value, right: Value) -> tuple[Expr, Expr, bool] | None:
    """Return two arrays as expressions of one shape, and whether they are rows; None if they clash.

    A vector that meets a matrix of one column, or a row one of one row, is read as such a matrix.
    """
    if left.kind == right.kind:
        pairs = list(zip(left.expr.shape, right.expr.shape, strict=True))
        return (left.expr, right.expr, left.row) if _all_agree(scope, pairs) else None
    if "matrix" not in (left.kind, right.kind) or "scalar" in (left.kind, right.kind):
        return None
    full = left if left.kind == "matrix" else right
    if not is_one(full.expr.shape[0 if left.row or right.row else 1]):
        return None
    one, other = as_matrix(left), as_matrix(right)
    pairs = list(zip(one.shape, other.shape, strict=True))
    return (one, other, False) if _all_agree(scope, pairs) else None


def _all_agree(scope: Scope, pairs: list[tuple[int | sp.Expr, int | sp.Expr]]) -> bool:
    return all(scope.agree(one, other) for one, other in pairs)


def clash(scope: Scope, at: Binary, left: Value, right: Value, help: str) -> SpecError:
    """Return the error for two shapes that do not fit, both of them shown."""
    shapes = [f"{spelled(at.left)} is {scope.shape_text(left)}"]
    shapes.append(f"{spelled(at.right)} is {scope.shape_text(right)}")
    numbers = [[scope.number_of(dim) for dim in value.dims] for value in (left, right)]
    if None not in numbers[0] and numbers[0] == numbers[1]:
        help = "sizes are compared by name, not by number: declare both with the same sizes"
    turn = scope.in_turn(left, right)
    return ShapeError(f"{spelled(at)}: {', '.join(shapes)}{turn}", at.span, help)


def _matmul(scope: Scope, at: Binary, left: Value, right: Value) -> Value:
    one, other = _LEFT[left.kind], _RIGHT[right.kind]
    inner = [*left.expr.shape[-1:]] * (1 in one) + [*right.expr.shape[:1]] * (1 in other)
    fits = scope.agree(*inner) if len(inner) == 2 else all(map(is_one, inner))
    if not fits:
        raise clash(scope, at, left, right, _matmul_help(at, left, right))
    out = (0,) * (0 in one) + (2,) * (2 in other)
    return Value(product([(left.expr, one), (right.expr, other)], out), out == (2,))


def _matmul_help(at: Binary, left: Value, right: Value) -> str:
    one, other = term(at.left), atom(at.right)
    if "scalar" in (left.kind, right.kind):
        return f"write `{one} * {other}`: `*` multiplies by a scalar"
    if left.kind == right.kind == "vector":
        inner, outer = f"{flipped(at.left)} @ {other}", f"{one} @ {flipped(at.right)}"
        return f"write `{inner}` for the inner product, `{outer}` for the outer"
    if left.kind == "matrix" and left.expr.shape[0] == right.dims[0]:
        return f"did you mean `{flipped(at.left)} @ {other}`?"
    if left.dims[-1] == right.dims[-1] and right.kind == "matrix":
        return f"did you mean `{one} @ {flipped(at.right)}`?"
    return f"the columns of {spelled(at.left)} must be the rows of {spelled(at.right)}"


def chain(scope: Scope, steps: Sequence[Binary], left: Value, rights: Iterable[Value]) -> Value:
    """Return `left + right - …` of one or more steps, joined at once: time grows with the terms.

    Raises a SpecError at the first step whose shapes forbid it.
    """
    terms = [(Fraction(1), left.expr)]
    for at, right in zip(steps, rights, strict=True):
        one, other, row = _addends(scope, at, left, right)
        if one is not left.expr:  # the sum so far is read in another shape
            so_far = Value(combine(terms, left.expr.shape), left.row)
            terms = [(Fraction(1), _addends(scope, at, so_far, right)[0])]
        terms.append((Fraction(1 if at.op == "+" else -1), other))
        left = Value(one, row)
    value = Value(combine(terms, left.expr.shape), left.row)
    check_range(value.expr, steps[-1].span)
    return value


def _addends(scope: Scope, at: Binary, left: Value, right: Value) -> tuple[Expr, Expr, bool]:
    """Return both terms of a sum in one shape, and whether they are rows."""
    if left.kind == right.kind == "scalar":
        return left.expr, right.expr, False
    if "scalar" in (left.kind, right.kind):
        if left.single and right.single:
            return scalar(left), scalar(right), False
        lone, full = (at.left, right) if left.kind == "scalar" else (at.right, left)
        filled = f"{term(lone)} * ones({dims_text(full.dims, {}, ', ')})"
        fix = [filled, term(at.right)] if lone is at.left else [spelled(at.left), filled]
        raise clash(scope, at, left, right, f"write `{fix[0]} {at.op} {fix[1]}`")
    pair = align(scope, left, right)
    if pair is None:
        raise clash(scope, at, left, right, _align_help(at, left, right))
    return pair


def _align_help(at: Binary, left: Value, right: Value) -> str:
    if left.dims[::-1] == right.dims or {left.kind, right.kind} == {"row", "vector"}:
        return f"did you mean `{term(at.left)} {at.op} {flipped(at.right)}`?"
    return f"both sides of `{at.op}` have one shape"


def _times(scope: Scope, at: Binary, left: Value, right: Value) -> Value:
    for factor, other in ((left, right), (right, left)):
        if factor.kind == "scalar":
            return Value(hadamard(factor.expr, other.expr), other.row)
    for factor, other in ((left, right), (right, left)):
        if factor.single:
            return Value(hadamard(scalar(factor), other.expr), other.row)
    one, two = term(at.left), atom(at.right)
    help = f"write `{one} @ {two}` for the matrix product, `{one} .* {two}` elementwise"
    if left.kind == right.kind == "vector":
        inner = f"{flipped(at.left)} @ {two}"
        help = f"write `{inner}` for the inner product, `{one} .* {two}` elementwise"
    error = clash(scope, at, left, right, help)
    raise ShapeError(f"`*` needs a scalar on one side; {error.message}", at.span, help)


def _entrywise(scope: Scope, at: Binary, left: Value, right: Value) -> Value:
    if at.op == "./":
        _check_divisor(right, at)
        right = Value(reciprocal(right.expr), right.row)
    if "scalar" in (left.kind, right.kind):
        return _times(scope, at, left, right)
    pair = align(scope, left, right)
    if pair is None:
        raise clash(scope, at, left, right, _align_help(at, left, right))
    return Value(hadamard(pair[0], pair[1]), pair[2])


def _divide(scope: Scope, at: Binary, left: Value, right: Value) -> Value:
    if not right.single:
        one, other = term(at.left), atom(at.right)
        help = f"write `{one} ./ {other}` elementwise"
        if left.kind != "scalar" and right.kind == "matrix":
            help += f", `{one} @ inv({spelled(at.right)})` for the inverse"
        raise clash(scope, at, left, right, help)
    _check_divisor(right, at)
    return Value(hadamard(left.expr, reciprocal(scalar(right))), left.row)


def _check_divisor(right: Value, at: Binary) -> None:
    if rational(right.expr) == 0:
        raise SpecError("a division by zero", at.span, "write a divisor that is not zero")


def _power(scope: Scope, at: Binary, left: Value, right: Value) -> Value:
    if not right.single:
        help = "an exponent is a number or a scalar; `.^` takes one exponent an entry"
        raise clash(scope, at, left, right, help)
    exponent = scalar(right)
    if left.single:  # a 1 x 1 matrix stays one, so that its trace is that of any other power
        base = left.expr if left.kind == "matrix" else scalar(left)
        return Value(raised(base, exponent, at.span))
    if left.kind != "matrix":
        help = f"write `{atom(at.left)}.^{atom(at.right)}` elementwise"
        help += f", `norm2({spelled(at.left)})^2` for the square of its length"
        raise clash(scope, at, left, right, help)
    if not scope.agree(*left.expr.shape):
        help = f"only a square matrix has powers; write `{atom(at.left)}.^2` elementwise"
        raise clash(scope, at, left, right, help)
    count = rational(exponent)
    if count is None or count.denominator != 1 or abs(count) > CHAIN:
        help = f"a matrix is raised to a whole number from -{CHAIN} to {CHAIN}; `.^` is elementwise"
        raise SpecError(f"`{spelled(at)}` has no such power", at.span, help)
    return Value(_chain(left.expr, int(count)))


def _chain(matrix: Expr, count: int) -> Expr:
    if count == 0:
        return diagonal_delta(matrix.shape[0])
    if count < 0:
        matrix, count = node(MATRIX_FUNCTIONS["inv"], matrix), -count
    return product([(matrix, (k, k + 1)) for k in range(count)], (0, count))


def _entry_power(scope: Scope, at: Binary, left: Value, right: Value) -> Value:
    if right.kind == "scalar":
        return Value(raised(left.expr, right.expr, at.span), left.row)
    if left.kind == "scalar":
        base = broadcast(left.expr, *right.expr.shape)
        return Value(raised(base, right.expr, at.span), right.row)
    pair = align(scope, left, right)
    if pair is None:
        raise clash(scope, at, left, right, _align_help(at, left, right))
    return Value(raised(pair[0], pair[1], at.span), pair[2])


def raised(base: Expr, exponent: Expr, span: Span) -> Expr:
    """Return base^exponent entry by entry, the exponent a scalar or of the base's shape."""
    count = rational(exponent)
    if count is None:
        exponent = exponent if exponent.rank else broadcast(exponent, *base.shape)
        if base.op == Constant(sp.E):
            return apply(RECORDS[sp.exp], exponent)
        return apply(RECORDS[sp.Pow], base, exponent)
    if abs(count) > EXPONENT or count.denominator > EXPONENT:
        help = "did you mean `exp`, or a smaller power?"
        raise SpecError(f"an exponent lies between -{EXPONENT} and {EXPONENT}", span, help)
    value = rational(base)
    if value == 0 and count < 0:
        raise SpecError("a division by zero", span, "write a divisor that is not zero")
    if value is not None and value < 0 and count.denominator != 1:
        help = "all values are real; check the sign"
        raise SpecError("a root of a negative number", span, help)
    return power(base, sp.Rational(count.numerator, count.denominator))


def check_range(expr: Expr, span: Span) -> None:
    """Raise a SpecError where a computed number is out of the range of double precision."""
    value = rational(expr)
    if value is None or not value:
        return
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > _BITS or not (
        Fraction(1, 10**307) < abs(value) < 10**308
    ):
        help = "the computation is in double precision; rescale the quantity"
        raise SpecError("this number has too many digits", span, help)


def repeated(value: Value, like: Value) -> Expr:
    """Return a scalar as an array of another value's shape; anything else as it is."""
    if value.kind != "scalar" or like.kind == "scalar":
        return value.expr
    return broadcast(value.expr, *like.expr.shape)


_OPERATORS: dict[str, Callable[[Scope, Binary, Value, Value], Value]] = {
    "@": _matmul,
    "*": _times,
    "/": _divide,
    ".*": _entrywise,
    "./": _entrywise,
    "^": _power,
    ".^": _entry_power,
}
