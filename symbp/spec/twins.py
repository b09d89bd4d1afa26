"""Names that a reader could not tell apart: `f1` and `f_1` are both printed f₁."""

import re
from collections.abc import Iterable

from symbp.spec.glyphs import LETTERS

_NUMBERED = re.compile(r"^([^\W\d_]+)(\d+)(?=_|$)")
_ACCENTS = ("hat", "tilde")


def twins(names: Iterable[str]) -> tuple[str, str] | None:
    """Return the first two names that are printed alike, in their order; None where none are."""
    met: dict[tuple[str, ...], str] = {}
    for name in names:
        first = met.setdefault(_marks(name), name)
        if first != name:
            return first, name
    return None


def alike(first: str, second: str) -> tuple[str, str]:
    """Return the message and the help of the error for two names that are printed alike."""
    return f"`{first}` and `{second}` are printed alike", "choose another name for one of the two"


def _marks(name: str) -> tuple[str, ...]:
    """Return a name's base and its subscripts, an accent first: `x_1_hat` is `x_hat_1`."""
    base, *marks = _NUMBERED.sub(r"\1_\2", name).split("_")
    if not base or not all(marks):
        return (name,)
    if len(base) == 1 or base.lower() in LETTERS:
        marks.sort(key=lambda mark: mark not in _ACCENTS)
    return (base, *marks)
