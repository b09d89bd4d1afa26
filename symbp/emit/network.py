"""The public functions of a network's module: they compose the sweeps, and hold no formula."""

from collections.abc import Sequence

from symbp.emit.composing import Composer
from symbp.emit.guards import guard_like, optional_guard
from symbp.emit.shapes import array_text
from symbp.emit.sweeps import Function
from symbp.emit.text import broken, documented, tuple_text
from symbp.ir import Expr, is_holder, symbol


class Network(Composer):
    """Everything callable in the module of a network."""

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
        places = [int(bool(symbol(v).index)) if symbol(v).batched else None for v in self.data]
        axes = tuple_text([str(place) for place in places])
        axes = axes if len(self.data) == 1 else f"({axes})"
        call = broken("return _in_parts(", ["params", data, axes, "microbatch"], ")", 2)
        return ["if microbatch is not None:", *(f"    {line}" for line in call)]

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


_AS_PARAMS = "params = as_params(params)"


def _direction(given: str, calls: Sequence[str]) -> str:
    """Return the line that checks a direction, which calls may not read."""
    read = any("params_dot" in line for line in calls)
    return f"{'params_dot = ' if read else ''}as_params({given})"
