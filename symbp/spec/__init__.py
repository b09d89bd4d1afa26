"""Specs in, programs out: the language of `.symbp` files and of `-e`."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from symbp.program import Program
from symbp.spec.elaborate import elaborate
from symbp.spec.infer import elaborate_expression, inferred
from symbp.spec.parser import parse_text, read_file
from symbp.spec.setting import Number

__all__ = ["expression", "inferred", "load", "parse"]


def load(
    path: str | os.PathLike[str],
    name: str | None = None,
    sizes: Mapping[str, Number] | None = None,
) -> Program:
    """Return the program of a spec file, by default named as its `model` line or its stem says.

    sizes: numbers for some sizes, instead of what the spec says: `{"K": 3, "D": (784, 128, 10)}`.
    Raises a SymbpError where the file cannot be read, a SpecError where it is no valid spec.
    """
    filename = os.fspath(path)
    made = elaborate(parse_text(read_file(path), filename), name or Path(filename).stem, sizes)
    return made if name is None else replace(made, name=name)


def parse(
    text: str,
    name: str = "spec",
    filename: str = "<text>",
    sizes: Mapping[str, Number] | None = None,
) -> Program:
    """Return the program of a spec given as text; raise a SpecError where it is none.

    sizes: numbers for some sizes, instead of what the spec says: `{"K": 3, "D": "784,128,10"}`.
    """
    return elaborate(parse_text(text, filename), name, sizes)


def expression(
    text: str,
    wrt: Sequence[str] = (),
    shapes: Mapping[str, str] | None = None,
    symmetric: Iterable[str] = (),
) -> Program:
    """Return the program of one expression whose undeclared names are inferred by their letter.

    symmetric: the names of the matrices that equal their transposes.
    """
    made = elaborate_expression(text, wrt, shapes, symmetric)
    return replace(made, title=" ".join(text.split())) if len(text) < 80 else made
