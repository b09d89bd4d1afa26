"""Expressions and shapes as a message shows them: short, and in the words of the spec."""

from collections.abc import Mapping, Sequence

import sympy as sp
from sympy.printing.str import StrPrinter

from symbp.ir import Dim
from symbp.program import Loop
from symbp.sizes import letter_name
from symbp.spec.syntax import Binary, Call, Node, Num, Ref, SumOver, Transpose, Unary

LENGTH = 40  # characters of an expression that a message shows
_DEPTH = 6  # levels of it
_SUM, _PRODUCT, _MINUS, _POWER, _ATOM = range(5)
_TIGHT = {"+": _SUM, "-": _SUM, "^": _POWER, ".^": _POWER}


def spelled(node: Node) -> str:
    """Return an expression as it could have been written, cut where it is long."""
    text = _spelled(node, _DEPTH)
    return text if len(text) <= LENGTH else text[: LENGTH - 1] + "…"


def term(node: Node) -> str:
    """Return an expression, in brackets where it is a sum."""
    return f"({spelled(node)})" if _binding(node) < _PRODUCT else spelled(node)


def atom(node: Node) -> str:
    """Return an expression, in brackets unless it is a name, a number or a call."""
    return f"({spelled(node)})" if _binding(node) < _ATOM else spelled(node)


def flipped(node: Node) -> str:
    """Return the transpose of an expression, without a second sign behind a first."""
    return atom(node.arg) if isinstance(node, Transpose) else atom(node) + "'"


def _spelled(node: Node, depth: int) -> str:
    if not depth:
        return "…"
    match node:
        case Num(value=value):
            return str(value) if value.denominator == 1 else f"{float(value):g}"
        case Ref(name=name, index=None):
            return name
        case Ref(name=name, index=index):
            return f"{name}[{_listed(index or (), depth).replace(' ', '')}]"
        case Unary(arg=arg):
            return "-" + _grouped(arg, _MINUS, depth)
        case Transpose(arg=arg):
            return _grouped(arg, _ATOM, depth) + "'"
        case Binary():
            return _binary(node, depth)
        case Call(name=name, args=args, rows=rows):
            return f"{name}({_listed(args, depth)}{', rows' * rows})"
        case SumOver(body=body, index=index, start=start, stop=stop):
            header = f"{index} in {_spelled(start, depth - 1)}..{_spelled(stop, depth - 1)}"
            return f"sum({_spelled(body, depth - 1)} for {header})"


def _binary(node: Binary, depth: int) -> str:
    tight = _binding(node)
    if tight == _POWER:
        base, exponent = _grouped(node.left, _ATOM, depth), _grouped(node.right, _MINUS, depth)
        return f"{base}{node.op}{exponent}"
    left, right = _grouped(node.left, tight, depth), _grouped(node.right, tight + 1, depth)
    return f"{left} {node.op} {right}"


def _binding(node: Node) -> int:
    """Return how tightly an expression holds together, `_ATOM` the tightest."""
    if isinstance(node, Binary):
        return _TIGHT.get(node.op, _PRODUCT)
    return _MINUS if isinstance(node, Unary) else _ATOM


def _listed(nodes: Sequence[Node], depth: int) -> str:
    return ", ".join(_spelled(node, depth - 1) for node in nodes)


def _grouped(node: Node, tight: int, depth: int) -> str:
    """Return an operand, in brackets where it holds together less than `tight`."""
    text = _spelled(node, depth - 1)
    return f"({text})" if _binding(node) < tight else text


def place_text(place: Dim) -> str:
    """Return a place in a family as it is written, `K-1`: letters without numbers."""
    return size_text(place).replace(" ", "")


def size_text(dim: Dim) -> str:
    """Return a size as it is written, `2*n` or `D[k-1]`: letters without numbers."""
    if isinstance(dim, int):
        return str(dim)
    names = {letter: sp.Symbol(letter_name(letter)) for letter in dim.free_symbols}
    text: str = _SIZES.doprint(dim.xreplace(names))
    return text


class _Sizes(StrPrinter):  # type: ignore[misc]
    """SymPy's text, members of families of sizes in brackets: `D[k-1]`."""

    def _print_Function(self, expr: sp.Function) -> str:
        return f"{expr.func.__name__}[{', '.join(map(self._print, expr.args)).replace(' ', '')}]"


_SIZES = _Sizes()


def range_text(loop: Loop) -> str:
    """Return the range of a loop or of a family, `1..K`."""
    return f"{place_text(loop.start)}..{place_text(loop.stop)}"


def turn_text(place: Dim, turn: Mapping[sp.Symbol, Dim]) -> str:
    """Return the letters that a place speaks of in one turn of loops, `k = 1`; empty where none."""
    spoken = sp.S(place).free_symbols
    found = [(letter, at) for letter, at in turn.items() if letter in spoken]
    return ", ".join(f"{letter_name(letter)} = {place_text(at)}" for letter, at in found)


def dims_text(dims: Sequence[Dim], numbers: dict[str, int | None], sign: str = " x ") -> str:
    """Return `m x n`; a size that was given a number is followed by it, `n (= 3)`."""

    def one(dim: Dim) -> str:
        known = numbers.get(str(dim)) if isinstance(dim, sp.Symbol) else None
        return size_text(dim) if known is None else f"{dim} (= {known})"

    return sign.join(map(one, dims))
