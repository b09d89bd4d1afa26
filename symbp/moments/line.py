"""The moments of one line, step by step: 001 (7.28) to (7.30) and (7.32), and 003."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import combinations

import sympy as sp

from symbp.derive.proof import Equation, Label
from symbp.ir import Expr, is_variable, symbol, variable, variables
from symbp.moments.formula import formula_in
from symbp.moments.knowledge import Knowledge
from symbp.moments.known import Known
from symbp.moments.monomials import joined, multiplied
from symbp.moments.products import is_fresh, is_outer, products
from symbp.moments.terms import Term, entry, terms
from symbp.ops.expectation import mean, one_entry, square, typical, variance
from symbp.ops.linear import add, combine, is_zero, number, opened, scale, subtract
from symbp.ops.power import power
from symbp.ops.product import Factor, Word, product
from symbp.program import Loop

LINE = "the line"
LINEAR = "E is linear"
INDEPENDENT = "independent factors"
ZERO = "weights of mean zero"
IDENTITY = "E[z²] − E[z]²"
CENTRED = "the mean is zero"
CROSS = "cross terms vanish"
ALIKE = "entries alike"
START = ", biases zero"
NORMAL = "of a normal argument"
ODD = "odd, of a symmetric argument"
APART = "uncorrelated terms"
TAKEN = "taken as normal"


@dataclass(frozen=True)
class Moments:
    """The moments of the entries of a line, in those of what it reads.

    target: one entry, as a scalar.  mean, second: E[z] and E[z²].  equations: the steps to them.
    missing: why they are not derived, where they are not.
    """

    target: Expr
    expr: Expr
    mean: Expr
    second: Expr
    equations: tuple[Equation, ...] = ()
    missing: str = ""
    loops: tuple[Loop, ...] = ()

    @property
    def variance(self) -> Expr:
        """Var[z] = E[z²] − E[z]²."""
        return self.second if is_zero(self.mean) else subtract(self.second, square(self.mean))


class LineMoments:
    """Derives the moments of one line; `letters` name the axes, then the letters of sums."""

    def __init__(self, target: Expr, expr: Expr, knowledge: Knowledge, letters: Sequence[str]):
        self.target, self.expr, self.knowledge = target, expr, knowledge
        self.labels: tuple[Label, ...] = tuple((letter,) for letter in letters[: target.rank])
        self.scalar = one_entry(target)
        self.terms = terms(expr)
        self.sums = any(term.summed for term in self.terms)

    def moments(self) -> Moments:
        """Return the moments.  Raises NotDerived."""
        average = self._total(self._mean)
        second = self.second_of(self.terms)
        if is_variable(self.expr):
            return Moments(self.scalar, self.expr, average, second, self._alias(average, second))
        made = self._mean_steps(average) + self._second_steps(average, second)
        return Moments(self.scalar, self.expr, average, second, tuple(made))

    def _alias(self, average: Expr, second: Expr) -> tuple[Equation, ...]:
        """Return the steps of a line that is another: its moments are those."""
        if is_zero(average):
            found = ((mean, average), (variance, second))
            return tuple(Equation(of(self.scalar), value, LINE) for of, value in found)
        left = mean(square(self.scalar))
        return Equation(mean(self.scalar), average, LINE), Equation(left, second, LINE)

    def _mean(self, term: Term) -> Expr:
        """Return the mean of a term, of all the products it sums."""
        return product([(term.count, ()), (self._one(term), ())], ())

    def _one(self, *terms: Term) -> Expr:
        """Return the mean of a product that a term sums, or of one of each of several terms."""
        made = number(math.prod((term.coefficient for term in terms), start=Fraction(1)))
        places: dict[Word, dict[Expr, int]] = {}
        for term in terms:
            for word, monomial in term.places.items():
                places[word] = joined(places.get(word, {}), monomial)
        at_places = [partial(self.knowledge.of_terms, [(1, found)]) for found in places.values()]
        return multiplied(made, at_places)

    def second_of(self, terms: Sequence[Term]) -> Expr:
        """Return E[(S + T + …)²] of some of the terms."""
        squares = add(number(0), *(self._of_square(term) for term in terms))
        crossed = [self._crossed(one, two) for one, two in combinations(terms, 2)]
        return add(squares, *(scale(2, cross) for cross in crossed))

    def _of_square(self, term: Term) -> Expr:
        """Return E[(Σ T)²] of the products T that a term sums, which are independent and alike."""
        whole = product([(term.count, ()), (self._one(term, term), ())], ())
        if not term.summed:
            return whole
        one = self._one(term)
        if is_zero(one):
            return whole
        others = subtract(square(term.count), term.count)
        return add(whole, product([(others, ()), (square(one), ())], ()))

    def _crossed(self, one: Term, two: Term) -> Expr:
        """Return E[(Σ S)(Σ T)] of two terms."""
        means = product([(self._mean(one), ()), (self._mean(two), ())], ())
        if [one.dims[s] for s in one.summed] != [two.dims[s] for s in two.summed]:
            return means
        whole = product([(one.count, ()), (self._one(one, two), ())], ())
        if is_zero(means) or not one.summed:
            return whole
        share = subtract(number(1), power(one.count, sp.Integer(-1)))
        return add(whole, product([(share, ()), (means, ())], ()))

    def _total(self, of: Callable[[Term], Expr]) -> Expr:
        return add(number(0), *(of(term) for term in self.terms))

    def _mean_steps(self, average: Expr) -> list[Equation]:
        if not self.sums:
            return self._of_entries(mean(self.scalar), 1, average)
        left, made = mean(self.target), []
        made.append(Equation(left, mean(self.expr), LINE, self.labels))
        made.append(Equation(left, self._apart(1, joint=True), LINEAR, self.labels))
        made.append(Equation(left, self._apart(1), INDEPENDENT, self.labels))
        reason = ZERO if is_zero(average) else ALIKE + self._start()
        return [*made, Equation(mean(self.scalar), average, reason)]

    def _second_steps(self, average: Expr, second: Expr) -> list[Equation]:
        if not self.sums:
            return self._unsummed(average, second)
        left = variance(self.target) if is_zero(average) else mean(square(self.target))
        made = []
        if is_zero(average):
            made.append(Equation(left, mean(square(self.target)), CENTRED, self.labels))
        made.append(Equation(left, mean(square(self.expr)), LINE, self.labels))
        alone = all(not term.summed or is_zero(self._one(term)) for term in self.terms)
        if alone and not any(self._meets(*pair) for pair in combinations(self.terms, 2)):
            made.append(Equation(left, self._apart(2, joint=True), CROSS, self.labels))
            made.append(Equation(left, self._apart(2), INDEPENDENT, self.labels))
        left = variance(self.scalar) if is_zero(average) else mean(square(self.scalar))
        return [*made, Equation(left, second, ALIKE + self._start())]

    def _unsummed(self, average: Expr, second: Expr) -> list[Equation]:
        centred = is_zero(average)
        left = variance(self.scalar) if centred else mean(square(self.scalar))
        made = self._of_entries(left, 2, second)
        if centred:
            made.insert(0, Equation(left, mean(square(self.scalar)), CENTRED))
        else:
            spread = Moments(self.scalar, self.expr, average, second).variance
            made.append(Equation(variance(self.scalar), spread, IDENTITY))
        return made

    def _of_entries(self, left: Expr, exponent: int, value: Expr) -> list[Equation]:
        """Return the steps to E[z] or E[z²] of a line that is done entry by entry."""
        own = entry(self.expr)
        whole = mean(own if exponent == 1 else square(own))
        made = [Equation(left, whole, LINE)]
        if value is whole:
            return made
        return [*made, Equation(left, value, self._reason(own, is_zero(value)))]

    def _reason(self, own: Expr, zero: bool) -> str:
        """Return why the moments of an entry are what they are."""
        if formula_in(own, self.knowledge.known) is not None:
            return ODD if zero else NORMAL
        if not {*variables(own)}.isdisjoint(self.knowledge.taken):
            return TAKEN
        return APART if len(opened(own)) > 1 else INDEPENDENT

    def _apart(self, exponent: int, joint: bool = False) -> Expr:
        """Return the sum of the terms' moments in index words, factors together or apart."""
        made = []
        for term in self.terms:
            if joint:
                made.append(term.over_all(mean(term.whole(exponent)), exponent))
            else:
                made.append(self._of_factors(term, exponent))
        return add(*made)

    def _of_factors(self, term: Term, exponent: int) -> Expr:
        """Return a term with the moment of each group of factors that depend on each other."""
        factors: list[Factor] = [(number(term.coefficient**exponent), ())]
        for word in dict.fromkeys(word for _, word in term.factors):
            members = [factor for factor, letters in term.factors if letters == word]
            for group in self.knowledge.groups_of([entry(member) for member in members]):
                raised = [(power(members[k], sp.Integer(exponent)), word) for k in group]
                whole = product(raised, word, {letter: term.dims[letter] for letter in word})
                factors.append((mean(whole) if self.knowledge.is_random(whole) else whole, word))
        return product(factors, term.out, dict(term.dims))

    def _meets(self, one: Term, two: Term) -> bool:
        return not is_zero(self._crossed(one, two))

    def _start(self) -> str:
        """Return what is said where a name that starts at zero is gone."""
        gone = (self.knowledge.known(one_entry(v)).zero for v in variables(self.expr))
        return START if any(gone) else ""


