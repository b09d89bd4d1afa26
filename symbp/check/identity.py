"""The judgement of an emitted module without parameters: `value`, `grad_W`, and both modes."""

from dataclasses import dataclass
from inspect import signature
from types import ModuleType
from typing import Any

import numpy as np

from symbp.check.behaviour import Call
from symbp.check.certificate import Row, Subject, extent
from symbp.check.measure import (
    Array,
    complex_step_works,
    flatten,
    gradient_row,
    section,
    worst_row,
)
from symbp.check.modes import (
    Map,
    Slot,
    attempt,
    inner_product_rows,
    pullback_rows,
    pulled,
    tangent_rows,
)
from symbp.check.second import Slope, dense_calls, dense_rows, product_row
from symbp.check.tolerance import ADJOINT, COMPLEX_STEP, EXACT, FIVE_POINT, FLOOR
from symbp.check.tree import arrays, is_real, leaves, random_like, rebuild, transform


@dataclass(frozen=True)
class Identity:
    """A module at a point: `args` is the tuple that `value` takes."""

    module: ModuleType
    args: tuple[Any, ...]
    seed: int
    examples: int | None = None

    @property
    def variables(self) -> dict[str, Any]:
        """The arguments differentiated by, under their names."""
        return {name: self.args[k] for name, k in _places(self.module).items()}

    @property
    def slots(self) -> list[Slot]:
        """A slot for each leaf of each variable, in the order of `VARIABLES`."""
        free = tuple(k for k, array in enumerate(arrays(self.args)) if is_real(array))
        starts = np.cumsum([0, *(len(arrays((arg,))) for arg in self.args)])
        method, slots = self.method, []
        for name, place in _places(self.module).items():
            for k, (title, _) in enumerate(leaves(self.args[place], name)):
                slots.append(Slot(title, int(starts[place]) + k, method, free))
        return slots

    @property
    def method(self) -> str:
        """The complex step if the module says it is analytic, or shows it."""
        analytic = getattr(self.module, "ANALYTIC", None)
        if analytic is None:
            free = [k for k, array in enumerate(arrays(self.args)) if is_real(array)]
            whole = section(self.module.value, self.args, free, free)
            analytic = complex_step_works(whole, flatten(self.args, free), self.seed)
        return COMPLEX_STEP if analytic else FIVE_POINT


def identity_rows(identity: Identity) -> list[Row]:
    """Judge every derivative the module offers at one point."""
    module, seed, method = identity.module, identity.seed, identity.method
    rows = attempt(Subject("all", "gradient", method), _gradients, identity)
    subject = _map(identity)
    if subject.tangent is not None:
        rows += attempt(Subject("all", "jvp", method), tangent_rows, subject, "jvp", seed)
    if hasattr(module, "vjp"):
        rows += attempt(Subject("all", "vjp", method), pullback_rows, subject, "vjp", seed)
    if subject.tangent is not None and subject.pullback is not None:
        rows += attempt(Subject("all", "inner product", ADJOINT), inner_product_rows, subject, seed)
    rows += attempt(Subject("all", "second", method), _second_rows, identity)
    return rows + attempt(Subject("all", "value", EXACT), _value_rows, identity)


def identity_calls(module: ModuleType, args: tuple[Any, ...]) -> list[Call]:
    """Return every public function with arguments for it."""
    rng, variables = np.random.default_rng(0), Identity(module, args, 0).variables
    dots = [random_like(value, rng) for value in variables.values()]
    names = ["value", *(f"{kind}_{v}" for v in variables for kind in ("grad", "value_and_grad"))]
    calls = [Call(name, getattr(module, name), args) for name in names if hasattr(module, name)]
    if hasattr(module, "jvp"):
        calls.append(Call("jvp", module.jvp, (*args, *dots)))
    for name, dot in zip(variables, dots, strict=True):
        if hasattr(module, f"hvp_{name}"):
            calls.append(Call(f"hvp_{name}", getattr(module, f"hvp_{name}"), (*args, dot)))
    calls += dense_calls(module, args)
    if hasattr(module, "vjp"):
        cotangent = random_like(module.value(*transform(args, np.array)), rng)
        calls.append(Call("vjp", pulled(module.vjp), (*args, cotangent)))
    return calls


def _places(module: ModuleType) -> dict[str, int]:
    """Return where each variable stands among the arguments of `value`."""
    order = list(signature(module.value).parameters)
    return {name: order.index(name) for name in module.VARIABLES}


