"""How variances travel through the layers of a network, as in figure 7.7 of 001."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symbp.figures.axes import decades, extent, positive, whole_numbers
from symbp.figures.sheet import FAINT, INK, LETTERS, MARKERS, label, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Curve:
    """The variances of one initialisation, layer by layer, measured and derived.

    Measured and derived have a number for each of the layers beside them; nan where not known.
    """

    label: str
    forward_layers: Sequence[float]
    forward_measured: Sequence[float]
    forward_predicted: Sequence[float]
    backward_layers: Sequence[float]
    backward_measured: Sequence[float]
    backward_predicted: Sequence[float]


_POINT: Any = {"linestyle": "", "markersize": 2.6, "markeredgewidth": 0}
"""A measurement: small, so that the line under it is seen between two layers of fifty."""

_MARK = 3  # letters that a mark takes, beside its name

Side = tuple[Sequence[float], Sequence[float], Sequence[float]]
"""Layers, what was measured there and what was derived."""


def spread(curves: Sequence[Curve], path: Path, title: str) -> None:
    """Draw the variances forward and backward, side by side, on log axes.

    Points were measured, lines derived, in the colour of their curve; what is not finite or not
    positive is left out.  Raises SymbpError where `check_figure` does.
    """
    with sheet(path, title, 3.5) as figure:
        left, right = figure.subplots(1, 2)
        sides = (
            (left, "forward", "variance of the activations",
             [(c.forward_layers, c.forward_measured, c.forward_predicted) for c in curves]),
            (right, "backward", "variance of ∂ℓ/∂f",
             [(c.backward_layers, c.backward_measured, c.backward_predicted) for c in curves]),
        )  # fmt: skip
        for axes, name, quantity, rows in sides:
            axes.set(title=name, xlabel="layer", ylabel=quantity)
            _panel(axes, rows)
        marks = [line for line in left.lines if line.get_linestyle() == "None"]
        words = [label(curve.label) for curve in curves]
        note = "line: derived, points: measured"
        columns = LETTERS // (max(map(len, words), default=0) + _MARK)
        place: Any = {"loc": "outside lower center", "ncols": max(1, min(len(words), columns))}
        legend = figure.legend(marks, words, title=note, markerscale=2, **place)
        legend.get_title().set(color=FAINT, fontsize=9)


def _panel(axes: "Axes", rows: Sequence[Side]) -> None:
    for k, (layers, measured, derived) in enumerate(rows):
        style: Any = {"color": INK[k % len(INK)], "marker": MARKERS[k % len(MARKERS)]}
        axes.plot(layers, positive(measured), **style, **_POINT)
        axes.plot(layers, positive(derived), color=INK[k % len(INK)], linewidth=0.8)
    places = [place for layers, _, _ in rows for place in layers] or [0]
    whole_numbers(axes, int(min(places)), int(max(places)))
    decades(axes, *extent([positive(row) for _, *both in rows for row in both]))
