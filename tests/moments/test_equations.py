"""Every printed equation in moments, held against networks drawn by the thousand."""

from dataclasses import replace

import pytest
from sampled import disagreements, every_equation, sampled

from symbp.moments.travel import Travel
from symbp.ops.linear import scale
from symbp.spec import parse
from symbp.variances import at_start

GIVEN = "size n = 40, m = 2\ninput x : n\ntarget y : m\n"
WEIGHTS = "param W : n x n init he\nparam b : n init zero\nparam V : m x n init xavier\n"
END = "f = V @ h\nloss = squared_error(y, f)\n"

TEXTS = {
    "relu": WEIGHTS + "z = W @ x + b\nh = relu(z)\n" + END,
    "linear": WEIGHTS + "h = W @ x\n" + END,
    "sigmoid": WEIGHTS + "z = W @ x\nh = sigmoid(z)\n" + END,
    "gelu": WEIGHTS + "z = W @ x\nh = gelu(z)\n" + END,
    "own": "op mine(z) = z * exp(-z^2/4) + z/2\n" + WEIGHTS + "z = W @ x\nh = mine(z)\n" + END,
    "swish": WEIGHTS + "z = W @ x\ns = sigmoid(z)\nh = z .* s\n" + END,
    "biases": WEIGHTS.replace("init zero", "init normal(1/2)")
    + "z = W @ x + b\nh = tanh(z)\n" + END,
    "skip": WEIGHTS + "z = W @ x\nh = x + relu(z)\n" + END,
    "gate": WEIGHTS + "param U, G : n x n init lecun\nu = U @ x\ng = sigmoid(G @ x)\n"
    "c = tanh(W @ x)\nh = g .* u + c - g .* c\n" + END,
    "branches": WEIGHTS + "param U : n x n init lecun\nu = U @ x\nc = tanh(W @ x)\nh = u .* c\n"
    + END,
    "leaky": "const alpha\n" + WEIGHTS + "z = W @ x\nh = leaky_relu(z, alpha)\n" + END,
}  # fmt: skip


def networks(name: str):
    fixed = {"alpha": 0.3} if name == "leaky" else {}
    return sampled(parse(GIVEN + TEXTS[name]), **fixed)


@pytest.mark.parametrize("name", TEXTS)
def test_every_step_holds(name: str) -> None:
    drawn = networks(name)
    steps = every_equation(drawn.found)
    assert len(steps) > 15
    assert disagreements(drawn, steps) == []


@pytest.mark.parametrize("name", ["relu", "sigmoid", "gelu", "swish"])
def test_what_the_init_of_the_spec_gives_holds(name: str) -> None:
    drawn = networks(name)
    assert disagreements(drawn, at_start(drawn.found)) == []


def test_a_wrong_step_is_found() -> None:
    drawn = networks("relu")
    wrong = [replace(s, right=scale(2, s.right)) for s in last_steps(drawn.found)]
    assert len(wrong) > 5
    assert len(disagreements(drawn, wrong)) == len(wrong)


def last_steps(found: Travel):
    """Return the last step of each line that is not zero."""
    lasts = (line.equations[-1] for line in found.lines if line.equations)
    return [step for step in lasts if step.right.args]
