"""Articles: aligned rows, escaped sentences, LaTeX that compiles."""

import re
import shutil
import subprocess

import pytest
import sympy as sp

from symbp.derive.derivation import Step
from symbp.emit.document import Section, document
from symbp.emit.render import template
from symbp.emit.wrapping import columns, wrap
from symbp.files import MARK
from symbp.ir import node, variable
from symbp.ops.linear import add, subtract
from symbp.ops.pointwise import POSITIVE, RELU, TANH
from symbp.ops.product import contract, hadamard

D, n = sp.symbols("D_1 n", integer=True, positive=True)
W = variable("Omega_2", (n, D), "param")
X, F1, H = (variable(name, (D,)) for name in ("x", "f1", "h"))
F1_BAR = variable("f1_bar", (D,), "adjoint", of="f1")
F2_BAR = variable("f2_bar", (n,), "adjoint", of="f2")
W_BAR = variable("Omega_2_bar", (n, D), "adjoint", of="Omega_2")
DELTA = hadamard(node(POSITIVE, F1), contract("ji,j->i", W, F2_BAR))


def step(target, expr, law="elementwise", **more):
    return Step(target, expr, expr, law, **more)


REVERSE = Section(
    "Reverse sweep",
    "From the last line to the first.\n\n    name    ratio\n    Ω₂      1e-12 ✓",
    (
        step(F1_BAR, DELTA),
        step(
            W_BAR, contract("i,j->ij", F2_BAR, H), "product", note="The outer product of δ and h."
        ),
        step(F2_BAR, F2_BAR, "seed", shown=False),
    ),
)
GIVEN = Section("Given", "", (step(X, X, "input"), step(W, W, "param")))


def long_expression():
    found = F1
    for _ in range(6):
        found = add(node(TANH, add(found, X)), hadamard(found, node(RELU, subtract(found, H))))
    return found


LONG = Section("Closed forms", "", (step(F1_BAR, long_expression(), "written out"),))


def test_rows_are_aligned_and_laws_stand_beside_them():
    text = document("mlp", [GIVEN, REVERSE])
    assert text == (
        "mlp\n"
        "\n"
        "Given\n"
        "\n"
        "    x       input · D_1\n"
        "    Ω₂      param · n × D_1\n"
        "\n"
        "Reverse sweep\n"
        "\n"
        "From the last line to the first.\n"
        "\n"
        "    name    ratio\n"
        "    Ω₂      1e-12 ✓\n"
        "\n"
        "    ∂ℓ/∂f₁ = 1[f₁ > 0] ⊙ (Ω₂ᵀ ∂ℓ/∂f₂)   elementwise · D_1\n"
        "    ∂ℓ/∂Ω₂ = ∂ℓ/∂f₂ hᵀ                  product · n × D_1\n"
        "        The outer product of δ and h.\n"
    )


def test_a_fragment_is_the_equations_alone():
    text = document("mlp", [GIVEN, REVERSE], "latex", fragment=True)
    assert "documentclass" not in text
    assert "From the last" not in text
    assert text.count(r"\begin{align*}") == text.count(r"\end{align*}") == 2
    assert "mlp" not in document("mlp", [GIVEN, REVERSE], fragment=True)


def test_latex_has_the_same_rows_and_no_other_packages():
    text = document("mlp", [GIVEN, REVERSE], "latex")
    assert re.findall(r"\\usepackage\{(.*)\}", text) == ["amsmath,amssymb,bm"]
    assert MARK in text
    assert (
        r"\frac{\partial \ell}{\partial \bm{f}_{1}} &= \mathbb{I}[\bm{f}_{1} > 0] \odot "
        r"\biggl(\bm{\Omega}_{2}^{\top} \, \frac{\partial \ell}{\partial \bm{f}_{2}}\biggr) "
        r"&& \text{\small elementwise}\ \cdot\ D_{1} \\"
    ) in text


def test_markdown_has_the_same_rows_in_signs_the_web_knows():
    text = document("mlp", [GIVEN, REVERSE], "markdown")
    assert text.count("$$") == 4
    assert r"\bm{" not in text
    assert r"\boldsymbol{\Omega}_{2} & && \text{param}\ \cdot\ n \times D_{1}" in text
    assert "## Reverse sweep" in text
    assert "\nThe outer product of δ and h.\n" in text


def test_long_lines_are_broken_and_lose_nothing():
    text = document("long", [LONG])
    assert max(map(columns, text.splitlines())) <= 100
    tex = document("long", [LONG], "latex")
    assert tex.count(r"&\quad") > 3
    assert "\x1f" not in text + tex


def test_a_break_outside_of_parentheses_is_preferred():
    assert wrap("aaaa\x1f+ (b\x1f+ c)", 11) == ["aaaa", "+ (b + c)"]
    assert wrap("(aaaa\x1f+ b)\x1f+ c", 11) == ["(aaaa + b)", "+ c"]


ATTACKS = [
    r"\input{/etc/passwd}",
    r"\end{document} $x",
    "a & b # c % d ~ e ^ f _ g { h } \\",
    "{{ 7 * 7 }} {% raw %} {# x #}",
    "line\nbreak\n\n# heading",
    "<script>alert(1)</script> `code` *bold* [x](y) | $$",
    "\x1b[31m 漢字 é ß ∂ℓ/∂Ω₂ ⊙ “quoted” \"straight\" 'x' 𝔸 \u202e",
]


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("form", ["unicode", "latex", "markdown"])
def test_no_sentence_is_read_as_a_command(attack, form):
    target = variable("v", (n,))
    rows = (step(target, node(TANH, target), attack, note=attack),)
    text = document(attack, [Section(attack, attack, rows)], form)
    assert not set(text) & set("\x1b\u202e\x1f")
    assert "49" not in text
    if form == "latex":
        assert r"\input" not in text
        assert text.count(r"\end{document}") == 1
        assert re.search(r"(?<!\\)[#~](?!~)", text.replace("~", "")) is None
        assert text.isascii()
    if form == "markdown":
        assert "<script>" not in text.replace(r"\<", "")
        assert "\n# heading" not in text


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("attack", ["mlp", "".join(ATTACKS)])
def test_the_article_compiles_and_every_glyph_is_there(tmp_path, attack):
    strange = variable(attack, (n,))
    names = Section("Names", attack, (step(strange, node(TANH, strange), attack, note=attack),))
    source = document(attack, [GIVEN, REVERSE, LONG, names], "latex")
    (tmp_path / "a.tex").write_text(source)
    command = [
        "pdflatex",
        "-interaction=nonstopmode",
        "-halt-on-error",
        "-no-shell-escape",
        "a.tex",
    ]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    log = (tmp_path / "a.log").read_text(errors="replace")
    assert run.returncode == 0, log[-3000:]
    assert "Missing character" not in log
    assert "Warning" not in log
    if attack == "mlp":
        assert "Overfull" not in log


def test_templates_are_strict():
    with pytest.raises(Exception, match="title"):
        template("math/article.txt.jinja").render(parts=())
