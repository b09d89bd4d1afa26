"""What is said of places in families for all sizes, against every place at small sizes."""

from itertools import product

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from symbp.places import are_apart, at_most, box, covered, is_full, is_one_to_one, span
from symbp.sizes import letter_symbol, size_symbol, size_value

K = size_symbol("K")
K1, J1 = letter_symbol("k"), letter_symbol("j")
ENDS = [sp.Integer(n) for n in range(4)] + [K + n for n in (-2, -1, 0, 1)]
SIZES = range(1, 7)

ends = st.sampled_from(ENDS)
boxes = st.lists(st.tuples(ends, ends), min_size=1, max_size=2).map(tuple)
planes = st.tuples(st.tuples(ends, ends), st.tuples(ends, ends))


def places(box_, size):
    """Return every place of a box at a size."""
    ranges = [[int(size_value(end, {K: size})) for end in span_] for span_ in box_]
    return set(product(*(range(first, last + 1) for first, last in ranges)))


@settings(max_examples=300, deadline=None)
@given(planes, st.lists(planes, max_size=3))
def test_covered_is_so_at_every_size(whole, parts):
    if covered(whole, parts):
        for size in SIZES:
            met = set().union(*(places(part, size) for part in parts))
            assert places(whole, size) <= met, size


@settings(max_examples=300, deadline=None)
@given(planes, planes)
def test_boxes_apart_are_so_at_every_size(one, other):
    if are_apart(one, other):
        assert all(not places(one, size) & places(other, size) for size in SIZES)


@settings(max_examples=100, deadline=None)
@given(ends, ends)
def test_at_most_decides_sums_of_one_size(one, other):
    values = [[int(size_value(end, {K: size})) for end in (one, other)] for size in SIZES]
    assert at_most(one, other) == all(a <= b for a, b in values)


COVERED = [  # the whole, the parts
    ((0, K), [(0, 0), (1, K)]),
    ((0, K), [(1, K), (0, 0)]),
    ((1, K), [(K, K), (1, K - 1)]),
    ((0, K), [(0, K - 1), (1, K)]),
    ((2, K), [(1, K)]),
    ((1, K - 1), [(0, K)]),
]


@pytest.mark.parametrize(("whole", "parts"), COVERED, ids=str)
def test_what_is_covered_is_seen(whole, parts):
    assert covered((whole,), [(part,) for part in parts])


@pytest.mark.parametrize(
    ("one", "other"), [((0, 0), (1, K)), ((K, K), (1, K - 1)), ((0, K - 2), (K - 1, K))], ids=str
)
def test_what_is_apart_is_seen(one, other):
    assert are_apart((one,), (other,))
    assert are_apart((other,), (one,))


INDICES = [  # the index, the ranges of its letters
    ((K1 - 1,), [(K1, 1, K)]),
    ((K - K1,), [(K1, 0, K)]),
    ((K1,), [(K1, 1, K), (J1, 1, 2)]),
    ((K1, J1 - 1), [(K1, 0, K), (J1, 1, K1 + 1)]),
    ((K1, K1), [(K1, 1, K)]),
    ((2,), [(K1, 1, K)]),
    ((K1 + J1,), [(K1, 1, K), (J1, 1, 2)]),
    ((J1, K1), [(K1, 1, K), (J1, 2, K + 1)]),
    ((K - J1,), [(K1, 0, K), (J1, 0, K1)]),
]


def met(index, ranges, size):
    """Return the places that an index goes through, turn by turn."""

    def turns(known, left):
        if not left:
            yield known
            return
        letter, *bounds = left[0]
        first, last = (int(size_value(sp.S(bound), known)) for bound in bounds)
        for turn in range(first, last + 1):
            yield from turns({**known, letter: turn}, left[1:])

    for known in turns({K: size}, ranges):
        yield tuple(int(size_value(sp.S(place), known)) for place in index)


@pytest.mark.parametrize(("index", "ranges"), INDICES, ids=str)
def test_spans_hold_every_place(index, ranges):
    ours = box(index, ranges)
    assert ours == tuple(span(place, ranges) for place in index)
    for size in SIZES:
        found = list(met(index, ranges, size))
        assert set(found) <= places(ours, size)
        for axis, (first, last) in enumerate(ours):
            along = [place[axis] for place in found]
            assert (min(along), max(along)) == tuple(
                int(size_value(sp.S(end), {K: size})) for end in (first, last)
            )
        assert not is_full(index, ranges) or set(found) == places(ours, size)
        assert not is_one_to_one(index, ranges) or len(set(found)) == len(found)


def test_what_is_full_and_what_is_one_to_one():
    assert [is_full(*case) for case in INDICES].count(True) == 5
    assert [is_one_to_one(*case) for case in INDICES].count(True) >= 4
