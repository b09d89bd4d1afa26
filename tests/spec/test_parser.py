"""Text to syntax tree: what is read, what is refused, and how the refusal points at the text."""

import os
import time
from fractions import Fraction
from pathlib import Path

import pytest

from symbp.errors import Span, SpecError, SymbpError, did_you_mean
from symbp.spec import syntax
from symbp.spec.parser import parse_expression, parse_text, read_file
from symbp.spec.syntax import Node
from symbp.spec.walks import spine

TOY = """\
input  x
target y
param  beta_0, beta_1, beta_2, beta_3, omega_0, omega_1, omega_2, omega_3
f_0 = beta_0 + omega_0 * x
h_1 = sin(f_0)
f_1 = beta_1 + omega_1 * h_1
h_2 = exp(f_1)
f_2 = beta_2 + omega_2 * h_2
h_3 = cos(f_2)
f_3 = beta_3 + omega_3 * h_3
loss = (f_3 - y)^2
"""
FAMILY = """\
size   K, D[0..K]
input  x : D[0]
target y : D[K]
param  Omega[1..K] : D[k] x D[k-1]   init he
param  beta[1..K]  : D[k]            init zero
h[0] = x
for k in 1..K-1:
    f[k] = beta[k] + Omega[k] @ h[k-1]
    h[k] = relu(f[k])
f[K] = beta[K] + Omega[K] @ h[K-1]
loss = norm2(f[K] - y)^2
"""
RESIDUAL = """\
size  n
input x : n
target y : n
param W : n x n
param b : n
u = tanh(W @ x + b)
v = tanh(W @ u + b) + u
loss = norm2(v - y)^2 + 1/100 * norm2(W)^2
"""


def written(node: Node) -> str:
    """Return a tree with every bracket, to see how it was read."""
    match node:
        case syntax.Num(value=value):
            return str(value)
        case syntax.Ref(name=name, index=index):
            return name + (f"[{','.join(map(written, index))}]" if index else "")
        case syntax.Unary(arg=arg):
            return f"(-{written(arg)})"
        case syntax.Binary(op=op, left=left, right=right):
            return f"({written(left)} {op} {written(right)})"
        case syntax.Transpose(arg=arg):
            return written(arg) + "'"
        case syntax.Call(name=name, args=args, rows=rows):
            return f"{name}({', '.join([*map(written, args), *['by rows'] * rows])})"
        case syntax.SumOver(body=body, index=index, start=start, stop=stop):
            return f"sum({written(body)} for {index} in {written(start)}..{written(stop)})"


