"""From a syntax tree to a Program: names, sizes, loops and shapes, all of them checked.

Sizes stay symbols in every shape, also those that were given a number: the number is in
`Program.sizes`, and two sizes that hold the same one are still two.  Families and loops are
unrolled into plain names, `Omega[1]` to `Omega_1`.
"""

import keyword
import re
import sys
from collections.abc import Sequence
from typing import TypeVar

from symbp.errors import Span, SpecError, did_you_mean, printable
from symbp.ir import Expr, Role, Variable, line_of
from symbp.ops.product import total
from symbp.program import Binding, Program
from symbp.spec.declarations import declare
from symbp.spec.expressions import value
from symbp.spec.loops import Statement, check_weight, statements
from symbp.spec.names import Scope, unknown
from symbp.spec.spelling import spelled
from symbp.spec.syntax import BatchLine, Line, ModelLine, OutputLine, Ref, SpecText, WrtLine
from symbp.spec.twins import alike, twins
from symbp.spec.values import assigned

_LineKind = TypeVar("_LineKind", ModelLine, BatchLine, OutputLine, WrtLine)


def elaborate(spec: SpecText, name: str = "spec") -> Program:
    """Return the program of a spec; `name` is its name where no `model` line gives one.

    Raises one SpecError, with its place in the text.
    """
    try:
        return _program(spec, name)
    except SpecError as error:
        raise error.located(spec.source, spec.filename) from None


def _program(spec: SpecText, name: str) -> Program:
    model = _only(spec.lines, ModelLine)
    batch = _only(spec.lines, BatchLine)
    name = checked_name(name, model)
    scope = Scope()
    inits = declare(spec, scope)
    bindings = _bindings(spec.lines, scope)
    loss = scope.lines.get("loss")
    params = _of_role(scope, "param")
    output = _output(_only(spec.lines, OutputLine), bindings, scope)
    return Program(
        name=name,
        bindings=tuple(bindings),
        inputs=_of_role(scope, "input"),
        targets=_of_role(scope, "target"),
        params=params,
        consts=_of_role(scope, "const"),
        output=output,
        loss=loss,
        wrt=_wrt(_only(spec.lines, WrtLine), spec.lines[-1].span, scope),
        title=(model.title or "") if model else "",
        reduction=batch.mode if batch else "mean",
        sizes=dict(scope.sizes),
        inits=inits,
        kind="network" if params else "identity",
        source=spec.source,
        origin=spec.filename,
        tuples=dict(scope.tuples),
    )


def _only(lines: Sequence[Line], kind: type[_LineKind]) -> _LineKind | None:
    """Return the one line of a kind that is written at most once."""
    found = [line for line in lines if isinstance(line, kind)]
    if len(found) > 1:
        word = kind.__name__.removesuffix("Line").lower()
        what = f"a second `{word}` line; the first is line {found[0].span.line}"
        raise SpecError(what, found[1].span, "remove one of the two")
    return found[0] if found else None


def checked_name(name: str, model: ModelLine | None = None) -> str:
    """Return the name of the module to write; raise a SpecError where Python has no such name."""
    name, span = (model.name, model.span) if model else (name, Span(1, 1))
    fault = fault_of_name(name)
    if fault is not None:
        raise SpecError(fault, span, "write `model my_name` as the first line")
    return name


