"""Small steps from terms to terms: scaling, permuting, naming axes by letters."""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from symbp.emit.contract import Term, multiply, reduced
from symbp.emit.syntax import binary, call, literal, negated, ratio
from symbp.ir import Dim, Expr
from symbp.lower.path import pairs, result_word


def folded(terms: Sequence[Term], out: tuple[int, ...]) -> Term:
    """Return a product entry by entry, factors in their order, an array of numbers first."""
    order = sorted(terms, key=lambda term: term.is_mask or term.divisor is not None)
    product = order[0]
    for term in order[1:]:
        product = multiply(product, term, out)
    return product


def rational_one(term: Term) -> bool:
    """Tell whether code is the number 1."""
    return isinstance(term.code, ast.Constant) and term.code.value == 1


def lettered(term: Term, word: Mapping[int, int] | tuple[int, ...]) -> Term:
    """Name the axes of a factor by the letters of its word."""
    letters = tuple([None if k is None else word[k] for k in term.letters])
    return term if letters == term.letters else replace(term, letters=letters)


def axes(expr: Expr) -> tuple[int | None, ...]:
    """Return the letters of an expression's own axes: 0, 1 and so on."""
    return tuple(range(expr.rank))


def attribute(term: Term) -> str:
    """Return a term's text, fit to stand before a dot."""
    text = ast.unparse(term.code)
    return text if term.plain else f"({text})"


def permuted(code: ast.expr, order: Sequence[int]) -> ast.expr:
    """Return an array with its axes in another order."""
    if list(order) == list(range(len(order))):
        return code
    if list(order) == [1, 0]:
        return ast.Attribute(code, "T", ast.Load())
    return call("np.transpose", code, ast.Tuple([literal(k) for k in order], ast.Load()))


def scaled(coefficient: Fraction, term: Term) -> Term:
    """Return a multiple of a term."""
    if coefficient == 1:
        return term
    return times(literal(coefficient), term, coefficient, 0)


def times(scalar: ast.expr | None, term: Term, numerator: Fraction | int, shared: int) -> Term:
    """Return scalar · term, as a quotient where the scalar is one over something."""
    if scalar is None:
        return term
    if numerator in (1, -1) and shared and isinstance(scalar, ast.BinOp):
        code = negated(term.code) if numerator < 0 else term.code
        return Term(ratio(code, scalar.right), term.letters)
    if not shared and numerator == -1:
        return Term(negated(term.code), term.letters)
    if (
        not shared
        and isinstance(numerator, Fraction)
        and abs(numerator.numerator) == 1 != numerator.denominator
    ):
        code = negated(term.code) if numerator < 0 else term.code
        return Term(ratio(code, literal(numerator.denominator)), term.letters)
    return Term(binary(scalar, "*", term.code), term.letters)


def contracted(terms: Sequence[Term], out: tuple[int, ...], dims: Mapping[int, Dim]) -> Term:
    """Return the product of all factors, two at a time, summed over the letters `out` lacks.

    A matrix that stands in between is written in the direction that takes the fewest transposes
    in all: `A @ (W @ B)`, never `A @ (B.T @ W.T).T`.
    """
    if not terms:
        return Term(literal(1), ())
    if len(terms) > 1:  # a diagonal is taken first, a trace at once
        terms = [_without_repeats(k, terms, out) for k in range(len(terms))]
    words = [term.word for term in terms]
    alike = all(word in ((), words[-1]) for word in words)
    if alike and set(words[-1]) <= set(out) and len(set(words[-1])) == len(words[-1]):
        return folded(terms, out)
    ways = [list(terms)]
    for pair in pairs(words, out, dims):
        made = [way for terms in ways for way in _steps(terms, pair, out)]
        ways = sorted(made, key=lambda way: sum(_turns(term.code) for term in way))[:_WAYS]
    found = [reduced(way[0], out).aligned(out) for way in ways]
    return (
        found[0]
        if len(found) == 1
        else min(found, key=lambda term: (_turns(term.code), _is_turned(term.code)))
    )


_WAYS = 8
"""How many choices of directions are followed at a time."""


def _steps(terms: list[Term], pair: tuple[int, int], out: tuple[int, ...]) -> list[list[Term]]:
    """Return the terms with two of them multiplied, a matrix in between in both directions."""
    one, other = (terms[k] for k in pair)
    rest = [term for k, term in enumerate(terms) if k not in pair]
    keep = result_word(one.word, other.word, [term.word for term in rest], out)
    order = [i for i in out if i in keep] + [i for i in keep if i not in out]
    orders = [order, order[::-1]] if len(order) == 2 else [order]
    return [[*rest, multiply(one, other, order)] for order in orders]


def _without_repeats(position: int, terms: Sequence[Term], out: tuple[int, ...]) -> Term:
    """Return a factor with the diagonal taken of a letter that it has twice."""
    term = terms[position]
    if len(set(term.word)) == len(term.word):
        return term
    others = {i for k, other in enumerate(terms) if k != position for i in other.word}
    return reduced(term, tuple(i for i in dict.fromkeys(term.word) if i in {*out, *others}))


def _is_turned(code: ast.expr) -> bool:
    return isinstance(code, ast.Attribute) and code.attr == "T"


def _turns(code: ast.expr) -> int:
    """Return how many transposes code writes, one of a whole expression counted higher."""
    total, pending = 0, [code]
    while pending:
        part = pending.pop()
        if isinstance(part, ast.BinOp):
            pending += (part.left, part.right)
        elif isinstance(part, ast.Attribute):
            if part.attr == "T":
                total += 2 if isinstance(part.value, ast.Name) else 4
            total += 4 * (part.attr in ("transpose", "swapaxes"))
            pending.append(part.value)
        elif not isinstance(part, ast.Name | ast.Constant):
            pending += ast.iter_child_nodes(part)  # type: ignore[arg-type]
    return total
