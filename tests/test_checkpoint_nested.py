"""Modules that store some turns and work out the rest again: the same gradients, bit by bit."""

import numpy as np
import pytest

import symbp

HEAD = """\
size   K, T, D[0..K]
input  x[1..T] : D[0]
target y : D[K]
param  W[1..K] : D[k] x D[k-1]
param  U[1..K] : D[k] x D[k]
for t in 1..T:
    h[0,t] = x[t]
for k in 1..K:
    h[k,0] = zeros(D[k])
"""
TURN = "    for t in 1..T:\n        h[k,t] = tanh(W[k] @ h[k-1,t] + U[k] @ h[k,t-1])\n"
LOSS = "loss = norm2(h[K,T] - y)^2\n"
TOGETHER, APART = HEAD + TURN + LOSS, HEAD + "for k in 1..K:\n" + TURN + LOSS


def module(text, **wanted):
    derivation = symbp.derive(symbp.parse(text))
    return symbp.compile(derivation, wanted=symbp.Wanted(**wanted))


@pytest.mark.parametrize(("widths", "turns"), [((4, 3), 1), ((4, 3, 5), 3), ((3, 4, 2, 5, 3), 2)])
def test_layers_of_recurrences(widths, turns):
    stored, again = module(TOGETHER), module(TOGETHER, checkpoint=2)
    params, data = stored.sample(np.random.default_rng(0), 6, T=turns, D=widths)
    value, grad = stored.loss_and_grad(params, *data)
    found, other = again.loss_and_grad(params, *data)
    assert found == value
    for ours, theirs in zip(grad, other, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_members_that_another_loop_makes_are_not_dropped():
    with pytest.raises(symbp.SymbpError, match="could be worked out again"):
        module(APART, checkpoint=2)
