"""The named laws that a derived line is simplified by.

Most of the algebra is in the normal form of sums and products.  A few laws are left, each local,
each ending, each leaving the value as it is: a part that is the value of a line is called by its
name; a sigmoid of −z is 1 − σ(z); a rational elementwise expression is cancelled by SymPy where
that makes it shorter: (a − y)/(a(1 − a)) · a(1 − a) = a − y; terms are joined at a common factor.
"""

from collections.abc import Iterable
from functools import cache

import sympy as sp

from symbp.derive.blocks import pick_blocks
from symbp.derive.collect import collect
from symbp.derive.signs import absorb
from symbp.ir import (
    Constant,
    Expr,
    Sum,
    Variable,
    Words,
    is_variable,
    letters_of,
    node,
    symbol,
    variables,
    walk,
)
from symbp.ops.kinds import Elementwise
from symbp.ops.linear import negate, number, parts, rational, subtract
from symbp.ops.pointwise import SIGMOID
from symbp.ops.product import broadcast, subproduct
from symbp.ops.rewrite import rebuild, substitute
from symbp.ops.scalar import from_scalar
from symbp.program import Binding

LONGEST = 80
"""Above this many nodes SymPy is not asked: cancelling is for the short chains of one line."""


class Lines:
    """The values that have a name, to call them by it."""

    def __init__(self, bindings: Iterable[Binding]) -> None:
        self.by_value: dict[str, Expr] = {}
        for binding in bindings:
            self.add(binding)

    def add(self, binding: Binding) -> None:
        """Enter a line; not one that is a part of its target's value, or the same in every turn."""
        letters = {loop.letter for loop in binding.loops}
        if binding.adds or (letters and letters - letters_of(binding.expr)):
            return
        if binding.expr.args and rational(binding.expr) is None:
            self.by_value.setdefault(binding.expr.digest, binding.target)

    def simplify(self, expr: Expr) -> tuple[Expr, tuple[str, ...]]:
        """Return the simplified expression and the laws that changed it."""
        laws = []
        for law, change in (
            ("σ(−z) = 1 − σ(z)", self._reflect),
            ("", self.call_by_name),
            ("Σ y = 1 for a one-hot y", _one_hot),
            ("E_iᵀ E_i = I", pick_blocks),
            ("z sign(z) = |z|", absorb),
            ("cancel", cancel),
            ("common factor", collect),
        ):
            changed = change(expr)
            same = changed is expr or not law
            if not same and without_weight(changed).digest != without_weight(expr).digest:
                laws.append(law)
            expr = changed
        return expr, tuple(laws)

    def _reflect(self, expr: Expr) -> Expr:
        """Write σ(−z) as 1 − σ(z), where σ(z) stands in the expression too or has a name."""
        if SIGMOID.name not in expr.kinds:
            return expr
        sigmoids = [part for part in walk(expr) if part.op is SIGMOID]
        digests = {part.digest for part in sigmoids}
        values = {}
        for part in sigmoids:
            if all(c < 0 for c, _ in parts(part.args[0])):
                mirrored = node(SIGMOID, negate(part.args[0]))
                if mirrored.digest in digests or mirrored.digest in self.by_value:
                    values[part] = subtract(number(1, part.shape), mirrored)
        return substitute(expr, values) if values else expr

    def call_by_name(self, expr: Expr) -> Expr:
        """Return an expression in which every part that is the value of a line is its name."""
        done: dict[Expr, Expr] = {}
        for part in walk(expr):
            if is_variable(part):
                done[part] = part
                continue
            known = self.by_value.get(part.digest)
            done[part] = known or rebuild(part, tuple(done[arg] for arg in part.args))
        return done[expr]


def without_weight(expr: Expr) -> Expr:
    """Return an expression for one example, whose weight is 1."""
    if "weight" not in expr.kinds:
        return expr
    weights = [v for v in variables(expr) if symbol(v).role == "weight"]
    return substitute(expr, {weight: number(1) for weight in weights})


def _one_hot(expr: Expr) -> Expr:
    """Write the sum of a one-hot vector's entries as 1."""
    if "one_hot" not in expr.kinds:
        return expr
    values = {}
    for part in walk(expr):
        op = part.op
        if isinstance(op, Words):
            factors = enumerate(zip(part.args, op.words, strict=True))
            kept = [factor for k, factor in factors if not _sums_to_one(part, op, k)]
            if len(kept) < len(part.args):
                values[part] = subproduct(kept, op.out, op.dims)
    return substitute(expr, values) if values else expr


