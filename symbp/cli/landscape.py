"""The command that looks at a loss: landscape."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from symbp.cli.options import errors_as_messages, set_option, terminal, waiting


def _walk_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command what moves, how far, and what is fixed."""
    for option in (
        click.option("--steep", type=float, metavar="SLOPE",
                     help="The slope from which a region is steep.  [default: ten times the median "
                          "of the slopes on the way]"),
        click.option("--flat", type=float, metavar="SLOPE",
                     help="The slope up to which a region is flat.  [default: a tenth of the "
                          "median]"),
        click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True,
                     help="Draws what has no number by --at."),
        click.option("--at", "at", multiple=True, metavar="NAME=VALUE",
                     help="A number for what is fixed, as x=1, for all its entries; or a number "
                          "for each, row by row, as x=1,0.5."),
        click.option("--points", type=int, default=401, show_default=True,
                     help="At how many values the module is run."),
        click.option("--to", "stop", type=float, required=True, help="The last value."),
        click.option("--from", "start", type=float, required=True, help="The first value."),
        click.option("--param", required=True, metavar="NAME",
                     help="What moves: a scalar, or an entry, counted from 1, as W[1,2], b[3] or "
                          "Omega[2][1,1]."),
        click.argument("spec"),
    ):  # fmt: skip
        command = option(command)
    return command


@click.command()
@_walk_options
@set_option
@click.option("--plot", type=click.Path(path_type=Path), metavar="FILE",
              help="Draws loss and slope, as .svg or .png.")  # fmt: skip
@click.option("--force", is_flag=True, help="Overwrite a file that is not ours.")
@errors_as_messages
def landscape(
    spec: str, param: str, start: float, stop: float, points: int, at: tuple[str, ...], seed: int,
    flat: float | None, steep: float | None, sizes: tuple[str, ...], plot: Path | None, force: bool,
) -> None:  # fmt: skip
    """Walk along one number of the parameters of SPEC: its loss, where it is flat and where steep.

    Everything else is fixed, at the numbers of --at or as drawn: parameters as the spec's `init`
    says, the one example from a standard normal distribution.
    """
    walking, screen = import_module("symbp.landscape"), terminal()
    values = walking.values_between(start, stop, points)
    if plot is not None:
        import_module("symbp.figures").check_figure(plot, force)
    with waiting("deriving"):
        program, module = _compiled(spec, sizes)
    point = walking.draw(program, module, seed)
    moving = walking.entry_of(point, param)
    for text in at:
        walking.give(point, text, moving)
    way = screen.turns(values, f"walking along {moving.name}")
    found = walking.landscape(module.loss_and_grad, point, moving, way, (flat, steep))
    screen.table(walking.TITLES, walking.rows(found))
    screen.sentences([*walking.sentences(found), *walking.fixed(point, moving, seed)])
    if plot is not None:
        _draw(found, plot, program.title or program.name)
        screen.written(plot)


def _compiled(spec: str, sizes: tuple[str, ...]) -> tuple[Any, Any]:
    """Return the program of a spec and its module, with the gradients of all parameters."""
    pipeline = import_module("symbp.pipeline")
    program = pipeline.read_program(spec, declared=pipeline.Declared(sizes=sizes))
    program = import_module("symbp.landscape").by_every_param(program)
    return program, pipeline.compile_module(pipeline.derive(program))


def _draw(found: Any, plot: Path, title: str) -> None:
    figures = import_module("symbp.figures")
    regions = [(region.start, region.stop, region.kind) for region in found.regions]
    limits, names = (found.flat, found.steep), (found.name, "loss")
    terrain = figures.Terrain(found.values, found.loss, found.slope, regions, names, limits)
    figures.landscape(terrain, plot, title)
