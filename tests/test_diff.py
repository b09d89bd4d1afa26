"""`symbp.diff` and what it returns: layouts, shapes, printed forms, steps, a function."""

import subprocess
import sys

import numpy as np
import pytest
import sympy as sp
from reference import close, run_steps

import symbp
from symbp.ir import name_of
from symbp.ops.evaluate import evaluate

n, m, s, t = sp.symbols("n m s t")
i, j = sp.symbols("i j")
A, X = sp.MatrixSymbol("A", n, n), sp.MatrixSymbol("X", n, n)
W, x, y = sp.MatrixSymbol("W", m, n), sp.MatrixSymbol("x", n, 1), sp.MatrixSymbol("y", m, 1)
r, u, z = sp.MatrixSymbol("r", 1, n), sp.MatrixSymbol("u", 1, 1), sp.MatrixSymbol("z", n, 1)
RNG = np.random.default_rng(2)
SHAPES = {
    "A": (3, 3), "X": (3, 3), "W": (2, 3), "x": (3,), "y": (2,), "r": (1, 3), "u": (), "s": (),
    "t": (),
}  # fmt: skip
POINT = {name: RNG.uniform(0.3, 1.2, shape) for name, shape in SHAPES.items()}
POINT |= {name: POINT[name] + 2 * np.eye(3) for name in "AX"}
SIZES = {"n": 3, "m": 2}

LAYOUTS = [
    # expression, variables, array layout, vec layout
    (sp.Trace(A * X), (X,), (3, 3), (9,)),
    (W * x, (x,), (2, 3), (2, 3)),
    (W * x, (W,), (2, 2, 3), (2, 6)),
    (W * X, (X,), (2, 3, 3, 3), (6, 9)),
    (s * X, (s,), (3, 3), (9,)),
    (x.T * X * x, (x, x), (3, 3), (3, 3)),
    (x.T * X * x, (x, X), (3, 3, 3), (3, 9)),
    (sp.Trace(X * X), (X, X), (3, 3, 3, 3), (9, 9)),
    (s**3 * t, (s, s, t), (), ()),
    (x.T * x * s, (s,), (), ()),
    (r * X, (X,), (1, 3, 3, 3), (3, 9)),
    (X[0, 1] * s, (X[0, 1],), (), ()),
    (X * X, (X[0, 1],), (3, 3), (9,)),
]  # fmt: skip


def stacked(array, ranks):
    """Return an array with the columns of each group of axes stacked, by NumPy alone."""
    groups, first = [], 0
    for rank in ranks:
        groups.append(range(first, first + rank)[::-1])
        first += rank
    order = [axis for group in groups for axis in group]
    shape = [int(np.prod([array.shape[axis] for axis in group])) for group in groups if group]
    return np.transpose(array, order).reshape(shape)


def values(derivative):
    given = {name_of(v): POINT[name_of(v)] for v in derivative.program.given}
    return given | {name: SIZES[name] for name in derivative._function.sizes}


@pytest.mark.parametrize(("expr", "by", "array", "vec"), LAYOUTS, ids=str)
def test_layouts(expr, by, array, vec):
    plain = symbp.diff(expr, *by)
    columns = symbp.diff(expr, *by, layout="vec")
    one, other = plain.numpy(**values(plain)), columns.numpy(**values(columns))
    assert (one.shape, other.shape) == (array, vec)
    close(other, stacked(one, plain.ranks))
    assert len(plain.shape) == len(array)


def test_a_gradient_has_the_shape_its_variable_was_given_in():
    gradient = symbp.diff(x.T * A * x, x)
    column = POINT["x"][:, None]
    assert gradient.numpy(x=POINT["x"], A=POINT["A"]).shape == (3,)
    assert gradient.numpy(x=column, A=POINT["A"]).shape == (3, 1)
    close(gradient.numpy(x=column, A=POINT["A"])[:, 0], gradient.numpy(x=POINT["x"], A=POINT["A"]))
    by_row = symbp.diff(r * A * r.T, r)
    assert by_row.numpy(r=POINT["r"], A=POINT["A"]).shape == (1, 3)
    assert symbp.diff(u * u, u).numpy(u=np.array([[2.0]])).shape == (1, 1)
    assert symbp.diff(u * u, u).numpy(u=2.0).shape == ()


