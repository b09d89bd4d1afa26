"""The loss of an emitted module along one number of its parameters, all others fixed."""

from symbp.landscape.names import entry_of, give
from symbp.landscape.point import Entry, Point, by_every_param, draw
from symbp.landscape.walk import Landscape, Region, landscape, values_between
from symbp.landscape.words import TITLES, fixed, rows, sentences

__all__ = [
    "TITLES",
    "Entry",
    "Landscape",
    "Point",
    "Region",
    "by_every_param",
    "draw",
    "entry_of",
    "fixed",
    "give",
    "landscape",
    "rows",
    "sentences",
    "values_between",
]
