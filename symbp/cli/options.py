"""What the commands share: options, errors as messages, and the terminal at first use."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from io import TextIOWrapper
from typing import Any, cast

import click

from symbp.errors import SymbpError

INPUT_IS_WRONG = 2


def errors_as_messages(command: Callable[..., Any]) -> Callable[..., Any]:
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


def terminal() -> Any:
    """Return the module that draws on the terminal; SymPy and rich are imported only now."""
    return import_module("symbp.screen")


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """Show what is going on while it does, on a terminal."""
    with terminal().status(text):
        yield


set_option = click.option(
    "--set",
    "sizes",
    multiple=True,
    metavar="NAME=NUMBER",
    help="A number for a size of the spec, as K=3; numbers for a family, as D=784,128,10.",
)


def source_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the spec or expression that it reads, and what is declared beside it."""
    for option in (
        set_option,
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


format_option = click.option(
    "--format",
    "format",
    type=click.Choice(["unicode", "latex", "markdown"]),
    default="unicode",
    show_default=True,
)


def second_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command what is wanted besides gradients, and its layout."""
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
