"""What is no matrix as SymPy's array expressions: three axes and more, in our order of the axes.

A contraction becomes the tensor product of its factors, of which shared axes are summed
(`ArrayContraction`) or kept once (`ArrayDiagonal`) and the rest put in order (`PermuteDims`).
Factors that belong to two axes alone are one matrix expression before that, so ∂AXB/∂X is the
tensor product of A and B.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sympy as sp
from sympy.matrices.expressions.diagonal import DiagMatrix
from sympy.tensor.array.expressions import (
    ArrayAdd,
    ArrayContraction,
    ArrayDiagonal,
    ArrayTensorProduct,
    OneArray,
    PermuteDims,
    Reshape,
    ZeroArray,
)

from symbp.errors import SymbpError
from symbp.ir import Expr, Words
from symbp.ops.kinds import Merge, Split
from symbp.ops.linear import opened
from symbp.spec.sympy_product import SympyFactor, Word, contraction


def array(part: Expr, done: Mapping[Expr, Any]) -> Any:
    """Return the array expression of what is no matrix expression.

    done: the SymPy scalars and matrices of what is one below it.  Raises SymbpError naming what
    SymPy has no array expression for.
    """
    terms = opened(part)
    if not terms:
        return ZeroArray(*part.shape)
    made = [_term(sp.Rational(c.numerator, c.denominator), term, done) for c, term in terms]
    return made[0] if len(made) == 1 else ArrayAdd(*made)


def _term(coefficient: Any, term: Expr, done: Mapping[Expr, Any]) -> Any:
    op = term.op
    if isinstance(op, Words):
        factors = [
            SympyFactor(_value(arg, done), w) for arg, w in zip(term.args, op.words, strict=True)
        ]
        return _product([SympyFactor(coefficient, ()), *factors], op.out, op.dims)
    if isinstance(op, Merge):
        moved = _permuted(_value(term.args[0], done), [axis for g in op.groups for axis in g])
        return _scaled(coefficient, Reshape(moved, term.shape))
    if isinstance(op, Split):
        order = [axis for group in op.groups for axis in group]
        apart = Reshape(_value(term.args[0], done), tuple(op.dims[axis] for axis in order))
        places = [order.index(axis) for axis in range(len(order))]
        return _scaled(coefficient, _permuted(apart, places))
    raise SymbpError(
        f"SymPy has no expression for {op} ({type(op).__name__}) of shape {term.shape}"
    )


def _value(arg: Expr, done: Mapping[Expr, Any]) -> Any:
    return done[arg] if arg in done else array(arg, done)


def _product(factors: Sequence[SympyFactor], out: Word, dims: Sequence[Any]) -> Any:
    """Return Π factors as an array with the letters `out`, summed over those it lacks."""
    groups = _matrices(factors, set(out), dims)
    scalar = sp.Mul(*(f.value for f in groups if not f.word))
    groups, names = _deltas([f for f in groups if f.word], out, dims)
    held = {letter for factor in groups for letter in factor.word}
    sizes = dict(enumerate(dims))
    groups += [SympyFactor(OneArray(sizes[i]), (i,)) for i in names if i not in held]
    first, *rest = groups
    groups = [SympyFactor(_scaled(scalar, first.value), first.word), *rest]
    return _ordered(groups, names)


def _is_matrix(factor: SympyFactor) -> bool:
    """Tell whether a factor is a SymPy matrix; a column is one, an array of one axis is none."""
    return bool(factor.value.is_Matrix)


def _scaled(scalar: Any, value: Any) -> Any:
    if scalar == 1:
        return value
    return scalar * value if value.is_Matrix else ArrayTensorProduct(scalar, value)


def _matrices(
    factors: Sequence[SympyFactor], out: set[int], dims: Sequence[Any]
) -> list[SympyFactor]:
    """Join factors that share letters, where together they have at most two axes of the result."""
    groups = [[factor] for factor in factors]
    while (pair := _joinable(groups, out)) is not None:
        one, other = pair
        groups = [g for g in groups if g is not one and g is not other] + [[*one, *other]]
    made = []
    for group in groups:
        kept = _kept(group, out)
        if len(group) == 1 and len(set(kept)) == len(group[0].word):
            made += group
        else:
            made += _joined(group, kept, dims)
    return made


def _joined(group: Sequence[SympyFactor], kept: Word, dims: Sequence[Any]) -> list[SympyFactor]:
    """Return the factors as one matrix; as they are where no matrix expression means them."""
    if len(kept) > 2 or not all(_is_matrix(f) or not f.word for f in group):
        return list(group)
    try:
        return [SympyFactor(contraction(group, kept, dims), kept)]
    except SymbpError:
        return list(group)


def _kept(group: Sequence[SympyFactor], out: set[int]) -> Word:
    """Return the letters of the result that factors have, in their order."""
    return tuple(dict.fromkeys(i for factor in group for i in factor.word if i in out))


Group = list[SympyFactor]


def _joinable(groups: Sequence[Group], out: set[int]) -> tuple[Group, Group] | None:
    """Return two groups that share a letter: a summed one, or without a third axis."""
    for k, one in enumerate(groups):
        for other in groups[k + 1 :]:
            shared = {i for f in one for i in f.word} & {i for f in other for i in f.word}
            if shared - out or (shared and len(_kept([*one, *other], out)) <= 2):
                return one, other
    return None


def _deltas(
    factors: Sequence[SympyFactor], out: Word, dims: Sequence[Any]
) -> tuple[list[SympyFactor], list[int]]:
    """Give each axis of the result a letter of its own; equal ones are tied by an identity."""
    made, names = list(factors), list[int]()
    fresh = len(dims)
    for letter in out:
        if letter not in names:
            names.append(letter)
            continue
        names.append(fresh)
        column = next(
            (k for k, f in enumerate(made) if f.word == (letter,) and _is_matrix(f)), None
        )
        tie = sp.Identity(dims[letter]) if column is None else DiagMatrix(made.pop(column).value)
        made.append(SympyFactor(tie, (letter, fresh)))
        fresh += 1
    return made, names


def _ordered(factors: Sequence[SympyFactor], out: Sequence[int]) -> Any:
    """Return the tensor product of factors with its axes summed, joined and put in order."""
    values = [factor.value for factor in factors]
    made = values[0] if len(values) == 1 else ArrayTensorProduct(*values)
    axes: list[int | None] = []
    for factor in factors:
        axes += [*factor.word, *[None] * (len(factor.value.shape) - len(factor.word))]
    summed: list[tuple[int, ...]] = [(k,) for k, letter in enumerate(axes) if letter is None]
    summed += [_places(axes, i) for i in dict.fromkeys(axes) if i is not None and i not in out]
    if summed:
        made = ArrayContraction(made, *summed)
        gone = {place for group in summed for place in group}
        axes = [letter for k, letter in enumerate(axes) if k not in gone]
    shared = [i for i in dict.fromkeys(axes) if axes.count(i) > 1]
    if shared:
        made = ArrayDiagonal(made, *(_places(axes, i) for i in shared))
        axes = [i for i in axes if i not in shared] + shared
    order = [axes.index(letter) for letter in out]
    return _permuted(made, order)


def _permuted(made: Any, order: Sequence[int]) -> Any:
    """Return an array whose axis k is the given one's axis order[k]."""
    if isinstance(made, PermuteDims):
        before = made.permutation.array_form
        made, order = made.expr, [before[axis] for axis in order]
    return made if list(order) == sorted(order) else PermuteDims(made, list(order))


def _places(axes: Sequence[int | None], letter: int | None) -> tuple[int, ...]:
    return tuple(k for k, other in enumerate(axes) if other == letter)
