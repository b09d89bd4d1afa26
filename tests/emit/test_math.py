"""Formulas as people write them: tables of expressions with their Unicode and LaTeX text."""

import re
from fractions import Fraction

import pytest
import sympy as sp

from symbp.emit.build import build
from symbp.emit.math import Names, equation, latex, plain, shape_text, unicode
from symbp.ir import Constant, Examples, Op, Size, node, variable
from symbp.ops import OPS
from symbp.ops.kinds import Largest, Merge, Split
from symbp.ops.linear import add, number, ones, scale, subtract, zeros
from symbp.ops.pointwise import COS, LOG, POSITIVE, POW, RELU, SELECT, SIGMOID, TANH
from symbp.ops.power import power, reciprocal
from symbp.ops.product import broadcast, contract, hadamard, inner, total, transpose
from symbp.ops.selection import block, unit

m, n, k = sp.symbols("m n D_1", integer=True, positive=True)


def name(text, *dims, **more):
    return variable(text, dims, **more)


def bar(text, *dims):
    return name(f"{text}_bar", *dims, role="adjoint", of=text)


def dot(text, *dims):
    return name(f"{text}_dot", *dims, role="tangent", of=text)


def pow_(base, exponent):
    return power(base, sp.Rational(exponent))


s, t, x = name("omega_3"), name("beta_0"), name("x")
a, y, u = name("a", n), name("y", n), name("u", n)
f1, h1 = name("f1", k), name("h1", k)
A, W, B, C = name("A", m, k), name("W", k, n), name("B", n, 3), name("C", m, 3)
M, N, P = name("M", n, n), name("N", n, n), name("P", n, n)
S = name("S", n, n, symmetric=True)
T = name("T", n, n, n)
AWB = add(contract("ij,jk,kl->il", A, W, B), C)
O2 = name("Omega_2", n, k)

MATRICES = [
    (AWB, "A W B + C", r"\bm{A} \, \bm{W} \, \bm{B} + \bm{C}"),
    (
        scale(2, contract("ji,jk,lk->il", A, AWB, B)),
        "2 Aᵀ (A W B + C) Bᵀ",
        r"2\, \bm{A}^{\top} \, (\bm{A} \, \bm{W} \, \bm{B} + \bm{C}) \, \bm{B}^{\top}",
    ),
    (
        contract("i,j->ij", bar("f2", n), h1),
        "∂ℓ/∂f₂ h₁ᵀ",
        r"\frac{\partial \ell}{\partial \bm{f}_{2}} \, \bm{h}_{1}^{\top}",
    ),
    (
        hadamard(node(POSITIVE, f1), contract("ji,j->i", O2, bar("f2", n))),
        "1[f₁ > 0] ⊙ (Ω₂ᵀ ∂ℓ/∂f₂)",
        r"\mathbb{I}[\bm{f}_{1} > 0] \odot "
        r"\biggl(\bm{\Omega}_{2}^{\top} \, \frac{\partial \ell}{\partial \bm{f}_{2}}\biggr)",
    ),
    (transpose(AWB), "(A W B + C)ᵀ", r"(\bm{A} \, \bm{W} \, \bm{B} + \bm{C})^{\top}"),
    (transpose(a), "aᵀ", r"\bm{a}^{\top}"),
    (contract("ij,jk->ik", M, S), "M S", r"\bm{M} \, \bm{S}"),
    (contract("ij,kj->ik", M, S), "M S", r"\bm{M} \, \bm{S}"),
    (
        contract("ij,j,jk->ik", M, a, N),
        "M diag(a) N",
        r"\bm{M} \, \operatorname{diag}(\bm{a}) \, \bm{N}",
    ),
    (contract("i,ij->ij", a, M), "diag(a) M", r"\operatorname{diag}(\bm{a}) \, \bm{M}"),
    (hadamard(M, N), "M ⊙ N", r"\bm{M} \odot \bm{N}"),
    (contract("ij,ji->ij", M, N), "M ⊙ Nᵀ", r"\bm{M} \odot \bm{N}^{\top}"),
    (contract("i->ii", a), "diag(a)", r"\operatorname{diag}(\bm{a})"),
    (contract("->ii", i=n), "I", r"\mathbf{I}"),
    (contract("ii->i", M), "diag(M)", r"\operatorname{diag}(\bm{M})"),
    (contract("ij->i", M), "M 𝟏", r"\bm{M} \, \mathbf{1}"),
    (contract("ij->j", M), "Mᵀ 𝟏", r"\bm{M}^{\top} \, \mathbf{1}"),
    (pow_(M, 2), "M ⊙ M", r"\bm{M} \odot \bm{M}"),
    (pow_(M, 3), "M^(∘3)", r"\bm{M}^{\circ 3}"),
    (node(OPS["inv"], add(M, N)), "(M + N)⁻¹", r"(\bm{M} + \bm{N})^{-1}"),
    (zeros(m, n), "0", "0"),
]

