"""The judgement of an emitted module, through its public functions alone."""

from collections.abc import Mapping
from dataclasses import replace
from inspect import signature
from types import ModuleType
from typing import Any

import numpy as np

from symbp.check.behaviour import Call, behaviour_rows, has_examples
from symbp.check.certificate import Certificate, Row
from symbp.check.families import numbered
from symbp.check.folded import folded
from symbp.check.frozen import thawed
from symbp.check.identity import Identity, identity_calls, identity_rows
from symbp.check.judge import redraw
from symbp.check.network import Network, network_calls, network_rows
from symbp.check.watch import watch_rows

EXAMPLES = 5


def certify(module: ModuleType, seed: int = 0) -> Certificate:
    """Judge every function of an emitted module at a random point that it draws itself.

    Derivatives are measured (complex step where `ANALYTIC`, else 5-point differences), forward
    and reverse mode held against each other, and every function called in float32 and on
    batches of 1 and 0; at other lengths of its loops too, where `LENGTHS` names some.  Functions
    that the module lacks are not judged; what a function raises is a row that fails.  A point
    beside a kink is drawn again, up to 3 times.
    """
    module = thawed(folded(numbered(module)))
    is_network = hasattr(module, "Params")

    def draw(seed: int, **wishes: Any) -> tuple[Any, ...]:
        return sample(module, seed, **wishes)

    examples = EXAMPLES if has_examples(draw, seed) else None

    def examine(k: int) -> list[Row]:
        args = draw(seed + k)
        if is_network:
            network = Network(module, args, seed + k, examples)
            return [*network_rows(network), *watch_rows(network)]
        return identity_rows(Identity(module, args, seed + k, examples))

    def calls(args: tuple[Any, ...]) -> list[Call]:
        return network_calls(module, args) if is_network else identity_calls(module, args)

    def at_length(label: str, sizes: Mapping[str, Any]) -> list[Row]:
        def examine_there(k: int) -> list[Row]:
            return network_rows(Network(module, draw(seed + k, **sizes), seed + k, examples))

        return [_labelled(row, label) for row in redraw(examine_there)]

    lengths = getattr(module, "LENGTHS", {})
    with np.errstate(all="ignore"):  # what is not finite is a row that fails
        others = [row for label, sizes in lengths.items() for row in at_length(label, sizes)]
        return Certificate((*redraw(examine), *others, *behaviour_rows(draw, calls, seed)))


def _labelled(row: Row, label: str) -> Row:
    """Return a row of another length: its label as the mode, what is judged as the quantity."""
    return replace(row, mode=label, quantity=f"{row.mode} {row.quantity}")


def sample(module: ModuleType, seed: int, **wishes: Any) -> tuple[Any, ...]:
    """Return the arguments the module draws, (params, *data) or data.

    `examples` and `dtype` are passed on if `sample` takes them.
    """
    wishes = {"examples": EXAMPLES, "dtype": np.float64, **wishes}
    taken = signature(module.sample).parameters
    known = {name: wish for name, wish in wishes.items() if name in taken}
    drawn = module.sample(np.random.default_rng(seed), **known)
    if not hasattr(module, "Params"):
        return tuple(drawn)
    params, data = drawn
    return (params, *data)
