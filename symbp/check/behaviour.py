"""What every emitted function owes whatever it computes: precision, manners, small batches."""

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from symbp.check.certificate import Row, Subject, failure
from symbp.check.measure import Array, Function, unchanged_row, worst_row
from symbp.check.modes import attempt
from symbp.check.tolerance import EXACT, FLOAT32, FLOOR32
from symbp.check.tree import arrays, is_real, leaves, raw_leaves, transform


class Call(NamedTuple):
    """A public function and arguments for it."""

    name: str
    function: Function
    args: tuple[Any, ...]


Draw = Callable[..., tuple[Any, ...]]  # (seed, examples=…, dtype=…) → arguments
Calls = Callable[[tuple[Any, ...]], list[Call]]  # arguments → every call with them


def behaviour_rows(draw: Draw, calls: Calls, seed: int) -> list[Row]:
    """Judge every call: arguments left alone, float32 kept and accurate, batches of 1 and 0."""
    rows = [row for call in calls(draw(seed)) for row in _manners(call)]
    rows += attempt(Subject("sample", "float32", FLOAT32), _float32, draw, calls, seed)
    if has_examples(draw, seed):
        for n in (1, 0):
            heading = Subject("sample", f"N = {n}", EXACT)
            rows += attempt(heading, _batch, draw, calls, seed, n)
    return rows


def has_examples(draw: Draw, seed: int) -> bool:
    """Tell whether any argument has an example axis: whether its shape follows `examples`."""
    one, two = (draw(seed, examples=n) for n in (1, 2))
    return [a.shape for a in arrays(one)] != [a.shape for a in arrays(two)]


def _manners(call: Call) -> list[Row]:
    heading = Subject(call.name, "arguments", EXACT)
    return attempt(heading, lambda: [unchanged_row(*call)])


def _float32(draw: Draw, calls: Calls, seed: int) -> list[Row]:
    """Judge each call in float32; another point is tried, since rounding may cross a kink."""
    rows: dict[str, Row] = {}
    for k in range(3):
        for call in calls(draw(seed + k, dtype=np.float32)):
            if call.name not in rows or not rows[call.name].ok:
                heading = Subject(call.name, "float32", FLOAT32)
                rows[call.name] = attempt(heading, _single, call)[0]
        if all(row.ok for row in rows.values()):
            break
    return list(rows.values())


def _single(call: Call) -> list[Row]:
    """Compare a call in float32 with the same in float64, its arguments being exact in both."""
    heading = Subject(call.name, "float32", FLOAT32)
    result = call.function(*call.args)
    for name, value in raw_leaves(result, call.name):
        dtype = np.asarray(value).dtype
        if type(value) is not float and dtype != np.float32:  # a Python float has no precision
            row = failure(heading, f"dtype {dtype}, expected float32")
            return [replace(row, quantity=name)]
    reference = arrays(call.function(*transform(call.args, _double)))
    ours = [(name, _double(array)) for name, array in leaves(result, call.name)]
    return [worst_row(heading, ours, reference, share=FLOOR32)]


def _double(array: Array) -> Array:
    return array.astype(np.float64) if is_real(array) else array


def _batch(draw: Draw, calls: Calls, seed: int, n: int) -> list[Row]:
    rows = []
    for call in calls(draw(seed, examples=n)):
        rows += attempt(Subject(call.name, f"N = {n}", EXACT), _finite, call, n)
    return rows


def _finite(call: Call, n: int) -> list[Row]:
    """Judge that a batch of n gives finite numbers; the mean over no example may be nan."""
    with warnings.catch_warnings():
        if n == 0:
            warnings.simplefilter("ignore")
        found = leaves(call.function(*call.args), call.name)
    kept = [(name, array) for name, array in found if n or array.ndim]
    finite = [np.where(np.isfinite(array), array, 0) for _, array in kept]
    return [worst_row(Subject(call.name, f"N = {n}", EXACT), kept, finite)]
