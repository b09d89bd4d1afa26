"""What is printed of a derivation: sections for the terminal, a paper, a page."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from symbp.check import Certificate
from symbp.derive.chains import closed_gradients
from symbp.derive.dense import GRADIENTS, Dense, Wanted, dense, products
from symbp.derive.derivation import Derivation, Step
from symbp.derive.forward import dot
from symbp.derive.jacobian import structured
from symbp.derive.reading import closed_form, one_example, read
from symbp.derive.reverse import has_penalty
from symbp.emit.article import Format
from symbp.emit.document import Section, document
from symbp.emit.given import given
from symbp.emit.math import Names, shape_text, unicode
from symbp.emit.tensor import Tensor
from symbp.emit.trial import trial
from symbp.explain import proof_sections
from symbp.ir import Expr, name_of, node, symbol
from symbp.lower.cost import sweep_operations, written_out_operations
from symbp.program import Program

Mode: TypeAlias = Literal["reverse", "forward", "both"]
Closed: TypeAlias = Literal["none", "plain", "counted"]


def names_of(program: Program) -> Names:
    """Return what the printer has to know about the program's names."""
    given = {name_of(v) for v in program.given} | {b.name for b in program.bindings}
    own = frozenset(name for name in given if name.endswith("_bar"))
    result = symbol(program.result)
    return Names(result=result.name, own=own, place=result.index)


@dataclass(frozen=True)
class Page:
    """What is to be read of a derivation.

    closed: also each gradient as one formula; "counted", how many operations the two ways take.
    fragment: the equations alone, to be put into a paper.  proof: also why they hold.
    wanted: Jacobians and Hessians.
    """

    mode: Mode = "reverse"
    closed: Closed = "none"
    fragment: bool = False
    proof: bool = False
    wanted: Wanted = GRADIENTS


GRADIENT_PAGE = Page()
"""The forward pass and the reverse mode."""


def text(derivation: Derivation, format: Format = "unicode", page: Page = GRADIENT_PAGE) -> str:
    """Return the derivation as text: Unicode, a LaTeX article, or Markdown."""
    program = derivation.program
    parts, names = sections(derivation, page), page_names(program)
    if page.proof:
        parts += proof_sections(derivation, names)
    return document(program.title or program.name, parts, format, page.fragment, names)


def sections(derivation: Derivation, page: Page) -> list[Section]:
    """Return the sections of a reading."""
    program, reading = derivation.program, read(derivation)
    found = dense(program, page.wanted)
    made = [] if page.fragment else [given(program)]
    made.append(Section("Forward pass", "", reading.primal))
    if page.mode != "forward":
        adjoint = _noted(reading.adjoint, program)
        made.append(Section("Reverse mode", _reverse_intro(program, page.wanted), adjoint))
    if page.mode != "reverse":
        made.append(Section("Forward mode", _forward_intro(program), reading.tangent))
    if page.wanted.both_halves:
        made.append(_both_halves(derivation))
    made += _dense(found, page, program, {step.target for step in reading.primal})
    if page.closed != "none":
        made += _closed(derivation, found, page)
    if derivation.warnings and not page.fragment:
        made.append(Section("Warnings", "\n\n".join(derivation.warnings)))
    return made


def page_names(program: Program) -> Names:
    """Return the names of a page: adjoints of an array are those of a scalar ℓ made from it."""
    names = names_of(program)
    own = "loss" in {name_of(v) for v in (*program.given, *(b.target for b in program.bindings))}
    return replace(names, result="loss", place=()) if program.result.rank and not own else names


def _both_halves(derivation: Derivation) -> Section:
    """Return the gradients by symmetric matrices, each as one formula where that can be written."""
    steps = []
    for var in (v for v in derivation.program.wrt if symbol(v).symmetric):
        step = derivation.step_of_gradient(name_of(var))
        whole = closed_form(derivation, step.expr) or one_example(step.expr)
        steps.append(replace(step, expr=structured(whole), law="both halves", note="", shown=True))
    return Section("Both halves together", _HALVES, tuple(steps))


def _dense(found: Sequence[Dense], page: Page, program: Program, known: set[Expr]) -> list[Section]:
    """Return a section for each dense derivative: the differential, then its unit directions.

    known: the lines that stand in the forward pass already.
    """
    made = []
    if page.wanted.jacobian and not program.result.rank and not page.fragment:
        name = unicode(program.result, names_of(program))
        made.append(Section("Jacobian", f"{name} is a scalar: its Jacobian is its gradient."))
    for one in found:
        others = sum(other.kind == one.kind for other in found) > 1
        by = " and ".join(unicode(v) for v in dict.fromkeys(one.variables))
        title = f"{one.kind.capitalize()} by {by}" if others else one.kind.capitalize()
        new = tuple(step for step in one.steps[:-1] if step.target not in known)
        made.append(Section(title, "", new, (Tensor(one, page.wanted.layout),)))
    for one in products(program, page.wanted):
        direction = unicode(dot(one.variables[0]))
        title = f"Hessian times a direction {direction}"
        made.append(Section(title, "", one.steps[:-1]))
    return made


