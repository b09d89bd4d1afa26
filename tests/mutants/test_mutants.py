"""The judge and the module's own check flag every damaged formula, and name what is wrong."""

from pathlib import Path
from typing import NamedTuple

import pytest

from symbp.api import Derivation
from symbp.check import certify
from symbp.derive.derive import derive
from symbp.pipeline import compile_module, emit
from symbp.spec import load

SPECS = Path(__file__).parent.parent.parent / "specs"


class Mutant(NamedTuple):
    """A damage to the text of a spec's module, and what must be named."""

    spec: str
    kind: str
    before: str
    after: str
    mode: str
    quantity: str


MUTANTS = [
    Mutant("mlp", "wrong factor", "= 2 * r\n", "= r\n", "gradient", "beta_2"),
    Mutant("mlp", "wrong sign", "= 2 * r\n", "= -2 * r\n", "gradient", "beta_2"),
    Mutant(
        "mlp", "transpose", "f_1_bar @ Omega_1\n", "f_1_bar @ Omega_1.T\n", "gradient", "beta_0"
    ),
    Mutant(
        "mlp", "lost batch sum", "f_1_bar.sum(axis=0)", "f_1_bar[0].copy()", "gradient", "beta_1"
    ),
    Mutant(
        "mlp", "mean for sum", "f_2_bar.sum(axis=0)", "f_2_bar.mean(axis=0)", "gradient", "beta_2"
    ),
    Mutant(
        "mlp", "lost mask", "h_1 > 0, out=h_1_bar", "h_1 > -1, out=h_1_bar", "gradient", "beta_0"
    ),
    Mutant("mlp", "wrong tangent", "f_1_dot += h_1_dot @ Omega_1.T", "pass", "jvp", "Omega_0"),
    Mutant("mlp", "wrong hvp", "= 2 * f_2_dot\n", "= f_2_dot\n", "hvp", "beta_2"),
    Mutant("mlp", "wrong input adjoint", "f_0_bar @ Omega_0", "2 * f_0_bar @ Omega_0", "vjp", "x"),
    Mutant(
        "mlp",
        "wrong loss_dot",
        "2 * np.sum(r * f_2_dot)",
        "np.sum(r * f_2_dot)",
        "loss_and_dot",
        "beta_2",
    ),
    Mutant("residual", "lost branch", "u_bar += v_bar", "pass", "gradient", "b"),
    Mutant("residual", "lost penalty", "W_penalty = W / 50", "W_penalty = 0 * W", "gradient", "W"),
    Mutant(
        "toy",
        "slope at the wrong point",
        "np.cos(f_0) * h_1_bar",
        "np.cos(h_1) * h_1_bar",
        "gradient",
        "beta_0",
    ),
    Mutant(
        "classifier",
        "target off by one",
        "np.arange(len(y)), y] -= 1",
        "np.arange(len(y)), y - 1] -= 1",
        "gradient",
        "b_2",
    ),
]


@pytest.fixture(scope="module")
def texts():
    made = {}
    for spec in {mutant.spec for mutant in MUTANTS}:
        made[spec] = emit(Derivation.of(derive(load(SPECS / f"{spec}.symbp"))))
    return made


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: f"{m.spec}: {m.kind}")
def test_the_judge_names_the_damage(mutant, texts):
    module = damaged(mutant, texts)
    certificate = certify(module)
    rows = [
        r for r in certificate.failures if (r.mode, r.quantity) == (mutant.mode, mutant.quantity)
    ]
    assert rows, certificate.format()
    assert rows[0].hint


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: f"{m.spec}: {m.kind}")
def test_the_module_finds_it_by_itself(mutant, texts):
    rows = damaged(mutant, texts).check()
    assert any(not error <= bound for _, error, bound in rows)


def damaged(mutant, texts):
    text = texts[mutant.spec]
    assert mutant.before in text, f"the text has no {mutant.before}"
    derivation = Derivation.of(derive(load(SPECS / f"{mutant.spec}.symbp")))
    return compile_module(derivation, text=text.replace(mutant.before, mutant.after))


@pytest.mark.parametrize("spec", sorted({mutant.spec for mutant in MUTANTS}))
def test_what_is_not_damaged_is_not_flagged(spec, texts):
    module = compile_module(Derivation.of(derive(load(SPECS / f"{spec}.symbp"))), text=texts[spec])
    assert certify(module).ok
    assert all(error <= bound for _, error, bound in module.check())
