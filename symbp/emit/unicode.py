"""A layout as one line of Unicode, in the style of the page or of a docstring."""

import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from symbp.emit import layout as at
from symbp.emit.names import ENTRY, SUBSCRIPTS, Names, dotted_name, shown, unicode_name
from symbp.emit.number import constant
from symbp.emit.pieces import BREAK, Level, Piece
from symbp.emit.ranges import RELATIONS, Bracket, Range, Series, begins_with_bracket
from symbp.ir import Dim, Variable


class UnicodeWriter:
    """Writes layouts; `plain` keeps names as they are in the code and the ASCII minus."""

    def __init__(self, names: Names, plain: bool = False) -> None:
        self.names = names
        self.plain = plain
        self.minus = "-" if plain else "−"

    def write(self, layout: at.Layout) -> str:
        """Return the text, with `BREAK` where a long line may be broken."""
        return at.fold(layout, self._step).text

    def _step(self, layout: at.Layout, parts: list[Piece]) -> Piece:
        return _RULES[type(layout)](self, layout, parts)

    def variable(self, variable: Variable) -> Piece:
        """Return a name, an adjoint as the derivative it is."""
        places = self._places(variable.index)
        if self.plain:
            return Piece(shown(variable.name) + in_brackets(places), Level.ATOM)
        if variable.role == "weight":
            return Piece("w", Level.ATOM)
        if variable.role == "adjoint" and variable.of:
            return Piece(self._derivative(variable.of, places), Level.ADJOINT)
        below = self.names.adjoint_of(variable)
        if below is not None:
            return Piece(f"({self._derivative(below, places)})˙", Level.POWER)
        if variable.role == "tangent" and variable.of:
            of = variable.of if places else self._name(variable.of)
            return Piece(dotted_name(of, places), Level.ATOM)
        return Piece(self._name(variable.name, places), Level.ATOM)

    def size(self, name: str, places: Sequence[str]) -> str:
        """Return the name of a size, as it was written where it is no member of a family."""
        if self.plain or not places:
            return shown(name) + in_brackets(places)
        return unicode_name(name, places)

    def _places(self, index: Sequence[Dim]) -> list[str]:
        return [at.fold(constant(place), self._step).tight for place in index]

    def _derivative(self, below: str, places: Sequence[str]) -> str:
        names, order = below.split(" "), ""
        if len(names) > 1:
            order = str(len(names)).translate(at.SUPERSCRIPTS)
        by = (
            f"∂{self._name(name, places)}{str(n).translate(at.SUPERSCRIPTS) if n > 1 else ''}"
            for name, n in Counter(names).items()
        )
        above = self._name(self.names.result, self._places(self.names.place))
        return f"∂{order}{above}/{''.join(by)}"

    def _name(self, name: str, places: Sequence[str] = ()) -> str:
        entry = ENTRY.fullmatch(name)
        if entry is not None:
            return at_places(self._name(entry[1]), entry[2].split(","))
        return "ℓ" if name == self.names.result == "loss" else unicode_name(name, places)

    def number(self, value: Fraction) -> Piece:
        """Return a number, `3/2` for what is no integer."""
        if value.denominator == 1 or at.is_decimal(value):
            return Piece(at.number_text(value), Level.ATOM)
        return Piece(str(value), Level.FRACTION)


def in_brackets(places: Sequence[str]) -> str:
    """Return places as a program has them: `[k-1]`, nothing where there are none."""
    return f"[{','.join(places)}]" if places else ""


def fit(piece: Piece, least: Level) -> str:
    """Return a piece's text, in parentheses where it holds together too loosely."""
    return piece.text if piece.level >= least else f"({piece.text})"


def _joined(separator: str, least: Level, level: Level) -> Callable[..., Piece]:
    def rule(_: UnicodeWriter, __: at.Layout, parts: list[Piece]) -> Piece:
        return Piece(separator.join(fit(part, least) for part in parts), level)

    return rule


def _total(writer: UnicodeWriter, layout: at.Total, parts: list[Piece]) -> Piece:
    text = ""
    for negative, part in zip(layout.negative, parts, strict=True):
        sign = writer.minus if negative else "+"
        text += f"{BREAK}{sign} " if text else sign * negative
        text += fit(part, Level.PRODUCT)
    return Piece(text, Level.SUM)