def _closed_tensors(program: Program, found: Sequence[Dense], page: Page) -> tuple[Tensor, ...]:
    """Return what the closed forms add: the Jacobians of an array, and what speaks of lines."""
    layout = page.wanted.layout
    if program.result.rank and not page.wanted.jacobian:
        whole = dense(program, replace(page.wanted, jacobian=True))
        return tuple(Tensor(one, layout, closed=True) for one in whole)
    news = (one for one in found if one.reading.closed is not one.reading.expr)
    return tuple(Tensor(one, layout, closed=True) for one in news)


_SEED = "ℓ stands for any scalar made from {0}, and ∂ℓ/∂{0} is where the sweep starts."

_CHAINS = "Values of the forward pass stand by their names."
_RECURRENCES = (
    "Left as above, since a recurrence with several terms, brackets or indices has no such form:"
)

_FREE = "The gradient by {0} is free: each of two mirrored entries has a derivative of its own."
_HALVES = "The halves of a symmetric matrix move together: G + Gᵀ − G ⊙ I of the gradient G above."


def _noted(steps: Sequence[Step], program: Program) -> tuple[Step, ...]:
    """Return adjoint lines with the sentence on several paths."""
    names = names_of(program)

    def name(var: Expr) -> str:
        return unicode(var, names)

    made = []
    for step in steps:
        if len(step.paths) > 1:
            var = _whose(step.target, program)
            through = [name(path.consumer) for path in step.paths]
            listed = f"{', '.join(through[:-1])} and {through[-1]}"
            reaches = f"{name(var)} reaches {name(program.result)} along {len(through)} paths"
            step = replace(step, note=f"{reaches}, through {listed}: their terms add.")
        made.append(step)
    return tuple(made)


def _whose(adjoint: Expr, program: Program) -> Expr:
    """Return the line or what is given whose adjoint this is, at the place of the adjoint."""
    of, index = symbol(adjoint).of, symbol(adjoint).index
    every = (*program.given, *(b.target for b in program.bindings))
    var = next(v for v in every if name_of(v) == of)
    return node(replace(symbol(var), index=index)) if index else var


def _reverse_intro(program: Program, wanted: Wanted) -> str:
    folded = [unicode(v) for v in program.wrt if symbol(v).symmetric]
    free = _FREE.format(", ".join(folded)) if folded and not wanted.both_halves else ""
    return " ".join(filter(None, (free, _sweep_intro(program))))


def _sweep_intro(program: Program) -> str:
    if program.result.rank and page_names(program).result == "loss":
        return _SEED.format(unicode(program.result))
    several = any(symbol(v).batched for v in (*program.inputs, *program.targets))
    if not several or program.loss is None:
        return ""
    joined = "averaged" if program.reduction == "mean" else "summed"
    penalty = "; a penalty is added once" if has_penalty(program) else ""
    return f"For one example; over a batch the losses are {joined}{penalty}."


def _forward_intro(program: Program) -> str:
    moving = program.wrt
    if program.params or len(moving) != 1 or moving[0].rank:
        return "A dot is the derivative along a direction of all parameters and inputs."
    return f"A dot is the derivative with respect to {name_of(moving[0])}, whose own is 1."


def _closed(derivation: Derivation, found: Sequence[Dense], page: Page) -> list[Section]:
    """Return each gradient as one formula; with loops, those that are no recurrences."""
    if derivation.program.is_looped:
        return [_chains(derivation)]
    closed = _counted(derivation)
    closed[0] = replace(closed[0], tensors=_closed_tensors(derivation.program, found, page))
    return closed[: 1 if page.closed == "plain" or page.fragment else 2]


def _chains(derivation: Derivation) -> Section:
    """Return the gradients of a program with loops, recurrences of one step as products."""
    found, names = closed_gradients(derivation), page_names(derivation.program)
    words = [_CHAINS] if found.steps else []
    if found.missing:
        listed = ", ".join(unicode(adjoint, names) for adjoint in found.missing)
        words.append(f"{_RECURRENCES} {listed}.")
    return Section("Closed forms", "\n\n".join(words), found.steps)


def _counted(derivation: Derivation) -> list[Section]:
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
