"""Lines that stand in loops, members of families, sums and brackets over places, in each format."""

import shutil
from fractions import Fraction

import pytest
import sympy as sp
from test_latex import compiled

from symbp.api import Line
from symbp.derive.derivation import Derivation, Path, Step
from symbp.emit.docstring import docstring
from symbp.emit.document import Section, document
from symbp.emit.escape import latex_text
from symbp.emit.given import given
from symbp.emit.math import Names, latex, plain, range_text, shape_text, unicode, words
from symbp.emit.shapes import dim_text, shape_tuple
from symbp.ir import Size, node, size_symbol, variable
from symbp.ops.indexed import over, when
from symbp.ops.linear import add, combine, subtract
from symbp.ops.pointwise import POSITIVE, RELU, TANH
from symbp.ops.product import contract, hadamard
from symbp.program import Binding, Loop, Program
from symbp.report import GRADIENT_PAGE, sections, text
from symbp.sizes import letter_symbol, size_member

ZERO = sp.Integer(0)
K, L, T, n = map(size_symbol, "KLTn")
j, k, l, t = map(letter_symbol, "jklt")  # noqa: E741, the letter of a layer
k1, k2, k3, l1, t1 = (letter_symbol(name, 1 + i) for i, name in enumerate("kkklt"))
UP, DOWN = Loop(k, 1, K - 1), Loop(k1, 1, K - 1, down=True)
ROLES = {"dot": "tangent", "bar": "adjoint"}


def D(place):
    return size_member("D", place)


def member(name, dims, *index, kind="", role="line"):
    """Return a member, or its tangent or adjoint where `kind` says so."""
    if not kind:
        return variable(name, dims, role, index=index)
    return variable(f"{name}_{kind}", dims, ROLES[kind], of=name, index=index)


def h(place, kind=""):
    return member("h", (D(place),), place, kind=kind)


def f(place, kind=""):
    return member("f", (D(place),), place, kind=kind)


def beta(place, kind=""):
    return member("beta", (D(place),), place, kind=kind, role="param")


def omega(place, kind=""):
    return member("Omega", (D(place), D(place - 1)), place, kind=kind, role="param")


X = variable("x", (D(ZERO),), "input", batched=True)
Y = variable("y", (D(K),), "target", batched=True)
LOSS, S = variable("loss"), variable("s")


def times(c, term):
    return combine([(Fraction(c), term)], term.shape)


def affine(place):
    return add(beta(place), contract("ij,j->i", omega(place), h(place - 1)))


def square(array):
    word = "ij"[: array.rank]
    return contract(f"{word},{word}->", array, array)


def step(target, expr, law, *loops, **more):
    return Step(target, expr, expr, law, loops=loops, **more)


PENALTY = Loop(k2, 1, K)
PRIMAL = (
    step(h(ZERO), X, "name"),
    step(f(k), affine(k), "product", UP),
    step(h(k), node(RELU, f(k)), "elementwise", UP),
    step(f(K), affine(K), "product"),
    step(S, square(omega(k2)), "norm", PENALTY, adds=True),
    step(LOSS, add(square(subtract(f(K), Y)), times("1/100", S)), "norm"),
)
PASSED = contract("ji,j->i", omega(k1 + 1), f(k1 + 1, "bar"))
EACH = Loop(k3, 1, K)
ADJOINT = (
    step(f(K, "bar"), times(2, subtract(f(K), Y)), "power"),
    step(f(k1, "bar"), hadamard(node(POSITIVE, f(k1)), PASSED), "elementwise", DOWN),
    step(beta(k3, "bar"), f(k3, "bar"), "sum", EACH),
    step(
        omega(k3, "bar"),
        add(contract("i,j->ij", f(k3, "bar"), h(k3 - 1)), times("1/50", omega(k3))),
        "product",
        EACH,
    ),
)
PROGRAM = Program(
    "deep",
    tuple(Binding(s.target, s.expr, s.shown, s.loops, s.adds) for s in PRIMAL),
    (X,),
    (Y,),
    (omega(j), beta(l)),
    output=f(K),
    loss=LOSS,
    wrt=(omega(j), beta(l)),
    sizes={"K": None},
    families={"Omega": Loop(j, 1, K), "beta": Loop(l, 1, K), "D": Loop(t, 0, K)},
)
DEEP = [given(PROGRAM), Section("Forward pass", "", PRIMAL), Section("Reverse mode", "", ADJOINT)]


