"""A layout as LaTeX; needs amsmath, amssymb and bm, and nothing else."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from symbp.emit import layout as at
from symbp.emit.names import ENTRY, Names, latex_letter, latex_name
from symbp.emit.number import constant
from symbp.emit.pieces import BREAK, Level, Piece
from symbp.emit.ranges import Bracket, Range, Series
from symbp.emit.wrapping import latex_columns
from symbp.ir import Dim, Variable

_TALL = re.compile(r"\\frac|\\begin|\\sum_\{[^{}]*\}\^")
"""What is taller than a line: fractions, cases, sums with limits."""

_WIDEST = 60  # columns of a fraction, which cannot be broken; a printed line has 74


class LatexWriter:
    """Writes layouts; groups are closed wherever a line may be broken."""

    def __init__(self, names: Names) -> None:
        self.names = names

    def write(self, layout: at.Layout) -> str:
        """Return the text, with `BREAK` where a long line may be broken."""
        return at.fold(layout, self._step).text

    def _step(self, layout: at.Layout, parts: list[Piece]) -> Piece:
        return _RULES[type(layout)](self, layout, parts)

    def variable(self, variable: Variable) -> Piece:
        """Return a name, vectors and matrices bold, an adjoint as the derivative it is."""
        bold, places = bool(variable.dims), self._places(variable.index)
        if variable.role == "weight":
            return Piece("w", Level.ATOM)
        if variable.role == "adjoint" and variable.of:
            return Piece(self._derivative(variable.of, bold, places), Level.ADJOINT)
        below = self.names.adjoint_of(variable)
        if below is not None:
            dotted = (
                rf"{_enclosed(self._derivative(below, bold, places))}^{{\!\boldsymbol{{\cdot}}}}"
            )
            return Piece(dotted, Level.POWER)
        if variable.role == "tangent" and variable.of:
            if variable.of == self.names.result == "loss":
                return Piece(r"\dot{\ell}", Level.ATOM)
            return Piece(latex_name(variable.of, bold, True, places), Level.ATOM)
        return Piece(self._name(variable.name, bold, places), Level.ATOM)

    def _places(self, index: Sequence[Dim]) -> list[str]:
        return [at.fold(constant(place), self._step).tight for place in index]

    def _derivative(self, below: str, bold: bool, places: Sequence[str]) -> str:
        result = self._name(self.names.result, False, self._places(self.names.place))
        names = below.split(" ")
        order = f"^{{{len(names)}}}" if len(names) > 1 else ""
        by = (
            rf"\partial {self._name(name, bold, places)}" + (f"^{{{n}}}" if n > 1 else "")
            for name, n in Counter(names).items()
        )
        below = r" \, ".join(by)
        return rf"\frac{{\partial{order} {result}}}{{{below}}}"

    def _name(self, name: str, bold: bool, places: Sequence[str] = ()) -> str:
        entry = ENTRY.fullmatch(name)
        if entry is not None:
            places = ",".join("".join(map(latex_letter, p)) for p in entry[2].split(","))
            return rf"{self._name(entry[1], bold=True)}_{{{places}}}"
        if name == self.names.result == "loss":
            return r"\ell"
        return latex_name(name, bold, places=places)


def _enclosed(text: str, left: str = "(", right: str = ")") -> str:
    """Return the text between signs as tall as it is, of a fixed size, so that lines may break."""
    size = r"\bigg" if _TALL.search(text) else ""
    size = r"\big" if not size and r"\big" in text else size
    return f"{size}l{left}{text}{size}r{right}" if size else f"{left}{text}{right}"


def fit(piece: Piece, least: Level) -> str:
    """Return a piece's text, in parentheses where it holds together too loosely."""
    return piece.text if piece.level >= least else _enclosed(piece.text)


def _fraction(above: str, below: str) -> str:
    return rf"\frac{{{above}}}{{{below}}}".replace(BREAK, " ")


def _quotient(_: LatexWriter, __: at.Layout, parts: list[Piece]) -> Piece:
    """Return a fraction; what is too long to stand above a line can be broken before a slash."""
    above, below = parts
    if latex_columns(above.closed().text) <= _WIDEST:
        return Piece(_fraction(above.text, below.text), Level.FRACTION)
    return Piece(f"{fit(above, Level.FRACTION)} / {fit(below, Level.POWER)}", Level.PRODUCT)


