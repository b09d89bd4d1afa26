"""NumPy code for products, for what they select, and for the reshapes that are products."""

import ast
from fractions import Fraction

from symbp.emit.contract import Term, multiply
from symbp.emit.entrywise import Entrywise
from symbp.emit.factors import axes, contracted, lettered, permuted, scaled, times
from symbp.emit.selections import selected
from symbp.emit.syntax import call, literal, name, ratio, template
from symbp.emit.tensors import spread
from symbp.ir import Expr, Variable, Words, symbol
from symbp.ops.kinds import Merge, Split
from symbp.ops.kron import kronecker
from symbp.ops.linear import parts
from symbp.ops.pointwise import POSITIVE
from symbp.ops.selection import Selection

Word = tuple[int, ...]


class Products(Entrywise):
    """Code for products over the code of their factors."""

    count: str

    def _reshape(self, expr: Expr, op: Merge | Split) -> Term:
        inner = self._full(expr.args[0])
        order = [axis for group in op.groups for axis in group]
        if isinstance(op, Merge):
            code = permuted(inner.code, order)
            if expr.rank == 1:
                return Term(call("np.ravel", code), axes(expr))
            return Term(call("np.reshape", code, self.shape(expr.shape)), axes(expr))
        apart = self.shape([expr.shape[axis] for axis in order])
        back = [order.index(axis) for axis in range(len(order))]
        return Term(permuted(call("np.reshape", inner.code, apart), back), axes(expr))

    def _kronecker(self, expr: Expr, op: Merge) -> Term | None:
        """Return np.kron(A, B) where the merged axes are those of an outer product."""
        terms = parts(expr.args[0])
        found = kronecker(terms[0][1], op) if len(terms) == 1 else None
        if found is None:
            return None
        first, *rest = (self._full(factor).code for factor in found.factors)
        for code in rest:
            first = call("np.kron", first, code)
        whole = Term(first, axes(expr))
        for scalar in found.scalars:
            whole = multiply(self.code(scalar), whole, whole.word)
        return scaled(terms[0][0], whole)

    def _solve(self, expr: Expr) -> Term:
        """Return the solution of a linear system, right-hand sides in columns.

        A stack of vectors is written as one of columns: NumPy 1 and 2 read it differently.
        """
        matrix, side = (self._full(arg) for arg in expr.args)
        if len(side.letters) >= len(matrix.letters) or len(matrix.letters) == 2:
            return Term(call("np.linalg.solve", matrix.code, side.code), axes(expr))
        columns = template("({z})[..., None]", {"z": side.code})
        code = call("np.linalg.solve", matrix.code, columns)
        return Term(template("({z})[..., 0]", {"z": code}), axes(expr))

    def _product(self, coefficient: Fraction, expr: Expr) -> Term:
        op = expr.op
        assert isinstance(op, Words)
        shared, out = 0, tuple(dict.fromkeys(op.out))
        only_masks = all(arg.op is POSITIVE or isinstance(arg.op, Selection) for arg in expr.args)
        factors: list[tuple[Term, Word]] = []
        units: list[tuple[Selection, Word]] = []
        for arg, word in zip(expr.args, op.words, strict=True):
            if isinstance(arg.op, Variable) and symbol(arg).role == "weight":
                shared += 1
            elif isinstance(arg.op, Selection):
                units.append((arg.op, word))
            else:
                factors.append((self.code(arg) if only_masks else self.factor(arg), word))
        terms = self._lettered(expr, op, self._pick(expr, op, factors))
        terms = selected(terms, units, out, self)
        sizes = dict(enumerate(op.dims))
        if len(out) > 2 or len(out) < len(op.out):
            term = spread(terms, op.out, sizes, self)
        else:
            term = contracted(terms, out, sizes).aligned(out)
            term = lettered(term, {i: k for k, i in enumerate(out)})
        scalar = self._scalar(coefficient, shared)
        return term if scalar is None else times(scalar, self._typed(term), coefficient, shared)

    def _lettered(self, expr: Expr, op: Words, factors: list[tuple[Term, Word]]) -> list[Term]:
        """Return the factors with letters; what is summed over, one of them really has."""
        terms = [lettered(term, word) for term, word in factors]
        for arg, word in zip(expr.args, op.words, strict=True):
            own = next((k for k, (_, w) in enumerate(factors) if w == word), None)
            lost = set(word) - set(op.out) - {i for term in terms for i in term.word}
            if lost and own is not None and not isinstance(arg.op, Selection):
                terms[own] = lettered(self._full(arg), word)
        return terms

    def picked(self, array: Term, labels: Expr) -> ast.expr:
        """Return code for the entry of each row that a class index names."""
        rows = call("np.arange", call("len", name(self.names[labels])))
        index = ast.Tuple([rows, name(self.names[labels])], ast.Load())
        return ast.Subscript(array.code, index, ast.Load())

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
