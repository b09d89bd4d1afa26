"""The lines of a derivation, sorted into the sweeps that the emitted functions are made of.

primal       the lines that the output needs          tangent      their tangents
loss         the lines that the loss needs besides    loss_dot     their tangents
loss_bar     the adjoints that the loss gives         adjoint      these pulled back
head_bar     those that the output's seed gives       inputs_bar   what only x_bar needs
…_bar_dot    forward over reverse

"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from symbp.derive.derivation import Derivation, Step
from symbp.derive.forward import bar, dot, followed, moving, tangents_of
from symbp.derive.reverse import Pulled, adjoint_steps, join_examples
from symbp.derive.simplify import Lines
from symbp.ir import Expr, is_holder, is_variable, name_of, symbol, variable
from symbp.lower.looped import looped_adjoints
from symbp.lower.settle import settled
from symbp.lower.sweeps import Entry, completed
from symbp.ops.linear import add, number, zeros
from symbp.ops.rewrite import rename
from symbp.program import Binding, Program, needed


@dataclass(frozen=True)
class Sections:
    """The lines of each sweep, for one example; empty where there is nothing to do.

    entries: the lines at which the shared adjoint sweep is entered, and parameters that the loss
    reads directly, in the order of the sweep.  lacking: the families whose members are given
    nothing unless by those who enter.
    """

    primal: tuple[Binding, ...]
    loss: tuple[Binding, ...]
    tangent: tuple[Binding, ...]
    loss_dot: tuple[Binding, ...]
    loss_bar: tuple[Binding, ...]
    head_bar: tuple[Binding, ...]
    adjoint: tuple[Binding, ...]
    inputs_bar: tuple[Binding, ...]
    loss_bar_dot: tuple[Binding, ...]
    adjoint_dot: tuple[Binding, ...]
    entries: dict[Expr, Entry]
    program: Program
    lacking: tuple[Expr, ...] = ()

    @property
    def output(self) -> Expr:
        """What `forward` returns."""
        return self.program.output if self.program.output is not None else self.program.result

    def named(self) -> list[tuple[str, tuple[Binding, ...]]]:
        """Return the sweeps in the order in which later ones read earlier ones."""
        return [(name, getattr(self, name)) for name in ORDER]


ORDER = (
    "primal", "loss", "tangent", "loss_dot", "loss_bar", "head_bar", "adjoint", "inputs_bar",
    "loss_bar_dot", "adjoint_dot",
)  # fmt: skip


def sections(derivation: Derivation) -> Sections:
    """Sort a derivation's lines into sweeps."""
    single = settled(derivation.program)
    program = _joined(single)
    output = program.output if program.output is not None else program.result
    primal = tuple(needed(program.bindings, [output]))
    before = set(primal)
    rest = [b for b in program.bindings if b not in before]
    loss = tuple(needed(rest, [program.loss])) if program.loss is not None else ()
    tangent, dots = _tangents(primal, loss, program)
    looped = any(line.loops for line in program.bindings)
    flat_or_looped = looped_adjoints if looped else partial(_Adjoints, program)
    split = flat_or_looped(single, primal, loss)
    gradients = [bar(v) for v in program.params]
    made = Sections(
        primal, loss, *tangent, tuple(split.loss_bar), tuple(split.head_bar),
        completed(split.adjoint, gradients, program.families),
        split.inputs_bar, (), (), split.entries, single, getattr(split, "lacking", ()),
    )  # fmt: skip
    return made if program.loss is None else _with_second(made, program, dots)


def _joined(program: Program) -> Program:
    """Put the loss of the whole batch in place of the loss of one example."""
    joined = join_examples(program)
    if joined is None or program.loss is None:
        return program
    total = rename(program.loss, batched=False)
    lines = [Binding(total, joined) if b.target is program.loss else b for b in program.bindings]
    same = {"output": total} if program.output is program.loss else {}
    return replace(program, bindings=tuple(lines), loss=total, **same)  # type: ignore[arg-type]


