"""The reference meaning of an expression: its value on arrays, one operation at a time.

This is what every law, printed step and emitted function is measured against, so it is written
from the definitions alone: an elementwise operation is computed from its SymPy formula, never
from its NumPy code, and nothing is rearranged.  It is slow and it may overflow where the emitted
code does not (softplus is log(1 + exp z)); emitted code never calls it.

Values are real.  A complex value is a real one with an imaginary step, for complex-step
differences: comparisons look at the real part, so kinked operations pass a step as well.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import sympy as sp

from symbp.errors import SymbpError
from symbp.ir import (
    Constant,
    Dim,
    Examples,
    Expr,
    Op,
    Shape,
    Size,
    Sum,
    Variable,
    Words,
    variables,
    walk,
)
from symbp.ops.formula import Array, evaluate_formula
from symbp.ops.kinds import Elementwise, Largest, Merge, Nonlinear, Solve, Split
from symbp.ops.scalar import PLACES
from symbp.ops.selection import Selection

Sizes: TypeAlias = Mapping[str, int]

LETTERS = 52
"""How many letters one contraction may have; the limit of `np.einsum`."""


def evaluate(
    expr: Expr, values: Mapping[str, Any], *, sizes: Mapping[str, int] | None = None
) -> Array:
    """Return the value of an expression for one example, shaped as the expression.

    `values` holds an array or number for each variable, by name; a one-hot target is given as
    its unit vector.  Symbolic sizes are read off the arrays; `sizes` gives those that stand in
    no variable's shape.  Raises SymbpError for a name without a value, a value of another shape,
    a size that stays open, and a node that has no meaning here.
    """
    names = variables(expr)
    given = {name.op: _given(name, values) for name in names}
    known = _sizes(names, given, sizes or {})
    done: dict[Expr, Array] = {}
    with np.errstate(all="ignore"):
        for part in walk(expr):
            if isinstance(part.op, Variable):
                done[part] = given[part.op]
            else:
                done[part] = _value(part.op, [done[arg] for arg in part.args], known)
    return done[expr]


def _given(name: Expr, values: Mapping[str, Any]) -> Array:
    """Return a variable's value in double precision, of the rank it was declared with."""
    op = name.op
    assert isinstance(op, Variable)
    if op.name not in values:
        raise SymbpError(f"no value for {op.name}", f"give an array of shape {_shown(op.dims)}")
    array = np.asarray(values[op.name])
    array = array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)
    if array.ndim != len(op.dims):
        raise SymbpError(
            f"the value of {op.name} has shape {array.shape}, its variable {_shown(op.dims)}"
        )
    return array


def _sizes(names: Iterable[Expr], given: Mapping[Op, Array], sizes: Mapping[str, int]) -> Sizes:
    """Read the symbolic sizes off the arrays, and check every axis against them."""
    axes = [
        (name, dim, have)
        for name in names
        for dim, have in zip(name.shape, given[name.op].shape, strict=True)
    ]
    known = dict(sizes)
    for _, dim, have in axes:
        if isinstance(dim, sp.Symbol):
            known.setdefault(dim.name, have)
    for name, dim, have in axes:
        if _resolve(dim, known) != have:
            raise SymbpError(
                f"the value of {name.op} has shape {given[name.op].shape}, "
                f"its variable {_shown(name.shape)} with {dim} = {_resolve(dim, known)}"
            )
    return known


def _resolve(dim: Dim, sizes: Sizes) -> int:
    """Return a size as a number."""
    if isinstance(dim, int):
        return dim
    if dim.is_Symbol and dim.name in sizes:
        return sizes[dim.name]
    found = dim.subs({s: sizes[s.name] for s in dim.free_symbols if s.name in sizes})
    if not found.is_Integer:
        raise SymbpError(f"the size {dim} is not known", "give it in `sizes`")
    return int(found)


def _shown(dims: Shape) -> str:
    return f"({', '.join(map(str, dims))}{',' if len(dims) == 1 else ''})"


