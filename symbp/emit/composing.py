"""What the public functions of a network are put together from: calls of sweeps, and seeds."""

from collections.abc import Sequence

from symbp.emit.fields import Fields
from symbp.emit.identifiers import Identifiers
from symbp.emit.looped import LoopedSweep
from symbp.emit.segmenting import Segmented, Turns
from symbp.emit.shapes import array_text, shape_tuple, type_text
from symbp.emit.sweeps import Function, Sweep
from symbp.emit.text import called, indented, wrapped
from symbp.ir import Expr, holder, is_holder, name_of, symbol
from symbp.lower.schedule import Schedule
from symbp.lower.sweeps import Entry


class Composer:
    """The sweeps of a network as code, and the statements that run them."""

    def __init__(self, schedule: Schedule, names: Identifiers) -> None:
        self.schedule, self.names, self.program = schedule, names, schedule.program
        self.fields = Fields(schedule.batch, names)
        lines = [line for sweep in schedule.sweeps.values() for line in sweep]
        self.looped = bool(self.program.families) or any(line.loops for line in lines)
        made = LoopedSweep if self.looped else Sweep
        self.sweeps = {name: made(schedule, name, self.fields) for name in schedule.sweeps}
        self.turns = [Turns(schedule, segment, self.fields) for segment in schedule.segments]
        for turns in self.turns:
            for name in ("primal", "adjoint"):
                code = Segmented(turns.segment, names, turns.call())
                self.sweeps[name].segmented[turns.segment.letter] = code
        batched = schedule.batched
        self.inputs = [batched(v) for v in self.program.inputs]
        self.consts = [batched(v) for v in self.program.consts]
        self.targets = [batched(v) for v in self.program.targets]
        self.output, self.loss = schedule.output, schedule.loss
        self.wrt_inputs = [batched(v) for v in self.program.inputs if v in self.program.wrt]
        self.by_loss = [e for e in schedule.entries.items() if e[1].by_loss]

    def name(self, var: Expr) -> str:
        """Return the name of what is given; of a family, that of all of it."""
        return self.names[holder(var)]

    @property
    def forward_data(self) -> list[Expr]:
        """What `forward` takes besides the parameters: the inputs, then the consts."""
        return [*self.inputs, *self.consts]

    @property
    def data(self) -> list[Expr]:
        """What `loss` takes besides the parameters: inputs, consts, targets."""
        return [*self.forward_data, *self.targets]

    def _function(
        self, name: str, arguments: Sequence[str], kind: str, doc: str, body: Sequence[str]
    ) -> Function:
        signature = wrapped(f"def {name}(", arguments, f") -> {kind}:")
        return Function(signature, doc, indented([x for line in body for x in line.split("\n")]))

    def _arguments(self, data: Sequence[Expr]) -> list[str]:
        typed = [f"{self.name(v)}: {family_or_type(v)}" for v in data]
        return ["params: ParamsLike", *typed]

    def _calls(
        self,
        sweeps: Sequence[str],
        wanted: Sequence[str] = (),
        *,
        still: bool = False,
        depth: int = 1,
        sparse: bool = False,
    ) -> list[str]:
        """Return the lines that run sweeps one after the other, keeping what is read later.

        `still` leaves out the tangents of the inputs; `depth` is how far the lines are indented;
        `sparse` runs loops in segments.
        """
        none = [self.name(self.schedule.dot(v)) for v in self.inputs] if still else []
        lines: list[str] = []
        read = set(wanted)
        for name in reversed(sweeps):
            sweep = self.sweeps[name]
            results = [self.names[v] for v in sweep.results]
            if name in ("adjoint", "adjoint_dot"):
                results = ["grad" if name == "adjoint" else "grad_dot"]
            if not read & {*results, *([sweep.keeper] if sweep.keeps else [])}:
                continue
            left = ", ".join(r if r in read else "_" for r in results)
            left = f"({left})" if sweep.keeps and len(results) > 1 else left
            if sweep.keeps:
                kept = sweep.keeper if sweep.keeper in read else "_"
                left = f"{left}, {kept}" if left else kept
            given = ["None" if argument in none else argument for argument in sweep.arguments()]
            segmented = sparse and name in ("primal", "adjoint") and self.turns
            given_all = [*given, "sparse=True"] if segmented else given
            lines.append("\n".join(called(left, name, given_all, depth)))
            read |= {*given} - {"None"}
        return lines[::-1]

    def _shape(self, var: Expr) -> str:
        loop = self.program.families.get(name_of(var)) if symbol(var).index else None
        if loop is None:
            return array_text(var, self.names)
        place, letter = self.names.place, self.names.letter(loop.letter)
        ends = f"{letter} = {place(loop.start)} .. {place(loop.stop)}"
        return f"{self.name(var)}[{letter}] {shape_tuple(var)}, {ends}"

    def _direct(self) -> list[str]:
        """Return what the loss adds directly to the gradients of parameters."""
        return [self._seed(e.seed, "") for v, e in self.by_loss if symbol(v).role == "param"]

    def _add_direct(self, suffix: str) -> list[str]:
        """Return the line that adds the penalties' gradients."""
        found = [(v, e) for v, e in self.by_loss if symbol(v).role == "param"]
        seeds = {self.schedule.batched(v): self._seed(e.seed, suffix) for v, e in found}
        return self.fields.added(f"grad{suffix}", seeds)

    def _seed(self, seed: Expr, suffix: str) -> str:
        batched = self.schedule.batched(seed)
        return self.names[self.schedule.dot(batched) if suffix else batched]

    def _with_zeros(self, body: list[str], *, by_loss: bool) -> list[str]:
        """Give zero to the entries of the adjoint sweep that this function has no seed for."""
        made = []
        for var, entry in self.schedule.entries.items():
            if var in self.program.given or (entry.by_loss if by_loss else entry.by_output):
                continue
            seed, value = self.names[self.schedule.batched(entry.seed)], self.schedule.batched(var)
            if is_holder(entry.seed):
                made.append(f"{seed}: Members = {{}}")
                continue
            made.append(f"{seed} = np.zeros_like({self._value(value)})")
        place = next((k for k, line in enumerate(body) if "_adjoint(" in line), len(body))
        if any("tape[" in line for line in made):
            body = [line.replace(", _ = _primal(", ", tape = _primal(") for line in body]
        return [*body[:place], *made, *body[place:]]

    def _value(self, value: Expr) -> str:
        """Return the code of a value; where nothing reads it, of one of its shape, or of a zero."""
        tape = self.schedule.kept["tape"]
        alike = [v for v in (self.output, *tape) if _is_shaped_as(v, value)]
        if value is self.output or (value not in tape and self.output in alike):
            return self.names[self.output]
        found = value if value in tape else next(iter(alike), None)
        return "np.float64(0)" if found is None else f"tape[{tape.index(found)}]"

    def _head_direct(self) -> list[str]:
        """Return the lines that add what the head gives directly to what is given."""
        seeds = {v: self._seed(e.seed, "") for v, e in self._by_head()}
        params = {v: seed for v, seed in seeds.items() if symbol(v).role == "param"}
        made = self.fields.added("grad", {self.schedule.batched(v): params[v] for v in params}, 2)
        others = [v for v in seeds if v not in params]
        return made + [f"{self._bar(v)} = {self._bar(v)} + {seeds[v]}" for v in others]

    def _by_head(self) -> list[tuple[Expr, Entry]]:
        """Return what is given that the head reads directly."""
        entries = self.schedule.entries.items()
        return [(v, e) for v, e in entries if e.by_output and v in self.program.given]

    def _bar(self, var: Expr) -> str:
        return self.name(self.schedule.batched(self.schedule.bar(var)))


def family_or_type(var: Expr) -> str:
    """Return the type of an argument."""
    return "Family" if symbol(var).index else type_text(var)


def _is_shaped_as(one: Expr, other: Expr) -> bool:
    return one.shape == other.shape and symbol(one).batched == symbol(other).batched
