"""The schedule of a module: batched sweeps, and what each hands on to the next.

tape       what the primal sweep keeps for later sweeps, inputs among it
saved      what the loss keeps                      bars    what the adjoint sweep keeps
tape_dot   what the tangent sweep keeps             saved_dot    what the loss's tangent keeps
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property

from symbp.derive.derivation import Derivation
from symbp.derive.forward import bar, dot
from symbp.errors import SymbpError
from symbp.ir import Expr, Variable, holder, is_holder, name_of, symbol, variables
from symbp.lower.aliases import without_aliases
from symbp.lower.batch import Batch
from symbp.lower.carried import carried
from symbp.lower.reads import is_number, reads
from symbp.lower.returned import gradients_early, kept_names, pruned
from symbp.lower.sections import sections
from symbp.lower.segments import Segment, segments
from symbp.lower.settle import localised
from symbp.lower.share import share
from symbp.lower.sweeps import BEFORE, Entry, Sweeps
from symbp.ops.rewrite import rename, resize
from symbp.program import Binding, Program

KEEPERS = {
    "primal": "tape",
    "loss": "saved",
    "tangent": "tape_dot",
    "loss_dot": "saved_dot",
    "loss_bar": "loss_bars",
    "adjoint": "bars",
}
"""The sweeps that keep values for later ones, and the name of what each keeps."""


@dataclass(frozen=True)
class Schedule:
    """Everything the emitter writes down, for a batch, at the program's sizes.

    sweeps: the lines of each sweep.  kept: for `tape`, `saved`, … the variables in it.
    single_output, single_loss: their variables for one example.
    entries: where the shared adjoint sweep is entered.  lacking: the adjoints of families that are
    filled with zeros there.  carried: the names that a loop hands from turn to turn.
    segments: the loops that are run in segments, where that is asked for.
    """

    program: Program
    batch: Batch
    sweeps: Sweeps
    kept: dict[str, tuple[Expr, ...]]
    single_output: Expr
    single_loss: Expr | None
    entries: dict[Expr, Entry]
    lacking: tuple[Expr, ...] = ()
    carried: Collection[str] = ()
    segments: tuple[Segment, ...] = ()

    @property
    def output(self) -> Expr:
        """The output of the whole batch."""
        return self.batched(self.single_output)

    @property
    def loss(self) -> Expr | None:
        """The loss of the whole batch."""
        return None if self.single_loss is None else self.batched(self.single_loss)

    def batched(self, var: Expr) -> Expr:
        """Return the variable that holds a variable of the derivation for the whole batch."""
        return self.batch.name(var)

    def dot(self, var: Expr) -> Expr:
        """Return the tangent's variable of a batched variable."""
        return dot(var)

    def bar(self, var: Expr) -> Expr:
        """Return the adjoint's variable of a batched variable."""
        return bar(var)

    def is_output(self, var: Expr) -> bool:
        """Tell whether a variable is the output or its tangent."""
        return var in (self.output, self.batched(dot(self.single_output)))

    @cached_property
    def values(self) -> dict[str, Expr]:
        """The variables of the forward pass for the batch by name: what is given, and the lines."""
        lines = [*self.sweeps["primal"], *self.sweeps["loss"]]
        every = [*map(self.batched, self.program.given), *(line.target for line in lines)]
        return {name_of(v): v for v in every}

    def model(self, var: Expr) -> Expr | None:
        """Return the value of a tangent or an adjoint, which has its shape and type."""
        known = self.values
        name = symbol(var).of or name_of(var)
        if symbol(var).role not in ("tangent", "adjoint"):
            return None
        while (name not in known or not _is_alike(known[name], var)) and "_" in name:
            name = name.rpartition("_")[0]
        found = known.get(name)
        if found is None or not _is_alike(found, var):
            return None
        return rename(found, dims=var.shape, index=symbol(var).index)

    def typed_like(self, line: Binding) -> Expr | None:
        """Return an array whose type a line of one number takes, if possible in its shape."""
        if not is_number(line):
            return None
        return self.model(line.target) or self._anchor

    @property
    def _anchor(self) -> Expr:
        """The first parameter, of a family its first member."""
        first = self.program.params[0]
        family = self.program.families.get(name_of(first))
        return self.batched(resize(first, {family.letter: family.start}) if family else first)

    @cached_property
    def real(self) -> set[Expr]:
        """The values of the forward pass that no parameter moves: always real."""
        given = (*self.program.inputs, *self.program.targets, *self.program.consts)
        found = set(map(self.batched, given))
        for line in (*self.sweeps["primal"], *self.sweeps["loss"]):
            if symbol(line.target).index:
                continue
            if all(v in found for v in variables(line.expr) if symbol(v).role != "weight"):
                found.add(line.target)
        return found

    def group(self, name: str) -> tuple[Expr, ...]:
        """Return all variables of a group, in order."""
        params = [self.batched(v) for v in self.program.params]
        if name == "params":
            return tuple(map(holder, params))
        if name == "params_dot":
            return tuple(holder(dot(v)) for v in params)
        return self.kept[name]

    def always(self, sweep: str) -> list[Expr]:
        """Return the plain arguments that a sweep has whether it reads them or not."""
        given = self.program.given
        if sweep == "primal":
            return [holder(self.batched(v)) for v in (*self.program.inputs, *self.program.consts)]
        if sweep == "adjoint":
            known = set(map(holder, given))
            return [self.batched(e.seed) for v, e in self.entries.items() if holder(v) not in known]
        if sweep == "adjoint_dot":
            seeds = [e.seed for v, e in self.entries.items() if is_holder(v) and e.by_loss]
            return [dot(seed) for seed in seeds]
        return []

    def results(self, sweep: str) -> list[Expr]:
        """Return what a sweep's function returns besides what it keeps."""
        output, loss, params = self.single_output, self.single_loss, self.program.params
        if sweep in ("loss", "loss_dot") and loss in (None, output):
            return []
        seeds = {
            "loss_bar": [e.seed for e in self.entries.values() if e.by_loss],
            "head_bar": [
                e.seed for v, e in self.entries.items() if e.by_output and v is not output
            ],
        }
        if loss is None:
            seeds["loss_bar"] = []
        still = [e.seed for v, e in self.entries.items() if v in self.program.inputs]
        seeds["loss_bar_dot"] = [dot(seed) for seed in seeds["loss_bar"] if seed not in still]
        found: dict[str, list[Expr | None]] = {
            "primal": [output],
            "loss": [loss],
            "tangent": [dot(output)],
            "loss_dot": [dot(loss)] if loss is not None else [],
            "adjoint": [bar(v) for v in params],
            "adjoint_dot": [dot(bar(v)) for v in params] if loss is not None else [],
            "inputs_bar": [bar(v) for v in self.program.inputs],
        }
        wanted = seeds[sweep] if sweep in seeds else found.get(sweep, [])
        return [holder(self.batched(v)) for v in wanted if v is not None]

    def reads(self, sweep: str) -> list[Expr]:
        """Return what a sweep reads and does not make itself, in the order of reading."""
        found = reads(self.sweeps[sweep])
        if sweep == "adjoint":
            again = dict.fromkeys(v for segment in self.segments for v in segment.needs)
            return [*found, *(v for v in again if v not in found)]
        if sweep != "inputs_bar":
            return found
        made = {holder(line.target) for line in self.sweeps["adjoint"]}
        own = dict.fromkeys(holder(line.target) for line in self.sweeps[sweep])
        return [*found, *(v for v in own if v in made and is_holder(v) and v not in found)]

    def models(self, sweep: str) -> list[Expr]:
        """Return the values whose shape and type an array of one number takes, in a sweep."""
        lines = self.sweeps[sweep]
        typed = [v for line in lines if (v := self.typed_like(line)) is not None]
        return [*typed, *self.begun_like(sweep)]

    def begun_like(self, sweep: str) -> list[Expr]:
        """Return the values whose zeros plain adjoints, or their tangents, begin with in a loop."""
        lines = self.sweeps[sweep] if "bar" in sweep or "adjoint" in sweep else ()
        targets = (line.target for line in lines if line.adds)
        plain = [v for v in targets if not symbol(v).index]
        return [v for one in plain if (v := self.model(one)) is not None]

    def half_entered(self) -> list[Expr]:
        """Return the lines that some function enters with an adjoint of zeros."""
        entries = [(v, e) for v, e in self.entries.items() if v not in self.program.given]
        half = [v for v, e in entries if not (e.by_loss and e.by_output)]
        return [self.batched(v) for v in half if v is not self.single_output]


