"""Cost grows with the number of lines: counted in nodes and characters, never by the clock."""

import inspect
import sys
from collections.abc import Callable

import pytest

import symbp
from symbp import ir


def network(layers: int) -> str:
    """Return a network with every layer written out."""
    sizes = ", ".join(f"n_{k} = 3" for k in range(layers + 1))
    given = [f"size {sizes}", "input x : n_0", f"target y : n_{layers}"]
    lines, before = [], "x"
    for k in range(1, layers + 1):
        given += [f"param W_{k} : n_{k} x n_{k - 1}", f"param b_{k} : n_{k}"]
        lines += [f"f_{k} = W_{k} @ {before} + b_{k}", f"h_{k} = tanh(f_{k})"]
        before = f"h_{k}"
    return "\n".join([*given, *lines, f"loss = norm2({before} - y)^2", ""])


def family(layers: int) -> str:
    """Return the same network as a family."""
    return (
        f"size K = {layers}, n[0..K] = 3\ninput x : n[0]\ntarget y : n[K]\n"
        "param W[1..K] : n[k] x n[k-1]\nparam b[1..K] : n[k]\nh[0] = x\n"
        "for k in 1..K:\n    f[k] = W[k] @ h[k-1] + b[k]\n    h[k] = tanh(f[k])\n"
        "loss = norm2(h[K] - y)^2\n"
    )


def works(function: Callable[..., object], *args: object) -> int:
    """Return how many calls of functions and turns of generators a call takes."""
    count = 0

    def note(frame: object, event: str, arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        function(*args)
    finally:
        sys.setprofile(before)
    return count


class Counted:
    """How many nodes were asked for, and how many frames deep the calls went."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = 0
        right = ir.node

        def node(op: ir.Op, *args: ir.Expr) -> ir.Expr:
            self.calls += 1
            return right(op, *args)

        for name, module in list(sys.modules.items()):
            if name.startswith("symbp") and getattr(module, "node", None) is right:
                monkeypatch.setattr(module, "node", node)

    def of(self, text: str) -> int:
        """Return the nodes asked for by the derivation of a spec."""
        program = symbp.parse(text)
        before = self.calls
        symbp.derive(program)
        return self.calls - before


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    symbp.emit(symbp.derive(symbp.parse(network(2))))  # every module is there to be counted in
    return Counted(monkeypatch)


@pytest.mark.parametrize("form", [network, family])
def test_deriving_ten_times_the_layers(form: object, counted: Counted) -> None:
    assert callable(form)
    few, many = counted.of(form(10)), counted.of(form(100))
    assert few > 100
    assert many < 12 * few


def symbolic(layers: int) -> str:
    """Return the network of a family whose sizes have no numbers."""
    return family(layers).replace("] = 3", "]")


@pytest.mark.parametrize("form", [network, family, symbolic])
def test_three_times_the_layers_are_three_times_the_work(form: Callable[[int], str]) -> None:
    """Counted pass by pass; a list that is searched for each line of another shows at once."""
    found: dict[str, list[int]] = {"parse": [], "derive": [], "emit": [], "print": []}
    for layers in (2, 20, 60):  # the first fills what is remembered from run to run
        program = symbp.parse(form(layers))
        derivation = symbp.derive(program)
        found["parse"].append(works(symbp.parse, form(layers)))
        found["derive"].append(works(symbp.derive, program))
        found["emit"].append(works(symbp.emit, derivation))
        found["print"].append(works(derivation.unicode, "both"))
    growth = {name: many / few for name, (_, few, many) in found.items()}
    assert max(growth.values()) < 3.5, growth  # of 60 layers not everything is remembered


def test_a_layer_is_emitted_in_few_calls() -> None:
    """Of 1,000 layers the module is to be there in seconds."""
    found = {n: symbp.derive(symbp.parse(family(n))) for n in (2, 20, 60)}
    made = [works(symbp.emit, derivation) for derivation in found.values()]
    assert made[2] - made[1] < 40 * LAYER


LAYER = 65_000
"""The calls that a layer may take; what is derived again for each sweep doubles them at once."""


def test_a_thousand_layers_recurse_nowhere() -> None:
    found = symbp.derive(symbp.parse(family(1000)))
    assert len(found.program.tuples["W"]) == 1000
    assert "∂ℓ/∂f₁₀₀₀ " in found.unicode("both")


def test_emitted_text_grows_with_the_layers() -> None:
    few, many = (len(symbp.emit(symbp.derive(symbp.parse(network(n))))) for n in (10, 100))
    assert many < 12 * few


def test_printed_text_grows_with_the_layers() -> None:
    few, many = (len(symbp.derive(symbp.parse(network(n))).unicode("both")) for n in (10, 100))
    assert many < 12 * few


def test_three_hundred_layers_recurse_nowhere() -> None:
    found = symbp.derive(symbp.parse(network(300)))
    assert str(found.line("W_1").right) == "∂ℓ/∂f₁ xᵀ"
    assert "∂ℓ/∂f₁ " in found.unicode("both")


def test_emitting_many_layers_stays_near_the_ground() -> None:
    """A frame or more a layer would pass the limit, which is set low for the while."""
    found, before = symbp.derive(symbp.parse(network(100))), sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 95)
    try:
        text = symbp.emit(found)
    finally:
        sys.setrecursionlimit(before)
    assert text.count("tanh") >= 100


def test_five_thousand_terms_are_one_flat_sum() -> None:
    terms = " + ".join(f"{k} * a" for k in range(1, 5_001))
    assert symbp.parse(f"param a\nf = {terms}\nloss = f^2\n").bindings[0].expr.size < 10
    many = " + ".join(f"sin({k} * a)" for k in range(1, 5_001))
    assert len(symbp.parse(f"param a\nf = {many}\nloss = f^2\n").bindings[0].expr.args) == 5_000


def symbolic(layers: int) -> str:
    """Return a network of K layers in as many lines as `layers` asks for, none of them unrolled."""
    lines = "".join(f"    g{k}[k] = tanh(g{k - 1}[k])\n" for k in range(1, layers + 1))
    return (
        "size K, n\ninput x : n\ntarget y : n\nparam W[1..K] : n x n\nh[0] = x\n"
        f"for k in 1..K:\n    g0[k] = W[k] @ h[k-1]\n{lines}    h[k] = tanh(g{layers}[k])\n"
        "loss = norm2(h[K] - y)^2\n"
    )


NESTED = (
    "size L, T, n\ninput x[1..T] : n\ntarget y : n\nparam U[1..L] : n x n\n"
    "for t in 1..T:\n    h[0,t] = x[t]\n"
    "for l in 1..L:\n    h[l,0] = zeros(n)\n    for t in 1..T:\n"
    "        h[l,t] = tanh(U[l] @ h[l,t-1] + h[l-1,t])\nloss = norm2(h[L,T] - y)^2\n"
)


def test_the_lines_of_a_loop_cost_no_more_than_lines(counted: Counted) -> None:
    few, many = counted.of(symbolic(5)), counted.of(symbolic(50))
    assert many < 12 * few


def test_a_loop_costs_less_than_ten_turns_written_out(counted: Counted) -> None:
    nested = counted.of(NESTED)
    for lengths in ({"L": 3, "T": 4}, {"L": 4, "T": 5}):
        before = counted.calls
        symbp.derive(symbp.parse(NESTED, sizes=lengths))
        assert nested < counted.calls - before


def test_a_module_of_any_depth_has_one_text() -> None:
    text = symbp.emit(symbp.derive(symbp.parse(NESTED)))
    assert text.count("np.tanh") == 1
