"""The judgement of what is dense, Jacobians and Hessians, and of products with the Hessian."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from inspect import signature
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np

from symbp.check.behaviour import Call
from symbp.check.certificate import Row, Subject, extent
from symbp.check.measure import Array, flatten, gradient_row, section, slope_row
from symbp.check.tolerance import FLOOR
from symbp.check.tree import arrays, transform


@dataclass(frozen=True)
class Slope:
    """A function that returns an array, and the argument that it is differentiated by.

    free: the leaves of `args` that turn complex under a complex step.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...]
    leaf: int
    free: Sequence[int]


Slopes: TypeAlias = Callable[[str, str], Slope]


def dense_rows(
    module: ModuleType, args: tuple[Any, ...], slopes: Slopes, method: str, seed: int
) -> list[Row]:
    """Judge the dense functions: Jacobians by slopes of the value, Hessians by those of gradients.

    `slopes` takes the variable whose gradient it is, "" for the value, and the one it moves by.
    """
    rows, layout = [], getattr(module, "LAYOUT", "array")
    for mode, table in (("jacobian", "JACOBIANS"), ("hessian", "HESSIANS")):
        for name, (*of, by) in getattr(module, table, {}).items():
            subject = Subject(", ".join(dict.fromkeys([*of, by])), mode, method)
            ours = np.asarray(getattr(module, name)(*transform(args, np.array)))
            rows.append(dense_row(subject, slopes("".join(of), by), ours, layout, seed))
    return rows


def dense_row(subject: Subject, slope: Slope, ours: Array, layout: str, seed: int) -> Row:
    """Judge all the derivatives of an array's entries, paired with random weights of the entries.

    ours: the axes of the array, then those of the argument; or of both the leading axis of the
    examples once, where those of one example do not depend on another.  In the layout "vec" the
    columns of each are stacked.
    """
    value, leaf = np.asarray(slope.function(*slope.args)), arrays(slope.args)[slope.leaf]
    v = np.random.default_rng((seed, 2)).standard_normal(value.shape)
    whole = unstacked(ours, value.shape, leaf.shape) if layout == "vec" else ours
    if whole.shape == value.shape + leaf.shape:
        pulled = np.tensordot(v, whole, axes=v.ndim)
    elif whole.shape == value.shape + leaf.shape[1:] and value.shape[:1] == leaf.shape[:1]:
        pulled = _example_by_example(v, whole, leaf)
    else:
        pulled = whole  # of a shape that is wrong, which the comparison says

    def paired(*args: Any) -> Any:
        return np.sum(v * slope.function(*args))

    restricted = section(paired, slope.args, [slope.leaf], slope.free)
    floor = FLOOR * extent(pulled, v * value)
    return gradient_row(subject, restricted, leaf, np.asarray(pulled), floor=floor, seed=seed)


def _example_by_example(v: Array, whole: Array, leaf: Array) -> Array:
    rows = [np.tensordot(a, b, axes=a.ndim) for a, b in zip(v, whole, strict=True)]
    return np.reshape(rows, leaf.shape)


def unstacked(ours: Array, value: tuple[int, ...], leaf: tuple[int, ...]) -> Array:
    """Return a matrix of stacked columns as an array of all axes, examples in front left alone."""
    for first in (0, 1):
        several, own = value[:first], value[first:]
        for inner in {leaf, leaf[first:]}:
            groups = [tuple(shape[::-1]) for shape in (own, inner) if shape]
            sizes = tuple(int(np.prod(group)) for group in groups)
            if ours.shape == several + sizes:
                opened = ours.reshape(several + sum(groups, ()))
                axes = [*range(first), *(_turned(first, own)), *_turned(first + len(own), inner)]
                return np.transpose(opened, axes)
    return ours


def _turned(first: int, shape: tuple[int, ...]) -> range:
    return range(first + len(shape) - 1, first - 1, -1)


def product_row(subject: Subject, slope: Slope, product: Callable[..., Any], seed: int) -> Row:
    """Judge `product(*args, direction)`, (gradient, its derivative along a random direction)."""
    leaf = arrays(slope.args)[slope.leaf]
    direction = np.random.default_rng((seed, 3)).standard_normal(leaf.shape)
    ours = product(*slope.args, direction)[1]
    function = section(slope.function, slope.args, [slope.leaf], slope.free)
    theta = flatten(slope.args, [slope.leaf])
    floor = FLOOR * extent(slope.function(*slope.args))
    return slope_row(subject, function, theta, direction.ravel(), ours, floor=floor)


def weighted_hessians(module: ModuleType, args: tuple[Any, ...], seed: int) -> ModuleType:
    """Return a module with no loss as one whose loss is its scalar outputs weighted at random."""
    made = ModuleType("weighted")
    made.__dict__.update(module.__dict__)
    shape = np.shape(module.forward(*args))
    weights = np.random.default_rng((seed, 4)).uniform(0.5, 1.5, shape)

    def loss_and_grad(*given: Any) -> Any:
        output, pullback = module.vjp(*given)
        return np.sum(weights * output), pullback(weights)[0]

    def input_gradient(k: int) -> Callable[..., Any]:
        return lambda *given: module.vjp(*given)[1](weights)[k]

    def weighted(function: Callable[..., Any], shared: bool) -> Callable[..., Any]:
        if shared:
            return lambda *given: np.tensordot(weights, function(*given), axes=weights.ndim)
        return lambda *given: (function(*given).T * weights).T

    made.__dict__["loss_and_grad"] = loss_and_grad
    inputs = list(signature(module.forward).parameters)[1 : 1 + module.INPUTS_DIFFERENTIABLE]
    for k, name in enumerate(inputs, 1):
        made.__dict__[f"grad_{name}"] = input_gradient(k)
    for name, of in getattr(module, "HESSIANS", {}).items():
        made.__dict__[name] = weighted(getattr(module, name), not {*of} & {*inputs})
    return made


def dense_calls(module: ModuleType, args: tuple[Any, ...]) -> list[Call]:
    """Return the dense functions with arguments for them."""
    names = [*getattr(module, "JACOBIANS", ()), *getattr(module, "HESSIANS", ())]
    return [Call(name, getattr(module, name), args) for name in names]
