"""Modules with loops against the modules of the same specs with every turn written out."""

from functools import cache

import numpy as np
import pytest
from looped import LOOPED, TWO_LOOPS
from readings import assert_reading
from written_out import Looped, Pair, assert_alike

from symbp import judge, parse
from symbp.check import certify
from symbp.check.tree import arrays
from symbp.derive.dense import Wanted
from symbp.pipeline import compile_module, derive

LENGTHS = {
    "two_step": [{"K": k} for k in (2, 3, 7)],  # at K = 1 there would be no W
    "rnn": [{"T": t} for t in (1, 2, 3, 7)],
    "rnn_last": [{"T": t} for t in (1, 2, 3, 7)],
    "third": [{"K": k} for k in (4, 7)],
    "around": [{"L": at[0], "T": at[1]} for at in ((1, 1), (1, 3), (2, 1), (2, 3), (7, 2))],
    "seldom": [{"L": at[0], "T": at[1]} for at in ((1, 2), (2, 1), (2, 3), (7, 2))],
    "grid": [{"L": at[0], "T": at[1]} for at in ((1, 1), (1, 3), (2, 1), (2, 3), (3, 2), (7, 2))],
}
CASES = [
    (name, at) for name in LOOPED for at in LENGTHS.get(name, [{"K": k} for k in (1, 2, 3, 7)])
]

ROUNDED = ("rnn", "rnn_last", "around", "seldom", "total", "grid")
"""Specs whose sums over turns a written-out program adds in another order.

A gradient that turns share is one line there, so that examples are summed once, over all turns; a
loop sums them turn by turn.  And terms are ordered by where they come from, which differs from one
turn to another where the first turn reads zeros or an input.
"""


@cache
def looped(name):
    return Looped(LOOPED[name])


@pytest.mark.parametrize("name", LOOPED)
def test_certificate(name):
    found = certify(looped(name).module)
    assert found.ok, "\n".join(row.format() for row in found.failures)


@pytest.mark.parametrize(("name", "at"), CASES, ids=str)
def test_a_loop_does_what_its_turns_written_out_do(name, at):
    exact = () if name in ROUNDED else ("loss", "gradient")
    assert_alike(Pair(looped(name), at), exact=exact)


@pytest.mark.parametrize(("name", "at"), CASES, ids=str)
def test_gradients_are_slopes(name, at):
    pair = Pair(looped(name), at)
    module, values = looped(name).module, pair.draw()
    data = pair.data(values)
    found = judge(
        lambda params: module.loss(params, *data),
        lambda params: module.loss_and_grad(params, *data)[1],
        pair.params(module, values),
    )
    assert found.ok, "\n".join(row.format() for row in found.failures)


@pytest.mark.parametrize("length", [1, 2])
def test_a_target_of_another_width_is_refused(length):
    pair = Pair(looped("rnn"), {"T": length})
    module, values = looped("rnn").module, pair.draw()
    x, y = pair.data(values)
    narrow = tuple(value[:, :1] for value in y)
    with pytest.raises(ValueError, match=r"y\[1\] must have shape"):
        module.loss(pair.params(module, values), x, narrow)


def test_a_family_without_members_is_refused():
    module = looped("two_step").module
    x = np.ones((2, 3))
    with pytest.raises(ValueError, match="W must have at least one member, got 0"):
        module.loss(module.Params(W=(), V=()), x, x)


@pytest.mark.parametrize("widths", [(), (3,)])
def test_too_few_widths_are_refused_by_every_function_that_takes_them(widths):
    module, rng = looped("deep").module, np.random.default_rng(0)
    refused = rf"K must be at least 1, got K = {len(widths) - 1}"
    for call in (module.init_params, module.sample, module.unravel):
        with pytest.raises(ValueError, match=refused):
            call(np.ones(3) if call is module.unravel else rng, D=widths)


@pytest.mark.parametrize(("name", "at"), CASES, ids=str)
def test_what_is_printed_is_what_the_turns_written_out_are(name, at):
    assert_reading(Pair(looped(name), at))


def test_a_tangent_is_not_overwritten_where_an_input_stands_still():
    text = (
        "size n\ninput x : n\ntarget y : n\nparam W : n x n\nh = sigmoid(W @ x)\n"
        "f = tanh(h + x)\noutput f\nloss = squared_error(y, f)\n"
    )
    found = certify(compile_module(derive(parse(text))))
    assert found.ok, "\n".join(row.format() for row in found.failures)


@pytest.mark.parametrize("text", [TWO_LOOPS, LOOPED["deep"], LOOPED["two_step"]])
def test_segments_give_the_same_gradient(text):
    pair = Pair(Looped(text), {"K": 5})
    sparse = compile_module(pair.looped.derivation, wanted=Wanted(checkpoint=2))
    values = pair.draw()
    data = pair.data(values)
    found = sparse.loss_and_grad(pair.params(sparse, values), *data)
    whole = pair.looped.module.loss_and_grad(pair.params(pair.looped.module, values), *data)
    for one, other in zip(arrays(found), arrays(whole), strict=True):
        assert np.array_equal(one, other)
