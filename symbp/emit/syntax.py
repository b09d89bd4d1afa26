"""Small builders of Python `ast`, and the text of it as the formatter would write it.

Code is put together as trees, so that parentheses are right by construction and no name can
smuggle in anything: a name that is no identifier cannot become an `ast.Name` here.
"""

import ast
import copy
import keyword
import re
from collections.abc import Mapping
from fractions import Fraction

_OPERATORS: dict[str, ast.operator] = {
    "+": ast.Add(),
    "-": ast.Sub(),
    "*": ast.Mult(),
    "/": ast.Div(),
    "@": ast.MatMult(),
    "**": ast.Pow(),
}
_NEGATED = re.compile(r"-([A-Za-z_][\w.]*(?:\*\*|\[[^\[\]]*\] \*\* )[\d.]+)")
_QUOTED = re.compile(r"'([^'\"\\]*)'")
_POWER = re.compile(r"(?<![\w.)\]] )(\b[A-Za-z_][\w.]*|\b\d+) \*\* (\d+(?:\.\d+)?)\b")


def name(text: str) -> ast.expr:
    """Return a name, dotted or with a place, `h[k - 1]`.

    Raises ValueError where it is no identifier.
    """
    if "[" in text:
        whole, _, place = text.partition("[")
        name(whole)
        return ast.parse(f"{whole}[{place}", mode="eval").body
    first, *rest = text.split(".")
    if not all(part.isidentifier() and not keyword.iskeyword(part) for part in (first, *rest)):
        raise ValueError(f"{text!r} is no Python name")
    code: ast.expr = ast.Name(first, ast.Load())
    for part in rest:
        code = ast.Attribute(code, part, ast.Load())
    return code


def literal(value: int | float | Fraction) -> ast.expr:
    """Return a number; a fraction becomes a float that prints as short as it can."""
    if isinstance(value, Fraction):
        exact = value.denominator == 1
        value = value.numerator if exact else value.numerator / value.denominator
    if value < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


def binary(left: ast.expr, operator: str, right: ast.expr) -> ast.expr:
    """Return `left operator right`."""
    return ast.BinOp(left, _OPERATORS[operator], right)


def ratio(left: ast.expr, right: ast.expr) -> ast.expr:
    """Return `left / right`."""
    return binary(left, "/", right)


def negated(code: ast.expr) -> ast.expr:
    """Return `-code`."""
    return ast.UnaryOp(ast.USub(), code)


def call(function: str, *args: ast.expr, **keywords: int | str) -> ast.expr:
    """Return a call; keyword values are numbers or names, `function` may be a call's method."""
    target = ast.parse(function, mode="eval").body
    given = []
    for key, value in keywords.items():
        code = name(value) if isinstance(value, str) else literal(value)
        given.append(ast.keyword(key, code))
    return ast.Call(target, list(args), given)


def template(text: str, values: Mapping[str, ast.expr]) -> ast.expr:
    """Return code from a text of our own with `{z}` where an expression goes."""

    class Fill(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return values.get(node.id.removeprefix("_place_"), node) if is_place(node) else node

    def is_place(node: ast.Name) -> bool:
        return node.id.startswith("_place_")

    plain = text
    for key in values:
        plain = plain.replace(f"{{{key}}}", f"_place_{key}")
    filled = Fill().visit(ast.parse(plain, mode="eval"))
    assert isinstance(filled, ast.Expression)
    return filled.body


def subscript(code: ast.expr, index: tuple[slice | None, ...]) -> ast.expr:
    """Return `code[:, None]` for (slice(None), None)."""
    parts: list[ast.expr] = [
        ast.Constant(None) if part is None else ast.Slice(None, None, None) for part in index
    ]
    inner = ast.Tuple(parts, ast.Load()) if len(parts) > 1 else parts[0]
    return ast.Subscript(code, inner, ast.Load())


class _Spaced(ast.NodeTransformer):
    """Puts a name in place of each slice with a formula in it: those have spaces, `X[: n + 1]`."""

    def __init__(self) -> None:
        self.slices: dict[str, str] = {}

    def visit_Slice(self, node: ast.Slice) -> ast.expr:
        bounds = [node.lower, node.upper]
        if all(b is None or isinstance(b, ast.Name | ast.Constant) for b in bounds):
            return node
        lower, upper = ("" if b is None else text(b) for b in bounds)
        name = f"slice_{len(self.slices)}_"
        self.slices[name] = f"{lower} : {upper}".strip()
        return ast.Name(name, ast.Load())


def text(code: ast.expr) -> str:
    """Return the code's text as the formatter would write it on one line."""
    spaced = _Spaced()
    if any(isinstance(part, ast.Slice) for part in ast.walk(code)):
        code = spaced.visit(copy.deepcopy(code))
    plain = ast.unparse(ast.fix_missing_locations(code))
    for name, slice_ in spaced.slices.items():
        plain = plain.replace(name, slice_)
    tight = _POWER.sub(r"\1**\2", _QUOTED.sub(r'"\1"', plain))
    return _NEGATED.sub(r"-(\1)", tight)


def assigned(target: str, code: ast.expr) -> list[str]:
    """Return the lines of `target = code` in a function's body, broken as the formatter does."""
    line = f"{target} = {text(code)}"
    if len(line) <= WIDTH:
        return [line]
    if isinstance(code, ast.BinOp) and _operators(code) > 1:
        whole = [text(code)] if len(text(code)) <= WIDTH - 4 else _chain(code)
        return [f"{target} = (", *(f"    {part}" for part in whole), ")"]
    if isinstance(code, ast.Call) and isinstance(code.func, ast.Name | ast.Attribute):
        head = f"{target} = {text(code.func)}("
        inner = [text(arg) for arg in code.args]
        inner += [f"{key.arg}={text(key.value)}" for key in code.keywords]
        if len(", ".join(inner)) <= WIDTH - 4:
            return [head, f"    {', '.join(inner)}", ")"]
        return [head, *(f"    {part}," for part in inner), ")"]
    return [line]


WIDTH = 96
"""The columns left for a statement of a function's body."""


def _operators(code: ast.expr) -> int:
    """Return how many operators of the loosest kind join an expression."""
    if not isinstance(code, ast.BinOp):
        return 0
    loose = isinstance(code.op, ast.Add | ast.Sub)
    left = code.left if isinstance(code.left, ast.BinOp) else None  # the right one has brackets
    alike = left is not None and isinstance(left.op, ast.Add | ast.Sub) is loose
    return 1 + (_operators(code.left) if alike else 0)


def _chain(code: ast.BinOp) -> list[str]:
    """Return the operands of a sum or product, each with its operator in front, one a line."""
    loose = isinstance(code.op, ast.Add | ast.Sub)
    level = (ast.Add, ast.Sub) if loose else (ast.Mult, ast.Div, ast.MatMult)
    signs = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.MatMult: "@"}
    made: list[str] = []
    part: ast.expr = code
    while isinstance(part, ast.BinOp) and isinstance(part.op, level):
        whole = text(ast.BinOp(ast.Name("_", ast.Load()), part.op, part.right))
        made.append(f"{signs[type(part.op)]} {whole[4:]}")
        part = part.left
    tight = ast.Add() if loose else ast.Mult()
    return [text(ast.BinOp(part, tight, ast.Name("_", ast.Load())))[: -len(" * _")], *made[::-1]]