SCALARS = [
    (inner(AWB, AWB), "‖A W B + C‖²", r"\lVert \bm{A} \, \bm{W} \, \bm{B} + \bm{C} \rVert^{2}"),
    (pow_(inner(a, a), "1/2"), "‖a‖", r"\lVert \bm{a} \rVert"),
    (pow_(inner(a, a), "-1/2"), "1/‖a‖", r"\frac{1}{\lVert \bm{a} \rVert}"),
    (contract("i,ij,j->", a, M, y), "aᵀ M y", r"\bm{a}^{\top} \, \bm{M} \, \bm{y}"),
    (contract("i,ji,j->", a, M, y), "yᵀ M a", r"\bm{y}^{\top} \, \bm{M} \, \bm{a}"),
    (
        contract("ij,ij->", M, N),
        "tr(Mᵀ N)",
        r"\operatorname{tr}(\bm{M}^{\top} \, \bm{N})",
    ),
    (
        contract("ij,jk,ki->", M, N, P),
        "tr(M N P)",
        r"\operatorname{tr}(\bm{M} \, \bm{N} \, \bm{P})",
    ),
    (contract("ii->", M), "tr(M)", r"\operatorname{tr}(\bm{M})"),
    (total(a), "sum(a)", r"\operatorname{sum}(\bm{a})"),
    (contract("ij,j->", M, a), "sum(M a)", r"\operatorname{sum}(\bm{M} \, \bm{a})"),
    (inner(y, node(LOG, a)), "yᵀ log(a)", r"\bm{y}^{\top} \, \log(\bm{a})"),
    (hadamard(s, bar("f3")), "ω₃ ∂ℓ/∂f₃", r"\omega_{3} \, \frac{\partial \ell}{\partial f_{3}}"),
    (
        hadamard(number(-1), node(COS, t), bar("f3")),
        "−cos(β₀) ∂ℓ/∂f₃",
        r"-\cos(\beta_{0}) \, \frac{\partial \ell}{\partial f_{3}}",
    ),
    (
        hadamard(inner(a, y), s, x),
        "ω₃ x aᵀ y",
        r"\omega_{3} \, x \, \bm{a}^{\top} \, \bm{y}",
    ),
    (
        hadamard(s, s, pow_(t, -2)),
        "ω₃²/β₀²",
        r"\frac{\omega_{3}^{2}}{\beta_{0}^{2}}",
    ),
    (pow_(add(x, s), "1/2"), "√(x + ω₃)", r"\sqrt{x + \omega_{3}}"),
    (pow_(x, "3/2"), "x^(3/2)", "x^{3/2}"),
    (scale(Fraction(3, 2), x), "3 x/2", r"\frac{3}{2}\, x"),
    (number(Fraction(1, 2)), "1/2", r"\frac{1}{2}"),
    (node(Constant(sp.pi)), "π", r"\pi"),
    (hadamard(node(Constant(sp.sqrt(2))), x), "√2 x", r"\sqrt{2} \, x"),
    (hadamard(node(Size(n * k + 1)), x), "(D_1 n + 1) x", r"(D_{1} \, n + 1) \, x"),
    (hadamard(reciprocal(node(Size(n))), x), "x/n", r"\frac{x}{n}"),
]

