"""From the pattern of a wrong derivative to what is likely wrong with it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

NEAR = 1e-5  # two ratios this close are the same: a 5-point difference is no better by much


def explain(ours: Array, reference: Array, examples: int | None = None) -> str:
    """Return one clause on how `ours` differs from `reference`, which it does.

    Both hold the entries compared, in the parameter's shape when all of them were; `examples`
    is the number of examples in the batch, if known.
    """
    if ours.shape != reference.shape:
        flipped = ours.shape == reference.shape[::-1]
        shapes = f"shape {ours.shape}, expected {reference.shape}"
        return f"transposed: {shapes}" if flipped else shapes
    if not np.all(np.isfinite(ours)):
        return "not finite"
    if ours.ndim == 2 and ours.shape[0] == ours.shape[1] and _close(ours, reference.T):
        return "equals the transpose"
    factor = _constant_ratio(ours, reference)
    return _partial(ours, reference) if factor is None else _name(factor, examples)


def _close(a: Array, b: Array) -> bool:
    return bool(np.max(np.abs(a - b), initial=0) <= NEAR * np.max(np.abs(b), initial=0))


def _constant_ratio(ours: Array, reference: Array) -> float | None:
    """Return c where ours = c·reference in all entries; least squares, then a look."""
    energy = float(np.sum(reference * reference))
    if energy == 0:
        return None
    factor = float(np.sum(ours * reference)) / energy
    same = np.max(np.abs(ours - factor * reference)) <= NEAR * np.max(np.abs(reference))
    return factor if same else None


def _name(factor: float, examples: int | None) -> str:
    def equals(value: float) -> bool:
        return abs(factor - value) <= NEAR * abs(value)

    if abs(factor) <= NEAR:
        return "zero: a branch is lost"
    if equals(-1):
        return "the sign is wrong"
    if examples is not None and examples > 1:
        if equals(examples):
            return f"{examples} times too large, the number of examples: sum taken for mean"
        if equals(1 / examples):
            return f"{examples} times too small, the number of examples: a batch sum is lost"
    return f"every entry is off by the factor {factor:.6g}"


def _partial(ours: Array, reference: Array) -> str:
    peak = np.max(np.abs(reference), initial=0)
    wrong = np.abs(ours - reference) > NEAR * peak
    few = f"{np.count_nonzero(wrong)} of {wrong.size} entries"
    if peak == 0:
        return "zero expected: a branch too many, or a path that no derivative passes"
    if np.any(wrong) and np.all(ours[wrong] == 0):
        return f"zero in {few}: a branch is lost there"
    if np.count_nonzero(wrong) < wrong.size:
        return f"wrong in {few} only: look at masks and indices"
    return "no constant ratio: a term is lost, or a slope taken at the wrong point"
