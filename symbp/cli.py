"""The command line: options, calls, exit codes; no mathematics.

Exit status: 0 done, 1 a certificate fails, 2 the input is wrong.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import Any, cast

import click

from symbp import __version__
from symbp.errors import SymbpError

INPUT_IS_WRONG = 2


def _errors_as_messages(command: Callable[..., Any]) -> Callable[..., Any]:
    """Print our own errors as one message and leave with status 2; others keep their traceback."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the judge multiplies tiny matrices
        for stream in (sys.stdout, sys.stderr):  # a terminal without Ω still shows the rest
            cast(TextIOWrapper, stream).reconfigure(errors="backslashreplace")
        try:
            return command(*args, **kwargs)
        except SymbpError as error:
            click.echo(str(error), err=True)
            sys.exit(INPUT_IS_WRONG)

    return run


def _screen() -> Any:
    """Return the module that draws on the terminal; SymPy and rich are imported only now."""
    return import_module("symbp.screen")


@contextmanager
def _waiting(text: str) -> Iterator[None]:
    """Show what is going on while it does, on a terminal."""
    with _screen().status(text):
        yield


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="symbp")
def main() -> None:
    """Derive backpropagation step by step, judge it numerically, write it as a NumPy module.

    SPEC is a text file in the language of `docs/language.md`: reading it never runs code.  The
    one form that does run code is FILE.py:NAME, a SymPy expression or a Program named NAME.
    """


_set_option = click.option(
    "--set",
    "sizes",
    multiple=True,
    metavar="NAME=NUMBER",
    help="A number for a size of the spec, as K=3; numbers for a family, as D=784,128,10.",
)


def _source_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        _set_option,
        click.option("--symmetric", "symmetric", multiple=True, metavar="NAMES",
                     help="With -e: the matrices that equal their transposes."),
        click.option("--shape", "shapes", multiple=True, metavar="NAME=SHAPE",
                     help="With -e: a name's shape, as W=3x4, W=m,n, x=n or a=scalar."),
        click.option("--wrt", "wrt", multiple=True, metavar="NAMES",
                     help="What to differentiate by, instead of what the spec says."),
        click.option("-e", "--expression", metavar="TEXT",
                     help="An expression instead of a spec; kinds are inferred by letter."),
        click.argument("spec", required=False),
    ):  # fmt: skip
        command = option(command)
    return command


_format_option = click.option(
    "--format",
    "format",
    type=click.Choice(["unicode", "latex", "markdown"]),
    default="unicode",
    show_default=True,
)


def _second_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--layout", type=click.Choice(["array", "vec"]), default="array",
                     show_default=True,
                     help="Of what is dense: the axes of the value, then of each variable; or the "
                          "columns of each stacked."),
        click.option("--both-halves", is_flag=True,
                     help="The gradient by a symmetric matrix is G + Gᵀ − G ⊙ I, not free."),
        click.option("--hvp", is_flag=True,
                     help="The Hessian of a scalar times a direction, in the module; never built."),
        click.option("--hessian", is_flag=True, help="The second derivatives of a scalar."),
        click.option("--jacobian", is_flag=True, help="The derivative of an array, each entry."),
    ):  # fmt: skip
        command = option(command)
    return command


