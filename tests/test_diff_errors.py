"""What `symbp.diff` refuses, each with one message that names what and why."""

import numpy as np
import pytest
import sympy as sp
from sympy.matrices.expressions.diagonal import DiagMatrix

import symbp
from symbp.errors import SymbpError

n, m, k, s = sp.symbols("n m k s")
i, j = sp.symbols("i j")
X, B, x = sp.MatrixSymbol("X", n, n), sp.MatrixSymbol("B", n, m), sp.MatrixSymbol("x", n, 1)
OTHER = sp.MatrixSymbol("X", m, m)
C = sp.MatrixSymbol("C", 2, 3)
f = sp.Trace(X * X)

REFUSED = [
    # sizes
    (sp.Determinant(B), (B,), "the sizes n and m do not agree in Determinant"),
    (sp.Trace(B), (B,), "the sizes n and m do not agree in Trace"),
    (B.inv(), (B,), "the sizes n and m do not agree in Inverse"),
    (B**2, (B,), "the sizes n and m do not agree in MatPow"),
    (B * X, (X,), "the sizes m and n do not agree in MatMul"),
    (B + X, (X,), "the sizes [mn] and [mn] do not agree in MatAdd"),
    (DiagMatrix(B), (B,), "diagonal matrix of what is no vector"),
    (s + sp.exp(X), (X,), "MatrixSymbol of shape"),
    (sp.Sum(x[i, 0], (i, 0, n)), (x,), "the sizes n and n . 1 do not agree"),
    (sp.Sum(C[i, 0], (i, 1, -1)), (C,), "Sum runs from 1 to -1, and a range runs upwards"),
    (sp.Sum(C[i, 0] * i, (i, 2, 0)), (C,), "Sum runs from 2 to 0, and a range runs upwards"),
    (sp.Sum(C[i, 0], (i, -1, 1)), (C,), "has the index -1, and rows and columns are counted 0"),
    (sp.Trace(C * C.T), (C[0, -1],), "has the index -1"),
    (C[1, 0] + C[sp.Rational(1, 2), 0], (C,), "has the index 1/2, and rows and columns"),
    # nodes
    (sp.gamma(s) * f, (X,), "gamma is not accepted, in gamma.s."),
    (sp.Function("g")(s), (s,), "g is not accepted"),
    (X**s, (X,), "MatPow has an exponent that is no whole number"),
    (X**sp.Rational(1, 2), (X,), "MatPow has an exponent"),
    (sp.Derivative(f, X), (X,), "Derivative is not accepted"),
    (sp.Integral(s**2, s), (s,), "Integral is not accepted"),
    (sp.I * s, (s,), "ImaginaryUnit is no finite real number"),
    (X[0, 0] + sp.oo, (X,), "Infinity is no finite real number"),
    # expressions
    ("s**2", ("s",), "str is no SymPy expression"),
    (sp.Eq(s, 1), (s,), "Equality is no SymPy expression"),
    ([s, s**2], (s,), "list is no SymPy expression"),
    (None, (s,), "NoneType is no SymPy expression"),
    # variables
    (f, (), "nothing to differentiate by"),
    (f, (X + X.T,), "MatAdd X . X.T is no variable"),
    (f, (X * X,), "MatPow X..2 is no variable"),
    (s**2, (s**2,), "Pow s..2 is no variable"),
    (f, ((X * X)[0, 0],), "is no variable"),
    (f, (1.5,), "float 1.5 is no variable"),
    (f, (None,), "NoneType None is no variable"),
    (f, ("Z",), "the expression has no Z"),
    (sp.Symbol("alpha") ** 2, ("alhpa",), "did you mean alpha"),
    (f, (3,), "3 stands behind no variable"),
    (f, (X, 0), "there is no derivative of order 0"),
    (f, (X, -1), "there is no derivative of order -1"),
    (f, ((X, 0),), "there is no derivative of order 0"),
    (f, (n,), "n is a size or an index"),
    (f, ("n",), "the expression has no n"),
    (n * s, (X, n), "n is a size or an index"),
    (i * X[0, 0], (X[i, 0],), "i is a size or an index"),
    (X[i, 0] ** 2, (i,), "i is a size or an index"),
    # names
    (f, (OTHER,), "two different symbols are called X"),
    (f, (sp.Symbol("X"),), "two different symbols are called X"),
    (f * sp.Trace(OTHER), (X,), "two different symbols are called X"),
    (s**2, (sp.Symbol("s", real=True),), "two different symbols are called s"),
    (sp.Trace(sp.MatrixSymbol("a b", 2, 2)), (s,), "no word"),
]  # fmt: skip


