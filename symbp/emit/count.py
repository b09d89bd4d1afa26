"""Counts as text: formulas of sizes, with sums over ranges."""

import sympy as sp

from symbp.emit.layout import Layout, Total, row
from symbp.emit.math import Style, writer
from symbp.emit.names import MATH
from symbp.emit.number import constant
from symbp.emit.ranges import Series
from symbp.lower.batch import EXAMPLES
from symbp.lower.loopsum import gathered, outermost


def count_text(count: sp.Expr, examples: str = EXAMPLES.name, style: Style = "unicode") -> str:
    """Return a count as a formula, what is done for each example in one parenthesis.

    examples: the letter of their number.  `BREAK` stands where a long line may be broken.
    """
    once = count.xreplace({EXAMPLES: sp.Integer(0)})
    each = gathered(count.xreplace({EXAMPLES: sp.Integer(1)}) - once)
    once = gathered(once)
    parts, shown = [], sp.Symbol(examples)
    if each.is_Add or each.has(sp.Sum):
        parts.append(row(constant(shown), _layout(each)))
    elif each:
        parts.append(constant(shown * each))
    if once or not each:
        parts.append(_layout(once))
    layout = parts[0] if len(parts) == 1 else Total(tuple(parts), negative=(False, False))
    return writer(style, MATH)(layout)


def _layout(expr: sp.Expr) -> Layout:
    """Return the layout of a formula: one without a sum over a range is that of a number."""
    if not expr.has(sp.Sum):
        return constant(expr)
    if expr.is_Add:
        terms = expr.as_ordered_terms()
        negative = tuple(bool(term.as_coeff_Mul()[0] < 0) for term in terms)
        parts = zip(terms, negative, strict=True)
        return Total(tuple(_layout(-t if n else t) for t, n in parts), negative=negative)
    if isinstance(expr, sp.Sum):
        body, (letter, start, stop) = outermost(expr)
        return Series((_layout(body), *map(constant, (letter, start, stop))))
    return row(*map(_layout, sp.Mul.make_args(expr)))
