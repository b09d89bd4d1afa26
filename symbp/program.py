"""Programs: lines of expressions in the user's own names, a Wengert list.

Between lines a value is referred to by its name, so that cost grows with the number of lines and
never with the written-out expression (Griewank & Walther 2008, section 2.2).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import groupby
from typing import Literal, TypeAlias

import sympy as sp

from symbp.ir import Dim, Expr, holder, letters_of, line_of, name_of, variables


@dataclass(frozen=True)
class Loop:
    """`for letter in start..stop`, both ends included; `down`: from stop to start.

    No two loops of a program have the same letter, so a loop is known by it.  Bounds may speak of
    sizes and of the letters of loops around.
    """

    letter: sp.Symbol
    start: Dim
    stop: Dim
    down: bool = False


@dataclass(frozen=True)
class Binding:
    """One line `target = expr`.  `shown` is false for a helper line that a reader need not see.

    loops: the loops that the line stands in, the outermost first; lines that stand together in one
    follow each other.  adds: the line adds to its target, which is zero before the first such line
    and complete after the last; else no two turns of the loops give the same member a value.
    since: the first place of the innermost letter in whose turn the line is run, None for any.
    """

    target: Expr
    expr: Expr
    shown: bool = True
    loops: tuple[Loop, ...] = ()
    adds: bool = False
    since: Dim | None = None

    @property
    def name(self) -> str:
        """The name of the line."""
        return name_of(self.target)

    def saying(self, expr: Expr) -> "Binding":
        """Return the line with another expression."""
        return self if expr is self.expr else replace(self, expr=expr)


Gain: TypeAlias = sp.Expr | Fraction | float
"""A positive factor: a rational number, or a float where it has no such form."""


@dataclass(frozen=True)
class Init:
    """How a parameter is drawn, by the name that a spec gives to the way.

    variance: of every entry over the draw, None for what the way itself says.
    share: how much of each row is not zero, of `sparse`.
    gains: of `auto`, by what the variance of the values grows through the activation before the
    weight, and that of the adjoints through the one behind it; None until they are derived.
    """

    kind: str
    variance: Fraction | None = None
    share: Fraction | None = None
    gains: tuple[Gain, Gain] | None = None


@dataclass(frozen=True)
class Program:
    """A network or an identity: what is given, the lines, and what to differentiate.

    `loss` is a scalar line (None where there is none), `output` what `forward` returns.
    `reduction` says how the losses of the examples are joined.  `wrt` are the names to
    differentiate by.  `kind` is "network" (emitted with Params) or "identity" (value and grad).

    `families` has for the name of each family of symbolic length, of sizes as of variables, the
    range of its members.  What is given as such a family stands in `inputs`, `params` and the rest
    as the member at the range's letter.  `least` has the conditions on sizes, each an expression
    that is not negative, under which every member that is read is there.  `tuples` has the members'
    plain names of each parameter that was declared as a family of a known length.
    """

    name: str
    bindings: tuple[Binding, ...]
    inputs: tuple[Expr, ...] = ()
    targets: tuple[Expr, ...] = ()
    params: tuple[Expr, ...] = ()
    consts: tuple[Expr, ...] = ()
    output: Expr | None = None
    loss: Expr | None = None
    wrt: tuple[Expr, ...] = ()
    title: str = ""
    reduction: Literal["mean", "sum"] = "mean"
    sizes: Mapping[str, int | None] = field(default_factory=dict)
    inits: Mapping[str, Init] = field(default_factory=dict)
    kind: Literal["network", "identity"] = "network"
    source: str = ""
    origin: str = ""
    families: Mapping[str, Loop] = field(default_factory=dict)
    least: tuple[sp.Expr, ...] = ()
    tuples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def given(self) -> tuple[Expr, ...]:
        """Everything the program is given: inputs, targets, consts, params."""
        return (*self.inputs, *self.targets, *self.consts, *self.params)

    @property
    def is_looped(self) -> bool:
        """Whether a length is a symbol: there are loops, or families that are given."""
        return bool(self.families) or any(line.loops for line in self.bindings)

    @property
    def lengths(self) -> tuple[str, ...]:
        """The names of the sizes that ranges of loops and families speak of, in order."""
        ranges = [*self.families.values(), *(x for line in self.bindings for x in line.loops)]
        found = [s for x in ranges for end in (x.start, x.stop) for s in sp.S(end).free_symbols]
        return tuple(sorted({s.name for s in found if s.is_positive}))

    @property
    def result(self) -> Expr:
        """What is differentiated: the loss, or the output where there is no loss."""
        result = self.loss if self.loss is not None else self.output
        assert result is not None
        return result

    def init_of(self, param: Expr) -> Init:
        """Return how a parameter is drawn: as the spec says, else by its rank."""
        chosen = self.inits.get(name_of(param))
        if chosen is not None:
            return chosen
        return Init("xavier" if param.rank == 2 else "zero" if param.rank else "normal")

    def definition(self, target: Expr) -> Expr | None:
        """Return the expression of a line, None for what is given."""
        return next((b.expr for b in self.bindings if b.target is target), None)


def named_part(name: str, part: Expr, line: Binding) -> Binding:
    """Return a line for a part of another, in those of its loops that the part changes with."""
    letters = letters_of(part)
    last = max((k for k, loop in enumerate(line.loops) if loop.letter in letters), default=-1)
    loops = line.loops[: last + 1]
    return Binding(line_of(name, part, [loop.letter for loop in loops]), part, loops=loops)


def place_for(one: Binding, lines: Sequence[Binding], line: Binding) -> int:
    """Return where a line goes that another needs: at the end, or before a loop it is free of."""
    place = len(lines)
    if one.loops != line.loops:
        inside = line.loops[: len(one.loops) + 1]
        while place and lines[place - 1].loops[: len(inside)] == inside:
            place -= 1
    return place


def blocks(
    lines: Sequence[Binding], depth: int = 0
) -> Iterator[tuple[Loop | None, Sequence[Binding]]]:
    """Yield runs of lines with the loop they stand in, None for lines in no further loop.

    `depth` is how many loops around all the lines are known.
    """

    def loop_of(line: Binding) -> Loop | None:
        return line.loops[depth] if len(line.loops) > depth else None

    for loop, group in groupby(lines, key=loop_of):
        yield loop, tuple(group)


def needed(bindings: Iterable[Binding], roots: Iterable[Expr]) -> list[Binding]:
    """Return the bindings that the roots depend on, in their order; of a family, all of them."""
    lines = list(bindings)
    wanted = set(map(holder, variables(*roots)))
    kept: set[int] = set()
    before = -1
    while len(kept) > before:  # a loop reads what stands below, a turn before
        before = len(kept)
        for k, binding in reversed(list(enumerate(lines))):
            if k not in kept and holder(binding.target) in wanted:
                kept.add(k)
                wanted.update(map(holder, variables(binding.expr)))
        if not any(binding.loops for binding in lines):
            break
    return [binding for k, binding in enumerate(lines) if k in kept]
