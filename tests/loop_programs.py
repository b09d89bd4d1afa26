"""Random specs with loops of symbolic length, valid by construction: a hypothesis strategy.

Text is drawn, not trees, so that a failure can be replayed with `symbp check`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

MAPS = (
    "tanh({})", "sin({})", "sigmoid({})", "relu({})", "swish({})", "softmax({})", "{} / 2",
    "softplus({})", "gelu({})",
)  # fmt: skip
INITS = ("", " init he", " init zero", " init normal(1/4)", " init xavier")


@dataclass
class Drawn:
    """A spec: its parts; `free` are the sizes that say how many turns there are."""

    free: list[str]
    sizes: list[str]
    given: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    terms: list[str] = field(default_factory=list)
    tail: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The spec."""
        head = [f"size {', '.join([*self.free, *self.sizes])}", "op swish(z) = z * sigmoid(z)"]
        loss = [f"loss = {' + '.join(self.terms)}"] if self.terms else []
        return "\n".join([*head, *self.given, *self.lines, *loss, *self.tail]) + "\n"

    def __repr__(self) -> str:
        return f"\n{self.text}"


@dataclass(frozen=True)
class Family:
    """A family of vectors: its name, where its members begin and end, and how wide they are."""

    name: str
    first: int
    last: str
    width: Callable[[str], str]


