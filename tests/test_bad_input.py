"""Wrong input through the command line: one message, status 2, no traceback, nothing written."""

import os
import re
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from running import SPECS, files, launch, run

import symbp
from symbp.errors import SymbpError, printable
from symbp.pipeline import Declared, read_program

GOOD = "param w\nf = w^2\nloss = f^2\n"
GIVEN = "size m, n, p\ninput x : n\nparam W : m x n\nparam V : n x p\nparam S : n x n\nparam a\n"
LINE = GIVEN.count("\n") + 1
SECONDS = 10  # a catastrophe takes longer; the parser alone takes some of it, once


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty folder with one good spec."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.symbp").write_text(GOOD)
    return tmp_path


def refused(*arguments: object) -> str:
    """Return the one message of a run, after a look at its form, its status and what is left."""
    before = files(Path())
    start = time.perf_counter()
    result = run(*arguments)
    assert time.perf_counter() - start < SECONDS
    assert result.exit_code == 2
    assert result.stdout == ""
    assert files(Path()) == before
    message = result.stderr
    assert len(re.findall(r"^help: .", message, re.MULTILINE)) == 1
    first, *others = message.removesuffix("\n").split("\n")
    assert first.startswith("error: ")
    assert all(re.fullmatch(r"help: .+| +--> .+| +\d* \|.*", line) for line in others)
    assert message.replace("\n", "").isprintable()
    return message


def refused_spec(text: str | bytes, line: int, column: int) -> str:
    """Return the message about a spec, after a look at the place and the caret."""
    data = text if isinstance(text, bytes) else text.encode()
    Path("bad.symbp").write_bytes(data)
    message = refused("derive", "bad.symbp")
    assert f"--> bad.symbp:{line}:{column}\n" in message
    shown = message.splitlines()
    if any(line.endswith(" |") for line in shown):
        carets = next(line for line in shown if re.fullmatch(r" +\| +\^+", line))
        above = shown[shown.index(carets) - 1]
        assert above.startswith(f" {line} |")
        assert carets.index("^") <= max(len(above), carets.index("|") + 2)
    return message


NAMES = [
    ("f = q * a\nloss = f", 0, 5, "`q` is not declared"),
    ("f = Omga\nloss = f", 0, 5, "`Omga` is not declared"),
    ("param W : n x n\nloss = a", 0, 7, "`W` is already declared in line 3"),
    ("f = a\nf = a^2\nloss = f", 1, 1, "`f` is already defined"),
    ("f = g\ng = f\nloss = f", 0, 5, "`g` is used before line"),
    ("f = f + a\nloss = f", 0, 5, "`f` is used in the line that defines it"),
    ("x = a\nloss = x", 0, 1, "`x` is declared in line 2"),
    ("f1 = a\nf_1 = a\nloss = f1 * f_1", 1, 1, "printed alike"),
    ("loss = swoosh(a)", 0, 8, "`swoosh` is no function"),
    ("loss = tahn(a)", 0, 8, "`tahn` is no function"),
    ("loss = a(3)", 0, 8, "`a` is a value, not a function"),
    ("wrt q\nloss = a", 0, 5, "`q` is not declared"),
    ("output q\nloss = a", 0, 8, "no line defines the output `q`"),
    ("param pi\nloss = a", 0, 7, "`pi` is the constant"),
]


@pytest.mark.parametrize(("text", "below", "column", "what"), NAMES, ids=lambda v: str(v)[:25])
def test_names(text: str, below: int, column: int, what: str) -> None:
    assert what in refused_spec(GIVEN + text + "\n", LINE + below, column)


