"""`symbp.unroll`: a program with loops at numbers is the program that the numbers' spec means."""

import numpy as np
import pytest
from looped import LENGTHS, LOOPED

import symbp

SUMS = ("penalty", "grid", "linear", "total")
"""Specs whose sums over a loop keep a line of their own."""

AT = [(name, at) for name in LOOPED for at in LENGTHS[name] if (name, at) != ("two_step", {"K": 1})]


@pytest.mark.parametrize(("name", "at"), AT)
def test_it_is_what_the_spec_means_at_the_same_numbers(name, at):
    program = symbp.unroll(symbp.parse(LOOPED[name]), **at)
    same = symbp.parse(LOOPED[name], sizes=at)
    if name not in SUMS:
        assert str(symbp.derive(program)) == str(symbp.derive(same))
    assert program.inits == same.inits
    assert program.tuples == same.tuples
    assert program.sizes == same.sizes


@pytest.mark.parametrize("name", SUMS)
def test_its_sums_have_the_value_of_the_spec_at_the_same_numbers(name):
    at = LENGTHS[name][-1]
    modules = [
        symbp.compile(symbp.derive(program))
        for program in (
            symbp.unroll(symbp.parse(LOOPED[name]), **at),
            symbp.parse(LOOPED[name], sizes=at),
        )
    ]
    params, data = modules[0].sample(np.random.default_rng(1))
    (loss, grad), (other, same) = (m.loss_and_grad(tuple(params), *data) for m in modules)
    assert loss == pytest.approx(other, rel=1e-12)
    for ours, theirs in zip(modules[0].ravel(grad), modules[1].ravel(same), strict=True):
        assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-12)


def test_its_module_is_right():
    program = symbp.unroll(symbp.parse(LOOPED["deep"]), K=3, D=(2, 3, 4, 5))
    module = symbp.compile(symbp.derive(program))
    assert symbp.certify(module).ok
    assert module.Params._fields == ("Omega", "beta")


def test_a_program_without_loops_gets_its_numbers():
    plain = symbp.parse("size n\ninput x : n\nparam W : n x n\nloss = norm2(W @ x)^2")
    assert symbp.unroll(plain, n=3).sizes == {"n": 3}


BAD = {
    "no number for its length": ("deep", {}, "depends on K, which has no number"),
    "an unknown size": ("deep", {"k": 3}, "did you mean `K`?"),
    "a length of 0": ("deep", {"K": 0}, "K = 0: a size is a whole number from 1"),
    "a fraction": ("deep", {"K": 2.5}, "K is one size and takes one number, not 2.5"),
    "several lengths": ("deep", {"K": (2, 3)}, "K is one size and takes one number, not (2, 3)"),
    "too few widths": (
        "deep",
        {"K": 3, "D": (2, 3)},
        "D takes 4 numbers, D[0] to D[3], and was given 2",
    ),
    "one width for all": ("deep", {"K": 3, "D": 4}, "D is a family of 4 sizes"),
    "a width of 0": ("deep", {"K": 1, "D": (2, 0)}, "D[1] = 0: a size is a whole number from 1"),
    "a member that is not there": ("third", {"K": 2}, "reads a member that is not there at K = 2"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_it_refuses(case):
    name, sizes, says = BAD[case]
    with pytest.raises(symbp.SymbpError) as error:
        symbp.unroll(symbp.parse(LOOPED[name]), **sizes)
    assert says in str(error.value)