@main.command()
@_source_options
@_second_options
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The folder to write the module into.  [default: generated; with -e: none]",
)
@click.option("--name", help="The module's name; by default the spec's.")
@click.option(
    "--checkpoint",
    metavar="N|sqrt",
    help="Store what every Nth turn of a loop hands on, and work out the rest again.",
)
@click.option("--watch", is_flag=True, help="Also `watch`: every value and its adjoint, by name.")
@click.option("--closed-form", is_flag=True, help="Also each gradient as one formula.")
@click.option("--proof", is_flag=True, help="Also why each kind of step holds, in indices.")
@click.option("--force", is_flag=True, help="Overwrite a file that is not ours.")
@click.option("--no-check", is_flag=True, help="Write without a certificate; the module says so.")
@_errors_as_messages
def derive(
    spec: str | None, expression: str | None, wrt: tuple[str, ...], shapes: tuple[str, ...],
    output: Path | None, name: str | None, checkpoint: str | None, closed_form: bool, proof: bool,
    force: bool, no_check: bool, **second: Any,
) -> None:  # fmt: skip
    """Derive a spec, print the derivation and its certificate, and write the module."""
    with _waiting("reading"):
        pipeline, screen = import_module("symbp.pipeline"), _screen()
        declared = pipeline.Declared(shapes, second.pop("symmetric"), second.pop("sizes"))
        program = pipeline.read_program(spec, expression, wrt, declared, name)
        asked = pipeline.wanted_of(program, **second, checkpoint=pipeline.every(checkpoint))
    pipeline.check_module(program)
    folder = output or (None if expression is not None else Path("generated"))
    if folder is not None:
        pipeline.check_folder(program, folder, force=force)
    if expression is not None:
        screen.inferred(program)
    with _waiting("deriving"):
        derivation = pipeline.derive(program)
    closed = "counted" if closed_form else "plain" if expression is not None else "none"
    report = import_module("symbp.report")
    screen.derivation(derivation, report.Page(closed=closed, proof=proof, wanted=asked))
    with _waiting("judging every gradient"):
        module = pipeline.compile_module(derivation, wanted=asked)
        certificate = None if no_check else pipeline.certify(module)
    if certificate is not None:
        screen.certificate(certificate)
    if folder is not None and (certificate is None or certificate.ok):
        path = pipeline.write(derivation, folder, certificate, force=force, wanted=asked)
        screen.written(path)
    if certificate is not None and not certificate.ok:
        click.echo("error: the certificate fails, so nothing is written\n"
                   "help: `--no-check` writes the module, marked", err=True)  # fmt: skip
        sys.exit(1)


@main.command()
@_source_options
@_second_options
@_format_option
@click.option(
    "--mode",
    type=click.Choice(["reverse", "forward", "both"]),
    default="reverse",
    show_default=True,
)
@click.option(
    "--closed-form",
    is_flag=True,
    help="Also each gradient as one formula, and the operations of the two ways.",
)
@click.option("--proof", is_flag=True, help="Also why each kind of step holds, in indices.")
@click.option("--fragment", is_flag=True, help="The equations alone, to be put into a paper.")
@_errors_as_messages
def show(
    spec: str | None, expression: str | None, wrt: tuple[str, ...], shapes: tuple[str, ...],
    format: str, mode: str, closed_form: bool, proof: bool, fragment: bool, **second: Any,
) -> None:  # fmt: skip
    """Print the derivation as text, as a LaTeX article or as Markdown."""
    pipeline = import_module("symbp.pipeline")
    declared = pipeline.Declared(shapes, second.pop("symmetric"), second.pop("sizes"))
    program = pipeline.read_program(spec, expression, wrt, declared)
    asked = pipeline.wanted_of(program, **second)
    report = import_module("symbp.report")
    closed = "counted" if closed_form else "none"
    page = report.Page(mode, closed, fragment, proof, asked)
    text = report.text(pipeline.derive(program), format, page)
    click.echo(text, nl=not text.endswith("\n"))


@main.command()
@_source_options
@_errors_as_messages
def cost(
    spec: str | None, expression: str | None, wrt: tuple[str, ...], shapes: tuple[str, ...],
    symmetric: tuple[str, ...], sizes: tuple[str, ...],
) -> None:  # fmt: skip
    """Print operations and stored numbers of the two modes, as formulas and in numbers.

    `--set N=32` is the number of examples where the spec has no size N.
    """
    pipeline = import_module("symbp.pipeline")
    declared = pipeline.Declared(shapes, symmetric, sizes)
    found = import_module("symbp.costs").cost_of(spec, expression, wrt, declared)
    click.echo(found.unicode())


@main.command()
@click.argument("rule", required=False)
@_format_option
@_errors_as_messages
def explain(rule: str | None, format: str) -> None:
    """Show why a rule holds, in indices; without RULE, list the rules.

    RULE is a name (`matmul`, `tanh`, `chain`) or a product as it is written (`A B`).
    """
    text = import_module("symbp.explain").explanation(rule, format)
    click.echo(text, nl=not text.endswith("\n"))


@main.command()
@click.argument("spec", metavar="SPEC_OR_MODULE")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Draws the point to judge at.",
)
@_set_option
@_errors_as_messages
def check(spec: str, seed: int, sizes: tuple[str, ...]) -> None:
    """Judge every derivative of a spec, or of a module file, and exit with 0 or 1.

    A module (FILE.py) is imported, which runs it.
    """
    pipeline, screen = import_module("symbp.pipeline"), _screen()
    with _waiting("judging every gradient"):
        certificate = pipeline.certify(pipeline.read_module(spec, sizes), seed)
    screen.certificate(certificate)
    sys.exit(0 if certificate.ok else 1)
