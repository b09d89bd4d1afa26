"""From a function of trees and a claim about its derivative to a row of the certificate."""

import warnings
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbp.check.certificate import Row, Subject, compare, extent, failure, finish, pair
from symbp.check.hint import explain
from symbp.check.numeric import (
    Slopes,
    complex_step,
    five_point,
    numeric_gradient,
    relative_error,
)
from symbp.check.tolerance import COMPLEX_STEP, EXACT, FIVE_POINT, FLOOR
from symbp.check.tree import arrays, leaves, rebuild, transform

Array = NDArray[Any]
Function = Callable[..., Any]

METHODS: dict[str, Callable[..., tuple[Array, float]]] = {
    COMPLEX_STEP: complex_step,
    FIVE_POINT: five_point,
}
SLACK = 1e-6  # agreement of the complex step with differences that shows a function analytic


def section(
    function: Function, args: Sequence[Any], chosen: Sequence[int], free: Collection[int] = ()
) -> Function:
    """Return `function(*args)` as a function of one flat vector: the `chosen` leaves of `args`.

    Leaves are numbered as in `leaves(args)`.  Under a complex step the `free` leaves are made
    complex with the chosen ones, since code writes one parameter's term onto another's with
    `out=`; what is neither stays as it is.
    """
    values = arrays(args)
    cuts = np.cumsum([values[k].size for k in chosen])[:-1]

    def restricted(theta: Array) -> Any:
        moved = dict(zip(chosen, np.split(theta, cuts), strict=True))
        whole = {*free, *chosen}
        filled = [
            np.array(moved.get(k, value), theta.dtype).reshape(value.shape)
            if k in whole
            else value.copy()
            for k, value in enumerate(values)
        ]
        return function(*rebuild(tuple(args), filled))

    return restricted


def flatten(args: Sequence[Any], chosen: Sequence[int]) -> Array:
    """Return the chosen leaves as one float64 vector, where `section` takes it."""
    values = arrays(args)
    return np.concatenate([values[k].ravel() for k in chosen]).astype(np.float64)


def complex_step_works(function: Function, theta: Array, seed: int = 0) -> bool:
    """Tell whether the complex step may be trusted here: it runs, and agrees with differences."""
    direction = np.random.default_rng(seed).standard_normal(theta.size)
    reference, _ = five_point(function, theta, direction)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a discarded imaginary part is only a warning
            value = np.asarray(function(theta + 0j))
            slope, _ = complex_step(function, theta, direction)
    except Exception:  # whatever a stranger's code raises when it is given complex numbers
        return False
    scale = extent(reference, np.linalg.norm(direction) * value)
    return bool(np.iscomplexobj(value) and np.max(np.abs(slope - reference)) <= SLACK * scale)


def gradient_row(
    subject: Subject,
    function: Function,
    leaf: Array,
    ours: Array,
    *,
    floor: float = 0.0,
    seed: int = 0,
    limit: int = 64,
    examples: int | None = None,
) -> Row:
    """Judge `ours`, the gradient of a scalar function of the flat `leaf`, in the leaf's shape."""
    if ours.shape != leaf.shape or not leaf.size:
        return compare(subject, ours, leaf)
    theta, flat = leaf.ravel().astype(np.float64), np.real(ours).ravel().astype(np.float64)
    method = METHODS[subject.method]
    slopes = numeric_gradient(function, theta, method, seed=seed, limit=limit)

    def measure(direction: Array) -> float:
        return float(method(function, theta, direction)[0])

    error, _ = relative_error(slopes, flat, floor)
    wrong = error > subject.limit

    k, reference = _worst(subject, measure, flat, slopes, floor)
    worst = tuple(int(i) for i in np.unravel_index(k, leaf.shape))
    row = Row(*subject[:3], error, subject.limit, worst, *pair(flat[k], reference), 0, True)
    return finish(
        replace(row, checked=slopes.checked),
        doubt=slopes.doubt / extent(flat, slopes.values, slopes.along, floor=floor),
        size=leaf.size,
        hint=explain(*_compared(slopes, ours), examples) if wrong else "",
    )


def slope_row(
    subject: Subject,
    function: Function,
    theta: Array,
    direction: Array,
    ours: Any,
    *,
    floor: float = 0.0,
) -> Row:
    """Judge `ours`, the derivative of a function of any shape along a direction."""
    reference, doubt = METHODS[subject.method](function, theta, direction)
    return compare(subject, ours, reference, floor=floor, doubt=doubt)


def unchanged_row(name: str, function: Function, args: Sequence[Any]) -> Row:
    """Judge that a call leaves its arguments as they were."""
    given = transform(tuple(args), np.array)
    function(*given)
    subject = Subject(name, "arguments", EXACT)
    return worst_row(subject, leaves(given, "argument"), arrays(args), "an argument is written to")


def worst_row(
    subject: Subject,
    ours: list[tuple[str, Array]],
    reference: list[Array],
    hint: str = "",
    *,
    share: float = FLOOR,
) -> Row:
    """Return one row for many arrays: the worst of them, named by its leaf when it fails.

    Each is scaled by at least this `share` of the largest entry of all.
    """
    if len(ours) != len(reference):
        return failure(subject, f"{len(ours)} arrays, expected {len(reference)}")
    if not ours:
        return compare(subject, (), ())
    floor = share * extent(*reference)
    pairs = zip(ours, reference, strict=True)
    rows = [compare(subject, a, b, floor=floor) for (_, a), b in pairs]
    k = max(range(len(rows)), key=lambda i: rows[i].error)
    total = sum(row.checked for row in rows)
    row = replace(rows[k], checked=total, size=total)
    if row.ok:
        return row
    name = ours[k][0]
    named = name if name.startswith(subject.quantity) else f"{subject.quantity}, {name}"
    return replace(row, quantity=named, hint=hint or row.hint)


def _worst(
    subject: Subject, measure: Function, ours: Array, slopes: Slopes, floor: float
) -> tuple[int, float]:
    """Return the worst coordinate and the reference there; sought if none tested is wrong."""
    tested = slopes._replace(directions=slopes.directions[:0], along=slopes.along[:0])
    floor = extent(ours, slopes.values, slopes.along, floor=floor)
    error, place = relative_error(tested, ours, floor)
    whole, _ = relative_error(slopes, ours, floor)
    if error > subject.limit or whole <= subject.limit or not np.all(np.isfinite(ours)):
        return int(slopes.indices[place]), float(slopes.values[place])
    k = _locate(lambda direction: abs(measure(direction) - ours @ direction), ours.size)
    return k, float(measure(np.eye(1, ours.size, k)[0]))


def _locate(error: Callable[[Array], float], size: int) -> int:
    """Return a coordinate whose derivative is wrong, halving the suspects at each step."""
    signs = np.random.default_rng(0).choice([-1.0, 1.0], size)
    low, high = 0, size
    while high - low > 1:
        middle = (low + high) // 2
        left, right = np.zeros(size), np.zeros(size)
        left[low:middle], right[middle:high] = signs[low:middle], signs[middle:high]
        low, high = (low, middle) if error(left) > error(right) else (middle, high)
    return low


def _compared(slopes: Slopes, ours: Array) -> tuple[Array, Array]:
    """Return ours and the reference at the coordinates tested, whole arrays if all were."""
    if len(slopes.values) == ours.size:
        return ours, slopes.values.reshape(ours.shape)
    flat = ours.ravel()
    along = slopes.directions @ flat
    return np.append(flat[slopes.indices], along), np.append(slopes.values, slopes.along)
