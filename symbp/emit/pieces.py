"""What both renderers share: text with its precedence, and the decision to set parentheses."""

import re
from dataclasses import dataclass, replace
from enum import IntEnum

BREAK = "\x1f"
"""A place where a long line may be broken; both renderers take it out before they return."""

_LOOSE = re.compile(r" ?([-+−]) ?|(?<=\d)(?:\\,)? ")


class Level(IntEnum):
    """How tightly a piece holds together, loosest first."""

    SUM = 0
    PRODUCT = 1
    FRACTION = 2
    ROW = 3
    ADJOINT = 4
    POWER = 5
    ATOM = 6


@dataclass(frozen=True)
class Piece:
    """A rendered part and how tightly it holds together."""

    text: str
    level: Level

    def closed(self) -> "Piece":
        """Return the piece without places to break at."""
        return replace(self, text=self.text.replace(BREAK, " "))

    @property
    def tight(self) -> str:
        """The text as it stands in an index or a range: `k−1`, without spaces around signs."""
        return _LOOSE.sub(r"\1", self.closed().text)