def z(row, column, kind=""):
    return member("z", (n,), row, column, kind=kind)


def recurrent(name, place, kind=""):
    return member(name, (n, n), place, kind=kind, role="param")


ROWS, COLUMNS = Loop(l, 1, L), Loop(t, 1, T)
BACK = (Loop(l1, 1, L, down=True), Loop(t1, 1, T, down=True))
WITHIN = contract("ij,j->i", recurrent("U", l), z(l, t - 1))
BELOW = contract("ij,j->i", recurrent("W_in", l), z(l - 1, t))
LATER = contract("ji,j->i", recurrent("U", l1), z(l1, t1 + 1, "bar"))
ABOVE = contract("ji,j->i", recurrent("W_in", l1 + 1), z(l1 + 1, t1, "bar"))
NESTED = (
    step(z(ZERO, t), member("x", (n,), t, role="input"), "name", COLUMNS),
    step(z(l, ZERO), member("a", (n,), l), "name", ROWS),
    step(z(l, t), node(TANH, add(WITHIN, BELOW)), "elementwise", ROWS, COLUMNS),
    step(member("g", (n,), l), z(l, T), "name", ROWS),
    step(LOSS, over(t, 1, T, square(z(L, t))), "norm"),
    step(
        z(l1, t1, "bar"),
        add(hadamard(when(t1, "<", T), LATER), hadamard(when(l1, "<", L), ABOVE)),
        "product",
        *BACK,
    ),
    step(
        recurrent("U", l1, "bar"),
        contract("i,j->ij", z(l1, t1, "bar"), z(l1, t1 - 1)),
        "product",
        *BACK,
        adds=True,
        note="From the last to the first.",
    ),
)
NEST = Section("Nested", "", NESTED)


@pytest.mark.parametrize(
    ("index", "name", "size"),
    [
        ((ZERO,), "h₀ ḣ₀ ∂ℓ/∂h₀", "D₀"),
        ((k1,), "hₖ ḣₖ ∂ℓ/∂hₖ", "Dₖ"),
        ((k - 1,), "hₖ₋₁ ḣₖ₋₁ ∂ℓ/∂hₖ₋₁", "Dₖ₋₁"),
        ((2 * k + 1,), "h₂ₖ₊₁ ḣ₂ₖ₊₁ ∂ℓ/∂h₂ₖ₊₁", "D₂ₖ₊₁"),
        ((K,), "h_K ḣ_K ∂ℓ/∂h_K", "D_K"),
        ((K - 1,), "h_{K−1} ḣ_{K−1} ∂ℓ/∂h_{K−1}", "D_{K−1}"),
        ((K - k1,), "h_{K−k} ḣ_{K−k} ∂ℓ/∂h_{K−k}", "D_{K−k}"),
        ((l, t - 1), "h_{l,t−1} ḣ_{l,t−1} ∂ℓ/∂h_{l,t−1}", "Dₗ"),
        ((letter_symbol("c"),), "h_c ḣ_c ∂ℓ/∂h_c", "D_c"),
        ((letter_symbol("it"),), "h_{it} ḣ_{it} ∂ℓ/∂h_{it}", "D_{it}"),
    ],
)
def test_members_in_unicode(index, name, size):
    made = [member("h", (D(index[0]),), *index, kind=kind) for kind in ("", "dot", "bar")]
    assert " ".join(map(unicode, made)) == name
    assert shape_text(made[0].shape) == size