def _multiple(writer: UnicodeWriter, layout: at.Multiple, parts: list[Piece]) -> Piece:
    factor = layout.coefficient
    is_sum = isinstance(layout.parts[0], at.Summed | Series)
    entrywise = at.starts_with_name(layout.parts[0]) and factor.denominator == 1
    least = Level.PRODUCT if entrywise else Level.ROW
    body = parts[0].text if is_sum else fit(parts[0], least)
    if factor.numerator != 1:
        body = f"({body})" if begins_with_bracket(layout.parts[0]) else body
        body = f"{at.number_text(factor) if at.is_decimal(factor) else factor.numerator} {body}"
    if factor.denominator == 1 or at.is_decimal(factor):
        return Piece(body, Level.ROW)
    return Piece(f"{_over(Piece(body, Level.ROW))}/{factor.denominator}", Level.FRACTION)


def _over(above: Piece, entrywise: bool = False) -> str:
    """Return what stands above a line, so that the whole of it is seen to be divided."""
    bare = above.level == Level.ATOM or (above.level >= Level.ROW and not _is_divided(above.text))
    return (
        above.text if bare and not (entrywise and above.level == Level.ROW) else f"({above.text})"
    )


def _is_divided(text: str) -> bool:
    """Tell whether a fraction stands in a text outside of all brackets."""
    depth = 0
    for character in text:
        depth += (character in "([") - (character in ")]")
        if character == "/" and not depth:
            return True
    return False


def _quotient(_: UnicodeWriter, layout: at.Quotient, parts: list[Piece]) -> Piece:
    above, below = parts
    text = f"{_over(above, layout.entrywise)}/{fit(below, Level.POWER)}"
    return Piece(text, Level.FRACTION)


def _power(_: UnicodeWriter, layout: at.Power | at.MatrixPower, parts: list[Piece]) -> Piece:
    base = fit(parts[0], Level.ATOM)
    ring = "∘" if layout.entrywise else ""
    if layout.exponent is None:
        exponent = fit(parts[1], Level.POWER if ring else Level.ATOM)
        return Piece(f"{base}^({ring}{exponent})" if ring else f"{base}^{exponent}", Level.POWER)
    if layout.exponent.is_integer and not ring:
        return Piece(base + str(layout.exponent).translate(at.SUPERSCRIPTS), Level.POWER)
    return Piece(f"{base}^({ring}{layout.exponent})", Level.POWER)


def _applied(writer: UnicodeWriter, layout: at.Applied, parts: list[Piece]) -> Piece:
    rows = [Piece("rows", Level.ATOM)] if layout.rows else []
    inside = ", ".join(part.text for part in [*parts, *rows])
    return Piece(f"{_function(layout.call.unicode, writer)}({inside})", Level.ATOM)


def _function(name: str, writer: UnicodeWriter) -> str:
    """Return a function's name; one of the user's own is escaped as a name is."""
    if name.isidentifier():
        return "sigmoid" if writer.plain and name == "σ" else name
    return name if name.startswith(("vec", "merge[", "split[")) else shown(name)


def _cases(_: UnicodeWriter, __: at.Layout, parts: list[Piece]) -> Piece:
    condition, then, otherwise = (part.text for part in parts)
    return Piece(f"({then} where {condition} > 0, else {otherwise})", Level.ATOM)


def _by_index(_: UnicodeWriter, __: at.Layout, parts: list[Piece]) -> Piece:
    apart, same, one, other = (part.closed().text for part in parts)
    return Piece(f"{apart} if {one} ≠ {other}, {same} if {one} = {other}", Level.SUM)


def _of_derivative(_: UnicodeWriter, __: at.Layout, parts: list[Piece]) -> Piece:
    above, *by = (part.text for part in parts)
    order = str(len(by)).translate(at.SUPERSCRIPTS) if len(by) > 1 else ""
    return Piece(f"∂{order}{above}/{' '.join(f'∂{below}' for below in by)}", Level.ADJOINT)


def _indexed(_: UnicodeWriter, layout: at.Indexed, parts: list[Piece]) -> Piece:
    (base,) = parts
    letters = base.text.isalpha() and unicodedata.normalize("NFKC", base.text) == base.text
    text = base.text if len(base.text) == 1 or letters else f"({base.text})"
    return Piece(f"{text}_{_indices(layout.letters)}", Level.ATOM)


def _indices(letters: Sequence[str]) -> str:
    return ("" if all(len(letter) == 1 for letter in letters) else ",").join(letters)


def _unit(_: UnicodeWriter, layout: at.Unit, parts: list[Piece]) -> Piece:
    index = parts[0].text
    index = index.translate(SUBSCRIPTS) if index.isdecimal() else f"_{fit(parts[0], Level.ATOM)}"
    return Piece(("E" if layout.block else "e") + index, Level.ATOM)


