"""Expressions and shapes as a message shows them: short, and in the words of the spec."""

from collections.abc import Sequence

import sympy as sp

from symbp.ir import Dim
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


def dims_text(dims: Sequence[Dim], numbers: dict[str, int | None], sign: str = " x ") -> str:
    """Return `m x n`; a size that was given a number is followed by it, `n (= 3)`."""

    def one(dim: Dim) -> str:
        known = numbers.get(str(dim)) if isinstance(dim, sp.Symbol) else None
        return str(dim) if known is None else f"{dim} (= {known})"

    return sign.join(map(one, dims))
