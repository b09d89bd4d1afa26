"""Functions of a whole vector or matrix: each states its differential, linear in dz."""

from symbp import notation
from symbp.errors import SymbpError
from symbp.ir import Dim, Expr, Shape, Size, Words, node
from symbp.notation import Call
from symbp.ops.inverse import is_inverse
from symbp.ops.kinds import Largest, Nonlinear
from symbp.ops.kron import kronecker_product, square_factors
from symbp.ops.linear import add, negate, number, parts, scale, subtract, zeros
from symbp.ops.pointwise import ABS, EXP, LOG
from symbp.ops.power import reciprocal
from symbp.ops.product import (
    Factor,
    broadcast,
    contract,
    hadamard,
    inner,
    product,
    total,
    transpose,
)


def _shifted(z: Expr) -> Expr:
    """Return exp(z - max z): no entry overflows, one of them is 1."""
    return node(EXP, subtract(z, broadcast(node(Largest(), z), *z.shape)))


def _softmax(z: Expr) -> Expr:
    return hadamard(_shifted(z), broadcast(reciprocal(total(_shifted(z))), *z.shape))


def _logsumexp(z: Expr) -> Expr:
    return add(node(LOG, total(_shifted(z))), node(Largest(), z))


def _log_softmax(z: Expr) -> Expr:
    shift = subtract(z, broadcast(node(Largest(), z), *z.shape))
    return subtract(shift, broadcast(node(LOG, total(_shifted(z))), *z.shape))


def _square(dims: Shape) -> Shape:
    if dims[0] != dims[1]:
        raise ValueError(f"a matrix of shape {dims} is not square")
    return dims


def _inverse(z: Expr) -> Expr | None:
    """Write (cX)⁻¹, (Xᵀ)⁻¹, (X⁻¹)⁻¹, diag(v)⁻¹, (A ⊗ B)⁻¹ and (A B)⁻¹ of square matrices."""
    if is_inverse(z):
        return z.args[0]
    terms = parts(z)
    if len(terms) == 1 and terms[0][0] != 1:
        ((coefficient, term),) = terms
        return scale(1 / coefficient, node(INVERSE, term))
    blocks = square_factors(z)
    if blocks is not None:
        inverse = kronecker_product([node(INVERSE, factor) for factor in blocks.factors])
        return hadamard(*map(reciprocal, blocks.scalars), inverse)
    op = z.op
    if not isinstance(op, Words):
        return None
    if op.out[0] == op.out[1]:
        values = product(zip(z.args, op.words, strict=True), op.out[:1], dict(enumerate(op.dims)))
        return contract("i->ii", reciprocal(values))
    if op.is_transpose:
        return transpose(node(INVERSE, z.args[0]))
    chain = _square_chain(z, op)
    if chain is None:
        return None
    scalars = [(reciprocal(arg), ()) for arg in z.args if not arg.rank]
    inverted = [(node(INVERSE, matrix), word[::-1]) for matrix, word in chain]
    return product([*scalars, *inverted], op.out[::-1])


def _square_chain(z: Expr, op: Words) -> list[Factor] | None:
    """Return the matrices of A B C, all square, with the words of their rows and columns."""
    matrices = [(a, w) for a, w in zip(z.args, op.words, strict=True) if a.rank]
    if any(len(set(word)) != 2 for _, word in matrices) or len(set(map(str, op.dims))) > 1:
        return None
    ends = [letter for _, word in matrices for letter in word]
    row, column = op.out
    inside = {letter: ends.count(letter) for letter in ends}
    if inside.pop(row, 0) != 1 or inside.pop(column, 0) != 1 or len(inside) != len(matrices) - 1:
        return None
    if any(count != 2 for count in inside.values()) or len(matrices) == len(z.args) == 1:
        return None
    return matrices


def _determinant(z: Expr) -> Expr | None:
    """Write det(Xᵀ) and det(X⁻¹)."""
    if is_inverse(z):
        return reciprocal(node(DETERMINANT, z.args[0]))
    turned = _turned_back(z)
    return None if turned is None else node(DETERMINANT, turned)


def _log_determinant(z: Expr) -> Expr | None:
    """Write log|det(Xᵀ)|, log|det(X⁻¹)| and log|det(A ⊗ B)|."""
    if is_inverse(z):
        return negate(node(LOG_DETERMINANT, z.args[0]))
    blocks = square_factors(z)
    if blocks is not None:
        sizes = [_count(f.shape[0]) for f in blocks.factors]
        others = [sizes[:k] + sizes[k + 1 :] for k in range(len(sizes))]
        logs = (node(LOG_DETERMINANT, factor) for factor in blocks.factors)
        terms = [hadamard(*most, log) for most, log in zip(others, logs, strict=True)]
        terms += [hadamard(*sizes, node(LOG, node(ABS, scalar))) for scalar in blocks.scalars]
        return add(*terms)
    turned = _turned_back(z)
    return None if turned is None else node(LOG_DETERMINANT, turned)


