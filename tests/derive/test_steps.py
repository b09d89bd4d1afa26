"""Every printed line of every spec is true: its rule, its form and its paths have one value."""

from pathlib import Path

import numpy as np
import pytest
from reference import close, point, run_steps

from symbp.check import numeric_gradient
from symbp.check.numeric import five_point
from symbp.derive.derivation import Derivation
from symbp.derive.derive import derive
from symbp.derive.reading import for_one_example, read
from symbp.ir import name_of
from symbp.ops.evaluate import evaluate
from symbp.program import Program
from symbp.spec import load

SPECS = sorted((Path(__file__).resolve().parents[2] / "specs").glob("*.symbp"))
SPECS = [path for path in SPECS if not load(path).is_looped]  # test_chains.py has those with loops


def moved(program: Program, values, rng):
    """Return values of what is given, and a tangent for each."""
    given = {name_of(v): values[name_of(v)] for v in program.given}
    return given | {f"{n}_dot": rng.standard_normal(np.shape(v)) for n, v in given.items()}


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_each_line_has_the_value_of_its_rule_and_of_its_paths(path):
    derivation = derive(load(path))
    for seed in range(3):
        at = point(derivation.program, 1, seed)
        values = moved(derivation.program, at.example(0), np.random.default_rng(seed))
        run_steps(derivation, values, at.sizes)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_what_a_person_reads_has_the_same_values(path):
    derivation = derive(load(path))
    at = point(derivation.program, 1)
    values = moved(derivation.program, at.example(0), np.random.default_rng(4))
    if derivation.program.loss is None:
        values[f"{name_of(derivation.program.result)}_bar"] = np.ones(())
    truth = run_steps(derivation, values, at.sizes)
    shown = read(derivation)
    for step in (*shown.primal, *shown.adjoint):
        close(evaluate(step.expr, truth, sizes=at.sizes), truth[step.name], step.name)


def differences(program: Program, at, name: str):
    """Return ∂result/∂name for one example by differences of the plain meaning."""
    values = {name_of(v): at.example(0)[name_of(v)] for v in program.given}
    result, shape = name_of(program.result), np.shape(values[name])

    def result_at(theta):
        known = {**values, name: theta.reshape(shape)}
        for binding in program.bindings:
            known[binding.name] = evaluate(binding.expr, known, sizes=at.sizes)
        return float(known[result])

    slopes = numeric_gradient(result_at, np.ravel(values[name]).astype(float), five_point, limit=40)
    return slopes.indices, slopes.values


def gradients(derivation: Derivation, at):
    values = moved(derivation.program, at.example(0), np.random.default_rng(0))
    return run_steps(for_one_example(derivation), values, at.sizes)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_gradients_are_the_differences_of_the_plain_meaning(path):
    program = load(path)
    derivation, at = derive(program), point(program, 1, seed=5)
    values = gradients(derivation, at)
    for var in program.wrt:
        indices, truth = differences(program, at, name_of(var))
        close(np.ravel(values[f"{name_of(var)}_bar"])[indices], truth, name_of(var), 1e-7)
