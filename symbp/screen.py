"""The terminal: colour and tables by rich, plain where it is no terminal or NO_COLOR is set."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    track,
)
from rich.table import Table
from rich.text import Text

from symbp import report
from symbp.check import Certificate
from symbp.derive.derivation import Derivation
from symbp.errors import printable
from symbp.program import Program
from symbp.simulation import Draws, Simulation
from symbp.trainer import Files, Report, Run, Training
from symbp.training.loop import History, State

_ROWS = 40
"""Of a simulation: more are not read on a terminal."""

_OUT = Console(highlight=False, soft_wrap=True)
_ERR = Console(stderr=True, highlight=False)


def status(text: str) -> AbstractContextManager[object]:
    """Return a context that shows what is going on; nothing where there is no terminal."""
    return _ERR.status(text)


def turns(values: Sequence[float], text: str) -> Iterable[float]:
    """Yield the values while a bar shows how many are done; no bar where there is no terminal."""
    return track(values, text, console=_ERR, transient=True, disable=not _ERR.is_terminal)


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table, and an empty line below it."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for title in titles:
        made.add_column(Text(title))
    for row in rows:
        made.add_row(*map(Text, row))
    _OUT.print(made)
    _OUT.print()


def sentences(lines: Iterable[str]) -> None:
    """Print lines as they are."""
    for line in lines:
        _OUT.print(Text(line))


def inferred(program: Program) -> None:
    """Print the kinds that were inferred from the letters of an expression's names."""
    table(("name", "kind", "shape"), report.inferred_rows(program))


def derivation(found: Derivation, page: report.Page) -> None:
    """Print the derivation, titles in bold."""
    text = report.text(found, "unicode", page)
    for line in text.rstrip("\n").split("\n"):
        plain = line and not line.startswith(" ") and not line.endswith(".")
        _OUT.print(Text(line, style="bold" if plain else ""))
    _OUT.print()


def certificate(found: Certificate) -> None:
    """Print the certificate: a row for every gradient, one for each other kind of test."""
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    for title in ("derivative", "of", "against", "error", ""):
        table.add_column(title, justify="right" if title == "error" else "left")
    for *cells, verdict in report.certificate_rows(found):
        table.add_row(*cells, Text(verdict, style="green" if verdict == "ok" else "bold red"))
    _OUT.print(Text("Certificate", style="bold"))
    _OUT.print()
    _OUT.print(table)
    for line in report.failures(found):
        _OUT.print(Text(line, style="red"))
    _OUT.print()


def written(path: Path) -> None:
    """Say what was written."""
    sentences([f"Wrote {printable(str(path))}"])


@contextmanager
def working(text: str) -> Iterator[Callable[[str], None]]:
    """Give what to call with what is going on, shown where there is a terminal."""
    with _ERR.status(text) as shown:
        yield shown.update


def simulated(found: Sequence[Simulation], draws: Draws) -> None:
    """Print what was derived beside what was measured, line by line; of many lines, some."""
    networks = f"{draws.seeds} network{'s' * (draws.seeds > 1)}, {draws.examples} examples each"
    for one in found:
        _OUT.print(Text(f"{one.label}: {networks}, {draws.dtype}", style="bold"))
        _OUT.print()
        rows = [row.cells() for row in one.layers]
        step = max(1, -(-len(rows) // _ROWS))
        shown = [row for k, row in enumerate(rows) if k % step == 0 or k == len(rows) - 1]
        table(("line", "layer", "E[z²] derived", "measured", "±", "ratio"), shown)
        if len(shown) < len(rows):
            sentences([f"{len(shown)} of {len(rows)} lines; --plot draws them all.", ""])
        for warning in one.warnings():
            _ERR.print(Text(f"warning: {warning}", style="yellow"), soft_wrap=True)


@contextmanager
def training(run: Training, files: Files) -> Iterator[Report]:
    """Give what to call after each epoch: a bar on a terminal, else a line for every tenth epoch.

    Where the run is interrupted, say what there is of it.
    """
    epochs, state = run.loop.options.epochs, run.state
    _OUT.print(Text(f"{run.loop.options}; {_of(run)}"))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    bar = Progress(*columns, TimeRemainingColumn(), console=_ERR, transient=True)
    task = bar.add_task("training", total=epochs, completed=state.epoch)

    def show(now: State, warnings: list[str]) -> None:
        nonlocal state
        state = now
        bar.update(task, completed=state.epoch, description=_numbers(state.history))
        for text in warnings:
            _ERR.print(Text(f"warning: {text}", style="yellow"), soft_wrap=True)
        if not _ERR.is_terminal and (state.epoch % 10 == 0 or state.epoch in (1, epochs)):
            _OUT.print(f"epoch {state.epoch:>{len(str(epochs))}}  {_numbers(state.history)}")

    try:
        with bar if _ERR.is_terminal else nullcontext():
            yield show
    except KeyboardInterrupt:
        _ERR.print(Text(_interrupted(state, files)), soft_wrap=True)
        raise


def _of(run: Training) -> str:
    """Return what is trained on what, and from which epoch on."""
    parts = [f"{len(run.state.point.theta):,} numbers, {run.loop.data.examples:,} examples"]
    parts += [f"{run.loop.held.examples:,} held back"] if run.loop.held else []
    parts += [f"from epoch {run.state.epoch + 1} on"] if run.state.epoch else []
    return ", ".join(parts)


def _numbers(history: History) -> str:
    """Return the last number of each kind: losses, and accuracies in per cent."""
    shown = {name: values[-1] for name, values in history.items() if values}
    return "  ".join(
        f"{name} {100 * value:.1f} %" if name.endswith("accuracy") else f"{name} loss {value:.6g}"
        for name, value in shown.items()
    )


def _interrupted(state: State, files: Files) -> str:
    what, held = f"interrupted in epoch {state.epoch + 1}", files.holding()
    if held is None:
        return f"{what}, and nothing is kept\nhelp: `--state FILE` keeps every whole epoch"
    shown = printable(str(held))
    return f"{what}; {shown} holds the whole ones\nhelp: `--resume {shown}` goes on with it"


def trained(run: Run) -> None:
    """Print what a run has come to."""
    first = {name: values[:1] for name, values in run.losses.items()}
    _OUT.print(f"Epoch 1: {_numbers(first)}; epoch {len(run.gradients)}: {_numbers(run.history)}")
