"""The derived variances held against those of the emitted module, layer by layer.

Networks are drawn again and again by the module's own `init_params`, run on standard normal inputs,
and watched: every value and every derivative, one row an example.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbp.api import Derivation
from symbp.derive.dense import Wanted
from symbp.errors import SymbpError
from symbp.figures import Curve
from symbp.initialization import of_derivation, resolved
from symbp.ir import Expr, name_of, size_symbol, size_value, symbol
from symbp.moments.numbers import Number, numbers
from symbp.moments.travel import Travel
from symbp.pipeline import compile_module, derive
from symbp.program import Init, Program
from symbp.variances import STAY_EQUAL

Array = NDArray[Any]
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Draws:
    """How often networks are drawn, and what they are run on.

    seeds: networks drawn, from `seed` on.  examples: inputs each is run on.  dtype: of the
    arithmetic.  given: numbers for scalar consts, by name.
    """

    seeds: int = 10
    examples: int = 100
    seed: int = 0
    dtype: str = "float64"
    given: Mapping[str, float] = field(default_factory=dict)

    def check(self) -> None:
        """Raise SymbpError where there is nothing to draw."""
        for name, value in (("--seeds", self.seeds), ("--examples", self.examples)):
            if value < 1:
                raise SymbpError(f"{name} {value}: nothing is drawn", "write a whole number from 1")


@dataclass(frozen=True)
class Layer:
    """A line's moments, derived and measured over networks, examples and entries.

    name: the line, or `∂name` for the derivative by it.  layer: which pre-activation it belongs to,
    from 1.  error: the standard error of the measured second moment over the networks; nan for one.
    """

    name: str
    layer: int
    backward: bool
    fresh: bool
    derived: Number
    measured: Number
    error: float

    @property
    def ratio(self) -> float:
        """Measured over derived, of the second moment."""
        known = math.isfinite(self.derived.second) and self.derived.second > 0
        return self.measured.second / self.derived.second if known else math.nan

    def cells(self) -> tuple[str, ...]:
        """Return the row of a table: name, layer, derived, measured, standard error, ratio."""
        numbers = (self.derived.second, self.measured.second, self.error)
        return (self.name, str(self.layer), *(f"{n:.4g}" for n in numbers), f"{self.ratio:.3f}")


@dataclass(frozen=True)
class Simulation:
    """What was derived and measured for one way to draw the weights."""

    label: str
    layers: tuple[Layer, ...]

    def warnings(self) -> list[str]:
        """Return what a reader must know: where numbers end, and what stays equal."""
        made = []
        for layer in self.layers:
            if not math.isfinite(layer.measured.second):
                derived = f"; derived is {layer.derived.second:.3g}"
                made.append(f"{layer.name} overflows, and all that reads it{derived}")
                break
        if any(layer.fresh and not layer.measured.second for layer in self.layers):
            made.append(f"weights {STAY_EQUAL}")
        return made

    def curve(self) -> Curve:
        """Return what a picture shows: activations forward, pre-activations' derivatives backward.

        The activation of a layer is what its pre-activation becomes, or that itself.
        """
        ahead: dict[int, Layer] = {}
        for one in self.layers:
            before = ahead.get(one.layer)
            if one.layer and not one.backward and (before is None or before.fresh > one.fresh):
                ahead[one.layer] = one
        back = {one.layer: one for one in self.layers if one.backward and one.fresh}
        sides = [
            (list(side), [one.measured.variance for one in side.values()],
             [one.derived.variance for one in side.values()])
            for side in (ahead, dict(sorted(back.items())))
        ]  # fmt: skip
        return Curve(self.label, *sides[0], *sides[1])


def simulate(
    program: Program,
    draws: Draws,
    spreads: Sequence[float] = (),
    progress: Progress = lambda text: None,
) -> tuple[Simulation, ...]:
    """Return what is derived and measured, once for each variance of the weights, or as the spec.

    Raises SymbpError where the program's sizes have no numbers.
    """
    draws.check()
    sizes = known_sizes(program)
    given = _given(program, draws)
    progress("deriving")
    derivation = derive(program)
    found = of_derivation(derivation).found
    derivation = replace(derivation, program=resolved(derivation.program, derivation))
    made = []
    for spread in spreads or (None,):
        mine = derivation if spread is None else _drawn_with(derivation, spread)
        label = "as the spec says" if spread is None else f"variance {spread:g}"
        travel = replace(found, program=mine.program)
        progress(f"emitting the module, {label}")
        module = compile_module(mine, wanted=Wanted(watch=True))
        sums = _measured(module, mine.program, draws, partial(_network, progress, label))
        made.append(Simulation(label, tuple(_layers(travel, sizes, given, sums, draws))))
    return tuple(made)


def _network(progress: Progress, label: str, k: int) -> None:
    progress(f"network {k}, {label}")


def known_sizes(program: Program) -> dict[str, int]:
    """Return the numbers of the program's sizes; raise SymbpError where one has none."""
    if program.is_looped:
        what = f"the length {', '.join(program.lengths)} is no number"
        raise SymbpError(what, f"write `--set {program.lengths[0]}=50`")
    missing = [name for name, value in program.sizes.items() if value is None]
    if missing:
        what = f"the size {missing[0]} has no number"
        raise SymbpError(what, f"write `--set {missing[0]}=100`")
    return {name: int(value) for name, value in program.sizes.items() if value is not None}