def _map(identity: Identity) -> Map:
    module, args, variables = identity.module, identity.args, identity.variables

    def tangent(dots: list[Array]) -> Any:
        return module.jvp(*args, *rebuild(tuple(variables.values()), dots))[1]

    def pullback(cotangent: Array) -> list[Array]:
        _, pull = module.vjp(*args)
        pull(cotangent.copy())  # the second call is judged: the first must leave the tape whole
        return arrays(tuple(pull(cotangent)))

    def from_gradients(cotangent: Array) -> list[Array]:
        return [_weighted(cotangent, *pair) for pair in _claims(identity)]

    reverse = pullback if hasattr(module, "vjp") else None
    if reverse is None and all(hasattr(module, f"grad_{name}") for name in variables):
        reverse = from_gradients
    forward = tangent if hasattr(module, "jvp") else None
    return Map(module.value, args, identity.slots, forward, reverse)


def _claims(identity: Identity) -> list[tuple[Array, Array]]:
    """Return `(gradient, variable)` for each leaf of the variables that have a gradient."""
    claims = []
    for name, value in identity.variables.items():
        if hasattr(identity.module, f"grad_{name}"):
            gradient = getattr(identity.module, f"grad_{name}")(*identity.args)
            claims += list(zip(arrays(gradient), arrays(value), strict=True))
    return claims


def _gradients(identity: Identity) -> list[Row]:
    """Judge each gradient, rows of a batch weighted at random so that they cannot be mixed."""
    module, args = identity.module, identity.args
    value = np.asarray(module.value(*args))
    rng = np.random.default_rng((identity.seed, 1))
    weights = rng.uniform(0.5, 1.5, value.shape) if value.ndim else np.ones(())
    claims = iter(_claims(identity))
    judged = [s for s in identity.slots if hasattr(module, f"grad_{s.name.partition('[')[0]}")]
    ours = [_weighted(weights, *next(claims)) for _ in judged]
    floor = FLOOR * extent(value, *ours)

    def weighted(*given: Any) -> Any:
        return np.sum(weights * module.value(*given))

    return [
        gradient_row(
            Subject(slot.name, "gradient", slot.method),
            section(weighted, args, [slot.leaf], slot.free),
            arrays(args)[slot.leaf],
            gradient,
            floor=floor,
            seed=identity.seed,
            examples=identity.examples,
        )
        for slot, gradient in zip(judged, ours, strict=True)
    ]


def _second_rows(identity: Identity) -> list[Row]:
    """Judge what is dense, and products with the Hessian as slopes of the gradient."""
    module, args, seed = identity.module, identity.args, identity.seed
    slots = {slot.name: slot for slot in identity.slots}

    def slope(of: str, by: str) -> Slope:
        function = getattr(module, f"grad_{of}" if of else "value")
        return Slope(function, args, slots[by].leaf, slots[by].free)

    rows = dense_rows(module, args, slope, identity.method, seed)
    for name in identity.variables:
        if hasattr(module, f"hvp_{name}"):
            subject = Subject(name, "hvp", identity.method)
            product = getattr(module, f"hvp_{name}")
            rows.append(product_row(subject, slope(name, name), product, seed))
    return rows


def _weighted(weights: Array, gradient: Array, variable: Array) -> Array:
    """Return Σ wᵢ ∂valueᵢ/∂variable, from a gradient whose rows are ∂valueᵢ/∂variableᵢ."""
    if not weights.ndim:
        return np.asarray(weights * gradient)
    if gradient.shape == variable.shape and variable.shape[: weights.ndim] == weights.shape:
        return np.asarray(
            gradient * weights.reshape(weights.shape + (1,) * (gradient.ndim - weights.ndim))
        )
    if gradient.shape == weights.shape + variable.shape:
        return np.tensordot(weights, gradient, axes=weights.ndim)
    return gradient


def _value_rows(identity: Identity) -> list[Row]:
    """Judge that every function returns the same value and gradients as the others."""
    module, args = identity.module, identity.args
    rows = []
    for call in identity_calls(module, args):
        result = call.function(*call.args)
        name = call.name.removeprefix("value_and_grad_")
        expected: tuple[Any, ...] = (module.value(*args),)
        if name != call.name and hasattr(module, f"grad_{name}"):
            expected = (*expected, getattr(module, f"grad_{name}")(*args))
        elif call.name in ("jvp", "vjp"):
            result = result[:1]
        elif call.name.startswith("hvp_"):
            result = result[:1]
            expected = (getattr(module, f"grad_{call.name.removeprefix('hvp_')}")(*args),)
        else:
            continue
        heading = Subject(call.name, "value", EXACT)
        rows.append(worst_row(heading, leaves(result, call.name), arrays(expected)))
    return rows
