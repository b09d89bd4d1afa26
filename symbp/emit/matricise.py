"""A contraction in matrix notation, as a person would write it.

Scalars stand in front.  A scalar is `uᵀ A v`, a trace, a norm or a sum; a vector is what meets at
its letter, multiplied entry by entry; a matrix is the chain along the path from its first letter
to its second.  What is none of these is left to `indices.py`: nothing is guessed.
"""

from collections.abc import Collection, Iterable, Sequence

import sympy as sp

from symbp.emit.graph import Graph, diagonal
from symbp.emit.layout import (
    IDENTITY,
    ONE,
    ONES,
    Element,
    Layout,
    Norm,
    Power,
    Row,
    function,
    is_unit,
    product,
    quotient,
    row,
)
from symbp.emit.strand import Column, Factor, Link, cost, entrywise, flip, gather, in_order, shown
from symbp.ir import Shape
from symbp.words import components

Body = tuple[tuple[Layout, ...], Layout | None]
"""What stands above, a juxtaposition, and what it is divided by entry by entry."""


def matrix_form(
    factors: Sequence[Factor], out: tuple[int, ...], dims: Shape, broadcast: bool
) -> Layout | None:
    """Return the contraction in matrix notation, None where there is none.

    `broadcast` where a scalar may stand for an array that repeats it.
    """
    scalars = [factor for factor in factors if not factor.word]
    open_factors: list[Factor] = []
    for component in joined([factor for factor in factors if factor.word]):
        if any(letter in out for factor in component for letter in factor.word):
            open_factors += component
        else:
            closed = _scalar(component)
            if closed is None:
                return None
            scalars.append(closed)
    if broadcast and not open_factors:
        return _assemble(scalars, (), None)
    body = _body(open_factors, out, dims) if _is_matrix(open_factors, out) else None
    return None if body is None else _assemble(scalars, *body)


def _is_matrix(factors: Sequence[Factor], out: tuple[int, ...]) -> bool:
    return len(out) <= 2 and all(len(factor.word) <= 2 for factor in factors)


def _body(factors: Sequence[Factor], out: tuple[int, ...], dims: Shape) -> Body | None:
    if not out:
        return (), None
    graph = Graph(factors)
    if not graph.reduce(tuple(dict.fromkeys(out))):
        return None
    if len(out) == 1:
        return entrywise(graph.columns.get(out[0], [])) if factors else ((ONES,), None)
    if out[0] == out[1]:
        columns = graph.columns.get(out[0], [])
        return (
            ((function("diag", row(*gather(columns).items)),) if columns else (IDENTITY,)),
            None,
        )
    left, right = (graph.columns.get(letter, []) for letter in out)
    if graph.edges:
        (edge,) = graph.edges
        links = (*diagonal(left), *edge.along(out[0]), *diagonal(right))
        return shown(links), None
    if not left and dims[out[0]] == 1:
        return gather(right).row_items, None
    if not right and dims[out[1]] == 1:
        return gather(left).items, None
    return (*gather(left).items, *gather(right).row_items), None


def _assemble(scalars: Iterable[Factor], above: tuple[Layout, ...], below: Layout | None) -> Layout:
    """Return scalars in front of what stands above, and all that is divided by under a line."""
    ordered = in_order(scalars)
    items = [*(factor.layout for factor in ordered if not factor.below), *above]
    under = [factor.layout for factor in ordered if factor.below]
    if not above and items and type(items[-1]) is Row:
        items[-1:] = items[-1].parts
    bottom = row(*under, *([below] if below else [])) if under or below else None
    return quotient(row(*items) if items else ONE, bottom, entrywise=below is not None)


def joined(factors: Sequence[Factor], cut: Collection[int] = ()) -> list[list[Factor]]:
    """Return the factors grouped by the letters that join them; letters to cut at join nothing."""
    groups = components([set(factor.word) - set(cut) for factor in factors])
    return [[factors[k] for k in group] for group in groups]


def _scalar(factors: Sequence[Factor]) -> Factor | None:
    """Return a component without letters in the result as one scalar; None where it is no such."""
    late = any(factor.late for factor in factors)
    if any(len(factor.word) > 2 for factor in factors):
        return None
    layout = _element(factors) or _squares(factors) or _trace(factors) or _inner(factors)
    return None if layout is None else Factor(layout, late=late, rank=3)


def _element(factors: Sequence[Factor]) -> Layout | None:
    """Return X₀₁ where unit vectors fix every letter of one array."""
    units = {f.word[0]: f.layout.parts[0] for f in factors if is_unit(f.layout)}
    others = [f for f in factors if not is_unit(f.layout)]
    if len(others) != 1 or len(units) + 1 != len(factors) or set(others[0].word) != set(units):
        return None
    ((array,), places) = others, tuple(units[letter] for letter in others[0].word)
    whole = array.layout if array.squared is None else array.squared
    entry: Layout = Element((whole, *places))
    if array.squared is not None:
        entry = Power((entry,), exponent=sp.Integer(2))
    return quotient(ONE, entry) if array.below else entry


def _squares(factors: Sequence[Factor]) -> Layout | None:
    """Return ‖a ⊙ b‖² where each factor is a square with the same letters."""
    word = factors[0].word
    bases = [f.squared for f in factors if f.squared is not None and f.word == word]
    if len(bases) < len(factors) or len(set(word)) < len(word):
        return None
    return Power((Norm((product(*bases),)),), exponent=sp.Integer(2))


def _trace(factors: Sequence[Factor]) -> Layout | None:
    """Return tr(A B …) where the matrices close a cycle."""
    if len(factors) == 1 and len(set(factors[0].word)) < len(factors[0].word):
        (factor,) = factors
        inner = quotient(ONE, factor.layout, entrywise=True) if factor.below else factor.layout
        return function("tr", inner)
    graph = Graph(factors)
    graph.shed()
    if not graph.is_cycle or (len(graph.edges) == 2 and graph.columns):
        return None
    links = graph.round()
    if links is None:
        return None
    turns = [
        (turn[k:] + turn[:k], k)
        for turn in (links, list(flip(tuple(links))))
        for k in range(len(links))
    ]
    best, _ = min(turns, key=lambda turn: _trace_cost(turn[0], links[0]))
    return function("tr", row(*shown(best)))


def _trace_cost(links: Sequence[Link], first: Link) -> tuple[int, bool, bool]:
    return cost(links), not links[0].costs, links[0].layout is not first.layout


def _inner(factors: Sequence[Factor]) -> Layout | None:
    """Return uᵀ A v or sum(…), from whichever letter needs the fewest transposes."""
    found = []
    for root in Graph(factors).letters:
        graph = Graph(factors)
        if graph.reduce((root,)):
            found += _closings(graph.columns[root])
    return min(found, key=lambda closing: closing[0])[1] if found else None


def _closings(columns: list[Column]) -> list[tuple[tuple[int, bool], Layout]]:
    """Return the ways to sum over the last letter, each with what it costs."""
    if len(columns) == 2 and not any(column.below for column in columns):
        return [_dot(columns[0], columns[1]), _dot(columns[1], columns[0])]
    above, below = entrywise(columns)
    chain = [link for column in columns for link in column.chain]
    if len(columns) == 1 and len(above) > 1 and above[-1] is ONES:
        above = above[:-1]
    layout = quotient(row(*above) if above else ONE, below, entrywise=True)
    return [((cost(chain), False), function("sum", layout))]


def _dot(left: Column, right: Column) -> tuple[tuple[int, bool], Layout]:
    transposes = 1 + cost(flip(left.chain)) + cost(right.chain)
    return (transposes, left.late), Row((*left.row_items, *right.items))