def _count(dim: Dim) -> Expr:
    """Return a size as a number."""
    return number(dim) if isinstance(dim, int) else node(Size(dim))


def _turned_back(z: Expr) -> Expr | None:
    """Return X of Xᵀ."""
    op = z.op
    return z.args[0] if isinstance(op, Words) and op.is_transpose else None


def _no_derivative(dz: Expr, z: Expr, p: Expr) -> Expr:
    """Refuse: d expm(X) = ∫ expm(tX) dX expm((1 − t)X) dt is no finite product (Higham 2008)."""
    raise SymbpError(
        "the derivative of expm is no finite product of its argument and its value",
        "only its trace has one: write `tr(expm(X))`, whose gradient is expm(X)'",
    )


def softmax(z: Expr) -> Expr:
    """Return the softmax of a vector."""
    return node(SOFTMAX, z)


SOFTMAX = Nonlinear(
    "softmax",
    rank=1,
    result=lambda dims: dims,
    differential=lambda dz, z, p: hadamard(p, subtract(dz, broadcast(inner(p, dz), *z.shape))),
    notation=Call("softmax", r"\operatorname{softmax}"),
    expansion=_softmax,
)
LOGSUMEXP = Nonlinear(
    "logsumexp",
    rank=1,
    result=lambda dims: (),
    differential=lambda dz, z, p: inner(softmax(z), dz),
    notation=Call("logsumexp", r"\operatorname{logsumexp}"),
    expansion=_logsumexp,
)
LOG_SOFTMAX = Nonlinear(
    "log_softmax",
    rank=1,
    result=lambda dims: dims,
    differential=lambda dz, z, p: subtract(dz, broadcast(inner(softmax(z), dz), *z.shape)),
    notation=Call("log_softmax", r"\operatorname{logsoftmax}"),
    expansion=_log_softmax,
)
INVERSE = Nonlinear(
    "inv",
    rank=2,
    result=_square,
    differential=lambda dz, z, p: negate(contract("ij,jk,kl->il", p, dz, p)),
    notation=notation.INVERSE,
    code="np.linalg.inv({z})",
    of_transpose=True,
    simpler=_inverse,
)
DETERMINANT = Nonlinear(
    "det",
    rank=2,
    result=lambda dims: _square(dims)[2:],
    differential=lambda dz, z, p: contract(",ij,ji->", p, node(INVERSE, z), dz),
    notation=Call("det", r"\det"),
    code="np.linalg.det({z})",
    simpler=_determinant,
)
LOG_DETERMINANT = Nonlinear(
    "logdet",
    rank=2,
    result=lambda dims: _square(dims)[2:],
    differential=lambda dz, z, p: contract("ij,ji->", node(INVERSE, z), dz),
    notation=Call("logdet", r"\log\det"),
    code="np.linalg.slogdet({z})[1]",
    analytic=False,
    simpler=_log_determinant,
)
EXPM = Nonlinear(
    "expm",
    rank=2,
    result=_square,
    differential=_no_derivative,
    notation=Call("expm", r"\operatorname{expm}"),
    code="_expm({z})",
    helper="expm",
    of_transpose=True,
)
TRACE_EXPM = Nonlinear(
    "trexpm",
    rank=2,
    result=lambda dims: _square(dims)[2:],
    differential=lambda dz, z, p: contract("ij,ji->", node(EXPM, z), dz),
    notation=Call("tr expm", r"\operatorname{tr}\operatorname{expm}"),
    expansion=lambda z: contract("ii->", node(EXPM, z)),
)
DETERMINANT_SIGN = Nonlinear(
    "detsign",
    rank=2,
    result=lambda dims: _square(dims)[2:],
    differential=lambda dz, z, p: zeros(),
    notation=Call("sign det", r"\operatorname{sign}\det"),
    code="np.linalg.slogdet({z})[0]",
    analytic=False,
)
"""Only ever beside `LOG_DETERMINANT`, in code: det X = sign · exp(log |det X|)."""

MATRIX_FUNCTIONS = {
    op.name: op
    for op in (
        SOFTMAX,
        LOGSUMEXP,
        LOG_SOFTMAX,
        INVERSE,
        DETERMINANT,
        LOG_DETERMINANT,
        EXPM,
        TRACE_EXPM,
    )
}
