"""NumPy code for expressions: one node at a time, as Python `ast`.

A piece of code comes with the letters of its axes, so that two pieces are lined up by letters and
never by guessing: a missing leading axis broadcasts, any other is written `[:, None]`.
"""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import sympy as sp

from symbp.emit.contract import Term, joined
from symbp.emit.factors import (
    attribute,
    axes,
    contracted,
    lettered,
    permuted,
    rational_one,
    scaled,
    times,
)
from symbp.emit.syntax import binary, call, literal, name, ratio, subscript, template
from symbp.errors import SymbpError
from symbp.ir import Constant, Dim, Expr, Size, Sum, Variable, Words, symbol, variables
from symbp.ops.evaluate import evaluate
from symbp.ops.kinds import Elementwise, Largest, Merge, Nonlinear, Split
from symbp.ops.linear import is_ones, number, parts, rational
from symbp.ops.pointwise import POSITIVE, SELECT
from symbp.ops.scalar import apply


class Arrays:
    """Code for expressions over named arrays.

    names: the Python name of each variable.  sizes: Python expressions of the symbolic sizes.
    count: the Python name of the number of examples.  like: a name whose type numbers take.
    """

    def __init__(self, names: Mapping[Expr, str], sizes: Mapping[Dim, str], count: str) -> None:
        self.names, self.sizes, self.count = names, sizes, count
        self.helpers: set[str] = set()
        self.like: str | None = None

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
            assert op.code is not None, op
            return self._filled(op.code, expr)
        if isinstance(op, Largest):
            inner = self._full(expr.args[0])
            return Term(call(f"{attribute(inner)}.max", axis=expr.rank), axes(expr))
        if isinstance(op, Merge | Split):
            return self._reshape(expr, op)
        if isinstance(op, Constant):
            return Term(literal(float(op.value)), ())
        if isinstance(op, Size):
            return Term(self.size(op.dim), ())
        raise SymbpError(f"no NumPy code for {op} ({type(op).__name__})")

    def size(self, dim: Dim) -> ast.expr:
        """Return code for a size: a number, a name, or a product of these."""
        if isinstance(dim, int):
            return literal(dim)
        if dim in self.sizes:
            return ast.parse(self.sizes[dim], mode="eval").body
        product: ast.expr | None = None
        for factor in sp.Mul.make_args(dim):
            part = (
                literal(int(factor))
                if factor.is_Integer
                else ast.parse(self.sizes[factor], mode="eval").body
            )
            product = part if product is None else binary(product, "*", part)
        assert product is not None
        return product

    def shape(self, dims: Sequence[Dim]) -> ast.expr:
        """Return code for a shape, a tuple."""
        return ast.Tuple([self.size(dim) for dim in dims], ast.Load())

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

    def picked(self, array: Term, labels: Expr) -> ast.expr:
        """Return code for the entry of each row that a class index names."""
        rows = call("np.arange", call("len", name(self.names[labels])))
        index = ast.Tuple([rows, name(self.names[labels])], ast.Load())
        return ast.Subscript(array.code, index, ast.Load())

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

    def _typed(self, term: Term, *, unless: bool = False) -> Term:
        """Return truth values as numbers of the line's type, other code as it is."""
        if not term.is_mask or unless or self.like is None:
            return term
        typed = f"({{z}}).astype({self.like}.dtype)"
        return replace(term, code=template(typed, {"z": term.code}), is_mask=False)

    def _elementwise(self, expr: Expr, op: Elementwise) -> Term:
        numbers = [rational(arg) for arg in expr.args]
        if None not in numbers:
            value = evaluate(apply(op, *(number(n) for n in numbers if n is not None)), {})
            return Term(literal(value.item()), ())
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
        if expr.rank and not any(term.letters for term in terms):
            terms[0] = self._full(expr.args[0])
        filled = template(text, dict(zip("zwv", (t.code for t in terms), strict=False)))
        return Term(filled, axes(expr))

    def _select(self, expr: Expr) -> Term:
        condition, *choices = expr.args
        terms = [self.code(choice) for choice in choices]
        code = call("np.where", self.mask(condition), *(term.code for term in terms))
        if all(rational(choice) is not None for choice in choices):
            like = f"{attribute(self.code(condition))}.dtype"
            code = ast.Call(ast.Attribute(code, "astype", ast.Load()), [template(like, {})], [])
        return Term(code, axes(expr))

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
        if exponent == sp.Rational(1, 2):
            return Term(call("np.sqrt", base.code), base.letters)
        if exponent < 0:
            root = self._raised(base, -exponent)
            return Term(ratio(literal(1), root.code), base.letters, divisor=root.code)
        return self._raised(base, exponent)

    def _raised(self, base: Term, exponent: sp.Rational) -> Term:
        if exponent == 1:
            return base
        if exponent == sp.Rational(1, 2):
            return Term(call("np.sqrt", base.code), base.letters)
        value = Fraction(int(exponent.p), int(exponent.q))
        return Term(binary(base.code, "**", literal(value)), base.letters)

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
        return Term(call("np.full", self.shape(expr.shape), term.code, **typed), axes(expr))

    def _reshape(self, expr: Expr, op: Merge | Split) -> Term:
        inner = self._full(expr.args[0])
        order = [axis for group in op.groups for axis in group]
        if isinstance(op, Merge):
            code = permuted(inner.code, order)
            return Term(call("np.reshape", code, self.shape(expr.shape)), axes(expr))
        apart = self.shape([expr.shape[axis] for axis in order])
        back = [order.index(axis) for axis in range(len(order))]
        return Term(permuted(call("np.reshape", inner.code, apart), back), axes(expr))

    def _product(self, coefficient: Fraction, expr: Expr) -> Term:
        op = expr.op
        assert isinstance(op, Words)
        numerator, shared = coefficient, 0
        only_masks = all(arg.op is POSITIVE for arg in expr.args)
        factors: list[tuple[Term, tuple[int, ...]]] = []
        for arg, word in zip(expr.args, op.words, strict=True):
            if isinstance(arg.op, Variable) and symbol(arg).role == "weight":
                shared += 1
            else:
                factors.append((self.code(arg) if only_masks else self.factor(arg), word))
        factors = self._pick(expr, op, factors)
        scalar = self._scalar(numerator, shared)
        out = tuple(dict.fromkeys(op.out))
        term = contracted(factors, out, dict(enumerate(op.dims)))
        if len(out) < len(op.out):
            term = self._diagonal(term, op, out)
        else:
            term = lettered(term.aligned(out), {i: k for k, i in enumerate(out)})
        if scalar is None:
            return term
        return times(scalar, self._typed(term), numerator, shared)

    def _pick(
        self, expr: Expr, op: Words, factors: list[tuple[Term, tuple[int, ...]]]
    ) -> list[tuple[Term, tuple[int, ...]]]:
        """Replace ⟨e_y, z⟩ over the classes by the entry of z that y names."""
        for arg, word in zip(expr.args, op.words, strict=True):
            if not isinstance(arg.op, Variable) or symbol(arg).encoding != "one_hot":
                continue
            others = [k for k, (_, w) in enumerate(factors) if word[-1] in w]
            same = [k for k in others if factors[k][1] == word and not factors[k][0].is_mask]
            if word[-1] not in op.out and len(others) == 2 and len(same) == 1:
                array = factors[same[0]][0]
                if array.plain:
                    picked = Term(self.picked(array, arg), axes(arg)[:-1])
                    rest = [f for k, f in enumerate(factors) if k not in others]
                    return [*rest, (picked, word[:-1])]
        return factors

    def _scalar(self, numerator: Fraction, shared: int) -> ast.expr | None:
        if not shared:
            return None if numerator == 1 else literal(numerator)
        return ratio(literal(numerator), name(self.count))

    def factor(self, arg: Expr) -> Term:
        """Return code for a factor beside others: an indicator may be an array of truth values."""
        if arg.op is POSITIVE:
            return Term(self.mask(arg.args[0]), axes(arg), is_mask=True, like=self.like)
        return self.code(arg)

    def _diagonal(self, term: Term, op: Words, out: tuple[int, ...]) -> Term:
        """Return an array with a value where the letters that stand twice agree, zero elsewhere."""
        letters = tuple(range(len(op.out)))
        twice = [i for i in out if op.out.count(i) == 2]
        if len(twice) != 1 or len(op.out) != len(out) + 1:
            raise SymbpError("no NumPy code for a product with several Kronecker deltas")
        size = self.size(op.dims[twice[0]])
        if not term.letters:
            return times(
                None if rational_one(term) else term.code, Term(self._eye(size), letters), 1, 0
            )
        if len(out) == 1:
            return Term(call("np.diag", term.code), letters)
        places = [k for k, i in enumerate(op.out) if i == twice[0]]
        index = tuple(None if k == places[1] else slice(None) for k in letters)
        return Term(binary(subscript(term.aligned(out).code, index), "*", self._eye(size)), letters)

    def _eye(self, size: ast.expr) -> ast.expr:
        """Return the identity matrix in the type of the line's arrays."""
        typed = {"dtype": f"{self.like}.dtype"} if self.like else {}
        return call("np.eye", size, **typed)