def _value(op: Op, args: list[Array], sizes: Sizes) -> Array:
    """Return the value of one operation."""
    match op:
        case Constant():
            return np.asarray(float(op.value))
        case Size():
            return np.asarray(float(_resolve(op.dim, sizes)))
        case Sum():
            terms = [float(c) * arg for c, arg in zip(op.coefficients, args, strict=True)]
            shape = tuple(_resolve(dim, sizes) for dim in op.dims)
            return np.asarray(sum(terms, np.zeros(shape)))
        case Words():
            return _contraction(op, args, [_resolve(dim, sizes) for dim in op.dims])
        case Elementwise():
            made = evaluate_formula(op.formula, dict(zip(PLACES, args, strict=False)))
            return np.asarray(np.broadcast_to(made, args[0].shape))
        case Nonlinear() if op.name in _FUNCTIONS:
            return np.asarray(_FUNCTIONS[op.name](args[0]))
        case Solve():
            return _solution(*args)
        case Largest():
            return _largest(args[0])[..., 0]
        case Merge() | Split():
            return _regrouped(op, args[0], sizes)
        case Examples():
            return args[0]
        case Selection():
            size, *more = [_resolve(dim, sizes) for dim in op.dims]
            chosen = np.eye(size, more[0] if more else 1, -_resolve(op.offset, sizes))
            return chosen if more else chosen[:, 0]
    raise SymbpError(f"{op} ({type(op).__name__}) has no numeric meaning")


def _contraction(op: Words, args: list[Array], dims: Sequence[int]) -> Array:
    """Return Π args, summed over the letters the result lacks; a repeated letter is a delta."""
    if len(dims) > LETTERS:
        raise SymbpError(f"a product of {len(dims)} letters; at most {LETTERS} are evaluated")
    letters = list(dict.fromkeys(op.out))
    read = {letter for word in op.words for letter in word}
    operands: list[Any] = []
    for arg, word in zip(args, op.words, strict=True):
        operands += [arg, list(word)]
    for letter in range(len(dims)):
        if letter not in read:
            operands += [np.ones(dims[letter]), [letter]]
    order = "greedy" if len(operands) > 4 else False  # of two factors there is one order
    core = np.einsum(*operands, letters, optimize=order) if operands else np.ones(())
    if len(letters) == len(op.out):
        return np.asarray(core)
    full = np.zeros([dims[letter] for letter in op.out], core.dtype)
    np.einsum(full, list(op.out), letters)[...] = core  # einsum gives a view of the diagonal
    return full


def _solution(matrix: Array, side: Array) -> Array:
    """Return M⁻¹ B by the inverse itself, a vector of each stack as one column."""
    inverse = np.linalg.inv(matrix)
    if side.ndim == matrix.ndim - 1:
        return np.asarray((inverse @ side[..., None])[..., 0])
    return np.asarray(inverse @ side)


def _regrouped(op: Merge | Split, arg: Array, sizes: Sizes) -> Array:
    """Join axes group by group, or take them apart again."""
    order = [axis for group in op.groups for axis in group]
    if isinstance(op, Merge):
        joined = [math.prod(arg.shape[axis] for axis in group) for group in op.groups]
        return arg.transpose(order).reshape(joined)
    dims = [_resolve(dim, sizes) for dim in op.dims]
    return arg.reshape([dims[axis] for axis in order]).transpose(np.argsort(order))


def _largest(z: Array) -> Array:
    """Return the largest entries along the last axis, which stays with size 1."""
    return np.take_along_axis(z, np.argmax(z.real, axis=-1, keepdims=True), axis=-1)


def _logsumexp(z: Array) -> Array:
    shift = _largest(z)
    return np.asarray(shift + np.log(np.sum(np.exp(z - shift), axis=-1, keepdims=True)))


def _softmax(z: Array) -> Array:
    raised = np.exp(z - _largest(z))
    return np.asarray(raised / np.sum(raised, axis=-1, keepdims=True))


def _logdet(z: Array) -> Array:
    """Return log |det z|; a complex step is passed along the branch of the real determinant."""
    sign, size = np.linalg.slogdet(z)
    return np.asarray(size + np.log(sign * np.sign(sign.real)))


def _expm(z: Array) -> Array:
    """Return the matrix exponential by its series, the argument halved until it is small."""
    halvings = max(int(np.frexp(np.max(np.abs(z), initial=0) * z.shape[-1])[1]), 0)
    small = z / 2.0**halvings
    term = total = np.eye(z.shape[-1]) + 0 * z
    for k in range(1, 25):
        term = term @ small / k
        total = total + term
    for _ in range(halvings):
        total = total @ total
    return np.asarray(total)


_FUNCTIONS: dict[str, Callable[[Array], Any]] = {
    "softmax": _softmax,
    "logsumexp": lambda z: _logsumexp(z)[..., 0],
    "log_softmax": lambda z: z - _logsumexp(z),
    "inv": np.linalg.inv,
    "det": np.linalg.det,
    "logdet": _logdet,
    "expm": _expm,
    "trexpm": lambda z: np.trace(_expm(z), axis1=-2, axis2=-1),
    "detsign": lambda z: np.linalg.slogdet(z)[0],
}