SHAPES = [
    ("f = W @ V @ W", 11, "W @ V @ W: W @ V is m x p, W is m x n"),
    ("f = x @ W", 7, "x @ W: x is n, W is m x n"),
    ("f = W + V", 7, "W + V: W is m x n, V is n x p"),
    ("f = W + a", 7, "W + a: W is m x n, a is a scalar"),
    ("f = x - W", 7, "x - W: x is n, W is m x n"),
    ("f = W .* V", 7, "W .* V: W is m x n, V is n x p"),
    ("f = W ./ V", 7, "W ./ V: W is m x n, V is n x p"),
    ("f = W .^ V", 7, "W.^V: W is m x n, V is n x p"),
    ("f = W * V", 7, "`*` needs a scalar on one side; W * V: W is m x n, V is n x p"),
    ("f = x * x", 7, "`*` needs a scalar on one side; x * x: x is n, x is n"),
    ("f = a / W", 7, "a / W: a is a scalar, W is m x n"),
    ("f = W ^ 2", 7, "W^2: W is m x n, 2 is a scalar"),
    ("f = a ^ W", 7, "a^W: a is a scalar, W is m x n"),
    ("f = a @ W", 7, "a @ W: a is a scalar, W is m x n"),
    ("f = tr(W)", 5, "W is m x n"),
    ("f = inv(W)", 5, "W is m x n"),
    ("f = dot(x, V)", 5, "V is n x p"),
    ("f = softmax(W)", 5, "W is m x n"),
    ("f = max(W, V)", 5, "V is n x p"),
    ("f = squared_error(x, W)", 5, "W is m x n"),
    ("loss = W @ x", 1, "the loss is no scalar: it is m"),
    ("loss = W", 1, "the loss is no scalar: it is m x n"),
]


@pytest.mark.parametrize(("text", "column", "what"), SHAPES, ids=lambda v: str(v)[:25])
def test_shapes(text: str, column: int, what: str) -> None:
    assert what in refused_spec(GIVEN + text + "\n", LINE, column)


def test_the_fix_of_a_matrix_product_is_shown() -> None:
    message = refused_spec(GIVEN + "f = W * V\n", LINE, 7)
    assert "write `W @ V` for the matrix product, `W .* V` elementwise" in message


ODD = ['a"b', "a'b", "a{b}", "a\\b", "a b", "{{7*7}}", "a%b", "$(ls)", "a;b", "`a`", "a\x1b[31mb"]


@pytest.mark.parametrize("name", ODD)
def test_odd_names_in_a_spec(name: str) -> None:
    Path("bad.symbp").write_text(f"param {name}\nf = 2\nloss = f\n")
    assert "--> bad.symbp:1:" in refused("derive", "bad.symbp")


@pytest.mark.parametrize("name", [*ODD, "a\nb", "../a", "/tmp/a", "import", "numpy", "os", "", "ä"])
def test_odd_names_of_a_module(name: str) -> None:
    assert "module" in refused("derive", "good.symbp", "--name", name)
    assert "module" in refused("derive", "-e", "a^2", "-o", "out", "--name", name)


@pytest.mark.parametrize("name", [*ODD, "a\nb"])
def test_odd_names_to_differentiate_by(name: str) -> None:
    refused("derive", "good.symbp", "--wrt", name)
    refused("derive", "-e", "norm2(A @ x)^2", "--wrt", name)


@pytest.mark.parametrize(
    "item", [*ODD, "A", "=3", "A=", "A=0", "A=1x2x3", "A=3,", "Q=3", "A={{1}}"]
)
def test_odd_shapes(item: str) -> None:
    refused("derive", "-e", "norm2(A @ x)^2", "--shape", item)


@pytest.mark.parametrize(
    "name", ["a b", 'a"b', "a{b}", "a\\b", "a\nb", "my-net", "1st", "class", "os"]
)
def test_odd_file_names(name: str) -> None:
    os.replace("good.symbp", f"{name}.symbp")
    assert "write `model my_name` as the first line" in refused("derive", f"{name}.symbp")
    assert run("derive", f"{name}.symbp", "--name", "fine").exit_code == 0
    assert Path("generated/fine.py").is_file()


@pytest.mark.parametrize("title", ['a"b', "a\nb"])
def test_a_title_ends_at_its_quote(title: str) -> None:
    Path("bad.symbp").write_text(f'model net "{title}"\n{GOOD}')
    assert "--> bad.symbp:1:" in refused("derive", "bad.symbp")


@pytest.mark.parametrize(
    "title", ["\\end{document}", "{{ 7 * 7 }}", "%s {0}", "'''", "\\", "\x1b[2J"]
)
def test_a_title_is_never_a_command(title: str) -> None:
    Path("odd.symbp").write_text(f'model net "{title}"\n{GOOD}')
    for form in ("unicode", "latex", "markdown"):
        shown = run("show", "odd.symbp", "--format", form).stdout
        ends = re.findall(r"^\\end{document}", shown.partition("\n")[2], re.MULTILINE)
        assert len(ends) == (form == "latex")
        assert "49" not in shown
        assert form != "latex" or shown.count(r"\textbackslash") == printable(title).count("\\")
        assert "\x1b" not in shown
    assert run("derive", "odd.symbp").exit_code == 0


