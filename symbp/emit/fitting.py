"""Statements that are too long for a line: their largest parts are named first.

Broken lines follow the formatter where its rule is simple (operands of a chain, arguments of a
call); for the rest, a name says more than a bracket that spans six lines.
"""

import ast
from collections.abc import Iterator, Sequence
from itertools import count

from symbp.emit.syntax import WIDTH, assigned, text

_SHORT = 16
"""A part that is not longer is not worth a name."""


def fitted(statements: Sequence[str], taken: set[str], room: int = WIDTH) -> list[str]:
    """Return statements of which no line is too long; `taken` are names in use, and grows.

    room: the columns that are left.
    """
    lines = "\n".join(statements).split("\n")
    if max(map(len, lines), default=0) <= room:
        return lines
    names = (name for k in count(1) if (name := f"part_{k}") not in taken)
    made: list[str] = []
    for statement in ast.parse("\n".join(lines)).body:
        for line in _statement(statement, names, room):
            made.append(line)
            taken.add(line.partition(" ")[0])
    return made


def _statement(statement: ast.stmt, names: Iterator[str], room: int = WIDTH) -> list[str]:
    if isinstance(statement, ast.If):
        inner = [x for part in statement.body for x in _statement(part, names, room - 4)]
        return [f"if {text(statement.test)}:", *(f"    {line}" for line in inner)]
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        name = next(names)
        term = ast.Assign([ast.Name(name, ast.Store())], statement.value.args[-1])
        statement.value.args[-1] = ast.Name(name, ast.Load())
        return [*_statement(term, names, room), text(statement.value)]
    assert isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign), ast.unparse(statement)
    assert statement.value is not None
    made: list[str] = []
    while max(map(len, _written(statement))) > room:
        part = _largest(statement.value or ast.Constant(None), room)
        if part is None:
            break
        name = next(names)
        made += assigned(name, part)
        statement.value = _Named(part, name).put_in(statement.value)
    return [*made, *_written(statement)]


def _written(statement: ast.Assign | ast.AnnAssign | ast.AugAssign) -> list[str]:
    assert statement.value is not None
    if isinstance(statement, ast.AnnAssign):
        return assigned(f"{text(statement.target)}: Array", statement.value)
    if isinstance(statement, ast.Assign):
        return assigned(text(statement.targets[0]), statement.value)
    operator = text(ast.BinOp(ast.Name("a"), statement.op, ast.Name("b")))[2:-2]
    return [f"{text(statement.target)} {operator}= {text(statement.value)}"]


def _largest(root: ast.expr, room: int) -> ast.expr | None:
    """Return the longest part that fits a line of its own, None where there is none worth it."""
    parts = [p for p in ast.walk(root) if isinstance(p, ast.BinOp | ast.Call) and p is not root]
    sized = [(len(text(part)), part) for part in parts]
    found = [(size, part) for size, part in sized if _SHORT < size <= room - _SHORT]
    return max(found, key=lambda pair: pair[0])[1] if found else None


class _Named(ast.NodeTransformer):
    """Puts a name in place of a part, wherever it stands."""

    def __init__(self, part: ast.expr, name: str) -> None:
        self.dump, self.name = ast.dump(part), name

    def put_in(self, code: ast.expr | None) -> ast.expr:
        """Return code with the name in place of the part."""
        assert code is not None
        changed = self.visit(code)
        assert isinstance(changed, ast.expr)
        return changed

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.expr) and ast.dump(node) == self.dump:
            return ast.Name(self.name, ast.Load())
        return self.generic_visit(node)
