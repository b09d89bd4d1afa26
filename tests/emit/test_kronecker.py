"""The vec layout as people write it, and each printed structure has the value of the tensor."""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from laid import Laid, commutation
from printed import from_latex, value

from symbp.emit.build import build
from symbp.emit.math import latex, unicode
from symbp.ir import node, variable, variables
from symbp.ops.evaluate import evaluate
from symbp.ops.linear import add, scale, subtract
from symbp.ops.matrix import INVERSE
from symbp.ops.pointwise import TANH
from symbp.ops.product import contract, product
from symbp.ops.reshape import merge, vec

m, n, p, q = sp.symbols("m n p q", integer=True, positive=True)
SIZES = {"m": 2, "n": 3, "p": 4, "q": 5}
BOTH = ((1, 0), (3, 2))
VECTOR_BY_MATRIX, MATRIX_BY_VECTOR = ((0,), (2, 1)), ((1, 0), (2,))


def name(text, *dims):
    return variable(text, dims)


A, B, C = name("A", m, p), name("B", q, n), name("C", n, q)
M, N, X = name("M", m, n), name("N", p, q), name("X", p, q)
Q, R, T = name("Q", p, p), name("R", q, q), name("T", m, n, p)
a, b, u, w, s = name("a", m), name("b", q), name("u", n), name("w", p), name("s")


def jacobian(pattern, *args, groups=BOTH, **dims):
    """Return the layout of ∂F_ij/∂X_kl as a matrix."""
    return merge(groups, contract(pattern, *args, **dims))