def fault_of_name(name: str) -> str | None:
    """Return what is wrong with the name of a module to write, None where nothing is."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) or keyword.iskeyword(name):
        return f"`{printable(name)}` cannot name a Python module"
    if name in sys.stdlib_module_names or name == "numpy":
        return f"a module `{name}` would hide Python's own"
    return None


def _of_role(scope: Scope, role: Role) -> tuple[Expr, ...]:
    """Return what is given in one role, in the order of declaration."""
    return tuple(given for given in scope.given.values() if _role(given) == role)


def _role(given: Expr) -> Role:
    assert isinstance(given.op, Variable)
    return given.op.role


def _bindings(lines: Sequence[Line], scope: Scope) -> list[Binding]:
    """Return the lines of the forward pass in their order."""
    found = statements(lines, scope)
    if not found:
        at = lines[-1].span if lines else Span(1, 1)
        help = "write a line `name = expression`; the loss is `loss = expression`"
        raise SpecError("there is nothing to derive: no line computes a value", at, help)
    _check_twins(scope, found)
    check_weight((statement.line.expr for statement in found), scope)
    scope.coming = {statement.name: statement.line.span.line for statement in found}
    return [_binding(statement, scope) for statement in found]


def _check_twins(scope: Scope, found: Sequence[Statement]) -> None:
    """Refuse names that are printed alike; a member of a family stands where the family does."""
    places = scope.places | {statement.name: statement.line.span for statement in found}
    pair = twins(places)
    if pair is not None:
        message, help = alike(*pair)
        raise SpecError(message, places[pair[1]], help)


def _binding(statement: Statement, scope: Scope) -> Binding:
    with scope.at(statement.indices):
        made = value(statement.line.expr, scope)
        if statement.name == "loss":
            if not made.single:
                what = f"the loss is no scalar: it is {scope.shape_text(made)}"
                help = "sum it up: `norm2(…)^2`, `sum(…)`, `dot(…)` or `cross_entropy(y, a)`"
                raise SpecError(what, statement.line.span, help)
            expr = total(made.expr)
        else:
            expr = assigned(made)
    target = line_of(statement.name, expr)
    scope.lines[statement.name] = target
    del scope.coming[statement.name]
    return Binding(target, expr)


def _output(line: OutputLine | None, bindings: Sequence[Binding], scope: Scope) -> Expr | None:
    """Return what `forward` returns: as asked, or the last line before the loss."""
    if line is not None:
        name = scope.flat_name(line.value)
        if name in scope.lines:
            return scope.lines[name]
        if name in scope.given:
            help = "name a line `name = expression`, or leave `output` out"
            raise SpecError(f"`{spelled(line.value)}` is given, not computed", line.span, help)
        raise _unknown_line(name, line.value, scope)
    names = [binding.name for binding in bindings]
    last = names.index("loss") - 1 if "loss" in names else len(names) - 1
    return bindings[last].target if last >= 0 else None


def _unknown_line(name: str, ref: Ref, scope: Scope) -> SpecError:
    if name in scope.sizes or name in scope.families:
        return unknown(name, ref, scope)
    near = did_you_mean(name, scope.lines)
    help = f"did you mean `{near}`?" if near else f"write a line `{spelled(ref)} = expression`"
    return SpecError(f"no line defines the output `{spelled(ref)}`", ref.span, help)


def _wrt(line: WrtLine | None, end: Span, scope: Scope) -> tuple[Expr, ...]:
    """Return what to differentiate by: as asked, or every parameter, or every input."""
    if line is not None:
        return tuple(dict.fromkeys(var for ref in line.names for var in _asked(ref, scope)))
    found = _of_role(scope, "param") or _of_role(scope, "input")
    if not found:
        help = "declare what gradients are taken for: `param W : m x n`, or `input x`"
        raise SpecError("there is nothing to differentiate by", end, help)
    return found


def _asked(ref: Ref, scope: Scope) -> list[Expr]:
    """Return the variables that one name of a `wrt` line means: all members of a family."""
    if ref.index is None and ref.name in scope.families:
        first, last = scope.families[ref.name]
        names = [f"{ref.name}_{number}" for number in range(first, last + 1)]
    else:
        names = [scope.flat_name(ref)]
    return [_differentiable(name, ref, scope) for name in names]


def _differentiable(name: str, ref: Ref, scope: Scope) -> Expr:
    given = scope.given.get(name)
    if given is not None and _role(given) in ("param", "input"):
        return given
    if given is not None:
        help = f"declare it as `param {ref.name}` to differentiate by it"
        what = f"`{spelled(ref)}` is a {_role(given)}, which is never differentiated by"
        raise SpecError(what, ref.span, help)
    if name in scope.lines or name in scope.sizes:
        help = "name a `param` or an `input`"
        what = f"`{spelled(ref)}` is a {'line' if name in scope.lines else 'size'}, not given"
        raise SpecError(what, ref.span, help)
    candidates = [other for other, var in scope.given.items() if _role(var) in ("param", "input")]
    near = did_you_mean(name, [*candidates, *scope.families])
    help = f"did you mean `{near}`?" if near else f"declare it: `param {ref.name}`"
    raise SpecError(f"`{spelled(ref)}` is not declared", ref.span, help)