def refused(text: str) -> SpecError:
    """Return the one error of a text, after a look at its form."""
    with pytest.raises(SpecError) as caught:
        parse_text(text, "a.symbp")
    error, shown = caught.value, str(caught.value)
    assert error.help
    assert f"a.symbp:{error.span.line}:{error.span.column}\n" in shown
    assert shown.count("error: ") == 1
    assert "^" in shown
    assert shown.replace("\n", "").isprintable()
    return error


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("norm2(A @ W @ B + C)^2", "(norm2((((A @ W) @ B) + C)) ^ 2)"),
        ("-z^2", "(-(z ^ 2))"),
        ("2^-1", "(2 ^ (-1))"),
        ("2^-x^2", "(2 ^ (-(x ^ 2)))"),
        ("a^b^c", "(a ^ (b ^ c))"),
        ("a**b", "(a ^ b)"),
        ("a.^2 .* b", "((a .^ 2) .* b)"),
        ("-a @ b", "((-a) @ b)"),
        ("a * -b", "(a * (-b))"),
        ("a - b - c", "((a - b) - c)"),
        ("a / b * c", "((a / b) * c)"),
        ("a + b @ c", "(a + (b @ c))"),
        ("x' @ M.T @ zᵀ", "((x' @ M') @ z')"),
        ("W'^2", "(W' ^ 2)"),
        ("W''", "W''"),
        ("(a + b)'", "(a + b)'"),
        ("1.*x", "(1 .* x)"),
        ("1./x", "(1 ./ x)"),
        ("2.^x", "(2 .^ x)"),
        ("1.5*x", "(3/2 * x)"),
        ("1e-3 + .5 + 2.", "((1/1000 + 1/2) + 2)"),
        ("Ω₁ ⊙ β₁₂ − λ·x", "((Omega_1 .* beta_12) - (lambda * x))"),
        ("‖A‖² + ‖b‖", "((norm2(A) ^ 2) + norm2(b))"),
        ("x⁻¹", "(x ^ (-1))"),
        ("-x²", "(-(x ^ 2))"),
        ("h[k-1] @ A[i, j]", "(h[(k - 1)] @ A[i,j])"),
        ("softmax(z, rows)", "softmax(z, by rows)"),
        ("max(a, rows + 1)", "max(a, (rows + 1))"),
        ("ones()", "ones()"),
        ("sum(norm2(W[k])^2 for k in 1..K-1)", "sum((norm2(W[k]) ^ 2) for k in 1..(K - 1))"),
        ("sum(x) + x * init @ for .* in", "(sum(x) + (((x * init) @ for) .* in))"),
        ("(a +\n   b)", "(a + b)"),
    ],
)
def test_expression_is_read(text: str, read: str) -> None:
    assert written(parse_expression(text)) == read


@pytest.mark.parametrize("text", [TOY, FAMILY, RESIDUAL])
def test_examples_of_the_language_are_read(text: str) -> None:
    lines = parse_text(text).lines
    loss = lines[-1]
    assert isinstance(loss, syntax.AssignLine)
    assert loss.target.name == "loss"
    assert parse_text(text.replace("\n", "\r\n")).lines == lines
    assert parse_text("\ufeff# a comment\n\n" + text.replace("\n", "  # note\n")).lines == lines
    assert parse_text(text.rstrip("\n")).lines == lines


def test_family_lines_hold_what_was_written() -> None:
    size, _, _, omega, _, _, loop, *_ = parse_text(FAMILY).lines
    assert isinstance(size, syntax.SizeLine)
    assert [one.member.name for one in size.sizes] == ["K", "D"]
    assert isinstance(omega, syntax.DeclareLine)
    assert (omega.kind, omega.symmetric) == ("param", False)
    assert omega.members[0].range
    assert written(omega.members[0].range.stop) == "K"
    assert omega.shape
    assert list(map(written, omega.shape.dims)) == ["D[k]", "D[(k - 1)]"]
    assert omega.init
    assert omega.init.name == "he"
    assert isinstance(loop, syntax.ForLine)
    assert (loop.index, written(loop.start), written(loop.stop)) == ("k", "1", "(K - 1)")
    assert [written(line.target) for line in loop.body] == ["f[k]", "h[k]"]


@pytest.mark.parametrize(
    ("line", "dims"),
    [
        ("input x", None),
        ("input x : x", ["x"]),
        ("param W : m x x", ["m", "x"]),
        ("param W : x x x init he", ["x", "x"]),
        ("param W : m × n symmetric", ["m", "n"]),
        ("const A : 3x4", ["3", "4"]),
        ("param init : init x symmetric", ["init", "symmetric"]),
        ("param a init normal(0.1)", None),
    ],
)
def test_shape_is_read(line: str, dims: list[str] | None) -> None:
    (declared,) = parse_text(line).lines
    assert isinstance(declared, syntax.DeclareLine)
    assert (declared.shape and list(map(written, declared.shape.dims))) == dims
    assert declared.symmetric == (line == "param W : m × n symmetric")
    assert bool(declared.init) == (" init he" in line or "normal" in line)


