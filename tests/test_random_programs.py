"""Programs drawn at random: derivation, emitted code and the plain meaning agree."""

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from programs import Drawn, programs
from reference import Point, close, loss_by_hand, point, run_steps

from symbp.check import certify
from symbp.check.tree import arrays
from symbp.derive.derivation import Derivation
from symbp.derive.stable import stabilise
from symbp.ir import name_of, symbol, variables
from symbp.pipeline import compile_module, derive, emit
from symbp.program import needed
from symbp.spec import parse

ROOT = Path(__file__).resolve().parents[1]
QUIET = {"deadline": None, "suppress_health_check": list(HealthCheck)}
NO_SHRINK = (Phase.explicit, Phase.reuse, Phase.generate)  # a program shrinks for minutes


def assert_certified(module, program):
    failures = [row for row in certify(module).failures if not is_rounding(row)]
    if is_constant(program):  # a number of no precision goes in, and comes out
        failures = [row for row in failures if row.mode != "float32"]
    assert not failures, "\n".join(row.format() for row in failures)


def is_constant(program):
    """Tell whether the output depends on consts alone."""
    output = program.output if program.output is not None else program.result
    lines = needed(program.bindings, [output])
    read = {v for line in lines for v in variables(line.expr)} - {line.target for line in lines}
    return read <= set(program.consts)


def is_rounding(row):
    """Tell whether the two sides differ by rounding alone.

    Both are zero, as the derivative of a constant's sum; or a program drawn at random loses a few
    digits: 1 − tanh² of a saturated tanh cancels.  What is wrong is off by far more.
    """
    both_zero = max(abs(row.ours), abs(row.reference)) < (1e-6 if row.mode == "float32" else 1e-10)
    return both_zero or (row.tolerance <= 1e-12 and row.error < 1e-10)


def assert_plain_text(text):
    ast.parse(text)
    assert max(map(len, text.split("\n"))) <= 100
    assert text.endswith("\n")
    assert not any(line != line.rstrip() for line in text.split("\n"))


def assert_values(module, drawn: Drawn, at: Point):
    """Compare forward and loss with each example evaluated by itself."""
    program = at.program
    params, data = at.arguments(module)
    if drawn.terms:
        # the plain log(1 − σ(z)) has no digits left where σ(z) is near 1
        terms, _ = stabilise(parse(drawn.term_text, "drawn"))
        truth = loss_by_hand(at, drawn.terms, terms, drawn.reduction)
        close(module.loss(params, *data), truth, "loss")
        close(module.loss_and_grad(params, *data)[0], truth, "loss_and_grad")
    output = program.output if program.output is not None else program.result
    params, data = at.forward(module)
    each = [at.example(k)[name_of(output)] for k in range(max(at.examples, 1))]
    if symbol(output).batched:
        truth = np.array(each[: at.examples]).reshape(at.examples, *np.shape(each[0]))
        close(module.forward(params, *data), truth, "forward")
    elif output is not program.loss:
        close(module.forward(params, *data), each[0], "forward")


def gradient_by_steps(derivation: Derivation, at: Point) -> dict[str, list[np.ndarray]]:
    """Return for each parameter its adjoint at each example, every printed line evaluated."""
    rng, found = np.random.default_rng(1), {}
    for k in range(at.examples):
        known = at.example(k)
        given = {name_of(v): known[name_of(v)] for v in at.program.given}
        dots = {f"{name}_dot": rng.standard_normal(np.shape(v)) for name, v in given.items()}
        values = run_steps(derivation, {**dots, **given}, at.sizes)
        for var in at.program.params:
            bar = values.get(f"{name_of(var)}_bar", np.zeros_like(given[name_of(var)]))
            found.setdefault(name_of(var), []).append(bar)
    return found


def has_doubles(derivation: Derivation) -> bool:
    """Tell whether a user's name is also a derivative's: `evaluate` knows values by name alone."""
    program = derivation.program
    theirs = {"w", *(step.name for step in (*derivation.tangent, *derivation.adjoint))}
    theirs |= {f"{name_of(v)}_{mark}" for v in program.given for mark in ("dot", "bar")}
    return bool(theirs & {*map(name_of, program.given), *(b.name for b in program.bindings)})