def learnt(line: LineMoments, moments: Moments) -> dict[Expr, Known]:
    """Return what a line's moments and its form tell of its entries.

    Where fresh products are added to something else, the products have no name: one is made up.
    """
    knowledge = line.knowledge
    fresh = [term for term in line.terms if is_fresh(term, knowledge)]
    rest = [term for term in line.terms if term not in fresh]
    plain = [
        t for t in fresh if not any(knowledge.roots(f) for f, w in t.factors if is_outer(t, w))
    ]
    normal = plain == fresh and all(_is_normal(term, knowledge) for term in rest)
    roots = frozenset((moments.target,)) if fresh else frozenset()
    for term in line.terms:
        read = [f for f, word in term.factors if term in rest or is_outer(term, word)]
        roots |= frozenset().union(*(knowledge.roots(factor) for factor in read))
    pairs = tuple(pair for term in fresh for pair in products(term, knowledge))
    centred = is_zero(moments.mean)
    made = {}
    definition = None if line.sums else typical(line.expr)
    named = [term for term in rest if not _is_zero(term, knowledge)]
    if named and plain == fresh != []:
        hidden = variable(f"{symbol(moments.target)} fresh")
        second = line.second_of(fresh)
        own = frozenset((moments.target,))
        made[hidden] = Known(True, normal=True, roots=own, products=pairs, second=second)
        entries = [(t.coefficient, entry(product(t.factors, t.out, dict(t.dims)))) for t in named]
        definition = combine([(Fraction(1), hidden), *entries], ())
    normal = normal and centred and bool(fresh or len(named) > 1)
    made[moments.target] = Known(
        centred, normal=normal, roots=roots, definition=definition, products=pairs
    )
    return made


def _is_normal(term: Term, knowledge: Knowledge) -> bool:
    """Tell whether a term without sums is a multiple of a normal variable, or zero at the start."""
    if len(term.factors) != 1 or term.summed:
        return False
    atom = entry(term.factors[0][0])
    return is_variable(atom) and (knowledge.known(atom).normal or knowledge.known(atom).zero)


def _is_zero(term: Term, knowledge: Knowledge) -> bool:
    """Tell whether a term is zero at the start."""
    atoms = (entry(factor) for factor, _ in term.factors)
    return any(is_variable(atom) and knowledge.known(atom).zero for atom in atoms)
