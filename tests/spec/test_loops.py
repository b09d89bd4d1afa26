"""Loops of symbolic length: what they mean at numbers, and what is refused."""

from collections.abc import Mapping

import numpy as np
import pytest
import sympy as sp
from looped import LENGTHS, LOOPED

from symbp import parse
from symbp.ir import name_of, size_symbol, size_value, symbol
from symbp.ops.evaluate import evaluate
from symbp.ops.unroll import plain, unrolled
from symbp.program import Binding, Loop, Program
from symbp.sizes import letter_name, size_member


def run(
    lines: list[Binding] | tuple[Binding, ...],
    values: Mapping[str, object],
    sizes: Mapping[str, int],
) -> dict[str, np.ndarray]:
    """Return the value of every line that has a name of the spec."""
    known = dict(values)
    for line in lines:
        known[line.name] = evaluate(line.expr, known, sizes=sizes)
    return {line.name: known[line.name] for line in lines if line.shown}


def sizes_of(program: Program) -> dict[str, int]:
    """Return a number for each size, most of them different."""
    unknown = [name for name, number in program.sizes.items() if number is None]
    drawn = {name: 2 + k % 4 for k, name in enumerate(unknown)}
    return {name: drawn.get(name, number or 0) for name, number in program.sizes.items()}


def draw(program: Program, sizes: Mapping[str, int]) -> dict[str, np.ndarray]:
    """Return a value for everything given."""
    rng = np.random.default_rng(0)
    at = {size_symbol(name): number for name, number in sizes.items()}
    return {
        name_of(given): rng.normal(size=[int(size_value(dim, at)) for dim in given.shape])
        for given in program.given
    }


CASES = [(name, lengths) for name in LOOPED for lengths in LENGTHS[name]]


@pytest.mark.parametrize(("name", "lengths"), CASES, ids=str)
def test_a_loop_means_its_turns(name, lengths):
    looped, flat = parse(LOOPED[name]), parse(LOOPED[name], sizes=lengths)
    sizes = sizes_of(flat)
    places = {size_symbol(key): number for key, number in lengths.items()}
    assert all(int(size_value(gap, places)) >= 0 for gap in looped.least)
    values = draw(flat, sizes)
    found = run(unrolled(looped.bindings, places), values, sizes)
    truth = run(flat.bindings, values, sizes)
    assert found.keys() == truth.keys()
    for key, value in truth.items():
        np.testing.assert_allclose(found[key], value, err_msg=key)
    assert name_of(plain(looped.output, places)) == name_of(flat.output)


@pytest.mark.parametrize("name", LOOPED)
def test_no_letter_is_used_twice(name):
    program = parse(LOOPED[name])
    loops = {loop for line in program.bindings for loop in line.loops}
    letters = [loop.letter for loop in [*loops, *program.families.values()]]
    assert len(set(letters)) == len(letters)


def test_deep():
    program = parse(LOOPED["deep"])
    k, size = sp.Symbol("k", integer=True), size_symbol("K")
    loop = Loop(k, 1, size - 1)
    lines = [(line.name, symbol(line.target).index, line.loops) for line in program.bindings]
    assert lines == [
        ("h", (0,), ()), ("f", (k,), (loop,)), ("h", (k,), (loop,)), ("f", (size,), ()),
        ("loss", (), ()),
    ]  # fmt: skip
    omega, beta = program.params
    own = program.families["Omega"]
    assert (own.start, own.stop, letter_name(own.letter)) == (1, size, "k")
    assert symbol(omega).index == (own.letter,)
    assert omega.shape == (size_member("D", own.letter), size_member("D", own.letter - 1))
    assert program.families["D"].start == 0
    assert (program.wrt, program.inits.keys()) == ((omega, beta), {"Omega", "beta"})
    assert (program.sizes, program.least) == ({"K": None}, ())
    assert symbol(program.output).index == (size,)


def test_a_sum_is_a_hidden_line():
    program = parse(LOOPED["penalty"])
    (hidden,) = [line for line in program.bindings if not line.shown]
    assert hidden.adds
    assert hidden.loops[0].stop == size_symbol("K")
    assert hidden.target in program.bindings[-1].expr.args[1].args


def test_members_of_one_number_are_one_size():
    program = parse(
        "size K, D[0..K] = 4\ninput x : D[0]\nparam W[1..K] : D[k] x D[k-1]\nh[0] = x\n"
        "for k in 1..K:\n    h[k] = W[k] @ h[k-1]\nf = h[K] + x\n"
    )
    assert program.sizes == {"K": None, "D": 4}
    assert program.families.keys() == {"W"}
    assert program.inputs[0].shape == (size_symbol("D"),)


LEAST = [  # lines after `size K` and `param a[1..K]`, the conditions
    ("loss = a[3]", "K - 3"),
    ("loss = a[3] + a[2] + a[K-1]", "K - 3"),
    ("loss = a[1] + a[K]", ""),
    ("for k in 1..3:\n    h[k] = a[k]\nloss = h[2]", "K - 3"),
    ("h[0] = 0\nfor k in 1..K-1:\n    h[k] = h[k-1] + a[k]\nloss = h[K-1]", ""),
    ("for k in 1..K-1:\n    h[k] = a[k+1]\nloss = h[K-1]", "K - 2"),
    ("for k in 2..K:\n    h[k] = a[2] + a[k-1]\nloss = h[K]", "K - 2"),
    ("h[1] = 0\nh[K] = a[1]\nloss = h[1] + h[K]", "K - 2"),
    ("loss = sum(a[k] for k in 1..K-1)", "K - 2"),
    ("size L\nfor l in 1..L:\n    h[l] = a[l]\nloss = h[1]", "K - L"),
    ("for k in 1..K:\n    for j in 1..k:\n        h[k,j] = a[j]\nloss = h[3,2]", "K - 3"),
    ("for k in 0..K-1:\n    h[K-k] = a[K-k]\nloss = h[1]", ""),
    ("h[K] = 0\nfor k in 1..K:\n    h[K-k] = h[K-k+1] + a[k]\nloss = h[0]", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "conditions"), LEAST, ids=[case[0] for case in LEAST])
def test_least(text, conditions):
    program = parse(f"size K\nparam a[1..K]\n{text}\n")
    assert ", ".join(map(str, program.least)) == conditions


TRIANGLE = """\
size K
param a[0..K]
for k in 0..K:
    h[k,0] = a[k]
    for j in 1..k:
        h[k,j] = h[k,j-1] + h[k-1,j-1]
loss = h[K,K]
"""


@pytest.mark.parametrize("length", [1, 2, 4])
def test_inner_bounds_of_the_outer_letter(length):
    looped, flat = parse(TRIANGLE), parse(TRIANGLE, sizes={"K": length})
    values = draw(flat, {})
    lines = unrolled(looped.bindings, {size_symbol("K"): length})
    assert run(lines, values, {}) == run(flat.bindings, values, {})
