"""The door in: SymPy expressions become a Program.

The one place where SymPy's matrix expressions are read; what they mean is in `sympy_matrix.py`
and `sympy_scalar.py`.  Values are real.  An n×1 MatrixSymbol is a vector, a 1×1 one a scalar.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixElement

from symbp.errors import SymbpError, did_you_mean, printable
from symbp.ir import Dim, Expr, Role, Shape, line_of, variable
from symbp.ops.rewrite import rename
from symbp.program import Binding, Program
from symbp.spec.sympy_matrix import matrix
from symbp.spec.sympy_scalar import scalar
from symbp.spec.twins import alike, twins
from symbp.spec.view import ACCEPTED, Context, dims_of


def from_sympy(
    expr: Any,
    *,
    inputs: Iterable[Any] = (),
    targets: Iterable[Any] = (),
    params: Iterable[Any] = (),
    consts: Iterable[Any] = (),
    wrt: Iterable[Any] | None = None,
    symmetric: Iterable[Any] = (),
    name: str = "expression",
    batch: Literal["mean", "sum"] = "mean",
) -> Program:
    """Return the program of a SymPy expression, or of named lines of them.

    `expr` is one expression, which becomes the line `loss` (a scalar) or `value`, or a mapping
    from names to expressions; a later line reads an earlier one through a Symbol or MatrixSymbol
    of its name and shape.  The last line is what is differentiated.

    inputs, targets: symbols (or their names) that differ from example to example.
    params: what a network learns; without any, the program is an identity.
    consts: what else is given; every free symbol that is listed nowhere is one too.  A symbol
    that is a size of some matrix is a size.
    wrt: what to differentiate by; by default the params, or else every MatrixSymbol, or else
    every symbol.

    symmetric: which MatrixSymbols (or their names) equal their transposes.

    Raises SymbpError for a node that is not accepted, naming it, and for sizes and names that
    do not agree.
    """
    lines = _lines(expr)
    groups = {"input": inputs, "target": targets, "param": params, "const": consts}
    sizes = frozenset().union(*(size_symbols(line) for line in lines.values()))
    given = _given(lines, {role: tuple(group) for role, group in groups.items()}, sizes)
    given = _symmetric(given, symmetric)
    bindings = _bindings(lines, given, sizes)
    made = _program(name, bindings, given, sizes)
    return replace(made, wrt=_wrt(wrt, given, made.params), reduction=batch)


def _program(
    name: str, bindings: tuple[Binding, ...], given: Mapping[Any, Expr], sizes: frozenset[Any]
) -> Program:
    """Return the program of these lines, without what it is differentiated by."""

    def named(role: Role) -> tuple[Expr, ...]:
        return tuple(expr for expr in given.values() if _role(expr) == role)

    result = bindings[-1].target
    loss = result if not result.rank else None
    return Program(
        name,
        bindings,
        inputs=named("input"),
        targets=named("target"),
        params=named("param"),
        consts=named("const"),
        output=_output(bindings, loss),
        loss=loss,
        sizes=dict.fromkeys(sorted(symbol.name for symbol in sizes)),
        kind="network" if named("param") else "identity",
    )


def to_expr(sympy_expr: Any, names: Mapping[Any, Expr]) -> Expr:
    """Return a SymPy expression over given expressions, one for each of its symbols.

    A MatrixSymbol of n×1 may stand for a vector or for a matrix of one column.  Raises SymbpError
    naming the node that is not accepted.
    """
    expr = sympified(sympy_expr)
    sizes = size_symbols(expr).union(
        *(dim.free_symbols for e in names.values() for dim in e.shape if isinstance(dim, sp.Expr))
    )
    return _expression(expr, Context(names, sizes - set(names), matrix))


def _expression(expr: Any, context: Context) -> Expr:
    try:
        return matrix(expr, context).canonical if expr.is_Matrix else scalar(expr, context)
    except RecursionError:
        raise SymbpError("the expression is nested too deeply", "name parts of it") from None


def sympified(expr: Any) -> Any:
    """Return a SymPy object; texts are refused, they would have to be executed."""
    try:
        made = sp.sympify(expr, strict=True)  # strict: a text is refused, never run
    except sp.SympifyError:
        made = None
    if isinstance(made, sp.MatrixBase):
        return made.as_immutable()
    if not isinstance(made, sp.Expr):
        raise SymbpError(f"{type(expr).__name__} is no SymPy expression", ACCEPTED)
    return made


def _lines(expr: Any) -> dict[str, Any]:
    if isinstance(expr, Mapping):
        if not expr:
            raise SymbpError("there is no line", 'give {"loss": expression}')
        return {_name(key): sympified(value) for key, value in expr.items()}
    made = sympified(expr)
    is_scalar = not made.is_Matrix or tuple(made.shape) == (1, 1)
    return {"loss" if is_scalar else "value": made}


def _name(symbol: Any) -> str:
    """Return the name of a symbol, or a name itself; it must be a word."""
    name = symbol if isinstance(symbol, str) else getattr(symbol, "name", None)
    if not isinstance(name, str):
        raise SymbpError(f"{type(symbol).__name__} {symbol} is no symbol", "give a Symbol")
    if not name.isidentifier():
        raise SymbpError(
            f"the name {printable(repr(name))} is no word",
            "name symbols with letters, digits and _",
        )
    return name


def size_symbols(expr: Any) -> frozenset[Any]:
    """Return the symbols in shapes of matrices, in indices and in bounds of sums."""
    parts = list(sp.preorder_traversal(expr))
    dims = [d for part in parts if getattr(part, "is_Matrix", False) for d in dims_of(part)]
    dims += [index for part in parts if isinstance(part, MatrixElement) for index in part.indices]
    limits = [limit for part in parts for limit in getattr(part, "limits", ())]
    dims += [bound for _, *bounds in limits for bound in bounds]
    summed = {limit[0] for limit in limits}
    found = frozenset().union(*(dim.free_symbols for dim in dims if isinstance(dim, sp.Expr)))
    return frozenset(symbol for symbol in found - summed if isinstance(symbol, sp.Symbol))


def _free(expr: Any) -> list[Any]:
    """Return the free symbols, in the order in which the expression shows them."""
    free = expr.free_symbols
    seen = (part for part in sp.preorder_traversal(expr) if part in free)
    return list(dict.fromkeys(seen))


def _shape(symbol: Any) -> Shape:
    """Return the shape of a symbol's variable: 1×1 none, n×1 one axis, else two."""
    if not isinstance(symbol, sp.MatrixSymbol):
        return ()
    rows, columns = dims_of(symbol)
    if (rows, columns) == (1, 1):
        return ()
    dims: tuple[Dim, ...] = (rows, columns)
    return dims[:1] if columns == 1 else dims


