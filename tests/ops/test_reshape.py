"""Reshapes keep their value and come in one form."""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from symbp.ir import node, variable, variables
from symbp.ops.evaluate import evaluate
from symbp.ops.kinds import Merge, Split
from symbp.ops.linear import add, is_ones, is_zero, ones, scale, subtract, zeros
from symbp.ops.pointwise import TANH
from symbp.ops.product import contract, diagonal_delta, hadamard, product
from symbp.ops.reshape import merge, split, vec
from symbp.ops.rewrite import lift, rename, resize, substitute
from symbp.ops.rules import pullback, tangent

m, n = sp.symbols("m n", integer=True, positive=True)
VEC = ((1, 0),)
BLOCKS = ((1, 0), (3, 2))

A, B = variable("A", (2, 3)), variable("B", (2, 3))
C, D = variable("C", (4, 5)), variable("D", (3, 3))
a, s = variable("a", (3,)), variable("s")
T = variable("T", (2, 3, 4))
X, J = variable("X", (m, n)), variable("J", (6, 9))


def values(*exprs, seed=0):
    random = np.random.default_rng(seed)
    return {v.op.name: random.uniform(0.5, 2, v.shape) for v in variables(*exprs)}


def same(made, meant):
    assert made.shape == meant.shape
    given = values(meant)
    np.testing.assert_allclose(evaluate(made, given), evaluate(meant, given), rtol=1e-12)


TENSORS = {
    "a name": contract("ij,kl->ijkl", A, C),
    "crossed": contract("il,kj->ijkl", C, A),
    "a sum": add(contract("ij,kl->ijkl", A, C), scale(2, contract("ij,kl->ijkl", B, C))),
    "a number times": scale(3, contract("ij,kl->ijkl", A, C)),
    "a scalar times": contract(",ij,kl->ijkl", s, A, C),
    "a trace times": contract("pp,ij,kl->ijkl", D, A, C),
    "the identity": contract("->ijij", i=2, j=3),
    "the commutation": contract("->ijji", i=2, j=3),
    "values on it": contract("ij->ijij", A),
    "both deltas and a scalar": contract("p,p,ij->ijij", a, a, A),
    "a delta": contract("ik,->ijkj", D, s, j=2),
    "one delta inside": contract("ij->iijj", A),
    "ones": ones(2, 3, 4, 5),
    "zeros": zeros(2, 3, 4, 5),
    "repeated": contract("ij->ijkl", A, k=2, l=4),
    "elementwise": node(TANH, contract("ij,kl->ijkl", A, C)),
}
GROUPS = [BLOCKS, ((0, 1), (2, 3)), ((0, 2), (1, 3)), ((3, 0), (1,), (2,)), ((0,), (3, 1, 2))]


@pytest.mark.parametrize("groups", [*GROUPS, ((2,), (0,), (3,), (1,))], ids=str)
@pytest.mark.parametrize("tensor", TENSORS.values(), ids=TENSORS)
def test_a_merge_has_the_value_of_its_definition(tensor, groups):
    same(merge(groups, tensor), node(Merge(groups), tensor))


@pytest.mark.parametrize("groups", [*GROUPS, ((2,), (0,), (3,), (1,))], ids=str)
@pytest.mark.parametrize("tensor", TENSORS.values(), ids=TENSORS)
def test_a_split_is_the_inverse_of_a_merge(tensor, groups):
    joined = node(Merge(groups), tensor)
    same(split(groups, tensor.shape, joined), tensor)
    assert split(groups, tensor.shape, merge(groups, tensor)).shape == tensor.shape
    there = split(groups, tensor.shape, variable("x", joined.shape))
    same(there, node(Split(groups, tensor.shape), variable("x", joined.shape)))
    assert merge(groups, there) is variable("x", joined.shape)


