"""How a run is done: the numbers of figure 7.8 of 001 unless others are given."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from symbp.errors import SymbpError, did_you_mean, printable
from symbp.training.optimisers import SGD, Adam, Optimiser

_OPTIMISERS: Mapping[str, Mapping[str, float | int]] = {
    "sgd": {"rate": 0.1, "momentum": 0.9, "decay_every": 10, "decay": 0.5},
    "adam": {"rate": 0.001, "momentum": 0.0, "decay_every": 0, "decay": 0.5},
}
"""What depends on the optimiser unless given: figure 7.8; Kingma & Ba 2015."""


@dataclass(frozen=True)
class Options:
    """How a run is done.

    epochs: how often each example is seen.  batch: examples a step.  rate, momentum: of the
    optimiser; every `decay_every` epochs the rate is multiplied by `decay`, never where it is 0.
    seed: draws the parameters, the examples held back and the order of the others.  holdout: the
    share of the examples that is held back, to measure the loss on.  dtype: of the arithmetic.
    """

    epochs: int = 100
    batch: int = 10
    optimizer: str = "sgd"
    rate: float = 0.1
    momentum: float = 0.9
    decay_every: int = 10
    decay: float = 0.5
    seed: int = 0
    holdout: float = 0.0
    dtype: str = "float64"

    @staticmethod
    def of(given: Mapping[str, Any], before: "Options | None" = None) -> "Options":
        """Return the options that are given, the others as before, or else as is usual.

        Raises SymbpError where one is no option or out of bounds, and where a run that goes on
        would not go on as it began; more or fewer epochs are allowed.
        """
        given = {name: _own(value) for name, value in given.items()}
        _check_names(given)
        if before is not None:
            _check_same(given, before)
            return Options(**{**asdict(before), **given})
        usual = _OPTIMISERS.get(str(given.get("optimizer", "sgd")), {})
        _check_momentum(given)
        return Options(**{**usual, **given})

    def __post_init__(self) -> None:
        for name, (fits, what) in _BOUNDS.items():
            value = getattr(self, name)
            if not fits(value):
                said = f"{_flag(name)} must be {what}, got {printable(str(value))}"
                usual = getattr(Options, name)
                raise SymbpError(said, f"leave it out, or write a value such as {usual}")

    def optimiser(self) -> Optimiser:
        """Return the record that steps."""
        return SGD(self.momentum) if self.optimizer == "sgd" else Adam()

    def rate_in(self, epoch: int) -> float:
        """Return the rate in an epoch, counted from 0."""
        return self.rate * self.decay ** (epoch // self.decay_every if self.decay_every else 0)

    def __str__(self) -> str:
        momentum = f", momentum {self.momentum:g}" if self.optimizer == "sgd" else ""
        falls = f" times {self.decay:g} every {self.decay_every} epochs" if self.decay_every else ""
        rate = f"{self.optimizer}, rate {self.rate:g}{falls}{momentum}"
        return f"{rate}; batches of {self.batch}; seed {self.seed}; {self.dtype}"


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _own(value: Any) -> Any:
    """Return a number of Python's own, which can be written down."""
    return value.item() if isinstance(value, np.generic) else value


def _whole(least: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and value >= least


def _real(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


_BOUNDS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "epochs": (_whole(1), "a whole number from 1"),
    "batch": (_whole(1), "a whole number from 1"),
    "optimizer": (lambda name: name in _OPTIMISERS, "sgd or adam"),
    "rate": (lambda rate: _real(rate) and rate > 0, "a positive number"),
    "momentum": (lambda share: _real(share) and 0 <= share < 1, "from 0 to below 1"),
    "decay_every": (_whole(0), "a whole number, 0 for never"),
    "decay": (lambda factor: _real(factor) and 0 < factor <= 1, "above 0 and at most 1"),
    "seed": (_whole(0), "a whole number from 0"),
    "holdout": (lambda share: _real(share) and 0 <= share < 1, "a share from 0 to below 1"),
    "dtype": (lambda name: name in ("float32", "float64"), "float32 or float64"),
}


def _check_names(given: Mapping[str, Any]) -> None:
    known = [field.name for field in fields(Options)]
    for name in given:
        if name not in known:
            near = did_you_mean(name, known)
            help = f"did you mean `{near}`?" if near else f"the options are {', '.join(known)}"
            raise SymbpError(f"training has no option `{printable(name)}`", help)


def _check_momentum(given: Mapping[str, Any]) -> None:
    if given.get("optimizer") == "adam" and given.get("momentum"):
        raise SymbpError("--momentum is for sgd: adam has moments of its own", "leave one out")


def _check_same(given: Mapping[str, Any], before: Options) -> None:
    for name, value in given.items():
        was = getattr(before, name)
        if name != "epochs" and value != was:
            what = f"the run began with {_flag(name)} {was}, and cannot go on with {value}"
            raise SymbpError(what, f"leave {_flag(name)} out, or begin a new run")