def test_the_other_lines_are_read() -> None:
    text = 'model mlp "A {title}"\nbatch sum\nsize n, D_i = 10\ntarget y : one_hot n\n'
    model, batch, size, target, op, output, wrt = parse_text(
        text + "op swish(z, β) = z * sigmoid(β * z)\noutput f[K]\nwrt W, x\n"
    ).lines
    assert model == syntax.ModelLine("mlp", "A {title}", Span(1, 1))
    assert batch == syntax.BatchLine("sum", Span(1, 1))
    assert isinstance(size, syntax.SizeLine)
    assert [one.value for one in size.sizes] == [None, 10]
    assert isinstance(target, syntax.DeclareLine)
    assert target.shape
    assert target.shape.one_hot
    assert isinstance(op, syntax.OpLine)
    assert [arg.name for arg in op.args] == ["z", "beta"]
    assert isinstance(output, syntax.OutputLine)
    assert written(output.value) == "f[K]"
    assert isinstance(wrt, syntax.WrtLine)
    assert [name.name for name in wrt.names] == ["W", "x"]


@pytest.mark.parametrize("word", ["model", "size", "input", "op", "for", "loss", "in", "x"])
def test_words_of_the_language_are_names_too(word: str) -> None:
    (line,) = parse_text(f"{word} = {word}(1) + {word}").lines
    assert isinstance(line, syntax.AssignLine)
    assert written(line.expr) == f"({word}(1) + {word})"


def test_spans_point_at_the_text() -> None:
    line = parse_text("# one\n  \nf = Ω₁[k] @ norm2(x')").lines[0]
    assert isinstance(line, syntax.AssignLine)
    product = line.expr
    assert isinstance(product, syntax.Binary)
    assert isinstance(product.right, syntax.Call)
    assert product.left.span == Span(3, 5, 5)
    assert product.span == Span(3, 11, 1)
    assert product.right.span == Span(3, 13, 5)
    assert product.right.args[0].span == Span(3, 20, 1)


def test_line_goes_on_inside_brackets() -> None:
    (line,) = parse_text("f = g(a,  # first\n\n      b\n)").lines
    assert isinstance(line, syntax.AssignLine)
    assert written(line.expr) == "g(a, b)"


def test_numbers_are_exact() -> None:
    assert parse_expression("0.1") == syntax.Num(Fraction(1, 10), Span(1, 1))


