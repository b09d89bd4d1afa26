"""What is entered while a spec is read: declarations, lines so far, loops around."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from symbp.errors import Span, SpecError
from symbp.ir import Dim, Expr, Shape
from symbp.ops.kinds import Elementwise
from symbp.program import Binding, Loop
from symbp.sizes import letter_symbol
from symbp.spec import limits
from symbp.spec.families import Definition, Family

CONSTANTS = {"pi": sp.pi, "euler": sp.E}
_OF_LINES = ("lines", "coming", "shapes", "templates", "letters", "least", "hidden", "sums")


class TurnError(SpecError):
    """A SpecError that says in which turn of loops it is met."""


@dataclass(frozen=True, slots=True)
class UserOperation:
    """An `op` line: its SymPy function, and the record of what it does."""

    function: type[sp.Function]
    record: Elementwise
    arity: int


@dataclass
class Entries:
    """What is known at the line that is being read.

    numbers: the numbers that were asked for, of a size or of each member of a family.
    sizes: each size with its number, None where it is symbolic.
    families: the range of each declared family, its letter standing for the member's number.
    computed: the families of symbolic length that lines give values.
    indices: the letters of the loops around, with their numbers, or themselves.
    loops: the loops around that are not written out; statement: the number of the line.
    coming: the lines below, by name, with the number of the line of text.
    room: how many nodes may still be read.

    Of the lines read so far: lines, the variable of each; shapes, of what each line of a family
    gives; templates, the shape of any member at a family's axes; letters, how many loops have each;
    least, the differences of sizes that must not be negative; hidden, lines for sums in the line
    being read; sums, the names of all such.
    """

    numbers: Mapping[str, int | tuple[int, ...]] = field(default_factory=dict)
    sizes: dict[str, int | None] = field(default_factory=dict)
    given: dict[str, Expr] = field(default_factory=dict)
    operations: dict[str, UserOperation] = field(default_factory=dict)
    families: dict[str, Loop] = field(default_factory=dict)
    computed: dict[str, Family] = field(default_factory=dict)
    batched: set[str] = field(default_factory=set)
    indices: dict[str, Dim] = field(default_factory=dict)
    loops: tuple[Loop, ...] = ()
    statement: int = 0
    places: dict[str, Span] = field(default_factory=dict)
    room: int = limits.NODES
    lines: dict[str, Expr] = field(default_factory=dict)
    coming: dict[str, int] = field(default_factory=dict)
    shapes: dict[Definition, Shape] = field(default_factory=dict)
    templates: dict[str, Shape] = field(default_factory=dict)
    letters: dict[str, int] = field(default_factory=dict)
    least: list[Dim] = field(default_factory=list)
    hidden: list[Binding] = field(default_factory=list)
    sums: list[str] = field(default_factory=list)

    def kept(self) -> dict[str, Any]:
        """Return what is known of the lines read so far, to come back to."""
        return {name: copy(getattr(self, name)) for name in _OF_LINES}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Come back to what was known when it was kept."""
        for name, known in kept.items():
            setattr(self, name, copy(known))

    def letter(self, name: str) -> sp.Symbol:
        """Return the letter of one more loop."""
        number = self.letters.get(name, 0)
        self.letters[name] = number + 1
        return letter_symbol(name, number)

    def spend(self, span: Span) -> None:
        """Count one node; raise a SpecError where loops ask for too many."""
        self.room -= 1
        if self.room < 0:
            raise limits.too_many(span)

    def declare(self, name: str, span: Span) -> None:
        """Note where a name is declared; raise a SpecError where it already means something."""
        if name in self.places:
            first, span = sorted((self.places[name], span), key=lambda at: (at.line, at.column))
            line = first.line
            help = "a name means one thing: choose another name for one of the two"
            raise SpecError(f"`{name}` is already declared in line {line}", span, help)
        if name in CONSTANTS:
            value = f"{float(CONSTANTS[name]):.5f}"
            help = f"choose another name, such as `{name}_1`"
            raise SpecError(f"`{name}` is the constant {value}…", span, help)
        if name == "loss":
            help = "write `loss = expression`; choose another name for what is given"
            raise SpecError("`loss` names the line that is differentiated", span, help)
        self.places[name] = span

    @contextmanager
    def at(self, indices: Mapping[str, Dim], loops: tuple[Loop, ...] = ()) -> Iterator[None]:
        """Give letters their places for a while; an error meanwhile names those with numbers."""
        before, around = self.indices, self.loops
        self.indices, self.loops = {**before, **indices}, (*around, *loops)
        numbers = {key: value for key, value in self.indices.items() if isinstance(value, int)}
        try:
            yield
        except TurnError:
            raise
        except SpecError as error:
            if not numbers:
                raise
            where = ", ".join(f"{letter} = {value}" for letter, value in numbers.items())
            message = f"{error.message} (where {where})"
            raise TurnError(message, error.span, error.help) from None
        finally:
            self.indices, self.loops = before, around
