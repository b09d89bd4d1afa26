"""NumPy code for operations that act entry by entry: functions, powers, choices, masks."""

import ast
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from functools import reduce

import sympy as sp

from symbp.emit.contract import Term, joined
from symbp.emit.dims import Dims
from symbp.emit.factors import attribute, axes
from symbp.emit.syntax import binary, call, literal, ratio, template
from symbp.ir import Dim, Expr, Size, Variable, symbol, variables, walk
from symbp.ops.evaluate import evaluate
from symbp.ops.kinds import Elementwise, Nonlinear
from symbp.ops.linear import number, parts, rational
from symbp.ops.pointwise import POSITIVE, SELECT
from symbp.ops.scalar import apply


class Entrywise(Dims):
    """Code for elementwise operations over the code of their arguments.

    names: the Python name of each variable.  helpers: what the module must define besides.
    """

    def __init__(self, names: Mapping[Expr, str], sizes: Mapping[Dim, str]) -> None:
        super().__init__(sizes)
        self.names = names
        self.helpers: set[str] = set()

    def code(self, expr: Expr) -> Term:
        """Return code whose axes are those of the expression, leading ones missing at most."""
        raise NotImplementedError

    def term(self, coefficient: Fraction, expr: Expr) -> Term:
        """Return code for a multiple of an expression."""
        raise NotImplementedError

    def _elementwise(self, expr: Expr, op: Elementwise) -> Term:
        numbers = [rational(arg) for arg in expr.args]
        if None not in numbers:
            value = evaluate(apply(op, *(number(n) for n in numbers if n is not None)), {})
            return Term(literal(value.item()), ())
        if not expr.rank and not any(isinstance(p.op, Variable | Size) for p in walk(expr)):
            return Term(literal(evaluate(expr, {}).item()), ())
        if op.exponent is not None:
            return self._power(expr, op.exponent)
        if op is POSITIVE:
            return self._filled("np.heaviside({z}, 0)", expr)
        if op is SELECT:
            return self._select(expr)
        if op.helper is not None:
            self.helpers.add(op.helper)
        if op.code is not None:
            return self._filled(op.code, expr)
        assert op.ufunc is not None, op
        places = ", ".join(f"{{{place}}}" for place in "zwv"[: len(expr.args)])
        return self._filled(f"{op.ufunc}({places})", expr)

    def _filled(self, text: str, expr: Expr) -> Term:
        terms = [self.code(arg) for arg in expr.args]
        if expr.rank and not any(term.word for term in terms):
            terms[0] = self._full(expr.args[0])
        filled = template(text, dict(zip("zwv", (t.code for t in terms), strict=False)))
        return Term(filled, reduce(joined, (term.letters for term in terms)))

    def _of_matrix(self, expr: Expr, op: Nonlinear) -> Term:
        """Return code for a function of whole vectors or matrices."""
        assert op.code is not None, op
        if op.helper is not None:
            self.helpers.add(op.helper)
        return Term(template(op.code, {"z": self._full(expr.args[0]).code}), axes(expr))

    def _select(self, expr: Expr) -> Term:
        condition, *choices = expr.args
        terms = [self.code(choice) for choice in choices]
        code = call("np.where", self.mask(condition), *(term.code for term in terms))
        if all(rational(choice) is not None for choice in choices):
            like = f"{attribute(self.code(condition))}.dtype"
            code = ast.Call(ast.Attribute(code, "astype", ast.Load()), [template(like, {})], [])
        return Term(code, reduce(joined, (t.letters for t in (self.code(condition), *terms))))

    def mask(self, condition: Expr) -> ast.expr:
        """Return code for `condition > 0`, comparing the two sides of a difference."""
        terms = parts(condition)
        if len(terms) == 2 and [c for c, _ in terms] == [1, -1]:
            left, right = (self.term(Fraction(1), arg).code for _, arg in terms)
        else:
            left, right = self.code(condition).code, literal(0)
        return ast.Compare(left, [ast.Gt()], [right])

    def _power(self, expr: Expr, exponent: sp.Rational) -> Term:
        base = self._full(expr.args[0]) if expr.rank else self.code(expr.args[0])
        if not variables(expr) and not exponent.is_integer:  # NumPy's √n is in double precision
            return Term(binary(base.code, "**", literal(_fraction(exponent))), base.letters)
        if exponent < 0:
            root = self._raised(base, -exponent)
            return Term(ratio(literal(1), root.code), base.letters, divisor=root.code)
        return self._raised(base, exponent)

    def _raised(self, base: Term, exponent: sp.Rational) -> Term:
        if exponent == 1:
            return base
        if exponent == sp.Rational(1, 2):
            return Term(call("np.sqrt", base.code), base.letters)
        return Term(binary(base.code, "**", literal(_fraction(exponent))), base.letters)

    def _typed(self, term: Term, *, unless: bool = False) -> Term:
        """Return truth values as numbers of the line's type, other code as it is."""
        if not term.is_mask or unless or self.like is None:
            return term
        typed = f"({{z}}).astype({self.like}.dtype)"
        return replace(term, code=template(typed, {"z": term.code}), is_mask=False)

    def _full(self, expr: Expr) -> Term:
        """Return code with every axis of the expression, repeated where need be."""
        term = self.code(expr)
        if term.letters == axes(expr):
            return term
        return self.filled(expr, term)

    def filled(self, expr: Expr, term: Term) -> Term:
        """Return code with every axis; a number takes the type of the line's arrays."""
        number = all(symbol(v).role == "weight" for v in variables(expr))
        typed = {"dtype": f"{self.like}.dtype"} if number and self.like else {}
        if isinstance(term.code, ast.Constant) and term.code.value == 0:
            return Term(call("np.zeros", self.shape(expr.shape), **typed), axes(expr))
        return Term(call("np.full", self.shape(expr.shape), term.code, **typed), axes(expr))


def _fraction(exponent: sp.Rational) -> Fraction:
    return Fraction(int(exponent.p), int(exponent.q))
