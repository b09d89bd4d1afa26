"""The value of a SymPy expression with NumPy: an opinion that owes nothing to the doors."""

import math
from functools import reduce

import numpy as np
import sympy as sp
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.diagonal import DiagMatrix, DiagonalMatrix, DiagonalOf
from sympy.matrices.expressions.dotproduct import DotProduct
from sympy.matrices.expressions.hadamard import HadamardPower, HadamardProduct
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.matrices.expressions.permutation import PermutationMatrix
from sympy.matrices.expressions.slice import MatrixSlice
from sympy.tensor.array.expressions import (
    ArrayAdd,
    ArrayContraction,
    ArrayDiagonal,
    ArrayElementwiseApplyFunc,
    ArrayTensorProduct,
    OneArray,
    PermuteDims,
    Reshape,
    ZeroArray,
)

from symbp.ops import FUNCTIONS


def sympy_value(expr, point):
    """Return rows × columns of a matrix, a number of a scalar; `point` maps names to values."""
    if isinstance(expr, sp.Symbol | sp.MatrixSymbol):
        return point[expr] if expr in point else point[expr.name]
    if isinstance(expr, sp.MatrixBase):
        entries = [np.ravel(sympy_value(entry, point))[0] for entry in expr]
        return np.array(entries).reshape(expr.shape)
    if isinstance(expr, ElementwiseApplyFunction):
        entry = sp.Symbol("entry")
        matrix = sympy_value(expr.expr, point)
        body = expr.function(entry)
        values = [sympy_value(body, {**point, "entry": value}) for value in matrix.ravel()]
        return np.array(values, float).reshape(matrix.shape)
    if isinstance(expr, sp.Sum | sp.Product):
        return _sum(expr, point)
    if isinstance(expr, ArrayContraction | ArrayDiagonal):
        return _contracted(expr, point)
    if isinstance(expr, PermuteDims):
        return np.transpose(sympy_value(expr.expr, point), expr.permutation.array_form)
    if isinstance(expr, ArrayElementwiseApplyFunc):
        applied = [sympy_value(expr.function(sp.Symbol("entry")), {**point, "entry": v})
                   for v in np.ravel(sympy_value(expr.expr, point))]  # fmt: skip
        return np.reshape(applied, np.shape(sympy_value(expr.expr, point)))
    if isinstance(expr, Reshape):
        shape = [round(float(sympy_value(size, point))) for size in expr.shape]
        return np.reshape(sympy_value(expr.expr, point), shape)
    if isinstance(expr, ZeroArray | OneArray):
        shape = [round(float(sympy_value(size, point))) for size in expr.shape]
        return np.full(shape, float(isinstance(expr, OneArray)))
    if isinstance(expr, sp.FunctionMatrix | PermutationMatrix):
        return sympy_value(expr.as_explicit(), point)
    if isinstance(expr, sp.KroneckerDelta):
        one, other = (sympy_value(index, point) for index in expr.args[:2])
        return float(one == other)
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
    if expr.func in OURS:
        return OURS[expr.func](float(sympy_value(expr.args[0], point)))
    return VALUES[type(expr)](*(sympy_value(arg, point) for arg in expr.args))


def _sum(expr, point):
    *rest, (index, low, high) = expr.limits
    body = expr.func(expr.function, *rest) if rest else expr.function
    start, stop = (round(float(sympy_value(bound, point))) for bound in (low, high))
    each = [sympy_value(body, {**point, index: k}) for k in range(start, stop + 1)]
    return sum(each) if isinstance(expr, sp.Sum) else math.prod(each)


def _multiplied(*factors):
    """Return a product of matrices and scalars; 1×1 runs whose sizes do not meet are scalars."""
    scalar, runs = 1.0, []
    for factor in factors:
        if np.ndim(factor) < 2:
            scalar = scalar * factor
        elif runs and runs[-1].shape[1] == factor.shape[0]:
            runs[-1] = runs[-1] @ factor
        else:
            runs.append(factor)
    rest = [run for run in runs if run.size > 1] or runs[:1]
    for run in runs:
        scalar = scalar * (run.item() if all(run is not other for other in rest) else 1)
    return scalar * reduce(np.matmul, rest)


def _contracted(expr, point):
    """Return a contraction of axes, or the diagonals of some, which come last."""
    array = np.asarray(sympy_value(expr.args[0], point))
    letters = list(range(array.ndim))
    groups = [tuple(map(int, group)) for group in expr.args[1:]]
    for group in groups:
        for axis in group:
            letters[axis] = group[0]
    gone = {axis for group in groups for axis in group}
    out = [axis for axis in range(array.ndim) if axis not in gone]
    if isinstance(expr, ArrayDiagonal):
        out += [group[0] for group in groups]
    return np.einsum(array, letters, out)


def _tensor_product(*args):
    return reduce(lambda a, b: np.multiply.outer(a, b), args)


OURS = {
    FUNCTIONS["relu"]: lambda z: max(z, 0.0),
    FUNCTIONS["sigmoid"]: lambda z: 1 / (1 + math.exp(-z)),
    FUNCTIONS["softplus"]: lambda z: math.log(1 + math.exp(z)),
    FUNCTIONS["gelu"]: lambda z: z * (1 + math.erf(z / math.sqrt(2))) / 2,
}
VALUES = {
    sp.Add: lambda *args: sum(np.squeeze(arg) for arg in args),
    sp.Mul: lambda *args: np.prod([np.squeeze(arg) for arg in args], axis=0),
    sp.Pow: lambda a, b: np.power(np.squeeze(a), b),
    sp.MatAdd: lambda *args: sum(args),
    sp.MatMul: _multiplied,
    sp.MatPow: lambda a, k: a**k if a.size == 1 else np.linalg.matrix_power(a, round(k)),
    sp.Inverse: lambda a, _: np.linalg.inv(a),
    sp.Transpose: np.transpose,
    sp.Adjoint: np.transpose,
    sp.Trace: np.trace,
    sp.Determinant: np.linalg.det,
    HadamardProduct: lambda *args: reduce(np.multiply, args),
    HadamardPower: np.power,
    DiagMatrix: lambda a: np.diag(np.ravel(a)),
    DiagonalOf: lambda a: np.diag(a)[:, None],
    DiagonalMatrix: lambda a: np.diag(np.diag(a)),
    DotProduct: lambda a, b: float(np.ravel(a) @ np.ravel(b)),
    sp.OneMatrix: lambda a, b: np.ones((int(a), int(b))),
    sp.ZeroMatrix: lambda a, b: np.zeros((int(a), int(b))),
    sp.Identity: lambda a: np.eye(int(a)),
    sp.KroneckerProduct: lambda *args: reduce(np.kron, args),
    ArrayTensorProduct: _tensor_product,
    ArrayAdd: lambda *args: sum(args),
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
    sp.sech: lambda z: 1 / np.cosh(z),
    sp.atan: np.arctan,
    sp.asin: np.arcsin,
    sp.acos: np.arccos,
    sp.sinh: np.sinh,
    sp.cosh: np.cosh,
    sp.atanh: np.arctanh,
    sp.Abs: np.abs,
    sp.conjugate: np.conjugate,
    sp.re: np.real,
    sp.sign: np.sign,
    sp.erf: np.vectorize(lambda z: float(sp.erf(z))),
    sp.erfc: np.vectorize(lambda z: float(sp.erfc(z))),
}
