"""The loop of figure 7.8 of 001: shuffled batches, and each epoch from one state to the next."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbp.errors import SymbpError
from symbp.training.data import Data
from symbp.training.model import Model
from symbp.training.optimisers import Point
from symbp.training.options import Options

Array = NDArray[Any]

History = dict[str, tuple[float, ...]]
"""A number an epoch: "training", "holdout", "training accuracy", "holdout accuracy"."""


@dataclass(frozen=True)
class State:
    """A run after a whole epoch; what comes next depends on nothing else.

    rng: the state of the generator, JSON.  gradients: the root mean square of each parameter's
    gradient over the batches of each epoch, `(epochs, parameters)`.
    """

    point: Point
    rng: str
    epoch: int = 0
    history: History = field(default_factory=dict)
    gradients: Array = field(default_factory=lambda: np.zeros((0, 0)))


@dataclass(frozen=True)
class Loop:
    """A model and its data, trained on as the options say; `held` is held back, or None."""

    model: Model
    data: Data
    held: Data | None
    options: Options

    def start(self) -> State:
        """Return the state before the first epoch: parameters drawn, nothing learned."""
        rng = np.random.default_rng(self.options.seed)
        theta = self.model.start(rng, self.options.dtype)
        shape = (0, len(self.model.shapes))
        return State(self.options.optimiser().start(theta), rng_text(rng), 0, {}, np.zeros(shape))

    def epochs(self, state: State) -> Iterator[State]:
        """Yield the state after each epoch that is left; what interrupts one leaves the last."""
        while state.epoch < self.options.epochs:
            state = self._after_epoch(state)
            yield state

    def _after_epoch(self, state: State) -> State:
        """Return the next state: every example is seen once, in a new order.

        Raises Diverged where a loss or a gradient is not finite.
        """
        rng, step = rng_of(state.rng), self.options.optimiser().step
        order, rate = rng.permutation(self.data.examples), self.options.rate_in(state.epoch)
        point, total, squares, batches = state.point, 0.0, np.zeros(len(self.model.shapes)), 0
        with np.errstate(all="ignore"):  # what overflows is found below, and said once
            for start in range(0, len(order), self.options.batch):
                rows = order[start : start + self.options.batch]
                value, grad = self.model.loss_and_grad(point.theta, self.data.rows(rows))
                self._check(state.epoch + 1, value, grad)
                point = step(point, grad, rate)
                total += self.model.per_example(value, len(rows)) * len(rows)
                squares += self._squares(grad)
                batches += 1
            found = self._measured(point.theta, total / len(order))
        self._check(state.epoch + 1, sum(found.values()), point.theta, "the parameter")
        history = {name: (*state.history.get(name, ()), x) for name, x in found.items()}
        gradients = np.vstack([state.gradients, np.sqrt(squares / batches)])
        return State(point, rng_text(rng), state.epoch + 1, history, gradients)

    def _measured(self, theta: Array, loss: float) -> dict[str, float]:
        """Return the numbers of an epoch."""
        found, parts = {"training": loss}, {"training": self.data, "holdout": self.held}
        if self.held is not None:
            found["holdout"] = self.model.loss(theta, self.held)
        if self.model.judged is not None:
            found |= {
                f"{name} accuracy": self.model.accuracy(theta, part)
                for name, part in parts.items()
                if part is not None
            }
        return found

    def _squares(self, grad: Array) -> Array:
        """Return the mean square of each parameter's gradient."""
        starts = self.model.starts
        counts = np.diff([*starts, len(grad)])
        return np.add.reduceat(np.square(grad, dtype=np.float64), starts) / counts

    def _check(
        self, epoch: int, value: float, vector: Array, what: str = "the gradient of"
    ) -> None:
        """Raise Diverged where the loss, or an entry of the gradient, is not finite."""
        if np.isfinite(value) and np.isfinite(vector).all():
            return
        bad = np.flatnonzero(~np.isfinite(vector))
        said = f"in epoch {epoch} the loss is {value:g}"
        if len(bad):
            place = int(np.searchsorted(self.model.starts, bad[0], side="right")) - 1
            name = list(self.model.shapes)[place]
            said += f", and {what} {name} is the first that is not finite"
        rate = self.options.rate_in(epoch - 1)
        help = f"try a smaller rate than {rate:g}, or `init auto` for the parameters of the spec"
        raise Diverged(said, help)


class Diverged(SymbpError):
    """A run whose loss, or whose gradient, is no number any more."""


def rng_text(rng: np.random.Generator) -> str:
    """Return the state of a generator as text."""
    return json.dumps(rng.bit_generator.state)


def rng_of(text: str) -> np.random.Generator:
    """Return the generator in a state that `rng_text` wrote."""
    rng = np.random.default_rng(0)
    rng.bit_generator.state = json.JSONDecoder().decode(text)
    return rng
