"""Derived variances beside those of drawn networks, and the commands that print them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from running import SPECS

import symbp
from symbp.causes import Causes
from symbp.cli import main
from symbp.errors import SymbpError
from symbp.simulation import Draws, simulate

ENERGY = symbp.load(SPECS / "energy.symbp", sizes={"K": 4})
FEW = Draws(seeds=4, examples=40)


def run(*words: str):
    return CliRunner().invoke(main, words)


def test_energies_are_the_derived_ones() -> None:
    large, small = simulate(ENERGY, FEW, [1.0, 0.01])
    assert [round(one.derived.second) for one in large.layers[:5]] == [1, 100, 10**4, 10**6, 10**8]
    for one in (*large.layers, *small.layers):
        assert abs(one.ratio - 1) < 0.1
    curve = small.curve()
    assert (curve.forward_layers, curve.backward_layers) == ([1, 2, 3, 4], [1, 2, 3, 4])


def test_what_is_derived_is_drawn_with() -> None:
    """The gains of `init auto` are those of the numbers, too, and the softmax is passed by."""
    text = "size n = 300, c = 4\ninput x : n\ntarget y : one_hot c\nparam A : n x n init auto\n"
    text += "param W : c x n init auto\nh = relu(A @ x)\nz = W @ h\n"
    program = symbp.parse(text + "loss = softmax_cross_entropy(y, z)\n")
    (found,) = simulate(program, Draws(seeds=20, examples=40))
    ratios = {one.name: one.ratio for one in found.layers}
    assert all(abs(ratios[name] - 1) < 0.1 for name in ("z_h", "h", "z", "∂z", "∂z_h"))


def test_the_same_seed_gives_the_same_numbers() -> None:
    assert simulate(ENERGY, FEW) == simulate(ENERGY, FEW)
    assert simulate(ENERGY, FEW) != simulate(ENERGY, replace(FEW, seed=9))


def test_an_overflow_is_named() -> None:
    (found,) = simulate(ENERGY, replace(FEW, dtype="float32"), [1e30])
    assert any(text.startswith("h_3 overflows") for text in found.warnings())


def test_weights_of_zero_are_warned_of() -> None:
    (found,) = simulate(ENERGY, FEW, [0.0])
    assert any("stay equal" in text for text in found.warnings())


REFUSED = [
    (symbp.load(SPECS / "energy.symbp"), FEW, "the length K is no number"),
    (symbp.load(SPECS / "leaky.symbp"), FEW, "alpha has no number"),
    (ENERGY, replace(FEW, given={"q": 1.0}), "no scalar const of that name"),
    (ENERGY, replace(FEW, seeds=0), "nothing is drawn"),
    (symbp.parse("size n\ninput x : n\nparam w : n\nf = dot(w, x)\nloss = f^2\n"), FEW, "size n"),
]


@pytest.mark.parametrize(("program", "draws", "says"), REFUSED, ids=[r[2] for r in REFUSED])
def test_refused(program, draws: Draws, says: str) -> None:
    with pytest.raises(SymbpError, match=says):
        simulate(program, draws)


def test_the_cause_is_the_layer_that_loses_most() -> None:
    program = symbp.load(SPECS / "vanishing.symbp", sizes={"K": 6, "D": 50})
    text = Causes(program, {n: int(v or 0) for n, v in program.sizes.items()})("W[1]")
    assert "squares of derivatives at z_1 are" in text
    assert "its variance is 0.02, and 0.446 keeps them" in text


def test_init_prints_draws_and_refuses(tmp_path: Path) -> None:
    spec = str(SPECS / "energy.symbp")
    assert "Var[Wₖ] = 1/d" in run("init", spec).output
    assert r"\begin{document}" in run("init", spec, "--format", "latex").output
    figure = tmp_path / "a.svg"
    words = ("init", spec, "--set", "K=3", "--simulate", "--seeds", "2", "--examples", "5")
    done = run(*words, "--variance", "1,1/100", "--plot", str(figure))
    assert (done.exit_code, figure.exists()) == (0, True)
    assert "variance 0.01: 2 networks" in done.output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--plot", "a.svg"), "--plot draws what is measured"),
        (("--simulate", "--set", "K=2", "--variance", "a"), "a is no number"),
        (("--simulate", "--set", "K=2", "--variance", "-1"), "a finite number from 0"),
        (("--simulate", "--set", "K=2", "--at", "c"), "is no number"),
        (("--simulate", "--set", "K=2", "--plot", "a.xyz"), "svg"),
    ],
)
def test_init_refuses(words: tuple[str, ...], says: str) -> None:
    done = run("init", str(SPECS / "energy.symbp"), *words)
    assert (done.exit_code, done.output.count("error:")) == (2, 1)
    assert says in done.output


def test_gain_prints_and_draws(tmp_path: Path) -> None:
    done = run("gain", "z * tanh(z)", "--plot", str(tmp_path / "a.png"))
    assert (done.exit_code, (tmp_path / "a.png").exists()) == (0, True)
    assert run("gain", "mish").exit_code == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [((), "no data"), (("--random", "0"), "are none"), (("a.npz", "--random", "5"), "both")],
)
def test_train_wants_data_or_random_examples(words: tuple[str, ...], says: str) -> None:
    done = run("train", str(SPECS / "figure_7_8.symbp"), *words)
    assert (done.exit_code, says in done.output) == (2, True)


def test_random_examples_are_the_same_for_a_seed(tmp_path: Path) -> None:
    made = []
    for name in ("a", "b"):
        target = tmp_path / f"{name}.npz"
        words = ("--random", "20", "--epochs", "2", "-o", str(target))
        assert run("train", str(SPECS / "figure_7_8.symbp"), *words).exit_code == 0
        made.append(np.load(target)["Omega_0"])
    assert np.array_equal(*made)
