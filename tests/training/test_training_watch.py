"""Gradients that vanish and explode are said once, with the parameter and the cause."""

import numpy as np

from symbp.training.watch import Watch

NAMES = ["W_1", "b_1", "W_2"]


def said(rows, cause=lambda name: ""):
    """Return what is said after each epoch."""
    watch = Watch(NAMES, [0, 1, 2], [0, 2], cause)
    return [watch.warnings(np.array(rows[: k + 1])) for k in range(len(rows))]


def test_gradients_that_are_well_are_not_spoken_of():
    assert said([[1, 1, 1], [1e-5, 1, 2], [1e5, 1, 2]]) == [[], [], []]


def test_a_vanishing_gradient_is_said_once():
    first, second, third = said([[1, 1, 1], [1e-7, 2, 1], [1e-9, 1, 1]], "{} is deep.".format)
    assert (first, third) == ([], [])
    assert second == [
        "the gradient vanishes on its way to W_1: its root mean square is 1.0e-07 in epoch 2, "
        "that of b_1 2.0e+00.  W_1 is deep."
    ]


def test_a_bias_does_not_vanish():
    assert said([[1, 0, 1]]) == [[]]


def test_nothing_is_said_where_there_is_no_gradient_at_all():
    assert said([[0, 0, 0]]) == [[]]


def test_an_exploding_gradient_is_said_once():
    first, second, third = said([[1, 0, 1], [2e5, 5, 2e6], [2e6, 5, 3e6]])
    assert (first, third) == ([], [])
    assert second == [
        "the gradient of W_2 explodes: its root mean square is 2.0e+06 in epoch 2, "
        "and was 1.0e+00 in the first."
    ]
