"""Index words: chains joined where nothing else fits, every letter where they are asked for."""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from laid import Laid
from test_contractions import contractions
from test_kronecker import tensors

from symbp.emit.build import build, build_words
from symbp.emit.math import equation, latex, latex_words, unicode, words
from symbp.ir import node, variable, variables
from symbp.ops import OPS
from symbp.ops.evaluate import evaluate
from symbp.ops.linear import add, combine, ones, scale, subtract
from symbp.ops.pointwise import TANH
from symbp.ops.power import power, reciprocal
from symbp.ops.product import contract, hadamard, inner
from symbp.ops.reshape import merge, split, vec

m, n, p = sp.symbols("m n p", integer=True, positive=True)


def name(text, *dims):
    return variable(text, dims)


A, B, G, M, N = name("A", m, n), name("B", n, m), name("G", n, n), name("M", m, n), name("N", n, n)
S, T, U = name("S", n, n), name("T", m, n, p), name("U", n, n, n)
a, b, x, s = name("a", m), name("b", n), name("x", p), name("s")
AXB = add(contract("ij,jk,kl->il", A, G, B), name("C", m, m))

TENSORS = [
    (
        scale(2, contract("mi,mk->ijkj", A, A, j=p)),
        "2 δ_jl (Aᵀ A)_ik",
        r"2\, \delta_{j l} \, (\bm{A}^{\top} \, \bm{A})_{i k}",
    ),
    (
        contract("ri,r->ijj", A, a, j=n),
        "δ_jk (Aᵀ a)_i",
        r"\delta_{j k} \, (\bm{A}^{\top} \, \bm{a})_{i}",
    ),
    (contract("ik,lj->ijkl", A, B), "A_ik B_lj", r"\bm{A}_{i k} \, \bm{B}_{l j}"),
    (
        contract("rk,ir,lj->ijkl", B, A, N),
        "(A B)_ik N_lj",
        r"(\bm{A} \, \bm{B})_{i k} \, \bm{N}_{l j}",
    ),
    (
        contract("kr,ri,lj->ijkl", A, B, N),
        "(A B)_ki N_lj",
        r"(\bm{A} \, \bm{B})_{k i} \, \bm{N}_{l j}",
    ),
    (
        contract("ijr,rs,s->ij", T, name("R", p, n), b),
        "Σ_k T_ijk (R b)_k",
        r"\sum_{k} \bm{T}_{i j k} \, (\bm{R} \, \bm{b})_{k}",
    ),
    (
        subtract(contract("i,j->ijj", a, b), contract("i,jk->ijk", a, S)),
        "δ_jk a_i b_j − a_i S_jk",
        r"\delta_{j k} \, \bm{a}_{i} \, \bm{b}_{j} - \bm{a}_{i} \, \bm{S}_{j k}",
    ),
    (
        add(U, scale(-3, contract("ij,k->ijk", S, b))),
        "U_ijk − 3 S_ij b_k",
        r"\bm{U}_{i j k} - 3\, \bm{S}_{i j} \, \bm{b}_{k}",
    ),
    (
        add(contract("ijk,k->ij", U, b), S),
        "Σ_k U_ijk b_k + S_ij",
        r"\sum_{k} \bm{U}_{i j k} \, \bm{b}_{k} + \bm{S}_{i j}",
    ),
    (
        add(ones(n, n, n), contract(",ijk->ijk", s, U)),
        "1 + s U_ijk",
        r"1 + s \, \bm{U}_{i j k}",
    ),
    (
        contract("i,ij,jk,l->ijkl", reciprocal(a), M, N, b),
        "M_ij N_jk b_l/a_i",
        r"\frac{\bm{M}_{i j} \, \bm{N}_{j k} \, \bm{b}_{l}}{\bm{a}_{i}}",
    ),
    (
        contract(",i,ij,jk->ijk", reciprocal(inner(a, a)), a, M, reciprocal(N)),
        "a_i M_ij/(‖a‖² N_jk)",
        r"\frac{\bm{a}_{i} \, \bm{M}_{i j}}{\lVert \bm{a} \rVert^{2} \, \bm{N}_{j k}}",
    ),
    (
        contract("r,r,i,j,k->ijk", b, contract("ir,i->r", A, a), a, b, x),
        "(aᵀ A b) a_i b_j x_k",
        r"(\bm{a}^{\top} \, \bm{A} \, \bm{b}) \, \bm{a}_{i} \, \bm{b}_{j} \, \bm{x}_{k}",
    ),
]
TENSORS += [
    (
        contract("kij->ijk", add(U, contract("i,jk->ijk", b, S))),
        "U_kij + b_k S_ij",
        r"\bm{U}_{k i j} + \bm{b}_{k} \, \bm{S}_{i j}",
    ),
    (
        contract("i,kij->ijk", b, add(U, contract("ir,rjk->ijk", S, U))),
        "b_i (U_kij + Σ_l S_kl U_lij)",
        r"\bm{b}_{i} \, (\bm{U}_{k i j} + \sum_{l} \bm{S}_{k l} \, \bm{U}_{l i j})",
    ),
    (
        contract("ijr,rkl->ijkl", subtract(U, contract("irs,sj->irj", U, S)), U),
        "Σ_m (U_ijm − Σ_n U_ijn S_nm) U_mkl",
        r"\sum_{m} (\bm{U}_{i j m} - \sum_{n} \bm{U}_{i j n} \, \bm{S}_{n m}) \, \bm{U}_{m k l}",
    ),
    (
        contract(",ijk->ijk", power(contract("ijk,ijr,kr->", U, U, S), sp.Integer(-1)), U),
        "U_ijk/(Σ_lmnp U_lmn U_lmp S_np)",
        r"\frac{\bm{U}_{i j k}}"
        r"{\sum_{l m n p} \bm{U}_{l m n} \, \bm{U}_{l m p} \, \bm{S}_{n p}}",
    ),
]

