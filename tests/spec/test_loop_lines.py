"""Loops of symbolic length: what they mean at numbers, and what is refused."""

from collections.abc import Mapping

import numpy as np
import pytest
import sympy as sp
from looped import LENGTHS, LOOPED

from symbp import parse
from symbp.errors import SpecError, SymbpError
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
    ("h[1,K+1] = 0\nfor k in 1..K:\n    for j in 0..k:\n        h[k,j] = a[1]\nloss = h[1,1]", ""),
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


GIVEN = """\
size K, D[0..K], n
input x : D[0]
param W[1..K] : D[k] x D[k-1]
param a[1..K] : n
"""
LOOP = "for k in 1..K:\n    "
SHORT = "for k in 1..K-1:\n    "

MISTAKES = [  # text below GIVEN, line of it, column, words of the message, words of the help
    ("for k in K..1:\n    h[k] = a[1]", 1, 10, "the range K..1 does not go up", "1..K"),
    ("for k in K+1..K:\n    h[k] = a[1]", 1, 11, "the range K+1..K does not go up", "1..K"),
    ("for k in 1..K/2:\n    h[k] = a[1]", 1, 14, "`K / 2` is no whole number", "sizes"),
    ("for k in 1..1.5:\n    h[k] = a[1]", 1, 13, "`1.5` is no whole number", "sizes"),
    ("for k in 1..K*K:\n    h[k] = a[1]", 1, 14, "multiplies two that may vary", "a sum"),
    ("for k in 1..D[1]:\n    h[k] = a[1]", 1, 13, "`D[1]` is no whole number", "sizes"),
    ("for k in 1..x:\n    h[k] = a[1]", 1, 13, "`x` is no whole number", "sizes"),
    ("for k in 1..Q:\n    h[k] = a[1]", 1, 13, "`Q` is not declared", "size Q"),
    (LOOP + "h[k] = a[k+1]", 2, 12, "k = K needs a[K+1], and a has members 1..K", "index"),
    (LOOP + "h[k] = a[k-1]", 2, 12, "k = 1 needs a[0], and a has members 1..K", "index"),
    (LOOP + "h[k] = a[k*k]", 2, 15, "multiplies two that may vary", "a sum"),
    ("h = a[K+1]", 1, 5, "`a[K+1]` is member K+1 of `a[1..K]`", "declare more"),
    ("h = a[0]", 1, 5, "`a[0]` is member 0 of `a[1..K]`", "declare more"),
    ("h = a[1,2]", 1, 5, "one index", "`a[k]`"),
    ("for j in 1..3:\n    for k in 1..K:\n        h[j,k] = a[k+j]", 3, 18,
     "k = K needs a[K+1], and a has members 1..K (where j = 1)", "range of the loop"),
    ("param Q[1..K+1] : D[k]", 1, 19, "k = K+1 needs D[K+1], and D has members 0..K", "index"),
    ("param Q[0..K] : D[k-1]", 1, 17, "k = 0 needs D[-1], and D has members 0..K", "index"),
    ("param Q[K..1] : n", 1, 9, "the range K..1 does not go up", "1..K"),
    ("param Q[1..K/2] : n", 1, 13, "no whole number", "sizes"),
    ("param Q[K-2..K] : n", 1, 10, "numbered from 0", "[0..K]"),
    ("input z : D", 1, 11, "`D` is a family, not one value", "`D[0]`"),
    (LOOP + "h[k] = W[k] @ h[k-1]", 2, 19, "k = 1 needs h[0], which no line above", "`h[0] = "),
    ("h[0] = x\nfor k in 2..K:\n    h[k] = h[k-1]", 3, 12, "k = 2 needs h[1]", "`h[1] = "),
    (LOOP + "h[k] = a[k]\nloss = sum(sum(h[k]) for k in 0..K)", 3, 16, "k = 0 needs h[0]", "h[0]"),
    (LOOP + "h[k] = a[k]\nf = h[K+1]", 3, 5, "no line above defines `h[K+1]`", "h[K+1]"),
    (LOOP + "h[k] = a[k]\noutput h[0]", 3, 8, "no line above defines `h[0]`", "h[0]"),
    (LOOP + "h[k] = a[k]\noutput h", 3, 8, "`h` is a family", "`h[1]`"),
    (SHORT + "h[k] = h[k+1]", 2, 12, "`h[k+1]` is used before the loop defines it", "h[k-1]"),
    (LOOP + "h[k] = f[k]\n    f[k] = a[k]", 2, 12, "`f[k]` is used before the loop", "h[k-1]"),
    (LOOP + "h[k] = f[k]\nfor k in 1..K:\n    f[k] = a[k]", 2, 12, "before line 8", "line 8 up"),
    (LOOP + "f[k] = a[k]\nf[K] = a[1]", 3, 1, "already defined in line 6 (for k = K)", "new"),
    ("f[3] = a[1]\nfor k in 1..K:\n    f[k] = a[k]", 3, 5, "in line 5 (for k = 3)", "new name"),
    (LOOP + "f[k] = a[k]\n    f[k+1] = a[k]", 3, 5, "`f[k+1]` is already defined in line 6", "new"),
    (LOOP + "f = a[k]", 2, 5, "`f` is assigned in every turn", "`f[k]`"),
    (LOOP + "for j in 1..K:\n        f[k] = a[k]", 3, 9, "in every turn", "`f[k,j]`"),
    (LOOP + "f[2*k] = a[k]", 2, 5, "`2*k` does not tell", "h[k+1]"),
    (LOOP + "f[k,k] = a[k]", 2, 5, "in every turn", "`f[k]`"),
    (LOOP + "f[k-2] = a[k]", 2, 5, "member -1, and members are numbered from 0", "index"),
    (LOOP + "h[k] = a[k]\nf = h", 3, 5, "`h` is a family", "`h[1]`"),
    (LOOP + "h[k] = a[k]\nf = h[1,2]", 3, 5, "another number of indices than `h[k]`", "many"),
    (LOOP + "h[k] = a[k]\nh[0,1] = a[1]", 3, 1, "another number of indices", "write 1"),
    (LOOP + "h[k] = a[k]\nh = a[1]", 3, 1, "`h` is also a family", "another name"),
    (LOOP + "h[k] = a[k]\nh_1 = a[1]", 3, 1, "`h_1` and `h[1]` are printed alike", "name"),
    (LOOP + "a[k] = x", 2, 5, "`a` is declared as a family", "new name"),
    (LOOP + "loss[k] = sum(a[k])", 2, 5, "`loss` is one value", "loss = sum("),
    ("h[1] = a[1]\nfor k in 1..K:\n    g[k] = h[k]", 3, 12, "members at numbers alone", "loop"),
    ("h[0] = x\n" + SHORT + "h[k] = W[k+1] @ h[k-1]", 3, 19,
     "W[k+1] is D[k+1] x D[k], h[k-1] is D[k-1]; for k = 1: D[2] x D[1] and D[0]", "columns"),
    ("h[0] = x\n" + LOOP + "h[k] = W[k]' @ h[k-1]", 3, 18, "; for k = 1: D[0] x D[1]", "W[k] @"),
    ("h[0] = x\n" + LOOP + "h[k] = W[k] @ h[k-1] + a[k]", 3, 26, "is D[k], a[k] is n; for", "one"),
    ("h[0] = a[1]\n" + LOOP + "h[k] = W[k] @ h[k-1]", 3, 17, "h[k-1] is n; for k = 1", "rows"),
    ("h[0] = x\nh[1] = a[1]\nfor k in 2..K:\n    h[k] = W[k] @ h[k-1]", 2, 1,
     "`h[1]` is n, and as a member of `h` it would be D[1]", "D[k]"),
    ("h[0] = a[1]\n" + LOOP + "h[k] = W[k] @ ones(D[k-1])", 1, 1, "`h[0]` is n, and as", "D[k]"),
    (LOOP + "f[k] = softmax(W[k])", 2, 12, "is D[k] x D[k-1]; for k = 1: D[1] x D[0]", "rows"),
    ("f = sum(W[k] @ W[k]' for k in 1..K)", 1, 5, "the terms are D[k] x D[k]", "one shape"),
    ("f = sum(a[k] for k in K..1)", 1, 23, "the range K..1 does not go up", "1..K"),
    ("for n in 1..K:\n    h[n] = a[n]", 1, 1, "letter `n` is already a name", "another letter"),
    (LOOP + "for k in 1..K:\n        h[k] = a[k]", 2, 5, "letter `k`", "another letter"),
    (LOOP + "h[k] = sum(a[k] for k in 1..K)", 2, 12, "letter `k`", "another letter"),
    (LOOP + "for j in 1..k:\n        h[k,j] = a[k]\nj = a[1]", 2, 5, "letter `j`", "another"),
    ("f = a[1]\nwrt W[1]", 2, 5, "`W[1]` is one of a family", "`wrt W`"),
    ("f = a[1]\nwrt D", 2, 5, "`D` is a size", "param"),
    (LOOP + "h[k] = a[k]\nwrt h", 3, 5, "`h` is a line", "param"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line", "column", "message", "help"), MISTAKES, ids=[case[0] for case in MISTAKES]
)
def test_mistake(text, line, column, message, help):
    with pytest.raises(SpecError) as caught:
        parse(f"{GIVEN}{text}\n")
    span = caught.value.span
    assert (span.line - GIVEN.count("\n"), span.column) == (line, column)
    assert message in caught.value.message
    assert help in (caught.value.help or "")


SIZES = "size K, D[0..K], n = 7, E[2..5]\ninput x : D[K]\nloss = sum(x)\n"

SET = [  # numbers, the sizes of the program
    ({"K": 2}, {"K": 2, "D_0": None, "D_1": None, "D_2": None}),
    ({"K": "1", "n": 3}, {"K": 1, "D_0": None, "D_1": None, "n": 3}),
    ({"D": "4, 5, 6"}, {"K": 2, "D_0": 4, "D_1": 5, "D_2": 6}),
    ({"D": [4, 5], "K": 1}, {"K": 1, "D_0": 4, "D_1": 5}),
    ({"D": np.int64(4), "K": 1}, {"K": 1, "D_0": 4, "D_1": 4}),
    ({"D": 4}, {"K": None, "D": 4}),
    ({"E": (1, 2, 3, 4)}, {"K": None, "E_2": 1, "E_5": 4}),
]


@pytest.mark.parametrize(("numbers", "sizes"), SET, ids=str)
def test_set(numbers, sizes):
    found = parse(SIZES, sizes=numbers).sizes
    assert {name: found[name] for name in sizes} == sizes


NOT_SET = [  # numbers, words of the message, words of the help
    ({"L": 3}, "no size `L`", "K, D, n, E"),
    ({"DD": 3}, "no size `DD`", "did you mean `D`?"),
    ({"K": 0}, "`0` is no number for the size `K`", "K=3"),
    ({"K": "2.5"}, "`2.5` is no number for the size `K`", "K=3"),
    ({"K": "3,4"}, "`K` is one size and takes one number, not 2", "K=3"),
    ({"D": "3,,4"}, "`` is no number for the size `D`", "D=784,128,10"),
    ({"D": "3,4", "K": 3}, "D has members 0..3: 4 numbers, got 2", "for each member"),
    ({"E": "3,4"}, "E has members 2..5: 4 numbers, got 2", "for each member"),
    ({"D": [3]}, "1 members make `K` 0", "more numbers"),
    ({"K": 3, " K": 4}, "no size ` K`", "K"),
]


@pytest.mark.parametrize(("numbers", "message", "help"), NOT_SET, ids=str)
def test_not_set(numbers, message, help):
    with pytest.raises(SymbpError) as caught:
        parse(SIZES, sizes=numbers)
    assert message in caught.value.message
    assert help in (caught.value.help or "")


def test_numeric_loops_in_each_other():
    program = parse(
        "param a[1..3]\nfor i in 1..2:\n    g[i] = a[i]\n    for j in i..3:\n"
        "        h[i,j] = g[i] * a[j]\n    e[i] = h[i,3]\nloss = e[1] + e[2]\n"
    )
    lines = "g_1 h_1_1 h_1_2 h_1_3 e_1 g_2 h_2_2 h_2_3 e_2 loss"
    assert " ".join(line.name for line in program.bindings) == lines
    assert (program.least, program.families) == ((), {})
    assert program.tuples == {"a": ("a_1", "a_2", "a_3")}


def test_two_families_that_need_each_other():
    program = parse(
        "size T, n, m\ninput x[1..T] : n\nparam W : m x n\nparam V : m x m\n"
        "c[0] = zeros(m)\nh[0] = zeros(m)\nfor t in 1..T:\n"
        "    c[t] = c[t-1] + tanh(W @ x[t] + V @ h[t-1])\n    h[t] = c[t] .* tanh(c[t])\n"
        "loss = norm2(h[T])^2\n"
    )
    assert all(line.target.batched for line in program.bindings)
    assert program.bindings[3].target.shape == (size_symbol("m"),)
