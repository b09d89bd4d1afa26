"""Expectations of functions of a normal variable, in closed form.

A formula is taken apart into terms z^n e^(bz + cz²) erf(αz)^m on intervals.  Each falls back on
a few integrals by integration by parts: over an interval from t,

    M_n = b v M_(n−1) + (n − 1) v M_(n−2) + v t^(n−1) e^(bt) p(t),    p the density of N(0, v),

and over the whole line Stein's identity E[z g(z)] = v E[g′(z)] lowers n until E[erf(αz)²] is left,
which is (2/π) atan(s / √(1 + 2s)) with s = 2α²v.  What is no such term has no closed form here;
`quadrature` has its number.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import sympy as sp

from symbp.moments.pieces import in_plain_functions, pieces
from symbp.ops.kinds import Z

V = sp.Symbol("v", positive=True)
"""The variance of the normal variable, whose mean is zero."""

_SHORT = 30
"""A function of more operations is not looked at for its symmetry."""

_TERMS = 400
"""A product of more terms than these is not worth a closed form."""


@dataclass(frozen=True)
class _Term:
    """coefficient · z^degree · e^(slope z + curve z²) · erf(inner z)^order."""

    coefficient: Any
    degree: int
    slope: Any
    curve: Any
    inner: Any
    order: int


@cache
def expectation(formula: sp.Expr) -> sp.Expr | None:
    """Return E[formula] for Z ~ N(0, V) in terms of V; None where no closed form is known."""
    total: Any = 0
    cut = pieces(formula)
    if cut is None:
        return None
    for start, stop, piece in cut:
        found = _over(piece, start, stop)
        if found is None:
            return _by_symmetry(formula)
        total += found
    return tidy(total)


def _by_symmetry(formula: Any) -> Any | None:
    """Return half of f(z) + f(−z) where that is a number, as of tanh and of the sigmoid."""
    plain = in_plain_functions(formula)
    both = plain + plain.xreplace({Z: -Z})
    if sp.count_ops(both) > _SHORT or not _has_mean(plain):
        return None
    both = sp.simplify(both)
    return None if both.has(Z) else both / 2


def _has_mean(plain: Any) -> bool:
    """Tell whether a formula is seen to have no pole, and to grow no faster than e^z."""
    poles = (p for p in plain.atoms(sp.Pow) if p.exp.is_negative and not p.base.is_positive)
    slow = (sp.diff(e.exp, Z).is_number for e in plain.atoms(sp.exp))
    functions = {type(f) for f in plain.atoms(sp.Function)} - {sp.exp}
    return not any(p.has(Z) for p in poles) and all(slow) and functions <= _TAME


_TAME = {sp.tanh, sp.sin, sp.cos, sp.erf, sp.atan}


def tidy(value: Any) -> Any:
    """Return a closed form with like terms collected and imaginary parts, which cancel, gone."""
    value = sp.expand(value)
    if value.has(sp.I):
        value = sp.expand(sp.re(sp.expand_complex(value)))
    erfs = {found: _shorter(found) for found in value.atoms(sp.erf, sp.erfc)}
    value = sp.expand(value.xreplace(erfs))
    if any(power.base.is_Add for power in value.atoms(sp.Pow)):
        value = sp.Add(*map(sp.simplify, sp.Add.make_args(value)))
    return _collected(value)


def _collected(value: Any) -> Any:
    """Return a sum with the terms of each exponential joined; SymPy writes 2 as a power of e."""
    exps = sorted(value.atoms(sp.exp), key=sp.default_sort_key)
    stands = {found: sp.Dummy(positive=True) for found in exps}
    back = {stand: found for found, stand in stands.items()}
    return sp.collect(value.xreplace(stands), [*back]).xreplace(back) if exps else value


def _shorter(found: Any) -> Any:
    """Return erf or erfc of a negative argument by that of the positive one."""
    (arg,) = found.args
    if not arg.could_extract_minus_sign():
        return found
    return -sp.erf(-arg) if isinstance(found, sp.erf) else 2 - sp.erfc(-arg)


def _over(piece: Any, start: Any, stop: Any) -> Any | None:
    """Return the part of the expectation that an interval gives."""
    terms = _terms(piece)
    if terms is None:
        return None
    total: Any = 0
    whole = start == -sp.oo and stop == sp.oo
    for term in terms:
        found = _on_line(term) if whole else _between(term, start, stop)
        if found is None:
            return None
        total += found
    return total


def _terms(piece: Any) -> list[_Term] | None:
    """Return a formula as a sum of terms; None where a factor is none that is known."""
    spelled = piece.rewrite([sp.sin, sp.cos, sp.sinh, sp.cosh], sp.exp)
    spelled = sp.expand(spelled, power_exp=True, power_base=False)
    adds = sp.Add.make_args(spelled)
    if len(adds) > _TERMS:
        return None
    found = [_term(sp.Mul.make_args(add)) for add in adds]
    return None if None in found else [term for term in found if term is not None]


def _term(factors: tuple[Any, ...]) -> _Term | None:
    coefficient, degree, exponent, inner, order = sp.Integer(1), 0, sp.Integer(0), sp.Integer(0), 0
    for factor in factors:
        base, power = factor.as_base_exp()
        if not factor.has(Z):
            coefficient *= factor
        elif base == Z and power.is_Integer and power > 0:
            degree += int(power)
        elif base == sp.E:
            exponent += power
        elif isinstance(base, sp.erf) and power.is_Integer and power > 0 and not order:
            inner, order = base.args[0] / Z, int(power)
        else:
            return None
    exponent = sp.Poly(exponent, Z) if exponent.is_polynomial(Z) else None
    if exponent is None or exponent.degree() > 2 or inner.has(Z):
        return None
    curve, slope, shift = (exponent.coeff_monomial(Z**k) for k in (2, 1, 0))
    return _Term(coefficient * sp.exp(shift), degree, slope, curve, inner, order)


def _narrowed(curve: Any) -> tuple[Any, Any] | None:
    """Return the factor and the variance that e^(cz²) gives the density; None where it diverges."""
    if curve == 0:
        return sp.Integer(1), V
    if not curve.is_negative:
        return None
    narrow = V / (1 - 2 * curve * V)
    return sp.sqrt(narrow / V), narrow


def _on_line(term: _Term) -> Any | None:
    """Return the expectation of a term over the whole line."""
    narrowed = _narrowed(term.curve)
    if narrowed is None:
        return None
    factor, variance = narrowed
    if not term.order:
        return term.coefficient * factor * _moment(term.degree, term.slope, variance)
    if term.slope != 0 or term.order > 2:
        return None
    return term.coefficient * factor * _with_erf(term.degree, term.inner, term.order, variance)


def _moment(degree: int, slope: Any, variance: Any) -> Any:
    """Return E[z^n e^(bz)]."""
    before, last = sp.Integer(0), sp.exp(slope**2 * variance / 2)
    for n in range(1, degree + 1):
        before, last = last, slope * variance * last + (n - 1) * variance * before
    return last


def _with_erf(degree: int, inner: Any, order: int, variance: Any) -> Any:
    """Return E[z^n erf(αz)^m] for m up to 2, by Stein's identity."""
    if (degree + order) % 2:
        return sp.Integer(0)
    if order == 0:
        return _moment(degree, sp.Integer(0), variance)
    if degree == 0:
        share = 2 * inner**2 * variance
        return 2 / sp.pi * sp.atan(share / sp.sqrt(1 + 2 * share))
    made: Any = 0
    if degree > 1:
        made += (degree - 1) * variance * _with_erf(degree - 2, inner, order, variance)
    narrow = variance / (1 + 2 * inner**2 * variance)
    slope = 2 * inner / sp.sqrt(sp.pi) * sp.sqrt(narrow / variance)
    rest = _with_erf(degree - 1, inner, order - 1, narrow)
    return made + order * variance * slope * rest


def _between(term: _Term, start: Any, stop: Any) -> Any | None:
    """Return the part of a term's expectation that an interval gives."""
    if term.order or not sp.S(term.slope).is_real:
        return None
    narrowed = _narrowed(term.curve)
    if narrowed is None:
        return None
    factor, variance = narrowed
    ends = [_tail(term.degree, term.slope, variance, end) for end in (start, stop)]
    return term.coefficient * factor * (ends[0] - ends[1])


def _tail(degree: int, slope: Any, variance: Any, start: Any) -> Any:
    """Return E[z^n e^(bz) 1[z > t]]."""
    if start == sp.oo:
        return sp.Integer(0)
    if start == -sp.oo:
        return _moment(degree, slope, variance)
    above = sp.erfc((start - slope * variance) / sp.sqrt(2 * variance)) / 2
    edge = sp.exp(slope * start - start**2 / (2 * variance)) / sp.sqrt(2 * sp.pi * variance)
    found = [sp.exp(slope**2 * variance / 2) * above]
    for n in range(1, degree + 1):
        more = (n - 1) * variance * found[n - 2] if n > 1 else 0
        found.append(slope * variance * found[n - 1] + more + variance * start ** (n - 1) * edge)
    return found[degree]