@pytest.mark.parametrize(
    ("name", "printed", "in_latex", "in_code"),
    [
        ("W_in", "W_{in,k−1}", r"\bm{W}_{\mathrm{in},k-1}", "W_in[k-1]"),
        ("h1", "h_{1,k−1}", r"\bm{h}_{1,k-1}", "h1[k-1]"),
        ("x_hat", "x̂ₖ₋₁", r"\bm{\hat{x}}_{k-1}", "x_hat[k-1]"),
        ("hidden", "hiddenₖ₋₁", r"\bm{\mathrm{hidden}}_{k-1}", "hidden[k-1]"),
        ("lambda", "λₖ₋₁", r"\bm{\lambda}_{k-1}", "lambda[k-1]"),
    ],
)
def test_the_place_follows_the_subscripts_of_a_name(name, printed, in_latex, in_code):
    made = member(name, (n,), k1 - 1)
    assert (unicode(made), latex(made), plain(made)) == (printed, in_latex, in_code)


def test_members_in_latex_and_in_code():
    assert latex(h(k - 1, "dot")) == r"\dot{\bm{h}}_{k-1}"
    assert latex(omega(2 * k, "bar")) == r"\frac{\partial \ell}{\partial \bm{\Omega}_{2k}}"
    assert plain(h(k1 - 1, "dot")) == "h_dot[k-1]"
    assert plain(z(l, t1 - 1, "bar")) == "z_bar[l,t-1]"
    moved = variable("h_bar_dot", (n,), "tangent", of="h_bar", index=(k,))
    assert unicode(moved) == "(∂ℓ/∂hₖ)˙"
    assert r"\partial \bm{h}_{k}}" in latex(moved)


def test_the_line_that_is_differentiated_may_be_a_member():
    names = Names(result="f", place=(K,))
    assert unicode(h(k, "bar"), names) == "∂f_K/∂hₖ"
    assert latex(h(k, "bar"), names) == r"\frac{\partial f_{K}}{\partial \bm{h}_{k}}"


def test_an_entry_of_a_member_keeps_its_place_apart():
    assert words(hadamard(h(k), f(k))) == "(hₖ)_i (fₖ)_i"


def test_sizes_that_are_members():
    shape = (D(k1), 2 * D(k1 - 1))
    assert shape_text(shape) == "Dₖ × (2 Dₖ₋₁)"
    assert shape_text(shape, "latex") == r"D_{k} \times (2\, D_{k-1})"
    assert shape_text(shape, "plain") == "D[k] × (2 D[k-1])"
    assert unicode(hadamard(node(Size(k1)), h(k1))) == "k hₖ"
    assert shape_tuple(omega(k1)) == "(D[k], D[k-1])"
    assert dim_text(2 * D(K) + k1) == "2*D[K] + k"


Z = member("s", (), t)
SUM = over(t, 1, T, Z)
PAIR = over(t, 1, T, hadamard(member("x", (n,), t), member("y", (n,), t)))
A, U, V = variable("A", (n, n)), variable("u"), variable("v", (n,))


@pytest.mark.parametrize(
    ("expr", "printed"),
    [
        (SUM, "Σ_{t=1…T} sₜ"),
        (over(k1, 1, K - 1, over(t, 1, T, Z)), "Σ_{k=1…K−1} Σ_{t=1…T} sₜ"),
        (over(t, 1, T, add(Z, U)), "Σ_{t=1…T} (sₜ + u)"),
        (PAIR, "Σ_{t=1…T} xₜ ⊙ yₜ"),
        (subtract(U, times(2, SUM)), "u − 2 Σ_{t=1…T} sₜ"),
        (hadamard(U, SUM), "u (Σ_{t=1…T} sₜ)"),
        (hadamard(SUM, SUM), "(Σ_{t=1…T} sₜ)²"),
        (hadamard(V, PAIR), "v ⊙ (Σ_{t=1…T} xₜ ⊙ yₜ)"),
        (contract("ij,j->i", A, PAIR), "A (Σ_{t=1…T} xₜ ⊙ yₜ)"),
        (when(k1, ">=", K - 1), "1[k ≥ K−1]"),
        (hadamard(hadamard(U, when(k, "<", K)), V), "1[k < K] u v"),
        (times(2, hadamard(when(k, "<", K), contract("ij,j->i", A, V))), "2 (1[k < K] A v)"),
        (times(2, when(k, "<", K)), "2 (1[k < K])"),
    ],
)
def test_sums_and_brackets(expr, printed):
    assert unicode(expr) == printed
    code = plain(expr).replace("[t]", "ₜ").replace("..", "…").replace("-", "−")
    assert code == printed


