"""What a spec declares: sizes, inputs, targets, parameters, constants, operations."""

from collections.abc import Iterator
from fractions import Fraction
from typing import TypeVar

from symbp.errors import SpecError, did_you_mean
from symbp.ir import Dim, Expr, Shape, variable
from symbp.ops.linear import rational
from symbp.program import Init, Loop
from symbp.spec import operations, syntax
from symbp.spec.expressions import value
from symbp.spec.loops import letter, members
from symbp.spec.names import Scope
from symbp.spec.ranges import is_long
from symbp.spec.setting import wrong_count
from symbp.spec.spelling import dims_text, spelled
from symbp.spec.syntax import DeclareLine, Line, OpLine, SizeLine, SpecText

INITS = ("he", "xavier", "lecun", "orthogonal", "zero", "normal")

_Kind = TypeVar("_Kind")


def declare(spec: SpecText, scope: Scope) -> dict[str, Init]:
    """Enter everything declared in the scope, sizes first; return how the parameters start."""
    for sizes in _of_kind(spec.lines, SizeLine):
        for size in sizes.sizes:
            _size(size, scope)
    for operation in _of_kind(spec.lines, OpLine):
        operations.state(operation, scope)
    inits: dict[str, Init] = {}
    for line in _of_kind(spec.lines, DeclareLine):
        inits.update(_declared(line, scope))
    return inits


def _of_kind(lines: tuple[Line, ...], kind: type[_Kind]) -> Iterator[_Kind]:
    return (line for line in lines if isinstance(line, kind))


def _size(size: syntax.Size, scope: Scope) -> None:
    """Enter a size with the number that was asked for, or that is written, or none."""
    name, value = size.member.name, scope.numbers.get(size.member.name, size.value)
    if size.member.range is not None:
        _family(size.member, scope)
    found = list(members(size.member, scope))
    long = name in scope.families and is_long(scope.families[name])
    if isinstance(value, tuple) and (long or len(value) != len(found)):
        raise wrong_count(name, scope.families[name], len(value))
    for k, (plain, _) in enumerate(found):
        if not long:
            scope.declare(plain, size.span)
        if value is not None or not long:
            scope.sizes[plain] = value[k] if isinstance(value, tuple) else value


def _family(member: syntax.Member, scope: Scope) -> None:
    """Note the name of a family itself, so that nothing else takes it."""
    scope.declare(member.name, member.span)


def _declared(line: DeclareLine, scope: Scope) -> Iterator[tuple[str, Init]]:
    if line.shape is not None and line.shape.one_hot and line.kind != "target":
        help = "declare it as a `target`, or give its length alone"
        raise SpecError("`one_hot` is for targets", line.shape.span, help)
    free = letter(line.shape, scope)
    for member in line.members:
        if member.range is not None:
            _family(member, scope)
        for name, number in members(member, scope, free):
            scope.spend(member.span)
            loops: tuple[Loop, ...] = ()
            if number is not None and not isinstance(number, int):
                loops = (scope.families[name],)
            else:
                scope.declare(name, member.span)
            with scope.at({free: number} if free and number is not None else {}, loops):
                dims = _dims(line.shape, scope)
            scope.given[name] = _variable(line, name, dims, loops, scope)
            if line.init is not None:
                yield name, _init(line.init, dims, scope)


def _dims(shape: syntax.Shape | None, scope: Scope) -> tuple[Dim, ...]:
    return tuple(scope.dim(dim) for dim in shape.dims) if shape else ()


def _variable(
    line: DeclareLine, name: str, dims: Shape, loops: tuple[Loop, ...], scope: Scope
) -> Expr:
    if line.symmetric and (len(dims) != 2 or dims[0] != dims[1]):
        what = f"`{name}` is {dims_text(dims, scope.sizes) or 'a scalar'} and cannot be symmetric"
        raise SpecError(what, line.members[0].span, "a symmetric matrix is `n x n`")
    one_hot = line.shape is not None and line.shape.one_hot
    return variable(
        name,
        dims,
        line.kind,
        batched=line.kind in ("input", "target"),
        encoding="one_hot" if one_hot else "dense",
        symmetric=line.symmetric,
        index=tuple(loop.letter for loop in loops),
    )


def _init(init: syntax.Init, dims: tuple[Dim, ...], scope: Scope) -> Init:
    if init.name not in INITS:
        near = did_you_mean(init.name, INITS)
        help = f"did you mean `{near}`?" if near else f"write one of {', '.join(INITS)}"
        raise SpecError(f"no parameter starts by `{init.name}`", init.span, help)
    if init.name == "orthogonal" and len(dims) != 2:
        raise SpecError("only a matrix is orthogonal", init.span, "write `init normal(1)`")
    if init.name != "normal":
        if init.args:
            help = f"write `init {init.name}`; only `normal(VAR)` takes a variance"
            raise SpecError(f"`{init.name}` takes no arguments", init.span, help)
        return Init(init.name)
    if len(init.args) != 1:
        raise SpecError("`normal` takes its variance", init.span, "write `init normal(0.01)`")
    return Init(init.name, _variance(init.args[0], scope))


def _variance(at: syntax.Node, scope: Scope) -> Fraction:
    variance = rational(value(at, scope).expr)
    if variance is None or variance < 0:
        help = "write a number from 0, such as `init normal(0.01)`"
        raise SpecError(f"`{spelled(at)}` is no variance", at.span, help)
    return variance