@pytest.mark.parametrize(
    ("text", "place", "message", "help"),
    [
        ("f == W @ x", (1, 4), "`==`", "name = expression"),
        ("f := x", (1, 3), "`:=`", "name = expression"),
        ("f += 1", (1, 3), "`+=`", "name of its own"),
        ("f = W*", (1, 6), "missing after `*`", "write the value"),
        ("f = W*  # note\nloss = f", (1, 6), "missing after `*`", "write the value"),
        ("f = # none", (1, 3), "missing after `=`", "write the value"),
        ("f = a * * b", (1, 9), "missing before `*`", "one operator"),
        ("parm W : m x n", (1, 1), "`parm`", "did you mean `param`?"),
        ("W @ x", (1, 3), "`=` is missing", "name = expression"),
        ("f", (1, 1), "`=` is missing", "name = expression"),
        ("f(x) = 3", (1, 2), "`=` is missing", "op f(z) ="),
        ("loss (f - y)^2", (1, 6), "`=` is missing", "loss = expression"),
        ("f = (a + b\nloss = f", (1, 5), "`(` is never closed", "`)`"),
        ("f = a + b)", (1, 10), "`)` closes nothing", "`(`"),
        ("f = (a]", (1, 7), "closes the `(` of line 1, column 5", "`)`"),
        ("f = ‖a", (1, 6), "`‖` is never closed", "`‖`"),
        ("f = [1,2]", (1, 5), "no lists", "const A"),
        ("f = (a+b)[1]", (1, 10), "only a name has an index", "a name on a line"),
        ("f = a; g = b", (1, 6), "`;`", "one statement"),
        ("f = “a”", (1, 5), "U+201C", "straight quote"),
        ("f = W’", (1, 6), "U+2019", "transpose"),
        ("f = {a}", (1, 5), "`{`", "`(`"),
        ("f = a \\\ng = b", (1, 7), "`\\`", "( )"),
        ("f = 2x", (1, 6), "between `2` and `x`", "`*` with a scalar"),
        ("f = a × b", (1, 7), "`×`", "`@` for a matrix product"),
        ("f = é", (1, 5), "cannot stand in a name", "Greek"),
        ("f = a\u202eb", (1, 6), "no meaning", "remove"),
        ("f = \x1bc", (1, 5), "no meaning", "remove"),
        ("f = \u00a0x", (1, 5), "no meaning", "ordinary space"),
        ("f = x if a else b", (1, 7), "no conditions", "relu"),
        ("f = a.transpose()", (1, 6), "no attributes", "`W.T`"),
        ("import os", (1, 1), "`import`", "not a program"),
        ("for k in range(K):\n  f = a", (1, 18), "two dots", "1..K"),
        ("for k in 1:K:\n  f = a", (1, 11), "two dots", "1..K"),
        ("for k in 1..K\n  f = a", (1, 13), "ends with `:`", "for k in 1..K:"),
        ("for k in 1..K: f = a", (1, 20), "ends with `:`", "below it"),
        ("for k in 1..K:\nf = a", (1, 1), "no indented line", "indent"),
        ("for k in 1..K:", (1, 1), "no indented line", "indent"),
        ("for k in 1..K:\n  f = a\n    g = b", (3, 1), "in another way", "2 spaces"),
        ("for k in 1..K:\n \tf = a", (2, 1), "tabs and spaces", "spaces alone"),
        ("for k in 1..K:\n  for j in 1..K:\n  f = a", (2, 3), "no indented line", "indent"),
        ("for k in 1..K:\n  for j in 1..K:", (2, 3), "no indented line", "indent"),
        (
            "for k in 1..K:\n    for j in 1..K:\n      f = a\n  g = a",
            (4, 1),
            "in another way",
            "same",
        ),
        (
            "".join(f"{' ' * n}for {'ijklm'[n]} in 1..K:\n" for n in range(5)) + "     f = a",
            (5, 5),
            "nested 5 deep",
            "below each other",
        ),
        ("param W[1..K, 1..T]", (1, 16), "declared with 2 ranges", "`W_1[1..K]`"),
        ("f = a\n  g = b", (2, 1), "is indented", "left margin"),
        ("  f = a", (1, 1), "is indented", "left margin"),
        ("f = x..y", (1, 6), "range", "1..K"),
        ("param W[1:K] : n", (1, 10), "two dots", "D[0..K]"),
        ("f = max(x for k in 1..K)", (1, 5), "`max`", "sum("),
        ("input", (1, 1), "not complete", "input x : n"),
        ("input x = 3", (1, 9), "gives it no value", "name = expression"),
        ("param W : (m, n)", (1, 11), "in a shape", "`m x n`"),
        ("param W : m x", (1, 13), "missing after `x`", "`m x n`"),
        ("param W : m x n int he", (1, 17), "`int`", "`init he`"),
        ("param W : n init he init he", (1, 26), "given twice", "remove"),
        ("param W : 0 x n", (1, 11), "whole number from 1", "size n"),
        ("input x : n init he", (1, 18), "only `param`", "remove"),
        ("target y : one_hot", (1, 18), "missing after `one_hot`", "a shape is"),
        ("output f, g", (1, 9), "`,`", "output f"),
        ("batch men", (1, 7), "`men`", "did you mean `batch mean`?"),
        ("size n = 2.5", (1, 10), "whole number", "size n = 10"),
        ("op f(2) = z", (1, 6), "`2`", "op swish(z)"),
        ("f = 123456789012345678901", (1, 5), "21 characters", "1e30"),
        ("f = 1e999999999", (1, 5), "exponent", "double precision"),
        ("f = 9^9^9^9", (1, 8), "tower", "number that is meant"),
        ("f = (9^9)^9", (1, 10), "tower", "number that is meant"),
        ("f = 9⁹^9", (1, 7), "tower", "number that is meant"),
        ("f = x^1001", (1, 6), "between -1000 and 1000", "exp"),
        ("f = x^-1001", (1, 6), "between -1000 and 1000", "exp"),
        ("f = x^(999*999)", (1, 6), "between -1000 and 1000", "exp"),
        ("f = x^(1/0)", (1, 6), "between -1000 and 1000", "exp"),
        ("param W : D[9^9^9]", (1, 14), "tower", "number that is meant"),
        ("f = " + "a" * 101, (1, 5), "101 characters", "shorter"),
        ("", (1, 1), "nothing", "loss"),
        ("# only a comment\n", (1, 1), "nothing", "loss"),
    ],
)
def test_mistake_is_one_message(text: str, place: tuple[int, int], message: str, help: str) -> None:
    if not text:
        with pytest.raises(SpecError, match=message):
            parse_text(text)
        return
    error = refused(text)
    assert message in error.message
    assert help in str(error.help)
    assert (error.span.line, error.span.column) == place


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("f = a", 3, "`=`"),
        ("a b", 3, "no operator"),
        ("a +", 3, "missing after"),
        ("a\nb", 1, "one line"),
        ("(a", 1, "never closed"),
        ("", 1, "nothing"),
    ],
)
def test_mistake_in_an_expression(text: str, column: int, message: str) -> None:
    with pytest.raises(SpecError, match=message) as caught:
        parse_expression(text)
    assert caught.value.span.column == column


