"""What `init_params` draws: the variance of each way, counts of rows, orthogonality, refusals.

Margins are five standard deviations of the measured variance: √((kurtosis − 1) / entries).
"""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from running import CLEAN, assert_clean

import symbp
from symbp.emit.module import module_text
from symbp.pipeline import compile_module, derive, emit
from symbp.program import Init
from symbp.spec import parse

ROWS, COLUMNS = 300, 400


SHAPES = {
    "r x c": ("c", "W @ x"),
    "c x r": ("r", "W @ x"),
    "r": ("r", "W .* x"),
    "": ("r", "W * x"),
}


def spec(init, shape="r x c", sizes=f"r = {ROWS}, c = {COLUMNS}"):
    given, f = SHAPES[shape]
    colon = f" : {shape}" if shape else ""
    head = f"size {sizes}\ninput x : {given}\nparam W{colon} init {init}\n"
    return f"{head}f = tanh({f})\noutput f\n"


def drawn(init, shape="r x c", dtype=np.float64, seed=0, **sizes):
    """Return W as the module draws it; an `Init` stands in the place of the spec's."""
    given = init if isinstance(init, str) else "he"
    program = parse(spec(given, shape, **sizes) if sizes else spec(given, shape))
    if isinstance(init, Init):
        program = replace(program, inits={"W": init})
    module = compile_module(derive(program))
    return module.init_params(np.random.default_rng(seed), dtype).W


VARIANCES = [
    ("he", 2 / COLUMNS, 3),
    ("xavier", 2 / (ROWS + COLUMNS), 3),
    ("lecun", 1 / COLUMNS, 3),
    ("normal(1/50)", 0.02, 3),
    ("uniform(0.5)", 0.5, 1.8),
    ("sparse(0.1)", 1 / COLUMNS, 30),
    ("sparse(0.1, 0.3)", 0.3, 30),
    ("sparse(1)", 1 / COLUMNS, 3),
    ("orthogonal", 1 / COLUMNS, 1),
    ("orthogonal(0.01)", 0.01, 1),
    ("lsuv", 1 / COLUMNS, 1),
    (Init("auto", gains=(sp.Rational(1, 2), sp.Rational(1, 2))), 4 / (ROWS + COLUMNS), 3),
    (Init("auto", gains=(0.4, 0.25)), 2 / (0.4 * COLUMNS + 0.25 * ROWS), 3),
]


@pytest.mark.parametrize(("init", "variance", "kurtosis"), VARIANCES)
def test_the_variance_of_an_entry(init, variance, kurtosis):
    W = drawn(init)
    assert W.shape == (ROWS, COLUMNS)
    margin = 5 * np.sqrt((kurtosis - 1) / W.size) + 1e-12
    assert abs(np.mean(W**2) / variance - 1) <= margin
    assert abs(np.mean(W)) <= 5 * np.sqrt(variance / W.size)


@pytest.mark.parametrize(("init", "variance"), [("uniform(3)", 3), ("normal(3)", 3)])
@pytest.mark.parametrize("shape", ["r", ""])
def test_vectors_and_scalars(init, variance, shape):
    W = drawn(init, shape)
    assert W.shape == ((ROWS,) if shape else ())
    assert np.all(np.abs(W) <= 3) if "uniform" in init else np.all(np.abs(W) < 10)


def test_uniform_ends_at_the_root_of_three_variances():
    W = drawn("uniform(0.5)")
    assert 0.999 * np.sqrt(1.5) < np.abs(W).max() <= np.sqrt(1.5)


