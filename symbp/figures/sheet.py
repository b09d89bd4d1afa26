"""A sheet to draw on: its type and colours, and the file it becomes, whole or not at all."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from symbp.errors import SymbpError, printable
from symbp.files import MARK, check_place, write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""The colours of Okabe and Ito (2008), told apart by every reader; their yellow is too light."""

MARKERS = "os^Dv<>"
"""A mark for each colour, so that curves are told apart without colour as well."""

FAINT = "#595959"  # of words and lines that say less

_WIDTH = 6.5  # inches, that of a page's text, so that type is read at the size it has here
LETTERS = 70  # of a line of words
_DPI = 200  # of a PNG
_FORMATS: dict[str, dict[str, Any]] = {
    ".svg": {"Date": None, "Creator": MARK},
    ".png": {"Software": MARK},
}
"""The formats by suffix, and what they say of their making: the same in every run."""

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
        figure.suptitle(_in_lines(title))
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


def _in_lines(title: str) -> str:
    return "\n".join(wrap(plain(title), LETTERS, max_lines=3, placeholder=" …"))


def label(text: str) -> str:
    """Return the name of a curve, cut to half a line."""
    return plain(text if len(text) <= LETTERS // 2 else f"{text[: LETTERS // 2]}…")


def plain(text: str) -> str:
    """Return a text as matplotlib shows it: no mathematics between dollars, `_` hides nothing."""
    hidden = text.startswith("_")
    return " " * hidden + printable(text).replace("$", r"\$")
