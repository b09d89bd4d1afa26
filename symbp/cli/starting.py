"""The commands about the start: init, gain."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from symbp.cli.options import errors_as_messages, format_option, set_option, terminal, waiting
from symbp.errors import SymbpError, printable

_FILE = click.Path(path_type=Path)


def _simulation_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command how networks are drawn and run."""
    for option in (
        click.option("--dtype", type=click.Choice(["float64", "float32"]), default="float64",
                     show_default=True, help="Of the arithmetic."),
        click.option("--at", "at", multiple=True, metavar="NAME=VALUE",
                     help="A number for a scalar const, such as the slope of a leaky ReLU."),
        click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True,
                     help="Draws the first network, the next number the next."),
        click.option("--examples", type=int, default=100, show_default=True,
                     help="Inputs that each network is run on, standard normal; targets are 0."),
        click.option("--seeds", type=int, default=10, show_default=True,
                     help="Networks that are drawn."),
        click.option("--variance", "spreads", metavar="V,V,…",
                     help="Draw every weight matrix with these variances, one after the other, "
                          "instead of as the spec says."),
    ):  # fmt: skip
        command = option(command)
    return command


@click.command()
@click.argument("spec")
@format_option
@click.option("--simulate", is_flag=True, help="Run the module, and print what was derived beside "
                                               "what is measured.")  # fmt: skip
@_simulation_options
@set_option
@click.option("--plot", type=_FILE, metavar="FILE",
              help="With --simulate: draws both, as .svg or .png.")  # fmt: skip
@click.option("--force", is_flag=True, help="Overwrite a file that is not ours.")
@errors_as_messages
def init(
    spec: str, format: str, simulate: bool, spreads: str | None, seeds: int, examples: int,
    seed: int, at: tuple[str, ...], dtype: str, sizes: tuple[str, ...], plot: Path | None,
    force: bool,
) -> None:  # fmt: skip
    """Derive how variances travel through SPEC, and the variance of its weights that keeps them.

    Each line with the assumption that it uses: the means and variances of every layer forward, of
    the derivatives backward, and of the gradients of the parameters.
    """
    if plot is not None and not simulate:
        raise SymbpError("--plot draws what is measured", "add --simulate")
    with waiting("reading"):
        pipeline = import_module("symbp.pipeline")
        program = pipeline.read_program(spec, declared=pipeline.Declared(sizes=sizes))
    if not simulate:
        with waiting("deriving"):
            text = import_module("symbp.initialization").initialization(program).text(format)
        click.echo(text, nl=not text.endswith("\n"))
        return
    simulation, figures = import_module("symbp.simulation"), None
    if plot is not None:
        figures = import_module("symbp.figures")
        figures.check_figure(plot, force)
    draws = simulation.Draws(seeds, examples, seed, dtype, _numbers("--at", at))
    with terminal().working("drawing networks") as progress:
        found = simulation.simulate(program, draws, _spreads(spreads), progress)
    terminal().simulated(found, draws)
    if figures is not None:
        figures.spread([one.curve() for one in found], plot, program.title or program.name)
        terminal().written(plot)


@click.command()
@click.argument("activation")
@format_option
@click.option("--plot", type=_FILE, metavar="FILE", help="Draws it with its slope.")
@click.option("--force", is_flag=True, help="Overwrite a file that is not ours.")
@errors_as_messages
def gain(activation: str, format: str, plot: Path | None, force: bool) -> None:
    """Derive the gains of an activation: relu, "z * sigmoid(z)", "leaky_relu(z, alpha)".

    What a normal z of variance Var[z] has behind it, in closed form where there is one, and the
    variances of weights that follow.
    """
    figures = None
    if plot is not None:
        figures = import_module("symbp.figures")
        figures.check_figure(plot, force)
    with waiting("integrating"):
        found = import_module("symbp.gain").gain(activation)
        text = found.document(format)
    click.echo(text, nl=not text.endswith("\n"))
    if figures is not None:
        figures.activation(*found.curves(), plot, found.title)
        terminal().written(plot)


def _numbers(option: str, given: tuple[str, ...]) -> dict[str, float]:
    """Return NAME=VALUE pairs as numbers."""
    made = {}
    for text in given:
        name, _, value = text.partition("=")
        made[name.strip()] = _number(option, text, value)
    return made


def _spreads(given: str | None) -> list[float]:
    """Return the variances of a list, a fraction among them as 1/100."""
    if given is None:
        return []
    found = [_number("--variance", given, value) for value in given.split(",")]
    if any(not 0 <= value < float("inf") for value in found):
        raise SymbpError(f"--variance {printable(given)}: a variance is a finite number from 0")
    return found


def _number(option: str, text: str, value: str) -> float:
    above, _, below = value.partition("/")
    try:
        return float(above) / float(below or "1")
    except (ValueError, ZeroDivisionError):
        what = f"{option} {printable(text)}: {printable(value)} is no number"
        raise SymbpError(what, "write a number, as 0.02 or 1/100") from None