def _given(program: Program, draws: Draws) -> dict[str, Number]:
    """Return the moments of what the module is run on; raise SymbpError for an open number."""
    made = {name_of(v): Number(0.0, 1.0) for v in program.inputs}
    made |= {name_of(v): Number(0.0, 0.0) for v in program.targets}
    for var in program.consts:
        if not var.rank and name_of(var) not in draws.given:
            what = f"the const {name_of(var)} has no number"
            raise SymbpError(what, f"write `--at {name_of(var)}=0.1`")
        made[name_of(var)] = Number(0.0, 1.0)
    unknown = sorted(draws.given.keys() - {name_of(v) for v in program.consts if not v.rank})
    if unknown:
        what = f"--at {unknown[0]}: {program.name} has no scalar const of that name"
        raise SymbpError(
            what, "inputs are drawn, targets are zero, parameters are as the spec says"
        )
    return made


def _drawn_with(derivation: Derivation, spread: float) -> Derivation:
    """Return a derivation whose weight matrices are drawn with a variance."""
    program = derivation.program
    init = Init("normal", Fraction(repr(spread)))
    inits = dict(program.inits) | {name_of(v): init for v in program.params if v.rank == 2}
    return replace(derivation, program=replace(program, inits=inits))


def data_of(program: Program, draws: Draws, rng: np.random.Generator) -> tuple[Array, ...]:
    """Return inputs, consts and targets as the module's functions take them."""
    sizes = {size_symbol(name): value for name, value in known_sizes(program).items()}

    def shape(var: Expr) -> tuple[int, ...]:
        return tuple(int(size_value(dim, sizes)) for dim in var.shape)

    def normal(*axes: int) -> Array:
        return np.asarray(rng.standard_normal(axes), draws.dtype)

    found = [normal(draws.examples, *shape(v)) for v in program.inputs]
    for var in program.consts:
        value = draws.given.get(name_of(var))
        found.append(normal(*shape(var)) if value is None else np.asarray(value, draws.dtype))
    for var in program.targets:
        axes = (draws.examples, *shape(var))
        if symbol(var).encoding == "one_hot":
            found.append(rng.integers(0, axes[-1], axes[:-1]))
        else:
            found.append(np.zeros(axes, draws.dtype))
    return tuple(found)


def _measured(
    module: ModuleType, program: Program, draws: Draws, progress: Callable[[int], None]
) -> dict[str, list[Number]]:
    """Return the moments of every array that the module can be watched for, of each network."""
    many = draws.examples if program.reduction == "mean" else 1
    found: dict[str, list[Number]] = {}
    for k in range(draws.seeds):
        progress(k + 1)
        rng = np.random.default_rng(draws.seed + k)
        params = module.init_params(rng, draws.dtype)
        with np.errstate(all="ignore"):
            watched = module.watch(params, *data_of(program, draws, rng))
            for name, values in watched.items():
                scaled = np.asarray(values, np.float64) * (many if name.endswith("_bar") else 1)
                number = Number(float(np.mean(scaled)), float(np.mean(scaled**2)))
                found.setdefault(name, []).append(number)
    return found


def _layers(
    found: Travel,
    sizes: Mapping[str, int],
    given: Mapping[str, Number],
    sums: Mapping[str, Sequence[Number]],
    draws: Draws,
) -> Iterator[Layer]:
    """Yield each line with what is derived and measured, forward and then backward."""
    start = None if found.start is None else sums.get(_key(found.start, sums))
    seed = None if start is None else _pooled(start)
    derived = numbers(found, sizes, given, seed=seed, fixed=draws.given)
    layer, place = 0, dict[str, int]()
    for line in found.forward:
        fresh = bool(found.knowledge.known(line.target).products)
        layer += fresh
        name = symbol(line.target).name
        place[name] = layer
        measured = sums.get(_key(line.target, sums), ())
        if measured:
            yield _layer(name, (layer, False, fresh), derived[name], measured)
    for line in found.backward:
        of = symbol(line.target).of
        measured = sums.get(_key(line.target, sums), ())
        fresh = bool(found.knowledge.known(_forward(found, of)).products)
        if measured:
            own = derived[symbol(line.target).name]
            yield _layer(f"∂{of}", (place.get(of, 0), True, fresh), own, measured)


def _forward(found: Travel, name: str) -> Expr:
    return next(line.target for line in found.forward if symbol(line.target).name == name)


def _layer(
    name: str, where: tuple[int, bool, bool], derived: Number, measured: Sequence[Number]
) -> Layer:
    seconds = np.array([one.second for one in measured])
    largest = max(float(np.max(seconds)), np.finfo(float).tiny)  # its square might overflow
    with np.errstate(all="ignore"):
        spread = float(np.std(seconds / largest, ddof=1)) if len(seconds) > 1 else math.nan
    error = spread * largest / math.sqrt(len(seconds))
    return Layer(name, *where, derived, _pooled(measured), error)


def _pooled(measured: Sequence[Number]) -> Number:
    """Return the moments over all networks."""
    with np.errstate(all="ignore"):
        return Number(
            float(np.mean([one.mean for one in measured])),
            float(np.mean([one.second for one in measured])),
        )


def _key(var: Expr, sums: Mapping[str, Any]) -> str:
    """Return the name that the module gives to a line: the line's own, `lambda_` for `lambda`."""
    name = symbol(var).name
    return name if name in sums else f"{name}_"
