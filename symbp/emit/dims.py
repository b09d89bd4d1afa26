"""Code for sizes and for what has nothing but sizes: shapes, identities, bounds of a slice."""

import ast
from collections.abc import Mapping, Sequence
from typing import Any

import sympy as sp

from symbp.emit.syntax import binary, call, literal, negated
from symbp.errors import SymbpError
from symbp.ir import Dim


class Dims:
    """Code for sizes: numbers, and formulas of symbols whose Python expressions are known.

    sizes: Python expressions of symbolic sizes.  like: a name whose type identities take.
    """

    def __init__(self, sizes: Mapping[Dim, str]) -> None:
        self.sizes = sizes
        self.like: str | None = None

    def size(self, dim: Dim) -> ast.expr:
        """Return code for a size: a number, a name, or a sum or product of these.

        Raises SymbpError where a symbol in it cannot be read off any array.
        """
        if isinstance(dim, int):
            return literal(dim)
        if dim in self.sizes:
            return ast.parse(self.sizes[dim], mode="eval").body
        if dim.is_Integer:
            return literal(int(dim))
        if isinstance(dim, sp.Min):
            return call("min", *map(self.size, sorted(dim.args, key=lambda d: d.is_number)))
        if dim.is_Add:
            return self._total(dim)
        if dim.is_Mul or (dim.is_Pow and dim.exp.is_Integer and dim.exp > 0):
            return self._multiple(dim)
        raise SymbpError(
            f"the size {dim} cannot be read off the shape of any argument",
            "give it a number, or an argument that has it as an axis",
        )

    def _total(self, dim: sp.Expr) -> ast.expr:
        """Return code for a sum, what is added before what is taken away."""
        code: ast.expr | None = None
        for term in sorted(
            dim.as_ordered_terms(), key=lambda t: bool(t.could_extract_minus_sign())
        ):
            minus = bool(term.could_extract_minus_sign())
            part = self.size(-term if minus else term)
            if code is None:
                code = negated(part) if minus else part
            else:
                code = binary(code, "-" if minus else "+", part)
        assert code is not None
        return code

    def _multiple(self, dim: sp.Expr) -> ast.expr:
        """Return code for a product; n(n + 1)/2 is a whole number and divided as one."""
        coefficient, rest = dim.as_coeff_Mul()
        if coefficient < 0:
            return negated(self.size(-dim))
        code = literal(int(coefficient.p)) if coefficient.p != 1 else None
        for factor in sp.Mul.make_args(rest):
            base, exponent = factor.as_base_exp()
            if base is not factor and not (exponent.is_Integer and exponent > 0):
                raise SymbpError(f"the size {dim} is no product of sizes")
            part = self.size(base)
            part = part if exponent == 1 else binary(part, "**", literal(int(exponent)))
            code = part if code is None else binary(code, "*", part)
        assert code is not None
        return (
            code
            if coefficient.q == 1
            else ast.BinOp(code, ast.FloorDiv(), literal(int(coefficient.q)))
        )

    def shape(self, dims: Sequence[Dim]) -> ast.expr:
        """Return code for a shape, a tuple."""
        return ast.Tuple([self.size(dim) for dim in dims], ast.Load())

    def eye(self, rows: Dim, columns: Dim | None = None, offset: Dim = 0) -> ast.expr:
        """Return the identity, or `columns` of its columns from `offset` on, in the line's type."""
        given = [self.size(rows)]
        if columns is not None:
            given.append(self.size(columns))
        if offset != 0:
            given.append(self.size(-offset))
        typed = {"dtype": f"{self.like}.dtype"} if self.like else {}
        return call("np.eye", *given, **typed)

    def piece(self, start: Dim, length: Dim, whole: Dim) -> ast.Slice:
        """Return the slice of `length` places from `start` on, of an axis of size `whole`."""
        stop: Any = start + length
        lower = None if start == 0 else self.size(start)
        upper = None if sp.simplify(whole - stop) == 0 else self.size(stop)
        return ast.Slice(lower, upper, None)
