"""NumPy code for expressions: one node at a time, as Python `ast`.

A piece of code comes with the letters of its axes, so that two pieces are lined up by letters and
never by guessing: a missing leading axis broadcasts, any other is written `[:, None]`.
"""

import ast
from collections.abc import Mapping
from fractions import Fraction

from symbp.emit.contract import Term, joined
from symbp.emit.factors import attribute, axes, scaled
from symbp.emit.products import Products
from symbp.emit.selections import unit_code
from symbp.emit.syntax import binary, call, literal, name, ratio, subscript
from symbp.errors import SymbpError
from symbp.ir import Constant, Dim, Expr, Size, Sum, Variable, Words
from symbp.ops.kinds import Elementwise, Largest, Merge, Nonlinear, Solve, Split
from symbp.ops.linear import is_ones, parts
from symbp.ops.selection import Selection


class Arrays(Products):
    """Code for expressions over named arrays.

    names: the Python name of each variable.  sizes: Python expressions of the symbolic sizes.
    count: the Python name of the number of examples.
    """

    def __init__(self, names: Mapping[Expr, str], sizes: Mapping[Dim, str], count: str) -> None:
        super().__init__(names, sizes)
        self.count = count

    def code(self, expr: Expr) -> Term:
        """Return code whose axes are those of the expression, leading ones missing at most."""
        op = expr.op
        if isinstance(op, Variable):
            return self._variable(expr, op)
        if isinstance(op, Sum):
            return self._sum(expr)
        if isinstance(op, Words):
            return self._product(Fraction(1), expr)
        if isinstance(op, Elementwise):
            return self._elementwise(expr, op)
        if isinstance(op, Nonlinear):
            return self._of_matrix(expr, op)
        if isinstance(op, Solve):
            return self._solve(expr)
        if isinstance(op, Largest):
            inner = self._full(expr.args[0])
            return Term(call(f"{attribute(inner)}.max", axis=expr.rank), axes(expr))
        if isinstance(op, Merge):
            return self._kronecker(expr, op) or self._reshape(expr, op)
        if isinstance(op, Split):
            return self._reshape(expr, op)
        if isinstance(op, Selection):
            return Term(unit_code(op, self), axes(expr))
        if isinstance(op, Constant):
            return Term(literal(float(op.value)), ())
        if isinstance(op, Size):
            return Term(self.size(op.dim), ())
        raise SymbpError(f"no NumPy code for {op} ({type(op).__name__})")

    def _variable(self, expr: Expr, op: Variable) -> Term:
        if op.role == "weight":
            return Term(ratio(literal(1), name(self.count)), ())
        if op.encoding == "one_hot":
            return self._one_hot(expr)
        return Term(name(self.names[expr]), axes(expr), plain=True)

    def _one_hot(self, expr: Expr) -> Term:
        """Return the unit vectors of class indices, as truth values."""
        labels = subscript(name(self.names[expr]), (slice(None), None))
        classes = call("np.arange", self.size(expr.shape[-1]))
        mask = ast.Compare(labels, [ast.Eq()], [classes])
        return Term(mask, axes(expr), is_mask=True, like=self.like)

    def _sum(self, expr: Expr) -> Term:
        code: Term | None = None
        for coefficient, arg in parts(expr):
            sign = "-" if coefficient < 0 else "+"
            if code is None:
                code = self._typed(self.term(coefficient, arg))
                continue
            other = self.term(abs(coefficient), arg)
            other = other if code.letters else self._typed(other)  # 1 - e_y is of whole numbers
            letters = joined(code.letters, other.letters)
            code = Term(binary(code.code, sign, other.code), letters)
        return code or Term(literal(0), ())

    def term(self, coefficient: Fraction, expr: Expr) -> Term:
        """Return code for a multiple of an expression."""
        if is_ones(expr):
            return Term(literal(coefficient), ())
        if isinstance(expr.op, Words):
            return self._product(coefficient, expr)
        return scaled(coefficient, self._typed(self.code(expr), unless=coefficient == 1))
