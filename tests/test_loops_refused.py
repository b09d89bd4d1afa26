"""Programs with loops for which no module can be written: what is said, and at which sizes."""

import pytest

import symbp

HEAD = "size K, L, n\ninput x : n\ntarget y : n\n"
TAIL = "loss = norm2(h[K] - y)^2\n"
SQUARES = "param W[1..K] : n x n\n"
LOOP = "h[0] = x\nfor k in 1..{}:\n    h[k] = {} @ h[k-1]\n"

UNTOLD = {
    "nothing": (
        "param W : n x n\n" + LOOP.format("K", "W") + TAIL,
        "K cannot be read off any argument",
    ),
    "an axis alone": (SQUARES + LOOP.format("K", "W[n]") + TAIL, "tells n"),
    "two": (
        "param W[1..K] : n x n\nparam b[1..2*L] : n\n" + LOOP.format("K", "W[k]") + TAIL,
        "L cannot be read off any argument",
    ),
    "both at once": (
        "param W[1..K+L] : n x n\nparam b[1..L] : n\n" + LOOP.format("K+L", "W[k]")
        + "loss = norm2(h[K+L] - y + b[L])^2\n",
        "K cannot be read off any argument",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", UNTOLD)
def test_a_length_that_nothing_tells_is_refused(case):
    text, message = UNTOLD[case]
    with pytest.raises(symbp.SymbpError, match=message):
        symbp.emit(symbp.derive(symbp.parse(HEAD + text)))


def test_sizes_of_which_one_must_not_be_above_the_other_are_found():
    text = HEAD + SQUARES + "param b[1..L] : n\n" + LOOP.format("L", "W[k]")
    program = symbp.parse(text + "loss = norm2(h[L] + b[L] - y)^2\n")
    module = symbp.compile(symbp.derive(program))
    assert symbp.certify(module).ok


def test_a_family_of_which_one_member_is_read_does_not_count_as_unread():
    text = HEAD + SQUARES + "param b[1..K] : n\n" + LOOP.format("K", "W[k]")
    found = symbp.derive(symbp.parse(text + "loss = norm2(h[K] + b[K] - y)^2\n"))
    assert "Zero everywhere" not in found.unicode()


def test_dense_derivatives_need_numbers_for_lengths():
    text = HEAD + SQUARES + LOOP.format("K", "W[k]") + TAIL
    with pytest.raises(symbp.SymbpError, match="--hessian is for loops of known length"):
        symbp.Wanted(hessian=True).check(symbp.parse(text))
    symbp.Wanted(hessian=True).check(symbp.parse(text, sizes={"K": 2}))