ASKED = [
    (
        scale(2, contract("ki,kl,jl->ij", A, AXB, name("D", p, m))),
        "2 Σ_kl A_ki (A G B + C)_kl D_jl",
        r"2\, \sum_{k l} \bm{A}_{k i} \, (\bm{A} \, \bm{G} \, \bm{B} + \bm{C})_{k l} "
        r"\, \bm{D}_{j l}",
    ),
    (
        AXB,
        "Σ_kl A_ik G_kl B_lj + C_ij",
        r"\sum_{k l} \bm{A}_{i k} \, \bm{G}_{k l} \, \bm{B}_{l j} + \bm{C}_{i j}",
    ),
    (contract("ij,j->i", A, b), "Σ_j A_ij b_j", r"\sum_{j} \bm{A}_{i j} \, \bm{b}_{j}"),
    (contract("ii->", S), "Σ_i S_ii", r"\sum_{i} \bm{S}_{i i}"),
    (
        inner(AXB, AXB),
        "Σ_ij (A G B + C)_ij²",
        r"\sum_{i j} (\bm{A} \, \bm{G} \, \bm{B} + \bm{C})_{i j}^{2}",
    ),
    (contract("i->ii", a), "δ_ij a_i", r"\delta_{i j} \, \bm{a}_{i}"),
    (contract("->ii", i=n), "δ_ij", r"\delta_{i j}"),
    (M, "M_ij", r"\bm{M}_{i j}"),
    (s, "s", "s"),
    (
        node(TANH, contract("ij,j->i", A, b)),
        "tanh(Σ_j A_ij b_j)",
        r"\tanh(\sum_{j} \bm{A}_{i j} \, \bm{b}_{j})",
    ),
    (
        hadamard(M, reciprocal(add(M, A))),
        "M_ij/(M + A)_ij",
        r"\frac{\bm{M}_{i j}}{(\bm{M} + \bm{A})_{i j}}",
    ),
    (
        subtract(ones(m, n), power(M, sp.Integer(2))),
        "1 − M_ij²",
        r"1 - \bm{M}_{i j}^{2}",
    ),
    (
        contract("mi,mk->ijkj", A, A, j=p),
        "Σ_m δ_jl A_mi A_mk",
        r"\sum_{m} \delta_{j l} \, \bm{A}_{m i} \, \bm{A}_{m k}",
    ),
    (vec(M), "(vec(M))_i", r"(\operatorname{vec}(\bm{M}))_{i}"),
    (node(OPS["softmax"], a), "(softmax(a))_i", r"(\operatorname{softmax}(\bm{a}))_{i}"),
]


