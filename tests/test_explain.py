"""`symbp explain` and `--proof`: what a reader sees of a proof, in three formats."""

import pytest
from running import SPECS, run

from symbp.derive.general import statements
from symbp.derive.topics import topics
from symbp.explain import explanation

RULES = (*topics(), *statements())


def shown(*arguments: object) -> list[str]:
    """Return the lines of a run that succeeds, every run of spaces made one."""
    result = run(*arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    return [" ".join(line.split()) for line in result.stdout.splitlines()]


def assert_in_order(lines: list[str], *wanted: str) -> None:
    found = iter(lines)
    for want in wanted:
        assert any(line.startswith(want) for line in found), f"{want} in {lines}"


def test_a_matrix_times_a_vector_is_proved_by_both() -> None:
    assert_in_order(
        shown("explain", "matvec"),
        "∂ℓ/∂Ω",
        "z_k = Σ_m Ω_km h_m",
        "∂z_k/∂Ω_ij = Σ_m δ_ki δ_mj h_m",
        "= δ_ki h_j",
        "= 0 if k ≠ i, h_j if k = i",
        "∂ℓ/∂Ω_ij = Σ_k ∂ℓ/∂z_k ∂z_k/∂Ω_ij chain rule",
        "= Σ_k ∂ℓ/∂z_k δ_ki h_j",
        "= ∂ℓ/∂z_i h_j",
        "∂ℓ/∂Ω = ∂ℓ/∂z hᵀ",
        "∂ℓ/∂h",
        "∂z_j/∂h_i = Σ_k Ω_jk δ_ki",
        "= Ω_ji",
        "∂z/∂h = Ω Jacobian, output × input",
        "(∂z/∂h)ᵀ = Ωᵀ the same, input × output",
        "∂ℓ/∂h = Ωᵀ ∂ℓ/∂z",
    )


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ("tanh", "= δ_ji (1 − h_i²) the same, as the rule's slope"),
        ("sigmoid", "∂h_j/∂z_i = δ_ji exp(−z_i)/(1 + exp(−z_i))² derivative of the formula"),
        ("relu", "= 0 if j ≠ i, 1[z_i > 0] if j = i case by case"),
        ("softmax", "= p_j (δ_ji − p_i) a δ picks equal indices"),
        ("softmax", "∂p/∂z = diag(p) − p pᵀ Jacobian, output × input"),
        ("inv", "= −Y_ki Y_jm a δ picks equal indices"),
        ("logdet", "= (X⁻¹)_ji a δ picks equal indices"),
        ("trace", "= δ_ij a δ picks equal indices"),
        ("kron", "∂Z_km,np/∂A_ij = δ_ki δ_nj B_mp an entry by an entry is a δ"),
        ("quadratic", "ṡ = Σ_jk ẋ_j S_jk x_k + Σ_jk x_j S_jk ẋ_k differential"),
        ("chain", "∂z/∂x = ∂z/∂y ∂y/∂x output × input"),
        ("jacobian", "∂ℓ/∂x = (∂y/∂x)ᵀ ∂ℓ/∂y as an array of the input's shape"),
        ("jacobian", "Ẏ_ij = Σ_km ∂Y_ij/∂X_km Ẋ_km what a Jacobian is"),
        ("lemma-2.1", "∂g/∂V = ∂φ/∂h xᵀ as an array"),
    ],
)
def test_a_rule_shows_its_step(rule: str, line: str) -> None:
    assert line in shown("explain", rule)


@pytest.mark.parametrize(
    ("spelling", "rule"),
    [("A B", "matmul"), ("A @ B", "matmul"), ("Z = A B", "matmul"), ("Ω h", "matvec"),
     ("Omega h", "matvec"), ("tanh(z)", "tanh"), ("TANH", "tanh"), ("chain rule", "chain"),
     ("inverse", "inv"), ("σ(z)", "sigmoid"), ("A ⊗ B", "kron"), ("X ⊙ Y", "hadamard")],
)  # fmt: skip
def test_a_rule_has_other_names(spelling: str, rule: str) -> None:
    assert explanation(spelling) == explanation(rule)


def test_the_list_has_every_rule_on_a_line() -> None:
    lines = shown("explain")
    for title in ("Products", "Sums", "Elementwise", "Whole vectors and matrices"):
        assert title in lines
    for rule in RULES:
        assert sum(rule in line.split("·")[0].replace(":", " ").split() for line in lines), rule


@pytest.mark.parametrize("form", ["unicode", "latex", "markdown"])
@pytest.mark.parametrize("rule", RULES)
def test_every_rule_prints_in_every_format(rule: str, form: str) -> None:
    text = explanation(rule, form)  # type: ignore[arg-type]
    for fault in ("merge[", "split[", "entry 0", "entry 1", "d loss", "\x1f", "1 δ"):
        assert fault not in text, text
    assert text.count(r"\begin{") == text.count(r"\end{")


def test_an_unknown_rule_is_one_error_with_a_help() -> None:
    result = run("explain", "softmx")
    assert result.exit_code == 2
    assert result.stderr == "error: no rule 'softmx'\nhelp: did you mean `softmax`?\n"
    assert run("explain", "zzzzzz").stderr.endswith("help: `symbp explain` alone lists the rules\n")


@pytest.mark.parametrize("form", ["unicode", "latex", "markdown"])
def test_a_derivation_shows_its_proofs(form: str) -> None:
    plain = run("show", SPECS / "mlp.symbp", "--format", form).stdout
    proved = run("show", SPECS / "mlp.symbp", "--format", form, "--proof").stdout
    assert proved.startswith(plain.removesuffix("\\end{document}\n").rstrip())
    assert "Proofs" in proved[len(plain) - 20 :]


def test_a_proof_speaks_in_the_names_of_the_user() -> None:
    lines = shown("derive", "-e", "norm2(A @ W @ B + C)^2", "--wrt", "W", "--proof", "--no-check")
    assert_in_order(lines, "Proofs", "∂ℓ/∂W", "∂ℓ/∂W_ij = ")


def test_an_index_is_no_name_of_the_user() -> None:
    given = ("i=scalar", "j=n", "k=n")
    shapes = [part for shape in given for part in ("--shape", shape)]
    lines = shown("show", "-e", "i * (j' @ k)^2", *shapes, "--proof")
    lines = [line for line in lines if "=" in line and not line.startswith("δ_ij")]
    assert any("Σ_" in line for line in lines)
    assert not any("_i " in line or "_j " in line or "_k " in line for line in lines)
