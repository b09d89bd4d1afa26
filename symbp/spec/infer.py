"""One expression from the command line: undeclared names are inferred by their letter.

The habit is that of matrixcalculus.org: a to g scalars, h to z vectors, upper case matrices; a
Greek letter is a scalar in lower case and a matrix in upper case.  Every inferred axis starts
with a size of its own, and the expression says which of them are equal: where two meet, they
become one and the expression is read again, so at most once for each axis.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import sympy as sp

from symbp.errors import SpecError, SymbpError, did_you_mean, printable
from symbp.ir import Dim, Expr, Shape, Variable, line_of, name_of, size_symbol, variable
from symbp.ops.product import total
from symbp.program import Binding, Program
from symbp.spec.expressions import value
from symbp.spec.glyphs import plain_name
from symbp.spec.loops import check_weight
from symbp.spec.names import Scope, ShapeError
from symbp.spec.parser import parse_expression
from symbp.spec.reading import clean
from symbp.spec.spelling import dims_text
from symbp.spec.syntax import Node, Ref
from symbp.spec.twins import alike, twins
from symbp.spec.values import Value, assigned

FILENAME = "<expression>"
NAMES = 50  # that are inferred in one expression
_SIZE_NAMES = "mnpqrstklijuvw"
_GREEK = re.compile(
    "(alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|omicron|pi|rho|sigma"
    r"|tau|upsilon|phi|chi|psi|omega)(?=\d|_|$)"
)
_KINDS = {0: "scalar", 1: "vector", 2: "matrix"}
_EXAMPLE = "write `W=3x4`, `W=m,n`, `x=n` or `a=scalar`"


def rank_of(name: str) -> int:
    """Return the number of axes that a name has by its first letter."""
    letters = name.lstrip("_")
    if letters[:1].isupper():
        return 2
    if _GREEK.match(letters) or letters[:1] < "h":
        return 0
    return 1


class _Equal(Exception):
    """Two dimensions that the expression says are one; the first is an inferred one."""

    def __init__(self, old: sp.Symbol, new: Dim) -> None:
        super().__init__()
        self.old, self.new = old, new


@dataclass
class _Inferred(Scope):
    """A scope that declares names as they are met.

    axes: the shape of each name, kept from one reading to the next.  symmetric: some of them.
    open: the inferred sizes, which may still turn out equal to others.
    """

    axes: dict[str, Shape] = field(default_factory=dict)
    open: set[sp.Symbol] = field(default_factory=set)
    symmetric: frozenset[str] = frozenset()

    def agree(self, one: Dim, other: Dim) -> bool:
        """Tell whether two dimensions are the same; equate them where one may still be anything."""
        if one == other:
            return True
        for old, new in ((one, other), (other, one)):
            if old in self.open and (new not in self.open or str(old) > str(new)):
                if old in sp.S(new).free_symbols:
                    return False
                raise _Equal(old, new)
        return False

    def undeclared(self, name: str, ref: Ref) -> Value:
        """Declare a name by its letter, or by the shape that was asked for."""
        if name not in self.axes:
            if len(self.axes) >= NAMES:
                help = "write a spec file, where names are declared"
                raise SpecError(f"more than {NAMES} names to infer", ref.span, help)
            rank = rank_of(name)
            square = name in self.symmetric and rank == 2
            self.axes[name] = (self._fresh(),) * 2 if square else self._each(rank)
        folded = name in self.symmetric
        self.given[name] = variable(name, self.axes[name], "const", symmetric=folded)
        return Value(self.given[name])

    def undeclared_size(self, name: str, ref: Ref) -> Dim:
        """Take a name in the place of a dimension as a size."""
        if name in self.given:
            return super().undeclared_size(name, ref)
        self.sizes[name] = None
        return size_symbol(name)

    def _each(self, rank: int) -> Shape:
        return tuple(self._fresh() for _ in range(rank))

    def _fresh(self) -> sp.Symbol:
        symbol = size_symbol(f"?{len(self.open) + 1:03}")  # no name of a user
        self.open.add(symbol)
        return symbol


def elaborate_expression(
    text: str,
    wrt: Sequence[str] = (),
    shapes: Mapping[str, str] | None = None,
    symmetric: Iterable[str] = (),
) -> Program:
    """Return the program of one expression, given as `loss` if it is a scalar, else as `value`.

    wrt: the names to differentiate by; none means every name of the expression.
    shapes: for some names `3x4`, `m,n`, `n` or `scalar`, instead of what the letter says.
    symmetric: the matrices that equal their transposes; their two sizes become one.
    Raises a SpecError with its place in the text, or a SymbpError about one of the others.
    """
    at = parse_expression(text, FILENAME)
    axes = {plain_name(name): _shape(name, written) for name, written in (shapes or {}).items()}
    folded = frozenset(map(plain_name, symmetric))
    _check_square(axes, folded)
    made, scope = _read(text, at, axes, folded)
    _check_declared(axes, folded, scope)
    pair = twins(scope.given)
    if pair is not None:
        raise SymbpError(*alike(*pair))
    name = "loss" if made.single else "value"
    if name in scope.given:
        raise SymbpError(f"`{name}` names the result", "call the variable by another name")
    expr = total(made.expr) if made.single else assigned(made)
    result = line_of(name, expr)
    return Program(
        name="expression",
        bindings=(Binding(result, expr),),
        consts=tuple(scope.given.values()),
        output=None if made.single else result,
        loss=result if made.single else None,
        wrt=_wrt(wrt, scope),
        sizes=_sizes(scope),
        kind="identity",
        source=text,
        origin=FILENAME,
    )


def _check_square(axes: Mapping[str, Shape], symmetric: Collection[str]) -> None:
    """Raise SymbpError where a shape that was given is no square."""
    for name in symmetric:
        dims = axes.get(name, (1, 1))
        if len(dims) != 2 or dims[0] != dims[1]:
            what = f"`{printable(name)}` is {dims_text(dims, {}) or 'a scalar'}"
            help = f"a symmetric matrix is `--shape {printable(name)}=n,n`"
            raise SymbpError(f"{what} and cannot be symmetric", help)


def _check_declared(axes: Mapping[str, Shape], symmetric: Iterable[str], scope: Scope) -> None:
    """Raise SymbpError where a name with a shape, or a symmetric matrix, is not there."""
    for name in axes:
        if name in scope.sizes and name not in scope.given:
            what = f"`{name}` is a size, a whole number, and has no shape"
            raise SymbpError(what, "give the value and the size two names")
        if name not in scope.given:
            what = f"`{name}` has a shape and is not in the expression"
            raise SymbpError(what, _near(name, scope))
    for name in sorted(symmetric):
        if name not in scope.given:
            what = f"`{printable(name)}` is not in the expression and cannot be symmetric"
            raise SymbpError(what, _near(name, scope))
        if scope.given[name].rank != 2:
            what = f"`{name}` is a {_KINDS[scope.given[name].rank]} and cannot be symmetric"
            raise SymbpError(what, f"`--shape {name}=n,n` makes it a matrix")


def _read(
    text: str, at: Node, axes: Mapping[str, Shape], symmetric: frozenset[str]
) -> tuple[Value, Scope]:
    """Return the value and its names; an error gets its place in the text."""
    source = clean(text).rstrip()
    try:
        check_weight([at], Scope())
        return _unified(at, axes, symmetric)
    except ShapeError as error:
        help = f"{error.help}; a name's kind follows its letter, `--shape x=n` says otherwise"
        raise SpecError(error.message, error.span, help, source, FILENAME) from None
    except SpecError as error:
        raise error.located(source, FILENAME) from None


def _unified(
    at: Node, asked: Mapping[str, Shape], symmetric: frozenset[str]
) -> tuple[Value, Scope]:
    """Return the value with every axis named, and the scope of its names."""
    axes = dict(asked)
    own: set[sp.Symbol] = set()
    fixed = {dim for dims in asked.values() for dim in dims if isinstance(dim, sp.Symbol)}
    known: dict[str, int | None] = {str(symbol): None for symbol in sorted(fixed, key=str)}
    while True:
        scope = _Inferred(axes=axes, open=own, sizes=dict(known), symmetric=symmetric)
        try:
            value(at, scope)
            break
        except _Equal as found:
            _replace(axes, {found.old: found.new})
        except SpecError:
            _replace(axes, _nice(axes, own, scope))
            own = set()
            value(at, _Inferred(axes=axes, sizes=dict(known), symmetric=symmetric))
            raise
    _replace(axes, _nice(axes, own, scope))
    scope = _Inferred(axes=axes, sizes=dict(known), symmetric=symmetric)
    return value(at, scope), scope


def _replace(axes: dict[str, Shape], names: Mapping[sp.Symbol, Dim]) -> None:
    for name, dims in axes.items():
        axes[name] = tuple(
            names.get(dim, dim.xreplace(names)) if isinstance(dim, sp.Basic) else dim
            for dim in dims
        )


def _nice(axes: Mapping[str, Shape], own: set[sp.Symbol], scope: Scope) -> dict[sp.Symbol, Dim]:
    """Return names for the inferred sizes, m, n, p, … in the order in which they are met."""
    order = [name for name in scope.given if name in axes]
    dims = [sp.S(dim) for name in order for dim in axes[name]]
    free = [symbol for dim in dims for symbol in sorted(dim.free_symbols, key=str)]
    met = dict.fromkeys(symbol for symbol in free if symbol in own)
    taken = {*axes, *scope.sizes, *(str(dim) for dims in axes.values() for dim in dims)}
    letters = "n" + _SIZE_NAMES if len(met) == 1 else _SIZE_NAMES
    pool = [letter for letter in letters if letter not in taken]
    pool += [f"n_{k}" for k in range(1, 2 * NAMES + len(taken) + 1) if f"n_{k}" not in taken]
    return {symbol: size_symbol(name) for symbol, name in zip(met, pool, strict=False)}


def _shape(name: str, written: str) -> Shape:
    """Return the shape of `3x4`, `m,n`, `n` or `scalar`."""
    text = written.strip()
    if text == "scalar":
        return ()
    parts = re.split(r"\s*,\s*|\s*×\s*|\s+x\s+|(?<=\d)x", text)
    if text in ("vector", "matrix"):
        raise SymbpError(f"`{name}={text}` gives no sizes", _EXAMPLE)
    for part in parts:
        whole = re.fullmatch(r"0*[1-9][0-9]{0,8}", part)
        symbol = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", plain_name(part))
        if len(parts) > 2 or not (whole or symbol):
            what = f"`{printable(written)}` is no shape for `{printable(name)}`"
            raise SymbpError(what, _EXAMPLE)
    return tuple(int(part) if part.isdigit() else size_symbol(plain_name(part)) for part in parts)


def _wrt(names: Sequence[str], scope: Scope) -> tuple[Expr, ...]:
    if not scope.given:
        raise SymbpError("there is no name to differentiate by", "write an expression of names")
    for name in names:
        if plain_name(name) not in scope.given:
            what = f"`{printable(name)}` is not in the expression"
            raise SymbpError(what, _near(plain_name(name), scope))
    asked = dict.fromkeys(scope.given[plain_name(name)] for name in names)
    return tuple(asked) or tuple(scope.given.values())


def _near(name: str, scope: Scope) -> str:
    if not scope.given:
        return "write an expression of names"
    near = did_you_mean(name, scope.given)
    return f"did you mean `{near}`?" if near else f"its names are {', '.join(scope.given)}"


def _sizes(scope: Scope) -> dict[str, int | None]:
    """Return the symbolic sizes in the order in which they are met."""
    dims = [sp.S(dim) for given in scope.given.values() for dim in given.shape]
    met = [str(s) for dim in dims for s in sorted(dim.free_symbols, key=str)]
    return dict.fromkeys([*met, *scope.sizes])


def inferred(program: Program) -> list[tuple[str, str, str]]:
    """Return name, kind and shape of each variable of an expression's program, in order."""
    table = []
    for given in program.given:
        assert isinstance(given.op, Variable)
        table.append((name_of(given), _KINDS[given.rank], dims_text(given.shape, {})))
    return table
