"""The public functions of a network's module: they compose the sweeps, and hold no formula."""

from collections.abc import Sequence

from symbp.emit.fields import Fields
from symbp.emit.guards import guard_like, optional_guard
from symbp.emit.identifiers import Identifiers
from symbp.emit.looped import LoopedSweep
from symbp.emit.segmenting import Segmented, Turns
from symbp.emit.shapes import array_text, shape_tuple, type_text
from symbp.emit.sweeps import Function, Sweep
from symbp.emit.text import broken, called, documented, indented, tuple_text, wrapped
from symbp.ir import Expr, holder, is_holder, name_of, symbol
from symbp.lower.schedule import Schedule
from symbp.lower.sweeps import Entry


class Network:
    """Everything callable in the module of a network."""

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

    def functions(self) -> list[tuple[str, Function]]:
        """Return the public functions in the order of the module."""
        made = [("forward", self.forward())]
        if self.loss is not None:
            made += [("loss", self.loss_function()), ("loss_and_grad", self.loss_and_grad())]
            made += [(f"grad_{self.name(v)}", self.grad_input(v)) for v in self.wrt_inputs]
        made += [("jvp", self.jvp())]
        if self.loss is not None:
            made += [("loss_and_dot", self.loss_and_dot())]
        made += [("vjp", self.vjp())]
        if self.loss is not None:
            made += [("hvp", self.hvp())]
        return made

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

    def forward(self) -> Function:
        """Return `forward`."""
        out = self.names[self.output]
        several = symbol(self.output).batched
        what = " of a batch" if several else ""
        given = " and ".join(self._shape(v) for v in self.inputs)
        value = f"Return {self._shape(self.output)}"
        doc = documented(f"{value}{what} {given}".rstrip(), value, f"The inputs are {given}")
        body = [_AS_PARAMS, *self._calls(["primal"], [out]), f"return {out}"]
        return self._function("forward", self._arguments(self.forward_data), "Array", doc, body)

    def loss_function(self) -> Function:
        """Return `loss`."""
        doc = f"Return the loss, {self._joined()}."
        assert self.loss is not None
        value = self.names[self.loss]
        number = [f"result: float = {value}.item()", "return result"]
        body = [_AS_PARAMS, *self._calls(["primal", "loss"], [value]), *number]
        return self._function("loss", self._arguments(self.data), "float", doc, body)

    def _joined(self) -> str:
        if not any(symbol(v).batched for v in self.data):
            return "a float"
        return f"the {self.program.reduction} over the batch"

    def loss_and_grad(self) -> Function:
        """Return `loss_and_grad`."""
        assert self.loss is not None
        value = self.names[self.loss]
        calls = self._calls(
            ["primal", "loss", "loss_bar", "adjoint"],
            [value, "grad", *self._direct()],
            sparse=True,
        )
        calls = self._with_zeros(calls, by_loss=True)
        body = [_AS_PARAMS, *self._in_parts(), *calls, *self._add_direct("")]
        body.append(f"return {value}.item(), grad")
        doc = "Return the loss and its gradient, each field in the shape of its parameter."
        arguments = self._arguments(self.data)
        if self.takes_parts:
            arguments += ["*", "microbatch: int | None = None"]
            doc = documented(
                "Return the loss and its gradient, worked out for `microbatch` examples at a time",
                "Return the loss and its gradient, each field in the shape of its parameter",
                "Given `microbatch`, that many examples are worked out at a time",
            )
        return self._function("loss_and_grad", arguments, "tuple[float, Params]", doc, body)

    def grad_input(self, var: Expr) -> Function:
        """Return `grad_x` of an input that `wrt` names."""
        name = self.name(var)
        direct = [
            self._seed(e.seed, "") for v, e in self.by_loss if self.schedule.batched(v) is var
        ]
        sweeps = ["primal", "loss", "loss_bar", "adjoint", "inputs_bar"]
        x_bar = self._bar(var)
        calls = self._calls(sweeps, [x_bar, *direct])
        value = " + ".join([x_bar, *direct])
        body = self._with_zeros([_AS_PARAMS, *calls, f"return {value}"], by_loss=True)
        doc = f"Return ∂loss/∂{name}, in the shape of {self._shape(var)}."
        return self._function(f"grad_{name}", self._arguments(self.data), "Array", doc, body)

    @property
    def takes_parts(self) -> bool:
        """Whether a batch can be worked out in parts: where loops make its length matter."""
        return self.looped and any(symbol(v).batched for v in self.data)

    def _in_parts(self) -> list[str]:
        """Return the lines that leave the batch to be worked out in parts."""
        if not self.takes_parts:
            return []
        data = tuple_text([self.name(v) for v in self.data])
        data = data if len(self.data) == 1 else f"({data})"
        several = tuple_text([str(symbol(v).batched) for v in self.data])
        several = several if len(self.data) == 1 else f"({several})"
        call = broken("return _in_parts(", ["params", data, several, "microbatch"], ")", 2)
        return ["if microbatch is not None:", *(f"    {line}" for line in call)]

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

    def jvp(self) -> Function:
        """Return `jvp`."""
        inputs = self.inputs
        dots = [self.name(self.schedule.dot(v)) for v in inputs]
        out, out_dot = self.names[self.output], self.names[self.schedule.dot(self.output)]
        arguments = [*self._arguments(self.forward_data), "params_dot: ParamsLike"]
        kinds = ["Family" if symbol(v).index else "Array" for v in inputs]
        arguments += [f"{d}: {k} | None = None" for d, k in zip(dots, kinds, strict=True)]
        calls = self._calls(["primal", "tangent"], [out, out_dot])
        plain = [v for v in inputs if not symbol(v).index]
        guards = [optional_guard(self.schedule.dot(v), v, self.names) for v in plain]
        direction = _direction("params_dot", calls)
        body = [_AS_PARAMS, direction, *guards, *calls, f"return {out}, {out_dot}"]
        directions = ", ".join(["params_dot", *dots])
        arrow, shape = f"{out_dot} = J · ({directions})", self._shape_of(self.output)
        doc = documented(
            f"Return {out} and {arrow}, both {shape}", f"Return {out} and its tangent", arrow
        )
        return self._function("jvp", arguments, "tuple[Array, Array]", doc, body)

    def _shape_of(self, var: Expr) -> str:
        return array_text(var, self.names).partition(" ")[2] or "scalar"

    def loss_and_dot(self) -> Function:
        """Return `loss_and_dot`."""
        assert self.loss is not None
        value, value_dot = self.names[self.loss], self.names[self.schedule.dot(self.loss)]
        arguments = [*self._arguments(self.data), "params_dot: ParamsLike"]
        sweeps = ["primal", "loss", "tangent", "loss_dot"]
        calls = self._calls(sweeps, [value, value_dot], still=True)
        body = [_AS_PARAMS, _direction("params_dot", calls), *calls]
        body.append(f"return {value}.item(), {value_dot}.item()")
        doc = "Return the loss and its derivative along params_dot."
        return self._function("loss_and_dot", arguments, "tuple[float, float]", doc, body)

    def vjp(self) -> Function:
        """Return `vjp`, whose pullback may be called more than once."""
        out = self.names[self.output]
        out_bar = self.names[self.schedule.bar(self.output)]
        bars = [self.names[v] for v in self.sweeps["inputs_bar"].results]
        direct = [self._seed(e.seed, "") for _, e in self._by_head()]
        sweeps = ["head_bar", "adjoint", "inputs_bar"]
        pull = self._calls(sweeps, ["grad", *bars, *direct], depth=2)
        pull = [*pull, *self._head_direct()]
        inputs_bar = self.sweeps["inputs_bar"].results
        kinds = ["tuple[Array, ...]" if is_holder(v) else "Array" for v in inputs_bar]
        kind = f"tuple[{', '.join(['Params', *kinds])}]"
        value = tuple_text(["grad", *bars])
        pull = [*self._with_zeros(pull, by_loss=False), f"return {value}"]
        read = " ".join(pull)
        calls = self._calls(["primal"], [out, *(["tape"] if "tape" in read else [])])
        inner_doc = (
            f'"""Return the adjoints of the parameters{" and of the inputs" if bars else ""}."""'
        )
        seed = guard_like(self.schedule.bar(self.output), self.output, self.names)
        nested = ["", f"def pullback({out_bar}: Array) -> {kind}:"]
        nested += [f"    {line}" for part in [inner_doc, seed, *pull] for line in part.split("\n")]
        body = [_AS_PARAMS, *calls, *nested, "", f"return {out}, pullback"]
        arguments = self._arguments(self.forward_data)
        pulled = ", ".join(["params_bar", *bars])
        arrow = f"{out_bar} ↦ ({pulled}) = Jᵀ · {out_bar}"
        doc = documented(
            f"Return {out} and the pullback {arrow}", f"Return {out} and its pullback", arrow
        )
        return self._function(
            "vjp", arguments, f"tuple[Array, Callable[[Array], {kind}]]", doc, body
        )

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

    def hvp(self) -> Function:
        """Return `hvp`: forward over reverse, no Hessian is built."""
        arguments = [*self._arguments(self.data), "v: ParamsLike"]
        order = ["primal", "loss", "tangent", "loss_dot", "loss_bar", "adjoint", "loss_bar_dot"]
        if not self.schedule.kept["saved_dot"]:
            order.remove("loss_dot")
        direct = [*self._direct(), *[f"{name}_dot" for name in self._direct()]]
        calls = self._calls([*order, "adjoint_dot"], ["grad", "grad_dot", *direct], still=True)
        calls = self._with_zeros(calls, by_loss=True)
        v = "direction" if "v" in self.names.values() else "v"
        arguments[-1] = f"{v}: ParamsLike"
        body = [
            _AS_PARAMS,
            _direction(v, calls),
            *calls,
            *self._add_direct(""),
            *self._add_direct("_dot"),
        ]
        body.append("return grad, grad_dot")
        doc = f"Return the gradient and the Hessian times {v}; the Hessian is never built."
        return self._function("hvp", arguments, "tuple[Params, Params]", doc, body)


def family_or_type(var: Expr) -> str:
    """Return the type of an argument."""
    return "Family" if symbol(var).index else type_text(var)


_AS_PARAMS = "params = as_params(params)"


def _direction(given: str, calls: Sequence[str]) -> str:
    """Return the line that checks a direction, which calls may not read."""
    read = any("params_dot" in line for line in calls)
    return f"{'params_dot = ' if read else ''}as_params({given})"


def _is_shaped_as(one: Expr, other: Expr) -> bool:
    return one.shape == other.shape and symbol(one).batched == symbol(other).batched
