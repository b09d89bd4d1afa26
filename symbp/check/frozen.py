"""A module some of whose parameters are frozen, seen as one that takes these as further data.

`MOVING` names the fields that are differentiated by.  The judge then measures those alone, with
no rule of its own for the others; that their derivatives are zeros is demanded here.
"""

from collections import namedtuple
from collections.abc import Callable
from inspect import Parameter, Signature, signature
from types import ModuleType
from typing import Any

import numpy as np

from symbp.check.tree import arrays

_BY_PARAMETERS = ("loss_and_grad", "loss_and_dot", "hvp")


def thawed(module: ModuleType) -> ModuleType:
    """Return the module without its frozen parameters; the module itself where none is frozen."""
    moving = getattr(module, "MOVING", None)
    return module if moving is None else _Thawed(module, tuple(moving)).view()


class _Thawed:
    """Arguments become (moving, *forward data, *frozen, *targets, *directions)."""

    def __init__(self, module: ModuleType, moving: tuple[str, ...]) -> None:
        self.module, self.moving = module, moving
        self.frozen = tuple(f for f in module.Params._fields if f not in moving)
        self.taken = int(module.FORWARD_ARGS)
        self.partial: Any = namedtuple("Params", moving)  # type: ignore[misc]

    def view(self) -> ModuleType:
        made = ModuleType(self.module.__name__)
        made.__dict__.update(self.module.__dict__)
        made.__dict__["Params"] = self.partial
        made.__dict__["FORWARD_ARGS"] = self.taken + len(self.frozen)
        found = [n for n in ("forward", "loss", "vjp", "jvp", *_BY_PARAMETERS) if hasattr(made, n)]
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
        still = [getattr(params, name) for name in self.frozen]
        moving = self.partial(*(getattr(params, name) for name in self.moving))
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

        if name == "forward":  # the judge reads the names of the inputs off it
            given = [*signature(function).parameters.values()]
            still = [Parameter(field, Parameter.POSITIONAL_OR_KEYWORD) for field in self.frozen]
            called.__signature__ = Signature([*given, *still])  # type: ignore[attr-defined]
        return called

    def _whole(self, value: Any, still: Any) -> Any:
        """Return parameters, or a direction, with the frozen ones put in; else the value."""
        if not isinstance(value, self.partial):
            return value
        dtype = np.result_type(*still, *arrays(value))  # code writes one's term onto another's
        like = [np.asarray(array, dtype) for array in still]
        known = {**value._asdict(), **dict(zip(self.frozen, like, strict=True))}
        return self.module.Params(**known)

    def _stripped(self, result: Any) -> Any:
        """Return what a function returned without the frozen fields, which must be zeros."""
        if isinstance(result, self.module.Params):
            for name in self.frozen:
                if any(np.any(array) for array in arrays(getattr(result, name))):
                    raise ValueError(f"{name} is frozen, but its derivative is not zero")
            return self.partial(*(getattr(result, name) for name in self.moving))
        if isinstance(result, tuple):
            return tuple(map(self._stripped, result))
        return result
