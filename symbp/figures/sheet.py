"""A sheet to draw on: its type and colours, and the file it becomes, whole or not at all."""

import math
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symbp.errors import SymbpError, printable
from symbp.files import MARK, check_place, write_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""The colours of Okabe and Ito (2008), told apart by every reader; their yellow is too light."""

MARKERS = "os^Dv<>"
"""A mark for each colour, so that curves are told apart without colour as well."""

FAINT = "#595959"  # of words and lines that say less

_WIDTH = 6.5  # inches, that of a page's text, so that type is read at the size it has here
_LETTERS = 70  # of a line of the title
_DPI = 200  # of a PNG
_FORMATS: dict[str, dict[str, Any]] = {
    ".svg": {"Date": None, "Creator": MARK},
    ".png": {"Software": MARK},
}
"""The formats by suffix, and what they say of their making: the same in every run."""

_STRIDES = (1, 2, 5, 10, 20, 50, 100)  # powers of ten from tick to tick
_TO_A_POWER = 3  # ticks, where the numbers of an axis are written 0.01, 0.02, 0.05
_LINEAR = 0.6  # powers of ten, up to which steps are as on a linear axis

_LARGEST = 1e200  # that is drawn: ticks beyond the largest number must still be numbers

_STYLE = {
    "font.size": 9,
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],  # written beside every word
    "axes.titlesize": 10,
    "figure.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#E3E3E3",
    "grid.linewidth": 0.6,
    "axes.formatter.useoffset": False,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "svg.fonttype": "none",  # text stays text: small files, and words that can be searched
    "svg.hashsalt": "symbp",  # else the names of clip paths change from run to run
}


def check_figure(path: Path, force: bool = False) -> None:
    """Raise SymbpError where a figure could not be drawn, or a file is there that is not ours.

    Called before long work; force: what is there may be replaced.
    """
    shown = printable(str(path))
    if path.suffix.lower() not in _FORMATS:
        raise SymbpError(f"{shown} is neither SVG nor PNG", "end its name in .svg or .png")
    if not path.parent.is_dir():
        raise SymbpError(f"no folder {printable(str(path.parent))}", "make it, or name another")
    check_place(path, force)
    if find_spec("matplotlib") is None:
        raise SymbpError("figures need matplotlib, which is missing", "pip install 'symbp[plot]'")


@contextmanager
def sheet(path: Path, title: str, height: float) -> Iterator["Figure"]:
    """Give an empty figure of that height in inches; it is written where the block ends.

    A file that is there is replaced: `check_figure` is for asking before.  The figure has no
    window, and what is set for all figures is as before afterwards.
    """
    check_figure(path, force=True)
    matplotlib = import_module("matplotlib")
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # the figure is the same whatever a person's own style is
        matplotlib.rcParams.update(_STYLE)
        size = (_WIDTH, height)
        figure = import_module("matplotlib.figure").Figure(figsize=size, layout="constrained")
        figure.suptitle("\n".join(wrap(plain(title), _LETTERS)))
        yield figure
        data = _image(figure, path.suffix.lower(), title)
    write_whole(path, data, force=True)


def _image(figure: "Figure", suffix: str, title: str) -> bytes:
    metadata: dict[str, Any] = {**_FORMATS[suffix], "Title": printable(title)}
    data = BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")  # a viewer's font may have it
        figure.savefig(data, format=suffix[1:], dpi=_DPI, metadata=metadata)
    return data.getvalue()


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


def plain(text: str) -> str:
    """Return a text as matplotlib shows it: signs of dollars start no mathematics."""
    return printable(text).replace("$", r"\$")


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
