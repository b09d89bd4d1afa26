"""Random specs, valid by construction: a hypothesis strategy, and what it knows of each spec.

A spec is grown from leaves that are declared when they are needed, so every shape fits.  Text is
drawn, not trees, so that a failure can be replayed with `symbp check`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import strategies as st

from symbp.program import Program
from symbp.spec import parse

Shape = tuple[str, ...]

NAMES = (
    "lambda", "np", "params", "tape", "n", "v", "value", "loss_bar", "W_bar", "x_dot", "r",
    "h_1", "z", "Omega", "grad", "saved", "x", "y", "W", "b", "E", "bars", "t", "rng", "seed",
    "array", "w", "direction", "Tape", "Params", "n_", "sum", "shape", "x_bar", "z_u", "in",
    "exp_z", "v_dot", "W_dot", "alpha", "theta", "u_seed", "u", "dtype", "data", "e_1", "S", "I",
)  # fmt: skip
SMOOTH = (
    "tanh({})", "sin({})", "cos({})", "sigmoid({})", "softplus({})", "exp(sin({}))", "gelu({})",
    "silu({})", "sqrt({} .^ 2 + {one})", "log({} .^ 2 + 2 * {one})", "{} .^ 2", "{} ./ 2",
    "{one} ./ ({} .^ 2 + {one})", "swish({})",
)  # fmt: skip
KINKED = (
    "relu({})", "abs({})", "leaky_relu({}, 1/10)", "elu({})", "selu({})", "heaviside({})",
    "rect({})", "max({}, {other})", "min({}, {other})",
)  # fmt: skip


@dataclass(frozen=True)
class Value:
    """A name that expressions may read."""

    name: str
    shape: Shape
    batched: bool


@dataclass
class Drawn:
    """A spec: its parts, and the terms of its loss with whether each depends on an example."""

    sizes: dict[str, int | None]
    declarations: list[str]
    lines: list[str]
    terms: list[tuple[str, bool]] = field(default_factory=list)
    tail: list[str] = field(default_factory=list)
    reduction: str = "mean"
    output: str = ""

    @property
    def text(self) -> str:
        """The spec."""
        loss = " + ".join(term for term, _ in self.terms)
        return self._text([f"loss = {loss}"] if self.terms else [])

    @property
    def term_text(self) -> str:
        """The spec with a line for each term of the loss, `term_0` and so on."""
        named = [f"term_{k} = {term}" for k, (term, _) in enumerate(self.terms)]
        total = " + ".join(f"term_{k}" for k in range(len(self.terms)))
        return self._text([*named, f"loss = {total}"] if self.terms else [])

    @property
    def program(self) -> Program:
        """The program of the spec."""
        return parse(self.text, "drawn")

    def _text(self, loss: list[str]) -> str:
        sizes = [k if v is None else f"{k} = {v}" for k, v in self.sizes.items()]
        head = [f"size {', '.join(sizes)}", "op swish(z) = z * sigmoid(z)"]
        batch = [f"batch {self.reduction}"] if self.terms else []
        return "\n".join([*head, *self.declarations, *self.lines, *batch, *loss, *self.tail]) + "\n"

    def __repr__(self) -> str:
        return f"\n{self.text}"


class Grower:
    """Grows a spec: `expression` returns text of a wanted shape, and whether it is batched."""

    def __init__(self, draw: Callable[..., object], roles: tuple[str, ...]) -> None:
        self.draw, self.roles = draw, roles
        pool = draw(st.permutations(NAMES))
        assert isinstance(pool, list)
        self.names: list[str] = list(pool)
        self.sizes: dict[str, int | None] = {}
        self.spec = Drawn(self.sizes, [], [])
        self.values: list[Value] = []
        self.given: dict[str, list[Value]] = {"input": [], "param": [], "const": []}
        for _ in range(self.integer(1, 3)):
            self.sizes[self.names.pop()] = self.one((1, 2, 3, 4, 5, None))

    def integer(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))  # type: ignore[return-value]

    def one(self, choices):
        return self.draw(st.sampled_from(choices))

    def dim(self) -> str:
        return self.one(tuple(self.sizes))

    def shape(self) -> Shape:
        return tuple(self.dim() for _ in range(self.one((0, 1, 1, 1, 2))))

    def declare(self, shape: Shape) -> Value:
        role = self.one(self.roles)
        dims = f" : {' x '.join(shape)}" if shape else ""
        value = Value(self.names.pop(), shape, role == "input")
        init = (
            self.one(("", " init he", " init zero", " init normal(1/4)")) if role == "param" else ""
        )
        self.spec.declarations.append(f"{role} {value.name}{dims}{init if shape else ''}")
        self.values.append(value)
        self.given[role].append(value)
        return value

    def leaf(self, shape: Shape) -> tuple[str, bool]:
        have = [value for value in self.values if value.shape == shape]
        room = len(self.spec.declarations) < 7 and len(self.names) > 12
        if not have or (room and self.integer(0, 2) == 0):
            value = self.declare(shape)
        else:
            value = self.one(tuple(have))
        return value.name, value.batched

    def expression(self, shape: Shape, depth: int) -> tuple[str, bool]:
        if depth == 0:
            return self.leaf(shape)
        form = self.one((self._common, self._common, (_scalar, _vector, _matrix)[len(shape)]))
        return form(shape, depth - 1) if form == self._common else form(self, shape, depth - 1)

    def _common(self, shape: Shape, depth: int) -> tuple[str, bool]:
        kind = self.one(("leaf", "smooth", "smooth", "kinked", "sum", "product", "scaled"))
        if kind == "leaf":
            return self.leaf(shape)
        a, first = self.expression(shape, depth)
        if kind in ("smooth", "kinked"):
            return self._applied(self.one(SMOOTH if kind == "smooth" else KINKED), a, first, shape)
        if kind == "scaled":
            s, second = self.expression((), 0)
            return f"({s}) * ({a})", first or second
        b, second = self.expression(shape, max(depth - 1, 0))
        sign = self.one(("+", "-" if a != b else "+", "+ 1/2 *")) if kind == "sum" else ".*"
        return f"({a}) {sign} ({b})", first or second

    def _applied(self, form: str, a: str, batched: bool, shape: Shape) -> tuple[str, bool]:
        other = ""
        if "{other}" in form:
            b, second = self.leaf(shape)
            other, batched = f"1/2 * tanh({b}) + 1/7 * {self.ones(shape)}", batched or second
        return form.format(f"({a})", one=self.ones(shape), other=other), batched

    def ones(self, shape: Shape) -> str:
        return f"ones({', '.join(shape)})" if shape else "1"

    def line(self, shape: Shape, depth: int) -> Value:
        text, batched = self.expression(shape, depth)
        value = Value(self.names.pop(), shape, batched)
        self.spec.lines.append(f"{value.name} = {text}")
        self.values.append(value)
        return value


def _scalar(grow: Grower, shape: Shape, depth: int) -> tuple[str, bool]:
    n, m = grow.dim(), grow.dim()
    kind = grow.one(("dot", "norm", "root", "sum", "mean", "lse", "form", "trace", "det", "rows"))
    if kind == "form":
        (a, i), (b, j), (c, k) = (grow.expression(s, 0) for s in ((n,), (n, m), (m,)))
        return f"({a})' @ ({b}) @ ({c})", i or j or k
    if kind in ("trace", "det"):
        a, i = grow.expression((n, n), depth if kind == "trace" else 0)
        return f"tr({a})" if kind == "trace" else f"logdet(({a}) @ ({a})' + 2 * eye({n}))", i
    if kind == "rows":
        a, i = grow.expression((n, m), 0)
        return f"mean({a}) + tr(({a})' @ ({a}))", i
    a, i = grow.expression((n,), depth)
    if kind == "dot":
        b, j = grow.expression((n,), 0)
        return f"dot({a}, {b})", i or j
    forms = {
        "norm": "norm2({})^2", "root": "sqrt(norm2({})^2 + 1)", "sum": "sum({})",
        "mean": "mean({})", "lse": "logsumexp({})",
    }  # fmt: skip
    return forms[kind].format(a), i


def _vector(grow: Grower, shape: Shape, depth: int) -> tuple[str, bool]:
    (n,), m = shape, grow.dim()
    kind = grow.one(("matvec", "matvec", "transposed", "softmax", "log_softmax", "diag", "rows"))
    if kind in ("softmax", "log_softmax"):
        a, i = grow.expression(shape, depth)
        return f"{kind}({a})", i
    if kind == "diag":
        a, i = grow.expression((n, n), depth)
        return f"diag({a})", i
    if kind == "rows":
        a, i = grow.expression((n, m), depth)
        return f"{grow.one(('sum', 'mean'))}({a}, rows)", i
    (a, i), (b, j) = (
        grow.expression((n, m) if kind == "matvec" else (m, n), 0),
        grow.expression((m,), depth),
    )
    return (f"({a}) @ ({b})" if kind == "matvec" else f"({a})' @ ({b})"), i or j


def _matrix(grow: Grower, shape: Shape, depth: int) -> tuple[str, bool]:
    (n, m), k = shape, grow.dim()
    kind = grow.one(("matmul", "outer", "transpose", "rows", "diag"))
    if kind == "matmul":
        (a, i), (b, j) = grow.expression((n, k), depth), grow.expression((k, m), 0)
        return f"({a}) @ ({b})", i or j
    if kind == "outer":
        (a, i), (b, j) = grow.expression((n,), depth), grow.expression((m,), 0)
        return f"outer({a}, {b})", i or j
    if kind == "diag":
        (a, i), (b, j) = grow.expression((n,), 0), grow.expression((n, m), depth)
        return f"diag({a}) @ ({b})", i or j
    a, i = grow.expression((m, n) if kind == "transpose" else shape, depth)
    return (f"({a})'" if kind == "transpose" else f"softmax({a}, rows)"), i


@st.composite
def programs(draw, with_loss: bool | None = None) -> Drawn:
    """Draw a network: parameters, lines, most often a loss, sometimes a head or a `wrt`."""
    grow = Grower(draw, ("param", "param", "input", "const"))
    grow.given["param"].append(_given(grow, "param"))
    if grow.integer(0, 5):
        _given(grow, "input")
    for _ in range(grow.integer(1, 5)):
        grow.line(grow.shape(), grow.integer(1, 3))
    lossy = grow.integer(0, 5) > 0 if with_loss is None else with_loss
    if lossy:
        grow.spec.terms = [_term(grow) for _ in range(grow.integer(1, 2))]
        grow.spec.terms += [_penalty(grow) for _ in range(grow.integer(0, 1))]
        grow.spec.reduction = grow.one(("mean", "sum"))
    lines = [v for v in grow.values if any(s.startswith(f"{v.name} = ") for s in grow.spec.lines)]
    _head(grow, lines, lossy)
    _wrt(grow, lossy)
    return grow.spec


def _given(grow: Grower, role: str) -> Value:
    kept, grow.roles = grow.roles, (role,)
    value = grow.declare(grow.shape())
    grow.roles = kept
    return value


def _term(grow: Grower) -> tuple[str, bool]:
    """Return a term of the loss: of one line, of a line and a target, or of what is given."""
    kind = grow.one(("scalar", "scalar", "squared", "squared", "labels", "binary"))
    if kind == "scalar" or len(grow.names) < 3:
        text, batched = grow.expression((), grow.integer(0, 2))
        return grow.one(("tanh({})^2", "sin({})", "sin({})^2 / 3")).format(text), batched
    n, target = grow.dim(), grow.names.pop()
    a, batched = grow.expression((n,), grow.integer(0, 1))
    if kind == "labels" and (not batched or grow.sizes[n] == 1):  # the loss would be 0
        kind = "squared"
    one_hot = "one_hot " if kind == "labels" else ""
    grow.spec.declarations.append(f"target {target} : {one_hot}{n}")
    form = {
        "squared": "squared_error({}, {})",
        "labels": "softmax_cross_entropy({}, {})",
        "binary": "cross_entropy({}, sigmoid({}))",
    }[kind]
    return form.format(target, a), True


def _penalty(grow: Grower) -> tuple[str, bool]:
    param = grow.one(tuple(grow.given["param"]))
    square = f"norm2({param.name})^2" if param.shape else f"{param.name}^2"
    return f"1/10 * {square}", False


def _head(grow: Grower, lines: list[Value], lossy: bool) -> None:
    """Say what the output is: a line, or a head that the loss does not read."""
    target = grow.one(tuple(lines))
    if target.shape and len(target.shape) == 1 and grow.integer(0, 2) == 0:
        name = grow.names.pop()
        form = grow.one(("sigmoid({})", "softmax({})", "2 * {}"))
        grow.spec.lines.append(f"{name} = {form.format(target.name)}")
        grow.spec.tail.append(f"output {name}")
        grow.spec.output = name
    elif not lossy or grow.integer(0, 1):
        grow.spec.tail.append(f"output {target.name}")
        grow.spec.output = target.name


def _wrt(grow: Grower, lossy: bool) -> None:
    if grow.integer(0, 3):
        return
    params = list(dict.fromkeys(v.name for v in grow.given["param"]))
    chosen = params[: grow.integer(1, len(params))]
    inputs = [v.name for v in grow.given["input"]]
    if lossy and inputs and grow.integer(0, 1):
        chosen.append(inputs[0])
    grow.spec.tail.append(f"wrt {', '.join(chosen)}")
