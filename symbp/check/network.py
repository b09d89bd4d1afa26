"""The judgement of an emitted module with parameters: loss, gradient, and both modes."""

from collections.abc import Sequence
from dataclasses import dataclass
from inspect import signature
from types import ModuleType
from typing import Any

import numpy as np

from symbp.check.behaviour import Call
from symbp.check.certificate import Row, Subject, compare, extent
from symbp.check.judge import align, gradient_rows
from symbp.check.measure import (
    METHODS,
    Array,
    Function,
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
    balance_row,
    inner_product_rows,
    pullback_rows,
    pulled,
    tangent_rows,
)
from symbp.check.second import Slope, dense_calls, dense_rows, weighted_hessians
from symbp.check.tolerance import ADJOINT, COMPLEX_STEP, EXACT, FIVE_POINT, FLOOR, SYMMETRY
from symbp.check.tree import arrays, is_real, leaves, random_like, rebuild, transform


@dataclass(frozen=True)
class Network:
    """A module at a point: `args` is (params, *data); the first `taken` of data go forward."""

    module: ModuleType
    args: tuple[Any, ...]
    seed: int
    examples: int | None = None

    @property
    def params(self) -> Any:
        """The parameters: a NamedTuple, or where some are frozen the others by name."""
        return self.args[0]

    @property
    def primal(self) -> tuple[Any, ...]:
        """The arguments of `forward`: (params, *inputs and consts)."""
        return self.args[: 1 + int(getattr(self.module, "FORWARD_ARGS", 0))]

    @property
    def inputs(self) -> tuple[Any, ...]:
        """The inputs that have a tangent and an adjoint."""
        return self.args[1 : 1 + int(getattr(self.module, "INPUTS_DIFFERENTIABLE", 0))]

    @property
    def method(self) -> str:
        """The complex step if the module says it is analytic, or shows it."""
        analytic = getattr(self.module, "ANALYTIC", None)
        if analytic is None and self.has("loss"):
            free = range(len(arrays(self.params)))
            whole = section(self.loss, (self.params,), free)
            analytic = complex_step_works(whole, flatten((self.params,), free), self.seed)
        return COMPLEX_STEP if analytic else FIVE_POINT

    def has(self, *names: str) -> bool:
        """Tell whether the module has all these functions."""
        return all(hasattr(self.module, name) for name in names)

    def loss(self, params: Any) -> Any:
        """Return the loss as a function of the parameters alone."""
        data = transform(self.args[1:], np.array)
        if self.has("loss"):
            return self.module.loss(params, *data)
        if self.has("loss_and_grad"):
            return self.module.loss_and_grad(params, *data)[0]
        return self.module.loss_and_dot(params, *data, transform(params, np.zeros_like))[0]

    def grad(self, params: Any) -> Any:
        """Return the gradient as a function of the parameters alone."""
        data = transform(self.args[1:], np.array)
        if self.has("loss_and_grad"):
            return self.module.loss_and_grad(params, *data)[1]
        return self.module.hvp(params, *data, transform(params, np.zeros_like))[0]


def network_rows(network: Network) -> list[Row]:
    """Judge every derivative the module offers at one point."""
    rows: list[Row] = []
    method = network.method
    names = [name for name, _ in leaves(network.params)]
    subjects = [Subject(name, "gradient", method) for name in names]
    if network.has("loss_and_grad"):
        rows += attempt(Subject("all", "gradient", method), _gradient, network, subjects)
    if network.has("loss_and_dot"):
        rows += attempt(Subject("all", "loss_and_dot", method), _loss_and_dot, network, method)
    rows += _input_gradients(network, method)
    forward = _forward(network, method) if network.has("forward") else None
    if forward is not None and forward.tangent is not None:
        rows += attempt(Subject("all", "jvp", method), tangent_rows, forward, "jvp", network.seed)
    if forward is not None and forward.pullback is not None:
        rows += attempt(Subject("all", "vjp", method), pullback_rows, forward, "vjp", network.seed)
    if forward is not None and forward.tangent is not None and forward.pullback is not None:
        heading = Subject("all", "inner product", ADJOINT)
        rows += attempt(heading, inner_product_rows, forward, network.seed)
    if network.has("hvp"):
        rows += attempt(Subject("all", "hvp", method), hessian_rows, network, method)
    if network.has("HESSIANS") or network.has("JACOBIANS"):
        rows += attempt(Subject("all", "dense", method), _dense_rows, network, method)
    return rows + attempt(Subject("all", "value", EXACT), value_rows, network)


