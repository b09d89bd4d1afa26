"""What is known of random arrays, and expectations of products of their entries.

The entries of an array are alike, and those of different places independent, as they are in the
limit of wide layers.  A product W h with independent weights of mean zero gives a fresh normal
variable, whatever h is; two of them with the same W have the covariance of what W multiplies
(Yang 2019, Tensor Programs).  So every line is a function of fresh variables, its roots, and what
has no root in common is independent.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import sympy as sp

from symbp.errors import SymbpError
from symbp.ir import Dim, Expr, Sum, Words, holder, is_variable, symbol, variable, variables
from symbp.moments.closed import written
from symbp.moments.formula import formula_in, number_symbol
from symbp.moments.gaussian import V, expectation
from symbp.moments.known import Known, NotDerived
from symbp.moments.monomials import Monomial, joined, multiplied, raised, taken_apart, why
from symbp.moments.quadrature import quadrature
from symbp.ops.expectation import mean, one_entry, square, variance
from symbp.ops.kinds import Z
from symbp.ops.linear import add, is_zero, number, parts, scale
from symbp.ops.power import power
from symbp.ops.product import product

Turn = tuple[tuple[Dim, ...], Known]
"""The letters of a member, and what is known of it."""

_EARLIER, _LATER = variable("earlier"), variable("later", (), "adjoint")
"""The roots of all that other turns of loops have made, forward and on the way back."""


@dataclass
class Knowledge:
    """What is known so far, by the scalar that stands for an array's entry.

    families: what is known of all members of a family that lines define.  turns: what a line in a
    loop says of the member at its letters.
    integrals: the expectations that stay as they are, each with its formula in Z and the variable
    that Z stands for.  taken: those taken as normal that are not.  shared: those taken as
    independent though they read the same weights.
    """

    facts: dict[Expr, Known] = field(default_factory=dict)
    families: dict[Expr, Known] = field(default_factory=dict)
    turns: dict[Expr, tuple[Turn, ...]] = field(default_factory=dict)
    integrals: dict[Expr, tuple[Any, Expr]] = field(default_factory=dict)
    taken: dict[Expr, None] = field(default_factory=dict)
    shared: dict[Expr, None] = field(default_factory=dict)
    _apart: dict[tuple[Expr, Expr], bool] = field(default_factory=dict)

    def known(self, var: Expr) -> Known:
        """Return what is known of a variable; of an unknown one, that it is its own root.

        A member of a family that no line before has defined is as all members are.
        """
        found = self.facts.get(var)
        if found is None and symbol(var).index:
            return self._of_member(var)
        return found or Known(roots=frozenset((var,)))

    def _of_member(self, var: Expr) -> Known:
        """Return what is known of a member from another turn, by what the loop says of its own."""
        family = holder(var)
        found = self.facts.get(family)
        if found is not None:  # a family that is given
            root = var if symbol(var).role == "param" else family
            return replace(found, roots=frozenset((root,)))
        found = self.families.get(family) or Known(True, normal=True)
        for letters, known in self.turns.get(family, ()):
            there = known.at(letters, symbol(var).index)
            if there is not None:
                both = there.normal and found.normal
                return replace(there, centred=there.centred and found.centred, normal=both)
        root = _LATER if symbol(var).role == "adjoint" else _EARLIER
        return replace(found, roots=frozenset((root,)))

    def moment(self, var: Expr, power_: int) -> Expr:
        """Return E[v] or E[v²] of a variable: zero, Var[v], or the moment itself."""
        known = self.known(var)
        if known.zero or (known.centred and power_ == 1):
            return number(0)
        if known.centred:
            return variance(var) if known.second is None else known.second
        return mean(var) if power_ == 1 else mean(square(var))

    def expectation(self, monomial: Monomial) -> Expr:
        """Return the expectation of a product of powers of entries.

        Raises NotDerived where entries that depend on each other meet in no known way.
        """
        made = number(1)
        random: dict[Expr, int] = {}
        for atom, exponent in monomial.items():
            if not self.is_random(atom):
                made = product([(made, ()), (power(atom, sp.Integer(exponent)), ())], ())
            else:
                random[atom] = exponent
        return multiplied(made, [partial(self._of_group, group) for group in self._groups(random)])

    def of_terms(self, terms: Iterable[tuple[Any, Monomial]]) -> Expr:
        """Return the expectation of a sum of coefficients times products."""
        found = [scale(c, self.expectation(taken_apart(m))) for c, m in terms]
        return add(*found) if found else number(0)

    def is_random(self, atom: Expr) -> bool:
        """Tell whether an expression is no number."""
        return not all(self.known(one_entry(var)).fixed for var in variables(atom))

    def roots(self, atom: Expr) -> frozenset[Expr]:
        """Return the fresh variables that an expression is made of."""
        found: frozenset[Expr] = frozenset()
        for var in map(one_entry, variables(atom)):
            found |= frozenset() if self.known(var).zero else self.known(var).roots
        return found

    def fixed(self) -> dict[sp.Symbol, Expr]:
        """Return the numbers that are given, by the symbols that formulas have for them."""
        return {number_symbol(var): var for var, known in self.facts.items() if known.fixed}

    def is_weight(self, atom: Expr) -> bool:
        """Tell whether an entry is one of a parameter's, drawn on its own with mean zero."""
        return is_variable(atom) and symbol(atom).role == "param" and self.known(atom).centred

    def groups_of(self, atoms: Sequence[Expr]) -> list[list[int]]:
        """Return the places of the atoms in groups that are independent of each other."""
        found: list[list[int]] = []
        for group in self._groups(dict.fromkeys(atoms, 1)):
            found.append([k for k, atom in enumerate(atoms) if atom in group])
        return found

    def _groups(self, monomial: Monomial, by_weights: bool = True) -> list[dict[Expr, int]]:
        """Return the factors in groups that are independent of each other.

        by_weights: sums with the same weights depend on each other where they are correlated.
        """
        groups: list[tuple[frozenset[Expr], dict[Expr, int]]] = []
        for atom, exponent in monomial.items():
            roots, group = self.roots(atom), {atom: exponent}
            apart = []
            for other, members in groups:
                pairs = ((one, two) for one in roots for two in other)
                if any(one is two or (by_weights and self._tied(one, two)) for one, two in pairs):
                    roots, group = roots | other, members | group
                else:
                    apart.append((other, members))
            groups = [*apart, (roots, group)]
        return [group for _, group in groups]

    def _tied(self, one: Expr, two: Expr) -> bool:
        """Tell whether two fresh variables are correlated through a weight of both.

        Wᵀ of the backward pass is taken as independent of W of the forward pass.
        """
        pair = (one, two)
        if pair not in self._apart:
            self._apart[pair] = False  # while it is asked
            self._apart[pair] = self._apart[two, one] = not all(
                self._uncorrelated(first.operand, second.operand)
                for first in self.known(one).products
                for second in self.known(two).products
                if first.weight is second.weight and first.axis == second.axis
            )
        return self._apart[pair]

    def _uncorrelated(self, one: Expr, two: Expr) -> bool:
        try:
            return is_zero(self.expectation(taken_apart(joined({one: 1}, {two: 1}))))
        except NotDerived:
            return False

    def _of_group(self, group: Monomial) -> Expr:
        """Return the expectation of a product of entries that depend on each other."""
        ((atom, exponent), *more) = group.items()
        if not more and exponent <= 2 and is_variable(atom):
            return self.moment(atom, exponent)
        found = self.of_normal(group)
        if found is not None:
            return found
        opened = self._expanded(group)
        if opened is not None:
            return self.of_terms(opened)
        alone = {var for atom in group for var in variables(atom)}
        if len(alone) == 1 and self.known(*alone).centred:
            found = self.of_normal(group, *alone)
            if found is not None:
                self.taken.update(dict.fromkeys(alone))
                return found
        apart = self._groups(group, by_weights=False)
        if len(apart) > 1:
            self.shared.update(dict.fromkeys(group))
            return multiplied(number(1), [partial(self._of_group, part) for part in apart])
        raise NotDerived(why(group))

    def of_normal(self, group: Monomial, taken: Expr | None = None) -> Expr | None:
        """Return the expectation of a function of one normal variable; None where it is none.

        taken: a variable to be taken as normal.
        """

        def known(var: Expr) -> Known:
            found = self.known(var)
            return replace(found, normal=True) if var is taken else found

        whole = product([(power(a, sp.Integer(p)), ()) for a, p in group.items()], ())
        resolved = formula_in(whole, known)
        if resolved is None:
            return None
        formula, var = resolved
        closed = _odd(formula)
        if closed is None:
            closed = expectation(formula)
        if closed is not None:
            try:
                made = written(closed, {V: self.moment(var, 2)} | self.fixed())
            except SymbpError:  # SymPy has a function in it that no operation means
                pass
            else:
                if closed.has(sp.exp):  # its terms may overflow where their sum does not
                    self.integrals[made] = resolved
                return made
        kept = mean(whole)
        self.integrals[kept] = resolved
        return kept

    def _expanded(self, group: Monomial) -> list[tuple[Any, Monomial]] | None:
        """Return a product with the youngest line in it written out, or with a sum in it opened."""
        for atom in reversed(list(group)):
            written = self.known(atom).definition if is_variable(atom) else atom
            if written is None or (written is atom and not _opens(atom)):
                continue
            rest = {a: p for a, p in group.items() if a is not atom}
            terms = [(c, {t: 1}) for c, t in parts(written)]
            if len(terms) == 1 and set(taken_apart(terms[0][1])) == {atom}:
                continue
            return [(c, joined(rest, m)) for c, m in raised(terms, group[atom])]
        return None


def _odd(formula: Any) -> Any | None:
    """Return zero for an odd function of a symmetric variable, None for others."""
    turned = formula.xreplace({Z: -Z}) + formula
    if turned != 0 and sp.expand(turned) != 0:
        return None
    if formula.free_symbols == {Z}:
        try:
            quadrature(formula, 1.0)
        except SymbpError as error:  # 1/z is odd, and has no mean
            raise NotDerived(error.message) from error
    return sp.Integer(0)


def _opens(atom: Expr) -> bool:
    return isinstance(atom.op, Sum | Words)
