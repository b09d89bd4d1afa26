"""Loops run in segments, and batches in parts: less memory, the same gradient."""

import tracemalloc
from functools import cache
from types import ModuleType

import numpy as np
import pytest
from looped import LOOPED

import symbp
from symbp.check import certify
from symbp.errors import SymbpError
from symbp.pipeline import every


@cache
def module(name: str, checkpoint: int | None = None) -> ModuleType:
    derivation = symbp.derive(symbp.parse(LOOPED[name], name))
    return symbp.compile(derivation, wanted=symbp.Wanted(checkpoint=checkpoint))


def points(plain: ModuleType):
    """Yield arguments at the module's own sizes and at the other lengths it knows."""
    for sizes in ({}, *plain.LENGTHS.values()):
        params, data = plain.sample(np.random.default_rng(0), 4, **sizes)
        yield (params, *data)


@pytest.mark.parametrize("checkpoint", [1, 2, 5, 0])
@pytest.mark.parametrize("name", LOOPED)
def test_the_gradient_is_the_same_to_the_last_bit(name: str, checkpoint: int) -> None:
    plain, sparse = module(name), module(name, checkpoint)
    for args in points(plain):
        value, grad = plain.loss_and_grad(*args)
        same, other = sparse.loss_and_grad(*args)
        assert value == same
        assert np.array_equal(plain.ravel(grad), plain.ravel(other))


@pytest.mark.parametrize("name", LOOPED)
def test_every_function_of_a_checkpointed_module_is_certified(name: str) -> None:
    found = certify(module(name, 2))
    assert found.ok, [row.format() for row in found.failures]


def peak(judged: ModuleType, args) -> int:
    judged.loss_and_grad(*args)
    tracemalloc.start()
    judged.loss_and_grad(*args)
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


@pytest.mark.parametrize("checkpoint", [10, 0, 1])
@pytest.mark.parametrize("examples", [128, 1000])
def test_peak_memory_follows_the_prediction(checkpoint: int, examples: int) -> None:
    plain, sparse = module("deep"), module("deep", checkpoint)
    rng, widths = np.random.default_rng(0), (100,) * 51
    params = plain.init_params(rng, D=widths)
    x, y = rng.standard_normal((examples, 100)), rng.standard_normal((examples, 100))
    held = peak(sparse, (params, x, y))
    predicted = 8 * sparse.peak_numbers(examples, D=widths)
    assert 0.9 < held / predicted < 1.1
    assert held < 0.6 * peak(plain, (params, x, y))


def test_the_docstring_says_what_is_stored_and_what_is_done_again() -> None:
    said = " ".join((module("deep", 10).__doc__ or "").split())
    assert "in segments of 10 turns. Stored is h[k] of the last turn of each" in said
    assert "worked out again" in said
    assert "segments" not in (module("deep").__doc__ or "")


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("name", LOOPED)
def test_parts_of_a_batch_add_up(name: str, reduction: str) -> None:
    program = symbp.parse(f"batch {reduction}\n{LOOPED[name]}", name)
    found = symbp.compile(symbp.derive(program))
    params, data = found.sample(np.random.default_rng(0), 7)
    value, grad = found.loss_and_grad(params, *data)
    for size in (1, 2, 3, 7, 9):
        same, other = found.loss_and_grad(params, *data, microbatch=size)
        np.testing.assert_allclose(same, value, rtol=1e-12)
        np.testing.assert_allclose(found.ravel(other), found.ravel(grad), rtol=1e-9, atol=1e-12)


def test_no_examples_make_no_part() -> None:
    found = module("deep")
    params, data = found.sample(np.random.default_rng(0), 3)
    with pytest.raises(ValueError, match="microbatch must be a whole number from 1, got 0"):
        found.loss_and_grad(params, *data, microbatch=0)


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "ten", "", "٣"])
def test_what_is_no_number_of_turns_is_refused(text: str) -> None:
    with pytest.raises(SymbpError, match="is no number of turns"):
        every(text)


def test_there_has_to_be_a_loop() -> None:
    program = symbp.parse(LOOPED["deep"], sizes={"K": 2, "D": "3,4,5"})
    with pytest.raises(SymbpError, match="for a loop of symbolic length"):
        symbp.Wanted(checkpoint=3).check(program)
