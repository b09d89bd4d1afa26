"""The loss of an emitted module along one number of its parameters, all others fixed."""

from symbp.landscape.names import entry_of, give
from symbp.landscape.point import Entry, Point, check_program, draw
from symbp.landscape.walk import Landscape, Region, landscape, values_between

__all__ = [
    "Entry",
    "Landscape",
    "Point",
    "Region",
    "check_program",
    "draw",
    "entry_of",
    "give",
    "landscape",
    "values_between",
]
