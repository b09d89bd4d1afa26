"""An emitted module as functions of one flat vector of parameters."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from symbp.training.data import Data
from symbp.training.parameters import named

Array = NDArray[Any]

CHUNK = 1024
"""Examples that are measured at once, so that memory does not grow with the data."""


@dataclass(frozen=True)
class Judged:
    """How a prediction is right or wrong.

    kind: the output's largest entry has the number of the class, or its one entry lies on the same
    side of 1/2 as the target.  target: the place of the target among what the module takes.
    """

    kind: Literal["classes", "binary"]
    target: int


@dataclass(frozen=True)
class Model:
    """A module, the sizes that its arrays do not tell, and how it is measured.

    summed: the loss of a batch is the sum over its examples, not their mean.
    """

    module: ModuleType
    sizes: dict[str, int]
    summed: bool = False
    judged: Judged | None = None

    def start(self, rng: np.random.Generator, dtype: str) -> Array:
        """Return parameters drawn as the spec says, `(P,)`."""
        return self.flat(self.module.init_params(rng, np.dtype(dtype), **self.sizes))

    def flat(self, params: Any) -> Array:
        """Return Params, or a gradient, as one vector."""
        vector: Array = self.module.ravel(params)
        return vector

    def params(self, theta: Array) -> Any:
        """Return a vector as Params."""
        return self.module.unravel(theta, **self.sizes)

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each parameter by its name in the spec, in the order of the vector."""
        drawn = self.module.init_params(np.random.default_rng(0), **self.sizes)
        return {name: array.shape for name, array in named(self.module, drawn).items()}

    @cached_property
    def starts(self) -> Array:
        """Where each parameter begins in the vector."""
        sizes = [int(np.prod(shape)) for shape in self.shapes.values()]
        return np.cumsum([0, *sizes[:-1]])

    @cached_property
    def moving(self) -> tuple[bool, ...]:
        """Whether each parameter is differentiated by."""
        moving = getattr(self.module, "MOVING", self.module.Params._fields)
        return tuple({name, name.partition("[")[0]} & {*moving} != set() for name in self.shapes)

    def loss_and_grad(self, theta: Array, args: tuple[Array, ...]) -> tuple[float, Array]:
        """Return the loss of a batch, as the spec says, and its gradient.

        A symmetric matrix moves among the symmetric ones: along the projection of its gradient.
        """
        value, grad = self.module.loss_and_grad(self.params(theta), *args)
        vector = self.flat(grad)
        return value, vector if self._turned is None else (vector + vector[self._turned]) / 2

    @cached_property
    def _turned(self) -> Array | None:
        """The places of the vector with the symmetric matrices transposed, None without any."""
        equal = {*getattr(self.module, "SYMMETRIC", ())}
        places = np.arange(sum(int(np.prod(shape)) for shape in self.shapes.values()))
        for start, (name, shape) in zip(self.starts, self.shapes.items(), strict=True):
            if {name, name.partition("[")[0]} & equal:
                stop = start + int(np.prod(shape))
                places[start:stop] = places[start:stop].reshape(shape).T.ravel()
        return None if np.array_equal(places, np.arange(len(places))) else places

    def per_example(self, value: float, examples: int) -> float:
        """Return the loss of a batch as that of one example, on average."""
        return value / examples if self.summed else value

    def loss(self, theta: Array, data: Data) -> float:
        """Return the loss of one example, on average over the data."""
        params = self.params(theta)

        def of(args: tuple[Array, ...], examples: int) -> float:
            return self.per_example(self.module.loss(params, *args), examples) * examples

        return _mean(of, data)

    def accuracy(self, theta: Array, data: Data) -> float:
        """Return the share of the examples whose prediction is right."""
        params, forward = self.params(theta), self.module.forward
        assert self.judged is not None
        kind, target = self.judged.kind, self.judged.target

        def of(args: tuple[Array, ...], examples: int) -> float:
            out, wanted = forward(params, *args[: self.module.FORWARD_ARGS]), args[target]
            right = out.argmax(axis=-1) == wanted if kind == "classes" else (out > 0.5) == wanted
            return float(np.sum(right))

        return _mean(of, data)


def _mean(of: Callable[[tuple[Array, ...], int], float], data: Data) -> float:
    """Return the sum of a measure over the data, taken in chunks, by the number of examples."""
    total = 0.0
    for start in range(0, data.examples, CHUNK):
        stop = min(start + CHUNK, data.examples)
        total += of(data.rows(slice(start, stop)), stop - start)
    return total / data.examples