def _commutation(_: UnicodeWriter, __: at.Layout, parts: list[Piece]) -> Piece:
    sizes = [part.text for part in parts]
    if all(len(size) == 1 and size.isdecimal() for size in sizes):
        return Piece("K" + "".join(sizes).translate(SUBSCRIPTS), Level.ATOM)
    return Piece(f"K_({','.join(sizes)})", Level.ATOM)


def _element(_: UnicodeWriter, __: at.Layout, parts: list[Piece]) -> Piece:
    return Piece(at_places(fit(parts[0], Level.ATOM), [p.text for p in parts[1:]]), Level.ATOM)


def at_places(base: str, places: Sequence[str]) -> str:
    """Return an array's entry at some places: `X₀₁`, `X_ij`, `X_n−1,0`."""
    if all(len(place) == 1 and place.isdecimal() for place in places):
        return base + "".join(places).translate(SUBSCRIPTS)
    together = all(len(place) == 1 for place in places)
    return f"{base}_{('' if together else ',').join(places)}"


def _range(_: UnicodeWriter, __: at.Layout, parts: list[Piece]) -> Piece:
    letter, first, last = (part.tight for part in parts)
    return Piece(f"{letter} = {first} … {last}", Level.SUM)


def _series(writer: UnicodeWriter, __: at.Layout, parts: list[Piece]) -> Piece:
    body, letter, first, last = parts
    to = ".." if writer.plain else "…"
    over = f"{letter.tight}={first.tight}{to}{last.tight}"
    return Piece(f"Σ_{{{over}}} {fit(body, Level.PRODUCT)}", Level.PRODUCT)


def _bracket(_: UnicodeWriter, layout: Bracket, parts: list[Piece]) -> Piece:
    left, right = (part.tight for part in parts)
    relation = RELATIONS.get(layout.relation, layout.relation)
    return Piece(f"1[{left} {relation} {right}]", Level.ATOM)


def _sign(writer: UnicodeWriter, layout: at.Sign, _: list[Piece]) -> Piece:
    return Piece(layout.plain if writer.plain else layout.unicode, Level.ATOM)


_RULES: dict[type[at.Layout], Callable[[Any, Any, list[Piece]], Piece]] = {
    at.Named: lambda w, x, p: w.variable(x.variable),
    at.SizeName: lambda w, x, p: Piece(w.size(x.name, [q.tight for q in p]), Level.ATOM),
    at.Number: lambda w, x, p: w.number(x.value),
    at.Sign: _sign,
    at.Row: _joined(BREAK, Level.ADJOINT, Level.ROW),
    at.Product: _joined(BREAK + "⊙ ", Level.ADJOINT, Level.PRODUCT),
    at.Kronecker: _joined(BREAK + "⊗ ", Level.ADJOINT, Level.PRODUCT),
    at.Total: _total,
    at.Multiple: _multiple,
    at.Quotient: _quotient,
    at.Power: _power,
    at.MatrixPower: _power,
    at.Root: lambda w, x, p: Piece("√" + fit(p[0], Level.ATOM), Level.POWER),
    at.Norm: lambda w, x, p: Piece(f"‖{p[0].text}‖", Level.ATOM),
    at.Transposed: lambda w, x, p: Piece(fit(p[0], Level.ATOM) + "ᵀ", Level.POWER),
    at.Applied: _applied,
    at.Fenced: lambda w, x, p: Piece(x.fence.left + p[0].text + x.fence.right, Level.ATOM),
    at.Marked: lambda w, x, p: Piece(fit(p[0], Level.ATOM) + x.mark.unicode, Level.POWER),
    at.Holds: lambda w, x, p: Piece(f"1[{p[0].text}{x.indicator.unicode}]", Level.ATOM),
    at.Cases: _cases,
    at.ByIndex: _by_index,
    at.Derivative: _of_derivative,
    at.Indexed: _indexed,
    at.Summed: lambda w, x, p: Piece(
        f"Σ_{_indices(x.letters)} {fit(p[0], Level.FRACTION)}", Level.PRODUCT
    ),
    at.Unit: _unit,
    at.Element: _element,
    at.Commutation: _commutation,
    at.Entries: lambda w, x, p: Piece(f"[{p[0].text}]_{_indices(x.letters)}", Level.ATOM),
    Range: _range,
    Series: _series,
    Bracket: _bracket,
}
