"""The layout of a formula: what stands where, before it is known in which alphabet.

`build.py` makes a layout tree from an expression, `unicode.py` and `latex.py` write it down.
A tree knows nothing of parentheses; each renderer sets them from the precedence of the pieces.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

import sympy as sp

from symbp.ir import Variable
from symbp.notation import INVERSE, INVERSE_TRANSPOSED, Call, Indicator, Superscript
from symbp.notation import Fence as FenceNotation

T = TypeVar("T")

SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, eq=False)
class Layout:
    """A piece of a formula and the pieces inside it."""

    parts: tuple["Layout", ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class Named(Layout):
    """A name of the program."""

    variable: Variable


@dataclass(frozen=True, eq=False, kw_only=True)
class SizeName(Layout):
    """The name of a size, `D_1`; the parts are its places in families."""

    name: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Number(Layout):
    """A rational number, not negative."""

    value: Fraction


@dataclass(frozen=True, eq=False, kw_only=True)
class Sign(Layout):
    """A fixed sign: π, the vector of ones, the identity, a Kronecker delta."""

    unicode: str
    plain: str
    latex: str


@dataclass(frozen=True, eq=False)
class Row(Layout):
    """Juxtaposition: scalars in front, then a chain of matrices, columns and rows."""


@dataclass(frozen=True, eq=False)
class Product(Layout):
    """The product entry by entry, ⊙."""


@dataclass(frozen=True, eq=False)
class Kronecker(Layout):
    """The Kronecker product, ⊗."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Total(Layout):
    """Terms, each added or subtracted."""

    negative: tuple[bool, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Multiple(Layout):
    """A positive rational number other than 1 times a part: `2 x`, `x/50`."""

    coefficient: Fraction


@dataclass(frozen=True, eq=False, kw_only=True)
class Quotient(Layout):
    """The first part over the second; `entrywise` where the second is no scalar."""

    entrywise: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class Power(Layout):
    """A base with an exponent: a number, or the second part.  `entrywise` for a matrix."""

    exponent: sp.Rational | None = None
    entrywise: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class MatrixPower(Layout):
    """A square matrix times itself, as often as the exponent says."""

    exponent: sp.Rational
    entrywise = False


@dataclass(frozen=True, eq=False)
class Root(Layout):
    """The square root."""


@dataclass(frozen=True, eq=False)
class Norm(Layout):
    """The Euclidean or Frobenius norm."""


@dataclass(frozen=True, eq=False)
class Transposed(Layout):
    """A row from a column, a matrix with its axes exchanged."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Applied(Layout):
    """A function in front of its arguments; `rows` where it is meant for each row."""

    call: Call
    rows: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class Fenced(Layout):
    """Signs around a part."""

    fence: FenceNotation


@dataclass(frozen=True, eq=False, kw_only=True)
class Marked(Layout):
    """A mark behind a part: the inverse."""

    mark: Superscript


@dataclass(frozen=True, eq=False, kw_only=True)
class Holds(Layout):
    """One where a relation holds, zero elsewhere."""

    indicator: Indicator


@dataclass(frozen=True, eq=False)
class Cases(Layout):
    """Condition, value where it is positive, value elsewhere."""


@dataclass(frozen=True, eq=False)
class Derivative(Layout):
    """The derivative of the first part by the others: `∂z_k/∂Ω_ij`, `∂²ℓ/∂x_i ∂x_j`."""


@dataclass(frozen=True, eq=False)
class ByIndex(Layout):
    """A value where two indices differ, another where they agree: both values, both indices."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Indexed(Layout):
    """A part with its indices: `A_ik`."""

    letters: tuple[str, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Summed(Layout):
    """A sum over indices: `Σ_k …`."""

    letters: tuple[str, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Entries(Layout):
    """The array whose entries, at these indices, are the part: `[A_ik B_lj]_ijkl`."""

    letters: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Element(Layout):
    """An entry at given places, counted from 0: the array, then an index for each axis."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Unit(Layout):
    """A column of the identity, or a block of them: the part says from which on."""

    block: bool


@dataclass(frozen=True, eq=False)
class Commutation(Layout):
    """The matrix K_pq of two sizes: K_pq vec(X) = vec(Xᵀ) for X of p rows and q columns."""


ONES = Sign(unicode="𝟏", plain="1", latex=r"\mathbf{1}")
IDENTITY = Sign(unicode="I", plain="I", latex=r"\mathbf{I}")
DELTA = Sign(unicode="δ", plain="delta", latex=r"\delta")
ONE = Number(value=Fraction(1))


def fold(root: Layout, step: Callable[[Layout, list[T]], T]) -> T:
    """Return `step` of the root, given what `step` returned for its parts; of any depth."""
    done: dict[int, T] = {}
    pending: list[tuple[Layout, bool]] = [(root, False)]
    while pending:
        top, ready = pending.pop()
        if ready:
            done[id(top)] = step(top, [done[id(part)] for part in top.parts])
        elif id(top) not in done:
            pending.append((top, True))
            pending.extend((part, False) for part in top.parts)
    return done[id(root)]


def row(*items: Layout) -> Layout:
    """Return the juxtaposition of one or more items, the item itself where it is alone."""
    return items[0] if len(items) == 1 else Row(items)


def product(*items: Layout) -> Layout:
    """Return the ⊙-product of one or more items, products among them opened."""
    if len(items) == 1:
        return items[0]
    flat = [part for item in items for part in (item.parts if type(item) is Product else (item,))]
    return Product(tuple(flat))


def is_decimal(value: Fraction) -> bool:
    """Tell whether a number is written as a decimal: one that was given so, 1.0507009873554805."""
    return value.denominator > 10**6


def number_text(value: Fraction) -> str:
    """Return a whole number, or a decimal in double precision."""
    return repr(float(value)) if is_decimal(value) else str(value)


def is_unit(part: Layout) -> bool:
    """Tell whether a part is a unit vector."""
    return isinstance(part, Unit) and not part.block


def starts_with_name(part: Layout) -> bool:
    """Tell whether a part is a ⊙-product with a name in front: a number before it is clear."""
    return isinstance(part, Product) and isinstance(part.parts[0], Named)


def quotient(above: Layout, below: Layout | None, entrywise: bool = False) -> Layout:
    """Return a fraction, or what stands above where nothing stands below."""
    return above if below is None else Quotient((above, below), entrywise=entrywise)


def multiple(coefficient: Fraction, part: Layout) -> Layout:
    """Return a positive multiple; in a fraction the number joins its halves."""
    if coefficient == 1:
        return part
    if part is ONE:
        return Number(value=coefficient)
    if isinstance(part, Quotient):
        above = multiple(Fraction(coefficient.numerator), part.parts[0])
        below = multiple(Fraction(coefficient.denominator), part.parts[1])
        return Quotient((above, below), entrywise=part.entrywise)
    return Multiple((part,), coefficient=coefficient)


def function(name: str, part: Layout) -> Layout:
    """Return a named function of one part: diag, tr, sum."""
    return Applied((part,), call=Call(name, rf"\operatorname{{{name}}}"))


def repeated(part: Layout, times: int) -> Layout:
    """Return the power of a square matrix, of X⁻¹ as X⁻²."""
    if times == 1:
        return part
    if isinstance(part, Marked) and part.mark == INVERSE:
        digits = str(times).translate(SUPERSCRIPTS)
        return Marked(part.parts, mark=Superscript(f"⁻{digits}", f"{{-{times}}}"))
    return MatrixPower((part,), exponent=sp.Integer(times))


def transposed(part: Layout) -> Layout:
    """Return a transposed part; of an inverse, the two marks in one."""
    if isinstance(part, Marked) and part.mark == INVERSE:
        return Marked(part.parts, mark=INVERSE_TRANSPOSED)
    return Transposed((part,))
