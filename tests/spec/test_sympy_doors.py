"""SymPy in and SymPy out: values on explicit matrices, refusals, roles."""

import numpy as np
import pytest
import sympy as sp
from sympy import MatMul
from sympy.combinatorics import Permutation
from sympy.matrices.expressions.diagonal import DiagMatrix, DiagonalOf
from sympy.matrices.expressions.dotproduct import DotProduct
from sympy.matrices.expressions.hadamard import HadamardPower, HadamardProduct
from sympy.matrices.expressions.permutation import PermutationMatrix
from sympy_values import sympy_value

from symbp.errors import SymbpError
from symbp.ir import node, variable
from symbp.ops import RECORDS
from symbp.ops.evaluate import evaluate
from symbp.ops.kinds import Z
from symbp.ops.matrix import LOG_SOFTMAX, LOGSUMEXP, SOFTMAX
from symbp.ops.pointwise import FUNCTIONS, user_operation
from symbp.ops.product import contract
from symbp.spec.from_sympy import from_sympy, to_expr
from symbp.spec.to_sympy import to_sympy

n, m = sp.symbols("n m", integer=True, positive=True)
i, j = sp.symbols("i j", integer=True)
s, t = sp.symbols("s t")
N, M = 3, 2
A, B = sp.MatrixSymbol("A", n, n), sp.MatrixSymbol("B", n, m)
x, y, r = sp.MatrixSymbol("x", n, 1), sp.MatrixSymbol("y", n, 1), sp.MatrixSymbol("r", 1, n)
X, z = sp.MatrixSymbol("X", 3, 3), sp.MatrixSymbol("z", 3, 1)
u = sp.MatrixSymbol("u", 1, 1)
RNG = np.random.default_rng(7)
POINT = {
    name: RNG.uniform(0.2, 1.5, shape) + (2 * np.eye(3) if shape == (3, 3) else 0)
    for name, shape in {
        "A": (3, 3), "B": (3, 2), "X": (3, 3), "x": (3, 1), "y": (3, 1), "z": (3, 1),
        "r": (1, 3), "u": (1, 1), "s": (), "t": (),
    }.items()
}  # fmt: skip
SIZES = {"n": N, "m": M}

SCALARS = [
    x.T * A * x, (x.T * A * x)[0, 0], sp.Trace(x.T * A * x), (z.T * X * z)[0, 0],
    sp.Trace(A.T * A) + sp.Trace(A * A), sp.Trace(A.T * A) / sp.Trace(A), sp.log(sp.det(A)) / n,
    sp.det(A.T * A) ** 2, sp.sqrt(x.T * x), sp.exp(-s * sp.Trace(A)) + sp.pi * sp.E,
    sp.Trace(B.T * A.inv() * B), sp.Trace(A**3) - sp.Trace(A**-2), r * A * x, u, u * r * x,
    DotProduct(x, y) + s, X[0, 1] ** 2 + x[0, 0], A[n - 1, 0] * s, (A * x)[0, 0],
    sp.Sum(sp.exp(x[i, 0]), (i, 0, n - 1)), sp.OneMatrix(1, n) * x,
    sp.Sum(A[i, j] * x[i, 0] * sp.Sum(B[i, j], (j, 0, m - 1)), (i, 0, n - 1), (j, 0, n - 1)),
    sp.Sum(sp.KroneckerDelta(i, j) * A[i, j] ** 2, (i, 0, n - 1), (j, 0, n - 1)),
    sp.Max(s, 0, t) + sp.Min(s, t) + sp.Max(-s, 0), sp.Heaviside(s) + sp.Heaviside(s, 1),
    sp.Abs(s - t) * sp.sign(t - s) + sp.erf(s) + sp.erfc(t), sp.sinh(s) + sp.atanh(s / 4),
    sp.Piecewise((s, (s > t) & (s > 0)), (t**2, (s < 0) | (t >= 1)), (sp.Float(0.1), True)),
    *(sp.Piecewise((s, test), (t - 5, True)) for test in (s > t, s < t, s >= t, s <= t)),
    sp.cos(s) * sp.tan(t) + sp.log(s) + 2**s + s**t + sp.sqrt(2) * sp.tanh(s),
    sp.Trace(sp.BlockMatrix([[A, x], [x.T, sp.Identity(1)]]) ** 2),
    sp.Sum(x[i, 0] ** 2, (i, 1, n - 1)), sp.Sum(x[i, 0] * x[i + 1, 0], (i, 0, n - 2)),
    sp.Sum(A[i, j] * x[j - 1, 0], (i, 0, n - 2), (j, 1, n - 1)),
    sp.Product(z[i, 0] + i, (i, 0, 2)),
    sp.Sum(A[i, j] * x[i, 0], (i, 0, n - 1), (j, 0, 0)),
    sp.Sum(sp.exp(x[i, 0]) * A[i, j] * y[j, 0], (i, 0, n - 1), (j, 0, n - 1)),
    sp.Sum(z[i, 0] * z[j, 0], (j, 0, i), (i, 0, 2)), sp.Sum(z[i, 0] ** i, (i, 0, 2)),
    sp.Trace(sp.KroneckerProduct(A, X, B.T * B)), sp.conjugate(s) * sp.re(t) + sp.sech(s),
]  # fmt: skip
MATRICES = [
    A * B, A.T * A - 3 * A / sp.det(A), x, x.T, r, r.T + x, x + r.T, r * A, x.T * A, A * r.T,
    x * y.T, HadamardProduct(x, A * x), HadamardProduct(A, x * r), A.applyfunc(sp.exp),
    A.applyfunc(sp.Lambda(s, sp.Max(s - 1, 0))), B.applyfunc(sp.Lambda(s, s**2 + t)),
    HadamardPower(A, s), HadamardPower(B, -2), DiagMatrix(x) * A, DiagMatrix(r.T), DiagonalOf(A),
    sp.OneMatrix(n, m) + sp.ZeroMatrix(n, m), sp.Identity(n) * 2 + A, A**-2, A**3,
    (s * A).inv() * x, sp.KroneckerProduct(A, B), sp.KroneckerProduct(x, A * y),
    sp.KroneckerProduct(A * B, x * y.T) + sp.KroneckerProduct(B, A), sp.KroneckerProduct(x.T, r),
    sp.BlockMatrix([[A, x], [r, u]]), sp.BlockDiagMatrix(A, X), X[0:2, 1:3] * s, A[:, 0:1],
    sp.Matrix([[s, 1], [0, s * t]]) * sp.Matrix([[t, 2], [3, s]]), u.T * r, x * u,
    sp.Matrix([[1, s, 2]]) * X, sp.Adjoint(A) * x, A.conjugate() * B, HadamardPower(A, A),
    HadamardPower(2, B), HadamardPower(s, x.T), x.T * y * A * (x.T * A * y) * B, u * A, A * u * x,
    MatMul(x.T, y, x.T, evaluate=False), sp.FunctionMatrix(3, 3, sp.Lambda((i, j), i + j)) * X,
    PermutationMatrix(Permutation([2, 0, 1])) * z,
]  # fmt: skip


