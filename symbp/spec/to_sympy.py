"""The door out: our expressions become plain SymPy, which needs nothing of ours to be used.

A scalar is a SymPy scalar, a vector an n×1 matrix, a matrix a matrix.  Contractions are in
`sympy_product.py`; our own functions are written as their formulas.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import sympy as sp
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction

from symbp.errors import SymbpError
from symbp.ir import Constant, Examples, Expr, Size, Sum, Variable, Words, walk
from symbp.ops import RECORDS
from symbp.ops.kinds import Elementwise, Largest, Merge, Nonlinear
from symbp.ops.linear import parts
from symbp.ops.product import diagonal_delta
from symbp.ops.scalar import PLACES
from symbp.ops.selection import Selection
from symbp.spec.sympy_array import array
from symbp.spec.sympy_member import called, check_members
from symbp.spec.sympy_product import SympyFactor, contraction, total


def to_sympy(expr: Expr, symbols: Mapping[str, Any] | None = None) -> Any:
    """Return the SymPy expression that an expression means.

    A name becomes a Symbol or MatrixSymbol (a vector n×1) of that name; `symbols` gives the
    user's own for some names.  A scalar contraction that is no matrix expression becomes an
    explicit `Sum` over indices; any other, and what has three axes or more, becomes an array
    expression.  `logdet` is written `log(Determinant(X))`, its value where the determinant is
    positive.  A member of a family is a symbol called as it is written, `h[k-1]`, of the size
    D(k − 1).  Raises SymbpError naming what SymPy has no expression for; what is said over all
    members of a family is among it.
    """
    check_members(expr)
    done: dict[Expr, Any] = {}
    for part in walk(expr):
        if part.rank <= 2:
            with suppress(SymbpError):  # an array expression may still mean it
                done[part] = _translated(part, done, symbols or {})
    return done[expr] if expr in done else array(expr, done)


def _translated(part: Expr, done: Mapping[Expr, Any], symbols: Mapping[str, Any]) -> Any:
    op = part.op
    if isinstance(op, Merge):
        return _kronecker(part, op, done)
    if any(arg not in done for arg in part.args):
        raise _refused(part)
    args = [done[arg] for arg in part.args]
    match op:
        case Variable():
            name = called(op)
            symbol = symbols[name] if name in symbols else _symbol(name, part)
            return symbol[0, 0] if symbol.is_Matrix and not part.rank else symbol
        case Constant(value=number) | Size(dim=number):
            return number
        case Sum():
            return _sum(part, args)
        case Words():
            return _words(part.args, op, op.out, done)
        case Elementwise():
            return _elementwise(part, op, done)
        case Nonlinear(name=name, leading=0) if name in _NONLINEAR:
            return _NONLINEAR[name](args[0])
        case Examples():
            return args[0]
        case Selection():
            return _selection(op)
        case Largest() if part.args[0].rank == 1 and isinstance(part.args[0].shape[0], int):
            return sp.Max(*(args[0][k, 0] for k in range(part.args[0].shape[0])))
    raise _refused(part)


def _refused(part: Expr) -> SymbpError:
    return SymbpError(
        f"SymPy has no expression for {part.op} ({type(part.op).__name__}) of shape {part.shape}"
    )


def _symbol(name: str, part: Expr) -> Any:
    if part.rank == 0:
        return sp.Symbol(name)
    return sp.MatrixSymbol(name, *_matrix_shape(part))


def _matrix_shape(part: Expr) -> tuple[Any, Any]:
    """Return rows and columns of what is written as a matrix."""
    if part.rank not in (1, 2):
        raise _refused(part)
    rows, columns = (*part.shape, 1)[:2]
    return rows, columns


def _sum(part: Expr, args: list[Any]) -> Any:
    assert isinstance(part.op, Sum)
    numbers = [sp.Rational(c.numerator, c.denominator) for c in part.op.coefficients]
    if not part.rank:
        return sp.Add(*(c * arg for c, arg in zip(numbers, args, strict=True)))
    zero = sp.ZeroMatrix(*_matrix_shape(part))
    terms = [sp.MatMul(c, arg).doit(deep=False) for c, arg in zip(numbers, args, strict=True)]
    return sp.MatAdd(zero, *terms).doit(deep=False)


def _selection(op: Selection) -> Any:
    size, count = (*op.dims, 1)[:2]
    return sp.Identity(size)[0:size, op.offset : op.offset + count]


def _words(args: Sequence[Expr], op: Words, out: tuple[int, ...], done: Mapping[Expr, Any]) -> Any:
    """Return the contraction of those of the arguments that `op` has a word for, to `out`."""
    words = zip(args, op.words, strict=True)
    return contraction([SympyFactor(done[arg], word) for arg, word in words], out, op.dims)


def _kronecker(part: Expr, op: Merge, done: Mapping[Expr, Any]) -> Any:
    """Return A ⊗ B ⊗ … where rows are merged with rows and columns with columns.

    Raises SymbpError for any other merge, such as `vec`, which SymPy has no expression for.
    """
    if not isinstance(part.args[0].op, Words) or part.rank > 2:
        raise _refused(part)
    args, outer, done = _without_deltas(part.args[0], part.args[0].op, done)
    rows, columns = ([outer.out[axis] for axis in group] for group in (*op.groups, ())[:2])
    factors, places = [], list[int]()
    while rows or columns:
        letters = _next_factor(outer, rows, columns)
        inside = _connected(outer, letters)
        seen = {i for k in inside for i in outer.words[k]} & set(outer.out)
        some = [args[k] for k in inside]
        if not letters or seen - set(letters) or any(a not in done for a in some):
            raise _refused(part)
        is_row = len(letters) == 1 and letters[0] in columns
        rows, columns = ([i for i in left if i not in letters] for left in (rows, columns))
        words = replace(outer, words=tuple(outer.words[k] for k in inside))
        made = _words(some, words, letters, done)
        factors.append(made.T if is_row else made)
        places += inside
    rest = [k for k in range(len(args)) if k not in places]
    scalar = _words(
        [args[k] for k in rest],
        replace(outer, words=tuple(outer.words[k] for k in rest)),
        (),
        done,
    )
    return scalar * sp.KroneckerProduct(*factors)


def _without_deltas(
    arg: Expr, op: Words, done: Mapping[Expr, Any]
) -> tuple[tuple[Expr, ...], Words, Mapping[Expr, Any]]:
    """Return factors, words and their expressions, with an identity for each equal pair of axes."""
    args, words, out, dims = [*arg.args], [*op.words], list[int](), [*op.dims]
    made = dict(done)
    for letter in op.out:
        if letter not in out:
            out.append(letter)
            continue
        unit = diagonal_delta(dims[letter])
        made[unit] = sp.Identity(dims[letter])
        args.append(unit)
        words.append((letter, len(dims)))
        out.append(len(dims))
        dims.append(dims[letter])
    return tuple(args), Words(tuple(words), tuple(out), tuple(dims)), made


def _next_factor(op: Words, rows: list[int], columns: list[int]) -> tuple[int, ...]:
    """Return the letters of the next factor of A ⊗ B, none where the order is no such product."""

    def belongs(letter: int, others: list[int]) -> bool:
        return any(set(op.words[k]) & set(others) for k in _connected(op, (letter,)))

    if columns and not belongs(columns[0], rows):
        return (columns[0],)
    if rows and not belongs(rows[0], columns):
        return (rows[0],)
    if rows and columns and belongs(rows[0], columns[:1]):
        return (rows[0], columns[0])
    return ()


def _connected(op: Words, letters: tuple[int, ...]) -> list[int]:
    """Return the places of the factors that hang together with these letters."""
    reached, found = set(letters), set[int]()
    while True:
        more = {k for k, word in enumerate(op.words) if reached & set(word)} - found
        if not more:
            return sorted(found)
        found |= more
        reached |= {letter for k in more for letter in op.words[k]}


def _elementwise(part: Expr, op: Elementwise, done: Mapping[Expr, Any]) -> Any:
    """Return f(z, …) entry by entry."""
    formula, args = plain(op.formula), [done[arg] for arg in part.args]
    if not part.rank:
        return _put(formula, dict(zip(PLACES, args, strict=False)))
    if op.exponent is not None:
        return sp.HadamardPower(args[0], op.exponent)
    repeated = [_repeated(arg, done) for arg in part.args]
    moving = [k for k, value in enumerate(repeated) if value is None]
    if op.name == "pow" and moving == [0]:
        return sp.HadamardPower(args[0], repeated[1])
    if len(moving) > 1:
        if op.name not in _PAIRS:
            raise _refused(part)
        return _PAIRS[op.name](*args)
    entry, place = sp.Dummy("z"), moving[0] if moving else 0
    values = {PLACES[k]: value for k, value in enumerate(repeated) if k != place}
    return _applied(_put(formula, values | {PLACES[place]: entry}), entry, args[place])


def _applied(formula: Any, entry: Any, matrix: Any) -> Any:
    return ElementwiseApplyFunction(sp.Lambda(entry, formula), matrix)


def _put(formula: Any, values: Mapping[Any, Any]) -> Any:
    return formula.subs(values, simultaneous=True)


def plain(formula: Any) -> Any:
    """Return a scalar formula without our own functions: each is written as its formula."""
    if not formula.args:
        return formula
    args = [plain(arg) for arg in formula.args]
    record = RECORDS.get(formula.func)
    if record is not None and not formula.func.__module__.startswith("sympy"):
        return _put(plain(record.formula), dict(zip(PLACES, args, strict=False)))
    return formula.func(*args)


def _repeated(arg: Expr, done: Mapping[Expr, Any]) -> Any:
    """Return the scalar that an array holds everywhere, None where it is no such array."""
    terms = parts(arg)
    if not terms:
        return sp.Integer(0)
    ((coefficient, term), *more) = terms
    op = term.op
    if more or not isinstance(op, Words) or any(op.words) or len(set(op.out)) != len(op.out):
        return None
    exact = sp.Rational(coefficient.numerator, coefficient.denominator)
    return sp.Mul(exact, *(done[factor] for factor in term.args))


def _masked(condition: Callable[[Any], Any], mask: Any, value: Any) -> Any:
    entry = sp.Dummy("z")
    step = sp.Piecewise((1, condition(entry)), (0, True))
    return sp.HadamardProduct(_applied(step, entry, mask), value)


def _relu(matrix: Any) -> Any:
    entry = sp.Dummy("z")
    return _applied(sp.Max(entry, 0), entry, matrix)


def _power(base: Any, exponent: Any) -> Any:
    """Return exp(w log z): SymPy turns HadamardPower(z, w) to HadamardPower(zᵀ, w) as transpose."""
    logarithm = base.applyfunc(sp.log)
    return sp.HadamardProduct(exponent, logarithm).applyfunc(sp.exp)


_PAIRS: dict[str, Callable[..., Any]] = {
    "max": lambda z, w: w + _relu(z - w),
    "min": lambda z, w: w - _relu(w - z),
    "pow": _power,
    "select": lambda z, w, v: _masked(lambda t: t > 0, z, w) + _masked(lambda t: t <= 0, z, v),
    "leaky_relu": lambda z, w: _relu(z) - sp.HadamardProduct(w, _relu(-z)),
}
"""Operations of two matrices entry by entry; SymPy has functions of one matrix alone."""


def _softmax(z: Any) -> Any:
    raised = z.applyfunc(sp.exp)
    return sp.MatMul(1 / total(raised), raised)


def _logsumexp(z: Any) -> Any:
    return sp.log(total(z.applyfunc(sp.exp)))


_NONLINEAR: dict[str, Callable[[Any], Any]] = {
    "softmax": _softmax,
    "logsumexp": _logsumexp,
    "log_softmax": lambda z: z - _logsumexp(z) * sp.OneMatrix(*z.shape),
    "inv": sp.Inverse,
    "det": sp.Determinant,
    "logdet": lambda x: sp.log(sp.Determinant(x)),
}
