"""A batch worked out in parts: whatever holds the examples, and what does not fit together."""

import numpy as np
import pytest
from looped import LOOPED

import symbp

MODULES = {name: symbp.compile(symbp.derive(symbp.parse(LOOPED[name]))) for name in ("deep", "rnn")}
FORMS = {
    "tuples": lambda family: family,
    "one array": np.stack,
    "lists": lambda family: [array.tolist() for array in family],
    "read once": iter,
}


def drawn(name):
    return MODULES[name].sample(np.random.default_rng(0), 5)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [1, 2, 3, 5, np.int64(4), 100])
def test_families_in_any_form(form, size):
    params, (x, y) = drawn("rnn")
    whole, grad = MODULES["rnn"].loss_and_grad(params, x, y)
    given = (FORMS[form](x), FORMS[form](y))
    value, found = MODULES["rnn"].loss_and_grad(params, *given, microbatch=size)
    assert abs(value - whole) < 1e-12
    np.testing.assert_allclose(MODULES["rnn"].ravel(found), MODULES["rnn"].ravel(grad), atol=1e-12)


def test_rows_as_lists():
    params, (x, y) = drawn("deep")
    whole, _ = MODULES["deep"].loss_and_grad(params, x, y)
    found, _ = MODULES["deep"].loss_and_grad(params, x.tolist(), y.tolist(), microbatch=2)
    assert abs(found - whole) < 1e-12


@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_numbers_of_examples_that_differ(size):
    params, (x, y) = drawn("deep")
    with pytest.raises(ValueError, match=r"y must have shape \(3, 6\), got \(5, 6\)"):
        MODULES["deep"].loss_and_grad(params, x[:3], y, microbatch=size)
    params, (x, y) = drawn("rnn")
    more = [y[0], np.vstack([y[1], y[1]]), *y[2:]]
    with pytest.raises(ValueError, match=r"y\[2\] must have shape"):
        MODULES["rnn"].loss_and_grad(params, x, more, microbatch=size)


@pytest.mark.parametrize("size", [0, -1, 2.0, 1.5, "2", [2]])
def test_sizes_that_are_none(size):
    params, (x, y) = drawn("deep")
    with pytest.raises(ValueError, match="microbatch must be a whole number from 1"):
        MODULES["deep"].loss_and_grad(params, x, y, microbatch=size)
