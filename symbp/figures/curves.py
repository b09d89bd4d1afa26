"""Curves over one axis: the loss of each epoch, an activation with its slope."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from symbp.figures.axes import decades, extent, positive, whole_numbers
from symbp.figures.sheet import FAINT, INK, MARKERS, label, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FEW = 40  # epochs, up to which each is marked
SMALL = 0.01  # of the largest slope: below it next to nothing passes back


def losses(history: Mapping[str, Sequence[float]], path: Path, title: str) -> None:
    """Draw the loss of each epoch, which count from 1, on a log axis: a line for each name.

    history: "training", "holdout" and the like, each with a number for every epoch; what is not
    finite or not positive is left out.  Raises SymbpError where `check_figure` does.
    """
    with sheet(path, title, 3.2) as figure:
        axes = figure.add_subplot(xlabel="epoch", ylabel="loss")
        rows = {name: positive(values) for name, values in history.items()}
        for k, shown in enumerate(rows.values()):
            marker = MARKERS[k % len(MARKERS)] if len(shown) <= FEW else ""
            style: Any = {"color": INK[k % len(INK)], "marker": marker, "markersize": 3.5}
            axes.plot(np.arange(1, len(shown) + 1), shown, **style)
        whole_numbers(axes, 1, max(map(len, rows.values()), default=1))
        decades(axes, *extent(rows.values()))
        place: Any = {"loc": "outside lower center", "ncols": len(rows) or 1}
        figure.legend(axes.lines, list(map(label, rows)), **place)


def activation(
    z: Sequence[float], value: Sequence[float], slope: Sequence[float], path: Path, title: str
) -> None:
    """Draw an activation and its slope over z, which rises, one above the other.

    Where the slope is below 1 % of its largest both are shaded.  Raises SymbpError where
    `check_figure` does.
    """
    places, steepness = np.asarray(z, dtype=float), np.abs(np.asarray(slope, dtype=float))
    small = steepness < SMALL * np.max(steepness[np.isfinite(steepness)], initial=0)
    with sheet(path, title, 4.2) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True)
        for axes, curve, colour, name in (
            (upper, value, INK[0], "activation"),
            (lower, slope, INK[1], "slope"),
        ):
            axes.plot(places, np.asarray(curve, dtype=float), color=colour)
            axes.set(ylabel=name, xlim=(places[0], places[-1]))
            whole: Any = {"transform": axes.get_xaxis_transform(), "color": "#E8E8E8"}
            axes.fill_between(places, 0, 1, where=small, linewidth=0, **whole)
        lower.set_xlabel("z")
        _words(lower, small)


def _words(axes: "Axes", small: NDArray[np.bool_]) -> None:
    if np.any(small):
        words = "grey: the slope is below 1 % of its largest"
        axes.set_title(words, loc="right", fontsize=9, color=FAINT)
