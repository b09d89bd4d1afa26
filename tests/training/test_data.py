"""Data: what is read, and every way in which it can be wrong."""

import io
import re

import numpy as np
import pytest

from symbp.errors import SymbpError
from symbp.training.data import Field, fitted, read, split

X, Y = Field("x", (3,)), Field("y", (), classes=4)
A = Field("a", (2, 2), batched=False)
GOOD = {"x": np.zeros((5, 3)), "y": np.array([0, 1, 2, 3, 0]), "a": np.eye(2)}


def fit(**changed):
    """Return the good data fitted, with some arrays changed, and left out where None."""
    arrays = {name: array for name, array in {**GOOD, **changed}.items() if array is not None}
    return fitted(arrays, [X, A, Y], "float64")


def test_arrays_come_in_the_order_of_the_fields():
    data = fit(x=np.ones((5, 3), np.int8), a=np.array([[True, False], [False, True]]))
    x, a, y = data.rows(np.array([4, 0]))
    assert (x.shape, a.shape, y.tolist(), data.examples) == ((2, 3), (2, 2), [0, 0], 5)
    assert (x.dtype, a.dtype, y.dtype) == (np.float64, np.float64, np.int64)


def marked(value, *place):
    """Return x with a value at a place."""
    array = np.zeros((5, 3))
    array[place] = value
    return array


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"x": None}, "the data have no array `x`"),
        ({"x": None, "X": np.zeros((5, 3))}, "is it `X`?"),
        ({"z": np.zeros(5)}, "an array `z` that the spec does not take"),
        ({"x": np.zeros((5, 4))}, "`x` must have shape (N, 3), got (5, 4)"),
        ({"x": np.zeros(5)}, "`x` must have shape (N, 3), got (5,)"),
        ({"a": np.zeros((5, 2, 2))}, "`a` must have shape (2, 2), got (5, 2, 2)"),
        ({"y": np.eye(5, 4, dtype=int)}, "`y` must have shape (N,), got (5, 4)"),
        ({"y": np.zeros((5, 1), int)}, "index of the class of each example, 0 to 3"),
        ({"x": np.zeros((4, 3))}, "numbers of examples differ: x has 4, y has 5"),
        ({"x": marked(np.nan, 3, 1)}, "`x` is not finite: nan at [3, 1]"),
        ({"x": marked(np.inf, slice(2, 4), 0)}, "inf at [2, 0], and at 1 more places"),
        ({"a": np.full((2, 2), np.nan)}, "`a` is not finite: nan at [0, 0]"),
        ({"y": np.array([0, 1, 4, 0, 0])}, "`y` is 4 at [2], outside the classes 0 to 3"),
        ({"y": np.array([0, -1, 0, 0, 0])}, "`y` is -1 at [1], outside the classes"),
        ({"y": np.zeros(5)}, "`y` holds float64, not the indices of classes"),
        ({"x": np.zeros((5, 3), complex)}, "`x` holds complex128, not real numbers"),
        ({"x": np.full((5, 3), "a")}, "`x` holds <U1, not real numbers"),
        ({"x": np.zeros((0, 3)), "y": np.zeros(0, int)}, "the data hold no example"),
    ],
)
def test_what_is_wrong(changed, message):
    with pytest.raises(SymbpError) as caught:
        fit(**changed)
    assert message in str(caught.value)


def test_what_overflows_float32_is_not_finite():
    with pytest.raises(SymbpError, match=r"not finite: 1e\+300 at \[0, 0\]"):
        fitted({"x": np.full((1, 3), 1e300)}, [X], "float32")


def test_too_few_examples():
    with pytest.raises(SymbpError, match="5 examples to train on are fewer than a batch of 6"):
        fit().check_batch(6)
    fit().check_batch(5)


def test_a_share_is_held_back():
    arrays = {"x": np.arange(30.0).reshape(10, 3)}
    data = fitted(arrays, [X], "float64")
    part, held = split(data, 0.25, 7)
    assert (part.examples, held.examples) == (8, 2)
    rows = np.concatenate([part.arrays[0], held.arrays[0]])
    assert sorted(map(tuple, rows)) == sorted(map(tuple, arrays["x"]))
    assert split(data, 0.25, 7)[1].digest() == held.digest() != split(data, 0.25, 8)[1].digest()
    assert split(data, 0, 7) == (data, None)
    with pytest.raises(SymbpError, match=r"--holdout 0.97 leaves none of 10 examples"):
        split(data, 0.97, 7)


def archive(**arrays):
    """Return the bytes of an .npz file."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def one_array():
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no .npz file"),
        (b"x, y\n1, 2\n", "is no .npz file"),
        (one_array(), "is no .npz file"),
        (archive(x=np.array([{}, None])), "cannot be read: Object arrays cannot be loaded"),
        (archive(x=np.zeros(99))[:-40], "is no .npz file"),
        (archive(x=np.zeros(99)).replace(bytes(64), b"\1" * 64), "cannot be read: Bad CRC-32"),
    ],
)
def test_a_file_that_is_none(content, message, tmp_path):
    (tmp_path / "d.npz").write_bytes(content)
    with pytest.raises(SymbpError, match=re.escape(message)):
        read(tmp_path / "d.npz")


def test_a_file_that_is_missing(tmp_path):
    with pytest.raises(SymbpError, match="no file"):
        read(tmp_path / "d.npz")
