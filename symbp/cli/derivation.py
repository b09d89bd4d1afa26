"""The commands that derive, print and judge: derive, show, cost, explain, check."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from symbp.cli.options import (
    errors_as_messages,
    format_option,
    second_options,
    set_option,
    source_options,
    terminal,
    waiting,
)


@click.command()
@source_options
@second_options
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
@errors_as_messages
def derive(
    spec: str | None, expression: str | None, wrt: tuple[str, ...], shapes: tuple[str, ...],
    output: Path | None, name: str | None, checkpoint: str | None, closed_form: bool, proof: bool,
    force: bool, no_check: bool, **second: Any,
) -> None:  # fmt: skip
    """Derive a spec, print the derivation and its certificate, and write the module."""
    with waiting("reading"):
        pipeline, screen = import_module("symbp.pipeline"), terminal()
        declared = pipeline.Declared(shapes, second.pop("symmetric"), second.pop("sizes"))
        program = pipeline.read_program(spec, expression, wrt, declared, name)
        asked = pipeline.wanted_of(program, **second, checkpoint=pipeline.every(checkpoint))
    pipeline.check_module(program)
    folder = output or (None if expression is not None else Path("generated"))
    if folder is not None:
        pipeline.check_folder(program, folder, force=force)
    if expression is not None:
        screen.inferred(program)
    with waiting("deriving"):
        derivation = pipeline.derive(program)
    closed = "counted" if closed_form else "plain" if expression is not None else "none"
    report = import_module("symbp.report")
    screen.derivation(derivation, report.Page(closed=closed, proof=proof, wanted=asked))
    with waiting("judging every gradient"):
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


@click.command()
@source_options
@second_options
@format_option
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
@errors_as_messages
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


@click.command()
@source_options
@errors_as_messages
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


@click.command()
@click.argument("rule", required=False)
@format_option
@errors_as_messages
def explain(rule: str | None, format: str) -> None:
    """Show why a rule holds, in indices; without RULE, list the rules.

    RULE is a name (`matmul`, `tanh`, `chain`) or a product as it is written (`A B`).
    """
    text = import_module("symbp.explain").explanation(rule, format)
    click.echo(text, nl=not text.endswith("\n"))


@click.command()
@click.argument("spec", metavar="SPEC_OR_MODULE")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Draws the point to judge at.",
)
@set_option
@errors_as_messages
def check(spec: str, seed: int, sizes: tuple[str, ...]) -> None:
    """Judge every derivative of a spec, or of a module file, and exit with 0 or 1.

    A module (FILE.py) is imported, which runs it.
    """
    pipeline, screen = import_module("symbp.pipeline"), terminal()
    with waiting("judging every gradient"):
        certificate = pipeline.certify(pipeline.read_module(spec, sizes), seed)
    screen.certificate(certificate)
    sys.exit(0 if certificate.ok else 1)
