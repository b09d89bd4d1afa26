"""The pieces that a contraction is put together from: factors, chains of matrices, columns."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from symbp.emit.layout import (
    ONE,
    ONES,
    Layout,
    Named,
    Sign,
    function,
    product,
    quotient,
    repeated,
    row,
    transposed,
)


@dataclass(frozen=True, eq=False)
class Factor:
    """A factor of a contraction.

    below: the factor is one over the layout.
    late: it holds a tangent or an adjoint, which stands last.
    squared: what it is the square of, entry by entry.
    rank: its place among scalars; brackets of places, numbers, names, anything else, sums.
    chain: the matrices in front of the layout, where the factor is their product with a vector.
    """

    layout: Layout
    word: tuple[int, ...] = ()
    below: bool = False
    late: bool = False
    symmetric: bool = False
    squared: Layout | None = None
    rank: int = 2
    chain: tuple["Link", ...] = ()


@dataclass(frozen=True, eq=False)
class Link:
    """A matrix of a chain; `fixed` where it is its own transpose."""

    layout: Layout
    flipped: bool = False
    fixed: bool = False

    @property
    def costs(self) -> bool:
        """Tell whether a transpose is written."""
        return self.flipped and not self.fixed


Chain = tuple[Link, ...]

DOTS = Link(Sign(unicode="⋯", plain="...", latex=r"\cdots"), fixed=True)
"""The factors of a product over a letter that stand between the first and the last."""


@dataclass(frozen=True, eq=False)
class Edge:
    """A chain of matrices from one letter to another."""

    start: int
    stop: int
    chain: Chain
    below: bool = False
    late: bool = False

    def along(self, start: int) -> Chain:
        """Return the chain as it is read from the given end."""
        chain = self.bare(start)
        if not self.below:
            return chain
        (link,) = chain
        return (replace(link, layout=quotient(ONE, link.layout, entrywise=True)),)

    def bare(self, start: int) -> Chain:
        """Return the chain as read from the given end, whether it stands above or below."""
        return self.chain if start == self.start else flip(self.chain)

    def other(self, letter: int) -> int:
        """Return the end that is not this one."""
        return self.stop if letter == self.start else self.start


@dataclass(frozen=True, eq=False)
class Column:
    """A chain of matrices times a vector, or one over a vector."""

    chain: Chain = ()
    base: Layout = ONES
    below: bool = False
    late: bool = False

    @property
    def items(self) -> tuple[Layout, ...]:
        """The column as a juxtaposition."""
        return (*shown(self.chain), self._solid)

    @property
    def row_items(self) -> tuple[Layout, ...]:
        """The column transposed, as a juxtaposition."""
        return (transposed(self._solid), *shown(flip(self.chain)))

    @property
    def is_name(self) -> bool:
        """Tell whether the column is a name alone."""
        return not self.chain and isinstance(self.base, Named)

    @property
    def _solid(self) -> Layout:
        return quotient(ONE, self.base, entrywise=True) if self.below else self.base


def flip(chain: Chain) -> Chain:
    """Return the transpose of a chain: the links in reverse, each transposed."""
    return tuple(replace(link, flipped=not link.flipped) for link in reversed(chain))


def shown(chain: Iterable[Link]) -> tuple[Layout, ...]:
    """Return a chain as a juxtaposition, X X as X²."""
    made: list[Layout] = []
    for _, run in groupby(chain, key=lambda link: (id(link.layout), link.costs)):
        links = list(run)
        power = repeated(links[0].layout, len(links))
        made.append(transposed(power) if links[0].costs else power)
    return tuple(made)


def cost(chain: Iterable[Link]) -> int:
    """Return how many transposes a chain writes."""
    return sum(link.costs for link in chain)


def in_order(factors: Iterable[Factor]) -> list[Factor]:
    """Return scalars as they stand in front: by their rank, and adjoints last."""
    return sorted(factors, key=lambda factor: (factor.late, factor.rank))


def entrywise(columns: Sequence[Column]) -> tuple[tuple[Layout, ...], Layout | None]:
    """Return columns multiplied entry by entry: what stands above, a row, and what below."""
    above = sorted((c for c in columns if not c.below), key=lambda c: (c.late, not c.is_name))
    below = [column.base for column in columns if column.below]
    under = product(*below) if below else None
    if len(above) == 1:
        return above[0].items, under
    joined = _with_dots(above)
    if joined is not None:
        return joined.items, under
    return (product(*(row(*c.items) for c in above)),) if above else (), under


def _with_dots(columns: Sequence[Column]) -> Column | None:
    """Return columns beside a product over a letter as one, diag(u) M … N v; None without one."""
    long = [column for column in columns if DOTS in column.chain]
    if len(long) != 1:
        return None
    beside = [row(*column.items) for column in columns if column is not long[0]]
    first = Link(function("diag", product(*beside)), fixed=True)
    return Column((first, *long[0].chain), long[0].base, late=long[0].late)


def gather(columns: Sequence[Column]) -> Column:
    """Return columns at one letter as a single one; of none, the ones."""
    if not columns:
        return Column()
    if len(columns) == 1 and not columns[0].below:
        return columns[0]
    joined = None if any(column.below for column in columns) else _with_dots(columns)
    if joined is not None:
        return joined
    above, below = entrywise(columns)
    base = quotient(row(*above) if above else ONE, below, entrywise=True)
    return Column((), base, late=any(column.late for column in columns))
