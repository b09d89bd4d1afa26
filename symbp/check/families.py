"""A module with families of parameters, seen as one whose members have the numbers of its spec.

`FIRST` has the number of each family's first member, so that a row says `Omega[1]` where the spec
does.  What `MOVING` and `SYMMETRIC` say of a family is then said of each of its members.
"""

from collections.abc import Callable, Mapping
from inspect import signature
from types import ModuleType
from typing import Any

import numpy as np

from symbp.check.tree import Members, leaves


def numbered(module: ModuleType) -> ModuleType:
    """Return the module with its families numbered; the module itself where it has none."""
    first = getattr(module, "FIRST", {})
    return _Numbered(module, first).view() if first else module


class _Numbered:
    def __init__(self, module: ModuleType, first: Mapping[str, int]) -> None:
        self.module = module
        self.types = {f: type("Members", (Members,), {"first": k}) for f, k in first.items()}

    def view(self) -> ModuleType:
        made = ModuleType("numbered")
        made.__dict__.update(self.module.__dict__)
        for name, function in vars(self.module).items():
            if not name.startswith("_") and hasattr(function, "__code__"):
                made.__dict__[name] = self._function(function)
        for table in ("MOVING", "SYMMETRIC"):
            if hasattr(made, table):
                made.__dict__[table] = self._of_each_member(getattr(made, table))
        return made

    def _of_each_member(self, names: tuple[str, ...]) -> tuple[str, ...]:
        params, _ = self.module.sample(np.random.default_rng(0))
        members = [name for name, _ in leaves(self._value(params))]
        whole = [name for name in members if {name, name.partition("[")[0]} & {*names}]
        return (*(name for name in names if name not in self.types and name not in whole), *whole)

    def _function(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **more: Any) -> Any:
            return self._value(function(*args, **more))

        called.__signature__ = signature(function)  # type: ignore[attr-defined]
        return called

    def _value(self, value: Any) -> Any:
        """Return what a function returned, families in it numbered; a pullback returns so too."""
        if isinstance(value, self.module.Params):
            found = {f: members(getattr(value, f)) for f, members in self.types.items()}
            return value._replace(**found)
        if isinstance(value, tuple):
            return tuple(map(self._value, value))
        return self._function(value) if hasattr(value, "__code__") else value