def _sums_to_one(part: Expr, op: Words, position: int) -> bool:
    arg = part.args[position].op
    if not isinstance(arg, Variable) or arg.encoding != "one_hot":
        return False
    (letter,) = op.words[position]
    others = [i for k, word in enumerate(op.words) if k != position for i in word]
    return letter not in others and letter not in op.out


def cancel(expr: Expr) -> Expr:
    """Return a shorter form of a rational elementwise expression, or the expression itself."""
    if not 4 < expr.size < LONGEST:
        return expr
    if not _is_rational_candidate(expr):
        inner = {arg: cancel(arg) for arg in expr.args}
        changed = tuple(inner[arg] for arg in expr.args)
        return rebuild(expr, changed)
    atoms: dict[Expr, sp.Symbol] = {}
    formula = _to_formula(expr, expr, atoms)
    values = {s: a if a.rank == expr.rank else broadcast(a, *expr.shape) for a, s in atoms.items()}
    key = None
    if all(is_variable(atom) for atom in atoms):  # then their ranks alone decide
        key = (formula, expr.rank, tuple(atom.rank for atom in atoms), _operations(expr))
        if key in _SHORTEST:
            return expr
    best = expr
    forms = _forms(formula)
    opened = forms[0]  # alone, it must save more than one operation
    for form in forms:
        candidate = from_scalar(form, values, expr.shape)
        least = 2 if form == opened and best is expr else 1
        if _operations(candidate) <= _operations(best) - least:
            best = candidate
    if key is not None and best is expr:
        _SHORTEST.add(key)
    return best


_SHORTEST: set[tuple[sp.Expr, int, tuple[int, ...], int]] = set()
"""Formulas that no other form is shorter than; layers that are alike ask for the same."""


@cache
def _forms(formula: sp.Expr) -> tuple[sp.Expr, ...]:
    """Return the forms that may be shorter; layers that are alike ask for the same."""
    return sp.expand(formula), sp.factor(sp.cancel(formula))


def _operations(expr: Expr) -> int:
    """Return how many operations an expression takes, equal parts counted once."""
    count = 0
    for part in walk(expr):
        op = part.op
        if isinstance(op, Sum):
            count += len(part.args) - 1 + sum(abs(c) != 1 for c in op.coefficients)
        elif isinstance(op, Words):
            count += max(len(part.args) - 1, 0)
        elif part.args:
            count += 1
    return count


def _is_rational_candidate(expr: Expr) -> bool:
    if isinstance(expr.op, Sum):
        return len(expr.args) > 1 and any(arg.args for arg in expr.args)
    return _is_entrywise(expr) and len(expr.args) > 1


def _is_entrywise(expr: Expr) -> bool:
    op = expr.op
    if not isinstance(op, Words) or len(set(op.out)) != len(op.out):
        return False
    return all(word == op.out or not word for word in op.words)


def _to_formula(expr: Expr, root: Expr, atoms: dict[Expr, sp.Symbol]) -> sp.Expr:
    """Return the SymPy scalar of an elementwise rational expression, atoms as symbols."""
    op = expr.op
    if isinstance(op, Sum):
        terms = [_to_formula(arg, root, atoms) for arg in expr.args]
        pairs = zip(op.coefficients, terms, strict=True)
        return sp.Add(*(sp.Rational(c.numerator, c.denominator) * t for c, t in pairs))
    if _is_entrywise(expr) and expr.shape == root.shape:
        factors = [_to_formula(arg, root, atoms) for arg in expr.args if arg.rank == root.rank]
        scalars = [_atom(arg, root, atoms) for arg in expr.args if arg.rank != root.rank]
        return sp.Mul(*factors, *scalars)
    if isinstance(op, Elementwise) and op.exponent is not None and op.exponent.is_integer:
        return _to_formula(expr.args[0], root, atoms) ** op.exponent
    if isinstance(op, Constant):
        return op.value
    return _atom(expr, root, atoms)


def _atom(expr: Expr, root: Expr, atoms: dict[Expr, sp.Symbol]) -> sp.Symbol:
    if expr not in atoms:
        atoms[expr] = sp.Symbol(f"v{len(atoms)}", real=True)
    return atoms[expr]