def test_sums_and_brackets_in_latex():
    assert latex(SUM) == r"\sum_{t=1}^{T} s_{t}"
    assert latex(over(k, 1, K - 1, add(Z, U))) == r"\sum_{k=1}^{K-1} (s_{t} + u)"
    assert latex(hadamard(SUM, SUM)) == r"\biggl(\sum_{t=1}^{T} s_{t}\biggr)^{2}"
    assert latex(hadamard(when(k1, "<=", K - 1), U)) == r"\mathbb{I}[k \le K-1] \, u"


def test_the_sum_of_index_words_is_index_words():
    tensor = contract("ij,k->ijk", A, member("x", (n,), t))
    assert unicode(over(t, 1, T, tensor)) == "Σ_{t=1…T} A_ij (xₜ)_k"


def test_no_index_is_the_letter_of_a_place():
    tensor = contract("ij,k->ijk", A, member("x", (n,), j))
    assert unicode(tensor) == "A_ik (xⱼ)_l"
    assert words(contract("ij,j->i", A, member("x", (n,), j))) == "Σ_k A_ik (xⱼ)_k"


def test_ranges():
    assert range_text(UP) == "k = 1 … K−1"
    assert range_text(DOWN) == "k = K−1 … 1"
    assert range_text(DOWN, "plain") == "k = K-1 … 1"
    assert range_text(DOWN, "latex") == r"k = K-1, \dots, 1"


def test_blocks_in_unicode():
    assert document("deep", DEEP) == (
        "deep\n"
        "\n"
        "Given\n"
        "\n"
        "Sizes: K, D₀ … D_K.\n"
        "\n"
        "    x       input · D₀\n"
        "    y       target · D_K\n"
        "    Ωⱼ      param · Dⱼ × Dⱼ₋₁, j = 1 … K\n"
        "    βₗ      param · Dₗ, l = 1 … K\n"
        "\n"
        "Forward pass\n"
        "\n"
        "    h₀   = x                    name · D₀\n"
        "    for k = 1 … K−1:\n"
        "        fₖ   = βₖ + Ωₖ hₖ₋₁     product · Dₖ\n"
        "        hₖ   = relu(fₖ)         elementwise · Dₖ\n"
        "    f_K  = β_K + Ω_K h_{K−1}    product · D_K\n"
        "    for k = 1 … K:\n"
        "        s   += ‖Ωₖ‖²            norm\n"
        "    ℓ    = ‖f_K − y‖² + s/100   norm\n"
        "\n"
        "Reverse mode\n"
        "\n"
        "    ∂ℓ/∂f_K = 2 (f_K − y)                        power · D_K\n"
        "    for k = K−1 … 1:\n"
        "        ∂ℓ/∂fₖ  = 1[fₖ > 0] ⊙ (Ωₖ₊₁ᵀ ∂ℓ/∂fₖ₊₁)   elementwise · Dₖ\n"
        "    for k = 1 … K:\n"
        "        ∂ℓ/∂βₖ  = ∂ℓ/∂fₖ                         sum · Dₖ\n"
        "        ∂ℓ/∂Ωₖ  = ∂ℓ/∂fₖ hₖ₋₁ᵀ + Ωₖ/50           product · Dₖ × Dₖ₋₁\n"
    )