@pytest.mark.parametrize(
    ("share", "columns", "count"),
    [("0.1", 400, 40), ("1/3", 400, 133), ("0.001", 400, 1), ("1", 400, 400), ("0.5", 1, 1)],
)
def test_rows_of_a_sparse_matrix(share, columns, count):
    W = drawn(f"sparse({share})", sizes=f"r = {ROWS}, c = {columns}")
    assert set(np.count_nonzero(W, axis=1)) == {count}
    if count > 1:
        assert np.unique(W[W != 0]).size == ROWS * count
    if 1 < count < columns:
        assert len({tuple(np.flatnonzero(row)) for row in W}) == ROWS
    used = np.count_nonzero(W, axis=0) / ROWS  # every column as often as any other
    assert np.all(np.abs(used - count / columns) <= 5 * np.sqrt(count / columns / ROWS))


def test_a_square_sparse_matrix_keeps_the_energy():
    W, rng = drawn("sparse(0.1)", sizes="r = 400, c = 400"), np.random.default_rng(1)
    x = rng.standard_normal((400, 500))
    ratio = np.sum((W @ x) ** 2) / np.sum(x**2)
    assert abs(ratio - 1) <= 5 * np.sqrt(29 / W.size)  # 000 section 2.3: E‖Wx‖² = ‖x‖²


@pytest.mark.parametrize("init", ["orthogonal", "orthogonal(1/100)", "lsuv"])
@pytest.mark.parametrize("shape", ["r x c", "c x r"])
def test_rows_or_columns_are_orthogonal(init, shape):
    W = drawn(init, shape)
    scale = 0.01 * COLUMNS if "(" in init else 1
    small = W @ W.T if shape == "r x c" else W.T @ W
    np.testing.assert_allclose(small, scale * np.eye(ROWS), atol=1e-12)


@pytest.mark.parametrize(("init", "_", "__"), VARIANCES)
def test_float32_stays(init, _, __):
    assert drawn(init, dtype=np.float32).dtype == np.float32


@pytest.mark.parametrize(("init", "_", "__"), VARIANCES)
def test_the_same_seed_draws_the_same(init, _, __):
    np.testing.assert_array_equal(drawn(init, seed=3), drawn(init, seed=3))
    assert np.any(drawn(init, seed=3) != drawn(init, seed=4))


# ---- auto


GAINS = [
    ((sp.Rational(1, 2), sp.Rational(1, 2)), "normal(4 / (400 + 300), 300, 400)"),
    ((1, 1), "normal(2 / (400 + 300), 300, 400)"),
    ((sp.Integer(1), sp.Rational(1, 2)), "normal(4 / (2 * 400 + 300), 300, 400)"),
    ((Fraction(101, 200), Fraction(101, 200)), "normal(400 / (101 * 400 + 101 * 300), 300, 400)"),
    ((sp.Rational(1, 2), 0), "normal(4 / 400, 300, 400)"),
    ((0.1 + 0.2, sp.Rational(1, 4)), "auto(0.30000000000000004, 0.25, 300, 400)"),
    ((sp.Float(0.5), sp.sqrt(2)), "auto(0.5, 1.4142135623730951, 300, 400)"),
]


def with_gains(gains, text=None):
    program = parse(text or spec("auto"))
    return replace(program, inits={"W": Init("auto", gains=gains)})


@pytest.mark.parametrize(("gains", "code"), GAINS)
def test_the_compromise_as_code(gains, code):
    assert f"W={code})" in emit(derive(with_gains(gains)))


@pytest.mark.parametrize("shape", ["r", ""])
def test_auto_is_zero_for_a_bias(shape):
    assert not np.any(drawn("auto", shape))


@pytest.mark.parametrize(
    ("gains", "message"),
    [
        (None, "gains of `init auto` of W are not derived.*\n.*`symbp.emit`"),
        ((None, None), "gains of `init auto` of W are not derived"),
        ((0, 0), "around it are flat.*\n.*init lecun"),
    ],
)
def test_auto_without_gains_is_refused(gains, message):
    with pytest.raises(symbp.SymbpError, match=message):
        module_text(derive(with_gains(gains)), symbp.Wanted())


# ---- families and sizes


