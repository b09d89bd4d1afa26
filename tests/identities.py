"""The catalogue of identities: its entries, the numbers they are tried on, and their derivatives
by differences of the reference interpreter."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

import symbp
from symbp.ir import Expr
from symbp.ops.evaluate import evaluate
from symbp.program import Program

CATALOGUE = Path(__file__).resolve().parent.parent / "specs" / "identities"
STEP = 1e-20  # imaginary, so nothing cancels
WIDE = 1e-4  # of a difference of derivatives

Values = dict[str, Any]


@dataclass(frozen=True)
class Identity:
    """An entry of the catalogue; docs/identities.md says what the fields mean."""

    name: str
    source: str
    shapes: Mapping[str, str]
    expr: str
    gradient: Mapping[str, str] = field(default_factory=dict)
    jacobian: Mapping[str, str] = field(default_factory=dict)
    hessian: Mapping[str, str] = field(default_factory=dict)
    text: Mapping[str, str] = field(default_factory=dict)
    jacobian_text: Mapping[str, str] = field(default_factory=dict)
    hessian_text: Mapping[str, str] = field(default_factory=dict)
    symmetric: tuple[str, ...] = ()
    domain: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    skip: Mapping[str, str] = field(default_factory=dict)
    where: str = ""
    family: str = ""

    @cached_property
    def letters(self) -> tuple[str, ...]:
        """The symbolic sizes, in the order in which they are met."""
        return tuple(dict.fromkeys(d for shape in self.shapes.values() for d in dims(shape)))

    @cached_property
    def usual(self) -> dict[str, int]:
        """Sizes that differ from each other, so that no wrong product fits."""
        return dict(zip(self.letters, (3, 2, 4, 5, 6, 7), strict=False)) | dict(self.sizes)

    def cases(self) -> Iterator[tuple[str, dict[str, int]]]:
        """Yield the usual sizes, each of them 1 in turn, and all of them 1."""
        yield "usual", self.usual
        for letter in self.letters:
            if letter not in self.skip:
                yield f"{letter} = 1", self.usual | {letter: 1}
        if len(self.letters) > 1 and "all" not in self.skip:
            yield "all 1", dict.fromkeys(self.letters, 1)

    def program(self, sizes: Mapping[str, int] | None = None) -> Program:
        """Return the program, with numbers for sizes where they are given."""
        numbers = {d: str(n) for d, n in (sizes or {}).items()}

        def put(text: str) -> str:
            return re.sub(r"[A-Za-z_]\w*", lambda found: numbers.get(found[0], found[0]), text)

        shapes = {name: put(shape) or "scalar" for name, shape in self.shapes.items()}
        return symbp.expression(put(self.expr), self.wrt, shapes)

    def entries(self) -> Iterator[tuple[str, str, str]]:
        """Yield kind, key and text of every derivative."""
        for kind in ("gradient", "jacobian", "hessian"):
            for key, text in getattr(self, kind).items():
                yield kind, key, text

    def texts(self, kind: str) -> Mapping[str, str]:
        """Return how the derivatives of a kind are printed."""
        return self.text if kind == "gradient" else getattr(self, f"{kind}_text")

    def rank(self, kind: str, key: str) -> int:
        """Return how many axes of a derivative are those of what is differentiated."""
        if kind == "hessian":
            return len(dims(self.shapes[pairs(key)[0]]))
        return self.program().result.rank

    @property
    def wrt(self) -> tuple[str, ...]:
        """What is differentiated by."""
        keys = [key for _, key, _ in self.entries()]
        return tuple(dict.fromkeys(name for key in keys for name in pairs(key)))

    def expected(self, text: str) -> Expr:
        """Return the textbook's form as an expression; all names and sizes may stand in it."""
        head = [f"size {', '.join(self.letters)}"] if self.letters else []
        for name, shape in self.shapes.items():
            head.append(f"input {name} : {' x '.join(dims(shape))}".rstrip(" :"))
        spec = "\n".join([*head, f"result_ = {text}", "output result_"])
        return symbp.parse(spec).bindings[-1].expr

    def values(self, sizes: Mapping[str, int]) -> Values:
        """Draw numbers for every name, always the same."""
        rng = np.random.default_rng(crc32(self.name.encode()))
        made = {}
        for name, shape in self.shapes.items():
            size = tuple(sizes[d] for d in dims(shape))
            value = DOMAINS[self.domain.get(name, "normal")](rng, size)
            made[name] = (value + value.T) / 2 if name in self.symmetric else value
        return made


