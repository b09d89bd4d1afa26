"""Every side of every proof has the value of the side before it, and of the differences."""

from pathlib import Path

import numpy as np
import pytest
from reference import close, point, run_steps

from symbp.derive.argument import arguments
from symbp.derive.derive import derive
from symbp.derive.general import statements
from symbp.derive.partial import Partial, kind, partial
from symbp.derive.proof import prove
from symbp.derive.reading import for_one_example
from symbp.derive.topics import RESULT, topics
from symbp.ir import is_variable, name_of, size_symbol, variable, variables
from symbp.ops import OPS
from symbp.ops.evaluate import evaluate
from symbp.ops.kinds import Elementwise, Nonlinear
from symbp.ops.linear import add
from symbp.ops.product import contract
from symbp.program import Binding
from symbp.spec import load, parse

SPECS = sorted((Path(__file__).resolve().parents[2] / "specs").glob("*.symbp"))
SPECS = [path for path in SPECS if not load(path).is_looped]  # proofs with loops are refused
SIZES = {"M": 2, "N": 3, "K": 4, "P": 5}
TOPICS = topics()


def drawn(exprs, values, rng):
    """Return the values, with a random one for each further name; positive, so that log has one."""
    known = dict(values)
    for var in dict.fromkeys(v for expr in exprs for v in variables(expr)):
        shape = [SIZES.get(str(dim), dim) for dim in var.shape]
        shape = [int(d.subs({size_symbol(k): v for k, v in SIZES.items()})) if hasattr(d, "subs")
                 else d for d in shape]  # fmt: skip
        square = len(shape) == 2 and shape[0] == shape[1]  # and far from singular
        array = rng.uniform(0.3, 1.7, shape) + (4 * np.eye(shape[0]) if square else 0)
        known.setdefault(name_of(var), array)
    return known


def differences(line, var, values):
    """Return ∂line/∂var by differences of the plain meaning, output axes first."""
    at, step = np.array(values[name_of(var)], float), 1e-3
    columns = []
    for index in np.ndindex(at.shape):
        side = {}
        for k in (-2, -1, 1, 2):
            moved = at.copy()
            moved[index] += k * step
            side[k] = evaluate(line.expr, {**values, name_of(var): moved}, sizes=SIZES)
        columns.append((side[-2] - 8 * side[-1] + 8 * side[1] - side[2]) / (12 * step))
    shape = (*np.shape(columns[0]), *at.shape)
    return np.moveaxis(np.array(columns), 0, -1).reshape(shape)


def assert_chain(equations, values, sizes=SIZES):
    """Assert that what has one left side has one value, the left side's where it is known."""
    for equation in equations:
        right = evaluate(equation.right, values, sizes=sizes)
        if is_variable(equation.left):
            name = name_of(equation.left)
            close(right, values.setdefault(name, right), f"{name}: {equation.reason}")
        else:
            left = evaluate(equation.left, values, sizes=sizes)
            close(right, left, equation.reason)
        axes = equation.labels
        assert axes is None or len(axes) == equation.right.rank == equation.left.rank


@pytest.mark.parametrize("name", TOPICS)
def test_each_step_of_a_rule_has_the_value_of_the_one_before(name):
    line, rng = TOPICS[name].line, np.random.default_rng(3)
    for var in TOPICS[name].wrt:
        proof = prove([line], var, RESULT)
        seed = partial(RESULT, line.target)
        values = drawn([line.expr, seed], {}, rng)
        values[line.target.op.name] = evaluate(line.expr, values, sizes=SIZES)
        values[f"{name_of(var)}_dot"] = rng.standard_normal(np.shape(values[name_of(var)]))
        assert_chain(proof.equations, values)
        truth = differences(line, var, values)
        close(values[name_of(partial(line.target, var))], truth, name, 1e-8)
        pulled = np.tensordot(values[name_of(seed)], truth, line.target.rank)
        close(values[name_of(proof.proved)], pulled, name, 1e-8)


def test_there_is_a_rule_for_every_operation():
    stated = {type(op): set() for op in OPS.values()}
    for topic in TOPICS.values():
        op = topic.line.expr.op
        stated.setdefault(type(op), set()).add(op.name)
    for kind_of in (Elementwise, Nonlinear):
        every = {n for n, op in OPS.items() if isinstance(op, kind_of)}
        assert stated[kind_of] >= every - {"expm"}  # only its trace has a derivative


@pytest.mark.parametrize("name", statements())
def test_each_step_of_a_general_statement_has_the_value_of_the_one_before(name):
    rng = np.random.default_rng(5)
    for proof in statements()[name].proofs:
        lefts = {e.left for e in proof.equations}
        free = [v for e in proof.equations for v in variables(e.right) if v not in lefts]
        assert_chain(proof.equations, drawn(free, {}, rng))


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_the_proofs_of_a_spec_end_at_its_gradients(path):
    derivation = derive(load(path))
    at = point(derivation.program, 1)
    given = {name_of(v): at.example(0)[name_of(v)] for v in derivation.program.given}
    values = given | {
        f"{name}_dot": np.random.default_rng(1).standard_normal(np.shape(value))
        for name, value in given.items()
    }
    if derivation.program.loss is None:
        values[f"{name_of(derivation.program.result)}_bar"] = np.ones(())
    truth = run_steps(for_one_example(derivation), values, at.sizes)
    found = arguments(derivation)
    assert found
    for argument in found:
        for equation in argument.proof.equations:
            for var in (equation.left, *variables(equation.right)):
                of = var.op
                ours = isinstance(of, Partial) and of.top.name == name_of(derivation.program.result)
                if ours and not of.top.dims and f"{of.by.name}_bar" in truth:
                    truth[of.name] = truth[f"{of.by.name}_bar"]
        assert_chain(argument.proof.equations, truth, at.sizes)


def test_one_proof_serves_all_layers():
    proofs = arguments(derive(load(SPECS[0].parent / "mlp.symbp")))
    served = [[expr.op.by.name for expr in argument.serves] for argument in proofs]
    assert ["Omega_2", "Omega_1", "Omega_0"] in served
    assert ["beta_2", "beta_1", "beta_0"] in served
    assert len(served) == len({tuple(names) for names in served}) == 5


def test_a_transposed_layer_is_another_kind_of_step():
    n = size_symbol("n")
    W, x, z = variable("W", (n, n)), variable("x", (n,)), variable("z", (n,))
    plain = Binding(z, contract("ij,j->i", W, x))
    turned = Binding(z, contract("ji,j->i", W, x))
    assert kind(plain, W) != kind(turned, W)
    assert kind(plain, x) != kind(turned, x)


def test_no_index_is_a_name_of_the_user():
    n = size_symbol("k")
    i, j, W = variable("i"), variable("j", (n,)), variable("W", (n, n))
    line = Binding(variable("m", (n,)), add(contract(",ij,j->i", i, W, j), j))
    proof = prove([line], W, RESULT, {"p", "loss"})
    used = {x for e in proof.equations for label in e.labels or () for x in label}
    assert used
    assert not (used | set(proof.letters)) & {"i", "j", "k", "m", "p"}


def test_a_value_with_two_readers_has_the_sum_of_both():
    lines = ["model two", "size n = 3", "input x : n", "param w : n", "a = w .* x", "b = tanh(w)"]
    found = arguments(derive(parse("\n".join([*lines, "loss = sum(a) + sum(b) + sum(w)"]))))
    by_w = next(a for a in found if a.serves[0].op.by.name == "w").proof
    chained = next(e for e in by_w.equations if e.reason == "chain rule")
    assert len(chained.right.args) == 3
