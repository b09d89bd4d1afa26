"""Reverse mode: the lines backwards, each passing its adjoint on to what it reads.

Source: Griewank & Walther 2008, table 3.6; 001 (7.24) is what comes out for a network.
"""

from collections.abc import Iterable

from symbp.derive.derivation import Path, Step
from symbp.derive.forward import moving
from symbp.derive.laws import law_between
from symbp.derive.simplify import Lines
from symbp.ir import Examples, Expr, name_of, node, symbol, variable, variables
from symbp.ops.linear import add, combine, is_zero, number, opened, zeros
from symbp.ops.product import hadamard
from symbp.ops.rewrite import rename
from symbp.ops.rules import pullback
from symbp.program import Binding, Program

WEIGHT = variable("w", (), "weight")
"""The weight of one example in the loss: 1/N for the mean over N examples, 1 for one example."""


def bar(of: Expr) -> Expr:
    """Return the adjoint's variable: v_bar for v."""
    name = name_of(of)
    return variable(f"{name}_bar", of.shape, "adjoint", batched=of.batched, of=name)


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


def adjoint_steps(program: Program, lines: Lines, *, as_written: bool = False) -> tuple[Step, ...]:
    """Return v_bar for every line v between what is differentiated and the result.

    as_written: terms come in the order of the lines, not in that in which the sweep meets them.
    """
    sources = set(moving(program))
    active = _active(program.bindings, sources)
    result = program.result
    paths: dict[Expr, list[Path]] = {}
    steps: list[Step] = []
    for binding in reversed(program.bindings):
        target = binding.target
        if target is result:
            seeded = _seeds(program, binding)
        elif target in paths:
            steps.append(_step(target, paths[target], lines, binding.shown))
            gone = is_zero(steps[-1].expr)
            seeded = [(binding.expr, zeros(*target.shape) if gone else steps[-1].target)]
        else:
            continue
        for var, term in _pulled(seeded, active).items():
            found = paths.setdefault(var, [])
            found.insert(0 if as_written else len(found), Path(target, term))
    bindings = {b.target: b.expr for b in program.bindings}
    known = {name_of(v): v for v in (*program.given, *bindings)}
    steps = [_cite(step, bindings, known) for step in steps]
    givens, wrt = [v for v in _order(program) if v in sources], set(program.wrt)
    for var in givens:
        step = _step(var, paths.get(var, []), lines, var in wrt)
        steps.append(_cite(step, bindings, known))
    return tuple(steps)


def _order(program: Program) -> tuple[Expr, ...]:
    """Return what is given, the last used first, as the reverse sweep meets it."""
    given = dict.fromkeys(program.given)
    seen: dict[Expr, None] = {}
    for binding in reversed(program.bindings):
        seen.update(dict.fromkeys(v for v in variables(binding.expr) if v in given))
    return tuple({**seen, **given})


def _active(bindings: Iterable[Binding], sources: set[Expr]) -> set[Expr]:
    active = set(sources)
    for binding in bindings:
        if any(var in active for var in variables(binding.expr)):
            active.add(binding.target)
    return active


def _seeds(program: Program, binding: Binding) -> list[tuple[Expr, Expr]]:
    """Return what the reverse sweep starts from: the parts of the loss, or the output with ȳ."""
    if program.loss is None:
        return [(binding.expr, bar(binding.target))]
    data, penalty = loss_parts(program)
    weight = WEIGHT if program.reduction == "mean" else number(1)
    return [
        (part, seed) for part, seed in ((data, weight), (penalty, number(1))) if not is_zero(part)
    ]


def _pulled(seeded: Iterable[tuple[Expr, Expr]], active: set[Expr]) -> dict[Expr, Expr]:
    """Return what expressions with their adjoints give to each variable that they read.

    What an expression of every example gives to a variable that all examples share is summed.
    """
    terms: dict[Expr, list[Expr]] = {}
    for expr, seed in seeded:
        wanted = [var for var in variables(expr) if var in active]
        for var, term in pullback(expr, seed, wanted).items():
            shared = expr.batched and not var.batched and not is_zero(term)
            joined = node(Examples(), term) if shared else term
            terms.setdefault(var, []).append(joined)
    return {var: add(*found) for var, found in terms.items()}


def _step(var: Expr, paths: list[Path], lines: Lines, shown: bool) -> Step:
    rule = add(*(path.term for path in paths)) if paths else zeros(*var.shape)
    expr, laws = lines.simplify(rule)
    target = bar(var)
    if symbol(var).role == "line" and expr.symmetric:
        target = rename(target, symmetric=True)
    lines.add(Binding(target, expr))
    return Step(target, expr, rule, ", ".join(laws), tuple(paths), shown=shown)


def _cite(step: Step, bindings: dict[Expr, Expr], known: dict[str, Expr]) -> Step:
    """Add the law of the operations between, and the sentence on several paths."""
    var = known[symbol(step.target).of]
    if not step.paths:
        return Step(step.target, step.expr, step.rule, "no path", note=_unreached(step))
    found = [law_between(bindings[path.consumer], var) for path in step.paths]
    law = " + ".join(dict.fromkeys(found))
    if len(step.paths) > 1:
        law = f"sum over {len(step.paths)} paths: {law}"
    law = f"{law}, {step.law}" if step.law else law
    return Step(
        step.target, step.expr, step.rule, law, step.paths, _several(var, step.paths), step.shown
    )


def _several(var: Expr, paths: tuple[Path, ...]) -> str:
    if len(paths) < 2:
        return ""
    through = [f"through {name_of(path.consumer)}" for path in paths]
    listed = ", ".join(through[:-1]) + " and " + through[-1]
    return f"{name_of(var)} reaches the result along {len(paths)} paths, {listed}: the terms add."


def _unreached(step: Step) -> str:
    return f"The result does not depend on {symbol(step.target).of}."
