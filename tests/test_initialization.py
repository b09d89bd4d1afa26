"""`symbp.initialization`: the variances that keep variances, and `init auto` that takes them."""

import numpy as np
import pytest
from running import SPECS

import symbp
from symbp.errors import SymbpError
from symbp.initialization import initialization
from symbp.variances import at_start, through_all

HEAD = "size N, M, D\ninput x : N\ntarget y : D\n"
RELU = HEAD + (
    "param A : M x N\nparam B : D x M init auto\nz = A @ x\nh = relu(z)\nf = B @ h\n"
    "loss = squared_error(y, f)\n"
)
RNN = """size T, D, H
input x[1..T] : D
target y
param W : H x D
param U : H x H
param w : H init normal(1)
h[0] = zeros(H)
for t in 1..T:
    z[t] = W @ x[t] + U @ h[t-1]
    h[t] = tanh(z[t])
loss = (dot(w, h[T]) - y)^2
"""

CONDITIONS = [  # text, weight, forward, backward, compromise
    (RELU, "B", "2/M", "2/D", "4/(M + D)"),
    (RELU, "A", "1/N", "1/M", "2/(N + M)"),
    (RELU.replace("relu(z)", "abs(z)"), "B", "1/M", "1/D", "2/(M + D)"),
    (RELU.replace("relu(z)", "leaky_relu(z, 1/2)"), "B", "8/(5 M)", "8/(5 D)", "16/(5 (M + D))"),
    (RELU.replace("D x M", "M x D").replace("B @", "B' @"), "B", "2/M", "2/D", "4/(M + D)"),
    (HEAD.replace("target", "const a\ntarget") + RELU.removeprefix(HEAD)
     .replace("relu(z)", "leaky_relu(z, a)"), "B", "2/((1 + a²) M)", "2/((1 + a²) D)",
     "4/((1 + a²) (M + D))"),
    (RNN, "W", "1/(2 D)", "1/H", "2/(2 D + H)"),
    ((SPECS / "deep.symbp").read_text(encoding="utf-8"), "Omega", "2/Dₖ₋₁", "2/Dₖ",
     "4/(Dₖ₋₁ + Dₖ)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "weight", "forward", "backward", "both"), CONDITIONS)
def test_conditions(text: str, weight: str, forward: str, backward: str, both: str) -> None:
    gain = initialization(symbp.parse(text)).gains[weight]
    found = (gain.forward_variance, gain.backward_variance, gain.compromise)
    assert tuple(map(str, found)) == (forward, backward, both)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("call", ["relu(z)", "tanh(z)", "own(z)"])
def test_auto_draws_the_compromise(call: str, turned: bool) -> None:
    text = "op own(z) = z * sigmoid(z)\n" + RELU.replace("relu(z)", call)
    if turned:
        text = text.replace("D x M", "M x D").replace("B @", "B' @")
    program = symbp.parse(text, sizes={"N": 20, "M": 500, "D": 200})
    gain = initialization(program).gains["B"]
    wanted = 2 / (500 * float(gain.forward) + 200 * float(gain.backward))
    module = symbp.compile(symbp.derive(program))
    drawn = module.init_params(np.random.default_rng(0)).B
    assert abs(np.var(drawn) / wanted - 1) < 0.02


@pytest.mark.parametrize(
    ("call", "says"), [("leaky_relu(z, a)", "a has no number"), ("own(z)", "two orders differ")]
)
def test_auto_without_a_number_is_refused(call: str, says: str) -> None:
    head = "op own(z) = 1/z\nconst a\n"
    program = symbp.parse(head + RELU.replace("relu(z)", call))
    with pytest.raises(SymbpError, match=says) as refused:
        symbp.emit(symbp.derive(program))
    assert "init auto" in str(refused.value)
    assert "Var[B] =" in initialization(program).unicode()


def test_what_the_init_of_a_spec_gives() -> None:
    found = initialization(symbp.load(SPECS / "mlp.symbp")).found
    assert len(at_start(found)) == 5
    text = initialization(symbp.load(SPECS / "mlp.symbp")).unicode()
    assert "Var[f₁]     = Var[f₀]                init he" in text


def test_the_product_over_all_layers() -> None:
    """003: the variance of a weight's gradient in those of the two ends."""
    found = initialization(symbp.load(SPECS / "two_layer_linear.symbp"))
    assert len(through_all(found.found)) == 2
    assert "Var[∂ℓ/∂V] = d_y Var[x] Var[U] E[(∂ℓ/∂ŷ)²]" in found.unicode()


def test_weights_of_zero_stay_equal() -> None:
    text = RELU.replace("init auto", "init zero")
    assert "The entries of B start at zero" in initialization(symbp.parse(text)).unicode()


SAID = [
    (RELU.replace("relu(z)", "softmax(z)"), "softmax does not act entry by entry", "z"),
    (HEAD.replace("y : D", "y : N")
     + "param A : M x N\nz = A @ x\nh = tanh(z)\nf = A' @ h\nloss = squared_error(y, f)\n",
     "A and its transpose meet", "h"),
    ("input x\ntarget y\nparam w, v\nf = w * x\nh = sin(f)\ng = v * h\nloss = (g - y)^2\n",
     "taken as normal", "f"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "says", "derived"), SAID, ids=[says for _, says, _ in SAID])
def test_what_is_not_derived_is_said(text: str, says: str, derived: str) -> None:
    found = initialization(symbp.parse(text))
    assert says in found.unicode()
    assert found.forward[derived].missing == ""


@pytest.mark.parametrize("path", sorted(SPECS.glob("*.symbp")), ids=lambda path: path.stem)
def test_every_spec_is_read_in_every_format(path) -> None:
    found = initialization(symbp.load(path))
    assert "Assumptions" in found.unicode()
    assert r"\begin{document}" in found.latex()
    assert found.markdown().startswith("# ")
    assert all(step.left and step.right for step in found.steps)
