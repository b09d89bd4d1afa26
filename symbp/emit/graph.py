"""A contraction as a graph: letters are vertices, matrices edges, vectors marks on a vertex.

Letters are eliminated one by one, each step a product of matrices that a person would write:
a leaf is a matrix times a vector, two edges in a row a matrix product, parallel edges a product
entry by entry.
"""

from collections.abc import Collection, Iterable

from symbp.emit.layout import ONE, Layout, function, product, quotient, row
from symbp.emit.strand import Chain, Column, Edge, Factor, Link, cost, gather, shown


class Graph:
    """The factors of a contraction that have letters; matrices of rank 2, vectors of rank 1."""

    def __init__(self, factors: Iterable[Factor]) -> None:
        self.columns: dict[int, list[Column]] = {}
        self.edges: list[Edge] = []
        for factor in factors:
            self._enter(factor)

    def _enter(self, factor: Factor) -> None:
        start, stop = factor.word[0], factor.word[-1]
        if start != stop:
            link = Link(factor.layout, fixed=factor.symmetric)
            self.edges.append(Edge(start, stop, (link,), factor.below, factor.late))
            return
        base = factor.layout if len(factor.word) == 1 else function("diag", factor.layout)
        self._hang(start, Column(factor.chain, base, factor.below, factor.late))

    def _hang(self, letter: int, column: Column) -> None:
        self.columns.setdefault(letter, []).append(column)

    @property
    def letters(self) -> list[int]:
        """The letters that still stand."""
        ends = [letter for edge in self.edges for letter in (edge.start, edge.stop)]
        return list(dict.fromkeys([*ends, *self.columns]))

    @property
    def is_cycle(self) -> bool:
        """Tell whether the edges form closed cycles and nothing hangs on them but vectors."""
        return bool(self.edges) and all(len(self.at(letter)) == 2 for letter in self.letters)

    def at(self, letter: int) -> list[Edge]:
        """Return the edges that end at a letter."""
        return [edge for edge in self.edges if letter in (edge.start, edge.stop)]

    def reduce(self, keep: tuple[int, ...]) -> bool:
        """Eliminate every letter but those to keep.  False where no matrix product does it."""
        while self.shed(keep) or self._join_parallel(keep) or self._join_series(keep):
            pass
        return set(self.letters) <= set(keep)

    def shed(self, keep: Collection[int] = ()) -> bool:
        """Eliminate letters at the end of one edge: a matrix times a vector."""
        changed = False
        while True:
            found = ((i, self.at(i)) for i in self.letters if i not in keep)
            leaf = next(((i, edges[0]) for i, edges in found if len(edges) == 1), None)
            if leaf is None:
                return changed
            self._shed(*leaf)
            changed = True

    def _shed(self, letter: int, edge: Edge) -> None:
        end = edge.other(letter)
        column = gather(self.columns.pop(letter, []))
        self.edges.remove(edge)
        chain = (*edge.along(end), *column.chain)
        self._hang(end, Column(chain, column.base, late=edge.late or column.late))

    def _join_parallel(self, keep: tuple[int, ...]) -> bool:
        for edge in self.edges:
            ends = {edge.start, edge.stop}
            group = [other for other in self.edges if {other.start, other.stop} == ends]
            if len(group) > 1:
                start = keep[0] if ends == set(keep) else _cheaper_end(group)
                self.edges = [other for other in self.edges if other not in group]
                self.edges.append(_entrywise(group, start))
                return True
        return False

    def _join_series(self, keep: Collection[int]) -> bool:
        for letter in self.letters:
            edges = self.at(letter)
            if letter in keep or len(edges) != 2:
                continue
            first, second = edges
            start, stop = first.other(letter), second.other(letter)
            middle = diagonal(self.columns.pop(letter, []))
            chain = (*first.along(start), *middle, *second.along(letter))
            self.edges = [edge for edge in self.edges if edge not in edges]
            self.edges.append(Edge(start, stop, chain, late=first.late or second.late))
            return True
        return False

    def round(self) -> list[Link] | None:
        """Return the links around a single cycle, vectors on it as diag; None for anything else."""
        start = first = self.edges[0].start
        left = list(self.edges)
        links: list[Link] = []
        while left:
            edge = next((edge for edge in left if first in (edge.start, edge.stop)), None)
            if edge is None or edge.below:
                return None
            left.remove(edge)
            links += edge.along(first)
            first = edge.other(first)
            links += diagonal(self.columns.get(first, []))
        return links if first == start else None


def diagonal(columns: list[Column]) -> Chain:
    """Return the columns at a letter as a diagonal matrix; of none, nothing."""
    if not columns:
        return ()
    return (Link(function("diag", row(*gather(columns).items)), fixed=True),)


def _cheaper_end(group: list[Edge]) -> int:
    ends = (group[0].start, group[0].stop)
    return min(ends, key=lambda end: sum(cost(edge.along(end)) for edge in group))


def _entrywise(group: list[Edge], start: int) -> Edge:
    """Return parallel edges as one, multiplied entry by entry."""

    def joined(edges: Iterable[Edge]) -> Layout:
        return product(*(row(*shown(e.bare(start))) for e in edges))

    above = sorted((edge for edge in group if not edge.below), key=lambda edge: edge.late)
    below = [edge for edge in group if edge.below]
    layout = joined(above) if above else ONE
    layout = quotient(layout, joined(below) if below else None, entrywise=True)
    late = any(edge.late for edge in group)
    return Edge(start, group[0].other(start), (Link(layout),), late=late)
