"""The node of an expression, and what every operation says of itself.

Building the same node twice gives the same object, so equality is identity and a value used twice
is one node.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any
from weakref import WeakValueDictionary

from symbp.sizes import Shape


def fingerprint(text: str) -> str:
    """Return a short text that is the same for the same canonical text, and no other."""
    return blake2b(text.encode(), digest_size=12).hexdigest()


class Op:
    """What a node does to its arguments.  Frozen dataclasses: equal fields, equal operations."""

    name: str

    def shape(self, args: Sequence[Expr]) -> Shape:
        """Return the shape of the result; the arguments were checked by the builder."""
        raise NotImplementedError(type(self).__name__)

    def canonical(self, args: Sequence[Expr]) -> str:
        """Return a text that is equal for equal values, whatever the order they were written in."""
        return f"{self!r}({','.join(arg.digest for arg in args)})"

    def kinds(self) -> frozenset[str]:
        """Return what the laws of an operation ask for, to pass by expressions without it."""
        return frozenset((type(self).__name__,))

    def is_batched(self, args: Sequence[Expr]) -> bool:
        """Tell whether the value differs from example to example."""
        return any(arg.batched for arg in args)

    def is_symmetric(self, args: Sequence[Expr]) -> bool:
        """Tell whether a square result is seen to be its own transpose."""
        return False

    def normal(self, args: Sequence[Expr]) -> Expr | None:
        """Return the expression that stands for the node; None where the node is that itself."""
        return None


class Expr:
    """One node: an operation and its arguments.  Built by `node`, never directly."""

    __slots__ = (
        "__weakref__", "_digest", "args", "batched", "kinds", "names", "op", "parts", "shape",
        "size", "symmetric",
    )  # fmt: skip

    op: Op
    args: tuple[Expr, ...]
    shape: Shape
    batched: bool
    size: int
    kinds: frozenset[str]
    symmetric: bool
    names: tuple[Expr, ...] | None
    parts: tuple[Expr, ...] | None
    _digest: str | None

    @property
    def rank(self) -> int:
        """The number of axes: 0 for a scalar, 1 for a vector, 2 for a matrix."""
        return len(self.shape)

    @property
    def digest(self) -> str:
        """A fingerprint of the value: equal up to the order of sums and products."""
        if self._digest is None:
            pending = [self]
            while pending:
                top = pending[-1]
                missing = [arg for arg in top.args if arg._digest is None]
                if missing:
                    pending.extend(missing)
                    continue
                pending.pop()
                top._digest = fingerprint(top.op.canonical(top.args))
        assert self._digest is not None
        return self._digest

    def __repr__(self) -> str:
        if not self.args:
            return str(self.op)
        return (
            f"{self.op}({', '.join(map(repr, self.args))})" if self.size < 40 else f"{self.op}(…)"
        )


_NODES: WeakValueDictionary[tuple[Any, ...], Expr] = WeakValueDictionary()


def node(op: Op, *args: Expr) -> Expr:
    """Return the one node of `op` applied to `args`, or the normal form that stands for it."""
    key = (op, *map(id, args))
    found = _NODES.get(key) or op.normal(args)
    if found is not None:
        return found
    made = Expr.__new__(Expr)
    made.op, made.args = op, args
    made.shape = op.shape(args)
    made.batched = op.is_batched(args)
    made.size = 1 + sum([arg.size for arg in args])
    made.kinds = op.kinds().union(*[arg.kinds for arg in args])
    made._digest = made.names = made.parts = None
    made.symmetric = _is_square(made.shape) and op.is_symmetric(args)
    _NODES[key] = made
    return made


def _is_square(shape: Shape) -> bool:
    return len(shape) == 2 and shape[0] == shape[1]


def walk(*roots: Expr, last_first: bool = False) -> Iterator[Expr]:
    """Yield every node below the roots once, arguments before what uses them.

    last_first: of two arguments the last one is met first.
    """
    if len(roots) != 1 or last_first or roots[0].size > SHORT:
        return _walked(roots, last_first)
    (root,) = roots
    if root.parts is None:
        flat = not any(arg.args for arg in root.args)
        root.parts = (*dict.fromkeys(root.args), root) if flat else tuple(_walked(roots, False))
    return iter(root.parts)


SHORT = 60
"""Of expressions of so many nodes the order is kept: all passes walk the same lines."""


def _walked(roots: Sequence[Expr], last_first: bool) -> Iterator[Expr]:
    step = 1 if last_first else -1
    seen: set[Expr] = set()
    pending: list[tuple[Expr, bool]] = [(root, False) for root in reversed(roots)]
    while pending:
        top, ready = pending.pop()
        if top in seen:
            continue
        if ready or not top.args:
            seen.add(top)
            yield top
            continue
        pending.append((top, True))
        pending += [(arg, False) for arg in top.args[::step] if arg not in seen]