def _input_gradients(network: Network, method: str) -> list[Row]:
    """Judge each `grad_x(params, *data)`, ∂loss/∂x, of the inputs that have one."""
    rows: list[Row] = []
    if not network.has("forward", "loss"):
        return rows
    count = len(arrays(network.params))
    for slot in input_slots(network, method):
        function = getattr(network.module, f"grad_{slot.name}", None)
        if function is None:
            continue

        def judged(slot: Slot = slot, function: Function = function) -> list[Row]:
            loss = section(network.module.loss, network.args, [slot.leaf], slot.free)
            leaf = arrays(network.args)[slot.leaf]
            heading = Subject(slot.name, "gradient", slot.method)
            floor = FLOOR * extent(network.module.loss(*network.args))
            ours = np.asarray(function(*transform(network.args, np.array)))
            return [gradient_row(heading, loss, leaf, ours, floor=floor, seed=slot.leaf - count)]

        rows += attempt(Subject(slot.name, "gradient", slot.method), judged)
    return rows


def network_calls(module: ModuleType, args: tuple[Any, ...]) -> list[Call]:
    """Return every public function with arguments, directions drawn in the dtype of params."""
    network, rng = Network(module, args, 0), np.random.default_rng(0)
    direction = random_like(network.params, rng)
    dots = [random_like(x, rng) for x in network.inputs]
    found = {
        **dict.fromkeys(("loss", "loss_and_grad", "watch"), args),
        "forward": network.primal,
        "jvp": (*network.primal, direction, *dots),
        "loss_and_dot": (*args, direction),
        "hvp": (*args, direction),
    }
    if not hasattr(module, "FORWARD_ARGS"):
        found = {name: a for name, a in found.items() if name not in ("forward", "jvp")}
    found |= {name: args for name in vars(module) if name.startswith("grad_")}
    calls = [Call(k, getattr(module, k), tuple(a)) for k, a in found.items() if hasattr(module, k)]
    if network.has("forward", "vjp", "FORWARD_ARGS"):
        cotangent = random_like(module.forward(*transform(network.primal, np.array)), rng)
        calls.append(Call("vjp", pulled(module.vjp), (*network.primal, cotangent)))
    return [*calls, *dense_calls(module, args)]


def _gradient(network: Network, subjects: Sequence[Subject]) -> list[Row]:
    params, seed, examples = network.params, network.seed, network.examples
    return gradient_rows(subjects, network.loss, network.grad, params, seed=seed, examples=examples)


def _loss_and_dot(network: Network, method: str) -> list[Row]:
    params = network.params

    def tangent(dots: list[Array]) -> Any:
        return network.module.loss_and_dot(*network.args, rebuild(params, dots))[1]

    slots = parameter_slots(params, method)
    return tangent_rows(Map(network.loss, (params,), slots, tangent), "loss_and_dot", network.seed)


def _forward(network: Network, method: str) -> Map | None:
    """Return `forward` with its two modes, None if the module does not say what it takes."""
    module, params, primal = network.module, network.params, network.primal
    if len(primal) == 1 and not hasattr(module, "FORWARD_ARGS"):
        return None
    slots = [*parameter_slots(params, method), *input_slots(network, method)]

    def tangent(dots: list[Array]) -> Any:
        moved = rebuild((params, *network.inputs), dots)
        return module.jvp(*primal, *moved)[1]

    def pullback(cotangent: Array) -> list[Array]:
        _, pull = module.vjp(*primal)
        pull(cotangent.copy())  # the second call is judged: the first must leave the tape whole
        params_bar, *inputs_bar = pull(cotangent)
        return [*align(params_bar, params), *arrays(inputs_bar)]

    return Map(
        module.forward,
        primal,
        slots,
        tangent if network.has("jvp") else None,
        pullback if network.has("vjp") else None,
    )