LOOPED = """size K, D[0..K]
input x : D[0]
target y : D[K]
param A[1..K] : D[k] x D[k-1] init {}
param b[1..K] : D[k] init uniform(1/3)
h[0] = x
for k in 1..K:
    h[k] = tanh(A[k] @ h[k-1] + b[k])
loss = squared_error(h[K], y)
"""


@pytest.mark.parametrize(
    ("init", "variance"),
    [("sparse(1/4)", 1 / 200), ("orthogonal(0.1)", 0.1), ("uniform(2)", 2), ("auto", 1 / 100)],
)
def test_families_of_symbolic_length(init, variance):
    program = parse(LOOPED.format(init))
    if init == "auto":
        program = replace(program, inits={**program.inits, "A": Init("auto", gains=(0.5, 0.5))})
    module = compile_module(derive(program))
    params = module.init_params(np.random.default_rng(0), D=(200, 200, 200))
    assert [A.shape for A in params.A] == [(200, 200)] * 2
    for A in params.A:
        assert abs(np.var(A) / variance - 1) < 5 * np.sqrt(11 / A.size) + (init == "auto")
    assert np.abs(params.b).max() <= 1


SIZED = [
    ("n, m", {"n": 0, "m": 3}, r"a size must be at least 1, got n=0, m=3"),
    ("n, m = 4", {"n": -1}, r"a size must be at least 1, got n=-1"),
]


@pytest.mark.parametrize(("sizes", "given", "message"), SIZED)
def test_sizes_below_one_are_refused(sizes, given, message):
    text = f"size {sizes}\ninput x : n\nparam W : m x n init he\nf = tanh(W @ x)\noutput f\n"
    module = compile_module(derive(parse(text)))
    with pytest.raises(ValueError, match=message):
        module.init_params(np.random.default_rng(0), **given)


def test_widths_below_one_are_refused():
    module = compile_module(derive(parse(LOOPED.format("he"))))
    with pytest.raises(ValueError, match=r"a size must be at least 1, got D=\(3, 0, 2\)"):
        module.init_params(np.random.default_rng(0), D=(3, 0, 2))


MANY = "size D[0..30]\ninput x : D[0]\nparam W[1..30] : D[k] x D[k-1]\n" + (
    "h[0] = x\nfor k in 1..30:\n    h[k] = tanh(W[k] @ h[k-1])\noutput h[30]\n"
)


def test_of_many_sizes_the_one_below_one_is_named():
    module = compile_module(derive(parse(MANY)))
    with pytest.raises(ValueError, match="a size must be at least 1, got -3"):
        module.init_params(
            np.random.default_rng(0), **{f"D_{k}": 2 if k != 7 else -3 for k in range(31)}
        )


@pytest.mark.parametrize("command", CLEAN, ids=[command[0] for command in CLEAN])
def test_modules_are_clean(command, tmp_path):
    for k, (init, *_) in enumerate(VARIANCES):
        program = parse(spec(init if isinstance(init, str) else "he"))
        if isinstance(init, Init):
            program = replace(program, inits={"W": init})
        (tmp_path / f"m{k}.py").write_text(emit(derive(program)))
    for k, init in enumerate(("sparse(1/4)", "orthogonal(0.1)", "uniform(2)")):
        (tmp_path / f"l{k}.py").write_text(emit(derive(parse(LOOPED.format(init)))))
    every = ("sparse(0.5)", "orthogonal(1)", "orthogonal", "uniform(1)", "lsuv", "normal(1)")
    names = [f"W_{k}" for k in range(len(every))]
    given = [f"param {n} : n x n init {init}\n" for n, init in zip(names, every, strict=True)]
    lines = [f"h_{k + 1} = tanh({n} @ h_{k})\n" for k, n in enumerate(names)]
    text = "".join(["size n\ninput x : n\n", *given, "h_0 = x\n", *lines, "output h_6\n"])
    (tmp_path / "all.py").write_text(emit(derive(parse(text))))
    assert_clean(tmp_path, command)
