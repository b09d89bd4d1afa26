"""symbp derives reverse and forward mode step by step and writes the gradient as NumPy code.

    program = symbp.load("mlp.symbp")        # or symbp.parse(text), symbp.from_sympy(loss, …)
    derivation = symbp.derive(program)       # .gradient("W"), .steps, .latex(), .unicode()
    text = symbp.emit(derivation)            # a NumPy module as text
    module = symbp.compile(derivation)       # the same, imported
    symbp.initialization(program)            # variances forward and backward, gains, .latex()
    symbp.gain("z * sigmoid(z)")             # what an activation does to variances
    symbp.certify(module)                    # every derivative against differences
    symbp.cost(derivation, K=3)              # operations and stored numbers of the two modes
    symbp.unroll(program, K=3)               # loops written out, every turn a line of its own
    symbp.diff(expr, X)                      # instead of SymPy's expr.diff(X)
    symbp.train(program, {"x": x, "y": y})   # .params, .history: gradient descent on the loss

What is public is imported when it is first used, so that `symbp --help` need not wait for SymPy.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symbp.api import Derivation, Formula, Line
    from symbp.calculus import Derivative, diff
    from symbp.check import Certificate, certify, judge
    from symbp.derive.dense import Wanted
    from symbp.errors import SpecError, SymbpError
    from symbp.gain import gain
    from symbp.initialization import Initialization, initialization
    from symbp.pipeline import compile_module as compile
    from symbp.pipeline import derive, emit
    from symbp.program import Program
    from symbp.spec import expression, load, parse
    from symbp.spec.from_sympy import from_sympy
    from symbp.spec.to_sympy import to_sympy
    from symbp.spending import Cost, cost
    from symbp.trainer import Run, train
    from symbp.training.parameters import load as load_params
    from symbp.unrolling import unroll

__version__ = "0.1.0"

_PLACES = {
    "Certificate": "symbp.check",
    "Cost": "symbp.spending",
    "Derivation": "symbp.api",
    "Derivative": "symbp.calculus",
    "Formula": "symbp.api",
    "Line": "symbp.api",
    "Initialization": "symbp.initialization",
    "Program": "symbp.program",
    "Run": "symbp.trainer",
    "SpecError": "symbp.errors",
    "SymbpError": "symbp.errors",
    "Wanted": "symbp.derive.dense",
    "certify": "symbp.check",
    "compile": "symbp.pipeline:compile_module",
    "cost": "symbp.spending",
    "derive": "symbp.pipeline",
    "diff": "symbp.calculus",
    "emit": "symbp.pipeline",
    "expression": "symbp.spec",
    "from_sympy": "symbp.spec.from_sympy",
    "gain": "symbp.gain",
    "initialization": "symbp.initialization",
    "judge": "symbp.check",
    "load": "symbp.spec",
    "load_params": "symbp.training.parameters:load",
    "parse": "symbp.spec",
    "to_sympy": "symbp.spec.to_sympy",
    "train": "symbp.trainer",
    "unroll": "symbp.unrolling",
}

__all__ = [
    "Certificate",
    "Cost",
    "Derivation",
    "Derivative",
    "Formula",
    "Initialization",
    "Line",
    "Program",
    "Run",
    "SpecError",
    "SymbpError",
    "Wanted",
    "certify",
    "compile",
    "cost",
    "derive",
    "diff",
    "emit",
    "expression",
    "from_sympy",
    "gain",
    "initialization",
    "judge",
    "load",
    "load_params",
    "parse",
    "to_sympy",
    "train",
    "unroll",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for (PEP 562)."""
    if name not in _PLACES:
        raise AttributeError(f"module 'symbp' has no attribute {name!r}")
    module, _, other = _PLACES[name].partition(":")
    value = getattr(import_module(module), other or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


class _Public(ModuleType):
    """The package, whose functions `derive` and `emit` are not hidden by the folders so named."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (isinstance(value, ModuleType) and name in _PLACES):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Public
