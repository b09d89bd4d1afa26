"""The judgement of any pair `(loss, grad)`, whoever wrote it."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symbp.check.certificate import Certificate, Row, Subject, extent
from symbp.check.measure import (
    Array,
    complex_step_works,
    flatten,
    gradient_row,
    section,
    unchanged_row,
)
from symbp.check.tolerance import COMPLEX_STEP, FIVE_POINT, FLOOR
from symbp.check.tree import arrays, leaves, transform

DRAWS = 4  # points tried before a reference in doubt counts as a failure


def judge(
    loss: Callable[[Any], Any],
    grad: Callable[[Any], Any],
    params: Any,
    *,
    analytic: bool | None = None,
    names: Sequence[str] | None = None,
    seed: int = 0,
    tolerance: float | None = None,
) -> Certificate:
    """Judge `grad(params)` as the gradient of the scalar `loss(params)`, at `params`.

    `params` is an array, a number, or a tuple, list, NamedTuple or dict of them, nested or not,
    taken as float64; `grad` returns the same form.  `analytic` chooses the complex step (1e-12)
    or 5-point differences (1e-8); None finds out which.  `names` name the arrays in order.
    Where a kink is so close that no step size tells, params are nudged by about 1 %, up to 3
    times.  Whatever `loss` and `grad` raise passes through.
    """
    start = transform(params, lambda leaf: leaf.astype(np.float64))
    titles = _titles(start, names)
    free = range(len(titles))
    if analytic is None:
        whole = section(loss, (start,), free)
        analytic = complex_step_works(whole, flatten((start,), free), seed)
    method = COMPLEX_STEP if analytic else FIVE_POINT

    def examine(draw: int) -> list[Row]:
        point = _nudge(start, seed + draw) if draw else start
        subjects = [Subject(title, "gradient", method, tolerance) for title in titles]
        return gradient_rows(subjects, loss, grad, point, seed=seed + draw)

    unchanged = [unchanged_row(*call, (start,)) for call in (("loss", loss), ("grad", grad))]
    return Certificate((*redraw(examine), *unchanged))


def redraw(examine: Callable[[int], list[Row]]) -> list[Row]:
    """Return the rows of `examine(0)`, those in doubt taken from the next draws."""
    rows = examine(0)
    for draw in range(1, DRAWS):
        if not any(row.doubtful for row in rows):
            break
        again = {(row.mode, row.quantity): row for row in examine(draw)}
        rows = [again.get((row.mode, row.quantity), row) if row.doubtful else row for row in rows]
    return rows


def gradient_rows(
    subjects: Sequence[Subject],
    loss: Callable[[Any], Any],
    grad: Callable[[Any], Any],
    params: Any,
    *,
    seed: int = 0,
    examples: int | None = None,
) -> list[Row]:
    """Judge the gradient of a loss leaf by leaf, a row for each subject in turn."""
    ours = align(grad(transform(params, np.array)), params)
    floor = FLOOR * extent(*ours, np.real(loss(transform(params, np.array))))
    free = range(len(ours))
    return [
        gradient_row(
            subject,
            section(loss, (params,), [k], free),
            leaf,
            ours[k],
            floor=floor,
            seed=seed + k,
            examples=examples,
        )
        for k, (subject, leaf) in enumerate(zip(subjects, arrays(params), strict=True))
    ]


def align(tree: Any, like: Any) -> list[Array]:
    """Return the leaves of `tree` in the order of `like`: by name where names agree."""
    found, wanted = dict(leaves(tree)), [name for name, _ in leaves(like)]
    if found.keys() == set(wanted):
        return [found[name] for name in wanted]
    if len(found) != len(wanted):
        message = f"the gradient holds {sorted(found)}, the parameters hold {sorted(wanted)}"
        raise ValueError(f"{message}; write one entry for each")
    return list(found.values())


def _titles(params: Any, names: Sequence[str] | None) -> list[str]:
    found = [name for name, _ in leaves(params)]
    if names is not None and len(names) != len(found):
        raise ValueError(f"{len(names)} names for {len(found)} arrays: {', '.join(found)}")
    return found if names is None else list(names)


def _nudge(params: Any, seed: int) -> Any:
    """Return params times 1 ± 0.01, exact zeros moved by 0.01: off a kink, in the domain."""
    rng = np.random.default_rng(seed)

    def move(leaf: Array) -> Array:
        step = 0.01 * rng.standard_normal(leaf.shape)
        return np.where(leaf == 0, step, leaf * (1 + step))

    return transform(params, move)
