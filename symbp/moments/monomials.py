"""Products of powers of entries, and sums of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from symbp.ir import Expr, Words, symbol, variables
from symbp.moments.known import NotDerived
from symbp.ops.kinds import Elementwise
from symbp.ops.linear import is_zero
from symbp.ops.power import base_and_exponent
from symbp.ops.product import product

Monomial = Mapping[Expr, int]
"""Entries, as scalars, and their exponents."""


def multiplied(first: Expr, factors: Iterable[Callable[[], Expr]]) -> Expr:
    """Return a product of independent factors: zero where one is, whatever the others are.

    Raises what the first factor raises that is not derived, where none is zero.
    """
    made, missing = first, None
    for factor in factors:
        try:
            made = product([(made, ()), (factor(), ())], ())
        except NotDerived as reason:
            missing = missing or reason
        if is_zero(made):
            return made
    if missing is not None:
        raise missing
    return made


def joined(one: Monomial, other: Monomial) -> dict[Expr, int]:
    """Return the product of two products."""
    made = dict(one)
    for atom, exponent in other.items():
        made[atom] = made.get(atom, 0) + exponent
    return made


def raised(terms: Sequence[tuple[Any, Monomial]], exponent: int) -> list[tuple[Any, Monomial]]:
    """Return a sum of products to a whole power, multiplied out."""
    made: list[tuple[Any, Monomial]] = [(1, {})]
    for _ in range(exponent):
        made = [(c * d, joined(m, n)) for c, m in made for d, n in terms]
    return made


def taken_apart(monomial: Monomial) -> dict[Expr, int]:
    """Return a product with products and whole powers in it taken apart."""
    made: dict[Expr, int] = {}
    for atom, exponent in monomial.items():
        base, inner = base_and_exponent(atom)
        if isinstance(atom.op, Words):
            inside = dict.fromkeys(atom.args, 0)
            for arg in atom.args:
                inside[arg] += exponent
            made = joined(made, taken_apart(inside))
        elif isinstance(atom.op, Elementwise) and inner.is_Integer and inner > 1:
            made = joined(made, taken_apart({base: exponent * int(inner)}))
        else:
            made[atom] = made.get(atom, 0) + exponent
    return made


def why(group: Monomial) -> str:
    """Return why the expectation of entries that meet is not derived."""
    names = sorted({str(symbol(v)) for atom in group for v in variables(atom)})
    if len(names) == 1:
        return f"a moment of {names[0]}, which is no function of one normal variable"
    return f"{', '.join(names[:-1])} and {names[-1]} meet, and no law takes them apart"