FILES = [
    (b"", 1, 1, "there is nothing in this spec"),
    (b" \n\n# only a comment\n", 1, 1, "there is nothing in this spec"),
    (b"\x7fELF\x02\x01\x01\x00\x00\x00", 1, 8, "NUL bytes"),
    (GOOD.encode("utf-16"), 1, 1, "this text is in UTF-16"),
    (GOOD.encode("utf-16-le"), 1, 1, "this text is in UTF-16"),
    (GOOD.encode("utf-32"), 1, 1, "this text is in UTF-32"),
    (b"param w\nf = w # caf\xe9\nloss = f\n", 2, 12, "0xe9 is out of place"),
]


@pytest.mark.parametrize(("data", "line", "column", "what"), FILES, ids=lambda v: str(v)[:20])
def test_files_that_are_no_specs(data: bytes, line: int, column: int, what: str) -> None:
    assert what in refused_spec(data, line, column)


def test_two_megabytes() -> None:
    assert "at most 1 MiB" in refused_spec("# a long comment\n" * 120_000 + GOOD, 61681, 17)


def test_an_unreadable_file(folder: Path) -> None:
    assert "no file nosuch.symbp" in refused("derive", "nosuch.symbp")
    assert "did you mean good.symbp?" in refused("derive", "godo.symbp")
    assert "is a folder, not a spec" in refused("derive", folder)
    assert "is not a regular file" in refused("derive", "/dev/null")
    assert "cannot read" in refused("derive", "a" * 300 + ".symbp")
    assert "cannot read" in refused("derive", "a\0b.symbp")
    if os.getuid():
        os.chmod("good.symbp", 0)
        assert "Permission denied" in refused("derive", "good.symbp")


def test_folders_that_cannot_be_written() -> None:
    assert "good.symbp is no folder" in refused("derive", "good.symbp", "-o", "good.symbp")
    assert "good.symbp is no folder" in refused("derive", "good.symbp", "-o", "good.symbp/deep")
    assert "cannot be written" in refused("derive", "good.symbp", "-o", "a" * 300)
    Path("generated/good.py").mkdir(parents=True)
    assert "good.py is a folder" in refused("derive", "good.symbp")


BIG = [
    ("f = " + "(" * 10_000 + "a" + ")" * 10_000, "deep"),
    ("f = " + "tanh(" * 10_000 + "a" + ")" * 10_000, "deep"),
    ("f = " + "-" * 10_000 + "a", "deep"),
    ("f = a" + "'" * 10_000, "deep"),
    ("f = " + "^".join("a" * 10_000), "deep"),
    ("f = 9^9^9^9", "tower of powers"),
    ("f = (9^9)^(9^9)", "tower of powers"),
    ("f = a^99999", "an exponent lies between"),
    ("f = 1e99999", "the exponent of a number"),
    ("f = " + "9" * 1_000, "a number of 1000 characters"),
    ("f = a + " + "a + " * 60_000 + "a", "100,000"),
    ("f = " + "b" * 1_000 + " + a", "a name of 1000 characters"),
    ("size k = 10^30\nf = a", "not a whole number from 1"),
    ("size k = 1000000000000000000000\nf = a", "a number of 22 characters"),
    ("param h[1..2000000]\nf = a", "is 2,000,000"),
    ("param h[1..100000]\nf = a", "100,000 members"),
    ("f = sum(sum(a for i in 1..1000) for k in 1..1000)", "100,000"),
    ("for k in 1..1000:\n    f[k] = " + " + ".join(["a"] * 200), "100,000"),
]


@pytest.mark.parametrize(("text", "what"), BIG, ids=lambda v: v[:25])
def test_what_asks_for_too_much(text: str, what: str) -> None:
    Path("bad.symbp").write_text(GIVEN + text + "\nloss = a\n")
    message = refused("derive", "bad.symbp")
    assert what in message
    assert "--> bad.symbp:" in message


def test_huge_sizes_and_many_names_are_no_mistake() -> None:
    """A size may be any number: no array of it is ever made, the judge takes small ones."""
    names = ", ".join(f"u_{k}" for k in range(3_000))
    Path("big.symbp").write_text(
        f"size n = 1000000000000000000\nparam w : n\nparam {names}\nf = norm2(w)^2\n"
        "loss = f + " + " + ".join(f"u_{k}" for k in range(50)) + "\nwrt w\n"
    )
    assert run("show", "big.symbp").exit_code == 0