class Grower:
    """Grows a spec."""

    def __init__(self, draw: Callable[..., Any]) -> None:
        self.draw = draw
        self.spec = Drawn(["K"], ["n"])
        self.plain: list[str] = []
        self.shared: dict[str, str] = {}
        self.families: list[Family] = []
        self.count = 0

    def one(self, choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def chance(self, of: int = 2) -> bool:
        return self.draw(st.integers(1, of)) == of

    def name(self, letter: str) -> str:
        self.count += 1
        return f"{letter}{self.count}"

    def given(self, role: str, letter: str, shape: str, range_: str = "") -> str:
        name = self.name(letter)
        init = self.one(INITS) if role == "param" else ""
        if init in (" init he", " init xavier") and " x " not in shape:
            init = ""
        self.spec.given.append(f"{role} {name}{range_} : {shape}{init}")
        return name

    def matrix(self) -> str:
        """Return a square matrix that turns share: an old one or a new one."""
        old = [name for name in self.shared if self.shared[name] == "matrix"]
        if old and self.chance():
            return self.one(old)
        name = self.given(self.one(("param", "param", "const")), "W", "n x n")
        self.shared[name] = "matrix"
        return name

    def vector(self) -> str:
        """Return a vector of no loop: given, or a line."""
        if self.plain and self.chance():
            return self.one(self.plain)
        role = self.one(("param", "input", "const"))
        name = self.given(role, {"param": "b", "input": "x", "const": "c"}[role], "n")
        if self.chance(3):
            line = self.name("u")
            self.spec.lines.append(f"{line} = {self.mapped(name)}")
            name = line
        self.plain.append(name)
        return name

    def mapped(self, text: str) -> str:
        return self.one(MAPS).format(text if text.replace("_", "").isalnum() else f"({text})")

    def first(self) -> str:
        """Return what a family begins with."""
        kind = self.one(("vector", "vector", "zeros", "ones", "map"))
        if kind == "map":
            return self.mapped(f"{self.matrix()} @ {self.vector()}")
        return self.vector() if kind == "vector" else f"{kind}(n)"


def _own_range(grow: Grower, start: int, stop: str) -> str:
    """Return the range of a given family that has a member for each turn."""
    return f"[{start}..{stop}]"


def _turn_term(grow: Grower, name: str, depth: int, start: int, stop: str) -> str:
    """Return a term of a line in the loop `for k in start..stop` that makes `name[k]`."""
    back = f"{name}[k-{grow.draw(st.integers(1, depth))}]"
    kind = grow.one(("own", "own", "shared", "plain", "bias", "other", "skip", "scaled", "product",
                     "input", "const", "fixed"))  # fmt: skip
    span = _own_range(grow, start, stop)
    if kind == "own":
        return (
            f"{grow.given(grow.one(('param', 'param', 'const')), 'V', 'n x n', span)}[k] @ {back}"
        )
    if kind == "shared":
        return f"{grow.matrix()} @ {back}"
    if kind == "bias":
        return f"{grow.given('param', 'b', 'n', span)}[k]"
    if kind == "input":
        return f"{grow.matrix()} @ {grow.given('input', 'X', 'n', span)}[k]"
    if kind == "const":
        return f"{grow.given('const', 'C', 'n', span)}[k] .* {back}"
    if kind == "skip":
        return grow.vector()
    if kind == "scaled":
        return grow.one(("{} / K", "{} / n", "1/3 * {}", "k * {} / 5", "{} / (k + 1)")).format(back)
    if kind == "product":
        return f"{back} .* {name}[k-{grow.draw(st.integers(1, depth))}]"
    if kind == "fixed":
        return f"{name}[{grow.draw(st.integers(0, depth - 1))}]"
    if kind == "other" and grow.families:
        return _member(grow, start, stop)
    return back


def _member(grow: Grower, start: int, stop: str) -> str:
    """Return a member of a family of an earlier loop, in a turn from start to stop."""
    family = grow.one(grow.families)
    offset = grow.draw(st.integers(-2, 2))
    place = f"k{offset:+d}" if offset else "k"
    low = start + offset >= family.first
    behind = {"K-1": -1, "K": 0, "K+1": 1}
    high = behind[stop] + offset <= behind[family.last]
    if not low or not high:
        place = grow.one((family.last, str(family.first), "k"))
        if place == "k" and (start < family.first or behind[stop] > behind[family.last]):
            place = family.last
    return f"{family.name}[{place}]"


def _loop(grow: Grower) -> None:
    """Add a loop that carries a value, and the values it begins with."""
    depth = grow.one((1, 1, 1, 2, 2, 3))
    name = grow.name("h")
    for k in range(depth):
        grow.spec.lines.append(f"{name}[{k}] = {grow.first()}")
    stop = grow.one(("K", "K", "K", "K-1"))
    terms = [_turn_term(grow, name, depth, depth, stop) for _ in range(grow.one((1, 2, 2, 3)))]
    if not any(f"{name}[k-" in term for term in terms):
        terms.append(f"{name}[k-{depth}]")
    body = " + ".join(dict.fromkeys(terms))
    lines = [f"for k in {depth}..{stop}:"]
    if grow.chance():
        inner = grow.name("a")
        lines += [f"    {inner}[k] = {body}", f"    {name}[k] = {grow.mapped(f'{inner}[k]')}"]
        grow.families.append(Family(inner, depth, stop, str))
    else:
        lines.append(f"    {name}[k] = {grow.mapped(body)}")
    if grow.chance(4):
        lines.append(f"    {grow.name('q')}[k] = {grow.mapped(f'{name}[k]')}")
    if grow.chance(4):
        side = grow.name("g")
        lines.append(f"    {side}[k] = {grow.mapped(f'{name}[k] + {name}[k-1]')}")
        grow.families.append(Family(side, depth, stop, str))
    grow.spec.lines += lines
    if stop == "K-1" and grow.chance():
        grow.spec.lines.append(f"{name}[K] = {grow.matrix()} @ {name}[K-1]")
        stop = "K"
    grow.families.append(Family(name, 0, stop, str))


def _downward(grow: Grower) -> None:
    """Add a loop that counts down its places."""
    name = grow.name("d")
    grow.spec.lines.append(f"{name}[K] = {grow.first()}")
    read = [f for f in grow.families if f.first <= 0 and f.last in ("K", "K-1")]
    terms = [f"{grow.matrix()} @ {name}[K-k+1]"]
    if read and grow.chance():
        terms.append(f"{grow.one(read).name}[K-k]")
    if grow.chance():
        terms.append(f"{grow.given('param', 'b', 'n', '[1..K]')}[k]")
    body = grow.mapped(" + ".join(terms))
    grow.spec.lines += ["for k in 1..K:", f"    {name}[K-k] = {body}"]
    grow.families.append(Family(name, 0, "K", str))


def _widths(grow: Grower) -> None:
    """Add layers of their own widths D[0..K]."""
    grow.spec.sizes.append("D[0..K]")
    x = grow.given("input", "x", "D[0]")
    w = grow.given("param", "W", "D[k] x D[k-1]", "[1..K]")
    b = grow.given("param", "b", "D[k]", "[1..K]")
    name, inner = grow.name("h"), grow.name("f")
    term = f"{w}[k] @ {name}[k-1]" + grow.one(("", f" + {b}[k]", f" / D[k] + {b}[k]"))
    stop = grow.one(("K", "K-1"))
    grow.spec.lines += [f"{name}[0] = {x}", f"for k in 1..{stop}:"]
    grow.spec.lines += [f"    {inner}[k] = {term}", f"    {name}[k] = {grow.mapped(f'{inner}[k]')}"]
    if stop == "K-1":
        grow.spec.lines.append(f"{name}[K] = {w}[K] @ {name}[K-1]")
    grow.spec.terms.append(grow.one((f"norm2({name}[K])^2", f"sum({name}[K])^2")))
    if grow.chance():
        grow.spec.terms.append(f"sum(norm2({w}[k])^2 / D[k] for k in 1..K)")
    if grow.chance(3):
        grow.spec.terms.append(f"sum(norm2({name}[k])^2 for k in 1..{stop}) / K")


def _nested(grow: Grower) -> None:
    """Add layers by time: a loop of L turns around one of K."""
    grow.spec.free.append("L")
    name, start = grow.name("h"), grow.one(("input", "vector"))
    if start == "input":
        x = grow.given("input", "X", "n", "[1..K]")
        grow.spec.lines += ["for k in 1..K:", f"    {name}[0,k] = {x}[k]"]
    else:
        grow.spec.lines += ["for k in 1..K:", f"    {name}[0,k] = {grow.vector()}"]
    u = grow.given("param", "U", "n x n", "[1..L]")
    terms = [f"{u}[l] @ {name}[l,k-1]", f"{name}[l-1,k]"]
    if grow.chance():
        terms.append(f"{grow.matrix()} @ {name}[l-1,k]")
    if grow.chance():
        terms.append(f"{grow.given('param', 'b', 'n', '[1..L]')}[l]")
    grow.spec.lines += ["for l in 1..L:", f"    {name}[l,0] = {grow.first()}"]
    body = grow.mapped(" + ".join(terms))
    grow.spec.lines += ["    for k in 1..K:", f"        {name}[l,k] = {body}"]
    if grow.chance(3):
        total = grow.name("m")
        grow.spec.lines.append(f"    {total}[l] = sum(norm2({name}[l,k])^2 for k in 1..K)")
        grow.spec.terms.append(f"sum({total}[l] for l in 1..L) / L")
    grow.plain.append(f"{name}[L,K]")


def _read(grow: Grower) -> str:
    """Return what is read of the loops afterwards."""
    terms = []
    for family in grow.families:
        if family.name[0] in "hdg" and grow.chance(1 if not terms else 2):
            places = [family.last, str(family.first)]
            places += [f"{family.last}-1"] if family.last == "K" else []
            places += ["2"] if family.first <= 2 else []
            terms.append(f"{family.name}[{grow.one(places)}]")
    terms += [name for name in grow.plain if "[" in name]
    if not terms or grow.chance(3):
        terms.append(grow.vector())
    return " + ".join(dict.fromkeys(terms))


def _summed(grow: Grower) -> str:
    """Return a sum over members of a family."""
    family = grow.one(grow.families)
    term = grow.one(("norm2({})^2", "sum({})", "norm2({})^2 / k", "dot({}, {})"))
    member = f"{family.name}[k]"
    start = max(family.first, 1)
    if "dot" in term or grow.chance(3):
        other = grow.vector()
        return f"sum(dot({member}, {other}) for k in {start}..{family.last})"
    return f"sum({term.format(member)} for k in {start}..{family.last})"


@st.composite
def loop_programs(draw: Callable[..., Any]) -> Drawn:
    """Draw a network with loops, most often with a loss."""
    grow = Grower(draw)
    for _ in range(grow.one((1, 1, 2, 3))):
        grow.one((_loop, _loop, _loop, _loop, _downward))(grow)
    if grow.chance(4):
        _nested(grow)
    lossy = not grow.chance(6)
    output = grow.name("f")
    grow.spec.lines.append(
        f"{output} = {grow.one(('{}', 'tanh({})', 'softmax({})')).format(_read(grow))}"
    )
    if lossy:
        target = grow.given("target", "y", "n")
        kind = grow.one(("norm2({} - {})^2", "squared_error({}, {})"))
        grow.spec.terms.append(kind.format(target, output))
        for _ in range(grow.one((0, 0, 1, 2))):
            grow.spec.terms.append(f"{grow.one(('1/2', '1/10'))} * {_summed(grow)}")
        if grow.chance(3):
            kept = [g.split()[1] for g in grow.spec.given if g.startswith("param V")]
            for name in kept[:1]:
                range_ = name[name.index("[") + 1 : -1]
                name = name[: name.index("[")]
                grow.spec.terms.append(f"1/10 * sum(norm2({name}[k])^2 for k in {range_})")
        if grow.chance(5):
            _widths(grow)
        if grow.chance(4):
            grow.spec.tail.append("batch sum")
    else:
        grow.spec.terms.clear()
    if not any("[1..K]" in line for line in grow.spec.given):  # what tells K
        grow.given("param", "p", "n", "[1..K]")
    if not any(line.startswith("param") for line in grow.spec.given):
        grow.given("param", "p", "n")
    if not lossy or grow.chance():
        grow.spec.tail.append(f"output {output}")
    return grow.spec