def _joined(separator: str, level: Level) -> Callable[..., Piece]:
    """Return the rule of a product; a fraction has its own line and needs no parentheses."""

    def rule(_: LatexWriter, __: at.Layout, parts: list[Piece]) -> Piece:
        texts = [
            part.text if part.level == Level.FRACTION else fit(part, Level.ADJOINT)
            for part in parts
        ]
        return Piece(separator.join(texts), level)

    return rule


def _row(_: LatexWriter, __: at.Layout, parts: list[Piece]) -> Piece:
    text = ""
    for part in parts:
        text += BREAK + r"\," + " " if text else ""
        text += part.text if part.level == Level.FRACTION else fit(part, Level.ADJOINT)
    return Piece(text, Level.ROW)


def _total(_: LatexWriter, layout: at.Total, parts: list[Piece]) -> Piece:
    text = ""
    for negative, part in zip(layout.negative, parts, strict=True):
        sign = "-" if negative else "+"
        text += f"{BREAK}{sign} " if text else sign * negative
        text += fit(part, Level.PRODUCT)
    return Piece(text, Level.SUM)


def _number(value: Fraction) -> Piece:
    if value.denominator == 1 or at.is_decimal(value):
        return Piece(at.number_text(value), Level.ATOM)
    return Piece(_fraction(str(value.numerator), str(value.denominator)), Level.FRACTION)


def _multiple(_: LatexWriter, layout: at.Multiple, parts: list[Piece]) -> Piece:
    bare = parts[0].level == Level.FRACTION or isinstance(layout.parts[0], at.Summed | Series)
    least = Level.PRODUCT if at.starts_with_name(layout.parts[0]) else Level.ROW
    body = parts[0].text if bare else fit(parts[0], least)
    return Piece(rf"{_number(layout.coefficient).text}\, {body}", Level.ROW)


def _power(_: LatexWriter, layout: at.Power | at.MatrixPower, parts: list[Piece]) -> Piece:
    exponent = parts[1].text if layout.exponent is None else str(layout.exponent)
    exponent = (r"\circ " if layout.entrywise else "") + exponent.replace(BREAK, " ")
    return Piece(rf"{fit(parts[0], Level.ATOM)}^{{{exponent}}}", Level.POWER)


def _applied(_: LatexWriter, layout: at.Applied, parts: list[Piece]) -> Piece:
    name = layout.call.latex
    if not name:
        name = rf"\operatorname{{{''.join(map(latex_letter, layout.call.unicode))}}}"
    rows = r",\ \text{rows}" if layout.rows else ""
    return Piece(name + _enclosed(", ".join(part.text for part in parts) + rows), Level.ATOM)


def _cases(_: LatexWriter, __: at.Layout, parts: list[Piece]) -> Piece:
    condition, then, otherwise = (part.closed().text for part in parts)
    lines = rf"{then} & {condition} > 0 \\ {otherwise} & \text{{otherwise}}"
    return Piece(rf"\begin{{cases}} {lines} \end{{cases}}", Level.ROW)


def _by_index(_: LatexWriter, __: at.Layout, parts: list[Piece]) -> Piece:
    apart, same, one, other = (part.closed().text for part in parts)
    lines = rf"{apart} & {one} \ne {other} \\ {same} & {one} = {other}"
    return Piece(rf"\begin{{cases}} {lines} \end{{cases}}", Level.ROW)


def _of_derivative(_: LatexWriter, __: at.Layout, parts: list[Piece]) -> Piece:
    above, *by = (part.text for part in parts)
    order = f"^{{{len(by)}}}" if len(by) > 1 else ""
    below = r" \, ".join(rf"\partial {text}" for text in by)
    return Piece(_fraction(rf"\partial{order} {above}", below), Level.ADJOINT)


def _indexed(_: LatexWriter, layout: at.Indexed, parts: list[Piece]) -> Piece:
    (base,) = parts
    simple = isinstance(layout.parts[0], at.Named | at.Sign) and "_" not in base.text
    text = base.text if simple and base.level == Level.ATOM else _enclosed(base.text)
    return Piece(rf"{text}_{{{_indices(layout.letters)}}}", Level.ATOM)


def _indices(letters: Sequence[str]) -> str:
    """Return indices; `i1` is i with 1, and `ik` stands for an axis that i and k were joined to."""
    between = "" if all(len(letter) == 1 or letter[1:].isdecimal() for letter in letters) else ","
    return f"{between} ".join(re.sub(r"(\d+)", r"_{\1}", letter) for letter in letters)


