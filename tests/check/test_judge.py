import ast
from pathlib import Path
from typing import NamedTuple

import accused
import numpy as np
import pytest
from verdicts import flagged

import symbp.check
from symbp.check import judge

SEEDS = range(50)
PARAMS, DATA = accused.sample(np.random.default_rng(7))


def loss(params):
    return accused.network().loss(params, *DATA)


def grad(params):
    return accused.network().loss_and_grad(params, *DATA)[1]


def test_judge_takes_every_structure():
    pair = [2.0, np.ones(3)]
    cases = [
        (lambda t: np.sum(t**3), lambda t: 3 * t**2, np.arange(4.0)),
        (lambda t: t**3, lambda t: 3 * t**2, 2.0),
        (lambda t: t[0] * np.sum(t[1]), lambda t: [np.sum(t[1]), t[0] + 0 * t[1]], pair),
        (
            lambda t: t["a"] * t["b"],
            lambda t: {"b": t["a"], "a": t["b"]},
            {"a": 2.0, "b": 5.0},
        ),
        (loss, grad, PARAMS),
    ]
    for f, g, params in cases:
        certificate = judge(f, g, params)
        assert certificate.ok, certificate.format()
        assert certificate.rows[0].method == "complex step"


def test_judge_names_nested_leaves():
    class Family(NamedTuple):
        Omega: tuple
        beta: np.ndarray

    params = Family((np.ones((2, 2)), np.ones(2)), np.ones(3))

    def square(p):
        return sum(np.sum(a * a) for a in (*p.Omega, p.beta))

    def wrong(p):
        return Family((2 * p.Omega[0], 3 * p.Omega[1]), 2 * p.beta)

    row = flagged(judge(square, wrong, params), "gradient", "Omega[1]")
    assert row.ratio == pytest.approx(1.5)
    named = judge(square, wrong, params, names=["A", "B", "c"])
    flagged(named, "gradient", "B")
    with pytest.raises(ValueError, match="2 names for 3 arrays"):
        judge(square, wrong, params, names=["A", "B"])
    with pytest.raises(ValueError, match="write one entry for each"):
        judge(square, lambda p: p.Omega, params)


def test_judge_finds_a_wrong_entry_among_many():
    theta = np.random.default_rng(0).standard_normal((80, 90))

    def wrong(t):
        gradient = np.cos(t)
        gradient[17, 23] *= 1.5
        return gradient

    row = flagged(judge(lambda t: np.sum(np.sin(t)), wrong, theta), "gradient", "theta")
    assert row.worst == (17, 23)
    assert row.ratio == pytest.approx(1.5)
    assert (row.checked, row.size) == (25, 7200)


def test_judge_steps_off_a_kink():
    relu = np.array([0.0, 1.0, -1.0])
    certificate = judge(lambda t: float(np.sum(np.abs(t))), lambda t: np.sign(t), relu, names=["t"])
    assert certificate.ok, certificate.format()
    assert certificate.rows[0].method == "5-point"


def test_a_lasting_doubt_is_a_failure():
    noise = np.random.default_rng(0)
    certificate = judge(lambda t: float(np.sum(t) + noise.random()), np.ones_like, np.ones(3))
    row = flagged(certificate, "gradient", "theta")
    assert row.doubtful
    assert "no verdict" in row.hint


@pytest.mark.parametrize("seed", SEEDS)
def test_judge_flags_no_correct_pair(seed):
    params, data = accused.sample(np.random.default_rng(seed))
    for analytic in (None, True, False):
        module = accused.network()
        certificate = judge(
            lambda p, m=module: m.loss(p, *data),
            lambda p, m=module: m.loss_and_grad(p, *data)[1],
            params,
            analytic=analytic,
            seed=seed,
        )
        assert certificate.ok, certificate.format()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_not_finite_is_flagged(bad):
    row = flagged(judge(np.sum, lambda t: bad * np.ones(3), np.ones(3)), "gradient", "theta")
    assert row.error == np.inf
    assert row.hint == "not finite"


def test_a_gradient_zero_in_exact_arithmetic_is_not_flagged():
    def cost(params):
        z = params["z"] + params["shift"]
        return np.log(np.sum(np.exp(z))) - z[0]

    def slopes(params):
        p = np.exp(params["z"] + params["shift"])
        delta = p / np.sum(p) - np.eye(1, 4)[0]
        return {"z": delta, "shift": np.float64(0.0)}

    certificate = judge(cost, slopes, {"z": np.arange(4.0), "shift": 0.3})
    assert certificate.ok, certificate.format()


def test_the_judge_imports_numpy_and_errors_only():
    allowed = {"numpy", "symbp.check", "symbp.errors"}
    standard = {"collections", "dataclasses", "inspect", "types", "typing", "warnings"}
    for path in Path(symbp.check.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                root = name.split(".")[0]
                assert root in standard | {"numpy"} or name.startswith(tuple(allowed)), path
