"""The statements of one sweep: a line each, in place where a value is dead.

A value of rank one or more that this function made and nobody reads again gives its storage to
the next: `h1 = np.maximum(f1, 0, out=f1)`.  A sum begins with its first product and adds the rest
to it.  Arguments are never written to.  Scalars are written as plain formulas.
"""

from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from typing import TypeAlias

from symbp.emit.arrays import Arrays
from symbp.emit.contract import Term
from symbp.emit.factorised import determinants, is_factorised, slogdet
from symbp.emit.fitting import fitted
from symbp.emit.lines import (
    can_leave_out,
    count,
    heavy,
    is_array,
    is_product,
    is_view,
    is_weight,
    minus_one_hot,
    without,
)
from symbp.emit.placing import placed as placed_in
from symbp.emit.placing import written
from symbp.emit.syntax import assigned, name, text
from symbp.emit.text import broken
from symbp.ir import Expr, Sum, Words, symbol, variables
from symbp.lower.reads import is_number
from symbp.ops.kinds import Elementwise
from symbp.ops.linear import combine, parts, rational
from symbp.ops.pointwise import RELU
from symbp.program import Binding

Term_: TypeAlias = tuple[Fraction, Expr]


class Body:
    """Writes lines as statements.

    returned: variables whose values leave the function, and so are not dead at its end.
    annotated: the one of them whose type is written down, where it is returned alone.
    models: for a target, the array whose shape and type an array of one number takes.
    moved_by: for a value, what makes it complex when that is; a value not in it, anything does.
    """

    def __init__(
        self,
        arrays: Arrays,
        lines: Sequence[Binding],
        returned: Collection[Expr],
        models: Mapping[Expr, Expr | None],
        moved_by: Mapping[Expr, frozenset[Expr]] | None = None,
    ) -> None:
        self.arrays, self.lines, self.models = arrays, lines, models
        self.last: dict[Expr, int] = {}
        for k, line in enumerate(lines):
            self.last.update(dict.fromkeys(variables(line.expr), k))
        self.last.update(dict.fromkeys(returned, len(lines)))
        self.moved_by = moved_by or {}
        self.owned: set[Expr] = set()
        self.annotated: Expr | None = None
        self.optional: set[Expr] = set()
        self.taken = {*arrays.names.values()}
        self.paired: list[Binding] = []

    def make_optional(self, tangents: Sequence[Expr]) -> list[Expr]:
        """Leave out the terms of tangents that are None; return those that cannot be.

        It can where every line that reads it is a sum with another term.
        """
        self.optional = set(tangents)
        if all(can_leave_out(line.expr, tangents) for line in self.lines):
            return []
        self.optional = set()
        return list(tangents)

    def _split(self, expr: Expr) -> tuple[list[Term_], dict[Expr, list[Term_]]]:
        """Return the terms of a sum that are always there, and those of each optional tangent."""
        always: list[Term_] = []
        sometimes: dict[Expr, list[Term_]] = {}
        for term in parts(expr):
            found = [v for v in variables(term[1]) if v in self.optional]
            (sometimes.setdefault(found[0], []) if found else always).append(term)
        return always, sometimes

    def statements(self) -> list[str]:
        """Return the statements in order."""
        made: list[str] = []
        for position, line in enumerate(self.lines):
            made += fitted(self.statement(line, position), self.taken)
        return made

    def statement(self, line: Binding, position: int) -> list[str]:
        """Return the statements of a line; none where another's have it."""
        if line in self.paired:
            return []
        pair = determinants(line, self._beside(line))
        if pair and self.annotated not in [part.target for part in pair]:
            self.paired += pair
            return [slogdet(*pair, self.arrays)]
        made = self._line(line, position)
        if line.expr.args and not is_view(line.expr):
            self.owned.add(line.target)
        return made

    def _beside(self, line: Binding) -> Sequence[Binding]:  # lines that run whenever it does
        return self.lines

    def _line(self, line: Binding, position: int) -> list[str]:
        target = self._head(line)
        self.arrays.like = self._like(line)
        always, sometimes = self._split(line.expr) if self.optional else ([], {})
        if sometimes:
            base = Binding(line.target, combine(always, line.expr.shape))
            made = self._line(base, -1)
            if not base.expr.args or is_view(base.expr):  # it must be ours to be added to
                made = [f"{target} = {text(self._filled(base).code)}.copy()"]
            for var, terms in sometimes.items():
                made.append(f"if {self.arrays.names[var]} is not None:")
                made += ["    " + self._added(line.target, *term) for term in terms]
            return made
        if not is_array(line.target):
            is_result = line.target.rank > 0 or self.last.get(line.target) == len(self.lines)
            constant = self._constant(line, position) if is_result else []
            return constant or assigned(target, self._filled(line).code)
        ways = (self._constant, self._less_one_hot, self._placed, self._in_place, self._accumulated)
        for way in ways:
            if found := way(line, position):
                return found
        return assigned(target, self._filled(line).code)

    def _filled(self, line: Binding) -> Term:
        """Return code for a line with every axis; a number takes the type of the line's model."""
        term = self.arrays.code(line.expr)
        returned = self.last.get(line.target) == len(self.lines)
        untyped = returned and is_number(line) and not line.expr.rank
        if len(term.letters) < line.expr.rank or None in term.letters or untyped:
            return self.arrays.filled(line.expr, term)
        return term

    def _head(self, line: Binding) -> str:
        """Return what stands left of the sign of equality; NumPy types an inverse as double."""
        typed = ": Array" if line.target is self.annotated or is_factorised(line.expr) else ""
        return self.arrays.names[line.target] + typed

    def _like(self, line: Binding) -> str | None:
        """Return the name of an array whose type the line's numbers take."""
        read = [v for v in variables(line.expr) if symbol(v).encoding != "one_hot"]
        read = [v for v in read if symbol(v).role != "weight"]
        found = read[0] if read else self.models.get(line.target)
        return None if found is None else self.arrays.names[found]

    def _constant(self, line: Binding, position: int) -> list[str]:
        """Write an array of one number, in the type of what it is the derivative of."""
        term = self.arrays.code(line.expr) if is_number(line) else None
        if term is None or term.letters:
            return []
        value, like = rational(line.expr), self.models.get(line.target)
        if like is None or like.shape != line.target.shape:
            return []
        target, model = self._head(line), self.arrays.names[like]
        if value == 0:
            return [f"{target} = np.zeros_like({model})"]
        return [f"{target} = np.full_like({model}, {text(term.code)})"]

    def _less_one_hot(self, line: Binding, position: int) -> list[str]:
        """Write p − e_y as p with 1 taken from the entry that y names, divided by n at the end."""
        found = minus_one_hot(line.expr)
        if found is None:
            return []
        values, labels, weighted = found
        target = self.arrays.names[line.target]
        term = self.arrays.code(values)
        if len(term.letters) < values.rank or None in term.letters or term.is_mask:
            return []
        copied = ".copy()" if term.plain or is_view(values) else ""
        entry = self.arrays.picked(Term(name(target), ()), labels)
        made = [f"{self._head(line)} = {text(term.code)}{copied}", f"{text(entry)} -= 1"]
        return [*made, f"{target} /= {self.arrays.count}"] if weighted else made

    def _dead(self, expr: Expr, line: Binding, position: int) -> bool:
        """Tell whether an operand's storage may be taken: ours, as large, and not read again."""
        if expr not in self.owned or expr.shape != line.target.shape:
            return False
        if not self._holds(expr, [line.expr]):
            return False
        return self.last[expr] == position and count(line.expr, expr) == 1

    def _holds(self, storage: Expr, terms: Sequence[Expr]) -> bool:
        """Tell whether an array is complex wherever some terms are: it can then take their sum."""
        movers = [self._movers(expr) for expr in (storage, *terms)]
        return movers[0] is None or all(m is not None and m <= movers[0] for m in movers)

    def _movers(self, expr: Expr) -> frozenset[Expr] | None:
        """Return what moves an expression, None for everything."""
        found = [self.moved_by.get(v) for v in variables(expr) if symbol(v).role != "weight"]
        known = [movers for movers in found if movers is not None]
        return frozenset().union(*known) if len(known) == len(found) else None

    def _in_place(self, line: Binding, position: int) -> list[str]:
        expr, op = line.expr, line.expr.op
        if isinstance(op, Elementwise) and len(expr.args) == 1 and op.ufunc and op.exponent is None:
            if not self._dead(expr.args[0], line, position):
                return []
            operands = [self.arrays.names[expr.args[0]], *(["0"] if op is RELU else [])]
            return [self._out(line, op.ufunc, operands, operands[0])]
        if isinstance(op, Words) and len(expr.args) > 1:
            return self._product_in_place(line, position, op)
        if isinstance(op, Sum) and len(expr.args) == 2 and not heavy(expr.args):
            return self._sum_in_place(line, position, op)
        return []

    def _product_in_place(self, line: Binding, position: int, op: Words) -> list[str]:
        expr = line.expr
        if len(set(op.out)) < len(op.out):
            return []
        for k, arg in enumerate(expr.args):
            if op.words[k] != op.out or not self._dead(arg, line, position):
                continue
            rest = without(expr, op, k)
            if rest is None:
                continue
            storage = self.arrays.names[arg]
            if is_weight(rest):
                return [self._out(line, "np.divide", [storage, self.arrays.count], storage)]
            term = self.arrays.factor(rest)
            if term.divisor is not None:
                return [self._out(line, "np.divide", [storage, text(term.divisor)], storage)]
            return [self._out(line, "np.multiply", [storage, text(term.code)], storage)]
        return []

    def _sum_in_place(self, line: Binding, position: int, op: Sum) -> list[str]:
        (first, a), (second, b) = parts(line.expr)
        if first != 1 or abs(second) != 1:
            return []
        function = "np.add" if second > 0 else "np.subtract"
        for mine in (a, b):
            if self._dead(mine, line, position):
                operands = [text(self.arrays.code(side).code) for side in (a, b)]
                return [self._out(line, function, operands, self.arrays.names[mine])]
        return []

    def _out(self, line: Binding, function: str, operands: Sequence[str], storage: str) -> str:
        head = f"{self._head(line)} = {function}("
        return "\n".join(broken(head, [*operands, f"out={storage}"], ")"))

    def _placed(self, line: Binding, position: int) -> list[str]:
        """Write terms that stand in a part of the array into that part, the rest being zeros."""
        whole, placed = placed_in(line.expr, self.arrays)
        if not placed:
            return []
        target, name = self._head(line), self.arrays.names[line.target]
        if whole:
            base = Binding(line.target, combine(whole, line.expr.shape))
            copied = ".copy()" if not base.expr.args or is_view(base.expr) else ""
            code = text(self._filled(base).code)
            made = [f"{target} = {f'({code})' if copied and base.expr.args else code}{copied}"]
        else:
            made = [f"{target} = {self._zeros(line)}"]
        alone = not whole and len(placed) == 1
        return made + [written(name, part, self.arrays, alone=alone) for part in placed]

    def _zeros(self, line: Binding) -> str:
        """Return an array of zeros that can take a line's value, complex where that is."""
        model = self.models.get(line.target)
        alike = model is not None and model.shape == line.target.shape
        if model is not None and alike and self._holds(model, [line.expr]):
            return f"np.zeros_like({self.arrays.names[model]})"
        read = [v for v in variables(line.expr) if symbol(v).role != "weight"]
        named = [self.arrays.names[v] for v in read if symbol(v).encoding != "one_hot"]
        one = next((v for v in read if self._holds(v, [line.expr])), None)
        kind = f"{self.arrays.names[one]}.dtype" if one is not None else ""
        kind = kind or (f"np.result_type({', '.join(named)})" if named else "float")
        return f"np.zeros({text(self.arrays.shape(line.expr.shape))}, dtype={kind})"

    def _accumulated(self, line: Binding, position: int) -> list[str]:
        """Write a sum as its first full-size product, then `+=` for every other term."""
        if not isinstance(line.expr.op, Sum) or len(line.expr.args) < 2:
            return []
        terms = parts(line.expr)
        args = [arg for _, arg in terms]
        holds = (k for k, arg in enumerate(args) if is_product(arg) and self._holds(arg, args))
        start = next(holds, None)
        if start is None:
            return []
        first = self.arrays.term(*terms[start])
        if len(first.letters) < line.expr.rank or None in first.letters:
            return []
        made = assigned(self._head(line), first.code)
        rest = [term for k, term in enumerate(terms) if k != start]
        return made + [self._added(line.target, *term) for term in rest]

    def _added(self, target: Expr, coefficient: Fraction, arg: Expr) -> str:
        name, sign = self.arrays.names[target], "-" if coefficient < 0 else "+"
        code = text(self.arrays.term(abs(coefficient), arg).code)
        return f"{name} {sign}= {code}" if is_array(target) else f"{name} = {name} {sign} {code}"
