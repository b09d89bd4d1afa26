"""The judgement of `watch`: its values, and the adjoint of each value and of each input.

An adjoint in the middle of a network is no derivative by an argument, so it is judged by what it
does: where all that the inputs do to the loss comes through a value v, ⟨v_bar, v̇⟩ is the slope of
the loss along the inputs.  `BESIDE` names the other values, each with a parameter of which that
holds, or with nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from symbp.check.certificate import Row, Subject, compare, extent, failure
from symbp.check.measure import METHODS, Array, flatten, gradient_row, section
from symbp.check.modes import Slot, attempt
from symbp.check.network import Network, input_slots, parameter_slots
from symbp.check.tolerance import EXACT, FIVE_POINT, FLOOR
from symbp.check.tree import arrays


def watch_rows(network: Network) -> list[Row]:
    """Judge what `watch` returns at one point, where the module has it."""
    if not network.has("watch", "forward"):
        return []
    rows = attempt(Subject("watch", "value", EXACT), _values, network)
    if not network.has("loss"):
        return rows
    method = network.method
    inputs = input_slots(network, method)
    if inputs:
        rows += attempt(Subject("inputs", "watch", method), _inputs, network, inputs)
    params = parameter_slots(network.params, method)
    named = {*getattr(network.module, "BESIDE", {}).values()}
    ways = {"": inputs or params, **{slot.name: [slot] for slot in params if slot.name in named}}
    for source, slots in ways.items():
        heading = Subject(source or "values", "watch", method)
        rows += attempt(heading, _through, network, slots, source)
    return rows


def _values(network: Network) -> list[Row]:
    """Judge that the loss is the loss, and that the output is among the values."""
    module, found = network.module, network.module.watch(*network.args)
    out = np.asarray(module.forward(*network.primal))
    alike = [np.asarray(value) for value in found.values() if np.shape(value) == out.shape]
    heading = Subject("watch, output", "value", EXACT)
    rows = [compare(heading, value, out) for value in alike]
    missing = failure(heading, f"no value has the shape {out.shape} of the output")
    best = min(rows, key=lambda row: row.error, default=missing)
    if not network.has("loss"):
        return [best]
    loss = module.loss(*network.args)
    return [best, compare(Subject("watch, loss", "value", EXACT), found["loss"], loss)]


def _inputs(network: Network, slots: Sequence[Slot]) -> list[Row]:
    """Judge the adjoints of the inputs as gradients of the loss."""
    module, args = network.module, network.args
    found, count = module.watch(*args), len(arrays(network.params))
    floor = FLOOR * extent(module.loss(*args))
    rows = []
    for slot in slots:
        loss = section(module.loss, args, [slot.leaf], slot.free)
        leaf, ours = arrays(args)[slot.leaf], np.asarray(found[f"{slot.name}_bar"])
        heading = Subject(f"{slot.name}_bar", "watch", slot.method)
        seed = slot.leaf - count
        rows.append(gradient_row(heading, loss, leaf, ours, floor=floor, seed=seed))
    return rows


def _through(network: Network, slots: Sequence[Slot], source: str) -> list[Row]:
    """Judge the adjoints of the values that all comes through that the slots do to the loss.

    They are those for which `BESIDE` names the source; without one, those that it does not name.
    """
    module, args = network.module, network.args
    found = module.watch(*args)
    past = getattr(module, "BESIDE", {})
    mine = [name for name in found if (past.get(name) == source if source else name not in past)]
    names = [name for name in mine if f"{name}_bar" in found]
    chosen, free = [slot.leaf for slot in slots], {leaf for slot in slots for leaf in slot.free}
    method = FIVE_POINT if any(s.method == FIVE_POINT for s in slots) else slots[0].method

    def carried(*given: Any) -> Array:
        return _carried(found, module.watch(*given), names)

    theta = flatten(args, chosen)
    direction = np.random.default_rng((network.seed, 2)).standard_normal(theta.shape)
    function = section(carried, args, chosen, free)
    slopes, doubt = METHODS[method](function, theta, direction)
    floor = FLOOR * extent(module.loss(*args))
    whole = np.full(len(names), slopes[0])
    heading = Subject(f"values, along {source}" if source else "values", "watch", method)
    row = compare(heading, slopes[1:], whole, floor=floor, doubt=doubt)
    return [row if row.ok or not row.worst else replace(row, quantity=f"{names[row.worst[0]]}_bar")]


def _carried(bars: Mapping[str, Array], values: Mapping[str, Array], names: list[str]) -> Array:
    """Return the loss, then ⟨v_bar, v⟩ of each named value v."""
    sums = [np.sum(bars[f"{name}_bar"] * values[name]) for name in names]
    return np.array([values["loss"], *sums])
