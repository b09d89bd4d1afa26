"""Gradients that vanish or explode, read off their root mean squares, epoch by epoch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbp.training.model import Model

Array = NDArray[Any]

VANISHED = 1e-6
"""A layer's gradient by the largest of all, below which the layer hardly learns."""

EXPLODED = 1e6
"""A gradient by its own in the first epoch."""

Cause = Callable[[str], str]
"""Why the gradient of a parameter is small or large: a sentence, or nothing."""


def no_cause(name: str) -> str:
    """Return nothing: no cause is known."""
    return ""


@dataclass(frozen=True)
class Watch:
    """The parameters whose gradients are compared: `names`, those of the columns `places`.

    `layers` are the columns that may vanish: of the matrices, since a bias reads the adjoint whole;
    of all where no matrix is moved.
    """

    names: Sequence[str]
    places: Sequence[int]
    layers: Sequence[int]
    cause: Cause = no_cause

    @staticmethod
    def of(model: Model, cause: Cause = no_cause) -> "Watch":
        """Return the watch over what moves."""
        named = [name for name, moves in zip(model.shapes, model.moving, strict=True) if moves]
        places = [k for k, moves in enumerate(model.moving) if moves]
        matrices = [k for k, name in enumerate(named) if len(model.shapes[name]) == 2]
        return Watch(named, places, matrices or range(len(named)), cause)

    def warnings(self, gradients: Array) -> list[str]:
        """Return what the last epoch is the first to show, a sentence each.

        gradients: the root mean squares of all parameters' gradients, `(epochs, parameters)`.
        """
        moving = gradients[:, self.places]
        found = [self._vanished(moving), self._exploded(moving)]
        return [f"{text}.  {self.cause(name)}".rstrip() for name, text in filter(None, found)]

    def _vanished(self, gradients: Array) -> tuple[str, str] | None:
        layers, largest = gradients[:, self.layers], gradients.max(axis=1)
        if not _first_at_end(layers.min(axis=1) < VANISHED * largest):
            return None
        name = self.names[self.layers[int(layers[-1].argmin())]]
        other = self.names[int(gradients[-1].argmax())]
        text = (
            f"the gradient vanishes on its way to {name}: its root mean square is "
            f"{layers[-1].min():.1e} in epoch {len(gradients)}, that of {other} {largest[-1]:.1e}"
        )
        return name, text

    def _exploded(self, gradients: Array) -> tuple[str, str] | None:
        first, last = gradients[0], gradients[-1]
        exploded = (gradients > EXPLODED * first) & (first > 0)
        if not _first_at_end(exploded.any(axis=1)):
            return None
        worst = int(np.where(exploded[-1], last / np.where(first > 0, first, 1), 0).argmax())
        text = (
            f"the gradient of {self.names[worst]} explodes: its root mean square is "
            f"{last[worst]:.1e} in epoch {len(gradients)}, and was {first[worst]:.1e} in the first"
        )
        return self.names[worst], text


def _first_at_end(shown: Array) -> bool:
    return bool(shown[-1]) and not shown[:-1].any()
