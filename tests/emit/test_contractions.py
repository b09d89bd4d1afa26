"""What is printed as matrices is right: random contractions are printed and read back."""

import math

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from printed import from_latex, is_words, value, words_value

from symbp.emit.math import latex, plain, unicode
from symbp.ir import variable, variables
from symbp.ops.linear import add, combine
from symbp.ops.power import power
from symbp.ops.product import product
from symbp.ops.rewrite import rename, substitute

NAMES = "ABCDEFGH"
FORMS = ("name", "name", "name", "square", "reciprocal", "sum", "symmetric")


@st.composite
def contractions(draw, ranks=(0, 1, 2)):
    """Draw (expression, values by name, einsum of the drawn words, sizes of the result)."""
    sizes = draw(st.lists(st.integers(2, 4), min_size=4, max_size=4))
    letters = st.integers(0, 3)
    random = np.random.default_rng(draw(st.integers(0, 99)))
    factors, values, arrays, words = [], {}, [], []
    for k in range(draw(st.integers(0, 4))):
        word = tuple(draw(letters) for _ in range(draw(st.sampled_from((0, 1, 2, 2, *ranks[3:])))))
        form = draw(st.sampled_from(FORMS))
        expr, array = _factor(
            NAMES[2 * k : 2 * k + 2], [sizes[i] for i in word], form, random, values
        )
        factors.append((expr, word))
        arrays.append(array)
        words.append(word)
    out = tuple(draw(letters) for _ in range(draw(st.sampled_from(ranks))))
    expr = product(factors, out, dict(enumerate(sizes)))
    operands = [x for pair in zip(arrays, words, strict=True) for x in pair]
    for letter in range(4):
        operands += [np.ones(sizes[letter]), [letter]]
    core = np.einsum(*operands, sorted(set(out)))
    if not out:
        return expr, values, np.asarray(core)
    full = np.zeros([sizes[i] for i in out])
    np.einsum(full, list(out), sorted(set(out)))[...] = core
    return expr, values, full


def _factor(names, dims, form, random, values):
    array = values[names[0]] = random.uniform(0.5, 2.0, dims)
    symmetric = form == "symmetric" and len(dims) == 2 and dims[0] == dims[1]
    if symmetric:
        array = values[names[0]] = array + array.T
    expr = variable(names[0], dims, symmetric=symmetric)
    if form == "square":
        return power(expr, sp.Integer(2)), array**2
    if form == "reciprocal":
        return power(expr, sp.Integer(-1)), 1 / array
    if form == "sum":
        other = values[names[1]] = random.uniform(0.5, 2.0, dims)
        return add(expr, variable(names[1], dims)), array + other
    return expr, array


def read(text, values, truth):
    """Return the value of a printed text, in the shape of the truth."""
    if is_words(text):
        return words_value(text, values, truth.shape)
    found = value(text, values, truth.shape)
    return np.reshape(np.broadcast_to(found, (*truth.shape, 1, 1)[:2]), truth.shape)


@settings(max_examples=600, deadline=None)
@given(contractions())
def test_what_is_printed_in_unicode_has_the_value_of_the_contraction(drawn):
    expr, values, truth = drawn
    np.testing.assert_allclose(read(unicode(expr), values, truth), truth, rtol=1e-9)


@settings(max_examples=300, deadline=None)
@given(contractions())
def test_what_is_printed_in_latex_has_the_value_of_the_contraction(drawn):
    expr, values, truth = drawn
    if not is_words(unicode(expr)):
        np.testing.assert_allclose(read(from_latex(latex(expr)), values, truth), truth, rtol=1e-9)


@settings(max_examples=200, deadline=None)
@given(contractions(), contractions(), st.integers(-3, 3))
def test_sums_of_contractions_are_read_as_sums(one, other, factor):
    (a, values, truth), (b, more, addend) = one, other
    more = {name.lower(): array for name, array in more.items()}
    b = _renamed(b)
    if a.shape != b.shape or is_words(unicode(a)) or is_words(unicode(b)):
        return
    expr = combine([(1, a), (factor, b)], a.shape)
    total = truth + factor * addend
    if "(" in unicode(expr) and "𝟏ᵀ" in unicode(expr):
        return  # inside brackets nothing says how long the ones are
    np.testing.assert_allclose(read(unicode(expr), values | more, total), total, atol=1e-9)


def _renamed(expr):
    small = {name: rename(name, name=name.op.name.lower()) for name in variables(expr)}
    return substitute(expr, small)


@settings(max_examples=300, deadline=None)
@given(contractions(ranks=(0, 1, 2, 3, 4)))
def test_printing_is_total(drawn):
    expr, *_ = drawn
    for text in (unicode(expr), plain(expr), latex(expr)):
        assert text
    assert latex(expr).count("{") == latex(expr).count("}")


def test_the_reader_sees_a_transposed_factor():
    values = {"A": np.arange(4.0).reshape(2, 2), "B": np.ones((2, 2))}
    assert not np.allclose(value("A B", values, (2, 2)), value("Aᵀ B", values, (2, 2)))
    assert math.isclose(value("‖A‖²", values, ()), 14)
    with pytest.raises(AssertionError):
        value("A B)", values, (2, 2))
