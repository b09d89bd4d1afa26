"""What a spec declares: sizes, inputs, targets, parameters, constants, operations."""

from collections.abc import Iterator
from typing import TypeVar

from symbp.errors import SpecError
from symbp.ir import Dim, Expr, Shape, variable
from symbp.program import Init, Loop
from symbp.spec import operations, syntax
from symbp.spec.inits import init_of
from symbp.spec.loops import letter, members
from symbp.spec.names import Scope
from symbp.spec.ranges import is_long
from symbp.spec.setting import wrong_count
from symbp.spec.spelling import dims_text
from symbp.spec.syntax import DeclareLine, Line, OpLine, SizeLine, SpecText

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
                yield name, init_of(line, dims, scope)


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