FORMS = [
    (jacobian("ik,lj->ijkl", A, B), "Bᵀ ⊗ A", r"\bm{B}^{\top} \otimes \bm{A}"),
    (jacobian("ik->ijkj", A, j=q), "I ⊗ A", r"\mathbf{I} \otimes \bm{A}"),
    (jacobian("lj->ijil", B, i=p), "Bᵀ ⊗ I", r"\bm{B}^{\top} \otimes \mathbf{I}"),
    (jacobian("->ijij", i=m, j=n), "I", r"\mathbf{I}"),
    (jacobian("->ijji", i=q, j=p), "K_(p,q)", r"\mathbf{K}_{p,q}"),
    (jacobian("->ijji", i=3, j=2), "K₂₃", r"\mathbf{K}_{2,3}"),
    (jacobian("->ijji", i=3, j=12), "K_(12,3)", r"\mathbf{K}_{12,3}"),
    (
        jacobian("il,kj->ijkl", name("D", m, q), name("E", p, n)),
        "(Eᵀ ⊗ D) K_(p,q)",
        r"(\bm{E}^{\top} \otimes \bm{D}) \, \mathbf{K}_{p,q}",
    ),
    (
        jacobian("ij,il,kj->ijkl", M, name("D", m, q), name("E", p, n)),
        "diag(vec(M)) (Eᵀ ⊗ D) K_(p,q)",
        r"\operatorname{diag}(\operatorname{vec}(\bm{M})) \, "
        r"(\bm{E}^{\top} \otimes \bm{D}) \, \mathbf{K}_{p,q}",
    ),
    (
        scale(2, jacobian("ri,rk,jt,lt->ijkl", A, A, B, B)),
        "2 ((B Bᵀ) ⊗ (Aᵀ A))",
        r"2\, ((\bm{B} \, \bm{B}^{\top}) \otimes (\bm{A}^{\top} \, \bm{A}))",
    ),
    (
        jacobian("ij,kl->ijkl", M, X),
        "vec(M) vec(X)ᵀ",
        r"\operatorname{vec}(\bm{M}) \, \operatorname{vec}(\bm{X})^{\top}",
    ),
    (
        jacobian("ij->ijij", M),
        "diag(vec(M))",
        r"\operatorname{diag}(\operatorname{vec}(\bm{M}))",
    ),
    (
        jacobian("ij->ijji", M),
        "diag(vec(M)) K_(n,m)",
        r"\operatorname{diag}(\operatorname{vec}(\bm{M})) \, \mathbf{K}_{n,m}",
    ),
    (
        jacobian("ij,ik,jl,kl->ijkl", M, A, C, N),
        "diag(vec(M)) (C ⊗ A) diag(vec(N))",
        r"\operatorname{diag}(\operatorname{vec}(\bm{M})) \, (\bm{C} \otimes \bm{A}) \, "
        r"\operatorname{diag}(\operatorname{vec}(\bm{N}))",
    ),
    (
        jacobian("i,j,k,l->ijkl", a, u, w, b),
        "(u ⊗ a) (b ⊗ w)ᵀ",
        r"(\bm{u} \otimes \bm{a}) \, (\bm{b} \otimes \bm{w})^{\top}",
    ),
    (
        jacobian("i,j,kl->ijkl", a, u, X),
        "(u ⊗ a) vec(X)ᵀ",
        r"(\bm{u} \otimes \bm{a}) \, \operatorname{vec}(\bm{X})^{\top}",
    ),
    (jacobian("kl->iikl", X, i=m), "vec(I) vec(X)ᵀ",
     r"\operatorname{vec}(\mathbf{I}) \, \operatorname{vec}(\bm{X})^{\top}"),
    (jacobian("ik,j,l->ijkl", A, u, b), "(u bᵀ) ⊗ A",
     r"(\bm{u} \, \bm{b}^{\top}) \otimes \bm{A}"),
    (
        jacobian(",rr,ik->ijkj", s, Q, A, j=q),
        "s tr(Q) (I ⊗ A)",
        r"s \, \operatorname{tr}(\bm{Q}) \, (\mathbf{I} \otimes \bm{A})",
    ),
    (
        jacobian("ik,l->ikl", A, b, groups=VECTOR_BY_MATRIX),
        "bᵀ ⊗ A",
        r"\bm{b}^{\top} \otimes \bm{A}",
    ),
    (
        jacobian("il,k->ikl", A, b, groups=VECTOR_BY_MATRIX),
        "A ⊗ bᵀ",
        r"\bm{A} \otimes \bm{b}^{\top}",
    ),
    (
        jacobian("rl,r->iil", A, a, i=p, groups=VECTOR_BY_MATRIX),
        "(aᵀ A) ⊗ I",
        r"(\bm{a}^{\top} \, \bm{A}) \otimes \mathbf{I}",
    ),
    (
        jacobian("i,kl->ikl", a, X, groups=VECTOR_BY_MATRIX),
        "a vec(X)ᵀ",
        r"\bm{a} \, \operatorname{vec}(\bm{X})^{\top}",
    ),
    (
        jacobian("ik,j->ijk", A, b, groups=MATRIX_BY_VECTOR),
        "b ⊗ A",
        r"\bm{b} \otimes \bm{A}",
    ),
    (
        jacobian("jk,i->ijk", A, b, groups=MATRIX_BY_VECTOR),
        "A ⊗ b",
        r"\bm{A} \otimes \bm{b}",
    ),
    (
        jacobian("ij,k->ijk", M, b, groups=MATRIX_BY_VECTOR),
        "vec(M) bᵀ",
        r"\operatorname{vec}(\bm{M}) \, \bm{b}^{\top}",
    ),
    (merge(((0, 1),), contract("i,j->ij", a, b)), "a ⊗ b", r"\bm{a} \otimes \bm{b}"),
    (vec(contract("i,j->ij", a, b)), "vec(a bᵀ)", r"\operatorname{vec}(\bm{a} \, \bm{b}^{\top})"),
    (merge(((0, 1),), M), "vec(Mᵀ)", r"\operatorname{vec}(\bm{M}^{\top})"),
    (
        merge(((0, 1, 2), (3, 4, 5)), contract("il,jm,kn->ijklmn", A, B, C)),
        "A ⊗ B ⊗ C",
        r"\bm{A} \otimes \bm{B} \otimes \bm{C}",
    ),
    (
        vec(subtract(contract("ik,kj->ij", A, X), name("D", m, q))),
        "vec(A X − D)",
        r"\operatorname{vec}(\bm{A} \, \bm{X} - \bm{D})",
    ),
    (
        add(jacobian("ik->ijkj", Q, j=q), jacobian("lj->ijil", R, i=p)),
        "I ⊗ Q + Rᵀ ⊗ I",
        r"\mathbf{I} \otimes \bm{Q} + \bm{R}^{\top} \otimes \mathbf{I}",
    ),
    (
        scale(-1, jacobian("ik,lj->ijkl", node(INVERSE, Q), node(INVERSE, R))),
        "−R⁻ᵀ ⊗ Q⁻¹",
        r"-\bm{R}^{-\top} \otimes \bm{Q}^{-1}",
    ),
    (
        jacobian("ik,ij->ijkj", A, node(TANH, M)),
        "diag(vec(tanh(M))) (I ⊗ A)",
        r"\operatorname{diag}(\operatorname{vec}(\tanh(\bm{M}))) \, (\mathbf{I} \otimes \bm{A})",
    ),
]  # fmt: skip