def _element(_: LatexWriter, __: at.Layout, parts: list[Piece]) -> Piece:
    places = ",".join(part.text for part in parts[1:])
    return Piece(rf"{fit(parts[0], Level.ATOM)}_{{{places}}}", Level.ATOM)


def _fenced(_: LatexWriter, layout: at.Fenced, parts: list[Piece]) -> Piece:
    left, right = layout.fence.latex_left, layout.fence.latex_right
    return Piece(left + parts[0].closed().text + right, Level.ATOM)


def _norm(_: LatexWriter, __: at.Layout, parts: list[Piece]) -> Piece:
    return Piece(_enclosed(parts[0].text, r"\lVert ", r" \rVert"), Level.ATOM)


def _holds(_: LatexWriter, layout: at.Holds, parts: list[Piece]) -> Piece:
    inside = parts[0].text + layout.indicator.latex
    return Piece(r"\mathbb{I}" + _enclosed(inside, "[", "]"), Level.ATOM)


def _range(_: LatexWriter, __: at.Layout, parts: list[Piece]) -> Piece:
    letter, first, last = (part.tight for part in parts)
    return Piece(rf"{letter} = {first}, \dots, {last}", Level.SUM)


def _series(_: LatexWriter, __: at.Layout, parts: list[Piece]) -> Piece:
    body, letter, first, last = parts
    over = rf"\sum_{{{letter.tight}={first.tight}}}^{{{last.tight}}}"
    return Piece(f"{over} {fit(body, Level.PRODUCT)}", Level.PRODUCT)


def _bracket(_: LatexWriter, layout: Bracket, parts: list[Piece]) -> Piece:
    left, right = (part.tight for part in parts)
    relation = {"<=": r"\le", ">=": r"\ge"}.get(layout.relation, layout.relation)
    return Piece(rf"\mathbb{{I}}[{left} {relation} {right}]", Level.ATOM)


_RULES: dict[type[at.Layout], Callable[[Any, Any, list[Piece]], Piece]] = {
    at.Named: lambda w, x, p: w.variable(x.variable),
    at.SizeName: lambda w, x, p: Piece(
        latex_name(x.name, bold=False, places=[q.tight for q in p]), Level.ATOM
    ),
    at.Number: lambda w, x, p: _number(x.value),
    at.Sign: lambda w, x, p: Piece(x.latex, Level.ATOM),
    at.Row: _row,
    at.Product: _joined(BREAK + r"\odot ", Level.PRODUCT),
    at.Kronecker: _joined(BREAK + r"\otimes ", Level.PRODUCT),
    at.Total: _total,
    at.Multiple: _multiple,
    at.Quotient: _quotient,
    at.Power: _power,
    at.MatrixPower: _power,
    at.Root: lambda w, x, p: Piece(rf"\sqrt{{{p[0].closed().text}}}", Level.POWER),
    at.Norm: _norm,
    at.Transposed: lambda w, x, p: Piece(fit(p[0], Level.ATOM) + r"^{\top}", Level.POWER),
    at.Applied: _applied,
    at.Fenced: _fenced,
    at.Marked: lambda w, x, p: Piece(f"{fit(p[0], Level.ATOM)}^{x.mark.latex}", Level.POWER),
    at.Holds: _holds,
    at.Cases: _cases,
    at.ByIndex: _by_index,
    at.Derivative: _of_derivative,
    at.Indexed: _indexed,
    at.Element: _element,
    at.Summed: lambda w, x, p: Piece(
        rf"\sum_{{{_indices(x.letters)}}} {fit(p[0], Level.FRACTION)}", Level.PRODUCT
    ),
    at.Unit: lambda w, x, p: Piece(
        rf"\mathbf{{{'E' if x.block else 'e'}}}_{{{p[0].text}}}", Level.ATOM
    ),
    at.Commutation: lambda w, x, p: Piece(
        rf"\mathbf{{K}}_{{{p[0].closed().text},{p[1].closed().text}}}", Level.ATOM
    ),
    at.Entries: lambda w, x, p: Piece(
        rf"{_enclosed(p[0].text, '[', ']')}_{{{_indices(x.letters)}}}", Level.ATOM
    ),
    Range: _range,
    Series: _series,
    Bracket: _bracket,
}
