"""The road of one spec: load, derive, emit, compile, certify; each takes what the last gave."""

import importlib.util
import sys
import types
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import sympy as sp

from symbp.api import Derivation
from symbp.check import Certificate
from symbp.check import certify as judge_module
from symbp.derive.derive import derive as derive_program
from symbp.emit.module import module_text
from symbp.emit.render import write_whole
from symbp.errors import SymbpError, did_you_mean, printable
from symbp.ir import Program, name_of
from symbp.spec import expression, load
from symbp.spec.elaborate import checked_name
from symbp.spec.from_sympy import from_sympy


def read_program(
    spec: str | None,
    text: str | None = None,
    wrt: Sequence[str] = (),
    shapes: Sequence[str] = (),
    name: str | None = None,
) -> Program:
    """Return the program of a spec file, of an expression, or of `FILE.py:NAME`.

    wrt: names, also joined by commas; shapes: `NAME=SHAPE`, for an expression alone.
    Raises SymbpError where the input is wrong.
    """
    if (spec is None) == (text is None):
        raise SymbpError(
            "give a spec file or an expression, one of the two",
            '`symbp derive mlp.symbp`, or `symbp derive -e "norm2(A @ x)^2"`',
        )
    names = [part.strip() for item in wrt for part in item.split(",") if part.strip()]
    if text is not None:
        program = expression(text, names, _shapes(shapes))
    elif shapes:
        raise SymbpError("--shape is for -e: a spec declares its shapes")
    else:
        program = _from_file(str(spec), names)
    return program if name is None else replace(program, name=checked_name(name))


def _shapes(items: Sequence[str]) -> Mapping[str, str]:
    made = {}
    for item in items:
        key, sign, value = item.partition("=")
        if not sign:
            raise SymbpError(f"--shape {printable(item)} has no `=`", "write it as W=3x4 or x=n")
        made[key.strip()] = value.strip()
    return made


def _from_file(spec: str, wrt: Sequence[str]) -> Program:
    path, sign, attribute = spec.rpartition(":")
    if sign and path.endswith(".py"):
        return _from_python(Path(path), attribute, wrt)
    program = load(spec)
    if not wrt:
        return program
    known = {name_of(v): v for v in (*program.params, *program.inputs)}
    for name in wrt:
        if name not in known:
            hint = did_you_mean(name, known)
            raise SymbpError(f"--wrt {printable(name)}: no param or input of that name", hint)
    return replace(program, wrt=tuple(known[name] for name in wrt))


def _from_python(path: Path, attribute: str, wrt: Sequence[str]) -> Program:
    """Run a Python file and return the Program, or that of the SymPy expression, it names."""
    found = getattr(import_file(path), attribute, None)
    if found is None:
        raise SymbpError(f"{printable(str(path))} has no {printable(attribute)}")
    if isinstance(found, Program):
        return found
    if not isinstance(found, sp.Basic | dict):
        kind = type(found).__name__
        raise SymbpError(f"{attribute} is a {kind}, no SymPy expression and no Program")
    symbols: dict[str, Any] = {str(s): s for s in getattr(found, "free_symbols", ())}
    missing = [name for name in wrt if name not in symbols]
    if missing:
        raise SymbpError(f"--wrt {missing[0]}: no such symbol", did_you_mean(missing[0], symbols))
    chosen = [symbols[name] for name in wrt] or None
    return from_sympy(found, wrt=chosen, name=checked_name(attribute))


def import_file(path: Path) -> types.ModuleType:
    """Return a Python file as a module; it runs.  Raises SymbpError where it cannot."""
    shown = printable(str(path))
    if not path.is_file():
        raise SymbpError(f"there is no file {shown}")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise SymbpError(f"{shown} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise SymbpError(f"{shown} raises {type(error).__name__}: {error}") from error
    finally:
        del sys.modules[path.stem]
    return module


def read_module(spec: str) -> types.ModuleType:
    """Return the module to judge: of a spec, derived and compiled, or a module file, imported."""
    if spec.endswith(".py"):
        return import_file(Path(spec))
    return compile_module(derive(read_program(spec)))


def derive(program: Program) -> Derivation:
    """Return the derivation of a program: its lines and those of both modes, each with its law."""
    return Derivation.of(derive_program(program))


def emit(derivation: Derivation, *, origin: str = "") -> str:
    """Return the text of the derivation's NumPy module.

    `origin` is named in its docstring as the place of the spec.
    """
    return module_text(derivation, origin or derivation.program.origin)


def compile_module(derivation: Derivation, *, text: str | None = None) -> types.ModuleType:
    """Return the derivation's module, imported from its text without a file.

    The text runs: it is `emit`'s own unless given.
    """
    source = emit(derivation) if text is None else text
    name = f"symbp_{derivation.program.name}"
    module = types.ModuleType(name)
    code = compile(source, f"<{derivation.program.name} emitted by symbp>", "exec")
    sys.modules[name] = module  # typing.NamedTuple looks its module up
    try:
        exec(code, module.__dict__)  # the module's own text, every name of it made by `Identifiers`
    finally:
        del sys.modules[name]
    return module


def certify(module: types.ModuleType, seed: int = 0) -> Certificate:
    """Return the certificate of an emitted module: every derivative against differences."""
    return judge_module(module, seed)


def write(
    derivation: Derivation, folder: Path, certificate: Certificate | None, *, force: bool = False
) -> Path:
    """Write the derivation's module into a folder, whole or not at all, and return its path.

    Without a certificate the module's first line says so.  Raises SymbpError where the certificate
    fails, and where the file is not ours to overwrite (unless `force`).
    """
    path = folder / f"{derivation.program.name}.py"
    if certificate is not None and not certificate.ok:
        raise SymbpError(f"the certificate of {path.name} fails, so it is not written")
    mark = "" if certificate is not None else "# NOT CERTIFIED: written with --no-check.\n"
    write_whole(path, mark + emit(derivation), force)
    return path
