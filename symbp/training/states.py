"""States in files: a run goes on where it was, or is refused; no pickle."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbp.errors import SymbpError, printable
from symbp.files import write_whole
from symbp.training.data import read
from symbp.training.loop import Loop, State, rng_of
from symbp.training.model import Model
from symbp.training.optimisers import Point
from symbp.training.options import Options
from symbp.training.parameters import check_target, packed

Array = NDArray[Any]

KIND = "the state of a run"


@dataclass(frozen=True)
class Saved:
    """What a file of a state holds: besides the state, what the run is of."""

    state: State
    options: Options
    spec: str
    shapes: str
    data: str


def save(path: Path, loop: Loop, state: State, force: bool = False) -> None:
    """Write the state of a run, whole or not at all."""
    arrays = {
        "theta": state.point.theta,
        **{f"moment_{k}": moment for k, moment in enumerate(state.point.moments)},
        "steps": np.array(state.point.steps),
        "epoch": np.array(state.epoch),
        "gradients": state.gradients,
        "rng": np.array(state.rng),
        "history": np.array(json.dumps(state.history)),
        "options": np.array(json.dumps(asdict(loop.options))),
        **{name: np.array(text) for name, text in _of(loop).items()},
    }
    write_whole(path, packed(arrays, KIND), force)


def check_new(path: Path, force: bool = False) -> None:
    """Raise SymbpError where a new run cannot keep its state: so an old one would be lost too."""
    check_target(path, KIND, force)
    if path.exists() and not force:
        shown = printable(str(path))
        what = f"{shown} holds the state of a run, which a new one would overwrite"
        raise SymbpError(what, f"`--resume {shown}` goes on with it, --force begins anew")


def load(path: Path) -> Saved:
    """Return what a file holds that `save` wrote; raise SymbpError where it is none."""
    arrays = read(path)
    try:
        return _saved(arrays)
    except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
        raise _no_state(path) from error


def _no_state(path: Path) -> SymbpError:
    what = f"{printable(str(path))} holds no state of a run"
    return SymbpError(what, "`symbp train … --state FILE` writes one")


def _saved(arrays: Mapping[str, Array]) -> Saved:
    def told(name: str) -> Any:
        return json.JSONDecoder().decode(str(arrays[name][()]))

    options = Options(**told("options"))
    theta, epoch = arrays["theta"], int(arrays["epoch"])
    usual = options.optimiser().start(theta)
    moments = tuple(arrays[f"moment_{k}"] for k in range(len(usual.moments)))
    point = Point(theta, moments, int(arrays["steps"]))
    history = {str(name): tuple(map(float, row)) for name, row in told("history").items()}
    rng_of(str(arrays["rng"][()]))
    state = State(point, str(arrays["rng"][()]), epoch, history, arrays["gradients"])
    lengths = {epoch, len(state.gradients), len(history["training"]), *map(len, history.values())}
    if len(lengths) > 1 or {a.shape for a in (theta, *moments)} != {(theta.size,)}:
        raise ValueError("its arrays do not belong together")
    if any(a.dtype.kind != "f" for a in (theta, *moments, state.gradients)):
        raise ValueError("its arrays are not real numbers")
    return Saved(state, options, *(str(arrays[name][()]) for name in ("spec", "shapes", "data")))


def check_same(path: Path, saved: Saved, loop: Loop) -> None:
    """Raise SymbpError where a state is of another spec, other sizes or other data."""
    for name, text in _of(loop).items():
        if getattr(saved, name) != text:
            what = f"{printable(str(path))} is the state of a run on {_SAYS[name]}"
            raise SymbpError(what, "go on with what it began with, or begin a new run")
    start, state = loop.start(), saved.state
    if state.point.theta.shape != start.point.theta.shape or state.gradients.ndim != 2:
        raise _no_state(path)


_SAYS = {"spec": "another spec", "shapes": "parameters of other sizes", "data": "other data"}


def _of(loop: Loop) -> dict[str, str]:
    """Return what a run is of, as text."""
    return {
        "spec": loop.model.module.SPEC_SHA256,
        "shapes": _shapes(loop.model),
        "data": loop.data.digest() + (loop.held.digest() if loop.held else ""),
    }


def _shapes(model: Model) -> str:
    moving = dict(zip(model.shapes, model.moving, strict=True))
    return json.dumps([[name, *shape, moving[name]] for name, shape in model.shapes.items()])
