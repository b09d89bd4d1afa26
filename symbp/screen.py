"""The terminal: colour and tables by rich, plain where it is no terminal or NO_COLOR is set."""

from contextlib import AbstractContextManager
from pathlib import Path

from rich.console import Console
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


def inferred(program: Program) -> None:
    """Print the kinds that were inferred from the letters of an expression's names."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("name", "kind", "shape"):
        table.add_column(title)
    for row in report.inferred_rows(program):
        table.add_row(*row)
    _OUT.print(table)
    _OUT.print()


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
    _OUT.print(Text(f"Wrote {printable(str(path))}"))
