"""A landscape in words: where it is flat and steep, its least loss, and what was fixed."""

from collections.abc import Sequence

import numpy as np

from symbp.landscape.point import Entry, Point
from symbp.landscape.walk import Landscape

TITLES = ("region", "from", "to", "|slope|")
SHOWN = 12  # names, and regions, that are listed; the rest are counted


def rows(found: Landscape) -> list[tuple[str, str, str, str]]:
    """Return the regions as rows under `TITLES`; where there is none, a row that says so."""
    made: list[tuple[str, str, str, str]] = [
        (region.kind, f"{region.start:.6g}", f"{region.stop:.6g}",
         f"{region.least:.3g} to {region.largest:.3g}")
        for region in found.regions
    ]  # fmt: skip
    rest = len(made) - SHOWN
    made = made[:SHOWN] + ([(f"and {rest} more", "", "", "")] if rest > 0 else [])
    return made or [("none", "", "", "")]


def sentences(found: Landscape) -> list[str]:
    """Return what is flat and steep, the least loss, and where the loss is not finite."""
    place, least = found.least
    above = f"steep of at least {found.steep:.3g}" if found.steep < np.inf else "and none is steep"
    lines = [
        f"Flat is a slope of at most {found.flat:.3g}, {above}.",
        f"The least loss is {least:.6g}, at {found.name} = {place:.6g}.",
    ]
    words = {"inf": "The loss overflows", "nan": "The loss is no number"}
    for first, last, kind in found.gaps[:SHOWN]:
        at = f"at {first:.6g}" if first == last else f"from {first:.6g} to {last:.6g}"
        lines.append(f"{words[kind]} {at}.")
    unknown = np.count_nonzero(np.isfinite(found.loss) & ~np.isfinite(found.slope))
    return [*lines, f"The slope overflows at {unknown} values."] if unknown else lines


def fixed(point: Point, moving: Entry, seed: int) -> list[str]:
    """Return what was given and what was drawn, a line each."""
    given = [f"{name} = {value}" for name, value in point.given.items()]
    drawn = [name for name in point.drawn() if name != moving.name]
    lines = [f"Given: {_some(given)}."] if given else []
    return [*lines, f"Drawn with seed {seed}: {_some(drawn)}."] if drawn else lines


def _some(words: Sequence[str]) -> str:
    rest = len(words) - SHOWN
    return ", ".join([*words[:SHOWN], *([f"and {rest} more"] if rest > 0 else [])])
