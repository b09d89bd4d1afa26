"""A spec with loops beside the same spec with numbers: both modules, and arguments for both."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any

import numpy as np

from symbp import parse
from symbp.api import Derivation
from symbp.check.tree import arrays
from symbp.ir import name_of, size_symbol, size_value, symbol
from symbp.pipeline import compile_module, derive
from symbp.program import Loop, Program

EXAMPLES = 4
KINDS = ("inputs", "consts", "targets")


class Compiled:
    """A program with its derivation and its module, each made once."""

    program: Program

    @cached_property
    def derivation(self) -> Derivation:
        return derive(self.program)

    @cached_property
    def module(self) -> ModuleType:
        return compile_module(self.derivation)


@dataclass(frozen=True)
class Looped(Compiled):
    """A spec with loops: its program, derivation and module, made once for all lengths."""

    text: str

    @cached_property
    def program(self) -> Program:
        return parse(self.text, "looped")


@dataclass(frozen=True)
class Pair(Compiled):
    """A spec with loops and the same spec at `lengths`, with values for everything given.

    All sizes are different, so that a mix-up of widths shows.
    """

    looped: Looped
    lengths: Mapping[str, int]

    @cached_property
    def program(self) -> Program:
        """The program written out."""
        return parse(self.looped.text, "flat", sizes=dict(self.lengths))

    @cached_property
    def sizes(self) -> dict[str, int]:
        """A number for each size of the program written out."""
        given = self.program.sizes
        free = iter(range(2, 2 + len(given)))
        return {name: next(free) if number is None else number for name, number in given.items()}

    @property
    def places(self) -> dict[Any, int]:
        """The numbers for the sizes of both programs."""
        return {size_symbol(name): number for name, number in self.sizes.items()}

    def draw(self, seed: int = 0) -> dict[str, Any]:
        """Return a value for everything given to the program written out, for a batch."""
        rng, values = np.random.default_rng(seed), {}
        for var in self.program.given:
            op = symbol(var)
            dims = [int(size_value(dim, self.places)) for dim in var.shape]
            lead = [EXAMPLES] if op.batched else []
            if op.encoding == "one_hot":
                values[op.name] = rng.integers(0, dims[-1], lead)
            else:
                spread = max(dims[1:], default=1) ** 0.5
                values[op.name] = np.asarray(rng.standard_normal(lead + dims) / spread)
        return values

    def members(self, var: Any) -> list[str] | None:
        """Return the plain names of a given family's members; None for what is no family."""
        own: Loop | None = self.looped.program.families.get(name_of(var))
        if own is None or not symbol(var).index:
            return None
        first, last = (int(size_value(bound, self.places)) for bound in (own.start, own.stop))
        return [f"{name_of(var)}_{k}" for k in range(first, last + 1)]

    def params(self, module: ModuleType, values: Mapping[str, Any]) -> Any:
        """Return `Params` of a module."""
        fields: dict[str, Any] = {}
        for var in self.looped.program.params:
            names = self.members(var) or self.looped.program.tuples.get(name_of(var))
            fields[name_of(var)] = self._taken(values, names or name_of(var))
        family_of = {n: f for f, names in self.looped.program.tuples.items() for n in names}
        for name in [name for name in fields if name in family_of]:
            del fields[name]
            family = family_of[name]
            fields[family] = self._taken(values, self.looped.program.tuples[family])
        return module.Params(*fields.values())

    def _taken(self, values: Mapping[str, Any], names: str | Sequence[str]) -> Any:
        if isinstance(names, str):
            return values[names]
        return tuple(values[name] for name in names)

    def data(self, values: Mapping[str, Any], kinds: Sequence[str] = KINDS) -> tuple[Any, ...]:
        """Return what the looped module takes besides its parameters."""
        every = [var for kind in kinds for var in getattr(self.looped.program, kind)]
        return tuple(self._taken(values, self.members(v) or name_of(v)) for v in every)

    def flat_data(self, values: Mapping[str, Any], kinds: Sequence[str] = KINDS) -> tuple[Any, ...]:
        """Return what the module written out takes besides its parameters."""
        return tuple(values[name_of(v)] for kind in kinds for v in getattr(self.program, kind))


def outcomes(pair: Pair, seed: int = 0) -> list[tuple[str, list[Any], list[Any]]]:
    """Return what each function of both modules gives at one point: name, looped, written out."""
    at, along = pair.draw(seed), pair.draw(seed + 1)
    ours = _called(pair, pair.looped.module, pair.data, at, along)
    truth = _called(pair, pair.module, pair.flat_data, at, along)
    assert ours.keys() == truth.keys(), (ours.keys(), truth.keys())
    if np.ndim(ours["forward"]) > np.ndim(truth["forward"]):
        for name in ("forward", "jvp", "vjp", "inputs"):  # it has examples in other turns alone
            del ours[name]
    return [(name, arrays(ours[name]), arrays(truth[name])) for name in ours]


def _called(
    pair: Pair, module: ModuleType, data: Callable[..., tuple[Any, ...]], at: Any, along: Any
) -> dict[str, Any]:
    """Return the value of every function of a module by name."""
    params, params_dot = pair.params(module, at), pair.params(module, along)
    given, inputs_dot = data(at, KINDS[:2]), data(along, KINDS[:1])
    out, pullback = module.vjp(params, *given)
    seed = np.random.default_rng(9).standard_normal(np.shape(out))
    params_bar, *inputs_bar = pullback(seed)
    found = {
        "forward": module.forward(params, *given),
        "jvp": module.jvp(params, *given, params_dot, *inputs_dot),
        "vjp": params_bar,
        "inputs": inputs_bar,
    }
    if hasattr(module, "loss"):
        whole = data(at)
        found["loss"] = module.loss(params, *whole)
        found["gradient"] = module.loss_and_grad(params, *whole)
        found["loss_and_dot"] = module.loss_and_dot(params, *whole, params_dot)
        found["hvp"] = module.hvp(params, *whole, params_dot)
    return found


def assert_alike(pair: Pair, tolerance: float = 1e-12, exact: Sequence[str] = ()) -> None:
    """Assert that both modules give the same: bit by bit in `exact`, else but for rounding."""
    for name, ours, truth in outcomes(pair):
        assert [a.shape for a in ours] == [a.shape for a in truth], name
        for k, (one, other) in enumerate(zip(ours, truth, strict=True)):
            scale = max(1.0, float(np.max(np.abs(other), initial=0)))
            error = float(np.max(np.abs(one - other), initial=0)) / scale
            assert error <= tolerance, (name, k, error)
            assert name not in exact or np.array_equal(one, other), (name, k, error)