def schedule(derivation: Derivation, *, sparse: bool = False) -> Schedule:
    """Return the schedule of a derivation.

    sparse: loops are run in segments, which the reverse sweep runs again.  Raises SymbpError where
    no loop has values that could be worked out again.
    """
    cut = sections(derivation)
    program = cut.program
    batch = Batch(program)
    loss = None
    if program.loss is not None:
        own = name_of(program.loss)
        loss = next(b.target for b in (*cut.primal, *cut.loss) if b.name == own)
    output = cut.output
    if loss is not None and output is program.loss:
        output = loss
    kept = kept_names(program, cut, output, loss)
    taken = {name_of(v) for v in program.given} | {b.name for _, ls in cut.named() for b in ls}
    sweeps = share({name: batch.lines(lines) for name, lines in cut.named()}, taken, kept)
    sweeps = without_aliases(pruned(sweeps, cut, program, batch), kept)
    sweeps = {name: gradients_early(lines, program) for name, lines in sweeps.items()}
    sweeps = localised(sweeps, kept | {name_of(v) for v in cut.lacking}, taken)
    handed = carried(sweeps, kept | {name_of(v) for v in cut.lacking})
    made = Schedule(program, batch, sweeps, {}, output, loss, cut.entries, cut.lacking, handed)
    if sparse:
        lasting = kept | set(handed)
        for var in cut.lacking:  # filled with zeros in the shapes of all members
            lasting |= {name_of(var), symbol(var).of}
        made = replace(made, segments=segments(sweeps, lasting))
        if not made.segments:
            what = f"no loop of {program.name} has values that could be worked out again"
            raise SymbpError(what, "leave out --checkpoint")
    return replace(made, kept=_keeps(made))


