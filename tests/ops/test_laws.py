"""The laws of the smart constructors, on random numbers: a normal form keeps the value."""

from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from symbp.ir import Expr, Words, node, variable
from symbp.ops import OPS
from symbp.ops.evaluate import evaluate
from symbp.ops.linear import add, combine, number, scale, subtract
from symbp.ops.power import power
from symbp.ops.product import contract, hadamard, inner, product, transpose
from symbp.ops.rules import pullback

v, s = variable("v", (3,)), variable("s")

DIMS = {0: 2, 1: 3, 2: 3, 3: 1}
LETTER = st.integers(0, 3)
WORD = st.lists(LETTER, max_size=2).map(tuple)
POOL = {
    (): ["a", "b"], (2,): ["p"], (3,): ["q", "r"], (1,): ["o"], (2, 3): ["A"], (3, 2): ["B"],
    (3, 3): ["C", "D"], (2, 2): ["E"], (3, 1): ["F"], (1, 3): ["G"], (2, 1): ["H"], (1, 2): ["I"],
    (1, 1): ["J"],
}  # fmt: skip


@st.composite
def factors(draw):
    """Return random factors with words, some of them products, multiples or powers in turn."""
    made = []
    for word in draw(st.lists(WORD, min_size=1, max_size=4)):
        shape = tuple(DIMS[letter] for letter in word)
        leaf = variable(draw(st.sampled_from(POOL[shape])), shape)
        made.append((draw(dressed(leaf)), word))
    return made


def dressed(leaf: Expr):
    forms = [
        leaf,
        scale(Fraction(-3, 2), leaf),
        power(leaf, sp.Integer(-1)),
        power(leaf, sp.Integer(2)),
    ]
    forms += [
        hadamard(leaf, leaf),
        node(OPS["exp"], leaf),
        add(leaf, node(OPS["tanh"], leaf)),
        number(2, leaf.shape),
    ]
    forms += [hadamard(power(leaf, sp.Integer(-1)), variable("a")), node(OPS["positive"], leaf)]
    if leaf.rank == 2:
        forms += [contract("ij->ji", transpose(leaf)), contract("ij,kj,kl->il", leaf, leaf, leaf)]
    if leaf.rank == 2 and leaf.shape[0] == leaf.shape[1]:
        diagonal = contract("ii->i", leaf)
        forms += [contract("i->ii", diagonal), contract("->ii", i=leaf.shape[0])]
    return st.sampled_from(forms)


def pool_point(seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: rng.uniform(0.5, 1.5, shape) for shape, names in POOL.items() for name in names}


@settings(max_examples=300, deadline=None)
@given(factors(), st.lists(LETTER, max_size=3), st.integers(0, 99))
def test_the_normal_form_of_a_product_is_its_words(given_factors, out, seed):
    point = pool_point(seed)
    made = product(given_factors, tuple(out), DIMS)
    used = {letter for _, word in given_factors for letter in word} | set(out)
    dims = tuple(DIMS[k] if k in used else 1 for k in range(4))
    count = np.prod([DIMS[k] for k in DIMS if k not in used])
    values = {f"f{k}": evaluate(factor, point) for k, (factor, _) in enumerate(given_factors)}
    raw = Words(tuple(word for _, word in given_factors), tuple(out), dims)
    plain = node(raw, *(variable(k, value.shape) for k, value in values.items()))
    assert made.shape == tuple(DIMS[letter] for letter in out)
    np.testing.assert_allclose(evaluate(made, point), count * evaluate(plain, values), rtol=1e-10)


@settings(max_examples=100, deadline=None)
@given(factors(), st.permutations(range(4)))
def test_equal_products_are_equal_whatever_their_order(given_factors, order):
    shuffled = [given_factors[k] for k in order if k < len(given_factors)]
    assert product(given_factors, (), DIMS).digest == product(shuffled, (), DIMS).digest


EXPONENT = st.sampled_from(
    [sp.Rational(p) for p in ("-2", "-1", "-1/2", "0", "1/3", "1/2", "1", "2", "3")]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(EXPONENT, min_size=1, max_size=4), st.booleans())
def test_powers_of_powers(exponents, negative):
    assume(not negative or all(p.is_integer for p in exponents))
    made, expected = v, np.array([0.5, 1.3, 2.0]) * (-1 if negative else 1)
    point = {"v": expected}
    for exponent in exponents:
        made = power(made, exponent)
        expected = expected ** float(exponent)
    np.testing.assert_allclose(evaluate(made, point), expected, rtol=1e-12)


def test_the_root_of_a_square_is_the_modulus():
    made = power(power(v, sp.Integer(2)), sp.Rational(1, 2))
    np.testing.assert_allclose(evaluate(made, {"v": np.array([-2.0, 1.0, 3.0])}), [2, 1, 3])


@pytest.mark.parametrize(("even", "root"), [(4, "1/4"), (6, "1/2"), (-2, "1/2")])
def test_the_root_of_an_even_power_is_positive(even, root):
    made = power(power(v, sp.Integer(even)), sp.Rational(root))
    values = np.array([-2.0, 1.0, 3.0])
    expected = (values**even) ** float(sp.Rational(root))
    np.testing.assert_allclose(evaluate(made, {"v": values}), expected)


def test_the_square_root_of_a_product_of_negatives():
    values = np.array([-2.0, 1.0, -3.0])
    made = power(hadamard(v, variable("p", (3,))), sp.Rational(1, 2))
    np.testing.assert_allclose(evaluate(made, {"v": values, "p": values}), np.abs(values))


COEFFICIENT = st.fractions(-3, 3, max_denominator=4)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(COEFFICIENT, st.integers(0, 4)), max_size=6))
def test_the_normal_form_of_a_sum(terms):
    p, q, r = (variable(name, (3,)) for name in "pqr")
    pool = [p, scale(2, subtract(q, r)), hadamard(p, q), number(3, (3,)), add(p, q, scale(-1, p))]
    point = {name: np.random.default_rng(ord(name)).normal(size=3) for name in "pqr"}
    made = combine([(c, pool[k]) for c, k in terms], (3,))
    expected = sum((float(c) * evaluate(pool[k], point) for c, k in terms), np.zeros(3))
    np.testing.assert_allclose(evaluate(made, point), expected, atol=1e-12)
    backwards = combine([(c, pool[k]) for c, k in terms[::-1]], (3,))
    assert made.digest == backwards.digest


def test_shapes_that_do_not_agree_are_refused():
    with pytest.raises(ValueError, match="shape"):
        add(v, variable("u", (6,)))
    with pytest.raises(ValueError, match="sizes 3 and 6"):
        inner(v, variable("u", (6,)))
    with pytest.raises(ValueError, match="a seed of shape"):
        pullback(v, s, [v])
