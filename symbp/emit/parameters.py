"""What a network's module does with its parameters: draw them, check them, and draw samples."""

from collections.abc import Iterable, Sequence

from symbp.emit.dims import Dims
from symbp.emit.draws import Draws, words
from symbp.emit.fields import Field, Fields
from symbp.emit.identifiers import Identifiers
from symbp.emit.shapes import shape_tuple
from symbp.emit.sweeps import Function
from symbp.emit.syntax import text
from symbp.emit.text import WIDTH, Nested, broken, documented, indented, wrapped
from symbp.emit.trial import is_square, trial
from symbp.emit.widths import positive
from symbp.ir import Dim, Expr, name_of, symbol
from symbp.lower.batch import EXAMPLES, Batch
from symbp.program import Program


class Parameters:
    """The functions about parameters: `init_params`, `as_params`, `sample`."""

    def __init__(self, batch: Batch, names: Identifiers) -> None:
        self.batch, self.names = batch, names
        self.program: Program = batch.program
        self.trial = trial(self.program)
        self.fields = Fields(batch, names)
        self.params = self.fields.members
        self.sizes = self._free_sizes()
        self.inits = [self.program.init_of(v) for v in self.params]
        self.draws = Draws(self.inits)

    def _free_sizes(self) -> list[str]:
        """Return the Python names of the sizes without a number."""
        found: dict[Dim, None] = {}
        for var in self.program.given:
            found.update(dict.fromkeys(self.batch.name(var).shape))
        symbols = dict.fromkeys(s for d in found if not isinstance(d, int) for s in d.free_symbols)
        return [self.names.size(s) for s in symbols if s != EXAMPLES]

    def sample_sizes(self) -> list[tuple[str, int]]:
        """Return the free sizes by their Python names, with numbers to try the module at."""
        found = {self.names.size(s): value for s, value in self.trial.sizes.items()}
        return [(name, found[name]) for name in self.sizes]

    def all_sizes(self) -> list[tuple[str, str]]:
        """Return the sizes that `sample` takes, with their types and defaults: `n`, `int = 3`."""
        return [(name, f"int = {value}") for name, value in self.sample_sizes()]

    def size_parameters(self) -> str:
        """Return `, *, n: int` for a signature, nothing where every size has a number."""
        return ", ".join(["", "*", *self.typed(self.sizes)]) if self.sizes else ""

    def typed(self, sizes: Sequence[str]) -> list[str]:
        """Return sizes as arguments with their types."""
        return [f"{name}: int" for name in sizes]

    def lengths(self) -> list[str]:
        """Return the constant of the other sizes that the module is judged at."""
        return []

    def counts(self) -> str:
        """Return the numbers of members of families whose length is no number, as arguments."""
        return ""

    def told(self, sizes: Iterable[str]) -> list[str]:
        """Return the lines that tell sizes by others that are given."""
        return []

    def size_arguments(self) -> str:
        """Return `, n=n` for a call."""
        return "".join(f", {n}={n}" for n in self.sizes)

    def declared(self) -> list[str]:
        """Return the fields of `Params` with their types and shapes."""
        return [_declared(field) for field in self.fields.all]

    def dims(self, var: Expr) -> list[str]:
        """Return the sizes of an array's axes as code."""
        dims = var.shape[:-1] if symbol(var).encoding == "one_hot" else var.shape
        return [self._dim(dim) for dim in dims]

    def _dim(self, dim: Dim) -> str:
        if isinstance(dim, int):
            return str(dim)
        sizes: dict[Dim, str] = {EXAMPLES: "examples"}
        sizes |= {s: self.names.size(s) for s in dim.free_symbols if s != EXAMPLES}
        return text(Dims(sizes).size(dim))

    def shapes(self) -> str:
        """Return the tuple of the parameters' shapes."""
        texts = [_tuple(self.dims(v)) for v in self.params]
        if len(texts) == 1:
            return f"({texts[0]},)"
        return "\n    ".join(broken("shapes = (", texts, ")")).removeprefix("shapes = ")

    def init_params(self) -> Function:
        """Return `init_params`, as the spec's `init` says."""
        fields = self.fields.given({v: self._drawn(v) for v in self.params})
        drawers = self.draws.functions(map(self._independent, self.params))
        inner = [
            *positive(self.typed(self.sizes)),
            *drawers,
            *broken("return Params(", fields, ")"),
        ]
        arguments = ["rng: np.random.Generator", "dtype: DTypeLike = np.float64"]
        arguments += ["*", *self.typed(self.sizes)] if self.sizes else []
        signature = wrapped("def init_params(", arguments, ") -> Params:")
        ways, short = words(self.inits), "Draw parameters as the spec says"
        doc = documented(f"{short}: {ways}", short, f"In turn: {ways}")
        return Function(signature, doc, indented(inner))

    def _drawn(self, var: Expr) -> str:
        drawn = self._independent(var)
        return f"_symmetric({drawn})" if symbol(var).symmetric else drawn

    def _independent(self, var: Expr) -> str:
        return self.draws.call(self.program.init_of(var), self.dims(var), name_of(var))

    def as_params(self) -> Function:
        """Return `as_params`, the guard of the parameters."""
        lines = ["given = Params(**params) if isinstance(params, Mapping) else Params(*params)"]
        missing = set(self.sizes)
        for field in self.fields.all:
            lines += self._told_by(field, missing)
        checked = [self._checked(field) for field in self.fields.all]
        doc = (
            "Return params as Params, from a mapping or a sequence in the same order; check shapes."
        )
        signature = "def as_params(params: ParamsLike) -> Params:"
        return Function(signature, doc, indented([*lines, *broken("return Params(", checked, ")")]))

    def _told_by(self, field: Field, missing: set[str]) -> list[str]:
        """Return the lines that read sizes off a field, those that no earlier line has read."""
        lines: list[str] = []
        for k, var in enumerate(field.members):
            dims = self.dims(var)
            for axis, dim in enumerate(dims):
                if dim not in missing:
                    continue
                missing.remove(dim)
                if field.first is None:
                    words = ", ".join(map(_word, dims))
                    value = f'_expect("{field.name}", given.{field.name}, {words})'
                else:
                    value = f"{field.name}[{k}]"
                lines.append(f"{dim} = {value}.shape[{axis}]")
        if field.first is not None and lines:
            shapes = [_tuple([_word(d) for d in self.dims(v)]) for v in field.members]
            head = f"{field.name} = _members("
            return [*broken(head, _as_members(field, shapes), ")"), *lines]
        return lines

    def _checked(self, field: Field) -> str | Nested:
        name, dims = field.name, [self.dims(var) for var in field.members]
        if field.first is None:
            given = [f'"{name}"', f"given.{name}", *dims[0]]
            return f"{name}=_expect({', '.join(given)})"
        return Nested(f"{name}=_members(", (*_as_members(field, map(_tuple, dims)),), ")")

    def sample(self, data: Sequence[Expr], sizes: Sequence[tuple[str, str]]) -> Function:
        """Return `sample`, which draws parameters and data of the right shapes."""
        fields = self.fields.given({v: self._datum(v) for v in self.params})
        head = broken("params = Params(", fields, ")")
        values = [self._datum(v) for v in data]
        items = ", ".join(values) + ("," if len(values) == 1 else "")
        result = f"return params, ({items})"
        if len(result) > 96:
            result = "return params, (\n" + "".join(f"    {v},\n" for v in values) + ")"
        doc = "Draw parameters and data of the right shapes at random, to try things out."
        told = self.told([name for name, _ in sizes])
        lines = [*told, *self._draw(), *head, *result.split("\n")]
        return Function(
            self._signature("tuple[Params, tuple[Any, ...]]", sizes), doc, indented(lines)
        )

    def sample_data(self, data: Sequence[Expr], sizes: Sequence[tuple[str, str]]) -> Function:
        """Return `sample` of an identity, which draws its arguments."""
        values = [self._datum(v) for v in data]
        lines = [
            *self._draw(),
            *broken("return (", values if len(values) > 1 else [f"{values[0]},"], ")"),
        ]
        doc = "Draw arguments of the right shapes at random, to try things out."
        return Function(self._signature("tuple[Any, ...]", sizes), doc, indented(lines))

    def _signature(self, kind: str, sizes: Sequence[tuple[str, str]]) -> str:
        arguments = ["rng: np.random.Generator", "examples: int = 5"]
        arguments += ["dtype: DTypeLike = np.float64"]
        arguments += ["*", *(f"{name}: {value}" for name, value in sizes)] if sizes else []
        return wrapped("def sample(", arguments, f") -> {kind}:")

    def _draw(self) -> list[str]:
        positive = self.trial.law == "positive"
        law = "rng.uniform(0.5, 1.5, shape)" if positive else "rng.standard_normal(shape)"
        return [
            "",
            "def draw(*shape: int) -> Array:",
            f"    return np.asarray({law} / max(shape[1:], default=1) ** 0.5, dtype)",
            "",
            *(_DEFINITE if self.trial.law == "definite" else []),
        ]

    def _datum(self, var: Expr) -> str:
        dims = self.dims(var)
        if symbol(var).encoding == "one_hot":
            return f"rng.integers(0, {self._dim(var.shape[-1])}, {dims[0]})"
        if self.trial.law == "definite" and is_square(var):
            return f"definite({dims[0]})"
        drawn = f"draw({', '.join(dims)})"
        return f"_symmetric({drawn})" if symbol(var).symmetric else drawn


def _as_members(field: Field, shapes: Iterable[str]) -> list[str]:
    """Return the arguments of the guard of a family: of how many members, and their shapes."""
    return [f'"{field.name}"', str(field.first), f"given.{field.name}", *shapes]


def _tuple(items: Sequence[str]) -> str:
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"


def _word(dim: str) -> str:
    """Return a size as a guard takes it before it is known: a number, or a word for any."""
    return dim if dim.isdigit() else f'"{dim}"'


def _declared(field: Field) -> str:
    """Return a field with its type, and in a comment its shape; of many members, two shapes."""
    shapes = [shape_tuple(v) for v in field.members]
    if field.first is None:
        return f"{field.name}: Array  # {shapes[0]}"
    head = f"{field.name}: tuple[Array, ...]  # "
    whole = head + ", ".join(shapes)
    short = f"{head}{shapes[0]}, …, {shapes[-1]}"
    return whole if len(whole) <= WIDTH - 4 or len(shapes) < 3 else short


_DEFINITE = (
    "def definite(size: int) -> Array:",
    "    root = rng.standard_normal((size, size))",
    "    return np.asarray(np.eye(size) + root @ root.T / size, dtype)",
    "",
)
"""Draws a positive definite matrix."""
