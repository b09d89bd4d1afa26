"""The cost of a derivation as text: formulas, formulas in one size, numbers, and what they say."""

import operator
from collections.abc import Sequence
from dataclasses import dataclass, fields
from textwrap import fill

import sympy as sp

from symbp.derive.derivation import Derivation
from symbp.effort import Counts, counts
from symbp.emit.count import count_text
from symbp.emit.math import shape_text
from symbp.emit.pieces import BREAK
from symbp.emit.wrapping import columns, wrap
from symbp.lower.batch import EXAMPLES
from symbp.lower.numbers import Given, Numbers, examples_letter, size_families
from symbp.sizes import size_member


@dataclass(frozen=True)
class Cost(Counts):
    """What a derivation costs: formulas, `.at(K=3, D=16)` in numbers, `.unicode()` to read."""

    def unicode(self) -> str:
        """Return the cost as text for a terminal."""
        parts = [self.program.title or self.program.name]
        parts += [
            _CONVENTION.format(self.letter),
            *_formulas(self),
            *_in_one_size(self),
            *_in_numbers(self),
        ]
        return "\n\n".join([*parts, *(fill(said, 100) for said in _sentences(self))])

    @property
    def letter(self) -> str:
        """The letter of the number of examples."""
        return examples_letter(self.program)

    def __str__(self) -> str:
        return self.unicode()


def cost(derivation: Derivation, **sizes: Given) -> Cost:
    """Return what a derivation costs; `sizes` are numbers: `K=3, D=(784, 128, 10), N=32`.

    Raises SymbpError for a name that is no size.
    """
    found = counts(derivation)
    values = {field.name: getattr(found, field.name) for field in fields(found)}
    values["known"] = found.known.among(derivation.program, sizes)
    return Cost(**values)


_CONVENTION = """\
A multiplication with the addition behind it counts one operation, as does an addition alone and a
function of one number; inverses and determinants of n × n matrices count n³.  {} is the number of
examples.  The gradients are those by parameters and by inputs.

Reverse mode is the forward pass and one reverse sweep.  Forward mode is the forward pass and a
tangent sweep for each parameter.  Naive products are the forward pass and, for each gradient on its
own, the chain of products from the loss down to it.  Stored are the numbers that the forward pass
keeps for the reverse sweep, inputs among them, and the output where the sweep reads it."""

_ROWS = {
    "Forward pass": "forward",
    "Reverse mode": "reverse",
    "One tangent sweep": "tangent",
    "Parameters": "parameters",
    "Naive products": "naive",
    "Stored": "stored",
}
_ROOM = 76
"""Columns for a formula; a longer one goes on in the next line."""


def _formulas(cost: Cost) -> list[str]:
    """Return the counts as formulas; also with some numbers in them, where not all are known."""
    parts = [
        "In symbols",
        _table([(row, count_text(getattr(cost, key), cost.letter)) for row, key in _ROWS.items()]),
    ]
    if not cost.is_known and not _is_empty(cost.known):
        values = [(row, cost.known.value(getattr(cost, key))) for row, key in _ROWS.items()]
        parts.append(fill(f"At {_at(cost.known, cost)}", 100))
        parts.append(_table([(row, count_text(value, cost.letter)) for row, value in values]))
    return parts


def _in_one_size(cost: Cost) -> list[str]:
    """Return the counts with one size for all axes, and their leading terms; [] for no symbol."""
    axes = [
        shape_text((size_member(name, _letter(name, cost)),))
        for name in size_families(cost.program)
    ]
    axes += [shape_text((s,)) for s in cost.widths]
    if not axes:
        return []
    rows = []
    for row, key in _ROWS.items():
        found = cost.equal(getattr(cost, key))
        whole, top = (count_text(count, cost.letter) for count in (found, leading(found)))
        rows.append((row, whole, f"leading {top}".replace(BREAK, " ")))
    return [f"With {' = '.join(axes)} = {cost.width}", _table(rows)]


def _letter(name: str, cost: Cost) -> sp.Symbol:
    return cost.program.families[name].letter