def parameter_slots(params: Any, method: str) -> list[Slot]:
    """Return a slot for each parameter."""
    named = leaves(params)
    return [Slot(name, k, method, tuple(range(len(named)))) for k, (name, _) in enumerate(named)]


def input_slots(network: Network, method: str) -> list[Slot]:
    """Return a slot for each input; those that cannot be complex are measured by differences."""
    count = len(arrays(network.params))
    values = arrays(network.primal)
    free = tuple(k for k, value in enumerate(values) if is_real(value))
    titles = list(signature(network.module.forward).parameters)[1:]
    named = [leaf for t, x in zip(titles, network.inputs, strict=False) for leaf in leaves(x, t)]
    slots = []
    for k, (name, _) in enumerate(named, start=count):
        own = method
        if method == COMPLEX_STEP:
            one = section(network.module.forward, network.primal, [k], free)
            works = complex_step_works(one, flatten(network.primal, [k]), network.seed)
            own = COMPLEX_STEP if works else FIVE_POINT
        slots.append(Slot(name, k, own, free))
    return slots


def hessian_rows(network: Network, method: str) -> list[Row]:
    """Judge `hvp` against the derivative of the gradient, and H against its transpose."""
    params, rng = network.params, np.random.default_rng((network.seed, 1))
    u, v = random_like(params, rng), random_like(params, rng)
    hu, hv = (align(network.module.hvp(*network.args, d)[1], params) for d in (u, v))

    def gradient(point: Any) -> Array:
        return np.concatenate([np.ravel(g) for g in align(network.grad(point), params)])

    every = range(len(hv))
    along = section(gradient, (params,), every, every)
    theta, direction = flatten((params,), every), flatten((v,), every)
    reference, doubt = METHODS[method](along, theta, direction)
    parts = np.split(reference, np.cumsum([leaf.size for leaf in arrays(params)])[:-1])
    floor = FLOOR * extent(reference, gradient(params))
    rows = [
        compare(
            Subject(name, "hvp", method),
            ours,
            part.reshape(leaf.shape),
            floor=floor,
            doubt=doubt,
            examples=network.examples,
        )
        for (name, leaf), ours, part in zip(leaves(params), hv, parts, strict=True)
    ]
    left, right = (
        np.concatenate([np.ravel(a * b) for a, b in zip(arrays(d), h, strict=True)])
        for d, h in ((u, hv), (v, hu))
    )
    return [*rows, balance_row(Subject("all", "hvp", SYMMETRY), left, right)]


def _dense_rows(network: Network, method: str) -> list[Row]:
    """Judge Jacobians as those of `forward`, Hessians as those of the gradient's fields."""
    module, args = network.module, network.args
    function = module.loss if network.has("loss") else module.forward
    order = [name for name, _ in leaves(network.params)]
    order += list(signature(function).parameters)[1:]
    free = tuple(k for k, value in enumerate(arrays(args)) if is_real(value))
    judged = module if network.has("loss") else weighted_hessians(module, args, network.seed)

    def slope(of: str, by: str) -> Slope:
        def field(*given: Any) -> Any:
            return dict(leaves(judged.loss_and_grad(*given)[1]))[of]

        found = module.forward if not of else getattr(judged, f"grad_{of}", field)
        return Slope(found, args, order.index(by), free)

    return dense_rows(judged, args, slope, method, network.seed)


def value_rows(network: Network) -> list[Row]:
    """Judge that every function returns the same loss, output and gradient as the others."""
    module, args = network.module, network.args
    pairs = ("loss_and_grad", "loss_and_dot", "jvp", "vjp", "hvp")
    calls = [call for call in network_calls(module, args) if call.name in pairs]
    firsts = {call.name: call.function(*call.args)[0] for call in calls}
    expected: dict[str, Any] = {}
    if network.has("loss"):
        expected |= dict.fromkeys(("loss_and_grad", "loss_and_dot"), module.loss(*args))
    if network.has("forward"):
        expected |= dict.fromkeys(("jvp", "vjp"), module.forward(*network.primal))
    if network.has("loss_and_grad"):
        expected["hvp"] = network.grad(network.params)
    return [
        worst_row(Subject(name, "value", EXACT), leaves(firsts[name], name), arrays(value))
        for name, value in expected.items()
        if name in firsts
    ]
