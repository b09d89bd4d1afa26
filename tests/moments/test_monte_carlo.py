"""Derived variances against drawn networks of 50 layers, about 1,000 units wide."""

import pytest
from drawn import Case, derived, drawn, network

from symbp.ir import name_of

WIDTHS = (1000, 1250) * 25 + (1000,)
EXAMPLES = 256
TOLERANCE = 0.05

CASES = [
    (Case("relu(f[k])", WIDTHS, init="he"), 3),
    (Case("leaky_relu(f[k], 1/10)", WIDTHS), 3),
    (Case("f[k]", WIDTHS), 3),
    (Case("tanh(f[k])", WIDTHS), 6),
    (Case("mine(f[k])", WIDTHS, "op mine(z) = z * exp(-z^2/4) + z/2"), 6),
    # At its own gain the variance of GELU is driven away from 1, so that 50 layers hold it at no
    # finite width (`symbp gain gelu`); where it grows, they do.
    (Case("gelu(f[k])", WIDTHS, init="normal(0.003)"), 3),
]
"""Each with its number of seeds; every seed has 256 examples with signs of their own."""


@pytest.mark.parametrize(("case", "seeds"), CASES, ids=[case.call for case, _ in CASES])
def test_variances_are_the_derived_ones(case: Case, seeds: int) -> None:
    worst, where = drawn(case, seeds, EXAMPLES).worst()
    assert worst < TOLERANCE, where


def test_fan_in_and_fan_out_are_told_apart() -> None:
    """Were the sizes of the weights exchanged where they are drawn, the test above would fail."""
    program = network(CASES[0][0])
    rows = {name_of(v): int(program.sizes[str(v.shape[0])] or 0) for v in program.params}
    exchanged = {name: 2 / size for name, size in rows.items()}
    right, wrong = derived(program), derived(program, exchanged)
    far = {name for name in right if abs(wrong[name] / right[name] - 1) > 2 * TOLERANCE}
    assert {"f_1", "f_25", "f_49", "f_1_bar", "f_25_bar"} <= far
