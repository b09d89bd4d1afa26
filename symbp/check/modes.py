"""Forward and reverse mode of one function, judged by measurement and by each other."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from symbp.check.certificate import Row, Subject, extent, failure, finish, pair
from symbp.check.measure import Array, Function, flatten, gradient_row, section, slope_row
from symbp.check.tolerance import ADJOINT, FLOOR
from symbp.check.tree import arrays


class Slot(NamedTuple):
    """A leaf that is differentiated by: its number in `leaves(args)`, and how to measure."""

    name: str
    leaf: int
    method: str
    free: tuple[int, ...]  # the leaves that turn complex with it


class Map(NamedTuple):
    """An array-valued function at a point, with what is claimed of its derivatives.

    `tangent` takes one direction for each slot and returns the derivative of the value;
    `pullback` takes a cotangent of the value and returns one for each slot.
    """

    function: Function
    args: Sequence[Any]
    slots: Sequence[Slot]
    tangent: Callable[[list[Array]], Array] | None = None
    pullback: Callable[[Array], list[Array]] | None = None


def attempt(subject: Subject, test: Callable[..., list[Row]], *args: Any) -> list[Row]:
    """Return the rows of `test(*args)`; what it raises becomes a failing row with the message."""
    try:
        return test(*args)
    except Exception as error:  # the accused is any code, and what it raises is evidence
        return [failure(subject, f"raises {type(error).__name__}: {error}")]


def pulled(vjp: Callable[..., Any]) -> Callable[..., Any]:
    """Return `vjp` as one function: primal arguments and cotangent to (value, *adjoints)."""

    def both(*args: Any) -> Any:
        value, pullback = vjp(*args[:-1])
        return (value, *pullback(args[-1]))

    return both


def tangent_rows(subject: Map, mode: str, seed: int = 0) -> list[Row]:
    """Judge the tangent slot by slot: a random direction in one, zero in the others."""
    assert subject.tangent is not None
    rng = np.random.default_rng((seed, 1))
    points = arrays(subject.args)
    rows = []
    for k, slot in enumerate(subject.slots):
        dots = [np.zeros(points[other.leaf].shape) for other in subject.slots]
        dots[k] = rng.standard_normal(dots[k].shape)
        function = section(subject.function, subject.args, [slot.leaf], slot.free)
        theta, direction = flatten(subject.args, [slot.leaf]), dots[k].ravel()
        floor = FLOOR * extent(subject.function(*subject.args))
        heading = Subject(slot.name, mode, slot.method)
        ours = subject.tangent(dots)
        rows.append(slope_row(heading, function, theta, direction, ours, floor=floor))
    return rows


def pullback_rows(subject: Map, mode: str, seed: int = 0, limit: int = 24) -> list[Row]:
    """Judge the pullback as the gradient of ⟨v, function⟩, v random, slot by slot."""
    assert subject.pullback is not None
    value = np.asarray(subject.function(*subject.args))
    v = np.random.default_rng((seed, 1)).standard_normal(value.shape)
    bars = subject.pullback(v.copy())
    if len(bars) != len(subject.slots):
        names = ", ".join(slot.name for slot in subject.slots)
        raise ValueError(f"the pullback returns {len(bars)} arrays, expected one for each: {names}")
    floor = FLOOR * extent(*bars, v * value)

    def paired(*args: Any) -> Any:
        return np.sum(v * subject.function(*args))

    return [
        gradient_row(
            Subject(slot.name, mode, slot.method),
            section(paired, subject.args, [slot.leaf], slot.free),
            arrays(subject.args)[slot.leaf],
            bar,
            floor=floor,
            seed=seed,
            limit=limit,
        )
        for slot, bar in zip(subject.slots, bars, strict=True)
    ]


def inner_product_rows(subject: Map, seed: int = 0) -> list[Row]:
    """Judge ⟨v, J u⟩ = ⟨Jᵀ v, u⟩ with u in one slot at a time: no differences, all entries."""
    assert subject.tangent is not None
    assert subject.pullback is not None
    rng = np.random.default_rng((seed, 1))
    value = subject.function(*subject.args)
    v = rng.standard_normal(np.shape(value))
    bars = subject.pullback(v.copy())
    floor = FLOOR * extent(np.sum(np.abs(v * value)))
    rows = []
    for k, slot in enumerate(subject.slots):
        dots = [np.zeros(np.shape(bar)) for bar in bars]
        dots[k] = rng.standard_normal(dots[k].shape)
        pushed, pulled = v * subject.tangent(dots), bars[k] * dots[k]
        heading = Subject(slot.name, "inner product", ADJOINT)
        rows.append(balance_row(heading, pushed, pulled, floor))
    return rows


def balance_row(subject: Subject, left: Array, right: Array, floor: float = 0.0) -> Row:
    """Judge that two sums agree, relative to the larger sum of magnitudes, `floor` at the least.

    A derivative that is zero in exact arithmetic holds the rounding of what cancels.
    """
    scale = extent(np.sum(np.abs(left)), np.sum(np.abs(right)), floor)
    ours, reference = np.sum(right), np.sum(left)
    error = float(np.nan_to_num(np.abs(ours - reference) / scale, nan=np.inf, posinf=np.inf))
    values = pair(ours, reference)
    row = Row(*subject[:3], error, subject.limit, None, *values, left.size, True)
    return finish(row, doubt=0.0, size=left.size, hint="the two modes disagree")
