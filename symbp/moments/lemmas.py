"""What the derivation of variances rests on, each proved from expectations alone."""

from fractions import Fraction

import sympy as sp

from symbp.derive.proof import Equation
from symbp.ir import variable
from symbp.moments.terms import size
from symbp.ops.expectation import mean, square, variance
from symbp.ops.linear import add, scale, subtract
from symbp.ops.pointwise import POSITIVE, RELU
from symbp.ops.product import contract, hadamard
from symbp.ops.scalar import apply

LETTERS = ("i", "j")


def lemmas() -> tuple[Equation, ...]:
    """Return the variance of a product, the energy of W x, and half a second moment."""
    return (*_of_product(), *_of_energy(), *_of_half())


def _of_product() -> list[Equation]:
    """003: V(AB) of independent A and B."""
    a, b = variable("A"), variable("B")
    left, both = variance(hadamard(a, b)), hadamard(a, b)
    apart = subtract(
        hadamard(mean(square(a)), mean(square(b))), hadamard(square(mean(a)), square(mean(b)))
    )
    squares = [add(variance(v), square(mean(v))) for v in (a, b)]
    put = subtract(hadamard(*squares), hadamard(square(mean(a)), square(mean(b))))
    final = add(
        hadamard(variance(a), variance(b)),
        hadamard(variance(a), square(mean(b))),
        hadamard(variance(b), square(mean(a))),
    )
    return [
        Equation(left, subtract(mean(square(both)), square(mean(both))), "E[z²] − E[z]²"),
        Equation(left, apart, "A independent of B"),
        Equation(left, put, "E[z²] = Var[z] + E[z]²"),
        Equation(left, final, "multiplied out"),
    ]


def _of_energy() -> list[Equation]:
    """000 claims 1 and 2: E‖W x‖² for independent entries of mean zero."""
    m, n = sp.symbols("m n", positive=True, integer=True)
    w, x = variable("W", (m, n), "param"), variable("x", (n,))
    one, entry = variable("W", (), "param"), variable("x")
    made = contract("ij,j->i", w, x)
    left = mean(contract("i->", square(made)))
    apart = contract("ij,j->", mean(square(w)), mean(square(x)))
    alike = hadamard(size(m), size(n), variance(one), mean(square(entry)))
    energy = hadamard(size(m), variance(one), mean(contract("j->", square(x))))
    return [
        Equation(left, apart, "cross terms vanish", ()),
        Equation(left, alike, "entries alike", ()),
        Equation(left, energy, "m units: E[‖x‖²] for Var[W] = 1/m", ()),
    ]


def _of_half() -> list[Equation]:
    """001 problem 7.14: a symmetric variable loses half of its second moment to a ReLU."""
    a = variable("a")
    left = mean(square(apply(RELU, a)))
    half = mean(hadamard(square(a), apply(POSITIVE, a)))
    return [
        Equation(left, half, "relu(a)² is a² or 0"),
        Equation(left, scale(Fraction(1, 2), mean(square(a))), "a is symmetric"),
    ]