def _tangents(
    primal: tuple[Binding, ...], loss: tuple[Binding, ...], program: Program
) -> tuple[tuple[tuple[Binding, ...], tuple[Binding, ...]], tuple[dict[Expr, Expr], ...]]:
    """Return the tangent lines of the output, and of the loss where the inputs stand still.

    A line calls by name what its own sweep or an earlier one has computed, nothing else.  Behind
    them the tangents that the two know.
    """
    dots = {v: dot(v) for v in moving(program)}
    named = tangents_of(primal, dots, Lines(primal))
    still = {v: d for v, d in dots.items() if v not in program.inputs}
    last = tangents_of(loss, still, Lines((*primal, *loss)))
    found = [_bindings(named), _bindings(last)]
    output = program.output if program.output is not None else program.result
    results = [[dot(output)], [dot(program.loss)] if loss and program.loss is not None else []]
    families = program.families
    lines = completed(found[0], results[0], families), completed(found[1], results[1], families)
    return lines, (dots, still)


class _Adjoints:
    """The reverse sweep of the output, and how the loss and the output's own seed enter it.

    A line is in the head when only the output needs it, as the softmax behind the logits that the
    loss reads.  An entry is a line that the loss or the head reads: its adjoint is an argument of
    the shared sweep where nothing else reads the line, else it is a summand.
    """

    def __init__(
        self,
        program: Program,
        single: Program,
        primal: tuple[Binding, ...],
        loss: tuple[Binding, ...],
    ) -> None:
        """Sort the adjoints of a program whose loss is joined; `single` is it for one example."""
        self.program, self.lines, both = program, Lines(primal), (*primal, *loss)
        self.given = set(program.given)
        self.named = _by_name(program)
        self.loss_lines, self.head_lines = Lines(both), Lines(primal)
        names = {binding.name for binding in both}
        whole = replace(single, bindings=tuple(b for b in single.bindings if b.name in names))
        pulled: Pulled = {}
        steps = adjoint_steps(whole, Lines(both), pulled=pulled) if program.loss is not None else ()
        self.loss_bar: list[Binding] = []
        self.head_bar: list[Binding] = []
        self.entries: dict[Expr, Entry] = {}
        self.in_primal = {b.target for b in primal}
        self.in_primal |= {single.loss} if program.loss in self.in_primal and single.loss else set()
        output = program.output if program.output is not None else program.result
        alone = replace(program, loss=None, output=output, bindings=tuple(primal))
        own = adjoint_steps(alone, Lines(primal), pulled=pulled)
        from_loss = {self._of(step): step for step in steps} if program.loss is not None else {}
        adjoint = []
        self.head = self._head(own, output, from_loss)
        for step in self._loss_only(steps):
            self.loss_bar.append(Binding(step.target, step.expr))
            self.loss_lines.add(self.loss_bar[-1])
        for step in self._ordered(own, output):
            of = self._of(step)
            if of in self.head:
                if of is not output:
                    self.head_bar.append(Binding(step.target, step.expr))
                continue
            adjoint.extend(self._line(of, step, from_loss.get(of)))
        self._cut(adjoint)

    def _cut(self, lines: Sequence[Binding]) -> None:
        """Divide the lines behind the entries: what the parameters need, and the inputs besides."""
        both = (self.program.params, self.program.inputs)
        params, inputs = ([bar(v) for v in part] for part in both)
        self.adjoint = completed(needed(lines, params), params, self.program.families)
        shared = set(self.adjoint)
        left = [b for b in lines if b not in shared]
        self.inputs_bar = completed(needed(left, inputs), inputs, self.program.families)

    def _of(self, step: Step) -> Expr:
        """Return what a step is the adjoint of."""
        return self.named[step.name.removesuffix("_bar")]

    def _loss_only(self, steps: Sequence[Step]) -> list[Step]:
        """Return the adjoints of the lines that only the loss needs."""
        given = self.given | self.in_primal
        return [step for step in steps if self._of(step) not in given]

    def _head(self, own: Sequence[Step], output: Expr, from_loss: dict[Expr, Step]) -> set[Expr]:
        def read_by_loss(of: Expr) -> bool:
            paths = from_loss[of].paths if of in from_loss else ()
            return any(path.consumer not in self.in_primal for path in paths)

        if self.program.loss is None or output is self.program.loss or read_by_loss(output):
            return set()
        head = {output}
        for step in own:
            of, consumers = self._of(step), {path.consumer for path in step.paths}
            if of in self.in_primal and consumers <= head and not read_by_loss(of):
                head.add(of)
        return head

    def _ordered(self, own: Sequence[Step], output: Expr) -> list[Step]:
        return [Step(bar(output), bar(output), bar(output), ""), *own]

    def _line(self, of: Expr, step: Step, loss_step: Step | None) -> list[Binding]:
        """Return the line of an adjoint in the shared sweep, entering it where it has seeds."""
        paths = loss_step.paths if loss_step is not None else ()
        from_loss = [path.term for path in paths if path.consumer not in self.in_primal]
        from_head = [path.term for path in step.paths if path.consumer in self.head]
        inside = [path.term for path in step.paths if path.consumer not in self.head]
        is_given = of in self.given
        if of in self.program.inputs and of not in self.program.wrt:
            from_loss = []
        is_output = not step.law and step.rule is step.target
        if not (from_loss or from_head or is_output):
            rule = add(*inside) if inside else zeros(*of.shape)
            return [Binding(step.target, self._simplify(step.target, rule))]
        suffix = "seed" if inside else "bar"
        if is_given:
            suffix = "direct" if any(_has_examples(term) for term in from_loss) else "penalty"
        name = f"{name_of(of)}_{suffix}"
        seed = variable(name, of.shape, "adjoint", batched=of.batched, of=name_of(of))
        if is_output and of is self.program.loss:
            from_loss = [number(1)]
        self.entries[of] = Entry(
            seed,
            self._given_by(seed, from_loss, self.loss_bar, self.loss_lines),
            is_output or self._given_by(seed, from_head, self.head_bar, self.head_lines),
        )
        if is_given:
            rule = add(*inside) if inside else zeros(*of.shape)
            return [Binding(step.target, self._simplify(step.target, rule))]
        return (
            [Binding(step.target, self._simplify(step.target, add(seed, *inside)))]
            if inside
            else []
        )

    def _given_by(
        self, seed: Expr, terms: list[Expr], section: list[Binding], lines: Lines
    ) -> bool:
        if terms:
            section.append(Binding(seed, self._simplify(seed, add(*terms), lines)))
        return bool(terms)

    def _simplify(self, target: Expr, rule: Expr, lines: Lines | None = None) -> Expr:
        lines = lines or self.lines
        expr, _ = lines.simplify(rule)
        of_input = symbol(target).of in {name_of(v) for v in self.program.inputs}
        if not is_variable(expr) and not of_input:  # whose adjoints a later sweep makes
            lines.add(Binding(target, expr))
        return expr


