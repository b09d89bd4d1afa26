"""Reverse mode: the lines backwards, each passing its adjoint on to what it reads.

Where the lines that read a value stand beside the line that makes it, in no further loop and not a
turn later, its adjoint is one line, the sum over the paths.  What other turns, loops and places
read is passed on there and then: h[k-1] gets its share in turn k.  Such a line adds to its target
where another may give to the same member.

Source: Griewank & Walther 2008, tables 3.5 and 3.6; 001 (7.24) is what comes out for a network.
"""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from symbp.derive.derivation import Path, Step
from symbp.derive.forward import bar, moving
from symbp.derive.gifts import Gifts, down, is_beside
from symbp.derive.laws import law_between
from symbp.derive.simplify import Lines
from symbp.ir import Examples, Expr, name_of, node, symbol, variable, variables
from symbp.ops.linear import add, combine, is_zero, number, opened, zeros
from symbp.ops.product import hadamard
from symbp.ops.rewrite import rename
from symbp.ops.rules import pullback
from symbp.program import Binding, Loop, Program, blocks

Pulled: TypeAlias = dict[tuple[Expr, Expr, tuple[Expr, ...]], dict[Expr, Expr]]
"""What an expression with an adjoint gives to the variables that are asked for."""

WEIGHT = variable("w", (), "weight")
"""The weight of one example in the loss: 1/N for the mean over N examples, 1 for one example."""


def join_examples(program: Program) -> Expr | None:
    """Return the loss of a batch: Σ over examples of w · (terms with examples) + the penalties."""
    if program.loss is None:
        return None
    data, penalty = loss_parts(program)
    if is_zero(data):
        return penalty
    weighted = hadamard(WEIGHT, data) if program.reduction == "mean" else data
    joined = node(Examples(), weighted)
    return joined if is_zero(penalty) else add(joined, penalty)


def loss_parts(program: Program) -> tuple[Expr, Expr]:
    """Return the terms of the loss that depend on an example, and the others, each as a sum."""
    assert program.loss is not None
    loss = program.definition(program.loss)
    assert loss is not None
    data, penalty = ([(c, t) for c, t in opened(loss) if t.batched is b] for b in (True, False))
    return combine(data, ()), combine(penalty, ())


def has_penalty(program: Program) -> bool:
    """Tell whether a term of the loss depends on no example."""
    return program.loss is not None and not is_zero(loss_parts(program)[1])


def adjoint_steps(
    program: Program,
    lines: Lines,
    *,
    as_written: bool = False,
    entered: Sequence[Binding] = (),
    pulled: Pulled | None = None,
) -> tuple[Step, ...]:
    """Return v_bar for every line v between what is differentiated and the result.

    as_written: terms come in the order of the lines, not in that in which the sweep meets them.
    entered: lines of others, which have given to what they read before the sweep begins.
    pulled: what lines pass on, from sweep to sweep over the same lines.
    """
    gifts = Gifts(program, {name_of(v) for v in moving(program)}, entered)
    sweep = _Sweep(program, lines, gifts, as_written)
    sweep.pulled = {} if pulled is None else pulled
    sweep.steps += sweep.gifts.zero_lines()
    sweep.block(program.bindings, 0)
    sweep.given()
    return tuple(sweep.steps)


