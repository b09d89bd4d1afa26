"""Expressions and equations as text: Unicode for the page, LaTeX, plain for docstrings."""

from collections.abc import Callable
from typing import Literal, TypeAlias

from symbp.emit.build import build, build_words
from symbp.emit.latex import LatexWriter
from symbp.emit.layout import Entries, Indexed, Layout, Number, SizeName
from symbp.emit.names import MATH, Names
from symbp.emit.number import constant
from symbp.emit.pieces import BREAK
from symbp.emit.ranges import range_of
from symbp.emit.unicode import UnicodeWriter
from symbp.ir import Expr, Shape
from symbp.program import Loop

Style: TypeAlias = Literal["unicode", "latex", "plain"]

__all__ = [
    "MATH",
    "Names",
    "Style",
    "equation",
    "latex",
    "latex_words",
    "plain",
    "range_text",
    "shape_text",
    "sides",
    "unicode",
    "words",
    "writer",
]


def unicode(expr: Expr, names: Names = MATH) -> str:
    """Return an expression as a person writes it: `1[f₁ > 0] ⊙ (Ω₂ᵀ ∂ℓ/∂f₂)`."""
    return _text(expr, "unicode", names)


def latex(expr: Expr, names: Names = MATH) -> str:
    """Return an expression in LaTeX, for amsmath, amssymb and bm; the text of a formula alone."""
    return _text(expr, "latex", names)


def words(expr: Expr, names: Names = MATH) -> str:
    """Return an expression's entry in index words: `Σ_kl A_ki (A W B + C)_kl B_jl`, `δ_ik B_lj`.

    The axes of the expression are i, j, k and so on; compound factors stand in parentheses.
    """
    return UnicodeWriter(names).write(build_words(expr)).replace(BREAK, " ")


def latex_words(expr: Expr, names: Names = MATH) -> str:
    """Return an expression's entry in index words, in LaTeX."""
    return LatexWriter(names).write(build_words(expr)).replace(BREAK, " ")


def plain(expr: Expr) -> str:
    """Return an expression for a docstring, names as in the code: `W2ᵀ f2_bar`."""
    return _text(expr, "plain", MATH)


def equation(target: Expr, expr: Expr, style: Style = "unicode", names: Names = MATH) -> str:
    """Return `target = expr`; the target with its indices where the expression is index words."""
    left, right = sides(target, expr, style, names)
    return f"{left} = {right}".replace(BREAK, " ")


def sides(target: Expr, expr: Expr, style: Style, names: Names) -> tuple[str, str]:
    """Return the two sides of an equation, `BREAK` where a long line may be broken."""
    write = writer(style, names)
    left, right = build(target), build(expr)
    if isinstance(right, Entries):
        return write(Indexed((left,), letters=right.letters)), write(right.parts[0])
    return write(left), write(right)


def shape_text(shape: Shape, style: Style = "unicode") -> str:
    """Return a shape: `m × n`, `D_1`, and nothing for a scalar."""
    write = writer(style, MATH)
    sizes = []
    for dim in shape:
        layout = constant(dim)
        text = write(layout).replace(BREAK, " ")
        simple = len(shape) == 1 or isinstance(layout, SizeName | Number)
        sizes.append(text if simple else f"({text})")
    return (r" \times " if style == "latex" else " × ").join(sizes)


def range_text(loop: Loop, style: Style = "unicode", *, letter: bool = False) -> str:
    """Return the range of a loop in the order of its turns, `k = 1 … K`, or its letter alone."""
    return writer(style, MATH)(constant(loop.letter) if letter else range_of(loop))


def _text(expr: Expr, style: Style, names: Names) -> str:
    layout = build(expr)
    if isinstance(layout, Entries):
        layout = layout.parts[0]
    return writer(style, names)(layout).replace(BREAK, " ")


def writer(style: Style, names: Names) -> Callable[[Layout], str]:
    """Return what writes a layout in a style, `BREAK` where a long line may be broken."""
    if style == "latex":
        return LatexWriter(names).write
    return UnicodeWriter(names, plain=style == "plain").write