@pytest.mark.parametrize(("expr", "text", "tex"), TENSORS)
def test_a_tensor_is_written_with_its_chains_joined(expr, text, tex):
    assert unicode(expr) == text
    assert latex(expr) == tex


@pytest.mark.parametrize(("expr", "text", "tex"), ASKED)
def test_words_are_written_letter_by_letter(expr, text, tex):
    assert words(expr) == text
    assert latex_words(expr) == tex


def test_an_equation_of_tensors_has_the_letters_of_its_target():
    expr = subtract(contract("i,j->ijj", a, b), contract("i,jk->ijk", a, S))
    assert equation(name("J", m, n, n), expr) == "J_ijk = δ_jk a_i b_j − a_i S_jk"


def entries(layout, values, truth, sizes=None):
    """Return the value of a layout that is the entry at i, j, k and so on."""
    return Laid(values, sizes or {}).entries(layout, dict(zip("ijklmn", truth.shape, strict=False)))


SIZES = {"m": 2, "n": 3, "p": 4}


@pytest.mark.parametrize("expr", [case[0] for case in TENSORS + ASKED[:-1]], ids=str)
def test_what_is_written_has_the_value_of_the_expression(expr):
    random = np.random.default_rng(0)
    values = {
        v.op.name: random.uniform(0.5, 2, [SIZES[str(d)] for d in v.shape]) for v in variables(expr)
    }
    truth = evaluate(expr, values, sizes=SIZES)
    np.testing.assert_allclose(entries(build_words(expr), values, truth, SIZES), truth, rtol=1e-9)
    said = Laid(values, SIZES).value(build(expr), truth.shape)
    np.testing.assert_allclose(said, truth, rtol=1e-9)


@settings(max_examples=400, deadline=None)
@given(contractions(ranks=(0, 1, 2, 3)))
def test_words_have_the_value_of_the_contraction(drawn):
    expr, values, truth = drawn
    np.testing.assert_allclose(entries(build_words(expr), values, truth), truth, rtol=1e-9)


@settings(max_examples=400, deadline=None)
@given(contractions(ranks=(2, 3, 4, 3, 4)))
def test_joined_chains_have_the_value_of_the_contraction(drawn):
    expr, values, truth = drawn
    if expr.rank > 2:
        said = Laid(values, {}).value(build(expr), truth.shape)
        np.testing.assert_allclose(said, truth, rtol=1e-9)


@settings(max_examples=200, deadline=None)
@given(tensors(), tensors())
def test_a_sum_of_tensors_has_the_same_letters_in_every_term(one, other):
    if one.shape != other.shape:
        return
    expr = combine([(2, one), (-1, other)], one.shape)
    random = np.random.default_rng(0)
    values = {v.op.name: random.uniform(0.5, 2, v.shape) for v in variables(expr)}
    if len({v.op.name for v in variables(expr)}) < len(variables(expr)):
        return
    truth = evaluate(expr, values)
    said = Laid(values, {}).value(build(expr), truth.shape)
    np.testing.assert_allclose(said, truth, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(entries(build_words(expr), values, truth), truth, atol=1e-9)


@pytest.mark.parametrize("record", OPS.values(), ids=lambda record: record.name)
def test_every_operation_has_words(record):
    arity = 3 if record.name == "Piecewise" else len(getattr(record, "slopes", (1,)))
    args = [name(letter, *[n] * getattr(record, "rank", 1)) for letter in "zwv"[:arity]]
    for write in (words, latex_words):
        assert all(arg.op.name in write(node(record, *args)) for arg in args)


def test_reshapes_have_words():
    assert words(merge(((0,), (1, 2)), T)) == "(merge[i, jk](T))_ij"
    assert words(split(((1, 0),), (n, m), name("z", m * n))) == "(vec⁻¹(z))_ij"
    assert words(merge(((1, 0), (3, 2)), contract("ik,lj->ijkl", A, B))) == "(Bᵀ ⊗ A)_ij"


def test_depth_is_no_limit():
    deep = a
    for _ in range(3000):
        deep = node(TANH, deep)
    assert words(deep).endswith("a_i" + 3000 * ")")