def test_one_source() -> None:
    assert "one of the two" in refused("derive")
    assert "one of the two" in refused("show")
    assert "one of the two" in refused("derive", "good.symbp", "-e", "a^2")
    assert "--shape is for -e" in refused("derive", "good.symbp", "--shape", "w=3")


def test_what_to_differentiate_by_is_unknown() -> None:
    assert "did you mean `w`?" in refused("derive", "good.symbp", "--wrt", "W")
    assert "its names are w" in refused("show", "good.symbp", "--wrt", "omega")
    assert "did you mean `W_2`?" in refused("derive", "-e", "norm2(W_2)^2", "--wrt", "W_1")


EXPRESSIONS = [
    ("", "nothing in this spec"),
    ("a +", "a value is missing"),
    ("swoosh(A) + (", "`(` is never closed"),
    ("A * B + swoosh(x)", "`*` needs a scalar"),
    ("a = 3", "cannot stand here"),
    ("3 + 4", "no name to differentiate by"),
    ("norm2(A @ x", "never closed"),
    ("a1 + a_1", "printed alike"),
    ("f\n + g", "an expression is one line"),
    ("__import__('os')", ""),
    ("A.__class__", ""),
    ("{{ 7 * 7 }}", ""),
    (" + ".join(f"a_{k}" for k in range(60)), "more than 50 names"),
]


@pytest.mark.parametrize(("text", "what"), EXPRESSIONS, ids=lambda v: v[:20])
def test_expressions(text: str, what: str) -> None:
    assert what in refused("derive", "-e", text, "-o", "out")
    refused("derive", "-e", text, "--wrt", "zzz", "--shape", "q=3", "-o", "out")  # one of them


PYTHON = [
    ("raise ValueError('bad\\x1b[31m\\nline')", "loss", "raises ValueError: bad\\x1b[31m line"),
    ("import sys; sys.exit(0)", "loss", "raises SystemExit: 0"),
    ("def (", "loss", "raises SyntaxError"),
    ("import nowhere_at_all", "loss", "raises ModuleNotFoundError"),
    ("def f(): f()\nf()", "loss", "raises RecursionError"),
    ("los = 3", "loss", "did you mean `los`?"),
    ("loss = 3", "loss", "`loss` is of type int"),
    ("loss = None", "loss", "`loss` is of type NoneType"),
    ("loss = 'w**2'", "loss", "`loss` is of type str"),
    ("loss = {}", "loss", "there is no line"),
    ("import sympy as sp\nloss = sp.Symbol('w\"}{') ** 2", "loss", "is no word"),
    ("import sympy as sp\nloss = sp.Function('g')(sp.Symbol('w'))", "loss", "is not accepted"),
    ("import sympy as sp\nimport_ = 1\nos = sp.Symbol('w') ** 2", "os", "would hide Python's own"),
    ("loss = 3", "", "has no ``"),
    ("loss = 3", 'a"{}', 'has no `a"{}`'),
]


@pytest.mark.parametrize(("code", "attribute", "what"), PYTHON, ids=lambda v: v[:25])
def test_python_files(code: str, attribute: str, what: str) -> None:
    Path("model.py").write_text(code + "\n")
    assert what in refused("derive", f"model.py:{attribute}")
    refused("derive", f"model.py:{attribute}", "--wrt", "nothing")


def test_python_where_it_is_not_meant(folder: Path) -> None:
    Path("model.py").write_text("import sympy as sp\nloss = sp.Symbol('w') ** 2\n")
    assert "`model.py:loss`" in refused("derive", "model.py")
    assert "is no module of symbp: it has no `sample`" in refused("check", "model.py")
    assert "no file nosuch.py" in refused("check", "nosuch.py")
    assert "no file nosuch.py" in refused("derive", "nosuch.py:loss")
    Path("deep.py").mkdir()
    assert "deep.py is a folder" in refused("check", "deep.py")


@pytest.mark.parametrize("name", ["derive", "show", "check"])
def test_as_a_process(name: str, folder: Path) -> None:
    (folder / "bad.symbp").write_text("param w\nf = w +\nloss = f\n")
    found = launch(name, "bad.symbp", cwd=folder)
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == (
        "error: a value is missing after `+`\n"
        "  --> bad.symbp:2:7\n"
        "   |\n"
        " 2 | f = w +\n"
        "   |       ^\n"
        "help: write the value, or remove what asks for it\n"
    )
    assert not (folder / "generated").exists()


