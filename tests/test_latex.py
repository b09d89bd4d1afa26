"""Every article compiles, for every spec, mode and name; skipped where there is no pdflatex."""

import shutil
import subprocess
from pathlib import Path

import pytest
from running import SPECS

import symbp
from symbp import report
from symbp.explain import explanation
from symbp.report import Page

pytestmark = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex")

ODD = r"""
model odd "\input{x} {{ 7 }} 50% of $5 & #1_a ^~ ‘ßø é’ Ω √2 ⊙ 漢"
size n_in, Delta_2
input x : n_in
target y : one_hot Delta_2
param W_in_2 : Delta_2 x n_in
param lambda, varepsilon_, _private, x__y, hat, a_hat_3, Alpha, omicron
op my_op_2(z, w) = z * sigmoid(w) + abs(z)^(3/2)
z_tilde = my_op_2(W_in_2 @ x, lambda * ones(Delta_2)) * varepsilon_ + _private * ones(Delta_2)
q = x__y * hat + a_hat_3 / Alpha - omicron^2
loss = softmax_cross_entropy(y, z_tilde) + q^2 + heaviside(q)
"""
LONG = "param " + ", ".join(f"p_{k}" for k in range(60)) + "\nf = "
LONG += " + ".join(f"sin(p_{k})^2" for k in range(60)) + "\nloss = f^2\n"


def compiled(text: str, folder: Path) -> None:
    """Run pdflatex on an article and fail on its first complaint, or on a line too wide."""
    (folder / "a.tex").write_text(text, encoding="utf-8")
    command = [
        "pdflatex",
        "-interaction=nonstopmode",
        "-halt-on-error",
        "-no-shell-escape",
        "a.tex",
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=120)
    log = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, log[-2000:]
    wide = [line for line in log.splitlines() if line.startswith("Overfull \\hbox")]
    assert not wide, "\n".join(wide)


@pytest.mark.parametrize("path", sorted(SPECS.glob("*.symbp")), ids=lambda path: path.stem)
def test_articles(path: Path, tmp_path: Path) -> None:
    compiled(symbp.derive(symbp.load(path)).latex("both", closed_form=True), tmp_path)


@pytest.mark.parametrize("mode", ["reverse", "forward"])
@pytest.mark.parametrize("closed", [False, True])
def test_each_mode_and_form(mode: str, closed: bool, tmp_path: Path) -> None:
    found = symbp.derive(symbp.load(SPECS / "residual.symbp"))
    compiled(found.latex(mode, closed_form=closed), tmp_path)


@pytest.mark.parametrize("text", [ODD, LONG], ids=["odd", "long"])
def test_other_articles(text: str, tmp_path: Path) -> None:
    compiled(symbp.derive(symbp.parse(text)).latex("both", closed_form=True), tmp_path)


def test_a_fragment_in_a_paper(tmp_path: Path) -> None:
    found = symbp.derive(symbp.load(SPECS / "mlp.symbp")).latex(fragment=True)
    head = "\\documentclass{article}\n\\usepackage{amsmath,amssymb,bm}\n\\begin{document}\n"
    compiled(f"{head}{found}\\end{{document}}\n", tmp_path)


@pytest.mark.parametrize("rule", ["matmul", "kron", "softmax", "inv", "lemma-2.1", None])
def test_a_rule_in_indices(rule: str | None, tmp_path: Path) -> None:
    compiled(explanation(rule, "latex"), tmp_path)


@pytest.mark.parametrize(
    ("text", "wrt"),
    [
        ("logdet(X' @ X)", "X"),
        ("norm2(A @ X @ B + C)^2", "X"),
        ("det(X)", "X"),
        ("logsumexp(A @ x)", "x"),
        ("softmax(W @ x)", "W"),
        ("tanh(A @ X) @ B", "X"),
        ("inv(X' @ X) @ X'", "X"),
    ],
)
def test_dense_derivatives(text: str, wrt: str, tmp_path: Path) -> None:
    found = symbp.derive(symbp.expression(text, [wrt]))
    second = not found.program.result.rank
    page = Page("both", "counted", proof=True, wanted=symbp.Wanted(jacobian=True, hessian=second))
    compiled(report.text(found, "latex", page), tmp_path)


@pytest.mark.parametrize("name", ["mlp", "residual", "sigmoid_network", "vanishing", "leaky"])
def test_variances(name: str, tmp_path: Path) -> None:
    program = symbp.load(SPECS / f"{name}.symbp")
    compiled(symbp.initialization(program).latex(), tmp_path)


@pytest.mark.parametrize("activation", ["gelu", "selu", "leaky_relu(z, alpha)", "tanh"])
def test_gains(activation: str, tmp_path: Path) -> None:
    compiled(symbp.gain(activation).latex(), tmp_path)
