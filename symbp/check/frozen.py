"""A module some of whose parameters are frozen, seen as one that takes these as further data.

`MOVING` names what is differentiated by.  The judge then measures that alone, a dict by names, with
no rule of its own for the others; that their derivatives are zeros is demanded here.
"""

from collections.abc import Callable
from inspect import Parameter, Signature, signature
from types import ModuleType
from typing import Any

import numpy as np

from symbp.check.tree import arrays, leaves, raw_leaves, rebuild

_BY_PARAMETERS = ("loss_and_grad", "loss_and_dot", "hvp")


def thawed(module: ModuleType) -> ModuleType:
    """Return the module without its frozen parameters; the module itself where none is frozen."""
    moving = getattr(module, "MOVING", None)
    return module if moving is None else _Thawed(module, tuple(moving)).view()


class _Thawed:
    """Arguments become (moving, *forward data, *frozen, *targets, *directions)."""

    def __init__(self, module: ModuleType, moving: tuple[str, ...]) -> None:
        self.module, self.moving = module, moving
        self.like, _ = module.sample(np.random.default_rng(0))
        self.frozen = tuple(name for name, _ in leaves(self.like) if name not in moving)
        self.taken = int(module.FORWARD_ARGS)

    def view(self) -> ModuleType:
        made = ModuleType(self.module.__name__)
        made.__dict__.update(self.module.__dict__)
        made.__dict__["Params"] = dict
        made.__dict__["FORWARD_ARGS"] = self.taken + len(self.frozen)
        found = [
            n
            for n in ("forward", "loss", "vjp", "jvp", "watch", *_BY_PARAMETERS)
            if hasattr(made, n)
        ]
        grads = [n for n in vars(self.module) if n.startswith("grad_")]
        dense = [*getattr(made, "JACOBIANS", ()), *getattr(made, "HESSIANS", ())]
        for name in (*found, *grads, *dense):
            setattr(made, name, self._function(name))
        for name in _BY_PARAMETERS if not self.moving else ():
            made.__dict__.pop(name, None)
        made.__dict__["sample"] = self._sample
        return made

    def _sample(self, rng: Any, examples: int, dtype: Any) -> Any:
        params, data = self.module.sample(rng, examples, dtype)
        known = dict(raw_leaves(params))
        still = [known[name] for name in self.frozen]
        moving = {name: known[name] for name in self.moving}
        return moving, (*data[: self.taken], *still, *data[self.taken :])

    def _function(self, name: str) -> Callable[..., Any]:
        function = getattr(self.module, name)

        def called(params: Any, *data: Any) -> Any:
            still = data[self.taken : self.taken + len(self.frozen)]
            rest = [*data[: self.taken], *data[self.taken + len(self.frozen) :]]
            given = [self._whole(x, still) for x in rest]
            result = function(self._whole(params, still), *given)
            if name == "vjp":
                return result[0], lambda bar: self._stripped(result[1](bar))
            return self._stripped(result)

        if name in ("forward", "loss"):  # the judge reads the names of the inputs off them
            given = [*signature(function).parameters.values()]
            still = [_parameter(name) for name in self.frozen]
            given[1 + self.taken : 1 + self.taken] = still
            called.__signature__ = Signature(given)  # type: ignore[attr-defined]
        return called

    def _whole(self, value: Any, still: Any) -> Any:
        """Return parameters, or a direction, with the frozen ones put in; else the value."""
        if not isinstance(value, dict):
            return value
        dtype = np.result_type(*still, *arrays(value))  # code writes one's term onto another's
        like = [np.asarray(array, dtype) for array in still]
        known = {**value, **dict(zip(self.frozen, like, strict=True))}
        return rebuild(self.like, [known[name] for name, _ in leaves(self.like)])

    def _stripped(self, result: Any) -> Any:
        """Return what a function returned without the frozen fields, which must be zeros."""
        if isinstance(result, self.module.Params):
            known = dict(raw_leaves(result))
            for name in self.frozen:
                if np.any(known[name]):
                    raise ValueError(f"{name} is frozen, but its derivative is not zero")
            return {name: known[name] for name in self.moving}
        if isinstance(result, tuple):
            return tuple(map(self._stripped, result))
        return result


def _parameter(name: str) -> Parameter:
    """Return an argument that stands for a frozen parameter, a member of a family perhaps."""
    plain = name.replace("[", "_").removesuffix("]")
    return Parameter(plain, Parameter.POSITIONAL_OR_KEYWORD)