@pytest.mark.parametrize(
    "text",
    [
        "f = " + "(" * 10_000 + "x" + ")" * 10_000,
        "f = " + "a[" * 10_000 + "1" + "]" * 10_000,
        "f = " + "g(" * 10_000 + "1" + ")" * 10_000,
        "f = " + "-" * 10_000 + "x",
        "f = x" + "'" * 10_000,
        "f = " + "^".join("x" * 10_000),
        "f = " + "+".join("(x" * 10_000),
        "f = " + "+".join("x" * 60_000),
        "f = " + "x + " * 200_000 + "x",
        "f = x\n" * 350_000,
        "f = " + "a" * 2_000_000,
        "f = " + "()" * 300_000,
        "f = " + " " * 1_000_000 + "$",
        "f = " + "9" * 1_000_000,
    ],
    ids=lambda text: text[:12],
)
def test_huge_text_is_refused_soon(text: str) -> None:
    parse_text("f = 1")  # the parser is built once
    start = time.perf_counter()
    refused(text)
    assert time.perf_counter() - start < 2


def test_nesting_within_the_limit_is_read() -> None:
    assert written(parse_expression("(" * 199 + "x" + ")" * 199)) == "x"
    assert written(parse_expression("-" * 199 + "x")).count("-") == 199
    with pytest.raises(SpecError, match="deep"):
        parse_expression("^".join("x" * 201))


def test_a_model_needs_no_title() -> None:
    (line,) = parse_text("model net\n").lines
    assert line == syntax.ModelLine("net", None, Span(1, 7, 3))


@pytest.mark.parametrize("operator", ["+", "-", "@", ".*"])
def test_a_flat_chain_is_not_nested(operator: str) -> None:
    tree = parse_expression(operator.join("x" * 5_000))
    assert isinstance(tree, syntax.Binary)
    assert len(spine(tree)) == 4_999


def test_exponents_within_the_limit_are_read() -> None:
    assert written(parse_expression("x^1000 + 9^9 + x^n^2"))
    assert written(parse_expression("10^(2*3)")) == "(10 ^ (2 * 3))"


