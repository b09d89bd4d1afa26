"""Every law of simplification on random numbers: what it changes keeps its value."""

from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from symbp.derive.blocks import pick_blocks
from symbp.derive.collect import collect
from symbp.derive.signs import absorb
from symbp.derive.simplify import Lines
from symbp.emit.math import unicode
from symbp.ir import node, variable, variables
from symbp.ops import OPS
from symbp.ops.evaluate import evaluate
from symbp.ops.kron import kronecker_product
from symbp.ops.linear import add, combine, number, subtract
from symbp.ops.matrix import DETERMINANT, INVERSE, LOG_DETERMINANT
from symbp.ops.power import power, reciprocal
from symbp.ops.product import contract, hadamard, product, transpose
from symbp.ops.selection import block, unit

N, M = 3, 2
A, B = (variable(name, (N, N)) for name in "AB")
S = variable("S", (N, N), symmetric=True)
X = variable("X", (N, M))
x, y, z = (variable(name, (N,)) for name in "xyz")
s = variable("s")
POOL = [A, B, S, transpose(A), node(INVERSE, A), contract("ia,ja->ij", X, X), X, x, y, s,
        reciprocal(s), node(OPS["tanh"], x), node(OPS["sign"], x), node(OPS["abs"], x)]  # fmt: skip
DIMS = {0: N, 1: N, 2: N, 3: M}
ABS, SIGN, RELU, POSITIVE = (OPS[name] for name in ("abs", "sign", "relu", "positive"))


def values(*exprs, seed=0):
    """Return numbers for the names: S symmetric, the square matrices far from singular."""
    rng = np.random.default_rng(seed)
    found = {}
    for var in variables(*exprs):
        made = rng.uniform(0.5, 1.5, var.shape) * rng.choice([-1, 1], var.shape)
        if var.rank == 2 and var.shape[0] == var.shape[1]:
            made = made + 4 * np.eye(len(made))
        found[var.op.name] = (made + made.T) / 2 if var.op.symmetric else made
    return found


def same(made, meant, seed=0):
    given_ = values(made, meant, seed=seed)
    np.testing.assert_allclose(evaluate(made, given_), evaluate(meant, given_), 1e-10, 1e-12)


@st.composite
def terms(draw, out):
    """Return a product of factors of the pool with random letters, summed to `out`."""
    factors = []
    for _ in range(draw(st.integers(1, 3))):
        factor = draw(st.sampled_from(POOL))
        letters = [[k for k, dim in DIMS.items() if dim == size] for size in factor.shape]
        factors.append((factor, tuple(draw(st.sampled_from(choice)) for choice in letters)))
    used = {letter for _, word in factors for letter in word} | set(out)
    return product(factors, out, {letter: DIMS[letter] for letter in used})


@st.composite
def sums(draw, out=(0, 1)):
    made = draw(st.lists(terms(out), min_size=2, max_size=4))
    weights = [Fraction(draw(st.sampled_from([-2, -1, 1, 2, 3]))) for _ in made]
    return combine(zip(weights, made, strict=True), made[0].shape)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([(0, 1), (0,), (), (0, 3)]).flatmap(sums))
def test_a_common_factor(drawn):
    same(collect(drawn), drawn)


@settings(max_examples=200, deadline=None)
@given(sums((0,)))
def test_signs_and_masks(drawn):
    same(absorb(drawn), drawn)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([(0, 1), (0,), ()]).flatmap(sums))
def test_all_laws_together(drawn):
    same(Lines(()).simplify(drawn)[0], drawn)


@pytest.mark.parametrize(
    ("made", "shown"),
    [
        (collect(add(contract("ij,j->i", B, x), contract("ji,j->i", B, x))), "(B + Bᵀ) x"),
        (collect(add(contract("ia,a,j->ij", X, variable("b", (M,)), y),
                     contract("ia,a,j->ij", X, variable("c", (M,)), z))), "X (b yᵀ + c zᵀ)"),
        (absorb(hadamard(x, node(SIGN, x))), "|x|"),
        (absorb(hadamard(power(x, sp.Integer(2)), node(SIGN, x))), "x ⊙ |x|"),
        (absorb(power(power(s, sp.Integer(2)), sp.Rational(1, 2))), "|s|"),
        (absorb(hadamard(node(POSITIVE, x), node(RELU, x))), "relu(x)"),
    ],
)  # fmt: skip
def test_what_a_law_makes(made, shown):
    assert unicode(made) == shown


def test_blocks_pick_their_own():
    first, second = block(2 * N, N, 0), block(2 * N, N, N)
    corners = ((first, A), (second, B))
    whole = add(*(contract("ai,ij,bj->ab", side, corner, side) for side, corner in corners))
    picked = contract("ai,ab,bj->ij", second, whole, second)
    assert pick_blocks(picked) is B
    crossed = contract("ai,ab,bj->ij", first, whole, second)
    assert unicode(pick_blocks(crossed)) == "0"
    same(pick_blocks(contract("ai,ab->ib", first, whole)), contract("ai,ab->ib", first, whole))


@pytest.mark.parametrize(
    ("made", "shown"),
    [
        (contract("ij,jk->ik", node(INVERSE, A), A), "I"),
        (contract("ij,jk,kl->il", node(INVERSE, A), A, B), "B"),
        (contract("ij,kj,kl->il", node(INVERSE, contract("ji,jk->ik", X, X)), X, X), "I"),
        (node(INVERSE, contract("ij,jk->ik", A, B)), "B⁻¹ A⁻¹"),
        (node(INVERSE, node(INVERSE, A)), "A"),
        (node(INVERSE, transpose(A)), "A⁻ᵀ"),
        (node(INVERSE, contract("i->ii", x)), "diag(1/x)"),
        (node(INVERSE, kronecker_product([A, B])), "A⁻¹ ⊗ B⁻¹"),
        (node(LOG_DETERMINANT, kronecker_product([A, B])), "3 (logdet(A) + logdet(B))"),
        (node(DETERMINANT, node(INVERSE, A)), "1/det(A)"),
        (node(LOG_DETERMINANT, transpose(A)), "logdet(A)"),
        (subtract(contract("ij->ji", S), S), "0"),
        (hadamard(contract("ii->", A), contract("ii->", A)), "tr(A)²"),
        (contract("i,i->", unit(N, 0), unit(N, 1)), "0"),
        (contract("i,i->", unit(N, 1), unit(N, 1)), "1"),
        (contract("i,ij,j->", unit(N, 0), A, unit(N, 1)), "A₀₁"),
        (add(number(1), number(-1)), "0"),
    ],
)  # fmt: skip
def test_what_the_normal_form_makes(made, shown):
    assert unicode(made) == shown


@pytest.mark.parametrize("op", [INVERSE, DETERMINANT, LOG_DETERMINANT])
def test_what_the_normal_form_makes_has_the_value_of_the_function(op):
    for matrix in (kronecker_product([A, B]), transpose(A), contract("ij,jk->ik", A, B),
                   contract("i->ii", x), hadamard(s, A)):  # fmt: skip
        meant = node(op, variable("_plain", matrix.shape))
        given_ = values(matrix)
        plain = evaluate(meant, {"_plain": evaluate(matrix, given_)})
        np.testing.assert_allclose(evaluate(node(op, matrix), given_), plain, 1e-10)