def test_the_variable_may_be_named_or_counted():
    by_symbol = symbp.diff(x.T * A * x, x, x)
    for by in (("x", "x"), (x, 2), ((x, 2),), ("x", sp.Integer(2)), (sp.Tuple(x, 2),)):
        assert symbp.diff(x.T * A * x, *by).formula is by_symbol.formula
    assert symbp.diff(s**2 * t**3, s, t, 2).expr == 12 * s * t
    assert symbp.diff(3, X).expr == sp.ZeroMatrix(n, n)
    assert symbp.diff(sp.Trace(A), X).expr == sp.ZeroMatrix(n, n)
    assert symbp.diff(A, s).expr == sp.ZeroMatrix(n, n)


FORMULAS = [
    # the unicode, the LaTeX, the words
    (sp.log(sp.det(X)), (X,), "X⁻ᵀ", r"\bm{X}^{-\top}", None),
    (x.T * A * x, (x,), "(A + Aᵀ) x", None, None),
    (W * x, (W,), "xᵀ ⊗ I", None, "δ_ij x_k"),
    (sp.exp(s * t), (s,), "t exp(s t)", None, "t exp(s t)"),
    (x.applyfunc(sp.sin), (x,), "diag(cos(x))", None, None),
    (sp.Trace(X.T * X), (X, X), "2 I", None, "2 δ_ik δ_jl"),
    # an element of a product is a sum, of which each part is read along its own indices
    (((x - z).T * A * (x - z))[0, 0], (x,), "(A + Aᵀ) (x − z)", None, None),
    (((x - z).T * X.T * X * (x - z))[0, 0], (X,), "2 X (x − z) (x − z)ᵀ", None, None),
    ((x.T * (X - sp.Identity(n)) * z)[0, 0], (x,), "(X − I) z", None, None),
    # irrational numbers are joined
    (s * sp.erf(t / sp.sqrt(2)), (t,), "(√2/√π) s exp(−t²/2)", None, None),
    ((x.T * sp.HadamardPower(X, 3) * z)[0, 0], (X,), "3 diag(x) (X ⊙ X) diag(z)", None, None),
]


@pytest.mark.parametrize(("expr", "by", "text", "tex", "entry"), FORMULAS, ids=str)
def test_printed(expr, by, text, tex, entry):
    derivative = symbp.diff(expr, *by)
    assert derivative.unicode() == str(derivative) == text
    assert tex is None or derivative.latex() == tex
    assert entry is None or derivative.words() == entry
    assert "\\bm" not in derivative._repr_latex_()


STEPPED = [
    (sp.log(sp.det(X)) + sp.Trace(A * X), (X,)),
    ((W * x - y).T * (W * x - y), (W,)),
    ((W * x - y).T * (W * x - y), (W, x)),
    ((X * A * x).applyfunc(sp.tanh), (x,)),
    (sp.sqrt((x.T * x)[0, 0]), (x, x)),
    (sp.exp((x.T * A * x)[0, 0]) * s, (x, s)),
    (X.inv() * A, (X,)),
]


@pytest.mark.parametrize(("expr", "by"), STEPPED, ids=str)
def test_every_step_holds(expr, by):
    """A line is what its rule says, and the last one is the derivative."""
    derivative = symbp.diff(expr, *by)
    at = {name_of(v): POINT[name_of(v)] for v in derivative.program.given}
    moved = {
        f"{name_of(v)}_dot": RNG.uniform(-1, 1, SHAPES[name_of(v)]) for v in derivative.variables
    }
    found = run_steps(derivative, at | moved, SIZES)
    close(found[derivative.steps[-1].name], derivative.numpy(**values(derivative)), tolerance=1e-10)
    for step in derivative.steps:
        assert step.law
        assert " = " in step.unicode()
        assert "=" in step.latex()