class _Sweep:
    """The lines of a program from the last to the first, and what they have passed on so far."""

    def __init__(self, program: Program, lines: Lines, gifts: Gifts, as_written: bool) -> None:
        self.program, self.lines, self.as_written = program, lines, as_written
        self.sources, self.gifts = set(moving(program)), gifts
        self.asked = {name_of(v) for v in program.wrt}
        self.paths: dict[Expr, list[tuple[Binding, Expr]]] = {}
        self.steps: list[Step] = []
        self.pulled: Pulled = {}

    def block(self, lines: Sequence[Binding], depth: int) -> None:
        """Run through lines that share `depth` loops, the loops inside among them."""
        for loop, group in reversed(list(blocks(lines, depth))):
            if loop is None:
                self._run(group)
                continue
            totals = [line for line in group if line.adds and self.gifts.depth(line) == depth]
            for line in {line.target: line for line in totals}.values():
                if line.target in self.paths:
                    home = down(line.loops[:depth])
                    self._step(line.target, self.paths[line.target], home, line.shown)
            self.block(group, depth + 1)

    def _run(self, lines: Sequence[Binding]) -> None:
        """Run through lines that stand together in the same loops."""
        given: dict[Expr, list[tuple[Binding, Expr]]] = {}
        for line in reversed(lines):
            for var, term in self._passed_on(line).items():
                beside = is_beside(var, line, self.gifts)
                found = (self.paths if beside else given).setdefault(var, [])
                found.insert(0 if self.as_written else len(found), (line, term))
            for var in self.gifts.last_chance(line, lines):
                paths = given.pop(var, [])
                if symbol(var).index or any(not is_zero(term) for _, term in paths):
                    self._step(var, paths, down(line.loops))

    def _passed_on(self, line: Binding) -> dict[Expr, Expr]:
        """Return what a line gives to each variable that it reads."""
        target = line.target
        if target is self.program.result:
            return _pulled(_seeds(self.program, line), self.gifts.names)
        seed: Expr | None = None
        if target in self.paths and not line.adds:
            seed = self._step(target, self.paths[target], down(line.loops), line.shown)
        elif self.gifts.reach(target) or target in self.paths:
            seed = bar(target)
        if seed is None:
            return {}
        wanted = tuple(v for v in variables(line.expr) if name_of(v) in self.gifts.names)
        if (line.expr, seed, wanted) not in self.pulled:
            self.pulled[line.expr, seed, wanted] = _pulled([(line.expr, seed)], self.gifts.names)
        return self.pulled[line.expr, seed, wanted]

    def given(self) -> None:
        """Add the lines of what is given; those of families stand in the loops that read them."""
        done = {name_of(v) for v in (step.target for step in self.steps)}
        for var in (v for v in _order(self.program) if v in self.sources):
            if var in self.paths or name_of(bar(var)) not in done:
                own = self.program.families.get(name_of(var)) if symbol(var).index else None
                self._step(var, self.paths.get(var, []), (own,) if own else ())

    def _step(
        self, var: Expr, paths: list[tuple[Binding, Expr]], loops: tuple[Loop, ...],
        shown: bool = True,
    ) -> Expr:  # fmt: skip
        """Add the line of an adjoint; return what stands for it, zeros where it is zero."""
        rule = add(*(term for _, term in paths)) if paths else zeros(*var.shape)
        expr, laws = self.lines.simplify(rule)
        target = bar(var)
        if symbol(var).role == "line" and expr.symmetric:
            target = rename(target, symmetric=True)
        adds = bool(paths) and self.gifts.adds(var, loops)
        ways = tuple(Path(line.target, term) for line, term in paths)
        law = ", ".join(filter(None, (_cited(var, paths), *laws)))
        note = _several(var, ways) if paths else f"The result does not depend on {name_of(var)}."
        shown = shown and (name_of(var) in self.asked or not self.gifts.is_given(var))
        step = Step(target, expr, rule, law, ways, note, shown, loops, adds)
        self.lines.add(step.binding)
        self.steps.append(step)
        return zeros(*target.shape) if is_zero(expr) and not adds else target


def _order(program: Program) -> tuple[Expr, ...]:
    """Return what is given, the last used first, as the reverse sweep meets it."""
    given = dict.fromkeys(program.given)
    seen: dict[Expr, None] = {}
    for binding in reversed(program.bindings):
        seen.update(dict.fromkeys(v for v in variables(binding.expr) if v in given))
    return tuple({**seen, **given})


def _seeds(program: Program, binding: Binding) -> list[tuple[Expr, Expr]]:
    """Return what the reverse sweep starts from: the parts of the loss, or the output with ȳ."""
    if program.loss is None:
        return [(binding.expr, bar(binding.target))]
    data, penalty = loss_parts(program)
    weight = WEIGHT if program.reduction == "mean" else number(1)
    return [
        (part, seed) for part, seed in ((data, weight), (penalty, number(1))) if not is_zero(part)
    ]


def _pulled(seeded: Iterable[tuple[Expr, Expr]], active: set[str]) -> dict[Expr, Expr]:
    """Return what expressions with their adjoints give to each variable that they read.

    What an expression of every example gives to a variable that all examples share is summed.
    """
    terms: dict[Expr, list[Expr]] = {}
    for expr, seed in seeded:
        wanted = [var for var in variables(expr) if name_of(var) in active]
        for var, term in pullback(expr, seed, wanted).items():
            several = expr.batched or seed.batched
            shared = several and not var.batched and not is_zero(term)
            joined = node(Examples(), term) if shared else term
            terms.setdefault(var, []).append(joined)
    return {var: add(*found) for var, found in terms.items()}


def _cited(var: Expr, paths: Sequence[tuple[Binding, Expr]]) -> str:
    """Return the law of the operations between, of each path."""
    if not paths:
        return "no path"
    found = [law_between(line.expr, var) for line, _ in paths]
    law = " + ".join(dict.fromkeys(found))
    return f"sum over {len(paths)} paths: {law}" if len(paths) > 1 else law


def _several(var: Expr, paths: tuple[Path, ...]) -> str:
    if len(paths) < 2:
        return ""
    through = [f"through {symbol(path.consumer)}" for path in paths]
    listed = ", ".join(through[:-1]) + " and " + through[-1]
    return f"{symbol(var)} reaches the result along {len(paths)} paths, {listed}: the terms add."
