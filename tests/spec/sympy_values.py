"""The value of a SymPy expression with NumPy: an opinion that owes nothing to the doors."""

from functools import reduce

import numpy as np
import sympy as sp
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.diagonal import DiagMatrix, DiagonalOf
from sympy.matrices.expressions.dotproduct import DotProduct
from sympy.matrices.expressions.hadamard import HadamardPower, HadamardProduct
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.matrices.expressions.slice import MatrixSlice


def sympy_value(expr, point):
    """Return rows × columns of a matrix, a number of a scalar; `point` maps names to values."""
    if isinstance(expr, sp.Symbol | sp.MatrixSymbol):
        return point[expr.name]
    if isinstance(expr, sp.MatrixBase):
        entries = [np.ravel(sympy_value(entry, point))[0] for entry in expr]
        return np.array(entries).reshape(expr.shape)
    if isinstance(expr, ElementwiseApplyFunction):
        entry = sp.Symbol("entry")
        matrix = sympy_value(expr.expr, point)
        body = expr.function(entry)
        values = [sympy_value(body, {**point, "entry": value}) for value in matrix.ravel()]
        return np.array(values, float).reshape(matrix.shape)
    if isinstance(expr, sp.Sum):
        return _sum(expr, point)
    if isinstance(expr, MatrixElement):
        row, column = (round(float(sympy_value(index, point))) for index in expr.args[1:])
        return sympy_value(expr.args[0], point)[row, column]
    if isinstance(expr, MatrixSlice):
        ranges = [slice(*(int(sympy_value(k, point)) for k in s)) for s in expr.args[1:]]
        return sympy_value(expr.args[0], point)[tuple(ranges)]
    if isinstance(expr, sp.BlockMatrix):
        rows, columns = expr.blockshape
        blocks = [
            [sympy_value(expr.blocks[i, j], point) for j in range(columns)] for i in range(rows)
        ]
        return np.block(blocks)
    if isinstance(expr, sp.Piecewise):
        return next(sympy_value(v, point) for v, c in expr.args if sympy_value(c, point))
    if isinstance(expr, sp.logic.boolalg.BooleanAtom):
        return bool(expr)
    if not expr.args:
        return float(expr)
    return VALUES[type(expr)](*(sympy_value(arg, point) for arg in expr.args))


def _sum(expr, point):
    (index, low, high), *rest = expr.limits
    body = sp.Sum(expr.function, *rest) if rest else expr.function
    stop = round(float(sympy_value(high, point)))
    return sum(sympy_value(body, {**point, index.name: k}) for k in range(int(low), stop + 1))


def _times(a, b):
    return a @ b if np.ndim(a) == 2 and np.ndim(b) == 2 and a.shape[1] == b.shape[0] else a * b


VALUES = {
    sp.Add: lambda *args: sum(np.squeeze(arg) for arg in args),
    sp.Mul: lambda *args: np.prod([np.squeeze(arg) for arg in args], axis=0),
    sp.Pow: lambda a, b: np.power(np.squeeze(a), b),
    sp.MatAdd: lambda *args: sum(args),
    sp.MatMul: lambda *args: reduce(_times, args),
    sp.MatPow: lambda a, k: a**k if a.size == 1 else np.linalg.matrix_power(a, round(k)),
    sp.Inverse: lambda a, _: np.linalg.inv(a),
    sp.Transpose: np.transpose,
    sp.Trace: np.trace,
    sp.Determinant: np.linalg.det,
    HadamardProduct: lambda *args: reduce(np.multiply, args),
    HadamardPower: np.power,
    DiagMatrix: lambda a: np.diag(np.ravel(a)),
    DiagonalOf: lambda a: np.diag(a)[:, None],
    DotProduct: lambda a, b: float(np.ravel(a) @ np.ravel(b)),
    sp.OneMatrix: lambda a, b: np.ones((int(a), int(b))),
    sp.ZeroMatrix: lambda a, b: np.zeros((int(a), int(b))),
    sp.Identity: lambda a: np.eye(int(a)),
    sp.KroneckerProduct: lambda *args: reduce(np.kron, args),
    sp.KroneckerDelta: lambda i, j, *_: float(i == j),
    sp.Heaviside: np.heaviside,
    sp.Max: lambda *args: max(args),
    sp.Min: lambda *args: min(args),
    sp.Gt: lambda a, b: a > b,
    sp.Lt: lambda a, b: a < b,
    sp.Ge: lambda a, b: a >= b,
    sp.Le: lambda a, b: a <= b,
    sp.And: lambda *args: all(args),
    sp.Or: lambda *args: any(args),
    sp.exp: np.exp,
    sp.log: np.log,
    sp.sin: np.sin,
    sp.cos: np.cos,
    sp.tan: np.tan,
    sp.tanh: np.tanh,
    sp.sinh: np.sinh,
    sp.atanh: np.arctanh,
    sp.Abs: np.abs,
    sp.sign: np.sign,
    sp.erf: np.vectorize(lambda z: float(sp.erf(z))),
    sp.erfc: np.vectorize(lambda z: float(sp.erfc(z))),
}
