"""Figures: files that hold what they show, the same from run to run, and refusals before work."""

import math
import os
import warnings
from collections.abc import Callable
from importlib import util
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from symbp import figures
from symbp.errors import SymbpError
from symbp.files import MARK

HAS = util.find_spec("matplotlib") is not None
drawing = pytest.mark.skipif(not HAS, reason="matplotlib, the extra `plot`, is missing")

LAYERS = np.arange(51.0)
Z = np.linspace(-8, 8, 81)
SIGMOID = 1 / (1 + np.exp(-Z))
W = np.linspace(-1.3, 1.3, 53)
TERRAIN = figures.Terrain(
    W, (W**7 - 1) ** 2, 14 * W**6 * (W**7 - 1), [(-1.3, -1.15, "steep"), (-0.5, 0.5, "flat")],
    ("w", "loss"), (0.2, 100),
)  # fmt: skip


def curve(variance: float) -> figures.Curve:
    forward = (50 * variance) ** LAYERS
    backward = forward[::-1]
    return figures.Curve(
        f"σ² = {variance:g}", LAYERS, forward, forward, LAYERS, backward, np.full(51, math.nan)
    )


Draw = Callable[[Path], None]

PICTURES: dict[str, tuple[Draw, list[str]]] = {
    "losses": (
        lambda path: figures.losses({"training": [2, 1, 0.5], "holdout": [3, 2, 1]}, path, "Loss"),
        ["Loss", "epoch", "loss", "training", "holdout"],
    ),
    "spread": (
        lambda path: figures.spread([curve(0.001), curve(0.02), curve(1)], path, "Variances"),
        ["Variances", "forward", "backward", "layer", "variance of the activations",
         "variance of ∂ℓ/∂f", "σ² = 0.001", "σ² = 0.02", "σ² = 1",
         "line: derived, points: measured"],
    ),
    "landscape": (
        lambda path: figures.landscape(TERRAIN, path, "Seven layers"),
        ["Seven layers", "w", "loss", "|slope|", "flat", "steep"],
    ),
    "activation": (
        lambda path: figures.activation(Z, SIGMOID, SIGMOID * (1 - SIGMOID), path, "Sigmoid"),
        ["Sigmoid", "z", "activation", "slope", "grey: the slope is below 1 % of its largest"],
    ),
}  # fmt: skip


def drawn(draw: Draw, folder: Path, name: str = "a.svg") -> bytes:
    """Return the file that a picture becomes."""
    draw(folder / name)
    assert [path.name for path in folder.iterdir()] == [name]
    return (folder / name).read_bytes()


def words(svg: bytes) -> list[str]:
    """Return the texts of an SVG, which has to be well-formed."""
    texts = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    return [" ".join("".join(text.itertext()).split()) for text in texts]


@drawing
@pytest.mark.parametrize("name", PICTURES)
def test_an_svg_holds_its_words_and_is_the_same_again(name: str, tmp_path: Path) -> None:
    draw, wanted = PICTURES[name]
    svg = drawn(draw, tmp_path)
    assert set(wanted) <= set(words(svg))
    assert MARK.encode() in svg
    assert len(svg) < 100_000
    assert drawn(draw, tmp_path) == svg


@drawing
@pytest.mark.parametrize("name", PICTURES)
def test_a_png_is_one_and_is_the_same_again(name: str, tmp_path: Path) -> None:
    draw, _ = PICTURES[name]
    png = drawn(draw, tmp_path, "a.PNG")
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert int.from_bytes(png[16:20]) == 1300  # dots across: 6.5 inches at 200
    assert drawn(draw, tmp_path, "a.PNG") == png


@drawing
def test_a_persons_own_style_changes_nothing_and_is_left(tmp_path: Path) -> None:
    import matplotlib

    draw, _ = PICTURES["losses"]
    before = drawn(draw, tmp_path)
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red"}):
        assert drawn(draw, tmp_path) == before
        assert matplotlib.rcParams["font.size"] == 30


@drawing
def test_no_window_is_opened(tmp_path: Path) -> None:
    import sys

    for draw, _ in PICTURES.values():
        draw(tmp_path / "a.svg")
    assert "matplotlib.pyplot" not in sys.modules


ODD = [math.nan, math.inf, -math.inf, 0.0, -1.0, 1e-80, 1e80, 1e308, 5e-324]


