"""The walk along one number of the parameters: loss and slope at each value, flat and steep parts.

000, example 2.1: where the slope nearly vanishes, gradient descent stands still; where it explodes,
no step size is small enough.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from symbp.errors import SymbpError
from symbp.landscape.point import Entry, Point

Numbers = NDArray[np.float64]

TIMES = 10.0  # from the median slope down to a flat one, and up to a steep one
FEWEST, MOST = 2, 100_000  # points of a walk


@dataclass(frozen=True)
class Region:
    """A run of two or more values where the loss is flat or steep.

    least, largest: the size of its slope there.
    """

    start: float
    stop: float
    kind: Literal["flat", "steep"]
    least: float
    largest: float


@dataclass(frozen=True)
class Landscape:
    """The loss and its slope at rising values of one number of the parameters.

    values, loss, slope: shape (points,); loss and slope are inf or nan where the module has no
    finite number.  flat, steep: the sizes of the slope up to which a region is flat and from
    which it is steep.
    """

    name: str
    values: Numbers
    loss: Numbers
    slope: Numbers
    flat: float
    steep: float

    @property
    def least(self) -> tuple[float, float]:
        """The value at which the loss is least, and the loss there."""
        place = int(np.nanargmin(np.where(np.isfinite(self.loss), self.loss, np.inf)))
        return float(self.values[place]), float(self.loss[place])

    @property
    def regions(self) -> list[Region]:
        """The flat and the steep regions, in the order of their values."""
        size, known = np.abs(self.slope), np.isfinite(self.loss)
        kinds: tuple[tuple[Literal["flat", "steep"], NDArray[np.bool_]], ...] = (
            ("flat", known & (size <= self.flat)),
            ("steep", known & (size >= self.steep)),
        )
        made = [
            Region(
                float(self.values[first]), float(self.values[last]), kind,
                float(size[first : last + 1].min()), float(size[first : last + 1].max()),
            )
            for kind, chosen in kinds
            for first, last in _runs(chosen)
            if last > first
        ]  # fmt: skip
        return sorted(made, key=lambda region: region.start)

    @property
    def gaps(self) -> list[tuple[float, float, str]]:
        """The stretches where the loss is not finite: first and last value, and what it is."""
        kinds = (("inf", np.isinf(self.loss)), ("nan", np.isnan(self.loss)))
        return sorted(
            (float(self.values[first]), float(self.values[last]), kind)
            for kind, chosen in kinds
            for first, last in _runs(chosen)
        )


def values_between(start: float, stop: float, points: int) -> Numbers:
    """Return rising values, both ends included; raise SymbpError where there are none."""
    if not FEWEST <= points <= MOST:
        what = f"--points {points} is not from {FEWEST} to {MOST:,}"
        raise SymbpError(what, "401 points are enough for a picture")
    if not (math.isfinite(stop - start) and start < stop):
        what = f"--from {start:g} --to {stop:g} is no range"
        raise SymbpError(what, "write two finite numbers, the lesser first")
    values = np.linspace(start, stop, points)
    if np.any(np.diff(values) <= 0):
        what = f"{points} points from {start!r} to {stop!r} are not all different"
        raise SymbpError(what, "take fewer, or a wider range")
    return values


def landscape(
    loss_and_grad: Callable[..., tuple[float, Any]],
    point: Point,
    entry: Entry,
    values: Iterable[float],
    limits: Sequence[float | None] = (None, None),
) -> Landscape:
    """Return the loss of a module along an entry of its parameters, the rest as the point has it.

    limits: the slopes of what is flat and of what is steep; by default a tenth of the median, and
    ten times the median.  The point is left at the last value.  Raises SymbpError where the loss
    is nowhere finite, and where the limits are none.
    """
    rows = [(value, *_measured(loss_and_grad, point, entry, value)) for value in values]
    walked, loss, slope = np.array(rows, dtype=float).reshape(-1, 3).T
    if not np.any(np.isfinite(loss)):
        what = f"the loss is not finite anywhere on the way of {entry.name}"
        raise SymbpError(what, "give other numbers with --from, --to and --at")
    return Landscape(entry.name, walked, loss, slope, *_limits(slope, *limits))


def _measured(
    loss_and_grad: Callable[..., tuple[float, Any]], point: Point, entry: Entry, value: float
) -> tuple[float, float]:
    entry.put(value)
    try:
        with np.errstate(all="ignore"):  # what overflows is reported as such
            loss, grad = loss_and_grad(point.params, *point.data)
            return loss, entry.slope(grad)
    except np.linalg.LinAlgError:  # a matrix without an inverse, at this value
        return math.nan, math.nan


def _limits(slope: Numbers, flat: float | None, steep: float | None) -> tuple[float, float]:
    """Return the limits; by default what is far from the median of the slopes that are not 0."""
    sizes = np.abs(slope[np.isfinite(slope) & (slope != 0)])
    middle = float(np.median(sizes)) if sizes.size else 0.0
    low = middle / TIMES if flat is None else flat
    high = (middle * TIMES or math.inf) if steep is None else steep
    if not 0 <= low < high:
        what = f"a slope of at most {low:g} as flat and of at least {high:g} as steep"
        raise SymbpError(f"{what} leaves nothing between", "give --flat a lesser number")
    return low, high


def _runs(chosen: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the first and the last place of each run of places that are chosen."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], chosen, [False]]).astype(int)))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]