def explicit(expr: sp.Basic) -> np.ndarray:
    """Return the value of a SymPy expression at the point, as rows and columns."""
    made = np.asarray(sympy_value(expr, POINT | SIZES))
    return made if made.ndim == 2 else made.reshape(1, 1)


def shapes(program) -> dict[str, np.ndarray]:
    """Return an array of each given name's concrete shape."""
    given = program.given if program else ()
    concrete = {e.op.name: [int(sp.sympify(d).subs({n: N, m: M})) for d in e.shape] for e in given}
    return {name: np.empty(shape) for name, shape in concrete.items()}


def given(program) -> dict[str, np.ndarray]:
    return {name: POINT[name].reshape(empty.shape) for name, empty in shapes(program).items()}


def read(expr: sp.Basic):
    symbols = [symbol for symbol in expr.free_symbols if symbol not in (n, m)]
    if not symbols:
        return to_expr(expr, {}), {}
    program = from_sympy(expr, wrt=symbols)
    return program.bindings[0].expr, given(program)


@pytest.mark.parametrize("expr", SCALARS + MATRICES, ids=lambda e: str(e)[:50].replace("\n", ""))
def test_the_value_is_sympys(expr):
    made, point = read(expr)
    ours, theirs = evaluate(made, point, sizes=SIZES), explicit(expr)
    assert made.rank == (0 if theirs.size == 1 else 1 if theirs.shape[1] == 1 else 2)
    np.testing.assert_allclose(ours.ravel(), theirs.ravel(), rtol=1e-10, atol=1e-12)
    if made.rank == 2:
        assert ours.shape == theirs.shape


@pytest.mark.parametrize("expr", SCALARS + MATRICES, ids=lambda e: str(e)[:50].replace("\n", ""))
def test_the_round_trip_is_the_same_value(expr):
    made, _ = read(expr)
    symbols = {symbol.name: symbol for symbol in expr.free_symbols if symbol not in (n, m, u)}
    back = to_sympy(made, symbols)
    np.testing.assert_allclose(explicit(back), explicit(expr), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (x.T * A * x, "Trace(x.T*A*x)"),
        ((x.T * A * x)[0, 0], "Trace(x.T*A*x)"),
        (sp.Trace(A.T * X.T), None),
        (2 * A.T * (A * B), "2*A.T*A*B"),
        (x * y.T, "x*y.T"),
        (DiagMatrix(x) * A, "DiagMatrix(x)*A"),
        (sp.KroneckerProduct(A, B), "KroneckerProduct(A, B)"),
        (A.inv() * x, "A**(-1)*x"),
        (X[0, 1], "X[0, 1]"),
        (s * X[0, 1] * A, "(s*X[0, 1])*A"),
        (sp.Trace(B.T * B), "Trace(B.T*B)"),
    ],
)
def test_the_form_is_the_textbooks(expr, text):
    if text is None:
        with pytest.raises(SymbpError, match="n and 3 do not agree"):
            from_sympy(expr)
        return
    assert str(to_sympy(from_sympy(expr).bindings[0].expr)) == text