def test_nested_blocks_and_a_long_line_in_one():
    rows = document("n", [NEST], fragment=True).splitlines()
    assert [row.rstrip() for row in rows] == [
        "    for t = 1 … T:",
        "        z_{0,t}      = xₜ                                            name · n",
        "    for l = 1 … L:",
        "        z_{l,0}      = aₗ                                            name · n",
        "        for t = 1 … T:",
        "            z_{l,t}      = tanh(Uₗ z_{l,t−1} + W_{in,l} z_{l−1,t})   elementwise · n",
        "        gₗ           = z_{l,T}                                       name · n",
        "    ℓ            = Σ_{t=1…T} ‖z_{L,t}‖²                              norm",
        "    for l = L … 1:",
        "        for t = T … 1:",
        "            ∂ℓ/∂z_{l,t}  = 1[t < T] Uₗᵀ ∂ℓ/∂z_{l,t+1}                product · n",
        "                             + 1[l < L] W_{in,l+1}ᵀ ∂ℓ/∂z_{l+1,t}",
        "            ∂ℓ/∂Uₗ      += ∂ℓ/∂z_{l,t} z_{l,t−1}ᵀ                    product · n × n",
        "                From the last to the first.",
    ]


def test_a_paper_says_the_ranges_between_the_equations():
    assert document("deep", DEEP[1:2], "latex", fragment=True) == (
        "% Forward pass\n"
        "\\begin{align*}\n"
        "\\bm{h}_{0} &= \\bm{x} && \\text{\\small name}\\ \\cdot\\ D_{0} \\\\\n"
        "\\intertext{For $k = 1, \\dots, K-1$:}\n"
        "\\bm{f}_{k} &= \\bm{\\beta}_{k} + \\bm{\\Omega}_{k} \\, \\bm{h}_{k-1} "
        "&& \\text{\\small product}\\ \\cdot\\ D_{k} \\\\\n"
        "\\bm{h}_{k} &= \\operatorname{relu}(\\bm{f}_{k}) "
        "&& \\text{\\small elementwise}\\ \\cdot\\ D_{k} \\\\\n"
        "\\intertext{Then:}\n"
        "\\bm{f}_{K} &= \\bm{\\beta}_{K} + \\bm{\\Omega}_{K} \\, \\bm{h}_{K-1} "
        "&& \\text{\\small product}\\ \\cdot\\ D_{K} \\\\\n"
        "\\intertext{For $k = 1, \\dots, K$:}\n"
        "s &\\mathrel{+}= \\lVert \\bm{\\Omega}_{k} \\rVert^{2} && \\text{\\small norm} \\\\\n"
        "\\intertext{Then:}\n"
        "\\ell &= \\lVert \\bm{f}_{K} - \\bm{y} \\rVert^{2} + \\frac{1}{100}\\, s "
        "&& \\text{\\small norm}\n"
        "\\end{align*}\n"
    )


def test_a_paper_says_which_of_two_loops_goes_on():
    text = document("n", [NEST], "latex", fragment=True)
    sentences = [line for line in text.splitlines() if line.startswith(("\\noindent", "\\inter"))]
    assert sentences == [
        r"\noindent For $t = 1, \dots, T$:",
        r"\intertext{For $l = 1, \dots, L$:}",
        r"\intertext{For each $l$, for $t = 1, \dots, T$:}",
        r"\intertext{Then, for each $l$:}",
        r"\intertext{Then:}",
        r"\intertext{For $l = L, \dots, 1$ and $t = T, \dots, 1$:}",
    ]


def test_what_is_given_in_latex():
    text = document("deep", DEEP[:1], "latex")
    assert (
        r"\bm{\Omega}_{j} & && \text{\small param}\ \cdot\ D_{j} \times D_{j-1},\ j = 1, \dots, K"
    ) in text


def test_markdown_closes_its_formulas_around_the_sentences():
    text = document("n", [Section("Forward pass", "", PRIMAL[1:4])], "markdown", fragment=True)
    assert text == (
        "For $k = 1, \\dots, K-1$:\n\n"
        "$$\n\\begin{aligned}\n"
        "\\boldsymbol{f}_{k} &= \\boldsymbol{\\beta}_{k} + \\boldsymbol{\\Omega}_{k} \\, "
        "\\boldsymbol{h}_{k-1} && \\text{product}\\ \\cdot\\ D_{k} \\\\\n"
        "\\boldsymbol{h}_{k} &= \\operatorname{relu}(\\boldsymbol{f}_{k}) "
        "&& \\text{elementwise}\\ \\cdot\\ D_{k}\n"
        "\\end{aligned}\n$$\n\n"
        "Then:\n\n"
        "$$\n\\begin{aligned}\n"
        "\\boldsymbol{f}_{K} &= \\boldsymbol{\\beta}_{K} + \\boldsymbol{\\Omega}_{K} \\, "
        "\\boldsymbol{h}_{K-1} && \\text{product}\\ \\cdot\\ D_{K}\n"
        "\\end{aligned}\n$$\n"
    )
    assert document("n", [NEST], "markdown").count("$$") == 12