def _given(
    lines: Mapping[str, Any], groups: Mapping[str, Sequence[Any]], sizes: frozenset[Any]
) -> dict[Any, Expr]:
    """Return the variable of each symbol that is no line and no size."""
    found: dict[str, Any] = {}
    for line in lines.values():
        for symbol in _free(line):
            if found.setdefault(_name(symbol), symbol) != symbol:
                raise SymbpError(
                    f"two different symbols are called {symbol.name}",
                    "give them one shape and one set of assumptions, or two names",
                )
    pair = twins([*found, *(size.name for size in sizes)])
    if pair is not None:
        raise SymbpError(*alike(*pair))
    roles: dict[str, Role] = {}
    for role, group in groups.items():
        for symbol in group:
            _declare(roles, found, symbol, role)
    for size in sizes:
        if size.name in roles:
            raise SymbpError(f"{size.name} is the size of a matrix and declared as a value")
    return {
        symbol: _variable(symbol, roles.get(name, "const"))
        for name, symbol in found.items()
        if name not in lines and symbol not in sizes
    }


def _declare(roles: dict[str, Role], found: Mapping[str, Any], symbol: Any, role: Any) -> None:
    name = _name(symbol)
    if name not in found or (not isinstance(symbol, str) and found[name] != symbol):
        raise _unknown(name, found)
    if name in roles:
        raise SymbpError(f"{name} is declared twice, as {roles[name]} and as {role}")
    roles[name] = role