def _by_name(program: Program) -> dict[str, Expr]:
    """Return what is given and the targets of the lines by their names."""
    return {name_of(v): v for v in (*program.given, *(b.target for b in program.bindings))}


def _has_examples(term: Expr) -> bool:
    return term.batched or "Examples" in term.kinds


def _with_second(
    made: Sections, program: Program, known: Sequence[Mapping[Expr, Expr]]
) -> Sections:
    """Add the tangents of the adjoints along a direction: forward over reverse.

    known: the tangents of the output's lines where the inputs move, and of the loss's.
    """
    lines = Lines([*made.primal, *made.loss, *made.loss_bar])
    dots = {v: dot(v) for v in moving(program) if v not in program.inputs}
    if program.families or any(line.loops for line in program.bindings):
        tangents_of((*made.primal, *made.loss), dots, lines)
    else:
        followed(made.primal, dots, known[0])
        followed(made.loss, dots, known[1])
    loss_bar_dot = tangents_of(made.loss_bar, dots, lines)
    adjoint_dot = tangents_of(made.adjoint, dots, Lines([*made.primal, *made.adjoint]))
    entries = [(v, e) for v, e in made.entries.items() if e.by_loss and v not in program.inputs]
    own = {v: rename(bar(v), name=name_of(e.seed)) for v, e in entries}
    seeds = [dot(own[v]) for v, _ in entries if not is_holder(v)]  # families begin empty
    gradients = [dot(bar(v)) for v in program.params]
    second = _since(_bindings(adjoint_dot), made.adjoint)
    return replace(
        made,
        loss_bar_dot=completed(_bindings(loss_bar_dot), seeds, program.families),
        adjoint_dot=completed(second, gradients, program.families),
    )


def _since(dots: Iterable[Binding], lines: Iterable[Binding]) -> list[Binding]:
    """Return the tangents of lines, left out in the turns in which the lines are."""
    since = {(dot(line.target), line.loops): line.since for line in lines if line.since is not None}
    return [replace(x, since=since.get((x.target, x.loops))) for x in dots]


def _bindings(steps: Iterable[Step]) -> tuple[Binding, ...]:
    return tuple(step.binding for step in steps)
