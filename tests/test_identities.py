"""The catalogue of identities: each against differences, the textbook's form and its text."""

from functools import cache

import numpy as np
import pytest
from identities import derivative, identities, pairs, second, stacked, worst

import symbp
from symbp.derive.higher import differentiate
from symbp.derive.jacobian import stacked as in_vec_layout
from symbp.emit.math import unicode
from symbp.ir import name_of
from symbp.ops.evaluate import evaluate
from symbp.report import names_of

ALL = {identity.name: identity for identity in identities()}
CLOSE, SECOND = 1e-9, 1e-6  # by complex steps, and by differences of those
EQUAL = 1e-10  # two sides of one equation
each_identity = pytest.mark.parametrize("name", ALL)


@cache
def differences(name, kind, key, case):
    """Return the derivative that the rules are held against; it knows the expression alone."""
    identity = ALL[name]
    sizes = dict(identity.cases())[case]
    expr, values = identity.program().bindings[-1].expr, identity.values(sizes)
    if kind == "hessian":
        return second(expr, values, pairs(key), sizes)
    return derivative(expr, values, key, sizes)


def derived(program, kind, key):
    """Return the derivative by symbp, in what the program is given."""
    given = {name_of(var): var for var in program.given}
    names = pairs(key) if kind == "hessian" else (key,)
    return differentiate(program, [given[name] for name in names]).closed


@each_identity
def test_derivatives_agree_with_differences_and_with_the_textbook(name):
    identity = ALL[name]
    program = identity.program()
    for kind, key, text in identity.entries():
        made, book = derived(program, kind, key), identity.expected(text)
        for case, sizes in identity.cases():
            values = identity.values(sizes)
            ours = evaluate(made, values, sizes=sizes)
            truth = differences(name, kind, key, case)
            close = SECOND if kind == "hessian" else CLOSE
            assert worst(ours, truth) < close, (kind, key, case)
            theirs = evaluate(book, values, sizes=sizes)
            layout = ours if kind == "gradient" else stacked(ours, identity.rank(kind, key))
            assert worst(theirs, layout) < CLOSE, (kind, key, case, text)


@each_identity
def test_the_two_sides_of_each_step_are_equal(name):
    identity = ALL[name]
    program, sizes = identity.program(), identity.usual
    given = {name_of(var): var for var in program.given}
    for kind, key, _ in identity.entries():
        names = pairs(key) if kind == "hessian" else (key,)
        values, rng = dict(identity.values(sizes)), np.random.default_rng(7)
        for of in names:
            values[f"{of}_dot"] = rng.standard_normal(np.shape(values[of]))
        for step in differentiate(program, [given[of] for of in names]).steps:
            left = evaluate(step.rule, values, sizes=sizes)
            values[step.name] = evaluate(step.expr, values, sizes=sizes)
            assert worst(values[step.name], left) < EQUAL, (kind, key, step.name, step.law)


@each_identity
def test_sizes_that_are_numbers_give_the_same(name):
    identity = ALL[name]
    for case, sizes in identity.cases():
        program, values = identity.program(sizes), identity.values(sizes)
        for kind, key, _ in identity.entries():
            ours = evaluate(derived(program, kind, key), values)
            close = SECOND if kind == "hessian" else CLOSE
            assert worst(ours, differences(name, kind, key, case)) < close, (kind, key, case)


@each_identity
def test_texts_are_those_of_the_textbook(name):
    identity = ALL[name]
    program = identity.program()
    for kind, key, _ in identity.entries():
        if (text := identity.texts(kind).get(key)) is None:
            continue
        made = derived(program, kind, key)
        if kind == "gradient":
            assert str(symbp.derive(program).gradient(key)) == text, key
        else:
            first = identity.rank(kind, key)
            form = in_vec_layout(made, first, made.rank - first)
            assert unicode(form, names_of(program)) == text, (kind, key)


def test_the_catalogue_is_in_order():
    made = identities()
    names = [identity.name for identity in made]
    assert len(names) >= 160
    assert len(set(names)) == len(names)
    for identity in made:
        assert identity.source, identity.name
        for kind in ("gradient", "jacobian", "hessian"):
            assert {*identity.texts(kind)} <= {*getattr(identity, kind)}, identity.name
        assert {*identity.symmetric, *identity.domain} <= {*identity.shapes}, identity.name
        assert {*identity.skip} <= {*identity.letters, "all"}, identity.name
        assert all(identity.skip.values()), f"{identity.name} gives no reason"


def test_a_wrong_textbook_form_is_found():
    identity = ALL["quadratic-form"]
    sizes = identity.usual
    values = identity.values(sizes)
    wrong = evaluate(identity.expected("2 * B @ x"), values, sizes=sizes)
    assert worst(wrong, differences("quadratic-form", "gradient", "x", "usual")) > CLOSE