@drawing
@pytest.mark.parametrize("values", [ODD, [math.nan] * 3, [0.0], [], [1.0], [1.0, 1.0001]])
def test_what_no_axis_takes_is_left_out_without_a_warning(
    values: list[float], tmp_path: Path
) -> None:
    layers = range(len(values))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figures.losses({"training": values}, tmp_path / "a.svg", "")
        one = figures.Curve("a", layers, values, values, layers, values, values)
        figures.spread([one] * 9, tmp_path / "b.svg", "more curves than colours")
        figures.losses({}, tmp_path / "c.svg", "nothing")
        figures.spread([], tmp_path / "d.svg", "nothing")
        for name in "abcd":
            words((tmp_path / f"{name}.svg").read_bytes())


@drawing
@pytest.mark.parametrize(
    ("loss", "slope"),
    [(ODD, ODD), ([1e300] * 9, [1e300] * 9), ([0] * 9, [0] * 9), ([-1] * 8 + [-1e9], range(9))],
)
def test_landscapes_that_overflow_are_drawn_as_far_as_they_go(
    loss: list[float], slope: list[float], tmp_path: Path
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for limits in ((0.0, math.inf), (1e-3, 1.0), (1e290, 1e300)):
            terrain = figures.Terrain(range(9), loss, slope, [], ("w", "loss"), limits)
            figures.landscape(terrain, tmp_path / "a.svg", "odd")


@drawing
@pytest.mark.parametrize("layers", ["curves", "terrain"])
def test_numbers_that_span_much_have_ticks_at_round_powers(layers: str, tmp_path: Path) -> None:
    draws = {"curves": PICTURES["spread"][0], "terrain": PICTURES["landscape"][0]}
    texts = words(drawn(draws[layers], tmp_path))
    marks = [text.replace(" ", "").replace("−", "-") for text in texts if text.startswith("1 0")]
    powers = [int(mark[2:]) for mark in marks]
    assert len(powers) >= 4
    stride = 20 if layers == "curves" else 2
    assert all(power % stride == 0 for power in powers)


@drawing
@pytest.mark.parametrize(
    "title",
    ["costs $ and $x_{", "日本語", "a < b & c", "\x1b[31mred", "_hidden", "long " * 60, ""],
)
def test_titles_and_labels_are_words_and_no_markup(title: str, tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    figures.losses({title: [1, 2]}, path, title)
    found = words(path.read_bytes())
    assert sum(title[:4].strip("\x1b").strip() in text for text in found) >= 2
    assert b"\x1b" not in path.read_bytes()


# Refusals, before anything is drawn


@pytest.mark.parametrize("name", ["a.pdf", "a", "svg", "a.svg.gz"])
def test_another_format_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(SymbpError, match=r"neither SVG nor PNG"):
        figures.check_figure(tmp_path / name)


def test_a_folder_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SymbpError, match="no folder"):
        figures.check_figure(tmp_path / "new" / "a.svg")


def test_a_folder_in_the_files_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.svg").mkdir()
    with pytest.raises(SymbpError, match="is a folder"):
        figures.check_figure(tmp_path / "a.svg", force=True)


def test_a_missing_matplotlib_is_said_with_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("symbp.figures.sheet.find_spec", lambda name: None)
    with pytest.raises(SymbpError, match="need matplotlib") as raised:
        PICTURES["losses"][0](tmp_path / "a.svg")
    assert raised.value.help == "pip install 'symbp[plot]'"
    assert list(tmp_path.iterdir()) == []


@drawing
@pytest.mark.parametrize("name", ["a.svg", "a.png"])
def test_a_picture_of_someone_else_is_left_as_it_is(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text("mine")
    with pytest.raises(SymbpError, match="was not written by symbp"):
        figures.check_figure(path)
    figures.check_figure(path, force=True)
    PICTURES["losses"][0](path)
    figures.check_figure(path)


@drawing
def test_nothing_half_drawn_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.svg"
    before = drawn(PICTURES["losses"][0], tmp_path)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(SymbpError, match="No space left"):
        PICTURES["activation"][0](path)
    assert [other.name for other in tmp_path.iterdir()] == ["a.svg"]
    assert path.read_bytes() == before


@drawing
def test_an_activation_is_shaded_where_its_slope_is_small(tmp_path: Path) -> None:
    whole = "grey: the slope is below 1 % of its largest"
    figures.activation(Z, Z, np.ones(81), tmp_path / "a.svg", "identity")
    assert whole not in words((tmp_path / "a.svg").read_bytes())
    figures.activation(Z, np.maximum(Z, 0), Z > 0, tmp_path / "a.svg", "ReLU")
    assert whole in words((tmp_path / "a.svg").read_bytes())
