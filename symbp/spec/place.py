"""What a SymPy expression is differentiated by: symbols, elements, names, and how often each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixElement

from symbp.errors import SymbpError, did_you_mean, printable
from symbp.ir import Dim
from symbp.program import Program
from symbp.spec.from_sympy import from_sympy, size_symbols, variable_of
from symbp.spec.sympy_index import check_index
from symbp.spec.view import dim


@dataclass(frozen=True)
class Place:
    """What is differentiated by: a symbol, and where one entry of it is meant, its index."""

    symbol: Any
    index: tuple[Dim, ...] = ()

    @property
    def name(self) -> str:
        """The symbol's name."""
        return str(self.symbol.name)

    @property
    def sizes(self) -> set[str]:
        """The names in its shape."""
        return {symbol.name for symbol in size_symbols(self.symbol)}

    @property
    def indices(self) -> set[str]:
        """The names in its index."""
        return {symbol.name for place in self.index for symbol in sp.S(place).free_symbols}

    @classmethod
    def of(cls, item: Any, expr: Any) -> "Place":
        """Read a variable; raise SymbpError for what is none."""
        if isinstance(item, str):
            return cls(_named(item, expr))
        if isinstance(item, sp.Symbol | sp.MatrixSymbol):
            return cls(item)
        if isinstance(item, MatrixElement) and isinstance(item.parent, sp.MatrixSymbol):
            for index in item.indices:
                check_index(item, index)
            return cls(item.parent, tuple(dim(index) for index in item.indices))
        help = (
            "give a Symbol, a MatrixSymbol or an element X[i, j]; put a symbol for the expression"
        )
        raise SymbpError(f"{type(item).__name__} {item} is no variable", help)


def _named(name: str, expr: Any) -> Any:
    """Return the symbol of an expression that has a name."""
    known = {symbol.name: symbol for symbol in expr.free_symbols}
    if name in known:
        return known[name]
    near = did_you_mean(name, known)
    help = f"did you mean {near}?" if near else f"its names are {', '.join(sorted(known))}"
    raise SymbpError(f"the expression has no {printable(name)}", help)


def counted(variables: Sequence[Any]) -> Iterator[Any]:
    """Yield the variables, each as often as the number behind it says."""
    if not variables:
        raise SymbpError("nothing to differentiate by", "`symbp.diff(expr, X)`")
    items = [item for v in variables for item in (v if isinstance(v, tuple | sp.Tuple) else (v,))]
    if _count(items[0]) is not None:
        raise SymbpError(f"{items[0]} stands behind no variable", "`symbp.diff(expr, X, 2)`")
    for item, after in zip(items, [*items[1:], None], strict=True):
        if _count(item) is None:
            number = _count(after)
            yield from [item] * (1 if number is None else number)
        elif int(item) < 1:
            raise SymbpError(f"there is no derivative of order {item}", "count from 1")


def _count(item: Any) -> int | None:
    """Return the number that says how often, None where it is none."""
    return int(item) if isinstance(item, int | sp.Integer) else None


def program_of(
    expr: Any, asked: Sequence[Place], symmetric: Sequence[Any]
) -> tuple[Program, dict[str, Any]]:
    """Return the program of an expression, the variables among what is given, and its symbols."""
    free = expr.free_symbols
    symbols = {str(symbol.name): symbol for symbol in sorted(free, key=str)}
    for v in asked:
        if symbols.setdefault(v.name, v.symbol) != v.symbol:
            raise SymbpError(
                f"two different symbols are called {v.name}", "give both one shape, or two names"
            )
    _check_whole(expr, asked)
    rank = 0 if not expr.is_Matrix or expr.shape == (1, 1) else 1 if expr.shape[1] == 1 else 2
    taken = {*symbols, *(symbol.name for symbol in size_symbols(expr))}.union(
        *(v.sizes | v.indices for v in asked)
    )
    name = next(n for n in (("loss", "f", "F")[rank], *_SPARE) if n not in taken)
    read = [v.symbol for v in asked if v.symbol in free]
    unread = dict.fromkeys(v.symbol for v in asked if v.symbol not in free)
    marked = [s for s in symmetric if getattr(s, "name", s) not in {x.name for x in unread}]
    program = from_sympy({name: expr}, wrt=read, symmetric=marked)
    consts = (*program.consts, *map(variable_of, unread))
    sizes = {**program.sizes, **dict.fromkeys(sorted(i for v in asked for i in v.indices))}
    return replace(program, consts=consts, sizes=sizes), symbols


def _check_whole(expr: Any, asked: Sequence[Place]) -> None:
    """Raise SymbpError for a variable that is a size or an index, and for an index with a value."""
    indices = {name for v in asked for name in v.indices}
    sizes = {symbol.name for symbol in size_symbols(expr)}.union(*(v.sizes for v in asked))
    values = {symbol.name for symbol in expr.free_symbols} - sizes
    wrong = [v.name for v in asked if v.name in sizes | indices] + sorted(indices & values)
    if wrong:
        raise SymbpError(
            f"{wrong[0]} is a size or an index, and no derivative is taken by a whole number",
            "give the value and the size two names",
        )


_SPARE = ("f", "F", "g", "G", "value", *(f"value_{k}" for k in range(1, 1000)))