VECTORS = [
    (
        hadamard(subtract(a, y), reciprocal(hadamard(a, subtract(ones(n), a)))),
        "(a − y)/(a ⊙ (1 − a))",
        r"\frac{\bm{a} - \bm{y}}{\bm{a} \odot (1 - \bm{a})}",
    ),
    (subtract(ones(n), pow_(a, 2)), "1 − a²", r"1 - \bm{a}^{2}"),
    (add(a, broadcast(s, n)), "a + ω₃ 𝟏", r"\bm{a} + \omega_{3} \, \mathbf{1}"),
    (broadcast(s, n), "ω₃ 𝟏", r"\omega_{3} \, \mathbf{1}"),
    (add(broadcast(s, n), ones(n)), "ω₃ 𝟏 + 𝟏", r"\omega_{3} \, \mathbf{1} + \mathbf{1}"),
    (scale(Fraction(1, 50), a), "a/50", r"\frac{1}{50}\, \bm{a}"),
    (scale(Fraction(1, 50), subtract(a, y)), "(a − y)/50", r"\frac{1}{50}\, (\bm{a} - \bm{y})"),
    (subtract(a, y), "a − y", r"\bm{a} - \bm{y}"),
    (scale(2, subtract(a, y)), "2 (a − y)", r"2\, (\bm{a} - \bm{y})"),
    (scale(2, hadamard(a, y)), "2 a ⊙ y", r"2\, \bm{a} \odot \bm{y}"),
    (hadamard(a, pow_(inner(a, a), "-1/2")), "a/‖a‖", r"\frac{\bm{a}}{\lVert \bm{a} \rVert}"),
    (
        hadamard(contract("ij,j->i", M, a), reciprocal(y)),
        "(M a)/y",
        r"\frac{\bm{M} \, \bm{a}}{\bm{y}}",
    ),
    (
        hadamard(inner(a, y), u),
        "(aᵀ y) u",
        r"(\bm{a}^{\top} \, \bm{y}) \, \bm{u}",
    ),
    (contract("ij,jk,k->i", M, N, a), "M N a", r"\bm{M} \, \bm{N} \, \bm{a}"),
    (
        contract("ij,ij,j->i", M, N, a),
        "(M ⊙ N) a",
        r"(\bm{M} \odot \bm{N}) \, \bm{a}",
    ),
    (
        contract("i,ij->j", bar("f1", n), M),
        "Mᵀ ∂ℓ/∂f₁",
        r"\bm{M}^{\top} \, \frac{\partial \ell}{\partial \bm{f}_{1}}",
    ),
    (
        contract("i,i->", bar("f1", n), a),
        "aᵀ ∂ℓ/∂f₁",
        r"\bm{a}^{\top} \, \frac{\partial \ell}{\partial \bm{f}_{1}}",
    ),
    (
        contract("i,i->", bar("f1", n), bar("f2", n)),
        "(∂ℓ/∂f₁)ᵀ ∂ℓ/∂f₂",
        r"\biggl(\frac{\partial \ell}{\partial \bm{f}_{1}}\biggr)^{\top} \, "
        r"\frac{\partial \ell}{\partial \bm{f}_{2}}",
    ),
    (node(RELU, add(f1, h1)), "relu(f₁ + h₁)", r"\operatorname{relu}(\bm{f}_{1} + \bm{h}_{1})"),
    (
        node(SELECT, f1, ones(k), broadcast(name("alpha"), k)),
        "(1 where f₁ > 0, else α)",
        r"\begin{cases} 1 & \bm{f}_{1} > 0 \\ \alpha & \text{otherwise} \end{cases}",
    ),
    (node(POW, a, y), "a^y", r"\bm{a}^{\bm{y}}"),
    (node(POW, a, add(a, y)), "a^(a + y)", r"\bm{a}^{\bm{a} + \bm{y}}"),
    (node(SIGMOID, a), "σ(a)", r"\sigma(\bm{a})"),
    (node(OPS["abs"], a), "|a|", r"\left|\bm{a}\right|"),
    (node(OPS["softmax"], a), "softmax(a)", r"\operatorname{softmax}(\bm{a})"),
    (unit(n, 3), "e₃", r"\mathbf{e}_{3}"),
    (block(n, 2, k), "E_D_1", r"\mathbf{E}_{D_{1}}"),
    (node(TANH, dot("f1", k)), "tanh(ḟ₁)", r"\tanh(\dot{\bm{f}}_{1})"),
    (node(Examples(), bar("f1", k)), "∂ℓ/∂f₁", r"\frac{\partial \ell}{\partial \bm{f}_{1}}"),
    (name("weight", role="weight"), "w", "w"),
]

