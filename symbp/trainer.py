"""Training a program: derive, compile, hold the data against it, and run the loop."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from symbp.causes import Causes
from symbp.errors import SymbpError, printable
from symbp.fields import check_trainable, fields, judged, module_sizes, read_sizes
from symbp.pipeline import Declared as Declared
from symbp.pipeline import compile_module, derive
from symbp.pipeline import read_program as read_program
from symbp.program import Program
from symbp.spec.glyphs import plain_name
from symbp.training import states
from symbp.training.data import Array, Field, fitted, read, split
from symbp.training.loop import History, Loop, State
from symbp.training.model import Model
from symbp.training.options import Options
from symbp.training.parameters import KIND, check_target, save
from symbp.training.watch import Cause, Watch

Report = Callable[[State, list[str]], None]


@dataclass(frozen=True)
class Files:
    """Where a run goes: its parameters, and its state after every epoch, None for nowhere.

    resume: where it comes from; its state goes there too unless `state` is another.  spare: where
    the state goes at an interrupt that would lose it.  force: files that are not ours, and states
    of other runs, may be overwritten.
    """

    output: Path | None = None
    state: Path | None = None
    resume: Path | None = None
    force: bool = False
    spare: Path | None = None

    @property
    def kept(self) -> Path | None:
        """The file of the state."""
        return self.state or self.resume

    def check(self, *read: Path) -> None:
        """Raise SymbpError where a file would be harmed, above all one that is read."""
        written = [path.absolute() for path in (self.output, self.kept) if path is not None]
        for place in {path.absolute() for path in read} & {*written}:
            what = f"{printable(place.name)} is read by this run and cannot be written by it"
            raise SymbpError(what, "choose another name")
        if len(written) > len({*written}):
            what = f"{printable(written[0].name)} cannot hold both the parameters and the state"
            raise SymbpError(what, "give --state and --output two names")
        if self.output is not None:
            check_target(self.output, KIND, self.force)
        if self.kept is not None and self.kept != self.resume:
            states.check_new(self.kept, self.force)

    def rescue(self, loop: Loop, state: State) -> None:
        """Keep the state at an interrupt, where nothing else does."""
        if self.kept is None and self.spare is not None and state.epoch:
            states.save(self.spare, loop, state)

    def holding(self) -> Path | None:
        """Return the file that holds a state, None where there is none."""
        paths = (self.kept, self.spare) if self.kept is None else (self.kept,)
        return next((path for path in paths if path is not None and path.exists()), None)


NOWHERE = Files()
"""Nothing is written."""


@dataclass(frozen=True)
class Run:
    """What a run has come to.

    params: the module's Params.  history: a number an epoch, under "training", "holdout" and, for
    classes, "training accuracy" and "holdout accuracy"; losses are those of one example, on
    average.  gradients: the root mean square of each parameter's gradient, `(epochs, parameters)`.
    """

    params: Any
    history: History
    module: ModuleType
    gradients: Array
    warnings: tuple[str, ...] = ()

    @property
    def losses(self) -> History:
        """The history without accuracies."""
        return {
            name: self.history[name] for name in ("training", "holdout") if name in self.history
        }

    def save(self, path: Path | str, *, force: bool = False) -> None:
        """Write the parameters as an `.npz` file, one array each by its name in the spec."""
        save(path, self.module, self.params, force)


@dataclass(frozen=True)
class Training:
    """A run that is ready: nothing is wrong with spec, data, options or state."""

    loop: Loop
    state: State
    watch: Watch

    def run(self, report: Report | None = None, files: Files = NOWHERE) -> Run:
        """Run the epochs that are left; after each its state is written.

        report: called after each epoch with the state and what is to be warned of.
        """
        state, said = self.state, []
        try:
            for state in self.loop.epochs(self.state):
                if files.kept is not None:
                    states.save(files.kept, self.loop, state, files.force)
                found = self.watch.warnings(state.gradients)
                said += found
                if report is not None:
                    report(state, found)
        except KeyboardInterrupt:
            files.rescue(self.loop, state)
            raise
        params = self.loop.model.params(state.point.theta)
        module = self.loop.model.module
        return Run(params, state.history, module, state.gradients, tuple(said))


def prepare(
    program: Program,
    data: Mapping[str, Any] | Path | str,
    given: Mapping[str, Any],
    resume: Path | None = None,
    cause: Cause | None = None,
) -> Training:
    """Return a run that is ready, new or going on from a file; raise SymbpError where it cannot.

    given: options by their names.  data: arrays by the names of inputs, consts and targets.
    cause: says why a gradient vanishes or explodes, by default from the variances at the start.
    """
    saved = None if resume is None else states.load(resume)
    options = Options.of(given, None if saved is None else saved.options)
    check_trainable(program)
    arrays = _arrays(data)
    sizes = read_sizes(program, arrays)
    whole = fitted(arrays, fields(program, sizes), options.dtype)
    whole.check_batch(options.batch)
    part, held = split(whole, options.holdout, options.seed)
    part.check_batch(options.batch)
    module = compile_module(derive(program))
    asked, summed = module_sizes(module, sizes), program.reduction == "sum"
    model = Model(module, asked, summed, judged(program, arrays))
    loop = Loop(model, part, held, options)
    cause = cause or Causes(program, sizes)
    if saved is None or resume is None:
        return Training(loop, loop.start(), Watch.of(model, cause))
    states.check_same(resume, saved, loop)
    return Training(loop, saved.state, Watch.of(model, cause))


def random_data(program: Program, examples: int, seed: int = 0) -> dict[str, Array]:
    """Return data that tell nothing, as those of figure 7.8: standard normal, classes even.

    Raises SymbpError for no example, and where a size has no number.
    """
    if examples < 1:
        what = f"{examples} random examples are none"
        raise SymbpError(what, "write a whole number from 1, as `--random 100`")
    Options.of({"seed": seed})
    check_trainable(program)
    rng = np.random.default_rng((seed, examples))
    found = fields(program, read_sizes(program, {}))
    try:
        return {one.name: _drawn(one, examples, rng) for one in found}
    except (MemoryError, ValueError) as error:  # NumPy's, for what no memory and no index holds
        what = f"{examples} random examples do not fit into memory"
        raise SymbpError(what, "write a smaller number, as `--random 100`") from error


def _drawn(field: Field, examples: int, rng: np.random.Generator) -> Array:
    shape = (examples, *field.dims) if field.batched else field.dims
    normal = rng.standard_normal(shape)
    return normal if field.classes is None else rng.integers(0, field.classes, shape)


def _arrays(data: Mapping[str, Any] | Path | str) -> dict[str, Array]:
    found = data if isinstance(data, Mapping) else read(Path(data))
    return {plain_name(name): np.asarray(array) for name, array in found.items()}


def train(
    program: Program,
    data: Mapping[str, Any] | Path | str,
    *,
    resume: Path | str | None = None,
    state: Path | str | None = None,
    report: Report | None = None,
    cause: Cause | None = None,
    **options: Any,
) -> Run:
    """Return a run of gradient descent on a program's loss, by default that of 001, figure 7.8.

    data: arrays by the names of the program's inputs, consts and targets, or an `.npz` file of
    them.  options: `epochs`, `batch`, `optimizer` ("sgd" or "adam"), `rate`, `momentum`,
    `decay_every`, `decay`, `seed`, `holdout`, `dtype`; see `training.options.Options`.
    state: a file that has the state after each epoch; resume: one to go on from, kept on unless
    `state` is another.  cause: says why a parameter's gradient vanishes or explodes, by
    default from the derived variances.
    """
    files = Files(state=_path(state), resume=_path(resume))
    files.check()
    return prepare(program, data, options, files.resume, cause).run(report, files)


def _path(path: Path | str | None) -> Path | None:
    return None if path is None else Path(path)
