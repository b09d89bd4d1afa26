"""The terminal: colour and tables by rich, plain where it is no terminal or NO_COLOR is set."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from symbp import report
from symbp.check import Certificate
from symbp.derive.derivation import Derivation
from symbp.errors import printable
from symbp.program import Program

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
        made.add_column(title)
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