WORDS = [
    (contract("ij,kl->ikjl", M, N), "M_ik N_jl", r"\bm{M}_{i k} \, \bm{N}_{j l}"),
    (contract("ijk,k->ij", T, a), "Σ_k T_ijk a_k", r"\sum_{k} \bm{T}_{i j k} \, \bm{a}_{k}"),
    (contract("i->iii", a), "δ_ij δ_ik a_i", r"\delta_{i j} \, \delta_{i k} \, \bm{a}_{i}"),
    (
        node(Merge(((0, 1), (2, 3))), contract("ij,kl->ikjl", M, N)),
        "M ⊗ N",
        r"\bm{M} \otimes \bm{N}",
    ),
    (node(Merge(((1, 0),)), M), "vec(M)", r"\operatorname{vec}(\bm{M})"),
    (
        node(Split(((1, 0),), (n, n)), name("z", n * n)),
        "vec⁻¹(z)",
        r"\operatorname{vec}^{-1}(\bm{z})",
    ),
    (
        node(Merge(((0,), (1, 2))), T),
        "merge[i, jk](T)",
        r"\operatorname{merge}_{i, jk}(\bm{T})",
    ),
    (node(Largest(), a), "max(a)", r"\max(\bm{a})"),
]


@pytest.mark.parametrize(("expr", "text", "tex"), MATRICES + SCALARS + VECTORS + WORDS)
def test_an_expression_is_written_as_a_person_writes_it(expr, text, tex):
    assert unicode(expr) == text
    assert latex(expr) == tex


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (contract("ji,j->i", O2, bar("f2", n)), "Omega_2ᵀ f2_bar"),
        (hadamard(node(POSITIVE, f1), dot("f1", k)), "1[f1 > 0] ⊙ f1_dot"),
        (subtract(a, y), "a - y"),
        (node(SIGMOID, a), "sigmoid(a)"),
        (contract("ij->i", M), "M 1"),
        (hadamard(node(Constant(sp.pi)), s), "pi omega_3"),
        (name("loss"), "loss"),
    ],
)
def test_a_docstring_keeps_the_names_of_the_code(expr, text):
    assert plain(expr) == text


@pytest.mark.parametrize(
    ("written", "text", "tex"),
    [
        ("beta_0", "β₀", r"\beta_{0}"),
        ("Omega_2", "Ω₂", r"\Omega_{2}"),
        ("Ω₂", "Ω₂", r"\Omega_{2}"),
        ("f1", "f₁", "f_{1}"),
        ("h_10", "h₁₀", "h_{10}"),
        ("theta_k", "θ_k", r"\theta_{k}"),
        ("f_k", "f_k", "f_{k}"),
        ("W_out", "W_out", r"W_{\mathrm{out}}"),
        ("W1_out", "W₁_out", r"W_{1,\mathrm{out}}"),
        ("hidden", "hidden", r"\mathrm{hidden}"),
        ("Alpha", "Α", r"\mathrm{Alpha}"),
        ("lambda", "λ", r"\lambda"),
        ("loss", "ℓ", r"\ell"),
        ("_x", "_x", r"\mathrm{\_x}"),
        ("é", "é", r"\mathrm{\acute{e}}"),
    ],
)
def test_a_name_is_written_as_mathematics(written, text, tex):
    assert unicode(name(written)) == text
    assert latex(name(written)) == tex


def test_arrays_are_bold_and_scalars_are_not():
    assert latex(name("Omega_2", m, n)) == r"\bm{\Omega}_{2}"
    assert latex(name("out", n)) == r"\bm{\mathrm{out}}"
    assert latex(name("beta_0")) == r"\beta_{0}"