def test_the_docstring_of_a_module():
    found = docstring(Derivation(PROGRAM, PRIMAL, (), ADJOINT), "deep.symbp", "1", "")
    assert (
        "Primal sweep, for one example:\n"
        "\n"
        "    h[0]  = x\n"
        "    for k = 1 … K-1:\n"
        "        f[k]  = beta[k] + Omega[k] h[k-1]\n"
        "        h[k]  = relu(f[k])\n"
        "    f[K]  = beta[K] + Omega[K] h[K-1]\n"
        "    for k = 1 … K:\n"
        "        s    += ‖Omega[k]‖²\n"
        "    loss  = ‖f[K] - y‖² + s/100\n"
        "\n"
        "Adjoint sweep (v_bar is ∂loss/∂v):\n"
        "\n"
        "    f_bar[K]     = 2 (f[K] - y)\n"
        "    for k = K-1 … 1:\n"
        "        f_bar[k]     = 1[f[k] > 0] ⊙ (Omega[k+1]ᵀ f_bar[k+1])\n"
        "    for k = 1 … K:\n"
        "        beta_bar[k]  = f_bar[k]\n"
        "        Omega_bar[k] = f_bar[k] h[k-1]ᵀ + Omega[k]/50\n"
    ) in found


def test_a_line_alone_has_its_ranges_beside_it():
    line = Line.of(NESTED[-1], Names())
    assert str(line) == "∂ℓ/∂Uₗ += ∂ℓ/∂z_{l,t} z_{l,t−1}ᵀ   product · n × n, l = L … 1, t = T … 1"
    assert line.latex().endswith(r"\bm{z}_{l,t-1}^{\top},\ l = L, \dots, 1,\ t = T, \dots, 1")
    assert r" \mathrel{+}= " in line.latex()


def test_a_member_of_several_paths_is_named_at_its_place():
    paths = (Path(f(k1 + 1), PASSED), Path(S, PASSED))
    several = step(h(k1, "bar"), PASSED, "product", DOWN, paths=paths)
    made = sections(Derivation(PROGRAM, PRIMAL, (), (several,)), GRADIENT_PAGE)
    note = made[2].steps[0].note
    assert note == "hₖ reaches ℓ along 2 paths, through fₖ₊₁ and s: their terms add."


def test_indices_in_the_sentences_of_a_paper():
    assert latex_text("h_{K−1} and fₖ₊₁") == "h$_{K-1}$ and f$_{k}$$_{+}$$_{1}$"
    assert latex_text("_{K}, x_{\\input} {a}") == r"\_\{K\}, x\_\{\textbackslash{}input\} \{a\}"


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex")
@pytest.mark.parametrize("fragment", [False, True])
def test_the_paper_compiles(fragment, tmp_path):
    sentence = Section("Paths", "h_{K−1} and fₖ₊₁ reach W_{in,l}.", NESTED)
    source = document("deep", [*DEEP, NEST, sentence], "latex", fragment)
    if fragment:
        head = "\\documentclass{article}\n\\usepackage{amsmath,amssymb,bm}\n\\begin{document}\n"
        source = f"{head}{source}\\end{{document}}\n"
    compiled(source, tmp_path)


def test_the_whole_reading():
    page = text(Derivation(PROGRAM, PRIMAL, (), ADJOINT))
    assert "        hₖ  = relu(fₖ)         elementwise · Dₖ" in page
    assert "    s   = Σ_{k=1…K} ‖Ωₖ‖²      norm" in page
