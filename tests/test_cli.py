"""The command line, as a user meets it: what is printed, what is written, how it ends."""

import os
import re
import signal
import subprocess
import sys
import time
from itertools import product
from pathlib import Path

import pytest
from running import ROOT, SPECS, files, launch, run

MLP = SPECS / "mlp.symbp"
AWB = "norm2(A @ W @ B + C)^2"
NOT_OURS = "# my own notes\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shown(*arguments: object) -> str:
    """Return what a run that succeeds prints."""
    result = run(*arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def squeezed(text: str) -> list[str]:
    """Return the lines of a text, every run of spaces made one."""
    return [" ".join(line.split()) for line in text.splitlines()]


# derive


def test_derive_prints_the_whole_road() -> None:
    lines = squeezed(shown("derive", MLP))
    titles = ["Given", "Forward pass", "Reverse mode", "Certificate"]
    assert [line for line in lines if line in titles] == titles
    for line in (
        "Sizes: D_i = 10, D_1 = 40, D_2 = 40, D_o = 5.",
        "f₀ = β₀ + Ω₀ x product · D_1",
        "ℓ = ‖f₂ − y‖² norm",
        "∂ℓ/∂f₂ = 2 (f₂ − y) power · D_o",
        "∂ℓ/∂f₁ = 1[f₁ > 0] ⊙ (Ω₂ᵀ ∂ℓ/∂f₂) elementwise · D_2",
        "∂ℓ/∂Ω₁ = ∂ℓ/∂f₁ h₁ᵀ product · D_2 × D_1",
        "∂ℓ/∂β₀ = ∂ℓ/∂f₀ sum · D_1",
    ):
        assert line in lines
    for param in ("Omega_0", "beta_0", "Omega_1", "beta_1", "Omega_2", "beta_2"):
        assert any(re.fullmatch(rf"gradient {param} 5-point \d\.\de-\d\d ok", x) for x in lines)
    assert not any("FAIL" in line for line in lines)
    assert lines[-1] == "Wrote generated/mlp.py"


def test_derive_writes_into_generated_of_the_current_folder(folder: Path) -> None:
    shown("derive", MLP)
    assert list(files(folder)) == ["generated/mlp.py"]
    assert shown("check", "generated/mlp.py").count("gradient") == 6


def test_derive_writes_where_it_is_told(folder: Path) -> None:
    assert shown("derive", MLP, "-o", "deep/er", "--name", "net").endswith("Wrote deep/er/net.py\n")
    assert list(files(folder)) == ["deep/er/net.py"]
    shown("check", "deep/er/net.py")


def test_derive_writes_the_same_again(folder: Path) -> None:
    shown("derive", SPECS / "toy.symbp")
    before = files(folder)
    shown("derive", SPECS / "toy.symbp")
    assert files(folder) == before


def test_a_file_that_is_not_ours_stays(folder: Path) -> None:
    (folder / "generated").mkdir()
    (folder / "generated/toy.py").write_text(NOT_OURS)
    refused = run("derive", SPECS / "toy.symbp")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "was not written by symbp" in refused.stderr
    assert "--force" in refused.stderr
    assert files(folder) == {"generated/toy.py": NOT_OURS.encode()}
    shown("derive", SPECS / "toy.symbp", "--force")
    shown("check", "generated/toy.py")


def test_derive_by_other_names() -> None:
    text = shown("derive", MLP, "--wrt", "Omega_1, β₂", "--wrt", "x")
    assert re.findall(r"gradient +(\w+)", text) == ["Omega_1", "beta_2", "x"]


def test_derive_counts_the_operations_of_closed_forms() -> None:
    text = shown("derive", SPECS / "toy.symbp", "--closed-form")
    assert "Operations of the two ways" in text
    assert "operations by the sweeps" in text


def test_no_check_marks_the_module(folder: Path) -> None:
    text = shown("derive", SPECS / "toy.symbp", "--no-check")
    assert "Certificate" not in text
    first = (folder / "generated/toy.py").read_text().splitlines()[0]
    assert first == "# NOT CERTIFIED: written with --no-check."


def test_a_failing_certificate_stops_the_writing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from symbp import pipeline  # its judge is replaced by a judge of a damaged module

    right = pipeline.compile_module
    monkeypatch.setattr(
        pipeline,
        "compile_module",
        lambda found, **more: right(found, text=damaged(pipeline.emit(found))),
    )
    result = run("derive", MLP)
    assert result.exit_code == 1
    assert "FAIL" in result.stdout
    assert "Wrote" not in result.stdout
    assert result.stderr.startswith("error: the certificate fails")
    assert files(folder) == {}


# derive -e


def test_an_expression(folder: Path) -> None:
    text = shown("derive", "-e", AWB, "--wrt", "W")
    lines = squeezed(text)
    assert lines[0] == "name kind shape"
    assert lines[1:5] == ["A matrix m × n", "W matrix n × p", "B matrix p × q", "C matrix m × q"]
    assert "∂ℓ/∂W = 2 Aᵀ (A W B + C) Bᵀ n × p" in lines
    assert "∂ℓ/∂R = 2 R power · m × q" in lines
    assert "Wrote" not in text
    assert files(folder) == {}


def test_an_expression_with_shapes() -> None:
    text = shown(
        "derive", "-e", "norm2(a @ x)^2", "--shape", "a=3x4", "--wrt", "x", "--shape", "x=4"
    )
    assert squeezed(text)[1:3] == ["a matrix 3 × 4", "x vector 4"]


def test_set_gives_sizes_numbers() -> None:
    text = shown("show", SPECS / "deep.symbp", "--set", "K=2")
    assert "Sizes: K = 2, D_0, D_1, D_2." in text
    text = shown("show", SPECS / "deep.symbp", "--set", "D=4,3", "--set", "K=1")
    assert "Sizes: K = 1, D_0 = 4, D_1 = 3." in text
    assert "Sizes: D_i = 7, D_1 = 40" in shown("show", SPECS / "mlp.symbp", "--set", "D_i=7")
    assert "ok" in shown("check", SPECS / "deep.symbp", "--set", "D=2,3,2")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", SPECS / "deep.symbp", "--set", "L=2"], "the spec has no size `L`"),
        (["show", SPECS / "deep.symbp", "--set", "K"], "--set K is no number"),
        (["show", SPECS / "deep.symbp", "--set", "K=2", "--set", "K=3"], "two numbers, 2 and 3"),
        (["check", SPECS / "deep.symbp", "--set", "D=2,3,2", "--set", "K=3"], "0..3: 4 numbers"),
        (["show", "-e", "norm2(A @ x)", "--set", "m=3"], "--set is for spec files"),
        (["show", "model.py:loss", "--set", "m=3"], "--set is for spec files"),
        (["check", "model.py", "--set", "m=3"], "--set is for specs"),
    ],
)
def test_numbers_that_are_wrong(arguments: list[object], message: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_module_of_an_expression(folder: Path) -> None:
    text = shown("derive", "-e", AWB, "--wrt", "W", "-o", "out", "--name", "awb")
    assert text.endswith("Wrote out/awb.py\n")
    assert list(files(folder)) == ["out/awb.py"]
    assert "gradient" in shown("check", "out/awb.py")


# derive model.py:loss

MODEL = """
import sympy as sp
import symbp

m, n, p, q = sp.symbols("m n p q", positive=True, integer=True)
A, W, B, C = (sp.MatrixSymbol(*at) for at in (("A", m, n), ("W", n, p), ("B", p, q), ("C", m, q)))
E = A * W * B + C
loss = sp.Trace(E.T * E)
program = symbp.parse("param w, b\\nf = w^2 + b\\nloss = f^2\\n", "from_python")
w, x = sp.symbols("w x", real=True)
scalar = (w * x - 1) ** 2
lines = {"f": w * x, "loss": (sp.Symbol("f", real=True) - 1) ** 2}
"""


def test_a_sympy_expression(folder: Path) -> None:
    (folder / "model.py").write_text(MODEL)
    text = shown("derive", "model.py:loss", "--wrt", "W")
    assert "∂ℓ/∂W = Aᵀ ∂ℓ/∂R Bᵀ product · n × p" in squeezed(text)
    assert text.endswith("Wrote generated/loss.py\n")
    shown("check", "generated/loss.py")
    shown("check", "model.py:loss")


def test_a_program_from_python(folder: Path) -> None:
    (folder / "model.py").write_text(MODEL)
    assert shown("derive", "model.py:program").endswith("Wrote generated/from_python.py\n")
    text = shown("derive", "model.py:program", "--name", "mine", "--wrt", "b")
    assert text.endswith("Wrote generated/mine.py\n")
    assert re.findall(r"gradient +(\w+)", text) == ["b"]


def test_sympy_scalars_and_lines(folder: Path) -> None:
    (folder / "model.py").write_text(MODEL)
    assert re.findall(r"gradient +(\w+)", shown("derive", "model.py:scalar")) == ["w", "x"]
    text = shown("derive", "model.py:lines", "--wrt", "w")
    assert "∂ℓ/∂w = x ∂ℓ/∂f product" in squeezed(text)


# show

FORMATS = ("unicode", "latex", "markdown")
MODES = ("reverse", "forward", "both")
TITLES = {"reverse": ["Reverse mode"], "forward": ["Forward mode"]}
TITLES["both"] = TITLES["reverse"] + TITLES["forward"]
SHOWN = list(product(FORMATS, MODES, (False, True), (False, True)))


@pytest.mark.parametrize(("form", "mode", "closed", "fragment"), SHOWN)
def test_show(form: str, mode: str, closed: bool, fragment: bool, folder: Path) -> None:
    options = ["--closed-form"] * closed + ["--fragment"] * fragment
    text = shown("show", SPECS / "toy.symbp", "--format", form, "--mode", mode, *options)
    assert files(folder) == {}
    titles = re.findall(r"(?:Reverse|Forward) mode|Closed forms|Operations of the two ways", text)
    wanted = TITLES[mode] + ["Closed forms", "Operations of the two ways"][: 2 - fragment] * closed
    named = not fragment or form == "latex"  # a fragment is equations; LaTeX's has comments
    assert titles == (wanted if named else [])
    begins = {"unicode": "", "latex": "\\documentclass", "markdown": "# The toy network"}[form]
    assert (begins in text) == (not fragment or not begins)
    assert ("Given" in text) == (not fragment)
    steps = {"unicode": "∂ℓ/∂f₀ = ", "latex": r"\frac{\partial \ell}{\partial f_{0}} &= "}
    assert (steps.get(form, steps["latex"]) in text) == (mode != "forward")
    dotted = {"unicode": "ḟ₀ = ", "latex": r"\dot{f}_{0} &= "}
    assert (dotted.get(form, dotted["latex"]) in squeezed_text(text)) == (mode != "reverse")


def squeezed_text(text: str) -> str:
    """Return a text with every run of spaces made one."""
    return "\n".join(squeezed(text))


def test_closed_forms_and_why_sweeps_exist() -> None:
    text = squeezed_text(shown("show", SPECS / "toy.symbp", "--closed-form"))
    assert "∂ℓ/∂β₃ = 2 (β₃ + ω₃ cos(β₂ + ω₂ exp(β₁ + ω₁ sin(β₀ + ω₀ x))) − y)" in text
    sweeps, written_out = map(int, re.findall(r"(\d+) operations by", text))
    assert sweeps < written_out


def test_show_takes_an_expression() -> None:
    assert "2 Aᵀ (A W B + C) Bᵀ" in shown("show", "-e", AWB, "--wrt", "W", "--closed-form")


# check


def damaged(text: str) -> str:
    """Return the text of the mlp's module with a factor lost in its reverse sweep."""
    lines = text.splitlines(keepends=True)
    at = next(k for k, line in enumerate(lines) if re.match(r" +beta_2_bar = ", line))
    left, right = lines[at].split(" = ", 1)
    lines[at] = f"{left} = 2 * {right}"
    return "".join(lines)


def test_check_of_a_spec(folder: Path) -> None:
    text = shown("check", MLP)
    assert text.count("gradient ") == 6
    assert "FAIL" not in text
    assert files(folder) == {}


def test_check_of_a_damaged_module(folder: Path) -> None:
    shown("derive", MLP)
    path = folder / "generated/mlp.py"
    path.write_text(damaged(path.read_text()))
    result = run("check", path)
    assert result.exit_code == 1
    assert re.search(r"gradient +beta_2 .* FAIL", result.stdout)
    assert re.search(r"gradient +beta_1 .* ok", result.stdout)
    assert "ratio 2" in result.stdout


def test_check_draws_another_point_for_another_seed() -> None:
    assert shown("check", MLP, "--seed", "1") != shown("check", MLP)


# The process: exit codes, streams, terminals


def test_exit_codes_of_processes(folder: Path) -> None:
    done = launch("derive", MLP, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    path = folder / "generated/mlp.py"
    path.write_text(damaged(path.read_text()))
    failed = launch("check", "generated/mlp.py", cwd=folder)
    assert (failed.returncode, failed.stderr) == (1, "")
    wrong = launch("show", cwd=folder)
    assert (wrong.returncode, wrong.stdout) == (2, "")


def test_no_escape_codes_without_a_terminal(folder: Path) -> None:
    for env in ({}, {"NO_COLOR": "1"}, {"NO_COLOR": "1", "TERM": "xterm-256color"}):
        done = launch("derive", SPECS / "toy.symbp", cwd=folder, env=env)
        assert "\x1b" not in done.stdout + done.stderr


def on_a_terminal(folder: Path, env: dict[str, str]) -> str:
    """Return what `symbp derive` prints on a terminal."""
    import pty  # POSIX alone

    ours, theirs = pty.openpty()
    known = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", **env}
    command = [sys.executable, "-m", "symbp", "derive", str(SPECS / "toy.symbp")]
    with subprocess.Popen(
        command, cwd=folder, env=known, stdout=theirs, stderr=subprocess.PIPE
    ) as process:
        os.close(theirs)
        pieces = []
        while True:
            try:
                piece = os.read(ours, 1 << 16)
            except OSError:  # how Linux says that the other side is closed
                break
            if not piece:
                break
            pieces.append(piece)
    os.close(ours)
    assert process.returncode == 0
    return b"".join(pieces).decode()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX terminal")
def test_colour_on_a_terminal_unless_refused(folder: Path) -> None:
    assert "\x1b[1m" in on_a_terminal(folder, {})
    assert not re.search("\x1b\\[[0-9;]*3[0-9]m", on_a_terminal(folder, {"NO_COLOR": "1"}))


def test_help_needs_no_sympy() -> None:
    code = (
        "import sys\nfrom symbp.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'sympy', 'numpy', 'lark', 'jinja2', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", cwd=ROOT, check=True
    )
    assert done.stdout.endswith("[]\n")
    assert "FILE.py:NAME" in done.stdout


@pytest.mark.parametrize("name", ["derive", "show", "check"])
def test_help_of_every_command(name: str) -> None:
    assert "Usage:" in shown(name, "--help")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
@pytest.mark.parametrize("name", ["show", "derive"])
def test_a_closed_pipe_is_no_mistake(name: str, folder: Path) -> None:
    command = f'"{sys.executable}" -m symbp {name} "{MLP}" | head -n 1'
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    done = subprocess.run(
        ["sh", "-c", command], capture_output=True, encoding="utf-8", cwd=folder, env=env
    )
    assert done.stdout == "A multilayer perceptron with ReLU, as in 001, section 7.4\n"
    assert done.stderr == ""


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_an_interrupt_is_no_mistake(folder: Path) -> None:
    names = ", ".join(f"p_{k}" for k in range(400))
    total = " + ".join(f"p_{k} * sin({k + 2} * p_{k})" for k in range(400))
    (folder / "long.symbp").write_text(f"param {names}\nf = {total}\nloss = f^2\n")
    (folder / "run.py").write_text(
        "import sys\nimport symbp.pipeline, symbp.screen\nfrom symbp.cli import main\n"
        "print('ready', file=sys.stderr, flush=True)\nmain()\n"
    )
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "run.py", "derive", "long.symbp"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        assert process.stderr is not None
        assert process.stderr.readline() == "ready\n"
        time.sleep(0.5)  # so that the command has begun
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        # Python drops the interrupt that comes while a weak reference's callback runs.
        if not errors.startswith("Exception ignored in: <function WeakValueDictionary"):
            break
    assert process.returncode == 1
    assert "Traceback" not in errors
    assert errors.strip() == "Aborted!"
    assert not (folder / "generated").exists()