def test_derivatives_name_the_result():
    names = Names(result="y")
    assert unicode(bar("f5"), names) == "∂y/∂f₅"
    assert latex(bar("f5"), names) == r"\frac{\partial y}{\partial f_{5}}"
    assert unicode(name("loss"), names) == "loss"


@pytest.mark.parametrize(
    ("of", "text", "tex"),
    [
        ("f1", "ḟ₁", r"\dot{f}_{1}"),
        ("loss", "ℓ̇", r"\dot{\ell}"),
        ("hidden", "hidden˙", r"\dot{\mathrm{hidden}}"),
        (
            "f1_bar",
            "(∂ℓ/∂f₁)˙",
            r"\biggl(\frac{\partial \ell}{\partial f_{1}}\biggr)^{\!\boldsymbol{\cdot}}",
        ),
    ],
)
def test_a_tangent_is_dotted(of, text, tex):
    assert unicode(dot(of)) == text
    assert latex(dot(of)) == tex


def test_a_name_of_the_users_own_that_ends_in_bar_is_no_adjoint():
    assert unicode(dot("x_bar"), Names(own=frozenset({"x_bar"}))) == "ẋ_bar"


def test_an_equation_has_its_target_in_front():
    assert equation(name("f1", k), h1) == "f₁ = h₁"
    assert equation(bar("M", n, n), add(M, N), "plain") == "M_bar = M + N"
    jacobian = name("J", n, n, n)
    assert equation(jacobian, contract("ij,k->ijk", M, a)) == "J_ijk = M_ij a_k"
    assert equation(name("J_1", n, n, n), contract("ij,k->ijk", M, a)) == "(J₁)_ijk = M_ij a_k"


def test_shapes_are_written_with_their_sizes():
    assert shape_text((m, n)) == "m × n"
    assert shape_text((k,)) == "D_1"
    assert shape_text((10, 2 * k + 1)) == "10 × (2 D_1 + 1)"
    assert shape_text((m, k), "latex") == r"m \times D_{1}"
    assert shape_text(()) == ""


@pytest.mark.parametrize("record", OPS.values(), ids=lambda record: record.name)
def test_every_operation_has_a_text_in_every_style(record):
    rank = getattr(record, "rank", 1)
    arity = len(getattr(record, "slopes", (1,)))
    if record.name == "Piecewise":
        arity = 3
    args = [name(letter, *[n] * rank) for letter in "zwv"[:arity]]
    for write in (unicode, latex, plain):
        text = write(node(record, *args))
        assert all(arg.op.name in text for arg in args)


def test_an_operation_that_no_printer_knows_is_named():
    class Strange(Op):
        name = "strange"

        def shape(self, args):
            return ()

    with pytest.raises(TypeError, match="Strange"):
        build(node(Strange()))


def test_depth_is_no_limit():
    deep = f1
    for _ in range(5000):
        deep = node(TANH, deep)
    assert unicode(deep).startswith("tanh(tanh(")
    assert latex(deep).endswith("))")


ATTACKS = [
    r"}\input{/etc/passwd}{",
    r"a$b",
    r"x\\y",
    "a%b\nc",
    "q{w}e_r^t~&#",
    '"""+import os',
    "漢字",
    "a\u202eb",
    "x + y",
    "\x1b[31mred",
    "Ω\u0338",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_name_is_read_as_a_command(attack):
    for expr in (name(attack), name(attack, n), bar(attack, n), dot(attack, n)):
        tex = latex(expr)
        assert r"\input" not in tex
        assert not set(tex) & set("%$&#~\n\x1b\x1f")
        assert tex.isascii()
        assert tex.count("{") - tex.count(r"\{") == tex.count("}") - tex.count(r"\}")
        for text in (unicode(expr), plain(expr)):
            bare = re.sub(r"<U\+[0-9A-F]{4,}>", "", text)
            assert not set(bare) & set("\"'\\\n\x1b\x1f+%$ \u202e\u0338")


def test_no_name_of_an_operation_is_read_as_a_command():
    record = OPS["tanh"].__class__(r"\input{x}", sp.Symbol("z"), (sp.Integer(1),))
    assert r"\input" not in latex(node(record, a))
    assert "\\" not in unicode(node(record, a))