FORMS = [
    (vec(add(A, B)), add(vec(A), vec(B))),
    (vec(scale(2, subtract(A, B))), scale(2, subtract(vec(A), vec(B)))),
    (vec(contract(",ij->ij", s, A)), contract(",i->i", s, vec(A))),
    (vec(contract("pp,ij->ij", D, A)), contract("pp,i->i", D, vec(A))),
    (split(VEC, (m, n), vec(X)), X),
    (merge(BLOCKS, contract("->ijij", i=m, j=n)), diagonal_delta(m * n)),
    (merge(BLOCKS, contract("ij->ijij", X)), contract("i->ii", vec(X))),
    (merge(BLOCKS, contract(",->ijij", s, s, i=m, j=n)), contract(",->ii", s, s, i=m * n)),
    (merge(((0,), (1,)), A), A),
    (merge(((1,), (0,)), A), contract("ij->ji", A)),
    (split(((1,), (0,)), (3, 2), A), contract("ij->ji", A)),
    (merge(((1, 0),), merge(((0, 1), (2,)), T)), merge(((2, 0, 1),), T)),
    (
        split(((0, 1), (2,)), (2, 3, 4), split(VEC, (6, 4), variable("x", (24,)))),
        split(((2, 0, 1),), (2, 3, 4), variable("x", (24,))),
    ),
    (split(VEC, (3, 2), merge(((0, 1),), A)), contract("ij->ji", A)),
    (merge(((3, 2), (1, 0)), split(BLOCKS, (2, 3, 3, 3), J)), contract("ij->ji", J)),
    (vec(contract("ij->ji", A)), merge(((0, 1),), A)),
    (split(VEC, (2, 3), ones(6)), ones(2, 3)),
    (split(VEC, (2, 3), scale(2, hadamard(s, vec(A)))), scale(2, hadamard(s, A))),
]  # fmt: skip


@pytest.mark.parametrize(("made", "meant"), FORMS)
def test_reshapes_come_in_one_form(made, meant):
    assert made.digest == meant.digest


def test_zero_stays_zero_and_ones_stay_ones():
    assert is_zero(vec(zeros(m, n)))
    assert is_zero(split(VEC, (m, n), zeros(m * n)))
    assert is_ones(vec(ones(m, n)))


def test_another_order_is_not_taken_for_the_inverse():
    x = variable("x", (6,))
    same(vec(split(((0, 1),), (2, 3), x)), node(Merge(VEC), node(Split(((0, 1),), (2, 3)), x)))
    assert split(VEC, (3, 2), vec(A)) is not A
    same(split(VEC, (3, 2), vec(A)), node(Split(VEC, (3, 2)), node(Merge(VEC), A)))


@pytest.mark.parametrize("groups", [((0,),), ((0, 0),), ((0, 2),)])
def test_groups_name_each_axis_once(groups):
    with pytest.raises(ValueError, match="do not name each axis"):
        merge(groups, A)


def test_a_split_of_another_rank_is_refused():
    with pytest.raises(ValueError, match="2 groups of axes for an array of shape"):
        split(BLOCKS, (2, 3, 4, 5), a)


def test_rebuilding_goes_through_the_constructors():
    assert is_zero(substitute(vec(A), {A: zeros(2, 3)}))
    x = variable("x", (6,))
    assert substitute(vec(A), {A: split(VEC, (2, 3), x)}) is x
    assert resize(merge(BLOCKS, contract("->ijij", i=m, j=n)), {m: 2, n: 3}) is diagonal_delta(6)


@pytest.mark.parametrize(
    "expr",
    [vec(A), split(VEC, (2, 3), vec(A)), merge(((0, 2), (1,)), T), vec(node(TANH, add(A, B)))],
)
def test_a_leading_axis_is_kept_apart(expr):
    grown = {v: rename(v, dims=(5, *v.shape)) for v in variables(expr)}
    given = values(*grown.values())
    found = evaluate(lift(expr, grown, 5), given)
    rows = [evaluate(expr, {k: x[i] for k, x in given.items()}) for i in range(5)]
    np.testing.assert_allclose(found, rows)


def test_both_modes_take_the_normal_form():
    Y = split(VEC, (2, 3), vec(hadamard(A, B)))
    bar, dot = variable("bar", (6,)), variable("dot", (2, 3))
    assert pullback(vec(A), vec(dot), {A})[A] is dot
    assert pullback(vec(A), bar, {A})[A] is split(VEC, (2, 3), bar)
    assert tangent(vec(A), {A: dot}) is vec(dot)
    assert Y is hadamard(A, B)


@st.composite
def deltas(draw):
    """Draw a tensor of four axes whose letters may stand twice, and groups of its axes."""
    sizes = (2, 1, 3)
    letters = st.lists(st.integers(0, 2), min_size=4, max_size=4)
    out, word = tuple(draw(letters)), tuple(draw(letters)[:2])
    order = draw(st.permutations(range(4)))
    cut = draw(st.integers(1, 3))
    return sizes, out, word, (tuple(order[:cut]), tuple(order[cut:]))


@settings(max_examples=200, deadline=None)
@given(deltas())
def test_deltas_inside_and_across_groups_are_kept(drawn):
    sizes, out, word, groups = drawn
    factor = variable("F", tuple(sizes[i] for i in word))
    tensor = product([(factor, word)], out, dict(enumerate(sizes)))
    same(merge(groups, tensor), node(Merge(groups), tensor))
