"""A module with symmetric matrices, seen as one whose arguments may be any: it folds them first.

`SYMMETRIC` names what equals its transpose.  Its code may use that, so it is tried at symmetric
matrices and along symmetric directions alone: S is taken as (S + Sᵀ)/2.  By the chain rule the
gradient of that is (G + Gᵀ)/2, so what a free gradient holds beyond its symmetric part is not
judged; it changes no derivative along a symmetric direction.  The judge needs no rule of its own.
"""

from collections.abc import Callable, Mapping
from inspect import signature
from types import ModuleType
from typing import Any

import numpy as np

from symbp.check.second import unstacked
from symbp.check.tree import raw_leaves, rebuild

_GRADIENTS = ("grad_", "value_and_grad_", "hvp_")


def folded(module: ModuleType) -> ModuleType:
    """Return the module with its symmetric arguments folded; itself where it has none."""
    names = getattr(module, "SYMMETRIC", ())
    return _Folded(module, tuple(names)).view() if names else module


def _fold(value: Any, last: int = 0) -> Any:
    """Return the symmetric part by the two axes before the last ones."""
    array, axis = np.asarray(value), -1 - last
    return (array + np.swapaxes(array, axis, axis - 1)) / 2


class _Folded:
    def __init__(self, module: ModuleType, names: tuple[str, ...]) -> None:
        self.module, self.names = module, names
        self.params = getattr(module, "Params", None)
        self.variables = tuple(getattr(module, "VARIABLES", ()))
        self.both = bool(getattr(module, "BOTH_HALVES", False))

    def view(self) -> ModuleType:
        made = ModuleType("folded")
        made.__dict__.update(self.module.__dict__)
        made.__dict__["LAYOUT"] = "array"
        tables = {**getattr(made, "JACOBIANS", {}), **getattr(made, "HESSIANS", {})}
        kept = ("sample", "check", "init_params", "as_params", "Params", "ravel", "unravel", "flat")
        for name, function in vars(self.module).items():
            if name.startswith("_") or name in kept or not hasattr(function, "__code__"):
                continue
            taken = tuple(signature(function).parameters)
            wrapped = self._dense(function, taken, tables[name]) if name in tables else None
            wrapped = wrapped or self._function(name, function, taken)
            wrapped.__signature__ = signature(function)
            made.__dict__[name] = wrapped
        return made

    def _arguments(self, taken: tuple[str, ...], given: tuple[Any, ...]) -> list[Any]:
        moving = {*self.names, *(f"{name}_dot" for name in self.names)}
        pairs = zip(taken, given, strict=False)
        return [_fold(x) if name in moving else self._fields(x) for name, x in pairs]

    def _fields(self, value: Any) -> Any:
        """Return parameters, a direction or a gradient folded; anything else as it is."""
        if self.params is None or not isinstance(value, self.params):
            return value
        pairs = raw_leaves(value)
        return rebuild(value, [_fold(x) if name in self.names else x for name, x in pairs])

    def _function(self, name: str, function: Callable[..., Any], taken: tuple[str, ...]) -> Any:
        of = next((name.removeprefix(g) for g in _GRADIENTS if name.startswith(g)), "")

        def called(*given: Any) -> Any:
            result = function(*self._arguments(taken, given))
            if name == "vjp":
                return result[0], lambda bar: self._pulled(result[1](bar))
            if of in self.names and name.startswith("value_and_grad_"):
                return result[0], self._gradient(result[1])
            if of in self.names and name.startswith("hvp_"):
                return tuple(map(self._gradient, result))
            if of in self.names:
                return self._gradient(result)
            return tuple(map(self._fields, result)) if isinstance(result, tuple) else result

        return called

    def _gradient(self, value: Any) -> Any:
        """Return the symmetric part G of a gradient; of G + Gᵀ − G ⊙ I, where it is that."""
        return (value + np.diag(np.diagonal(value))) / 2 if self.both else _fold(value)

    def _pulled(self, bars: tuple[Any, ...]) -> tuple[Any, ...]:
        if self.params is not None:
            return tuple(map(self._fields, bars))
        pairs = zip(self.variables, bars, strict=True)
        return tuple(_fold(bar) if name in self.names else bar for name, bar in pairs)

    def _dense(
        self, function: Callable[..., Any], taken: tuple[str, ...], of: tuple[str, ...]
    ) -> Any:
        *first, by = of

        def called(*given: Any) -> Any:
            args = self._arguments(taken, given)
            result, known = np.asarray(function(*args)), self._known(taken, args)
            value = known[first[0]] if first else self._value(args)
            if getattr(self.module, "LAYOUT", "array") == "vec":
                result = unstacked(result, np.shape(value), np.shape(known[by]))
            result = _fold(result) if by in self.names else result
            if first and first[0] in self.names:
                result = _fold(result, np.ndim(known[by]))
            return result

        return called

    def _value(self, args: list[Any]) -> Any:
        return self.module.forward(*args) if self.params else self.module.value(*args)

    def _known(self, taken: tuple[str, ...], args: list[Any]) -> Mapping[str, Any]:
        known = dict(zip(taken, args, strict=False))
        return {**known, **dict(raw_leaves(known["params"]))} if self.params else known
