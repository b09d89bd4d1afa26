"""Functions of a whole vector or matrix: each states its differential, linear in dz."""

from symbp.errors import SymbpError
from symbp.ir import Expr, Shape, node
from symbp.notation import Call, Superscript
from symbp.ops.kinds import Largest, Nonlinear
from symbp.ops.linear import add, negate, subtract, zeros
from symbp.ops.pointwise import EXP, LOG
from symbp.ops.power import reciprocal
from symbp.ops.product import broadcast, contract, hadamard, inner, total


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
    notation=Superscript("⁻¹", "{-1}"),
    code="np.linalg.inv({z})",
)
DETERMINANT = Nonlinear(
    "det",
    rank=2,
    result=lambda dims: _square(dims)[2:],
    differential=lambda dz, z, p: contract(",ij,ji->", p, node(INVERSE, z), dz),
    notation=Call("det", r"\det"),
    code="np.linalg.det({z})",
)
LOG_DETERMINANT = Nonlinear(
    "logdet",
    rank=2,
    result=lambda dims: _square(dims)[2:],
    differential=lambda dz, z, p: contract("ij,ji->", node(INVERSE, z), dz),
    notation=Call("logdet", r"\log\det"),
    code="np.linalg.slogdet({z})[1]",
    analytic=False,
)
EXPM = Nonlinear(
    "expm",
    rank=2,
    result=_square,
    differential=_no_derivative,
    notation=Call("expm", r"\operatorname{expm}"),
    code="_expm({z})",
    helper="expm",
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
