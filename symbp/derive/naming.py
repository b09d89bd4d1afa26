"""Names for the parts of a line that the derivatives will read again.

The product rule reads the other factor, a slope reads its argument or its value; where that is an
expression and no name, it gets a line of its own, so that it is computed once and the derivation
can speak of it: z for a pre-activation, h for a value, r for a residual.  A part that is as
short as its name would be (`f − y`) gets a line that is not shown: a reader sees `2 (f − y)`.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import count

from symbp.derive.forward import moving, reached
from symbp.ir import Examples, Expr, Sum, Words, is_variable, name_of, symbol, walk
from symbp.ops.inverse import is_inverse
from symbp.ops.kinds import Elementwise, H, Nonlinear
from symbp.ops.linear import is_ones
from symbp.ops.rewrite import rebuild
from symbp.program import Binding, Program, named_part, place_for


def name_parts(program: Program) -> Program:
    """Return the program with a line for every part that a derivative reads again."""
    namer = _Namer(program)
    for binding in program.bindings:
        namer.line(binding)
    return replace(program, bindings=tuple(namer.lines))


class _Namer:
    def __init__(self, program: Program) -> None:
        self.lines: list[Binding] = []
        self.taken = {str(v.op) for v in program.given} | {b.name for b in program.bindings}
        self.active: set[Expr] = set()
        self.moving = reached(program.bindings, map(name_of, moving(program)))
        self.uses = _uses(program)
        self.named: dict[str, Binding] = {}

    def line(self, binding: Binding) -> None:
        reasons = self._reasons(binding.expr)
        done: dict[Expr, Expr] = {}
        for part in walk(binding.expr):
            made = rebuild(part, tuple(done[arg] for arg in part.args))
            if part in reasons and part is not binding.expr:
                made = self._name(part, made, reasons[part], binding)
            done[part] = made
        self.lines.append(replace(binding, expr=done[binding.expr]))

    def _reasons(self, root: Expr) -> dict[Expr, str]:
        reasons: dict[Expr, str] = {}
        for part in walk(root):
            if any(arg in self.active for arg in part.args) or self._moves(part):
                self.active.add(part)
            if _is_short(part) or part not in self.active:
                continue
            if self.uses[part] > 1:
                reasons.setdefault(part, "t")
            if isinstance(part.op, Elementwise) and any(s.has(H) for s in part.op.slopes):
                reasons[part] = "h"
        for part in walk(root):
            for arg in part.args:
                if arg in self.active and not _is_short(arg) and self._is_read_again(part, arg):
                    reasons[arg] = _letter(part, arg)
        return reasons

    def _moves(self, part: Expr) -> bool:
        """Tell whether a part is a variable that moves, at whatever place of its family."""
        return is_variable(part) and name_of(part) in self.moving

    def _is_read_again(self, parent: Expr, arg: Expr) -> bool:
        """Tell whether the derivative of the parent contains this argument."""
        op = parent.op
        if isinstance(op, Elementwise):
            return not op.flat
        if isinstance(op, Words):
            return sum(other in self.active for other in parent.args) > 1
        return isinstance(op, Nonlinear)

    def _name(self, part: Expr, made: Expr, letter: str, binding: Binding) -> Expr:
        known = self.named.get(made.digest)
        if known is not None and known.loops == binding.loops[: len(known.loops)]:
            return known.target
        if is_variable(made):
            return made
        letter = letter.upper() if part.rank > 1 else letter
        alone = binding.name in {"loss", "value"} or symbol(binding.target).role == "adjoint"
        stem = letter if alone else f"{letter}_{binding.name}"
        if is_inverse(made):
            (arg,) = made.args
            stem = f"{name_of(arg)}_inv" if is_variable(arg) else stem
        name = next(n for n in _numbered(stem) if n not in self.taken)
        self.taken.add(name)
        line = replace(named_part(name, made, binding), shown=not _is_cheap(made))
        self.named[made.digest] = line
        self.active.add(line.target)
        self.lines.insert(place_for(line, self.lines, binding), line)
        return line.target


def _numbered(stem: str) -> Iterator[str]:
    yield stem
    yield from (f"{stem}_{k}" for k in count(2))


def _uses(program: Program) -> Counter[Expr]:
    uses: Counter[Expr] = Counter()
    for binding in program.bindings:
        for part in walk(binding.expr):
            uses.update(part.args)
    return uses


def _letter(parent: Expr, arg: Expr) -> str:
    if (isinstance(arg.op, Sum) and min(arg.op.coefficients) < 0) or _is_squared(parent):
        return "r"
    if isinstance(parent.op, Elementwise | Nonlinear):
        return "z"
    return "h" if isinstance(arg.op, Elementwise | Nonlinear) else "t"


def _is_squared(parent: Expr) -> bool:
    return isinstance(parent.op, Elementwise) and parent.op.exponent == 2


def _is_short(expr: Expr) -> bool:
    """Tell whether a part is a name, a number, or one of these scaled, repeated or transposed."""
    if not expr.args or isinstance(expr.op, Examples):
        return True
    return len(expr.args) == 1 and isinstance(expr.op, Sum | Words) and not expr.args[0].args


def _is_cheap(expr: Expr) -> bool:
    """Tell whether a part is as short as a name: a sum of names and numbers, Z⁻¹."""
    if is_inverse(expr) and is_variable(expr.args[0]):
        return True
    if not isinstance(expr.op, Sum):
        return False
    return all(_is_short(arg) or is_ones(arg) for arg in expr.args)
