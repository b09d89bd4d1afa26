"""Code for expressions of any rank has the value of the reference, in the type of its arrays."""

from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from symbp.emit.arrays import Arrays
from symbp.emit.syntax import text
from symbp.errors import SymbpError
from symbp.ir import name_of, node, size_symbol, size_value, variable, variables
from symbp.lower.reads import sizes_for
from symbp.ops import OPS, RECORDS
from symbp.ops.evaluate import evaluate
from symbp.ops.kinds import Largest, Merge, Solve, Split
from symbp.ops.linear import add, number, ones, scale, subtract
from symbp.ops.product import broadcast, contract, product
from symbp.ops.selection import block, unit
from symbp.program import Binding

m, n, p, q = (size_symbol(name) for name in "mnpq")
SIZES = {m: 3, n: 4, p: 2, q: 5}
NAMED = {symbol.name: size for symbol, size in SIZES.items()}
A, B, C = variable("A", (m, n)), variable("B", (n, p)), variable("C", (p, q))
S, T, X = variable("S", (n, n)), variable("T", (m, n, p)), variable("X", (m, n))
Y = variable("Y", (n, m, p))
u, v, w = variable("u", (m,)), variable("v", (n,)), variable("w", (n,))
s, t = variable("s"), variable("t")
tanh, exp = RECORDS[sp.tanh], RECORDS[sp.exp]


def code(expr, given=None):
    """Return the code of an expression, its sizes read off what is given."""
    names = {x: name_of(x) for x in [*(given or []), *variables(expr)]}
    line = Binding(variable("made", expr.shape), expr)
    arrays = Arrays(names, sizes_for([line], list(names), names), "N")
    arrays.like = next(iter(names.values()), None)
    term = arrays.code(expr)
    if len(term.letters) < expr.rank or None in term.letters:
        term = arrays.filled(expr, term)
    return text(term.code)


def numbers(shape):
    return [size_value(dim, SIZES) for dim in shape]


def values_of(expr, given=()):
    rng = np.random.default_rng(0)
    names = [*given, *(x for x in variables(expr) if x not in given)]
    return {name_of(x): rng.uniform(0.5, 2, numbers(x.shape)) for x in names}


def run(expr, values, given=()):
    return np.asarray(eval(code(expr, given), {"np": np}, values))


def assert_code(expr, given=()):
    """Assert value, shape and type of what the code computes."""
    values = values_of(expr, given)
    truth = evaluate(expr, values, sizes=NAMED)
    found = run(expr, values, given)
    assert found.shape == truth.shape
    np.testing.assert_allclose(found, truth, rtol=1e-10, atol=1e-12)
    single = {name: value.astype(np.float32) for name, value in values.items()}
    if variables(expr):
        assert run(expr, single, given).dtype == np.float32, code(expr, given)


WRITTEN = {
    "np.einsum('ik,lj->ijkl', A, B)": contract("ik,lj->ijkl", A, B),
    "np.einsum('ik,jl->ijkl', np.eye(len(X), dtype=X.dtype), np.eye(X.shape[1], dtype=X.dtype))": (
        contract("->ijij", i=m, j=n)
    ),
    "np.einsum('ij,kl->ijkl', A @ B, C)": contract("ia,aj,kl->ijkl", A, B, C),
    "np.kron(A, B)": node(Merge(((0, 1), (2, 3))), contract("ij,kl->ikjl", A, B)),
    "np.kron(A @ B, C.T)": node(Merge(((0, 1), (2, 3))), contract("ia,aj,lk->ikjl", A, B, C)),
    "2 * np.kron(A, np.eye(A.shape[1], dtype=A.dtype))": (
        node(Merge(((0, 1), (2, 3))), scale(2, contract("ij->ikjk", A, k=n)))
    ),
    "np.kron(u, v)": node(Merge(((0, 1),)), contract("i,j->ij", u, v)),
    "np.ravel(A.T)": node(Merge(((1, 0),)), A),
    "A @ B @ C": contract("ij,jk,kl->il", A, B, C),
    "A.T * (u * (1 - u)) @ A": contract("ni,nj,n,n->ij", A, A, u, subtract(ones(m), u)),
    "2 * np.einsum('jl,ik->ijkl', B.T @ B, np.eye(len(X), dtype=X.dtype))": (
        scale(2, contract("ka,kb->iaib", B, B, i=m))
    ),
    "T @ C": contract("ijk,kl->ijl", T, C),
    "np.diag(v)": contract("i->ii", v),
    "X[1, 2]": contract("ij,i,j->", X, unit(m, 1), unit(n, 2)),
    "X[2, :]": contract("ij,i->j", X, unit(m, 2)),
    "A[1, :] @ B": contract("i,ij,jk->k", unit(m, 1), A, B),
    "np.eye(X.shape[1], dtype=X.dtype)[2]": unit(n, 2),
    "np.linalg.solve(S, v)": node(Solve(), S, v),
}  # fmt: skip


