"""The road of one spec: load, derive, emit, compile, certify; each takes what the last gave."""

import sys
import types
from pathlib import Path

from symbp.check import Certificate
from symbp.check import certify as judge_module
from symbp.derive.derivation import Derivation
from symbp.derive.derive import derive as derive_program
from symbp.emit.module import module_text
from symbp.emit.render import write_whole
from symbp.errors import SymbpError
from symbp.ir import Program
from symbp.spec import expression, load, parse

__all__ = ["certify", "compile_module", "derive", "emit", "expression", "load", "parse", "write"]


def derive(program: Program) -> Derivation:
    """Return the derivation of a program: its lines and those of both modes, each with its law."""
    return derive_program(program)


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
    derivation: Derivation, folder: Path, *, certificate: Certificate | None = None,
    force: bool = False, checked: bool = True,
) -> Path:  # fmt: skip
    """Write the derivation's module into a folder and return its path.

    Raises SymbpError where the certificate fails (unless `checked` is false: then the module says
    in its first lines that it was not certified), and where the file is not ours to overwrite.
    """
    path = folder / f"{derivation.program.name}.py"
    text = emit(derivation)
    if checked:
        found = certificate or certify(compile_module(derivation, text=text))
        if not found.ok:
            raise SymbpError(
                f"the certificate of {path.name} fails, so it is not written",
                "see the rows marked above; `--no-check` writes it, marked",
            )
    else:
        text = f"# NOT CERTIFIED: written with --no-check.\n{text}"
    write_whole(path, text, force)
    return path
