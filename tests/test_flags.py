"""The flags for derivatives of arrays, second derivatives and symmetric matrices."""

from pathlib import Path

import pytest
from running import SPECS, files, run

AXB = ("-e", "A @ X @ B", "--wrt", "X")
QUADRATIC = ("-e", "x' @ A @ x", "--wrt", "x")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shown(*arguments: object) -> list[str]:
    """Return the lines a run that succeeds prints, every run of spaces made one."""
    result = run(*arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    return [" ".join(line.split()) for line in result.stdout.splitlines()]


def section(lines: list[str], title: str) -> list[str]:
    """Return the equations of a section."""
    after = lines[lines.index(title) + 2 :]
    return after[: after.index("")] if "" in after else after


JACOBIANS = {
    "A @ X @ B": [
        "value˙ = A Ẋ B product · m × q",
        "∂value_ij/∂X_kl = A_ik B_lj unit directions · m × q × n × p",
        "∂vec(value)/∂vec(X)ᵀ = Bᵀ ⊗ A columns stacked · (m q) × (n p)",
    ],
    "X @ y": [
        "value˙ = Ẋ y product · m",
        "∂value_i/∂X_jk = δ_ij y_k unit directions · m × m × n",
        "∂value/∂vec(X)ᵀ = yᵀ ⊗ I columns stacked · m × (m n)",
    ],
}


@pytest.mark.parametrize("text", JACOBIANS)
def test_a_jacobian_is_the_differential_along_unit_directions(text: str) -> None:
    lines = shown("show", "-e", text, "--wrt", "X", "--jacobian")
    assert section(lines, "Jacobian") == JACOBIANS[text]


def test_the_derivative_of_an_array_by_a_scalar_is_of_the_value() -> None:
    lines = shown("show", "-e", "sigmoid(c * x)", "--wrt", "c", "--jacobian")
    assert section(lines, "Jacobian")[-1].startswith("∂value/∂c = value ⊙ x ⊙ (1 − value)")


def test_a_hessian_is_the_jacobian_of_the_gradient() -> None:
    lines = shown("show", *QUADRATIC, "--hessian")
    first, *rest = section(lines, "Hessian")
    assert first == "(∂ℓ/∂x)˙ = (A + Aᵀ) ẋ product · n"
    assert rest == ["∂²ℓ/∂x ∂xᵀ = A + Aᵀ unit directions · n × n"]


def test_a_pair_of_variables_has_a_block() -> None:
    lines = shown("show", "-e", "x' @ A @ y", "--wrt", "x,y", "--hessian")
    titles = [line for line in lines if line.startswith("Hessian")]
    assert titles == ["Hessian by x", "Hessian by x and y", "Hessian by y"]
    assert "∂²ℓ/∂x ∂yᵀ = A unit directions · m × n" in section(lines, titles[1])
    assert section(lines, titles[2])[0] == "∂²ℓ/∂y ∂yᵀ = 0 no path · n × n"


def test_the_layout_vec_prints_the_matrix_alone() -> None:
    lines = section(shown("show", *AXB, "--jacobian", "--layout", "vec"), "Jacobian")
    assert lines[1:] == [
        "∂vec(value)/∂vec(X)ᵀ = Bᵀ ⊗ A unit directions, columns stacked · (m q) × (n p)"
    ]


def test_an_array_shows_its_jacobian_unasked_and_says_what_is_pulled_back() -> None:
    lines = shown("derive", *AXB)
    assert section(lines, "Closed forms") == [
        "∂ℓ/∂X = Aᵀ ∂ℓ/∂value Bᵀ n × p",
        "∂value_ij/∂X_kl = A_ik B_lj m × q × n × p",
        "∂vec(value)/∂vec(X)ᵀ = Bᵀ ⊗ A columns stacked · (m q) × (n p)",
    ]
    said = "ℓ stands for any scalar made from value, and ∂ℓ/∂value is where the sweep starts."
    assert said in lines


def test_a_scalar_says_that_its_jacobian_is_the_gradient() -> None:
    lines = shown("show", *QUADRATIC, "--jacobian")
    assert lines[-1] == "ℓ is a scalar: its Jacobian is its gradient."


def test_products_alone_show_the_differential_of_the_gradient() -> None:
    lines = shown("show", *QUADRATIC, "--hvp")
    assert section(lines, "Hessian times a direction ẋ") == ["(∂ℓ/∂x)˙ = (A + Aᵀ) ẋ product · n"]


@pytest.mark.parametrize(
    ("format", "parts"),
    [
        ("latex", [r"\frac{\partial \operatorname{vec}(\bm{\mathrm{value}})}"
                   r"{\partial \operatorname{vec}(\bm{X})^{\top}} &= "
                   r"\bm{B}^{\top} \otimes \bm{A}"]),
        ("markdown", ["## Jacobian", r"\boldsymbol{A}_{i k} \, \boldsymbol{B}_{l j}"]),
    ],
)  # fmt: skip
def test_other_formats(format: str, parts: list[str]) -> None:
    text = run("show", *AXB, "--jacobian", "--format", format).stdout
    assert [part for part in parts if part not in text] == []


def test_the_second_derivative_by_a_number_is_a_power() -> None:
    lines = shown("show", "-e", "sin(a)", "--hessian")
    assert section(lines, "Hessian")[-1].startswith("∂²ℓ/∂a² = −ℓ")


# what is written


def test_derive_writes_what_is_asked_for_and_check_judges_it(folder: Path) -> None:
    shown("derive", "-e", "sum(exp(A @ x))", "--wrt", "x", "--hessian", "-o", "out")
    text = (folder / "out/expression.py").read_text()
    assert "def hessian_x(" in text
    assert "def hvp_x(" in text
    lines = shown("check", "out/expression.py")
    assert any(line.startswith("hessian x complex step") for line in lines)
    assert any(line.startswith("hvp x complex step") for line in lines)


def test_a_network_has_a_block_for_each_pair_of_parameters(folder: Path) -> None:
    lines = shown("derive", SPECS / "matrix_factorisation.symbp", "--hessian")
    assert any(line.startswith("hessian 3 quantities") for line in lines)
    text = (folder / "generated/matrix_factorisation.py").read_text()
    names = [line.split("(")[0] for line in text.splitlines() if line.startswith("def hessian")]
    assert names == ["def hessian_U", "def hessian_U_V", "def hessian_V"]


def test_what_would_not_fit_a_machine_is_refused_before_anything_is_written(folder: Path) -> None:
    wide = ("-e", "norm2(W @ x)^2", "--wrt", "W", "--shape", "W=1000x1000")
    result = run("derive", *wide, "--hessian", "-o", "out")
    assert result.exit_code == 2
    assert "error: the hessian by W has 1,000,000,000,000 entries" in result.stderr
    assert "`--hvp` gives its product with a direction" in result.stderr
    assert files(folder) == {}


# symmetric matrices


def test_a_symmetric_matrix_says_that_the_gradient_is_free() -> None:
    lines = shown("show", "-e", "logdet(S)", "--symmetric", "S")
    assert "S variable, symmetric · n × n" in lines
    assert any(line.startswith("The gradient by S is free") for line in lines)
    assert section(lines, "Reverse mode")[0].startswith("The gradient by S is free")


def test_both_halves_move_together() -> None:
    lines = shown("show", "-e", "tr(A @ S)", "--wrt", "S", "--symmetric", "S", "--both-halves")
    assert not any(line.startswith("The gradient by S is free") for line in lines)
    assert "∂ℓ/∂S = A + Aᵀ − diag(diag(A)) both halves · n × n" in lines


# wrong input

WRONG = {
    ("-e", "A @ x", "--hessian"): "--hessian is for a scalar, and value is an array",
    ("-e", "A @ x", "--hvp"): "--hvp is for a scalar, and value is an array",
    ("-e", "A @ x", "--layout", "vec"): "--layout vec is for a Jacobian or a Hessian",
    ("-e", "A @ x", "--symmetric", "x"): "`x` is a vector and cannot be symmetric",
    ("-e", "A @ x", "--symmetric", "AA"): "did you mean `A`?",
    ("-e", "A @ x", "--symmetric", "A", "--shape", "A=3x4"): "`A` is 3 x 4 and cannot be symmetric",
    ("-e", "tr(A)", "--both-halves"): "--both-halves is for the gradient by a symmetric matrix",
    ("-e", "A @ x", "--symmetric", "A", "--both-halves"): "--both-halves is for a scalar",
    ("-e", "tr(A)", "--symmetric", "A", "--both-halves", "--hessian"): "for the gradient alone",
    (SPECS / "awb.symbp", "--symmetric", "W"): "--symmetric is for -e",
    (SPECS / "awb.symbp", "--both-halves"): "--both-halves is for a scalar expression",
    (SPECS / "two_paths.symbp", "--hvp"): "--hvp is for a loss, and ",
    (SPECS / "dag.symbp", "--layout", "vec"): "--layout vec is for a Jacobian or a Hessian",
}


@pytest.mark.parametrize("arguments", WRONG, ids=str)
def test_wrong_input_is_one_message_and_nothing_is_written(
    arguments: tuple[object, ...], folder: Path
) -> None:
    for command in (("show",), ("derive", "-o", "out")):
        result = run(*command, *arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.count("error:") == 1
        assert WRONG[arguments] in result.stderr
    assert files(folder) == {}
