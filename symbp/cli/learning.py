"""The commands that learn: train."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from symbp.cli.options import errors_as_messages, set_option, terminal, waiting
from symbp.errors import SymbpError

_FILE = click.Path(path_type=Path)


def _run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of a run; what is not given is as in `training.options`."""
    for option in (
        click.option("--dtype", type=click.Choice(["float64", "float32"]),
                     help="Of the arithmetic.  [default: float64]"),
        click.option("--holdout", type=float, metavar="SHARE",
                     help="The share of the examples held back, to measure on.  [default: 0]"),
        click.option("--seed", type=int,
                     help="Draws the parameters and the order of the examples.  [default: 0]"),
        click.option("--decay", type=float,
                     help="What the rate is multiplied by.  [default: 0.5]"),
        click.option("--decay-every", type=int, metavar="EPOCHS",
                     help="How often; 0 is never.  [default: sgd 10, adam 0]"),
        click.option("--momentum", type=float, help="Of sgd.  [default: 0.9]"),
        click.option("--rate", type=float, help="The step size.  [default: sgd 0.1, adam 0.001]"),
        click.option("--optimizer", type=click.Choice(["sgd", "adam"]), help="[default: sgd]"),
        click.option("--batch", type=int, help="Examples a step.  [default: 10]"),
        click.option("--epochs", type=int, help="[default: 100]"),
    ):  # fmt: skip
        command = option(command)
    return command


@click.command()
@click.argument("spec")
@click.argument("data", type=_FILE, required=False)
@click.option("--random", "examples", type=int, metavar="N",
              help="N random examples instead of DATA, as in figure 7.8: standard normal, classes "
                   "even.")  # fmt: skip
@_run_options
@set_option
@click.option(
    "-o",
    "--output",
    type=_FILE,
    metavar="FILE",
    help="The file of the parameters, .npz.  [default: NAME.params.npz]",
)
@click.option("--state", type=_FILE, metavar="FILE", help="Keeps the run after every epoch.")
@click.option("--resume", type=_FILE, metavar="FILE", help="The state to go on from, and to keep.")
@click.option("--plot", type=_FILE, metavar="FILE", help="Draws the losses, as .svg or .png.")
@click.option("--force", is_flag=True, help="Overwrite files that are not ours, or an old state.")
@errors_as_messages
def train(
    spec: str, data: Path | None, examples: int | None, sizes: tuple[str, ...],
    output: Path | None, state: Path | None, resume: Path | None, plot: Path | None, force: bool,
    **given: Any,
) -> None:  # fmt: skip
    """Train on DATA, an .npz file with an array for each input, const and target of SPEC.

    The defaults are those of figure 7.8 of the notes: gradient descent with momentum, 100 epochs of
    batches of 10, the rate halved every 10 epochs.  A run that was interrupted goes on with
    `--resume`, and ends as if it had not been.
    """
    if (data is None) == (examples is None):
        what = "no data to train on" if data is None else "both DATA and --random"
        raise SymbpError(what, "name an .npz file, or write `--random 100`")
    seed = given["seed"]
    with waiting("reading"):
        trainer = import_module("symbp.trainer")
        program = trainer.read_program(spec, declared=trainer.Declared(sizes=sizes))
        output = output or Path(f"{program.name}.params.npz")
        spare = Path(f"{program.name}.state.npz")
        files = trainer.Files(output, state, resume, force, None if spare.exists() else spare)
        files.check(*([] if data is None else [data]))
        figures = None if plot is None else import_module("symbp.figures")
        if figures is not None:
            figures.check_figure(plot, force)
    with waiting("deriving"):
        chosen = {name: value for name, value in given.items() if value is not None}
        source = trainer.random_data(program, examples, seed or 0) if data is None else data
        training = trainer.prepare(program, source, chosen, resume)
    with terminal().training(training, files) as report:
        run = training.run(report, files)
    run.save(output, force=force)
    terminal().trained(run)
    terminal().written(output)
    if figures is not None:
        figures.losses(run.losses, plot, program.title or program.name)
        terminal().written(plot)
