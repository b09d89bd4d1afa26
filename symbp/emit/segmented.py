"""What stands in the place of a loop that is run in segments."""

from collections.abc import Sequence
from typing import Protocol


class Segmented(Protocol):
    """The statements of a loop in segments."""

    def forward(self) -> list[str]:
        """Return the statements of the forward pass."""

    def backward(self, body: Sequence[str]) -> list[str]:
        """Return the statements of the reverse sweep around those of a turn."""
