"""Networks drawn by the thousand, and what an expression in moments comes to over them.

Every array has the networks in front, `(networks, *shape)`, one of them alone for what is the same
in all.  E and Var are taken over networks; of a name that stands for one entry, over its entries
as well.  Written from the meaning of the operations, not from `moments/`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from symbp.derive.proof import Equation
from symbp.derive.reading import read
from symbp.ir import (
    Constant,
    Dim,
    Expr,
    Size,
    Sum,
    Variable,
    Words,
    name_of,
    size_symbol,
    size_value,
    symbol,
    variables,
)
from symbp.moments.travel import Travel, travel
from symbp.ops.expectation import Moment, square, typical
from symbp.ops.formula import evaluate_formula
from symbp.ops.kinds import Elementwise
from symbp.ops.scalar import PLACES
from symbp.pipeline import compile_module, derive
from symbp.program import Program

TOLERANCE = 0.2
"""Relative: for thousands of networks with layers of some 30 units."""
WIDTH = 0.2
"""Of a mean, in root mean squares: weights and what they feed are not quite independent."""
NOISE = 5
"""Of a mean, in standard errors over the networks."""


@dataclass(frozen=True)
class Networks:
    """A program's networks: the value of every name, and the lines that entries come from."""

    found: Travel
    values: Mapping[str, np.ndarray]
    many: int

    def value(self, expr: Expr) -> np.ndarray:
        """Return the value of an expression for each network."""
        op = expr.op
        if isinstance(op, Moment):
            return self._moment(op.kind, *expr.args)
        if isinstance(op, Variable):
            found = self.values[op.name]
            assert found.ndim == 1 + expr.rank, f"an entry of {op} outside of a moment"
            return found
        if isinstance(op, Constant):
            return np.full(1, float(op.value))
        if isinstance(op, Size):
            return np.full(1, float(self._size(op.dim)))
        args = [self.value(arg) for arg in expr.args]
        return self._applied(expr, args)

    def _applied(self, expr: Expr, args: list[np.ndarray]) -> np.ndarray:
        op = expr.op
        if isinstance(op, Sum):
            zero = np.zeros((1, *map(self._size, op.dims)))
            return sum((float(c) * a for c, a in zip(op.coefficients, args, strict=True)), zero)
        if isinstance(op, Words):
            return self._product(op, args)
        if op.name == "softmax":
            raised = np.exp(args[0])
            return raised / np.sum(raised, axis=-1, keepdims=True)
        assert isinstance(op, Elementwise), f"{op} has no meaning over networks"
        made = evaluate_formula(op.formula, dict(zip(PLACES, args, strict=False)))
        return np.broadcast_to(made, np.broadcast_shapes(*(arg.shape for arg in args)))

    def _product(self, op: Words, args: list[np.ndarray]) -> np.ndarray:
        front = len(op.dims)
        many = max((len(arg) for arg in args), default=1)
        pairs: list[object] = []
        for arg, word in zip(args, op.words, strict=True):
            alone = len(arg) == 1
            pairs += [arg[0] if alone else arg, [*word] if alone else [front, *word]]
        for letter in {*range(front)} - {letter for word in op.words for letter in word}:
            pairs += [np.ones(self._size(op.dims[letter])), [letter]]
        out = [*op.out] if many == 1 else [front, *op.out]
        made = np.einsum(*pairs, out, optimize=len(pairs) > 4) if pairs else np.ones(())
        return made[None] if many == 1 else made

    def _moment(self, kind: str, inside: Expr) -> np.ndarray:
        values = self.value(inside) if self._is_whole(inside) else self._entries(inside)
        return (np.mean if kind == "mean" else np.var)(values, axis=0, keepdims=True)

    def _is_whole(self, expr: Expr) -> bool:
        """Tell whether every name has its own rank: none stands for an entry."""
        return all(self.values[name_of(v)].ndim == 1 + v.rank for v in variables(expr))

    def _entries(self, expr: Expr) -> np.ndarray:
        """Return an expression in entries, over all networks and all entries at one place."""
        whole = self._line_of(expr)
        if whole is not None:
            return self.value(whole).ravel()
        arrays = {name_of(v): self.values[name_of(v)] for v in variables(expr)}
        full = np.broadcast_shapes(*(a.shape[1:] for a in arrays.values()))
        assert all(a.shape[1:] in ((), full) for a in arrays.values()), f"places of {expr}"
        many = max(len(a) for a in arrays.values())
        flat = {n: np.broadcast_to(_spread(a, len(full)), (many, *full)).ravel()
                for n, a in arrays.items()}  # fmt: skip
        return replace(self, values={**self.values, **flat}).value(expr)

    def _line_of(self, expr: Expr) -> Expr | None:
        """Return the array that an expression in entries is the entry of, where it is a line's."""
        for line in self.found.lines:
            own = typical(line.expr)
            if own is not None and expr in (own, square(own)):
                return line.expr if expr is own else square(line.expr)
        return None

    def _size(self, dim: Dim) -> int:
        known = self.found.program.sizes.items()
        return int(size_value(dim, {size_symbol(name): int(value or 0) for name, value in known}))

    def sides(self, equation: Equation) -> tuple[float, float, float]:
        """Return the sides, and how far they may be apart: axes have letters alike on both."""
        left, right = (float(np.mean(self.value(side))) for side in (equation.left, equation.right))
        far = TOLERANCE * max(abs(left), abs(right))
        op = equation.left.op
        if isinstance(op, Moment) and op.kind == "mean":
            (inside,) = equation.left.args
            values = self.value(inside) if self._is_whole(inside) else self._entries(inside)
            far += WIDTH * float(np.sqrt(np.mean(values**2)))
            if values.size % self.many == 0:
                each = np.mean(values.reshape(self.many, -1), axis=1)
                far += NOISE * float(np.std(each)) / np.sqrt(self.many)
        return left, right, far


