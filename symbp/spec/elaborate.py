"""From a syntax tree to a Program: names, sizes, loops and shapes, all of them checked.

Sizes stay symbols in every shape, also those that were given a number: the number is in
`Program.sizes`, and two sizes that hold the same one are still two.  Families and loops over
numbers are unrolled into plain names, `Omega[1]` to `Omega_1`; those with a symbolic bound stay.
"""

import keyword
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from symbp.errors import Span, SpecError, did_you_mean, printable
from symbp.ir import Expr, Role, Variable, name_of, node, symbol
from symbp.program import Binding, Program
from symbp.spec.declarations import declare
from symbp.spec.lines import bindings
from symbp.spec.members import defined, read
from symbp.spec.names import Scope, unknown
from symbp.spec.ranges import is_long, put_all, requirements, settled
from symbp.spec.setting import Number, numbers_of
from symbp.spec.spelling import spelled
from symbp.spec.syntax import BatchLine, Line, ModelLine, OutputLine, Ref, SpecText, WrtLine

_LineKind = TypeVar("_LineKind", ModelLine, BatchLine, OutputLine, WrtLine)


def elaborate(
    spec: SpecText, name: str = "spec", sizes: Mapping[str, Number] | None = None
) -> Program:
    """Return the program of a spec; `name` is its name where no `model` line gives one.

    sizes: numbers for some sizes, instead of what the spec says of them.
    Raises one SpecError, with its place in the text, or a SymbpError about the numbers.
    """
    try:
        return _program(spec, name, sizes or {})
    except SpecError as error:
        raise error.located(spec.source, spec.filename) from None


def _program(spec: SpecText, name: str, sizes: Mapping[str, Number]) -> Program:
    model = _only(spec.lines, ModelLine)
    batch = _only(spec.lines, BatchLine)
    name = checked_name(name, model)
    scope = Scope(numbers_of(spec, sizes))
    inits = declare(spec, scope)
    made = bindings(spec.lines, scope)
    loss = scope.lines.get("loss")
    params = _of_role(scope, "param")
    output = _output(_only(spec.lines, OutputLine), made, scope)
    return Program(
        name=name,
        bindings=tuple(made),
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
        families={name: loop for name, loop in scope.families.items() if _is_kept(name, scope)},
        least=requirements(scope.least),
        tuples=_tuples(params, scope),
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


def _is_kept(name: str, scope: Scope) -> bool:
    """Tell whether a family stays one: its length is no number, nor its members one size."""
    return is_long(scope.families[name]) and name not in scope.sizes


def _tuples(params: Sequence[Expr], scope: Scope) -> dict[str, tuple[str, ...]]:
    """Return the members' names of each family of parameters that was written out."""
    given = {name_of(param) for param in params}
    found = {}
    for name, loop in scope.families.items():
        if not is_long(loop):
            names = tuple(f"{name}_{k}" for k in range(int(loop.start), int(loop.stop) + 1))
            found[name] = tuple(member for member in names if member in given)
    return {name: names for name, names in found.items() if names}


def _output(line: OutputLine | None, made: Sequence[Binding], scope: Scope) -> Expr | None:
    """Return what `forward` returns: as asked, or the last line before the loss.

    Of a line in a loop it is the last turn.
    """
    scope.statement = len(made)
    if line is None:
        shown = [binding for binding in made if binding.shown]
        names = [binding.name for binding in shown]
        last = names.index("loss") - 1 if "loss" in names else len(names) - 1
        return _last_turn(shown[last], scope) if last >= 0 else None
    ref = line.value
    if ref.index is not None and ref.name in scope.computed:
        return read(ref, scope).expr
    name, _ = scope.named(ref)
    if name in scope.lines:
        return scope.lines[name]
    if name in scope.given:
        help = "name a line `name = expression`, or leave `output` out"
        raise SpecError(f"`{spelled(ref)}` is given, not computed", line.span, help)
    raise _unknown_line(name, ref, scope)


def _last_turn(line: Binding, scope: Scope) -> Expr:
    """Return what a line gives in the last turn of its loops; its member must be there."""
    op, turn = symbol(line.target), settled({loop.letter: loop.stop for loop in line.loops})
    places = put_all(op.index, turn)
    if line.loops:
        scope.least += defined(places, scope.computed[line.name], scope) or []
    return node(replace(op, dims=put_all(op.dims, turn), index=places))


def _unknown_line(name: str, ref: Ref, scope: Scope) -> SpecError:
    if name in scope.sizes or name in scope.families or name in scope.computed:
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
    loop = scope.families.get(ref.name) if ref.index is None else None
    if loop is not None and not is_long(loop):
        names = [f"{ref.name}_{number}" for number in range(int(loop.start), int(loop.stop) + 1)]
    else:
        name, places = scope.named(ref)
        if places and name in scope.given:
            help = f"write `wrt {name}`: all its members"
            raise SpecError(f"`{spelled(ref)}` is one of a family", ref.span, help)
        names = [name]
    return [_differentiable(name, ref, scope) for name in names]


def _differentiable(name: str, ref: Ref, scope: Scope) -> Expr:
    given = scope.given.get(name)
    if given is not None and _role(given) in ("param", "input"):
        return given
    if given is not None:
        help = f"declare it as `param {ref.name}` to differentiate by it"
        what = f"`{spelled(ref)}` is a {_role(given)}, which is never differentiated by"
        raise SpecError(what, ref.span, help)
    computed = name in scope.lines or name in scope.computed
    if computed or name in scope.sizes or name in scope.families:
        help = "name a `param` or an `input`"
        what = f"`{spelled(ref)}` is a {'line' if computed else 'size'}, not given"
        raise SpecError(what, ref.span, help)
    candidates = [other for other, var in scope.given.items() if _role(var) in ("param", "input")]
    near = did_you_mean(name, [*candidates, *scope.families])
    help = f"did you mean `{near}`?" if near else f"declare it: `param {ref.name}`"
    raise SpecError(f"`{spelled(ref)}` is not declared", ref.span, help)