def test_error_shows_the_line_with_a_caret() -> None:
    error = SpecError("undeclared name Omga", Span(2, 12, 4), "did you mean Omega?")
    assert str(error.located("x\nf = beta + Omga @ x\n", "specs/x.symbp")) == (
        "error: undeclared name Omga\n"
        "  --> specs/x.symbp:2:12\n"
        "   |\n"
        " 2 | f = beta + Omga @ x\n"
        "   |            ^^^^\n"
        "help: did you mean Omega?"
    )


@pytest.mark.parametrize(
    ("line", "column", "shown", "caret"),
    [
        ("\ta = b", 6, "    a = b", "        ^"),
        ("\x1b[31m a", 7, "\\x1b[31m a", "         ^"),
        ("中 = a", 5, "中 = a", "     ^"),
        ("a =", 4, "a =", "   ^"),
    ],
)
def test_caret_stands_below_its_character(line: str, column: int, shown: str, caret: str) -> None:
    text = str(SpecError("m", Span(1, column), None, line, "f"))
    assert text.split("\n")[3:] == [f" 1 | {shown}", f"   | {caret}"]


def test_long_line_is_cut_around_the_caret() -> None:
    text = str(SpecError("m", Span(1, 501), None, "a" * 500 + "$" + "b" * 500, "f"))
    shown, caret = text.split("\n")[3:]
    assert len(shown) < 110
    assert shown[caret.index("^")] == "$"


def test_location_that_is_known_stays() -> None:
    error = SpecError("m", Span(1, 1), None, "one", "a")
    assert (error.located("two", "b").source, error.located("two", "b").filename) == ("one", "a")


def test_did_you_mean() -> None:
    assert did_you_mean("Omga", ["Omega", "beta"]) == "Omega"
    assert did_you_mean("omega", ["Omega"]) == "Omega"
    assert did_you_mean("zzz", ["Omega"]) is None


@pytest.mark.parametrize(
    ("data", "message", "help"),
    [
        (b"", "nothing", "loss"),
        (b"f = \x00\x01", "NUL", "right file"),
        ("f = Ω".encode("utf-16"), "UTF-16", "iconv -f UTF-16 -t UTF-8"),
        ("f = a".encode("utf-16-le"), "UTF-16", "iconv -f UTF-16LE -t UTF-8"),
        ("f = a".encode("utf-16-be"), "UTF-16", "iconv -f UTF-16BE -t UTF-8"),
        ("f = a".encode("utf-32"), "UTF-32", "iconv -f UTF-32 -t UTF-8"),
        (b"f = a\nf = \xe9", "0xe9", "iconv"),
        ("Ω".encode() * 700_000, "1 MiB", "right file"),
    ],
)
def test_unreadable_file_is_one_message(
    tmp_path: Path, data: bytes, message: str, help: str
) -> None:
    path = tmp_path / "a.symbp"
    path.write_bytes(data)
    with pytest.raises(SpecError) as caught:
        read_file(path)
    assert message in caught.value.message
    assert help in str(caught.value.help)
    assert f"{path}:{caught.value.span.line}:" in str(caught.value)
    if message == "0xe9":
        assert caught.value.span == Span(2, 5)


def test_no_file_a_folder_and_a_device(tmp_path: Path) -> None:
    (tmp_path / "mlp.symbp").write_bytes("\ufefff = 1\r\ng = Ω".encode())
    with pytest.raises(SymbpError, match="no file") as caught:
        read_file(tmp_path / "mpl.symbp")
    assert "mlp.symbp" in str(caught.value.help)
    with pytest.raises(SymbpError, match="folder"):
        read_file(tmp_path)
    with pytest.raises(SymbpError, match="regular"):
        read_file(os.devnull)
    with pytest.raises(SymbpError, match="cannot read"):
        read_file("a\0b")
    assert read_file(tmp_path / "mlp.symbp") == "f = 1\ng = Ω"