def numbers(expr, sizes=SIZES, seed=0):
    """Return (values of the names, value of the expression) on random numbers."""
    random = np.random.default_rng(seed)
    values = {
        v.op.name: random.uniform(0.5, 2, [sizes.get(str(d), d) for d in v.shape])
        for v in variables(expr)
    }
    return values, evaluate(expr, values, sizes=sizes)


def assert_said(expr, sizes=SIZES):
    """Compare what the layout says with what the expression means."""
    values, truth = numbers(expr, sizes)
    found = Laid(values, sizes).value(build(expr), truth.shape)
    np.testing.assert_allclose(found, truth, rtol=1e-9, atol=1e-9, err_msg=unicode(expr))


@pytest.mark.parametrize(("expr", "text", "tex"), FORMS)
def test_a_vec_layout_is_written_as_a_person_writes_it(expr, text, tex):
    assert unicode(expr) == text
    assert latex(expr) == tex


@pytest.mark.parametrize("sizes", [SIZES, dict.fromkeys("mnpq", 1), SIZES | {"m": 1, "q": 1}])
@pytest.mark.parametrize("expr", [form[0] for form in FORMS], ids=[form[1] for form in FORMS])
def test_what_is_written_has_the_value_of_the_tensor(expr, sizes):
    assert_said(expr, sizes)


NOT_MATRICES = [
    (
        jacobian("ijr,kr,l->ijkl", T, name("G", q, p), b),
        "merge[ji, lk]([Σ_m T_ijm G_km b_l]_ijkl)",
    ),
    (
        jacobian("ij,ik,jk,il->ijkl", M, A, name("H", n, p), name("D", m, q)),
        "merge[ji, lk]([M_ij A_ik H_jk D_il]_ijkl)",
    ),
    (jacobian("ij->iiij", M), "merge[ji, lk]([δ_ij δ_ik M_il]_ijkl)"),
    (merge(((0,), (1, 2)), T), "merge[i, jk](T)"),
]


@pytest.mark.parametrize(("expr", "text"), NOT_MATRICES)
def test_what_is_no_matrix_form_is_said_in_index_words(expr, text):
    assert unicode(expr) == text


def test_the_commutation_matrix_is_that_of_its_definition():
    X = np.arange(6.0).reshape(2, 3)
    K = commutation(2, 3)
    np.testing.assert_array_equal(K @ X.T.reshape(-1), X.reshape(-1))  # K vec X = vec Xᵀ
    assert not np.array_equal(K, K.T)


@st.composite
def tensors(draw, groups=None):
    """Draw a product of up to five factors and letters of its axes, some of them twice."""
    count = draw(st.integers(2, 4))
    sizes = draw(st.sampled_from([(2, 3, 4, 5, 2, 3), (2, 1, 3, 4, 2, 2), (1, 3, 2, 1, 3, 2)]))
    out = list(draw(st.permutations(range(4))))[:count]
    if draw(st.booleans()):
        out[draw(st.integers(0, count - 1))] = draw(st.sampled_from(out))
    letters = st.sampled_from([*out, *out, 4, 5])
    factors = []
    for k in range(draw(st.integers(0, 5))):
        word = tuple(draw(st.lists(letters, min_size=1, max_size=2, unique=True)))
        factors.append((name("ABCDE"[k], *(sizes[i] for i in word)), word))
    return product(factors, tuple(out), dict(enumerate(sizes)))


@settings(max_examples=500, deadline=None)
@given(tensors(), st.data())
def test_any_product_is_written_with_its_value(expr, data):
    order = data.draw(st.permutations(range(expr.rank)))
    cut = data.draw(st.integers(1, expr.rank))
    groups = [group for group in (order[:cut], order[cut:]) if group]
    joined = merge(groups, expr)
    text, tex = unicode(joined), latex(joined)
    if "merge[" not in text:
        assert_said(joined)
        values, truth = numbers(joined)
        # the reader of texts knows no sizes: 𝟏, I and arrays of one entry are left to the layout
        if not set("𝟏IK") & set(text) and min(map(np.size, values.values()), default=0) > 1:
            for written in (text, from_latex(tex)):
                found = np.reshape(value(written, values, truth.shape), truth.shape)
                np.testing.assert_allclose(found, truth, rtol=1e-9)


@settings(max_examples=500, deadline=None)
@given(tensors())
def test_any_tensor_is_written_in_index_words_with_its_value(expr):
    if expr.rank > 2:
        assert_said(expr)