B_OTHER = sp.MatrixSymbol("C", n, m)
REFUSED = [
    (sp.exp(A), "MatrixSymbol of shape"),
    (A**s, "MatPow"),
    (A ** sp.Rational(1, 2), "MatPow"),
    (A**99, "MatPow"),
    (A * sp.FunctionMatrix(n, n, sp.Lambda((i, j), i + j)), "FunctionMatrix has a size"),
    (sp.Sum(x[i, 0], (i, 0, sp.Trace(A))), "bounds of i"),
    (sp.Sum(x[2 * i, 0], (i, 0, n - 1)), "index"),
    (sp.Sum(x[i, 0], (i, 0, n)), "sizes n and n . 1"),
    (sp.Sum(i * x[i, 0], (i, 0, n - 1)), "index i as a number"),
    (sp.Product(x[i, 0], (i, 0, n - 1)), "index i as a number"),
    (sp.LambertW(s), "LambertW"),
    (sp.gamma(sp.det(A)), "gamma"),
    (sp.Trace(B), "the sizes n and m"),
    (sp.Determinant(B), "the sizes n and m"),
    (B.inv(), "the sizes n and m"),
    (B * B_OTHER, "the sizes m and n"),
    (sp.I * s + x[0, 0], "ImaginaryUnit"),
    (sp.oo, "Infinity"),
    (s + sp.root(-2, 3), "no finite real number"),
    (sp.nan, "NaN"),
    (sp.Derivative(sp.det(A), A), "Derivative"),
    (sp.Integral(sp.exp(s), s), "Integral"),
    (sp.MatrixSymbol("a b", 2, 2), "no word"),
    (sp.Symbol('"""'), "no word"),
    (sp.Function("f")(s), "f is not accepted"),
    (sp.Symbol("A") * sp.Trace(A), "two different symbols"),
    (s + sp.Symbol("s", real=True), "two different symbols"),
    (sp.GoldenRatio * s, "GoldenRatio"),
    (sp.Piecewise((s, s > 0)), "Piecewise"),
    (sp.Piecewise((s, sp.Ne(s, 1)), (t, True)), "comparison"),
    (A.applyfunc(sp.Lambda(s, sp.Trace(s * A))), "stands inside a matrix"),
    ("s + 1", "str is no SymPy expression"),
    (sp.true, "no SymPy expression"),
    ({}, "no line"),
    (sp.Integer(3), "nothing to differentiate by"),
]


@pytest.mark.parametrize(("expr", "message"), REFUSED, ids=lambda e: str(e)[:40])
def test_what_is_not_accepted_is_named(expr, message):
    with pytest.raises(SymbpError, match=message):
        from_sympy(expr)


def test_roles_sizes_and_lines():
    W, h = sp.MatrixSymbol("W", m, n), sp.MatrixSymbol("h", m, 1)
    b, f, target = (
        sp.MatrixSymbol("b", m, 1),
        sp.MatrixSymbol("f", m, 1),
        sp.MatrixSymbol("t", m, 1),
    )
    relu = sp.Lambda(s, sp.Max(s, 0))
    lines = {"h": (W * x + b).applyfunc(relu), "f": h * s, "loss": (f - target).T * (f - target)}
    program = from_sympy(lines, inputs=[x], targets=["t"], params=[W, b], name="net", batch="sum")
    assert [binding.name for binding in program.bindings] == ["h", "f", "loss"]
    assert (program.kind, program.reduction, program.name) == ("network", "sum", "net")
    assert program.sizes == {"m": None, "n": None}
    assert [e.op.name for e in program.params] == ["W", "b"]
    assert [e.op.name for e in program.consts] == ["s"]
    assert program.wrt == program.params
    assert program.loss.batched
    assert program.inputs[0].op.batched
    assert program.output.op.name == "f"


