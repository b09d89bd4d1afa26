"""Axes: the numbers that they take, and ticks where a person would put them."""

import math
from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_STRIDES = (1, 2, 5, 10, 20, 50, 100)  # powers of ten from tick to tick
_TO_A_POWER = 3  # ticks, where the numbers of an axis are written 0.01, 0.02, 0.05
_LINEAR = 0.6  # powers of ten, up to which steps are as on a linear axis

_LARGEST = 1e200  # that is drawn: ticks beyond the largest number must still be numbers


def drawable(values: ArrayLike) -> NDArray[np.float64]:
    """Return numbers, nan where they are not finite or too large to have an axis."""
    array = np.asarray(values, dtype=float)
    return np.where(np.abs(array) <= _LARGEST, array, np.nan)


def positive(values: ArrayLike) -> NDArray[np.float64]:
    """Return numbers as a log axis takes them: nan where they are not positive, or not drawable."""
    array = drawable(values)
    return np.where(array >= 1 / _LARGEST, array, np.nan)


def extent(rows: Iterable[NDArray[np.float64]]) -> tuple[float, float]:
    """Return the least and the largest number; zeros where there is none."""
    numbers = np.concatenate([np.zeros(0), *rows])
    known = numbers[np.isfinite(numbers)]
    return (float(known.min()), float(known.max())) if known.size else (0, 0)


def whole_numbers(axes: "Axes", first: int, last: int) -> None:
    """Put the ticks of x, which counts layers or epochs, at whole numbers from first to last."""
    locator = import_module("matplotlib.ticker").MaxNLocator(
        integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]
    )
    axes.xaxis.set_major_locator(locator)
    room = max(0.02 * (last - first), 0.1)
    axes.set_xlim(first - room, last + room)


def decades(axes: "Axes", least: float, largest: float, ticks: int = 8) -> None:
    """Make y logarithmic, with about as many ticks, such as a person would choose.

    least, largest: the numbers of the axis, 0 where there is none.
    """
    axes.set_yscale("log")
    ticker, axis = import_module("matplotlib.ticker"), axes.yaxis
    span = math.log10(largest) - math.log10(least) if least > 0 else 0
    if _TO_A_POWER * span > ticks + 1:
        stride = next((n for n in _STRIDES if span <= ticks * n), _STRIDES[-1])
        axis.set_major_locator(ticker.LogLocator(base=10.0**stride, numticks=2 * ticks))
        if stride > 1:
            axis.set_minor_locator(ticker.NullLocator())
        return
    steps = (2, 5) if span > 1 else (2, 3, 5, 7)
    if span > _LINEAR:
        axis.set_minor_locator(ticker.LogLocator(subs=steps))
    else:
        axis.set_major_locator(ticker.MaxNLocator(5, steps=[1, 2, 5, 10]))
        axis.set_minor_locator(ticker.NullLocator())
    axis.set_major_formatter(ticker.FuncFormatter(_written_out))
    axis.set_minor_formatter(ticker.FuncFormatter(_written_out))


def _written_out(number: float, _: int | None) -> str:
    return f"{number:g}"
