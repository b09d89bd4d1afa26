"""The entries of expressions: each axis named by a letter, sums and Kronecker deltas written out.

Nothing is rearranged: a product that holds a delta shows it, so that a proof can show the step
that uses it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from typing import TypeAlias

import sympy as sp

from symbp.derive.partial import Partial
from symbp.derive.proof import Label
from symbp.emit.build import build
from symbp.emit.layout import (
    DELTA,
    ONE,
    ByIndex,
    Derivative,
    Fenced,
    Indexed,
    Layout,
    Named,
    Number,
    Row,
    SizeName,
    Summed,
    fold,
    row,
)
from symbp.ir import Examples, Expr, Sum, Words, node, variable
from symbp.ops.expectation import Moment
from symbp.ops.kinds import Elementwise, Merge, Split
from symbp.ops.linear import is_ones, ones
from symbp.ops.power import base_and_exponent, power

Labels: TypeAlias = Sequence[Label]


def entry(expr: Expr, labels: Labels, letters: Sequence[str]) -> Layout:
    """Return the layout of an entry of an expression.

    labels: the letters of each axis.  letters: those for sums, in the order to take them in.
    """
    return _Writer(letters).entry(expr, labels, frozenset(_flat(labels)))


def by_case(expr: Expr, labels: Labels, letters: Sequence[str]) -> Layout:
    """Return the entry of a product with one Kronecker delta: 0 where its indices differ."""
    op = expr.op
    assert isinstance(op, Words)
    (double,) = {letter for letter in op.out if op.out.count(letter) > 1}
    first, last = (k for k, letter in enumerate(op.out) if letter == double)
    kept = [k for k in range(len(op.out)) if k != first]
    same = node(Words(op.words, tuple(op.out[k] for k in kept), op.dims), *expr.args)
    part = entry(same, [labels[k] for k in kept], letters)
    zero = Number(value=Fraction(0))
    return ByIndex((zero, part, _index(labels[first]), _index(labels[last])))


def whole(expr: Expr) -> Layout:
    """Return the layout of an expression as an array, derivatives by their names."""
    return fold(build(expr), _named)


def _index(label: Label) -> Layout:
    return SizeName(name="".join(label))


def _flat(labels: Labels) -> list[str]:
    return [letter for label in labels for letter in label]


def _indexed(layout: Layout, labels: Labels) -> Layout:
    spelled = tuple("".join(label) for label in labels)
    return Indexed((layout,), letters=spelled) if labels else layout


def _named(layout: Layout, parts: list[Layout]) -> Layout:
    """Return a layout with ∂z/∂v for the name of an array of derivatives."""
    if isinstance(layout, Named) and isinstance(layout.variable, Partial):
        of = layout.variable
        return Derivative((Named(variable=of.top), Named(variable=of.by)))
    return replace(layout, parts=tuple(parts)) if layout.parts else layout


@dataclass
class _Writer:
    """Writes entries; `letters` are those for sums."""

    letters: Sequence[str]

    def entry(self, expr: Expr, labels: Labels, taken: Collection[str]) -> Layout:
        op = expr.op
        if isinstance(op, Partial):
            above = len(op.top.dims)
            parts = ((op.top, labels[:above]), (op.by, labels[above:]))
            return Derivative(tuple(_indexed(Named(variable=v), axes) for v, axes in parts))
        if isinstance(op, Words):
            return self._product(expr, labels, taken)
        if isinstance(op, Examples):
            return self.entry(expr.args[0], labels, taken)
        if isinstance(op, Sum | Elementwise):
            plain = Sum(op.coefficients, ()) if isinstance(op, Sum) else op
            return self._of_scalars(plain, expr.args, labels, taken)
        if isinstance(op, Moment):
            return Fenced((self.entry(expr.args[0], labels, taken),), fence=op.notation)
        if isinstance(op, Merge) and all(map(_fits, op.groups, labels)):
            axes = dict(zip(_axes(op.groups), _flat(labels), strict=True))
            return self.entry(expr.args[0], [(axes[k],) for k in range(len(axes))], taken)
        if isinstance(op, Split) and all(len(label) == 1 for label in labels):
            groups = [tuple(labels[axis][0] for axis in group) for group in op.groups]
            return self.entry(expr.args[0], groups, taken)
        return _indexed(whole(expr), labels)

    def _of_scalars(
        self, op: Sum | Elementwise, args: Sequence[Expr], labels: Labels, taken: Collection[str]
    ) -> Layout:
        """Return an operation of the arguments' entries, by the layout that it has for scalars."""
        entries: dict[str, Layout] = {}
        stands = []
        for arg in args:
            name = f"entry {len(entries)}"
            stands.append(ones() if is_ones(arg) else variable(name))
            entries[name] = ONE if is_ones(arg) else self.entry(arg, labels, taken)
        return _filled(build(node(op, *stands)), entries)

    def _product(self, expr: Expr, labels: Labels, taken: Collection[str]) -> Layout:
        summed: list[str] = []
        factors = self._factors(expr, labels, set(taken), summed)
        entries = {f"entry {k}": layout for k, (layout, _) in enumerate(factors)}
        stands = [
            power(variable(name), exponent)
            for name, (_, exponent) in zip(entries, factors, strict=True)
        ]
        if not stands:
            body: Layout = ONE
        elif all(exponent == 1 for _, exponent in factors):
            body = row(*entries.values())
        else:
            product = node(Words(((),) * len(stands), (), ()), *stands)
            body = _filled(build(product), entries)
        return Summed((body,), letters=tuple(summed)) if summed else body

    def _factors(
        self, expr: Expr, labels: Labels, taken: set[str], summed: list[str]
    ) -> list[tuple[Layout, sp.Rational]]:
        """Return the factors of a product, those of products in it among them, and exponents.

        Letters that are summed over are added to `summed`.
        """
        op = expr.op
        assert isinstance(op, Words)
        names: dict[int, Label] = dict(zip(op.out, labels, strict=True))
        for letter in {i: None for word in op.words for i in word}:
            if letter not in names:
                names[letter] = self._fresh(_joined(expr, letter), taken, summed)
        found: list[tuple[Layout, sp.Rational]] = []
        ends = [
            (label, names[letter])
            for letter, label in zip(op.out, labels, strict=True)
            if label != names[letter]
        ]
        for arg, word in zip(expr.args, op.words, strict=True):
            axes = [names[letter] for letter in word]
            if isinstance(arg.op, Words):
                found += self._factors(arg, axes, taken, summed)
                continue
            base, exponent = base_and_exponent(arg)
            exponent = exponent if exponent < 0 else sp.Integer(1)
            layout = self.entry(base if exponent < 0 else arg, axes, frozenset(taken))
            found += [(part, exponent) for part in _flattened(layout)]
        one = sp.Integer(1)
        found = [*((_indexed(DELTA, pair), one) for pair in ends), *found]
        return sorted(found, key=lambda factor: _place(factor[0]))

    def _fresh(self, group: Sequence[int], taken: set[str], summed: list[str]) -> Label:
        """Return letters for the axes that were joined to one, in the order of the group."""
        free = islice((name for name in self.letters if name not in taken), len(group))
        fresh = dict(zip(sorted(group), free, strict=True))
        taken.update(fresh.values())
        summed.extend(fresh.values())
        return tuple(fresh[axis] for axis in group)


