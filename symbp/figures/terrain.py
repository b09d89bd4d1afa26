"""The loss along one parameter, as in figure 2.1 of 000, with its flat and its steep parts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from symbp.figures.axes import decades, drawable, extent, positive
from symbp.figures.sheet import INK, plain, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Numbers = NDArray[np.float64]

SHADES = {"flat": "#D6E9F5", "steep": "#FBE0CF"}  # light forms of sky blue and vermillion
WORDS = {"flat": INK[0], "steep": INK[1]}
TALL = 1e4  # times the middle loss: from there on a linear axis shows the largest alone
NARROW = 0.02  # of the width: a region as narrow is shaded and has no name
WORD = 0.1  # of the width: what a name takes, with the space beside it

FLOOR = 1e-6  # of a flat slope: the least that is shown


@dataclass(frozen=True)
class Terrain:
    """The loss and its slope at each value of a parameter, and the regions between two values.

    What is not finite is left out.  names: of the parameter and of the loss.  limits: the slopes up
    to which a region is flat and from which it is steep.
    """

    values: Sequence[float]
    loss: Sequence[float]
    slope: Sequence[float]
    regions: Sequence[tuple[float, float, Literal["flat", "steep"]]]
    names: tuple[str, str]
    limits: tuple[float, float]


def landscape(terrain: Terrain, path: Path, title: str) -> None:
    """Draw the loss, and below it the size of its slope on a log axis; regions are shaded.

    The axis of the loss is linear, and logarithmic where the loss spans too much to be seen.
    Raises SymbpError where `check_figure` does.
    """
    values, loss = np.asarray(terrain.values, float), drawable(terrain.loss)
    parameter, quantity = map(plain, terrain.names)
    with sheet(path, title, 4.6) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        upper.plot(values, loss, color="black")
        upper.set(ylabel=quantity, xlim=(values[0], values[-1]))
        _scale(upper, loss)
        _slopes(lower, values, positive(np.abs(terrain.slope)), terrain.limits)
        lower.set(xlabel=parameter, ylabel="|slope|")
        for axes in (upper, lower):
            for start, stop, kind in terrain.regions:
                axes.axvspan(start, stop, color=SHADES[kind], linewidth=0)
        _name(upper, terrain)


def _slopes(axes: "Axes", values: Numbers, slope: Numbers, limits: tuple[float, float]) -> None:
    """Draw the size of the slope and the limits; what is flatter still is not told apart."""
    axes.plot(values, slope, color="black")
    lines = positive(limits)
    for limit, colour in zip(lines, WORDS.values(), strict=True):
        if np.isfinite(limit):
            axes.axhline(limit, color=colour, linewidth=0.8, linestyle="--")
    least, largest = extent([slope, lines])
    floor = limits[0] * FLOOR
    if least < floor < largest:
        axes.set_ylim(bottom=floor)
    decades(axes, max(least, floor) if floor < largest else least, largest, ticks=5)


def _scale(axes: "Axes", loss: Numbers) -> None:
    """Make the axis logarithmic where the loss is many times what it is in the middle."""
    sizes = np.abs(loss[np.isfinite(loss) & (loss != 0)])
    if not sizes.size or np.max(sizes) <= TALL * (middle := float(np.median(sizes))):
        return
    if np.nanmin(loss) > 0:
        decades(axes, *extent([loss]))
    else:
        axes.set_yscale("symlog", linthresh=middle)


def _name(axes: "Axes", terrain: Terrain) -> None:
    """Write above each region what it is, where it is wide enough and no name is as near."""
    width = terrain.values[-1] - terrain.values[0]
    free = -np.inf
    for start, stop, kind in sorted(terrain.regions):
        middle = (start + stop) / 2
        if stop - start > NARROW * width and middle > free:
            words: Any = {"color": WORDS[kind], "ha": "center", "va": "bottom", "weight": "bold"}
            axes.annotate(kind, (middle, 1.01), xycoords=axes.get_xaxis_transform(), **words)
            free = middle + WORD * width
