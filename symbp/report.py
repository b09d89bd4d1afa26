"""What is printed of a derivation: sections for the terminal, a paper, a page."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, TypeAlias

from symbp.check import Certificate
from symbp.derive.derivation import Derivation, Step
from symbp.derive.reading import closed_form, read
from symbp.emit.article import Format
from symbp.emit.document import Section, document
from symbp.emit.math import Names, shape_text, unicode
from symbp.emit.trial import trial
from symbp.explain import proof_sections
from symbp.ir import Expr, name_of, symbol
from symbp.lower.cost import sweep_operations, written_out_operations
from symbp.ops.linear import parts
from symbp.program import Program

Mode: TypeAlias = Literal["reverse", "forward", "both"]
Closed: TypeAlias = Literal["none", "plain", "counted"]


def names_of(program: Program) -> Names:
    """Return what the printer has to know about the program's names."""
    given = {name_of(v) for v in program.given} | {b.name for b in program.bindings}
    own = frozenset(name for name in given if name.endswith("_bar"))
    return Names(result=name_of(program.result), own=own)


def text(
    derivation: Derivation,
    format: Format = "unicode",
    *,
    mode: Mode = "reverse",
    closed: Closed = "none",
    fragment: bool = False,
    proof: bool = False,
) -> str:
    """Return the derivation as text: Unicode, a LaTeX article, or Markdown.

    `closed` adds each gradient as one formula; "counted", how many operations the two ways take;
    `fragment` leaves the equations alone, to be put into a paper; `proof` adds why they hold.
    """
    program = derivation.program
    parts = sections(derivation, mode, format, closed=closed, fragment=fragment)
    if proof:
        parts += proof_sections(derivation, names_of(program))
    title = program.title or program.name
    return document(title, parts, format, fragment, names_of(program))


def sections(
    derivation: Derivation,
    mode: Mode = "reverse",
    format: Format = "unicode",
    *,
    closed: Closed = "none",
    fragment: bool = False,
) -> list[Section]:
    """Return the sections of a reading."""
    program, reading = derivation.program, read(derivation)
    made = [] if fragment else [_given(program)]
    made.append(Section("Forward pass", "", reading.primal))
    if mode != "forward":
        adjoint = _noted(reading.adjoint, program)
        made.append(Section("Reverse mode", _reverse_intro(program), adjoint))
    if mode != "reverse":
        made.append(Section("Forward mode", _forward_intro(program), reading.tangent))
    if closed != "none":
        made += _closed(derivation)[: 1 if closed == "plain" or fragment else 2]
    if derivation.warnings and not fragment:
        made.append(Section("Warnings", "\n\n".join(derivation.warnings)))
    return made


def _noted(steps: Sequence[Step], program: Program) -> tuple[Step, ...]:
    """Return adjoint lines with the sentence on several paths."""
    names = names_of(program)

    def name(var: Expr) -> str:
        return unicode(var, names)

    made = []
    for step in steps:
        if len(step.paths) > 1:
            of = symbol(step.target).of
            every = (*program.given, *(b.target for b in program.bindings))
            var = next(v for v in every if name_of(v) == of)
            through = [name(path.consumer) for path in step.paths]
            listed = f"{', '.join(through[:-1])} and {through[-1]}"
            reaches = f"{name(var)} reaches {name(program.result)} along {len(through)} paths"
            step = replace(step, note=f"{reaches}, through {listed}: their terms add.")
        made.append(step)
    return tuple(made)


def _given(program: Program) -> Section:
    sizes = [n if v is None else f"{n} = {v}" for n, v in program.sizes.items()]
    intro = f"Sizes: {', '.join(sizes)}." if sizes else ""
    roles = [("input", program.inputs), ("target", program.targets), ("const", program.consts),
             ("param", program.params)]  # fmt: skip
    if not (program.params or program.inputs):
        roles = [("variable", program.consts)]
    steps = [Step(v, v, v, _role(word, v)) for word, found in roles for v in found]
    return Section("Given", intro, tuple(steps))


def _role(word: str, var: Expr) -> str:
    extra = [", one-hot"] if symbol(var).encoding == "one_hot" else []
    extra += [", symmetric"] if symbol(var).symmetric else []
    return word + "".join(extra)


def _reverse_intro(program: Program) -> str:
    several = any(symbol(v).batched for v in (*program.inputs, *program.targets))
    if not several or program.loss is None:
        return ""
    joined = "averaged" if program.reduction == "mean" else "summed"
    penalty = "; a penalty is added once" if _has_penalty(program) else ""
    return f"For one example; over a batch the losses are {joined}{penalty}."


def _has_penalty(program: Program) -> bool:
    """Tell whether a term of the loss depends on no example."""
    assert program.loss is not None
    loss = program.definition(program.loss)
    return loss is not None and any(not term.batched for _, term in parts(loss))


def _forward_intro(program: Program) -> str:
    moving = program.wrt
    if program.params or len(moving) != 1 or moving[0].rank:
        return "A dot is the derivative along a direction of all parameters and inputs."
    return f"A dot is the derivative with respect to {name_of(moving[0])}, whose own is 1."


def _closed(derivation: Derivation) -> list[Section]:
    """Return each gradient as one formula, and the operations of the two ways."""
    program = derivation.program
    sizes = trial(program).sizes
    steps, total, missing = [], 0, []
    for var in program.wrt:
        step = derivation.step_of_gradient(name_of(var))
        whole = closed_form(derivation, step.expr)
        if whole is None:
            missing.append(name_of(var))
            continue
        total += written_out_operations(whole, sizes)
        steps.append(replace(step, expr=whole, law="", note="", shown=True))
    sweeps = sweep_operations((*derivation.primal, *derivation.adjoint), sizes)
    words = [f"{sweeps:,} operations by the sweeps, forward and reverse, all gradients together."]
    if steps:
        words.append(f"{total:,} operations by the formulas above, each worked out on its own.")
    if missing:
        words.append(f"Too long to be written out: {', '.join(missing)}.")
    at = ", ".join(f"{s.name} = {n}" for s, n in sizes.items())
    counted = f"Counted for one example{f', at {at}' if at else ''}."
    return [
        Section("Closed forms", "", tuple(steps)),
        Section("Operations of the two ways", "\n\n".join([*words, counted])),
    ]


def inferred_rows(program: Program) -> list[tuple[str, str, str]]:
    """Return name, kind and shape of everything given, for a table."""
    kinds = ("scalar", "vector", "matrix")
    return [(name_of(v), kinds[v.rank], shape_text(v.shape)) for v in program.given]


def certificate_rows(certificate: Certificate) -> list[tuple[str, str, str, str, str]]:
    """Return the rows of a table: every gradient, and the worst row of every other mode."""
    rows = [row for row in certificate.rows if row.mode == "gradient"]
    others = dict.fromkeys((r.mode, r.method) for r in certificate.rows if r.mode != "gradient")
    table = [
        (row.mode, row.quantity, row.method, f"{row.error:.1e}", "ok" if row.ok else "FAIL")
        for row in rows
    ]
    for mode, method in others:
        mine = [r for r in certificate.rows if r.mode == mode and r.method == method]
        worst = max(mine, key=lambda r: (not r.ok, r.error))
        what = mine[0].quantity if len(mine) == 1 else f"{len(mine)} quantities"
        verdict = "ok" if all(r.ok for r in mine) else "FAIL"
        table.append((mode, what, method, f"{worst.error:.1e}", verdict))
    return table


def failures(certificate: Certificate) -> Sequence[str]:
    """Return a line for each failed row: where, ours, expected, ratio, and a hint."""
    return [row.format() for row in certificate.failures]
