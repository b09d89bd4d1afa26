"""Expressions and shapes as a message shows them: short, and in the words of the spec."""

from collections.abc import Sequence

import sympy as sp

from symbp.ir import Dim
from symbp.spec.syntax import Binary, Call, Node, Num, Ref, SumOver, Transpose, Unary

LENGTH = 40  # characters of an expression that a message shows
_DEPTH = 6  # levels of it
_TIGHT = {"+": 1, "-": 1, "^": 3, ".^": 3}


def spelled(node: Node) -> str:
    """Return an expression as it could have been written, cut where it is long."""
    text = _spelled(node, _DEPTH)
    return text if len(text) <= LENGTH else text[: LENGTH - 1] + "…"


def _spelled(node: Node, depth: int) -> str:
    if not depth:
        return "…"
    match node:
        case Num(value=value):
            return str(value) if value.denominator == 1 else f"{float(value):g}"
        case Ref(name=name, index=None):
            return name
        case Ref(name=name, index=index):
            return f"{name}[{_listed(index or (), depth)}]"
        case Unary(arg=arg):
            return "-" + _grouped(arg, 2, depth)
        case Transpose(arg=arg):
            return _grouped(arg, 4, depth) + "'"
        case Binary():
            return _binary(node, depth)
        case Call(name=name, args=args, rows=rows):
            return f"{name}({_listed(args, depth)}{', rows' * rows})"
        case SumOver(body=body, index=index, start=start, stop=stop):
            header = f"{index} in {_spelled(start, depth - 1)}..{_spelled(stop, depth - 1)}"
            return f"sum({_spelled(body, depth - 1)} for {header})"


def _binary(node: Binary, depth: int) -> str:
    tight = _TIGHT.get(node.op, 2)
    gap = "" if tight == 3 else " "
    left = _grouped(node.left, 4 if tight == 3 else tight, depth)
    return f"{left}{gap}{node.op}{gap}{_grouped(node.right, tight + 1, depth)}"


def _listed(nodes: Sequence[Node], depth: int) -> str:
    return ", ".join(_spelled(node, depth - 1) for node in nodes)


def _grouped(node: Node, tight: int, depth: int) -> str:
    """Return an operand, in brackets where it binds less than its operator."""
    text = _spelled(node, depth - 1)
    binds = _TIGHT.get(node.op, 2) if isinstance(node, Binary) else 4 - 2 * isinstance(node, Unary)
    return f"({text})" if binds < tight else text


def dims_text(dims: Sequence[Dim], numbers: dict[str, int | None], sign: str = " x ") -> str:
    """Return `m x n`; a size that was given a number is followed by it, `n (= 3)`."""

    def one(dim: Dim) -> str:
        known = numbers.get(str(dim)) if isinstance(dim, sp.Symbol) else None
        return str(dim) if known is None else f"{dim} (= {known})"

    return sign.join(map(one, dims))
