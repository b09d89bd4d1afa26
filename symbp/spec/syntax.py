"""The syntax tree of a spec: what was written, where, and nothing about what it means.

Equality and hashing leave the spans out, so that trees are compared by what they say.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, TypeAlias

from symbp.errors import Span

Operator: TypeAlias = Literal["@", "*", "/", ".*", "./", "+", "-", "^", ".^"]
Kind: TypeAlias = Literal["input", "target", "param", "const"]


@dataclass(frozen=True, slots=True)
class Num:
    """A number as written, exact: `0.1` is one tenth. Never negative."""

    value: Fraction
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Ref:
    """A name, or with `index` a member of a family or an element: `h[k-1]`, `A[i, j]`.

    The name is normalised: `Ω₁` is `Omega_1`. The span covers the index as well.
    """

    name: str
    index: "tuple[Node, ...] | None"
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """Minus before a value; the span is that of the sign."""

    op: Literal["-"]
    arg: "Node"
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """Two values and the operator between them; the span is that of the operator.

    `A²` is the power `A ^ 2`, `a ⊙ b` is `a .* b`, `a ** b` is `a ^ b`.
    """

    op: Operator
    left: "Node"
    right: "Node"
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Transpose:
    """`W'`, `W.T` or `Wᵀ`; the span is that of the sign after the value."""

    arg: "Node"
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A function and its arguments, `rows` where `, rows` came last; the span is the name's.

    `‖A‖` is a call of `norm2`.
    """

    name: str
    args: "tuple[Node, ...]"
    rows: bool
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class SumOver:
    """`sum(body for index in start..stop)`, both ends included; the span is that of `sum`."""

    body: "Node"
    index: str
    start: "Node"
    stop: "Node"
    span: Span = field(compare=False)


Node: TypeAlias = Num | Ref | Unary | Binary | Transpose | Call | SumOver


@dataclass(frozen=True, slots=True)
class Range:
    """The members `start..stop` of a family, both ends included; the span is that of `..`."""

    start: Node
    stop: Node
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Member:
    """A name being declared, with its range where it is a family."""

    name: str
    range: Range | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Shape:
    """One dimension (a column vector) or two (rows, columns).

    A dimension is a Num or a Ref, the Ref with an index for a family: `D[k-1]`.
    `one_hot D` is one dimension with `one_hot` set.
    """

    dims: tuple[Num | Ref, ...]
    one_hot: bool
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Init:
    """How a parameter starts: `init he`, `init normal(0.01)`; the span is that of the name."""

    name: str
    args: tuple[Node, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class ModelLine:
    """`model NAME "title"`; the span is that of the name."""

    name: str
    title: str | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Size:
    """One size of a `size` line; the value is a whole number from 1, or None: symbolic."""

    member: Member
    value: int | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class SizeLine:
    """`size n, D_i = 10, D[0..K]`; the span is that of `size`."""

    sizes: tuple[Size, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class BatchLine:
    """`batch mean` or `batch sum`; the span is that of the word after `batch`."""

    mode: Literal["mean", "sum"]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class DeclareLine:
    """`input`, `target`, `param` or `const`: names of one shape; shape None is a scalar.

    Only a `param` has `init` or `symmetric`. The span is that of the kind.
    """

    kind: Kind
    members: tuple[Member, ...]
    shape: Shape | None
    init: Init | None
    symmetric: bool
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class OpLine:
    """`op name(args) = body`; the args are Refs without an index; the span is the name's."""

    name: str
    args: tuple[Ref, ...]
    body: Node
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class AssignLine:
    """`target = expr`, also `loss = expr`; the span is that of the target."""

    target: Ref
    expr: Node
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class ForLine:
    """`for index in start..stop:` and its lines, at least one; the span is that of `for`."""

    index: str
    start: Node
    stop: Node
    body: "tuple[AssignLine | ForLine, ...]"
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class OutputLine:
    """`output f`; the span is that of the name."""

    value: Ref
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class WrtLine:
    """`wrt W, x`; the span is that of `wrt`."""

    names: tuple[Ref, ...]
    span: Span = field(compare=False)


Line: TypeAlias = (
    ModelLine
    | SizeLine
    | BatchLine
    | DeclareLine
    | OpLine
    | AssignLine
    | ForLine
    | OutputLine
    | WrtLine
)


@dataclass(frozen=True, slots=True)
class SpecText:
    """A whole spec in the order it was written, with its text for error messages."""

    lines: tuple[Line, ...]
    source: str = field(compare=False, repr=False)
    filename: str = field(compare=False)


def children(node: Node) -> tuple[Node, ...]:
    """Return the nodes directly below `node`, from left to right."""
    match node:
        case Num():
            return ()
        case Ref(index=index):
            return index or ()
        case Unary(arg=arg) | Transpose(arg=arg):
            return (arg,)
        case Binary(left=left, right=right):
            return (left, right)
        case Call(args=args):
            return args
        case SumOver(body=body, start=start, stop=stop):
            return (body, start, stop)


def expressions(lines: tuple[Line, ...]) -> Iterator[Node]:
    """Yield the root of every expression of `lines`: values, indices, ranges, dimensions."""
    for line in lines:
        match line:
            case AssignLine(target=target, expr=expr):
                yield from (target, expr)
            case OpLine(body=body):
                yield body
            case ForLine(start=start, stop=stop, body=body):
                yield from (start, stop, *expressions(body))
            case SizeLine(sizes=sizes):
                yield from _ranges(size.member for size in sizes)
            case DeclareLine(members=members, shape=shape, init=init):
                yield from _ranges(members)
                yield from shape.dims if shape else ()
                yield from init.args if init else ()
            case OutputLine(value=value):
                yield value
            case WrtLine(names=names):
                yield from names
            case ModelLine() | BatchLine():
                pass


def _ranges(members: Iterable[Member]) -> Iterator[Node]:
    for member in members:
        if member.range:
            yield from (member.range.start, member.range.stop)
