"""The loss along one number of the parameters: against formulas, in words, as a picture."""

import math
from functools import cache
from importlib import util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from running import SPECS, files, run

import symbp
from symbp.landscape import Landscape, by_every_param, draw, entry_of, give, landscape
from symbp.landscape import values_between as between
from symbp.program import Program

HAS = util.find_spec("matplotlib") is not None
drawing = pytest.mark.skipif(not HAS, reason="matplotlib, the extra `plot`, is missing")

SEVEN = SPECS / "figure_2_1.symbp"
FIGURE = ("landscape", SEVEN, "--param", "w", "--from", -1.3, "--to", 1.3)
UNIT = ("--at", "x=1", "--at", "y=1")

FAMILIES = """
size D = 2, n = 3
input x : D
target y
param w[1..3]
param W[1..2] : D x D init he
param S : n x n symmetric
param b : n init zero
const A : D x D
h = W[2] @ (A @ (W[1] @ x))
loss = (w[1] * w[2] * w[3] * sum(h) - y)^2 + b' @ S @ b + norm2(S)^2
wrt b
"""

LABELS = """
size D = 3
input x : D
target y : one_hot D
param b : D init zero
z = x + b
loss = softmax_cross_entropy(y, z)
"""

INVERSE = """
param A : 2 x 2 init normal(1)
loss = tr(inv(A))
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@cache
def compiled(text: str) -> tuple[Program, ModuleType]:
    program = symbp.load(SEVEN) if text == "seven" else symbp.parse(text, name="net")
    program = by_every_param(program)
    return program, symbp.compile(symbp.derive(program))


def walked(
    text: str, param: str, *at: str, values: object = (-1.5, 1.5, 31),
    limits: tuple[float | None, float | None] = (None, None),
) -> Landscape:  # fmt: skip
    """Return the landscape of a spec along a parameter, other numbers as given or as drawn."""
    program, module = compiled(text)
    point = draw(program, module, 0)
    moving = entry_of(point, param)
    for one in at:
        give(point, one, moving)
    return landscape(module.loss_and_grad, point, moving, between(*values), limits)


def test_the_landscape_of_seven_layers_is_that_of_000_example_2_1() -> None:
    found = walked("seven", "w", "x=1", "y=1", values=(-1.5, 1.5, 401))
    w = found.values
    assert (w[0], w[-1], len(w)) == (-1.5, 1.5, 401)
    np.testing.assert_allclose(found.loss, (w**7 - 1) ** 2, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.slope, 14 * w**6 * (w**7 - 1), rtol=1e-12, atol=1e-12)
    place, least = found.least
    assert abs(place - 1) <= 3 / 400
    assert least == found.loss.min()


def test_it_is_flat_and_steep_where_the_notes_say() -> None:
    found = walked("seven", "w", "x=1", "y=1", values=(-1.3, 1.3, 521), limits=(0.22, 100))
    left, flat, right = found.regions
    assert [region.kind for region in found.regions] == ["steep", "flat", "steep"]
    assert (flat.start, flat.stop) == pytest.approx((-0.5, 0.5), abs=0.006)
    assert (left.stop, right.start) == pytest.approx((-1.135, 1.195), abs=1e-9)
    assert flat.largest <= 0.22 < 100 <= right.least < right.largest
    assert flat.least == 0


def test_the_limits_are_a_tenth_and_ten_times_the_median_of_the_slopes_that_are_not_0() -> None:
    found = walked("seven", "w", "x=1", "y=1")
    sizes = np.abs(found.slope)
    middle = np.median(sizes[sizes > 0])
    assert (found.flat, found.steep) == pytest.approx((middle / 10, middle * 10))


@pytest.mark.parametrize(
    "param",
    [
        "w[2]",
        "w_2",
        "w₂",
        " w[ 2 ] ",
        "W[1][2,1]",
        "W_1[2,1]",
        "S[2,2]",
        "S[1,3]",
        "S[3,1]",
        "b[3]",
    ],
)
def test_slopes_are_those_of_differences(param: str) -> None:
    found = walked(FAMILIES, param, "b=1,2,3", values=(-1, 1, 2001))
    step = found.values[1] - found.values[0]
    differences = (found.loss[2:] - found.loss[:-2]) / (2 * step)
    np.testing.assert_allclose(found.slope[1:-1], differences, rtol=1e-5, atol=1e-5)
    assert np.ptp(found.loss) > 0


def test_the_names_are_written_as_the_mathematics_counts() -> None:
    assert walked(FAMILIES, "W₂[1,2]").name == "W[2][1,2]"
    assert walked(FAMILIES, "w_3").name == "w[3]"


def test_what_is_given_is_where_it_belongs() -> None:
    program, module = compiled(FAMILIES)
    point = draw(program, module, 0)
    moving = entry_of(point, "W[1][1,1]")
    given = ("w=2", "w[3]=5", "W[1]=1,2,3,4", "S=1", "S[1,2]=7", "x=8,9", "A=1,0,0,1", "y=-1e-3")
    for one in given:
        give(point, one, moving)
    assert [float(w) for w in point.params.w] == [2, 2, 5]
    assert point.params.W[0].tolist() == [[1, 2], [3, 4]]
    assert point.params.S.tolist() == [[1, 7, 1], [7, 1, 1], [1, 1, 1]]
    x, A, y = point.data
    assert (x.tolist(), A.tolist(), y.tolist()) == ([[8, 9]], [[1, 0], [0, 1]], [-0.001])
    assert point.drawn() == ["W[2]", "b"]
    point = draw(program, module, 0)
    for one in ("w=1,2,3", "S=" + ",".join("1" * 9)):
        give(point, one, moving)
    assert point.given == {"w": "1,2,3", "S": "1 and 8 more"}


def test_what_is_drawn_depends_on_the_seed_alone() -> None:
    program, module = compiled(FAMILIES)
    first, again, other = (draw(program, module, seed) for seed in (1, 1, 2))
    assert module.ravel(first.params).tolist() == module.ravel(again.params).tolist()
    assert first.data[0].tolist() == again.data[0].tolist() != other.data[0].tolist()
    assert first.params.b.tolist() == [0, 0, 0]


def test_a_class_index_is_a_target() -> None:
    found = walked(LABELS, "b[2]", "x=0", "y=1", values=(-2, 2, 5))
    expected = -np.log(np.exp(found.values) / (np.exp(found.values) + 2))
    np.testing.assert_allclose(found.loss, expected, rtol=1e-12)


def test_a_value_without_an_inverse_is_a_gap_and_not_the_end() -> None:
    found = walked(INVERSE, "A[1,1]", "A=1", values=(0, 2, 3))
    np.testing.assert_allclose(found.loss[[0, 2]], [-1, 3])
    assert found.gaps == [(1, 1, "nan")]


def test_what_overflows_is_a_gap_without_a_warning() -> None:
    found = walked("seven", "w", "x=1", "y=1", values=(0, 1e24, 11))
    assert found.gaps == [(1e23, 1e24, "inf")]
    assert found.least == (0, 1)
    assert np.isfinite(found.loss).sum() == 1


def test_a_constant_loss_is_flat_and_nowhere_steep() -> None:
    found = walked(FAMILIES, "b[1]", "S=0", "b=0")
    assert [(r.kind, r.start, r.stop) for r in found.regions] == [("flat", -1.5, 1.5)]
    assert (found.flat, found.steep) == (0, math.inf)


# The command


def shown(*arguments: object) -> list[str]:
    result = run(*arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    return [" ".join(line.split()) for line in result.stdout.splitlines()]


def test_the_command_says_where_it_is_flat_and_steep() -> None:
    lines = shown(*FIGURE, *UNIT, "--flat", 0.22, "--steep", 100, "--points", 521)
    assert lines.pop(6).endswith(", at w = 1.")  # the loss there is 0, but for rounding
    assert lines == [
        "region from to |slope|",
        "steep -1.3 -1.135 103 to 492",
        "flat -0.495 0.5 0 to 0.217",
        "steep 1.195 1.3 101 to 356",
        "",
        "Flat is a slope of at most 0.22, steep of at least 100.",
        "Given: x = 1, y = 1.",
    ]


def test_the_command_says_what_was_drawn_and_what_overflows() -> None:
    lines = shown("landscape", SEVEN, "--param", "w", "--from", -1e24, "--to", 0, "--seed", 3)
    assert any(line.startswith("The loss overflows from -1e+24 to -") for line in lines)
    assert lines[-1] == "Drawn with seed 3: x, y."


@drawing
@pytest.mark.parametrize("name", ["a.svg", "a.png"])
def test_the_command_draws(name: str, folder: Path) -> None:
    lines = shown(*FIGURE, *UNIT, "--plot", name)
    assert lines[-1] == f"Wrote {name}"
    before = files(folder)
    shown(*FIGURE, *UNIT, "--plot", name)
    assert files(folder) == before
    assert list(before) == [name]


@drawing
def test_a_picture_of_someone_else_is_left_unless_forced(folder: Path) -> None:
    (folder / "a.svg").write_text("mine")
    result = run(*FIGURE, "--plot", "a.svg")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "was not written by symbp" in result.stderr
    shown(*FIGURE, "--plot", "a.svg", "--force")
    assert b"<svg" in (folder / "a.svg").read_bytes()


def test_a_length_that_is_a_symbol_takes_its_number() -> None:
    deep = ("landscape", SPECS / "deep.symbp", "--param", "Omega[2][1,3]", "--from", -1, "--to", 1)
    assert shown(*deep, "--set", "D=2,3,1")[-1] == (
        "Drawn with seed 0: Omega[1], Omega[2], beta[1], beta[2], x, y."
    )
    refused = run(*deep)
    assert refused.exit_code == 2
    assert refused.stderr.startswith("error: deep has sizes without a number: K, D\n")


REFUSED = {
    ("--param", "v"): "--param v: no param of that name",
    ("--param", "x"): "--param x: no param of that name",
    ("--param", "w"): "--param w: w is a family of 3",
    ("--param", "w[4]"): "--param w[4]: no param of that name",
    ("--param", "W[1]"): "--param W[1]: W[1] is a matrix, 2 × 2",
    ("--param", "b"): "--param b: b is a vector of 3",
    ("--param", "b[0]"): "--param b[0]: no such entry; b is a vector of 3",
    ("--param", "b[1,1]"): "--param b[1,1]: no such entry; b is a vector of 3",
    ("--param", "b[1][1]"): "--param b[1][1]: no such entry; b is a vector of 3",
    ("--param", "w[1][1]"): "--param w[1][1]: no such entry; w[1] is a scalar",
    ("--param", "b["): "--param b[ names no number",
    ("--param", "b[" + "1" * 5000 + "]"): "no such entry; b is a vector of 3",
    ("--param", "b[1]", "--at", "q=1"): "--at q=1: no param, input, const or target of that name",
    ("--param", "b[1]", "--at", "x"): "--at x gives no number",
    ("--param", "b[1]", "--at", "x="): "--at x=: nothing is no finite number",
    ("--param", "b[1]", "--at", "x=1,nan"): "--at x=1,nan: nan is no finite number",
    ("--param", "b[1]", "--at", "x=1e999"): "--at x=1e999: 1e999 is no finite number",
    ("--param", "b[1]", "--at", "x=1,2,3"): "x is a vector of 2, and 3 numbers are given",
    ("--param", "b[1]", "--at", "w=1,2"): "w is a family of 3, and 2 numbers are given",
    ("--param", "b[1]", "--at", "x[1]=1,2"): "x[1] is one number, and 2 numbers are given",
    ("--param", "b[1]", "--at", "x=1", "--at", "x=1"): "--at x=1: x has a number",
    ("--param", "b[1]", "--at", "b[1]=1"): "--at b[1]=1: b[1] is what moves",
    ("--param", "S[1,2]", "--at", "S[2,1]=1"): "--at S[2,1]=1: S[1,2] is what moves",
    ("--param", "b[1]", "--at", "S=1,2,3,4,5,6,7,8,9"): "S equals its transpose, and these",
    ("--param", "b[1]", "--points", 1): "--points 1 is not from 2 to 100,000",
    ("--param", "b[1]", "--points", 100_001): "--points 100001 is not from 2 to 100,000",
    ("--param", "b[1]", "--from", 1): "--from 1 --to 1 is no range",
    ("--param", "b[1]", "--from", 2): "--from 2 --to 1 is no range",
    ("--param", "b[1]", "--from", "nan"): "--from nan --to 1 is no range",
    ("--param", "b[1]", "--from", "-inf"): "--from -inf --to 1 is no range",
    ("--param", "b[1]", "--from", 1 - 2e-16): "are not all different",
    ("--param", "b[1]", "--flat", 2, "--steep", 1): "leaves nothing between",
    ("--param", "b[1]", "--flat", -1): "leaves nothing between",
    ("--param", "b[1]", "--steep", "nan"): "leaves nothing between",
    ("--param", "b[1]", "--plot", "a.pdf"): "a.pdf is neither SVG nor PNG",
    ("--param", "b[1]", "--plot", "new/a.svg"): "no folder new",
    ("--param", "w[1]", "--at", "x=1e300"): "the loss is not finite anywhere on the way of w[1]",
}


@pytest.mark.parametrize("options", REFUSED, ids=lambda options: " ".join(map(str, options))[:60])
def test_what_is_wrong_is_said_in_one_message(options: tuple[object, ...], folder: Path) -> None:
    (folder / "net.symbp").write_text(FAMILIES, encoding="utf-8")
    extra = ("--at", "W=1", "--at", "A=1") if "x=1e300" in options else ()
    range_ = () if "--from" in options else ("--from", 0.5)
    result = run("landscape", "net.symbp", *options, *range_, "--to", 1, *extra)
    assert (result.exit_code, result.stdout) == (2, "")
    assert REFUSED[options] in result.stderr
    assert result.stderr.count("error:") == result.stderr.count("help:") == 1
    assert list(files(folder)) == ["net.symbp"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("input x\nparam w\nf = w * x", "net has no loss"),
        ("input x\nloss = x^2", "net has no param"),
        ("size n\ninput x : n\nparam w : n\nloss = dot(w, x)", "sizes without a number: n"),
    ],
)
def test_specs_that_have_no_landscape(text: str, what: str, folder: Path) -> None:
    (folder / "net.symbp").write_text(text, encoding="utf-8")
    result = run("landscape", "net.symbp", "--param", "w", "--from", 0, "--to", 1)
    assert result.exit_code == 2
    assert what in result.stderr


@pytest.mark.parametrize("value", ["3", "-1", "0.5"])
def test_a_class_that_is_not_there_is_refused(value: str, folder: Path) -> None:
    (folder / "net.symbp").write_text(LABELS, encoding="utf-8")
    options = ("--param", "b[1]", "--from", 0, "--to", 1, "--at", f"y={value}")
    result = run("landscape", "net.symbp", *options)
    assert result.exit_code == 2
    assert "write a whole number from 0 to 2" in result.stderr
