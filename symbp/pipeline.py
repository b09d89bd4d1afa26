"""The road of one spec: load, derive, emit, compile, certify; each takes what the last gave."""

import sys
import types
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import sympy as sp

from symbp.api import Derivation
from symbp.check import Certificate
from symbp.check import certify as judge_module
from symbp.derive.dense import GRADIENTS, Wanted, needs_lengths
from symbp.derive.derive import derive as derive_program
from symbp.emit.module import module_text
from symbp.errors import SymbpError, printable
from symbp.files import check_place, write_whole
from symbp.initialization import resolved
from symbp.ir import name_of, size_symbol, symbol
from symbp.program import Program
from symbp.sources import NOTHING as NOTHING
from symbp.sources import Declared as Declared
from symbp.sources import import_file as import_file
from symbp.sources import read_program as read_program


def read_module(spec: str, sizes: Sequence[str] = ()) -> types.ModuleType:
    """Return the module to judge: of a spec, derived and compiled, or a module file, imported.

    sizes: numbers for the spec's sizes, `NAME=NUMBER`.
    """
    if not spec.endswith(".py"):
        return compile_module(derive(read_program(spec, declared=Declared(sizes=sizes))))
    if sizes:
        raise SymbpError("--set is for specs", "a module takes its sizes from its arguments")
    module = import_file(Path(spec))
    wanted = ["sample", *(() if hasattr(module, "Params") else ("value", "VARIABLES"))]
    missing = [name for name in wanted if not hasattr(module, name)]
    if missing:
        what = f"{printable(spec)} is no module of symbp: it has no `{missing[0]}`"
        raise SymbpError(what, "check a spec, or a module that `symbp derive` wrote")
    return module


def derive(program: Program) -> Derivation:
    """Return the derivation of a program: its lines and those of both modes, each with its law."""
    if not isinstance(program, Program):
        kind = type(program).__name__
        raise SymbpError(f"derive takes a Program, not a {kind}", "`symbp.parse(text)` makes one")
    return Derivation.of(derive_program(program))


def wanted_of(program: Program, **asked: Any) -> Wanted:
    """Return what is asked for besides gradients; raise SymbpError where it is not there."""
    wanted = Wanted(**asked)
    wanted.check(program)
    return wanted


def every(checkpoint: str | None) -> int | None:
    """Return every how many turns are stored: a number as text, or 0 for `sqrt`."""
    if checkpoint is None:
        return None
    if checkpoint == "sqrt":
        return 0
    if checkpoint.isascii() and checkpoint.isdecimal() and int(checkpoint) > 0:
        return int(checkpoint)
    what = f"--checkpoint {printable(checkpoint)} is no number of turns"
    raise SymbpError(what, "write a whole number from 1, or sqrt")


def check_module(program: Program) -> None:
    """Raise SymbpError where a program with loops cannot be a module.

    Its parameters are passed as `Params`, and the lengths of its loops are read off arguments.
    """
    if not program.is_looped:
        return
    if any(init.kind == "lsuv" for init in program.inits.values()):
        raise SymbpError(*needs_lengths("`init lsuv`", program))
    if not program.params:
        what = f"{program.name} has loops and no `param`, and a module with loops passes parameters"
        raise SymbpError(what, "declare one; `symbp show` prints the derivation without it")
    families = [program.families[name_of(v)] for v in program.given if symbol(v).index]
    counts = [sp.S(x.stop) - x.start + 1 for x in families]
    for name in program.lengths:
        length = size_symbol(name)
        told = any(sp.expand(count - length).is_Integer for count in counts)
        if not told:
            what = f"{name} cannot be read off any argument of the module"
            help = f"declare a family of {name} members, or give a number, `--set {name}=5`"
            raise SymbpError(what, help)


def emit(derivation: Derivation, *, origin: str = "", wanted: Wanted = GRADIENTS) -> str:
    """Return the text of the derivation's NumPy module, with what is wanted besides gradients.

    `origin` is named in its docstring as the place of the spec.  Raises SymbpError where a line
    has more terms than Python can compile, and where `check_module` does.
    """
    check_module(derivation.program)
    derivation = replace(derivation, program=resolved(derivation.program, derivation))
    try:
        return module_text(derivation, wanted, origin or derivation.program.origin)
    except RecursionError:
        help = "give parts of it names on lines of their own"
        raise SymbpError("an expression is too long to be one of Python", help) from None


def compile_module(
    derivation: Derivation, *, text: str | None = None, wanted: Wanted = GRADIENTS
) -> types.ModuleType:
    """Return the derivation's module, imported from its text without a file.

    The text runs: it is `emit`'s own unless given.
    """
    return module_of(
        emit(derivation, wanted=wanted) if text is None else text, derivation.program.name
    )


def module_of(source: str, name: str) -> types.ModuleType:
    """Return an emitted text as a module; it runs."""
    code = compile(source, f"<{name} emitted by symbp>", "exec")
    name = f"symbp_{name}"
    module = types.ModuleType(name)
    sys.modules[name] = module  # typing.NamedTuple looks its module up
    try:
        exec(code, module.__dict__)  # the module's own text, every name of it made by `Identifiers`
    finally:
        del sys.modules[name]
    return module


def certify(module: types.ModuleType, seed: int = 0) -> Certificate:
    """Return the certificate of an emitted module: every derivative against differences."""
    return judge_module(module, seed)


def check_folder(program: Program, folder: Path, *, force: bool = False) -> None:
    """Raise SymbpError where `write` could not write, before anything is derived."""
    check_place(_path(program, folder), force)


def _path(program: Program, folder: Path) -> Path:
    return folder / f"{program.name}.py"


def write(
    derivation: Derivation,
    folder: Path,
    certificate: Certificate | None,
    *,
    force: bool = False,
    wanted: Wanted = GRADIENTS,
) -> Path:
    """Write the derivation's module into a folder, whole or not at all, and return its path.

    Without a certificate the module's first line says so.  Raises SymbpError where the certificate
    fails, and where the file is not ours to overwrite (unless `force`).
    """
    path = _path(derivation.program, folder)
    if certificate is not None and not certificate.ok:
        raise SymbpError(f"the certificate of {path.name} fails, so it is not written")
    mark = "" if certificate is not None else "# NOT CERTIFIED: written with --no-check.\n"
    write_whole(path, mark + emit(derivation, wanted=wanted), force)
    return path
