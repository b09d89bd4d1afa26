"""The few layout forms an operation may have; printers know these and nothing of the operations."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Call:
    r"""A function in front of its arguments: `tanh(z)`, `\tanh(z)`."""

    unicode: str
    latex: str


@dataclass(frozen=True)
class Fence:
    """Signs around the argument: `|z|`."""

    left: str
    right: str
    latex_left: str
    latex_right: str


@dataclass(frozen=True)
class Superscript:
    """A mark behind the argument: `X⁻¹`."""

    unicode: str
    latex: str


INVERSE = Superscript("⁻¹", "{-1}")
INVERSE_TRANSPOSED = Superscript("⁻ᵀ", r"{-\top}")


@dataclass(frozen=True)
class Indicator:
    """One where a relation to zero holds, zero elsewhere: `1[z > 0]`."""

    unicode: str
    latex: str


@dataclass(frozen=True)
class Exponent:
    """A power, the exponent a number or a second argument: `z²`, `√z`, `1/z`, `z^w`."""


@dataclass(frozen=True)
class Choice:
    """Two values and the condition that picks one: `b where a > 0, else c`."""


@dataclass(frozen=True)
class Transparent:
    """Nothing: the argument alone, as for the sum over examples when one example is meant."""


Notation: TypeAlias = Call | Fence | Superscript | Indicator | Exponent | Choice | Transparent