def test_the_module_runs_alone_and_is_clean(tmp_path):
    paths = []
    for k, (expr, by, *_) in enumerate([*LAYOUTS, *STEPPED]):
        derivative = symbp.diff(expr, *by)
        path = tmp_path / f"module_{k}.py"
        path.write_text(derivative.source, encoding="utf-8")
        paths.append(path)
        space: dict = {"__name__": path.stem}
        exec(compile(derivative.source, str(path), "exec"), space)
        given = values(derivative)
        order = [name_of(v) for v in derivative._function.arguments]
        sizes = {name: given[name] for name in derivative._function.sizes}
        made = space[derivative._function.name](*(given[name] for name in order), **sizes)
        assert np.shape(made) == np.shape(derivative.numpy(**given))
        close(made, evaluate(derivative.formula, given, sizes=SIZES))
        assert "symbp" not in derivative.source
    run = [sys.executable, "-m"]
    for tool in (["ruff", "format", "--check", "--line-length=100"], ["mypy", "--strict"]):
        done = subprocess.run([*run, *tool, *map(str, paths)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    done = subprocess.run([*run, "ruff", "check", *map(str, paths)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_symmetric_and_not_free():
    quadratic = x.T * X * x
    assert symbp.diff(quadratic, x, symmetric=[X]).unicode() == "2 X x"
    assert symbp.diff(quadratic, x, symmetric=["X"]).unicode() == "2 X x"
    gradient = symbp.diff(sp.Trace(A * X), X, symmetric=[X], free=False)
    wanted = POINT["A"] + POINT["A"].T - np.diag(np.diag(POINT["A"]))
    close(gradient.numpy(A=POINT["A"]), wanted)


def test_what_is_not_read_may_be_left_out_or_given():
    gradient = symbp.diff(sp.Trace(A * X) * 2, X)
    close(gradient.numpy(A=POINT["A"]), gradient.numpy(A=POINT["A"], X=POINT["X"]))
    identity = symbp.diff(x, x)
    close(identity.numpy(x=np.ones(4)), np.eye(4))
    flat = symbp.diff(sp.Sum(s, (i, 0, n - 1)), s)
    assert flat.numpy(n=5) == 5


@pytest.mark.parametrize("size", [1, 2])
def test_sizes_of_one_and_more(size):
    point = {name: RNG.uniform(0.5, 1.5, [size] * len(shape)) for name, shape in SHAPES.items()} | {
        "r": RNG.uniform(0.5, 1.5, (1, size))
    }
    for expr, by, *_ in [case for case in LAYOUTS if not str(case[1]).count("0, 1")]:
        derivative = symbp.diff(expr, *by)
        given = {name_of(v): point[name_of(v)] for v in derivative.program.given}
        given |= dict.fromkeys(derivative._function.sizes, size)
        made = derivative.numpy(**given)
        close(made, evaluate(derivative.formula, given, sizes={"n": size, "m": size}))


def test_empty_sizes():
    gradient = symbp.diff((W * x - y).T * (W * x - y), W)
    assert gradient.numpy(W=np.ones((0, 3)), x=np.ones(3), y=np.ones(0)).shape == (0, 3)
    assert gradient.numpy(W=np.ones((2, 0)), x=np.ones(0), y=np.ones(2)).shape == (2, 0)


def test_precision_is_kept():
    gradient = symbp.diff((W * x - y).T * (W * x - y) * s, W)
    given = {name: POINT[name].astype(np.float32) for name in "Wxy"} | {"s": np.float32(2)}
    made = gradient.numpy(**given)
    assert made.dtype == np.float32
    close(made, gradient.numpy(**{k: np.float64(v) for k, v in given.items()}), tolerance=1e-5)


def test_names_of_lines_are_not_the_users():
    size = sp.Symbol("loss")
    loss = sp.MatrixSymbol("f", size, 1)
    assert symbp.diff(loss.T * loss, loss).unicode() == "2 f"
    assert symbp.diff(loss.applyfunc(sp.exp), loss).unicode() == "diag(exp(f))"


def test_sizes_that_are_numbers_stay_numbers():
    P, z = sp.MatrixSymbol("P", 2, 3), sp.MatrixSymbol("z", 3, 1)
    assert symbp.diff(P * z, z).shape == (2, 3)
    assert symbp.diff(P * z, P).expr.shape == (2, 2, 3)
    assert symbp.diff(sp.Trace(P * P.T), P).expr == 2 * P