@pytest.mark.parametrize(("expr", "variables", "message"), REFUSED, ids=lambda v: str(v)[:40])
def test_what_is_refused_is_named(expr, variables, message):
    with pytest.raises(SymbpError, match=message):
        symbp.diff(expr, *variables)


def test_a_node_that_is_not_known_says_what_is():
    with pytest.raises(SymbpError, match=r"accepted: symbols, .*MatrixSymbol, .*Determinant"):
        symbp.diff(sp.gamma(s), s)


OPTIONS = [
    ({"layout": "numerator"}, "no layout 'numerator'"),
    ({"symmetric": ["Z"]}, "no such symbol Z"),
    ({"symmetric": [x]}, "x of shape .* is not square"),
    ({"symmetric": [C]}, "C of shape .* is not square"),
    ({"symmetric": [3]}, "no symbol"),
    ({"symmetric": 3}, "symmetric=3 holds no symbols"),
    ({"symmetric": None}, "symmetric=None holds no symbols"),
    ({"symmetric": C}, "C of shape .* is not square"),
    ({"symmetric": "Omega"}, "no such symbol Omega"),
]


@pytest.mark.parametrize(("options", "message"), OPTIONS, ids=str)
def test_options_are_checked(options, message):
    with pytest.raises(SymbpError, match=message):
        symbp.diff((x.T * X * x)[0, 0] * sp.Trace(C * C.T), X, **options)


def test_both_halves_are_of_a_scalar_by_one_matrix():
    for expr, variables in ((X * x, (X,)), (f, (X, X)), (x.T * x, (x,))):
        with pytest.raises(SymbpError, match="`free=False` is for a scalar by one matrix"):
            symbp.diff(expr, *variables, free=False)


def test_an_empty_range_sums_to_nothing():
    for high in (0, n - 1):
        empty = sp.Sum(x[i, 0], (i, high + 1, high))
        assert symbp.diff(empty + s * x[0, 0], x).unicode() == "s e₀"


def test_what_nests_too_deep_is_refused():
    deep = s
    for _ in range(1000):
        deep = sp.exp(deep, evaluate=False) + s
    with pytest.raises(SymbpError, match="nests too deep"):
        symbp.diff(deep, s)


def test_both_halves_are_of_a_square_matrix():
    with pytest.raises(SymbpError, match="for a symmetric matrix, and B is n x m"):
        symbp.diff(sp.Trace(B.T * B), B, free=False)


def test_one_symmetric_symbol_may_stand_alone():
    Omega = sp.MatrixSymbol("Omega", n, n)
    for symmetric in (Omega, "Omega", [Omega], sp.Tuple(Omega)):
        assert symbp.diff(x.T * Omega * x, x, symmetric=symmetric).unicode() == "2 Ω x"


SQUARE = np.eye(3)
VALUES = [
    (x.T * X * x, X, {"x": np.ones(3), "Y": SQUARE}, "the derivative has no Y; did you mean|no Y"),
    (x.T * X * x, x, {"x": np.ones(3)}, "no value for X"),
    (x.T * X * x, x, {"X": SQUARE}, "no value for x"),
    (x.T * X * x, x, {"x": np.ones((3, 2)), "X": SQUARE}, r"x .*\(3, 2\)"),
    (x.T * X * x, x, {"x": np.ones(4), "X": SQUARE}, "X must have shape"),
    (x.T * X * x, x, {"x": np.ones(3), "X": np.ones((3, 4))}, "X"),
    (x.T * X * x, x, {"x": np.ones(3), "X": np.ones(3)}, "X"),
    (x.T * X * x, x, {"x": ["a"] * 3, "X": SQUARE}, "x holds no numbers"),
    (x.T * X * x, x, {"x": np.ones(3), "X": [[1], [2, 3]]}, "the value of X is no array"),
]


@pytest.mark.parametrize(("expr", "by", "values", "message"), VALUES, ids=lambda v: str(v)[:30])
def test_values_are_checked(expr, by, values, message):
    with pytest.raises((SymbpError, ValueError), match=message):
        symbp.diff(expr, by).numpy(**values)