def leading(count: sp.Expr) -> sp.Expr:
    """Return the terms of a polynomial that no other term of it outgrows."""
    if not count.free_symbols:
        return count
    letters = sorted(count.free_symbols, key=str)
    terms = dict(sp.Poly(count, *letters).terms())
    top = [powers for powers in terms if not any(_outgrows(other, powers) for other in terms)]
    monomials = (sp.prod(map(sp.Pow, letters, powers)) * terms[powers] for powers in top)
    return sp.Add(*monomials)


def _outgrows(powers: tuple[int, ...], others: tuple[int, ...]) -> bool:
    return powers != others and all(map(operator.ge, powers, others))


def _in_numbers(cost: Cost) -> list[str]:
    where = _at(cost.trial, cost)
    title = f"In numbers, at {where}" if cost.is_known else f"In numbers, at small sizes: {where}"
    rows = [("Forward mode", "by_forward_mode") if row == "One tangent sweep" else (row, key)
            for row, key in _ROWS.items()]  # fmt: skip
    values = [(row, f"{int(cost.trial.value(getattr(cost, key))):,}") for row, key in rows]
    width = max(len(value) for _, value in values)
    return [fill(title, 100), _table([(row, value.rjust(width)) for row, value in values])]


def _sentences(cost: Cost) -> list[str]:
    """Return what the numbers say, a sentence a paragraph."""
    value = {key: int(cost.trial.value(getattr(cost, key))) for key in
             ("reverse", "by_forward_mode", "parameters", "naive", "stored")}  # fmt: skip
    reverse = max(value["reverse"], 1)
    holds = "holds" if cost.ratio <= BOUND else "does NOT hold, by the way operations count here"
    many = f"{value['parameters']:,} parameter{'s' * (value['parameters'] != 1)}"
    return [
        f"Reverse mode: {cost.ratio:.2f} times the forward pass; at most {BOUND}: {holds}.",
        f"Forward mode takes one sweep for each of {many}: "
        f"{_times(value['by_forward_mode'] / reverse)} times the operations of reverse mode.",
        f"Naive products: {_times(value['naive'] / reverse)} times the operations of reverse mode.",
        f"Reverse mode stores {value['stored']:,} numbers: {8 * value['stored']:,} bytes in "
        f"float64, {4 * value['stored']:,} in float32.",
        f"Forward mode needs {cost.largest_live:,} at a time, values and tangents: those of the "
        "largest line\nwith the lines it reads; what later lines read again comes on top.",
    ]


BOUND = 4
"""Reverse mode takes at most four times the operations of the forward pass.

Source: Griewank & Walther 2008, section 4.6, the cheap gradient principle.
"""


def _times(factor: float) -> str:
    """Return a factor in three digits."""
    if factor < 100:
        return f"{factor:.2f}"
    digits = 10 ** max(len(str(int(factor))) - 3, 0)
    return f"{round(factor / digits) * digits:,}"


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    """Return rows in columns; of a broken formula, each part on a line of its own."""
    lines: list[tuple[str, ...]] = []
    for head, formula, *rest in rows:
        first, *more = wrap(formula, _ROOM)
        lines.append((head, first, *rest))
        lines += [("", part) for part in more]
    widths = [max(columns(line[k]) for line in lines if len(line) > k) for k in range(2)]
    made = []
    for line in lines:
        cells = [
            cell + " " * (width - columns(cell)) for cell, width in zip(line, widths, strict=False)
        ]
        made.append("    " + "   ".join([*cells, *line[2:]]).rstrip())
    return "\n".join(made)


def _is_empty(known: Numbers) -> bool:
    return not (known.sizes or known.members or known.same)


def _at(known: Numbers, cost: Cost) -> str:
    """Return numbers as text: `K = 2, D = 784, 128, 10, N = 1`."""
    found = [f"{shape_text((s,))} = {k}" for s, k in known.sizes.items() if s != EXAMPLES]
    for name in size_families(cost.program):
        listed = [str(k) for (family, _), k in sorted(known.members.items()) if family == name]
        listed = [str(known.same[name])] if name in known.same else listed
        found += [f"{name} = {', '.join(listed)}"] if listed else []
    examples = known.sizes.get(EXAMPLES)
    found += [f"{cost.letter} = {examples}"] if examples is not None else []
    return "; ".join(found) if any(", " in one for one in found) else ", ".join(found)