def _keeps(schedule: Schedule) -> dict[str, tuple[Expr, ...]]:
    """Return what each sweep keeps for later ones."""
    sweeps, batch = schedule.sweeps, schedule.batch
    named = {schedule.output, schedule.batched(dot(schedule.single_output))}
    order = {name_of(v): k for k, v in enumerate(batch.program.given)}
    kept: dict[str, tuple[Expr, ...]] = {}
    for sweep, name in KEEPERS.items():
        wanted: set[Expr] = set()
        for other in sweeps:
            if sweep in (*BEFORE[other], *AFTER_ALL.get(other, ())):
                found = {*schedule.reads(other), *map(holder, schedule.models(other))}
                found -= _made_before(other, sweep, sweeps)
                wanted |= found - named if other in ABOUT_LOSS else found
        wanted |= set(schedule.half_entered()) if sweep == "primal" else set()
        own = dict.fromkeys(holder(b.target) for b in sweeps[sweep] if holder(b.target) in wanted)
        given = [v for v in wanted if _is_given(v)] if sweep == "primal" else []
        given.sort(key=lambda v: order[name_of(v)])
        kept[name] = (*given, *own)
    return kept


def _made_before(other: str, sweep: str, sweeps: Sweeps) -> set[Expr]:
    """Return what a sweep gets from elsewhere than a sweep that runs for its sake only."""
    if sweep not in AFTER_ALL.get(other, ()):
        return set()
    return {holder(line.target) for before in BEFORE[other] for line in sweeps[before]}


AFTER_ALL = {"loss_bar_dot": ("loss_dot",)}
"""The tangents that the loss has beyond the output's run for a sweep only where it reads them."""

ABOUT_LOSS = ("loss", "loss_dot", "loss_bar", "head_bar", "loss_bar_dot")
"""The sweeps that are given the output, and its tangent, by name."""


def _is_alike(found: Expr, var: Expr) -> bool:
    """Tell whether a value has the shape of a variable, or a family members of its rank."""
    if symbol(found).index or symbol(var).index:
        return found.rank == var.rank and len(symbol(found).index) == len(symbol(var).index)
    return found.shape == var.shape


def _is_given(var: Expr) -> bool:
    return isinstance(var.op, Variable) and symbol(var).role in ("input", "const")
