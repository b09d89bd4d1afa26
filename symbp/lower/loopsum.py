"""Formulas summed over the turns of loops, in closed form where there is one."""

from collections.abc import Callable, Iterable, Sequence

import sympy as sp
from sympy.core.function import AppliedUndef

from symbp.program import Binding, Loop, blocks
from symbp.sizes import letter_name, letter_symbol

Worth = Callable[[Binding], sp.Expr]
"""What one turn of a line adds to a count."""


def summed(lines: Sequence[Binding], worth: Worth, depth: int = 0) -> sp.Expr:
    """Return what lines are worth together, each summed over its loops beyond `depth`."""
    total = sp.Integer(0)
    for loop, group in blocks(lines, depth):
        if loop is None:
            total += sum(map(worth, group))
        else:
            total += over_turns(loop, summed(group, worth, depth + 1))
    return total


def over_turns(loop: Loop, term: sp.Expr) -> sp.Expr:
    """Return the sum of a term over the turns of a loop; what has no closed form stays a sum."""
    closed, open_ = sp.Integer(0), sp.Integer(0)
    for part in sp.Add.make_args(sp.expand(term)):
        if _is_open(part, loop.letter):
            open_ += part
        else:
            closed += part
    limits = (loop.letter, loop.start, loop.stop)
    whole = sp.Sum(closed, limits).doit() if closed else closed
    return sp.expand(whole) + (sp.Sum(open_, limits) if open_ else 0)


def _is_open(part: sp.Expr, letter: sp.Symbol) -> bool:
    """Tell whether a sum over a letter has no closed form: the term has sizes at its place."""
    return any(letter in found.free_symbols for found in part.atoms(AppliedUndef, sp.Sum))


def gathered(expr: sp.Expr) -> sp.Expr:
    """Return a formula in which sums over one range are one sum, each letter named as written."""
    terms: dict[tuple[sp.Expr, sp.Expr], sp.Expr] = {}
    letters: dict[tuple[sp.Expr, sp.Expr], sp.Symbol] = {}
    rest = sp.Integer(0)
    for term in sp.Add.make_args(sp.expand(expr)):
        (found, factor) = _split(term)
        if found is None:
            rest += term
            continue
        body, (letter, start, stop) = outermost(found)
        shown = letters.setdefault((start, stop), _shown(letter, found))
        body = sp.expand(factor * body.xreplace({letter: shown}))
        terms[start, stop] = terms.get((start, stop), sp.Integer(0)) + body
    inner = {ends: gathered(body) for ends, body in terms.items()}
    sums = (sp.Sum(body, (letters[ends], *ends)) for ends, body in inner.items() if body)
    return sp.Add(rest, *sums)


def outermost(found: sp.Sum) -> tuple[sp.Expr, tuple[sp.Symbol, sp.Expr, sp.Expr]]:
    """Return what a sum adds up, and the letter of its outermost range with its two ends."""
    *inner, (letter, start, stop) = found.limits
    return sp.Sum(found.function, *inner) if inner else found.function, (letter, start, stop)


def _split(term: sp.Expr) -> tuple[sp.Sum | None, sp.Expr]:
    """Return the first sum among the factors of a term, and the other factors."""
    factors = sp.Mul.make_args(term)
    found = next((f for f in factors if isinstance(f, sp.Sum)), None)
    return found, sp.Mul(*(f for f in factors if f is not found))


def _shown(letter: sp.Symbol, found: sp.Sum) -> sp.Symbol:
    """Return the letter of a sum as it was written; another where the sum speaks of it already."""
    taken = {letter_name(s) for s in found.free_symbols} | {
        str(member.func) for member in found.atoms(AppliedUndef)
    }
    names = (letter_name(letter), *"jilmpqrst")
    return next((letter_symbol(name) for name in names if name not in taken), letter)


def equal_sizes(expr: sp.Expr, widths: Iterable[sp.Symbol], width: sp.Symbol) -> sp.Expr:
    """Return a formula in which every size of an axis is one and the same, sums in closed form."""
    same = dict.fromkeys(widths, width)
    members = dict.fromkeys(expr.atoms(AppliedUndef), width)
    return sp.expand(_closed(expr.xreplace(members).xreplace(same)))


def _closed(expr: sp.Expr) -> sp.Expr:
    """Return a formula in which sums of polynomials are worked out, the inner ones first."""
    if not expr.has(sp.Sum):
        return expr
    args = [_closed(arg) if isinstance(arg, sp.Expr) else arg for arg in expr.args]
    made = expr.func(*args)
    return sp.expand(made.doit()) if isinstance(made, sp.Sum) else made