@pytest.mark.parametrize("written", WRITTEN)
def test_code_is_as_a_person_writes_it(written):
    given = [X] if "X" in written and X not in variables(WRITTEN[written]) else []
    assert code(WRITTEN[written], given) == written.replace("'", '"')
    assert_code(WRITTEN[written], given)


EXPRESSIONS = {
    "f'(X) on the diagonal": contract("ij->ijij", node(tanh, X)),
    "f'(X) times a scalar": contract(",,ij->ijij", s, t, node(tanh, X)),
    "a cube of deltas": contract("i->iii", v),
    "two letters thrice": contract("i,j->ijijij", u, v),
    "a delta apart": contract("ij->iji", A),
    "a stack of diagonals": contract("ij->ijj", A),
    "a delta and ones": contract("->iijk", i=m, j=n, k=p),
    "ones in between": contract("i->jik", v, j=m, k=p),
    "a sum with ones": add(contract("i->jik", v, j=m, k=p), contract("ijk->jik", Y)),
    "exp of ones": contract("ij->", node(exp, contract("i->ji", v, j=m))),
    "exp of ones, half": contract("ij,i->", node(exp, contract("i->ji", v, j=m)), u),
    "a leading axis": node(tanh, contract("ij,jk->ijk", A, B)),
    "largest of three axes": node(Largest(), T),
    "softmax's largest": node(exp, subtract(T, contract("ij->ijk", node(Largest(), T), k=p))),
    "reciprocals side by side": contract("ij,kl->ikjl", node(tanh, A), contract("ij->ij", B)),
    "kron of three": node(Merge(((0, 1, 2), (3, 4, 5))), contract("ij,kl,pq->ikpjlq", A, B, C)),
    "kron with scalars": node(Merge(((0, 1), (2, 3))), contract(",,ij,kl->ikjl", s, t, A, B)),
    "kron that is none": node(Merge(((0, 1), (2, 3))), contract("ij,kl->ijkl", A, B)),
    "kron of what hangs together": node(Merge(((0, 1), (2, 3))), contract("ijk,jl->ilkj", T, S)),
    "merged": node(Merge(((2, 0), (1,))), T),
    "merged flat": node(Merge(((2, 0, 1),)), T),
    "split": node(Split(((1, 2), (0,)), (m, n, p)), variable("F", (n * p, m))),
    "solved rows": contract("ij->ji", node(Solve(), S, contract("ij->ji", A))),
    "a block": contract("ij,ia,jb->ab", X, block(m, 2, 1), block(n, p, 1)),
    "a block to the end": contract("ij,jb->ib", X, block(n, 2, 2)),
    "a block put elsewhere": contract("ai,ij->aj", block(m + n, m, n), X),
    "a block matrix": add(contract("ai,ij,bj->ab", block(m + n, m, 0), A, block(n + p, n, 0)),
                          contract("ai,ij,bj->ab", block(m + n, n, m), B, block(n + p, p, n))),
    "blocks of blocks": contract("ai,ab->ib", block(m + n, n, m), block(m + n, n, 1)),
    "a place of a block": contract("ai,a,ij->j", block(m + n, n, m), unit(m + n, m + 1), B),
    "a piece twice": contract("ij,ia,a->j", X, block(m, 2, 1), unit(2, 1)),
    "a unit entry by entry": contract("i,i->i", unit(n, 1), v),
    "two units": contract("i,j->ij", unit(m, 1), unit(n, 2)),
    "a unit of a sum": contract("ij,i,kj->k", subtract(A, X), unit(m, 0), S),
    "a place of a mask": contract("i,i->", node(OPS["positive"], v), unit(n, 1)),
    "a row of a mask": contract("i,ij->j", unit(m, 1), node(OPS["positive"], X)),
    "the trace of a block": contract("ij,ij->", X, contract("ij->ij", block(m, n, 0))),
    "of a size": contract("ij,j->i", X, unit(n, n - 1)),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_code_has_the_value_of_the_reference(name):
    assert_code(EXPRESSIONS[name], given=(X, B, u))


@st.composite
def tensors(draw, names="ABCD"):
    """Draw a product of up to four factors: deltas, ones, sizes of one, unit vectors, blocks."""
    dims = draw(st.lists(st.integers(1, 3), min_size=5, max_size=5))
    letters = st.integers(0, 4)
    factors = []
    for k in range(draw(st.integers(0, 4))):
        form = draw(st.sampled_from(("name", "name", "tanh", "repeated", "unit", "block", "mask")))
        word = tuple(draw(st.lists(letters, max_size=3)))
        if form in ("unit", "block"):
            word = tuple(draw(st.lists(letters, min_size=2, max_size=2)))
            word = word[:1] if form == "unit" or dims[word[0]] < dims[word[1]] else word
        shape = [dims[i] for i in word]
        factors.append((_factor(draw, names[k], form, shape), word))
    kept = draw(st.lists(letters, max_size=6))
    coefficient = draw(st.sampled_from((1, -1, 2, Fraction(1, 3))))
    return scale(coefficient, product(factors, tuple(kept), dict(enumerate(dims))))


def _factor(draw, name, form, shape):
    made = variable(name, shape)
    if form == "unit":
        return unit(shape[0], draw(st.integers(0, shape[0] - 1)))
    if form == "block" and len(shape) == 2:
        return block(*shape, draw(st.integers(0, shape[0] - shape[1])))
    if form == "block":
        return unit(shape[0], 0)
    if form == "tanh":
        return node(tanh, made)
    if form == "repeated" and shape:
        return node(tanh, broadcast(variable(name), *shape))
    if form == "mask":
        return node(OPS["positive"], subtract(made, number(1, tuple(shape))))
    return made


@settings(max_examples=400, deadline=None)
@given(tensors())
def test_random_products_have_the_value_of_the_reference(expr):
    assert_code(expr, given=(variable("like", (2,)),))


@settings(max_examples=100, deadline=None)
@given(tensors(), tensors("EFGH"))
def test_so_do_functions_of_sums_of_products(one, other):
    if one.shape == other.shape:
        assert_code(node(tanh, subtract(one, node(tanh, other))), given=(variable("like", (2,)),))


# ---- sizes


def read_off(*shapes):
    given = [variable("XYZ"[k], shape) for k, shape in enumerate(shapes)]
    names = {x: name_of(x) for x in given}
    line = Binding(variable("made", (n, m)), ones(n, m))
    return sizes_for([line], given, names)


def test_sizes_are_read_off_axes_or_solved_for():
    assert read_off((m, n)) == {m: "len(X)", n: "X.shape[1]"}
    for shapes in [
        ((m + n, n),),
        ((m * n,), (m,)),
        ((2 * m + n,), (n + 3,)),
        ((p,), (p + m, m * n)),
    ]:
        texts = read_off(*shapes)
        arrays = {"XYZ"[k]: np.zeros(numbers(shape)) for k, shape in enumerate(shapes)}
        assert {s: eval(text, arrays) for s, text in texts.items()} == {m: 3, n: 4}, texts


def test_a_size_that_no_axis_tells_is_refused():
    with pytest.raises(SymbpError, match="the size n cannot be read off"):
        Arrays({}, read_off((m, m)), "N").size(n)
    with pytest.raises(SymbpError, match="the size m cannot be read off"):
        Arrays({}, read_off((m * m + n,)), "N").size(m + n)


@pytest.mark.parametrize(
    "dim", [m + n, m - n + 5, 2 * m * n, n * (n + 1) / 2, m**2 - 1, 3 - m, m * (n + p)]
)
def test_sizes_may_be_sums_and_products(dim):
    arrays = Arrays({}, {s: s.name for s in (m, n, p)}, "N")
    assert eval(text(arrays.size(dim)), dict(NAMED)) == dim.subs(SIZES)