def pairs(key: str) -> tuple[str, str]:
    """Return the two names of a second derivative: `X` is by X twice."""
    one, _, other = key.partition(",")
    return one, other or one


def dims(shape: str) -> tuple[str, ...]:
    """Return the sizes of a shape such as `m,n`; none for a scalar."""
    return tuple(d.strip() for d in shape.split(",")) if shape not in ("", "scalar") else ()


def identities() -> list[Identity]:
    """Return the whole catalogue."""
    made = []
    for path in sorted(CATALOGUE.glob("*.toml")):
        entries = tomllib.loads(path.read_text(encoding="utf-8"))["identity"]
        made += [Identity(**(e | {"family": path.stem})) for e in entries]
    return made


def _normal(rng: Any, size: Any) -> Any:
    return rng.standard_normal(size)


def _definite(rng: Any, size: Any) -> Any:
    root = rng.standard_normal(size)
    return root @ root.T / size[0] + np.eye(size[0])


def _invertible(rng: Any, size: Any) -> Any:
    """A general matrix, well away from a singular one, of either sign of the determinant."""
    made = 2 * np.linalg.qr(rng.standard_normal(size))[0] + rng.uniform(-0.5, 0.5, size)
    made[0] *= rng.choice([-1, 1])
    return made


def _away(rng: Any, size: Any) -> Any:
    return rng.uniform(0.5, 1.5, size) * rng.choice([-1.0, 1.0], size)


def _simplex(rng: Any, size: Any) -> Any:
    made = rng.uniform(0.5, 1.5, size)
    return made / made.sum(axis=-1, keepdims=True)


DOMAINS: dict[str, Callable[[Any, Any], Any]] = {
    "normal": _normal,
    "positive": lambda rng, size: rng.uniform(0.5, 1.5, size),
    "unit": lambda rng, size: rng.uniform(0.1, 0.9, size),
    "spd": _definite,
    "invertible": _invertible,
    "orthogonal": lambda rng, size: np.linalg.qr(rng.standard_normal(size))[0],
    "away_from_zero": _away,
    "simplex": _simplex,
    "one_hot": lambda rng, size: np.eye(size[-1])[rng.integers(0, size[-1], size[:-1])],
}
"""How numbers are drawn for a name."""


def derivative(expr: Expr, values: Values, name: str, sizes: Mapping[str, int]) -> Any:
    """Return ∂expr/∂name by complex steps, shaped as expr and then as name."""
    at = np.asarray(values[name], dtype=complex)
    columns = []
    for index in np.ndindex(at.shape):
        moved = at.copy()
        moved[index] += 1j * STEP
        columns.append(np.imag(evaluate(expr, {**values, name: moved}, sizes=sizes)) / STEP)
    made = np.stack(columns, axis=-1)
    return made.reshape(made.shape[:-1] + at.shape)


def second(expr: Expr, values: Values, pair: tuple[str, str], sizes: Mapping[str, int]) -> Any:
    """Return ∂²expr/∂one ∂other, shaped as one and then as other, by steps both ways of `other`.

    Fourth order: the differences of complex steps at ±h and ±2h.
    """
    one, other = pair
    at = np.asarray(values[other], dtype=float)
    columns = []
    for index in np.ndindex(at.shape):
        found = []
        for k in (-2, -1, 1, 2):
            moved = at.copy()
            moved[index] += k * WIDE
            found.append(derivative(expr, {**values, other: moved}, one, sizes))
        columns.append((found[0] - 8 * found[1] + 8 * found[2] - found[3]) / (12 * WIDE))
    made = np.stack(columns, axis=-1)
    return made.reshape(made.shape[:-1] + at.shape)


def stacked(array: Any, rank: int) -> Any:
    """Return a derivative as a matrix: the first `rank` axes and the others, columns stacked."""
    first, rest = array.shape[:rank], array.shape[rank:]
    rows, columns = int(np.prod(first)), int(np.prod(rest))
    order = [*range(rank)[::-1], *range(rank, array.ndim)[::-1]]
    return array.transpose(order).reshape(rows, columns)


def worst(ours: Any, truth: Any) -> float:
    """Return the largest difference, relative to the largest entry."""
    ours, truth = np.asarray(ours), np.asarray(truth)
    assert ours.size == truth.size, (ours.shape, truth.shape)
    ours = ours.reshape(truth.shape) if 1 in truth.shape or truth.ndim == 0 else ours
    assert ours.shape == truth.shape, (ours.shape, truth.shape)
    scale = max(1.0, float(np.max(np.abs(truth), initial=0)))
    return float(np.max(np.abs(ours - truth), initial=0)) / scale