def _unknown(name: str, found: Iterable[str]) -> SymbpError:
    near = did_you_mean(name, found)
    return SymbpError(
        f"the expression has no such symbol {name}",
        f"did you mean {near}?" if near else "list symbols of the expression",
    )


def _symmetric(given: Mapping[Any, Expr], asked: Iterable[Any]) -> dict[Any, Expr]:
    """Return what is given, some of it marked as symmetric."""
    made = dict(given)
    by_name = {_name(symbol): symbol for symbol in given}
    for item in asked:
        name = _name(item)
        if name not in by_name:
            raise _unknown(name, by_name)
        shape = made[by_name[name]].shape
        if len(shape) != 2 or shape[0] != shape[1]:
            raise SymbpError(f"{name} of shape {shape} is not square and cannot be symmetric")
        made[by_name[name]] = rename(made[by_name[name]], symmetric=True)
    return made


def variable_of(symbol: Any) -> Expr:
    """Return what a Symbol or MatrixSymbol is where no expression reads it: a constant."""
    return _variable(symbol, "const")


def _variable(symbol: Any, role: Role) -> Expr:
    return variable(_name(symbol), _shape(symbol), role, batched=role in ("input", "target"))


def _role(expr: Expr) -> str:
    return str(getattr(expr.op, "role", ""))


def _bindings(
    lines: Mapping[str, Any], given: Mapping[Any, Expr], sizes: frozenset[Any]
) -> tuple[Binding, ...]:
    """Return the lines, each reading the given names and the lines before it."""
    names: dict[Any, Expr] = dict(given)
    bindings: list[Binding] = []
    for name, line in lines.items():
        for symbol in _free(line):
            if symbol not in names and symbol not in sizes:
                _match(symbol, bindings, names)
        made = _expression(line, Context(names, sizes, matrix))
        target = line_of(name, made)
        bindings.append(Binding(target, made))
    return tuple(bindings)


def _match(symbol: Any, bindings: Sequence[Binding], names: dict[Any, Expr]) -> None:
    """Enter the earlier line that a symbol means."""
    before = next((b.target for b in bindings if b.name == symbol.name), None)
    if before is None:
        raise SymbpError(
            f"the line {symbol.name} is read before it is written",
            "put lines in the order of evaluation, and give lines and symbols different names",
        )
    if _shape(symbol) != before.shape:
        raise SymbpError(
            f"the line {symbol.name} has shape {before.shape}, its symbol {_shape(symbol)}"
        )
    names[symbol] = before


def _output(bindings: Sequence[Binding], loss: Expr | None) -> Expr | None:
    """Return what `forward` returns: the line before the loss, or the last one without a loss."""
    if loss is None:
        return bindings[-1].target
    return bindings[-2].target if len(bindings) > 1 else None


def _wrt(
    wrt: Iterable[Any] | None, given: Mapping[Any, Expr], params: tuple[Expr, ...]
) -> tuple[Expr, ...]:
    by_name = {_name(symbol): expr for symbol, expr in given.items()}
    if wrt is not None:
        asked = [_name(symbol) for symbol in wrt]
        for name in asked:
            if name not in by_name:
                raise _unknown(name, by_name)
        return tuple(by_name[name] for name in dict.fromkeys(asked))
    matrices = tuple(e for s, e in given.items() if isinstance(s, sp.MatrixSymbol))
    found = params or matrices or tuple(given.values())
    if not found:
        raise SymbpError("there is nothing to differentiate by", "write an expression of symbols")
    return found
