"""Where programs come from: spec files, expressions, and names in Python files."""

import importlib.util
import sys
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sympy as sp

from symbp.errors import SymbpError, did_you_mean, printable
from symbp.ir import name_of
from symbp.program import Program
from symbp.spec import expression, load
from symbp.spec.elaborate import fault_of_name
from symbp.spec.from_sympy import from_sympy
from symbp.spec.glyphs import plain_name


@dataclass(frozen=True)
class Declared:
    """What is declared outside of what is read.

    shapes, symmetric: of an expression's names, `NAME=SHAPE`, and names joined by commas.
    sizes: of a spec's sizes, `NAME=NUMBER`, or numbers joined by commas for a family.
    """

    shapes: Sequence[str] = ()
    symmetric: Sequence[str] = ()
    sizes: Sequence[str] = ()


NOTHING = Declared()
"""Every name is what its letter, or the spec, says."""


def read_program(
    spec: str | None,
    text: str | None = None,
    wrt: Sequence[str] = (),
    declared: Declared = NOTHING,
    name: str | None = None,
) -> Program:
    """Return the program of a spec file, of an expression, or of `FILE.py:NAME`.

    wrt: names, also joined by commas; declared: shapes for an expression, sizes for a spec file.
    Raises SymbpError where the input is wrong.
    """
    if (spec is None) == (text is None):
        raise SymbpError(
            "give a spec file or an expression, one of the two",
            '`symbp derive mlp.symbp`, or `symbp derive -e "norm2(A @ x)^2"`',
        )
    fault = None if name is None else fault_of_name(name)
    if fault is not None:
        raise SymbpError(fault, "write a name of letters, digits and `_`, such as `--name mlp`")
    names = _names(wrt)
    if declared.sizes and (text is not None or _is_python(str(spec))):
        help = "an expression and a SymPy expression have sizes of their own: `--shape W=3x4`"
        raise SymbpError("--set is for spec files", help)
    if text is not None:
        symmetric = _names(declared.symmetric)
        shapes = _pairs(declared.shapes, "shape", "W=3x4 or x=n")
        program = expression(text, names, shapes, symmetric)
    elif declared.shapes:
        raise SymbpError("--shape is for -e", "declare shapes in the spec: `param W : m x n`")
    elif declared.symmetric:
        help = "declare it in the spec: `param W : n x n symmetric`"
        raise SymbpError("--symmetric is for -e", help)
    else:
        sizes = _pairs(declared.sizes, "set", "K=3 or D=784,128,10")
        program = _from_file(str(spec), names, name, sizes)
    return program if name is None else replace(program, name=name)


def _is_python(spec: str) -> bool:
    """Tell whether what is read is a Python file, `FILE.py:NAME`."""
    return spec.endswith(".py") or spec.rpartition(":")[0].endswith(".py")


def _names(items: Sequence[str]) -> list[str]:
    parts = [part.strip() for item in items for part in item.split(",")]
    return list(dict.fromkeys(plain_name(part) for part in parts if part))


def _pairs(items: Sequence[str], option: str, form: str) -> Mapping[str, str]:
    """Return what an option gives to each name; raise SymbpError where it gives a name two."""
    made: dict[str, str] = {}
    for item in items:
        key, sign, value = item.partition("=")
        if not sign or not key.strip():
            what = f"--{option} {printable(item)} is no {_SAYS[option]}"
            raise SymbpError(what, f"write it as {form}")
        before = made.setdefault(key.strip(), value.strip())
        if before != value.strip():
            said = f"--{option} gives {printable(key.strip())} two {_SAYS[option]}s"
            what = f"{said}, {printable(before)} and {printable(value.strip())}"
            raise SymbpError(what, "give it one")
    return made


_SAYS = {"shape": "shape", "set": "number"}


def _from_file(
    spec: str, wrt: Sequence[str], name: str | None, sizes: Mapping[str, str]
) -> Program:
    path, sign, attribute = spec.rpartition(":")
    if sign and path.endswith(".py"):
        return _from_python(Path(path), attribute, wrt, name)
    if spec.endswith(".py"):
        help = f"name the expression or the Program in it: `{printable(spec)}:loss`"
        raise SymbpError(f"{printable(spec)} is Python, not a spec", help)
    return _by(load(spec, name, sizes), wrt)


def _asked(wrt: Sequence[str], known: Mapping[str, Any]) -> Sequence[Any]:
    """Return what the names to differentiate by mean; raise SymbpError where they mean nothing."""
    for name in wrt:
        if name not in known:
            near = did_you_mean(name, known)
            names = f"its names are {', '.join(map(printable, known)) or 'none'}"
            help = f"did you mean `{near}`?" if near else names
            raise SymbpError(f"--wrt {printable(name)}: no param or input of that name", help)
    return [known[name] for name in wrt]


def _from_python(path: Path, attribute: str, wrt: Sequence[str], name: str | None) -> Program:
    """Run a Python file and return the Program, or that of the SymPy expression, it names."""
    module, shown = import_file(path), printable(attribute)
    if not hasattr(module, attribute):
        names = [other for other in vars(module) if not other.startswith("_")]
        near = did_you_mean(attribute, names)
        help = f"did you mean `{near}`?" if near else "name what is to be derived: `model.py:loss`"
        raise SymbpError(f"{printable(str(path))} has no `{shown}`", help)
    found = getattr(module, attribute)
    if isinstance(found, Program):
        return _by(found, wrt)
    if not isinstance(found, sp.Basic | sp.MatrixBase | dict):
        help = "name a SymPy expression, a dict of them, or a Program"
        raise SymbpError(f"`{shown}` is of type {type(found).__name__}", help)
    chosen = _asked(wrt, _symbols(found)) if wrt else None
    made = from_sympy(found, wrt=chosen, name=name or attribute)
    fault = fault_of_name(made.name)
    if fault is not None:
        raise SymbpError(fault, "give the module another name: `--name my_name`")
    return made


def _symbols(found: Any) -> dict[str, Any]:
    """Return the symbols that an expression, or a dict of lines, is given, by their names."""
    lines = found if isinstance(found, dict) else {"": found}
    free = {s for line in lines.values() for s in getattr(line, "free_symbols", ())}
    return {str(s): s for s in sorted(free, key=str) if str(s) not in set(map(str, lines))}


def _by(program: Program, wrt: Sequence[str]) -> Program:
    """Return the program, differentiated by these names where there are any."""
    if not wrt:
        return program
    known = {name_of(v): v for v in (*program.params, *program.inputs)}
    return replace(program, wrt=tuple(_asked(wrt, known)))


def import_file(path: Path) -> types.ModuleType:
    """Return a Python file as a module; it runs.  Raises SymbpError where it cannot."""
    shown = printable(str(path))
    if not path.is_file():
        what = f"{shown} is a folder" if path.is_dir() else f"no file {shown}"
        raise SymbpError(what, "check the path")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise SymbpError(f"{shown} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        what = printable(" ".join(f"{type(error).__name__}: {error}".split()))
        raise SymbpError(f"{shown} raises {what}", "run it by itself to see where") from error
    finally:
        del sys.modules[path.stem]
    return module