def _spread(array: np.ndarray, rank: int) -> np.ndarray:
    return array if array.ndim > 1 else array.reshape(len(array), *(1,) * rank)


def sampled(program: Program, many: int = 1500, **fixed: float) -> Networks:
    """Return networks with parameters as the module draws them, and standard normal inputs.

    Targets have mean zero and variance 1/2; `fixed` has numbers for scalar consts.
    """
    derivation = derive(program)
    module = compile_module(derivation)
    rng = np.random.default_rng(0)
    drawn = [module.init_params(rng) for _ in range(many)]
    values = {
        name: np.stack([np.asarray(getattr(one, name), np.float32) for one in drawn])
        for name in drawn[0]._fields
    }
    values |= {name: np.full(1, value) for name, value in fixed.items()}
    networks = Networks(travel(derivation), values, many)
    for var in (*program.inputs, *program.targets, *(v for v in program.consts if v.rank)):
        front = 1 if symbol(var).role == "const" else many
        shape = (front, *map(networks._size, var.shape))
        factor = np.sqrt(0.5) if symbol(var).role == "target" else 1
        values[name_of(var)] = (factor * rng.standard_normal(shape)).astype(np.float32)
    reading = read(derivation)
    for step in (*reading.primal, *reading.adjoint):
        values[step.name] = np.asarray(networks.value(step.expr))
    return networks


def disagreements(networks: Networks, equations: list[Equation]) -> list[str]:
    """Return each equation whose sides are too far apart, with both."""
    made = []
    for equation in equations:
        left, right, far = networks.sides(equation)
        if not abs(left - right) <= far:
            made.append(f"{equation.left!r} = {equation.right!r} ({equation.reason}): "
                        f"{left:.4g} ≠ {right:.4g}")  # fmt: skip
    return made


def every_equation(found: Travel) -> list[Equation]:
    """Return all steps of all lines."""
    return reduce(lambda made, line: [*made, *line.equations], found.lines, [])