def assert_gradients(module, drawn: Drawn, derivation: Derivation, at: Point):
    program = at.program
    params, data = at.arguments(module)
    _, grad = module.loss_and_grad(params, *data)
    empty = point(program, 0, seed=9)
    empty.values.update(
        {name_of(v): at.values[name_of(v)] for v in (*program.params, *program.consts)}
    )
    _, once = module.loss_and_grad(*(lambda p, d: (p, *d))(*empty.arguments(module)))
    if has_doubles(derivation):
        return
    each = gradient_by_steps(derivation, at)
    for var, ours, penalty in zip(program.params, grad, once, strict=True):
        rows = each[name_of(var)]
        if drawn.reduction == "mean":
            truth = sum(rows) / at.examples
        else:
            truth = sum(rows) - (at.examples - 1) * penalty
        close(ours, truth, f"gradient of {name_of(var)}")


def assert_symmetric(module, at: Point):
    params, data = at.arguments(module)
    rng = np.random.default_rng(2)
    u, v = (module.Params(*(rng.standard_normal(np.shape(p)) for p in params)) for _ in "uv")
    hu, hv = (module.hvp(params, *data, d)[1] for d in (u, v))
    left, right = (
        sum(np.sum(a * b) for a, b in zip(*pair, strict=True)) for pair in ((u, hv), (v, hu))
    )
    if at.program.wrt and all(p in at.program.wrt for p in at.program.params):
        scale = sum(np.sum(np.abs(h)) for h in arrays(hv))
        assert abs(left - right) <= 1e-9 * max(1.0, scale)


@settings(max_examples=300, phases=NO_SHRINK, **QUIET)
@given(programs())
def test_emitted_code_is_what_the_program_means(drawn):
    derivation = derive(drawn.program)
    text = emit(derivation)
    assert_plain_text(text)
    module = compile_module(derivation, text=text)
    assert_certified(module, drawn.program)
    for examples in (0, 1, 5):
        at = point(derivation.program, examples)
        assert_values(module, drawn, point(drawn.program, examples))
        if drawn.terms and examples == 5:
            assert_gradients(module, drawn, derivation, at)
            assert_symmetric(module, at)
    assert max(error / bound for _, error, bound in module.check()) <= 1 or not certify(module).ok


@settings(max_examples=25, phases=NO_SHRINK, **QUIET)
@given(programs(), programs())
def test_the_text_does_not_depend_on_what_was_derived_before(drawn, other):
    first = emit(derive(drawn.program))
    emit(derive(other.program))
    assert emit(derive(parse(drawn.text, "drawn"))) == first


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of modules drawn at random."""
    texts: list[str] = []

    @settings(max_examples=24, derandomize=True, database=None, phases=[Phase.generate], **QUIET)
    @given(programs())
    def collect(drawn):
        texts.append(emit(derive(drawn.program)))

    collect()
    path = tmp_path_factory.mktemp("drawn")
    for k, text in enumerate(dict.fromkeys(texts)):
        (path / f"drawn_{k}.py").write_text(text)
    return path


def run(*command):
    result = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if "No module named" in result.stderr:
        pytest.skip(f"{command[0]} is not installed")
    return result


def test_drawn_modules_are_as_the_formatter_writes_them(folder):
    result = run("ruff", "format", "--config", "pyproject.toml", "--diff", str(folder))
    assert result.returncode == 0, result.stdout


def test_drawn_modules_are_clean(folder):
    result = run("ruff", "check", "--config", "pyproject.toml", str(folder))
    assert result.returncode == 0, result.stdout


def test_drawn_modules_have_right_types(folder):
    few = sorted(map(str, folder.glob("*.py")))[:8]
    result = run("mypy", "--strict", "--config-file", "", *few)
    assert result.returncode == 0, result.stdout