def _joined(expr: Expr, letter: int) -> Sequence[int]:
    """Return the group of axes that a letter of a product runs over together."""
    op = expr.op
    assert isinstance(op, Words)
    for arg, word in zip(expr.args, op.words, strict=True):
        if isinstance(arg.op, Merge) and letter in word:
            return arg.op.groups[word.index(letter)]
    return (0,)


def _place(layout: Layout) -> int:
    """Return where a factor stands: the derivative of the result first, then other derivatives."""
    if not isinstance(layout, Derivative):
        return 2
    return int(isinstance(layout.parts[0], Indexed))


def _flattened(layout: Layout) -> tuple[Layout, ...]:
    return layout.parts if isinstance(layout, Row) else (layout,)


def _filled(layout: Layout, entries: dict[str, Layout]) -> Layout:
    """Return a layout with entries for the scalars that stood for them."""

    def step(part: Layout, parts: list[Layout]) -> Layout:
        if isinstance(part, Named) and part.variable.name in entries:
            return entries[part.variable.name]
        return replace(part, parts=tuple(parts)) if part.parts else part

    return fold(layout, step)


def _fits(group: Sequence[int], label: Label) -> bool:
    return len(group) == len(label)


def _axes(groups: Sequence[Sequence[int]]) -> list[int]:
    return [axis for group in groups for axis in group]