def test_a_terminal_without_greek(folder: Path) -> None:
    (folder / "bad.symbp").write_text("param Ω\nf = Ω ≠ 2\n", encoding="utf-8")
    latin = {"PYTHONIOENCODING": "latin-1"}
    found = launch("derive", "bad.symbp", cwd=folder, env=latin)
    assert found.returncode == 2
    assert "\\u2260" in found.stderr
    for name in ("show", "derive"):
        found = launch(name, SPECS / "mlp.symbp", cwd=folder, env=latin)
        assert (found.returncode, found.stderr) == (0, "")


# Random input: whatever it is, only our own errors come out

PIECES = st.sampled_from([
    "param ", "input ", "size ", "loss", " = ", "w", "x", "W", "@", "*", "+", "-", "^", "'", "(",
    ")", "[", "]", "1", "0", "2.5", ":", " : n", "n", " x ", "for k in 1..3:\n    ", "\n",
    "op f(z) = ", "z", "f", "norm2(", "sum(", "tanh(", ", ", "..", "k", "inv(", "softmax(",
    "one_hot ", "wrt ", "output ", "model ", '"', "#", "{", "\\", "Ω", "ᵀ", "²", "‖", "batch ",
    "mean", "init he", "9",
])  # fmt: skip
ATOMS = st.sampled_from(["w", "x", "W", "Ω", "1", "0", "2.5", "n", "pi", "q", "-x", "W'", "A_1"])
SIGNS = st.sampled_from(["+", "-", "*", "/", "@", ".*", "./", "^", ".^"])
CALLS = st.sampled_from([
    "tanh", "relu", "sqrt", "log", "sum", "norm2", "softmax", "logsumexp", "tr", "inv", "det",
    "diag", "outer", "vec", "dot", "kron", "abs", "leaky_relu", "max", "cross_entropy", "ones",
    "mean",
])  # fmt: skip
EXPRESSION_TREES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, SIGNS, inner),
        st.builds("{}({})".format, CALLS, inner),
        st.builds("{}({}, {})".format, CALLS, inner, inner),
        st.builds("{}'".format, inner),
    ),
    max_leaves=12,
)
TEXTS = st.one_of(st.text(max_size=80), st.lists(PIECES, max_size=30).map("".join))
FUZZ = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def only_our_errors(function: object, *arguments: object) -> None:
    """Call a function; what it raises must be an error of ours, printable and with its place."""
    assert callable(function)
    message = "error: "
    try:
        function(*arguments)
    except SymbpError as error:
        message = str(error)
    assert message.startswith("error: ")
    assert all(line.isprintable() for line in message.split("\n"))


@FUZZ
@given(TEXTS)
def test_random_specs(text: str) -> None:
    only_our_errors(symbp.parse, text)


@FUZZ
@given(EXPRESSION_TREES)
def test_random_lines(text: str) -> None:
    given = "size n\nparam w\ninput x : n\nparam W, Ω : n x n\n"
    only_our_errors(symbp.parse, f"{given}f = {text}\nloss = f\n")
    only_our_errors(symbp.parse, f"param w\nop g(x, W) = {text}\nloss = g(w, w)\n")


@FUZZ
@given(TEXTS | EXPRESSION_TREES)
def test_random_expressions(text: str) -> None:
    only_our_errors(read_program, None, text)


@FUZZ
@given(st.data())
def test_mutated_specs(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(ALL))
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        stop = data.draw(st.integers(start, min(start + 12, len(text))))
        text = text[:start] + data.draw(PIECES) + text[stop:]
    only_our_errors(symbp.parse, text)


@FUZZ
@given(st.binary(max_size=200))
def test_random_bytes(data: bytes) -> None:
    Path("random.symbp").write_bytes(data)
    only_our_errors(read_program, "random.symbp")


@FUZZ
@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_random_options(wrt: str, shape: str, name: str, attribute: str) -> None:
    only_our_errors(read_program, None, "norm2(A @ x)^2", [wrt], Declared([shape], [wrt]), name)
    only_our_errors(read_program, None, "norm2(A @ x)^2", ["A"], Declared([f"A={shape}"]), None)
    only_our_errors(read_program, "good.symbp", None, [wrt], Declared(), name)
    only_our_errors(read_program, attribute)


ALL = [path.read_text(encoding="utf-8") for path in sorted(SPECS.glob("*.symbp"))]
