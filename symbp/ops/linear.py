"""Linear combinations: the only way a `Sum` is built, so every sum is in the same form."""

from collections.abc import Iterable
from fractions import Fraction

from symbp.ir import Dim, Expr, Shape, Sum, Words, node

ONE = Fraction(1)


def ones(*dims: Dim) -> Expr:
    """Return the array of ones of a shape; without a shape, the number 1."""
    return node(Words((), tuple(range(len(dims))), dims))


def zeros(*dims: Dim) -> Expr:
    """Return the array of zeros of a shape."""
    return node(Sum((), dims))


def number(value: int | Fraction, shape: Shape = ()) -> Expr:
    """Return a rational number, or an array of a shape that holds it everywhere."""
    return scale(Fraction(value), ones(*shape))


def combine(terms: Iterable[tuple[Fraction, Expr]], shape: Shape) -> Expr:
    """Return Σ c·a in normal form.

    Nested sums are opened, like terms joined, zeros dropped, positive terms put first, and a
    factor that all terms share is taken out: 2a - 2b is 2(a - b).  A transpose is taken out as
    well where that saves more than one: Bᵀ Aᵀ + Cᵀ is (A B + C)ᵀ.
    """
    total: dict[str, tuple[Fraction, Expr]] = {}
    for coefficient, term in terms:
        if term.shape != shape:
            raise ValueError(f"a term of shape {term.shape} in a sum of shape {shape}")
        for inner, arg in opened(term):
            weight = inner if coefficient is ONE else coefficient * inner
            before, first = total.get(arg.digest, (None, arg))
            total[arg.digest] = (weight if before is None else before + weight, first)
    kept = [(c, arg) for c, arg in total.values() if c]
    kept = [_turned(*term) if term[0] < 0 else term for term in kept]
    if len(kept) < 2:
        return kept[0][1] if kept and kept[0][0] == 1 else _sum(kept, shape)
    kept.sort(key=lambda term: term[0] < 0)
    common = abs(kept[0][0])
    if common != 1 and all(abs(c) == common for c, _ in kept):
        common = -common if all(c < 0 for c, _ in kept) else common
        return node(Sum((common,), shape), _sum([(c / common, arg) for c, arg in kept], shape))
    cost = sum(_transposes(arg) for _, arg in kept) if len(shape) == 2 else 0
    if cost > 1:
        turned = [(c, _transposed(arg)) for c, arg in kept]
        if cost > 1 + sum(_transposes(arg) for _, arg in turned):
            return _transposed(combine(turned, shape[::-1]))
    return _sum(kept, shape)


def _transposed(term: Expr) -> Expr:
    """Return the transpose of a matrix; of a product, the same words with the result turned."""
    op = term.op
    if not isinstance(op, Words):
        return node(Words(((0, 1),), (1, 0), term.shape), term)
    if op.is_transpose:
        return term.args[0]
    return node(Words(op.words, op.out[::-1], op.dims), *term.args)


def _transposes(term: Expr) -> int:
    """Return how many transposes a matrix takes to write, along the chain of its factors.

    X⁻ᵀ takes none, nor does a symmetric matrix; a block stays in its place.
    """
    op = term.op
    if not isinstance(op, Words) or any(arg.op.name == "selection" for arg in term.args):
        return 0
    chain = [(a, w) for a, w in zip(term.args, op.words, strict=True) if len(set(w)) == 2]
    count, at = 0, op.out[0]
    while (k := next((k for k, (_, w) in enumerate(chain) if at in w), None)) is not None:
        factor, word = chain.pop(k)
        count += word[1] == at and not factor.symmetric and factor.op.name != "inv"
        at = word[0] if word[1] == at else word[1]
    return count


def _turned(coefficient: Fraction, term: Expr) -> tuple[Fraction, Expr]:
    """Return -c (y - a) b as c (a - y) b, where a factor can take the sign."""
    alike = [factor.digest for factor in term.args]
    for k, factor in enumerate(term.args if isinstance(term.op, Words) else ()):
        signs = {c > 0 for c, _ in parts(factor)}
        if len(signs) == 2 and alike.count(factor.digest) == 1:
            turned = [*term.args[:k], negate(factor), *term.args[k + 1 :]]
            return -coefficient, node(term.op, *turned)
    return coefficient, term


def _sum(terms: list[tuple[Fraction, Expr]], shape: Shape) -> Expr:
    return node(Sum(tuple(c for c, _ in terms), shape), *(arg for _, arg in terms))


def opened(expr: Expr) -> list[tuple[Fraction, Expr]]:
    """Return the terms of a sum, with 2(a - b) opened to 2a - 2b, and (a - b)ᵀ to aᵀ - bᵀ."""
    terms = parts(expr)
    op = expr.op
    if isinstance(op, Words) and op.is_transpose and isinstance(expr.args[0].op, Sum):
        return [(c, _transposed(arg)) for c, arg in opened(expr.args[0])]
    if len(terms) == 1 and isinstance(terms[0][1].op, Sum):
        return [(terms[0][0] * c, arg) for c, arg in parts(terms[0][1])]
    return terms


def parts(expr: Expr) -> list[tuple[Fraction, Expr]]:
    """Return the terms of a sum with their coefficients; anything else is one term."""
    if isinstance(expr.op, Sum):
        return list(zip(expr.op.coefficients, expr.args, strict=True))
    return [(ONE, expr)]


def add(*terms: Expr) -> Expr:
    """Return the sum of one or more expressions of one shape."""
    if len(terms) == 1 and len(opened(terms[0])) == 1:
        return terms[0]
    return combine([(ONE, term) for term in terms], terms[0].shape)


def subtract(left: Expr, right: Expr) -> Expr:
    """Return left - right."""
    return combine([(ONE, left), (Fraction(-1), right)], left.shape)


def scale(factor: int | Fraction, expr: Expr) -> Expr:
    """Return a rational multiple of an expression."""
    return expr if factor == 1 else combine([(Fraction(factor), expr)], expr.shape)


def negate(expr: Expr) -> Expr:
    """Return -expr."""
    return scale(-1, expr)


def is_zero(expr: Expr) -> bool:
    """Tell whether an expression is the empty sum."""
    return isinstance(expr.op, Sum) and not expr.args


def rational(expr: Expr) -> Fraction | None:
    """Return the number an expression holds everywhere, None where it is no such number."""
    if is_zero(expr):
        return Fraction(0)
    terms = parts(expr)
    if len(terms) == 1 and is_ones(terms[0][1]):
        return terms[0][0]
    return None


def is_ones(expr: Expr) -> bool:
    """Tell whether an expression is an array of ones (or the number 1)."""
    op = expr.op
    return isinstance(op, Words) and not expr.args and len(set(op.out)) == len(op.out)