def test_an_identity_is_differentiated_by_its_matrices():
    program = from_sympy(s * sp.Trace(A * A))
    assert program.kind == "identity"
    assert [e.op.name for e in program.wrt] == ["A"]
    assert from_sympy(s * sp.Trace(A), wrt=[s]).wrt[0].op.name == "s"
    assert (from_sympy(A * x).output.op.name, from_sympy(A * x).loss) == ("value", None)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"params": ["AA"]}, "no such symbol AA"),
        ({"wrt": [B]}, "no such symbol B"),
        ({"params": [A], "inputs": ["A"]}, "declared twice"),
        ({"consts": ["n"]}, "no such symbol n"),
        ({"wrt": [3]}, "no symbol"),
    ],
)
def test_names_that_are_not_there(options, message):
    with pytest.raises(SymbpError, match=message):
        from_sympy(sp.Trace(A), **options)


def test_lines_are_read_in_order():
    with pytest.raises(SymbpError, match="before it is written"):
        from_sympy({"a": sp.Symbol("b") + s, "b": s**2}, wrt=[s])
    with pytest.raises(SymbpError, match="has shape"):
        from_sympy({"a": A * x, "b": sp.Symbol("a") ** 2})


def test_a_symbol_may_stand_for_a_column_of_two_axes():
    column = variable("x", (n, 1))
    made = to_expr(x.T * A * x, {x: column, A: variable("A", (n, n))})
    assert made.shape == ()
    np.testing.assert_allclose(
        evaluate(made, POINT), (POINT["x"].T @ POINT["A"] @ POINT["x"])[0, 0]
    )
    for symbol in (x, B):
        with pytest.raises(SymbpError, match="is meant"):
            to_expr(symbol, {symbol: variable("x", (m,))})


@pytest.mark.parametrize("name", FUNCTIONS)
def test_our_functions_leave_as_their_formulas(name):
    function = FUNCTIONS[name]
    arity = 2 if name in ("max", "min", "leaky_relu") else 1
    if arity == 1:
        made = to_expr(z.applyfunc(function), {z: variable("z", (3,))})
        back = to_sympy(made)
        assert all("symbp" not in type(part).__module__ for part in sp.preorder_traversal(back))
        np.testing.assert_allclose(explicit(back)[:, 0], evaluate(made, vectors()), rtol=1e-12)
    scalar = to_expr(function(*(s, t)[:arity]), {s: variable("s"), t: variable("t")})
    back = to_sympy(scalar)
    assert all("symbp" not in type(part).__module__ for part in sp.preorder_traversal(back))
    np.testing.assert_allclose(explicit(back)[0, 0], evaluate(scalar, POINT), rtol=1e-12)


def vectors() -> dict[str, np.ndarray]:
    return {name: POINT[name][:, 0] for name in ("x", "y", "z")}


def test_functions_of_two_vectors_and_of_whole_vectors_leave():
    from_vectors = {name: variable(name, (3,)) for name in ("x", "y", "z")}
    a, b = from_vectors["x"], from_vectors["y"]
    records = {op.name: op for op in RECORDS.values()}
    cases = [node(records[name], a, b) for name in ("max", "min", "pow", "leaky_relu")]
    cases += [node(records["select"], a, b, from_vectors["z"])]
    cases += [node(op, a) for op in (SOFTMAX, LOGSUMEXP, LOG_SOFTMAX)]
    for case in cases:
        got = explicit(to_sympy(case)).ravel()
        np.testing.assert_allclose(got, evaluate(case, vectors()).ravel(), rtol=1e-12)


def test_a_contraction_that_is_no_matrix_product_leaves_as_a_sum():
    a, b, c = (variable(name, (3, 3)) for name in "ABX")
    made = contract("ij,ij,jk,ki,ik->", a, b, b, c, a)
    point = {"A": POINT["A"], "B": POINT["X"], "X": POINT["X"].T}
    star = contract("ij,ik,il,jk,kl,lj->", a, b, c, a, b, c)
    back = to_sympy(star)
    assert isinstance(back, sp.Sum)
    assert sympy_value(back, point) == pytest.approx(float(evaluate(star, point)))
    assert sympy_value(to_sympy(made), point) == pytest.approx(float(evaluate(made, point)))
    column = contract("ij,ik,il,jk,kl,lj->i", a, b, c, a, b, c)
    np.testing.assert_allclose(sympy_value(to_sympy(column), point), evaluate(column, point))


def test_a_weight_between_two_matrices_is_a_diagonal_matrix():
    a, b, c = variable("A", (3, 3)), variable("x", (3,)), variable("X", (3, 3))
    made = to_sympy(contract("ij,j,jk->ik", a, b, c))
    assert str(made) == "A*DiagMatrix(x)*X"


def test_an_operation_of_the_users_leaves_without_ours():
    swish = user_operation("test_swish", 1, FUNCTIONS["silu"](Z) + 1)
    back = to_sympy(to_expr(swish(s), {s: variable("s")}))
    assert back == 1 + s / (1 + sp.exp(-s))
