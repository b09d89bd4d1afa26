"""Options: the defaults of figure 7.8, and what is out of bounds."""

import numpy as np
import pytest

from symbp.errors import SymbpError
from symbp.training.options import Options


def test_the_defaults_are_those_of_figure_7_8():
    options = Options.of({})
    assert str(options).startswith("sgd, rate 0.1 times 0.5 every 10 epochs, momentum 0.9; batches")
    assert (options.epochs, options.batch) == (100, 10)
    rates = [options.rate_in(epoch) for epoch in (0, 9, 10, 19, 20, 99)]
    assert rates == [0.1, 0.1, 0.05, 0.05, 0.025, 0.1 / 2**9]


def test_adam_has_defaults_of_its_own():
    options = Options.of({"optimizer": "adam"})
    assert (options.rate, options.rate_in(99)) == (0.001, 0.001)


def test_numbers_of_numpy_are_numbers():
    assert Options.of({"epochs": np.int64(3), "rate": np.float64(0.5)}) == Options(3, rate=0.5)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"epochs": 0}, "--epochs must be a whole number from 1, got 0"),
        ({"batch": 2.5}, "--batch must be a whole number from 1, got 2.5"),
        ({"rate": float("nan")}, "--rate must be a positive number, got nan"),
        ({"rate": -1}, "--rate must be a positive number"),
        ({"momentum": 1}, "--momentum must be from 0 to below 1"),
        ({"decay": 0}, "--decay must be above 0"),
        ({"decay_every": -1}, "--decay-every must be a whole number, 0 for never"),
        ({"seed": -1}, "--seed must be a whole number from 0"),
        ({"holdout": 1.0}, "--holdout must be a share"),
        ({"dtype": "float16"}, "--dtype must be float32 or float64"),
        ({"optimizer": "lbfgs"}, "--optimizer must be sgd or adam, got lbfgs"),
        ({"optimizer": "adam", "momentum": 0.5}, "--momentum is for sgd"),
        ({"lr": 0.1}, "training has no option `lr`"),
    ],
)
def test_what_is_out_of_bounds(given, message):
    with pytest.raises(SymbpError, match=message.replace("(", r"\(")):
        Options.of(given)


def test_a_run_goes_on_as_it_began():
    before = Options.of({"rate": 0.3, "seed": 4})
    assert Options.of({"epochs": 7, "seed": 4}, before) == Options(7, rate=0.3, seed=4)
    with pytest.raises(SymbpError, match=r"began with --rate 0.3, and cannot go on with 0.1"):
        Options.of({"rate": 0.1}, before)
